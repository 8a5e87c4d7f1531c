# SPDX-License-Identifier: Apache-2.0
"""A bare Debian that boots: its root filesystem is made once by mmdebstrap and kept below ~/.cache/nfstreamd-tests, what a
container writes to it goes to memory, and everything ends with the container's processes."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import harness  # noqa: E402
from harness import wait_for  # noqa: E402

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "nfstreamd-tests"
PATIENCE = 120  # seconds for what systemd and dpkg do on a busy machine
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SPARED = ("man", "locale", "doc", "info")  # of /usr/share


def apt_settings():
    """What this host tells apt about how to reach its mirror."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    wanted = r"Acquire::(https?|Check-Valid-Until|Check-Date|Retries)\b.* \"[^\"]+\";"
    return [line for line in dump.splitlines() if re.match(wanted, line)]


def mirror():
    """The mirror this host installs Debian packages from, if it is told."""
    for file in (*pathlib.Path("/etc/apt").glob("sources.list.d/debian.sources"), pathlib.Path("/etc/apt/sources.list")):
        with contextlib.suppress(OSError):
            found = re.search(r"^(?:URIs:|deb(?: \[.*\])?)\s*(\S+/debian)/?\s", file.read_text(), re.M)
            if found:
                return found[1]
    return "http://deb.debian.org/debian"


def suite_of_host():
    """The code name of the Debian that this host is."""
    found = re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.M)
    return found[1] if found else "bookworm"


