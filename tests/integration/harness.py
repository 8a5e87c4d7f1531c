# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: programs started and ended by process id, conditions waited
for with a deadline, free ports, network namespaces, capture files, and flows as dictionaries."""
import contextlib
import csv
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NFSTREAMD_BUILD_DIR") or ROOT / "build" / "release")
NFSTREAMD, NFSTREAMCTL = BUILD / "nfstreamd", BUILD / "nfstreamctl"
CAPTURES = ROOT / "tests" / "golden" / "captures"
SANITIZER_FOUND = 99  # exit status that tests/CMakeLists.txt gives the sanitizers
SANITIZED = bool(os.environ.get("NFSTREAMD_SANITIZE"))
DEADLINE = 30 if SANITIZED else 15  # seconds; only a failing test waits so long
LAST_MOMENT = 2  # seconds, for what a test leaves running
SKIPPED = 125
# No test sends from these: servers get the first ones, the second ones are a namespace's for sockets that bind none.
SERVER_PORTS, EPHEMERAL_PORTS = (10000, 14999), (15000, 19999)


def main():
    """unittest.main, except that no test at all is a failure and nothing but skips is said to be a skip."""
    result = unittest.main(module="__main__", verbosity=2, exit=False).result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(SKIPPED if len(result.skipped) == result.testsRun else 0)


def python_environment():
    """What a Python needs that imports the package of this build, and nothing besides: tests/CMakeLists.txt."""
    kept = ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "PYTHONMALLOC")
    if not (runtime := os.environ.get("NFSTREAMD_PYTHON_PRELOAD")):
        return {}
    return {"LD_PRELOAD": runtime, **{name: os.environ[name] for name in kept if name in os.environ}}


def needs_root(what):
    return unittest.skipUnless(os.geteuid() == 0, f"NOT RUN: {what} needs root")


def wait_for(condition, message, timeout=None):
    """Returns the first true value of condition(); fails with message (text or function) after the deadline."""
    end = time.monotonic() + (timeout or DEADLINE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(message() if callable(message) else message)
        time.sleep(0.02)


def free_port():
    """A port of 127.0.0.1 that is free now, for UDP and TCP."""
    while True:
        port = random.randint(*SERVER_PORTS)
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port))
            return port


def check_ledger(log, describe):
    """What nfstreamd has logged of its ledger: it may not be broken, and at the end of a run it balances."""
    if "the ledger does not balance" in log:
        raise AssertionError(f"packets or records are missing: {describe()}")
    if re.search(r"\bstopped\b.*packets_left_out", log) and "ledger balanced" not in log:
        raise AssertionError(f"it has not said that its ledger balances: {describe()}")


class Process:
    """A program in the foreground, its output in files."""
    socket = None  # of nfstreamd: its control socket

    def __init__(self, command, folder, **options):
        self.command = [str(word) for word in command]
        self.name = f"{pathlib.Path(self.command[0]).name}-{time.monotonic_ns()}"
        self.out, self.err = (pathlib.Path(folder, f"{self.name}.{end}") for end in ("out", "err"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.popen = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **options)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def is_held(self):
        """By a SIGSTOP."""
        with contextlib.suppress(OSError):
            return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
        return False

    def send_signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=None):
        """Exit status; a process that does not end is a failure."""
        try:
            return self.popen.wait(timeout or DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running: {self.describe()}") from None

    def stop(self, number=signal.SIGTERM):
        if self.running():
            self.audit()
            self.send_signal(number)
        return self.wait()

    def audit(self):
        """Of nfstreamd: every packet and record is accounted for, now."""
        if not self.socket or not self.socket.exists():
            return
        run = subprocess.run([NFSTREAMCTL, "--socket", self.socket, "audit"], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=4 * DEADLINE)
        if run.returncode == 0:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            if "BALANCED" not in run.stdout:  # no answer: it may be about to end
                self.popen.wait(LAST_MOMENT)
                return
        raise AssertionError(f"audit: status {run.returncode}\n{run.stdout}{run.stderr}\n{self.describe()}")

    def check_ledger(self):
        """nfstreamd says at its end, if it gets there, that every packet and record is accounted for."""
        check_ledger(self.stderr(), self.describe)

    def kill(self):
        if self.running():
            self.popen.kill()
        self.popen.wait()

    def stdout(self):
        return self.out.read_text(encoding="utf-8", errors="replace")

    def stderr(self):
        return self.err.read_text(encoding="utf-8", errors="replace")

    def json_lines(self):
        """The flows that have been printed so far, whole lines only."""
        return [line for line in self._lines() if "_options" not in line]

    def options_lines(self):
        """What IPFIX tells beside the flows: records of options templates."""
        return [line for line in self._lines() if "_options" in line]

    def _lines(self):
        return [json.loads(line) for line in self.stdout().splitlines(True) if line.endswith("\n")]

    def describe(self):
        return f"{' '.join(self.command)}\nstatus {self.popen.poll()}\nstderr:\n{self.stderr()[-4000:]}"

    def listens(self, port, transport="udp"):
        """Whether a socket of this process's network namespace is bound to the port."""
        for table in (transport, transport + "6"):
            with contextlib.suppress(OSError):
                rows = pathlib.Path(f"/proc/{self.pid}/net/{table}").read_text().splitlines()[1:]
                if any(row.split()[1].endswith(f":{port:04X}") and (transport == "udp" or row.split()[3] == "0A")
                       for row in rows):
                    return True
        return False

    def has_read(self, port):
        """Whether all that was sent to the UDP port over loopback is read, and what was read is dealt with: the threads sleep.
        A signal before that can do harm: nfacctd hands the record it is at to its plugin twice."""
        rows = [line.split() for table in ("udp", "udp6")
                for line in pathlib.Path(f"/proc/{self.pid}/net/{table}").read_text().splitlines()[1:]]
        if any(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{port:04X}")):
            return False
        return all(stat.read_text().rpartition(")")[2].split()[0] == "S"
                   for stat in pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat"))


class Namespace:
    """A network namespace that lives as long as a process of ours; nothing of it stays behind."""

    def __init__(self, case):
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], stdin=subprocess.DEVNULL)
        case.addCleanup(self.close)
        ours = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != ours, "no network namespace")
        self.ip("link", "set", "lo", "up")
        self.run("sh", "-c", "echo %d %d >/proc/sys/net/ipv4/ip_local_port_range" % EPHEMERAL_PORTS)

    def close(self):
        self.holder.kill()
        self.holder.wait()

    def command(self, *words):
        return ["nsenter", f"--target={self.holder.pid}", "--net", *map(str, words)]

    def run(self, *words):
        return subprocess.run(self.command(*words), check=True, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=DEADLINE).stdout

    def ip(self, *words):
        return self.run("ip", *words)

    def _made_inside(self, make):
        """What make() returns in a thread that is in here."""
        made = []

        def enter():  # a thread's namespace is its own
            with open(f"/proc/{self.holder.pid}/ns/net", "rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0) == 0:
                    made.append(make())
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        return made[0]

    def packet_socket(self, device):
        """A socket that sends frames on a link in here."""
        made = self._made_inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
        made.bind((device, 0))
        return made

    def stream_socket(self, family=socket.AF_INET):
        """A TCP socket in here, not yet connected."""
        return self._made_inside(lambda: socket.socket(family, socket.SOCK_STREAM))

    def link_to(self, other, name, address, other_address):
        """A veth pair: NAME here with ADDRESS, `up` in the other namespace; without IPv6 to be silent."""
        self.ip("link", "add", name, "type", "veth", "peer", "name", "up0", "netns", str(other.holder.pid))
        for namespace, device, of_it in ((self, name, address), (other, "up0", other_address)):
            namespace.run("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{device}/disable_ipv6")
            namespace.ip("address", "add", f"{of_it}/24", "dev", device)
            namespace.ip("link", "set", device, "up")


class TestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nfstreamd-test-"))
        self.processes = []
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, *command, namespace=None, **options):
        words = namespace.command(*command) if namespace else command
        process = Process(words, self.folder, **options)
        self.processes.append(process)
        self.addCleanup(self._end, process)
        return process

    @contextlib.contextmanager
    def subTest(self, *arguments, **parameters):
        """As unittest's; what one that fails has started does not stand in the way of the next one."""
        before = len(self.processes)
        with super().subTest(*arguments, **parameters):
            try:
                yield
            except BaseException:
                for process in self.processes[before:]:
                    process.kill()
                    if process.socket:
                        process.socket.unlink(missing_ok=True)
                raise

    def _end(self, process):
        """What a test has left running ends; a daemon is asked for its ledger and gets a moment to end by itself."""
        try:
            if process.socket and process.running() and not process.is_held():
                process.audit()
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.popen.wait(LAST_MOMENT)
        finally:
            process.kill()
        self.assertNotEqual(process.popen.returncode, SANITIZER_FOUND, process.describe())
        process.check_ledger()

    def run_program(self, *command, status=0, timeout=None, **options):
        """Runs to the end and returns the CompletedProcess; the exit status must be as said."""
        run = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=timeout or 4 * DEADLINE, **options)
        said = f"{' '.join(map(str, command))}\n{run.stderr[-4000:]}"
        check_ledger(run.stderr, lambda: said)
        self.assertEqual(run.returncode, status, said)
        return run

    def nfstreamd(self, *arguments, **options):
        return self.run_program(NFSTREAMD, *arguments, **options)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def csv_of(self, *captures, settings=()):
        """The flows that nfstreamd writes as CSV, as dictionaries of text."""
        out = self.folder / f"flows-{time.monotonic_ns()}.csv"
        self.nfstreamd("-r", *captures, "-w", out, *(word for s in settings for word in ("--set", s)))
        with open(out, newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))

    def json_records(self, path):
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def collect(self, transport="udp", port=None, namespace=None, host="127.0.0.1"):
        """A running `nfstreamctl collect`, and the port it listens on."""
        port = port or free_port()
        process = self.start(NFSTREAMCTL, "collect", "--listen", f"{transport}://{host}:{port}", namespace=namespace)
        wait_for(lambda: process.listens(port, transport) or not process.running(), process.describe)
        self.assertTrue(process.running(), process.describe())
        return process, port

    def daemon(self, configuration, *arguments, namespace=None, processors=None):
        """A live nfstreamd with this configuration file, once its control socket answers; PROCESSORS is how many it
        believes there are."""
        path = self.write("nfstreamd.yaml", configuration)
        command = [NFSTREAMD, "-c", path, *arguments]
        if processors:
            online = self.write("online", f"0-{processors - 1}\n")
            command = ["unshare", "--mount", "sh", "-c",
                       f"mount --bind {online} /sys/devices/system/cpu/online && exec \"$@\"", "sh", *command]
        process = self.start(*command, namespace=namespace)
        process.socket = self.folder / "control.sock"
        wait_for(lambda: process.socket.exists() or not process.running(), process.describe)
        self.assertTrue(process.running(), process.describe())
        return process

    def status(self, daemon):
        run = self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "status", "--json")
        return json.loads(run.stdout)


