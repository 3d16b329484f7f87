"""common.py - what the scripts of this folder share: programs, servers on free ports, cgroups."""
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CGROUP = pathlib.Path("/sys/fs/cgroup/cpu")


def program(build, name):
    """The built program, or a sentence on how to build it."""
    for path in (build / name, build / "clients" / name, build / "server" / name):
        if path.is_file():
            return str(path)
    sys.exit(f"no {name} below {build}: cmake --build {build} --target {name}, or give --build")


class HalfCore:
    """A control group with a share of one core, where this host lets us make one."""

    def __init__(self, share):
        self.path = CGROUP / f"nearfar_bench_{os.getpid()}"
        self.share = share
        try:
            self.path.mkdir()
            (self.path / "cpu.cfs_period_us").write_text("10000")
            (self.path / "cpu.cfs_quota_us").write_text(str(int(10000 * share)))
        except OSError:
            self.remove()
            self.path = None

    def take(self, pid):
        if self.path:
            (self.path / "cgroup.procs").write_text(str(pid))

    def remove(self):
        if self.path and self.path.is_dir():
            self.path.rmdir()

    def __str__(self):
        if not self.path:
            return "a full core, no control group here"
        return f"{self.share} of a core (control group)"


class Server:
    """`nearfar serve` with `options`; ready when it answers."""

    def __init__(self, nearfar, *options):
        self.process = subprocess.Popen([nearfar, "serve", "--listen", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.url = None
        for line in self.process.stdout:
            if "http://" in line:
                self.url = "http://" + line.split("http://")[1].split(",")[0].split()[0]
                break
        if not self.url:
            sys.exit("a server did not start: " + " ".join(options))
        for _ in range(200):
            try:
                urllib.request.urlopen(self.url + "/healthz", timeout=2)
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.url} did not become ready")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run_json(arguments, codes=(0,)):
    """The JSON object a client command prints."""
    done = subprocess.run([*arguments, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in codes:
        sys.exit(f"exit {done.returncode}: {' '.join(arguments)}")
    return json.loads(done.stdout)


def machine():
    return f"{platform.machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}"


def models_folder(build, names=("temp", "digits")):
    """build/models: the bundled models and the heavy one, which is generated."""
    folder = build / "models-compare"
    for name in names:
        if not (folder / name).is_dir():
            shutil.copytree(ROOT / "models" / name, folder / name)
    if not (folder / "heavy" / "1" / "model.onnx").is_file():
        subprocess.run([sys.executable, ROOT / "models" / "make" / "heavy.py", folder / "heavy"],
                       check=True, stdout=subprocess.DEVNULL)
    return str(folder)