class Root:
    """The root filesystem of a Debian with systemd and these packages, and what they could be given later."""

    def __init__(self, suite, packages=("systemd",), name="boot"):
        wanted = hashlib.sha256(repr((packages, SPARED, mirror(), apt_settings())).encode()).hexdigest()[:12]
        self.suite, self.packages, self.path = suite, packages, CACHE / f"{suite}-{name}-{wanted}"

    def make(self):
        """Makes it, unless it is there."""
        CACHE.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if not self.path.exists():
                self._make()
        return self

    def provide(self, *packages):
        """Downloads what apt-get in a container will want in order to install these; a container has no network."""
        for attempt in (1, 2):
            self.make()
            with self._lock():
                run = subprocess.run(
                    ["apt-get", "-q", "-y", f"-oDir={self.path}", "-oAPT::Sandbox::User=root", "-oDebug::NoLocking=1",
                     *(f"-o{key}={value}" for key, value in map(self._option, apt_settings())),
                     "install", "--no-install-recommends", "--download-only", *map(str, packages)],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10 * PATIENCE)
                if run.returncode == 0:
                    return self
                if attempt == 2:
                    raise AssertionError(f"apt-get --download-only:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
                self.remove()  # its lists may be older than what the mirror still has
        return self

    def remove(self):
        subprocess.run(["rm", "-rf", "--one-file-system", self.path], check=True)

    @staticmethod
    def _option(line):
        key, value = line.rstrip(";").split(" ", 1)
        return key, value.strip('"')

    @contextlib.contextmanager
    def _lock(self):
        with open(CACHE / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self):
        started, unfinished = time.monotonic(), self.path.with_suffix(".unfinished")
        print(f"making {self.path}", file=sys.stderr, flush=True)
        subprocess.run(["rm", "-rf", "--one-file-system", unfinished], check=True)
        run = subprocess.run(
            ["unshare", "--mount", "--propagation", "private",  # what it mounts goes with it
             "mmdebstrap", "--quiet", "--mode=root", "--variant=apt", f"--include={','.join(self.packages)}",
             *(f"--aptopt={line.rstrip(';')}" for line in (*apt_settings(), 'Acquire::Languages "none";')),
             *(f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in SPARED),
             "--skip=cleanup/apt", self.suite, unfinished, mirror()],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20 * PATIENCE)
        if run.returncode != 0:
            raise AssertionError(f"mmdebstrap {self.suite}:\n{run.stderr[-4000:]}")
        unfinished.rename(self.path)
        print(f"made after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


# The mounts belong to the container alone: a copy in memory of a root filesystem that stays as it is. Its control groups
# are below one of its own.
CGROUPS = ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")
BOOT = """
group=$1 && shift
for hierarchy in """ + " ".join(CGROUPS) + """; do
    [ ! -w "$hierarchy/cgroup.procs" ] || { mkdir "$hierarchy/$group" &&
        echo $$ >"$hierarchy/$group/cgroup.procs"; } || exit
done
mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root && shift &&
for file; do cp "$file" /mnt/root/root/ || exit; done &&
exec systemd-nspawn --quiet --directory=/mnt/root --boot --register=no --keep-unit --console=pipe
"""


class Container:
    """A booted copy of a Root in a network namespace of the harness, which is all it reaches; files are copied to /root."""

    def __init__(self, case, root, namespace, files=()):
        self.leader, self.group = None, f"nfstreamd-test-{os.getpid()}-{time.monotonic_ns()}"
        self.process = case.start("unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT, "sh",
                                  self.group, root.path, *files, namespace=namespace)
        case.addCleanup(self.close)
        self.leader = wait_for(self._leader, self.process.describe, PATIENCE)
        self.state = wait_for(self._booted, self.process.describe, PATIENCE)

    def _leader(self):
        """Its process 1, by the number it has here."""
        if not self.process.running():
            raise AssertionError(self.process.describe())
        pending = [self.process.pid]
        while pending:
            pid = pending.pop()
            with contextlib.suppress(OSError):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                if re.search(r"^NSpid:.*\s1$", status, re.M) and pid != self.process.pid:
                    return pid
                for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                    pending.extend(map(int, children.read_text().split()))
        return None

    def _booted(self):
        state = self.run("systemctl", "is-system-running", status=None).stdout.strip()
        return state if state in ("running", "degraded") else None

    def command(self, *words):
        return ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd", "env", "-i", PATH, "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *map(str, words)]

    def run(self, *words, status=0, stdin=""):
        """Runs a command in it; the exit status must be as said, unless that is None."""
        run = subprocess.run(self.command(*words), input=stdin, capture_output=True, text=True, timeout=PATIENCE)
        if status is not None and run.returncode != status:
            raise AssertionError(f"{' '.join(map(str, words))}: status {run.returncode}, not {status}\n"
                                 f"{run.stdout[-4000:]}{run.stderr[-4000:]}")
        return run

    def sh(self, script, status=0):
        return self.run("sh", "-c", script, status=status).stdout

    def write(self, path, text):
        self.run("sh", "-c", 'mkdir -p "$(dirname "$1")" && cat >"$1"', "sh", path, stdin=text)

    def systemctl(self, verb, unit="nfstreamd.service", status=0):
        run = self.run("systemctl", verb, *([unit] if unit else []), status=None)
        if run.returncode != status:
            raise AssertionError(f"systemctl {verb} {unit}: status {run.returncode}, not {status}\n{run.stderr}"
                                 f"{self.describe(unit) if unit else ''}")
        return run.stdout.strip()

    def property(self, name, unit="nfstreamd.service"):
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def log(self, unit="nfstreamd.service"):
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}", status=None).stdout

    def describe(self, unit="nfstreamd.service"):
        status = self.run("systemctl", "status", "--no-pager", "--full", "--lines=40", unit, status=None)
        return status.stdout + status.stderr

    def close(self):
        if self.process.running():
            self.process.send_signal(signal.SIGTERM)  # it is told to halt
            with contextlib.suppress(AssertionError):
                self.process.wait(20)
        self.process.kill()
        for hierarchy in CGROUPS:
            for folder, _, _ in os.walk(f"{hierarchy}/{self.group}", topdown=False):
                wait_for(lambda path=folder: self._removed(path), f"{folder} is in use")

    @staticmethod
    def _removed(folder):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
        return not os.path.exists(folder)


def why_not():
    """What is missing to boot a container here; empty if nothing is."""
    if os.geteuid() != 0:
        return "needs root"
    for program in ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare"):
        if shutil.which(program) is None:
            return f"needs {program}: packaging/install-dependencies"
    run = subprocess.run(["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "mount", "-t", "tmpfs", "tmpfs",
                          "/mnt"], capture_output=True, text=True)
    return "" if run.returncode == 0 else f"needs namespaces and mounts of its own: {run.stderr.strip()}"