def number(flow, column):
    return int(flow[column])


def total(flows, *columns):
    return sum(int(flow[column]) for flow in flows for column in columns)


def read_pcap(path):
    """Link type and frames of a capture in microseconds, whichever byte order."""
    data = pathlib.Path(path).read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    link_type = struct.unpack(order + "I", data[20:24])[0]
    found, offset = [], 24
    while offset + 16 <= len(data):
        captured = struct.unpack(order + "I", data[offset + 8:offset + 12])[0]
        found.append(data[offset + 16:offset + 16 + captured])
        offset += 16 + captured
    return link_type, found


def write_pcap(path, frames, link_type=1, first_s=1_700_000_000, gap_us=1000):
    """A capture of these frames, one each gap_us; None is a gap."""
    return write_timed(path, ((n * gap_us / 1_000_000, frame) for n, frame in enumerate(frames) if frame is not None),
                       link_type, first_s)


def write_timed(path, frames, link_type=1, first_s=1_700_000_000):
    """A capture of (seconds from first_s, frame)."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, link_type))
        for seconds, frame in frames:
            microseconds = round(seconds * 1_000_000)
            out.write(struct.pack("<IIII", first_s + microseconds // 1_000_000, microseconds % 1_000_000,
                                  len(frame), len(frame)))
            out.write(frame)
    return path


def ends_of(frame):
    """(address, port) of sender and receiver of TCP or UDP over IPv4 over Ethernet, octets; None of anything else."""
    if frame[12:14] != b"\x08\0" or frame[23] not in (6, 17):
        return None
    ports = 14 + 4 * (frame[14] & 15)
    return (frame[26:30], frame[ports:ports + 2]), (frame[30:34], frame[ports + 2:ports + 4])


def answers(frames):
    """For each frame of a capture whether it comes from the end that did not begin."""
    began, found = {}, []
    for frame in frames:
        ends = ends_of(frame)
        found.append(ends is not None and began.setdefault(frozenset(ends), ends[0]) != ends[0])
    return found


def tagged(frame, vlan):
    return frame[:12] + struct.pack(">HH", 0x8100, vlan) + frame[12:]


def udp_frame(source, source_port, destination, destination_port, payload=b"x" * 20):
    """An Ethernet frame with a UDP datagram; checksums are left zero."""
    udp = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(destination))
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp


def many_flows(path, flows, packets_each=1):
    """A capture of so many UDP flows, each of so many packets."""
    frames = (udp_frame(f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}", 1024 + index % 60000,
                        "192.0.2.1", 9999)
              for _ in range(packets_each) for index in range(flows))
    return write_pcap(path, frames, gap_us=1)
