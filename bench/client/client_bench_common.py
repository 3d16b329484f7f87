"""What the client's measurements share: arguments, a pinned run of nearfar-client, its JSON. Python
3 standard library only."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "http"))
from bench_common import BODY, PATH, arguments, edge_server, finish, median  # noqa: E402, F401


def client_arguments(parser):
    a = arguments(parser)
    a.client = os.path.join(a.build, "clients", "nearfar-client")
    if not os.access(a.client, os.X_OK):
        sys.exit(f"no {a.client}: cmake -S . -B {a.build} && cmake --build {a.build}")
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the server, one for the client")
    return a


def realtime():
    """["chrt", …] where this process may use real-time priority, else []: other work on the machine
    then delays the client, and is part of what is measured."""
    words = ["chrt", "-f", "10"]
    try:
        return words if subprocess.run([*words, "true"], capture_output=True).returncode == 0 else []
    except FileNotFoundError:
        return []


def start(a, port, options, before=()):
    """nearfar-client bench on core 1, behind the words `before`, not waited for."""
    command = ["taskset", "-c", "1", *before, a.client, "bench", f"http://127.0.0.1:{port}{PATH}",
               "--input", BODY, "--json", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process):
    """The one target of the run's JSON."""
    out, error = process.communicate()
    if process.returncode != 0:
        sys.exit(f"nearfar-client ended with {process.returncode}: {error}")
    target = json.loads(out)["targets"][0]
    if target["errors"]["total"]:
        sys.exit(f"errors: {target['errors']}")
    return target
