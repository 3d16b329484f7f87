"""What the three HTTP measurements share: a server that is started, asked and stopped; the facts
that stand beside every figure. Python 3 standard library only."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BODY = '{"instances":[[22.0,23.5,21.0]]}'
PATH = "/v1/models/temp/predict"
HEADERS = {"Content-Type": "application/json"}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A child process on a loopback port, pinned to `core` when one is given."""

    def __init__(self, command, port, core=None):
        self.port = port
        pin = None if core is None else (lambda: os.sched_setaffinity(0, {core}))
        self.log = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would stop the child
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log,
                                        preexec_fn=pin)

    def wait(self, body=BODY, path=PATH, seconds=20.0):
        """Returns the first 200 answer's text."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.log.seek(0)
                sys.exit(f"the server ended: {self.log.read()}")
            try:
                status, text = self.ask(body, path)
                if status == 200:
                    return text
            except OSError:
                pass
            time.sleep(0.001)
        sys.exit(f"no answer on port {self.port} within {seconds} s")

    def ask(self, body=BODY, path=PATH):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            c.request("POST", path, body, HEADERS)
            r = c.getresponse()
            return r.status, r.read().decode()
        finally:
            c.close()

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def cpu_seconds(self):
        """Processor time of all its threads so far."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        return self.process.returncode


def edge_server(nearfar, models, core=None):
    port = free_port()
    command = [nearfar, "serve", "--mode", "edge", "--models", models,
               "--listen", f"127.0.0.1:{port}"]
    return Server(command, port, core)


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def facts(nearfar):
    """CPU model, commit and version: what a figure means nothing without."""
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")),
                   "unknown")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"],
                            capture_output=True, text=True).stdout.strip() or "unknown"
    version = subprocess.run([nearfar, "--version"], capture_output=True, text=True).stdout
    return {"cpu": cpu, "cores": os.cpu_count(), "commit": commit,
            "version": version.splitlines()[0] if version else "unknown"}


def arguments(parser):
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"),
                        help="build folder that holds server/nearfar (default: build/release)")
    parser.add_argument("--models", default=os.path.join(ROOT, "models"), help="model repository")
    parser.add_argument("--out", help="write the JSON result to this file too")
    a = parser.parse_args()
    a.nearfar = os.path.join(a.build, "server", "nearfar")
    if not os.access(a.nearfar, os.X_OK):
        sys.exit(f"no {a.nearfar}: cmake -S . -B {a.build} && cmake --build {a.build}")
    return a


def finish(result, a):
    result["facts"] = facts(a.nearfar)
    text = json.dumps(result)
    print(text)
    if a.out:
        with open(a.out, "w") as f:
            f.write(text + "\n")
    sys.exit(0 if result["passed"] else 1)
