# SPDX-License-Identifier: Apache-2.0
"""What the conformance tests share: collectors of their own that keep the octets as they came, and one strict reader."""
import contextlib
import ctypes
import select
import socket
import threading
import time

import harness
import wire
from harness import CAPTURES, wait_for

ALL = sorted(CAPTURES.glob("*.pcap"))
SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "quic", "s_ext6", "tls12")]
PEN = 32473  # for documentation (RFC 5612)
TICK = 0.05


class Datagrams:
    """A UDP collector: datagrams and when each of them came; from how many ports."""

    def __init__(self, case, address="127.0.0.1", port=0, buffer=8 << 20):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.bind((address, port))
        self.port = self.socket.getsockname()[1]
        self.arrived, self.sources = [], []
        self._ends = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        case.addCleanup(self.close)

    def _read(self):
        while True:
            ready = select.select([self.socket], [], [], TICK)[0]
            if ready:
                octets, source = self.socket.recvfrom(65535)
                self.arrived.append((time.time(), octets))
                self.sources.append(source)
            elif self._ends:
                return

    def close(self):
        """What is in the socket by now is read."""
        self._ends = True
        self._thread.join()
        self.socket.close()

    def messages(self, session=None):
        """All of them by the strict reader, against the time at which they came."""
        session = session or wire.Session("udp", from_start=True)
        return [session.read(octets, now) for now, octets in list(self.arrived)]


class Connection:
    """What came over one TCP connection, and how it ended: None, "closed" or "reset"."""

    def __init__(self, accepted):
        self.socket, self.began = accepted, time.monotonic()
        self.octets, self.reads, self.end = bytearray(), [], None

    def pieces(self):
        """(when its last octet came, message), whole ones only."""
        data, found, at, read = bytes(self.octets), [], 0, 0
        reads = list(self.reads)
        while len(data) - at >= 4:
            length = int.from_bytes(data[at + 2:at + 4], "big")
            if length < 4 or at + length > len(data):
                break
            while reads[read][1] < at + length:
                read += 1
            found.append((reads[read][0], data[at:at + length]))
            at += length
        return found

    def messages(self, session=None, timed=True):
        session = session or wire.Session("tcp", from_start=True)
        return [session.read(octets, now if timed else None) for now, octets in self.pieces()]


class Streams:
    """A TCP collector. It reads `at_once` octets in each call, nothing while `paused`."""

    def __init__(self, case, port=0, at_once=65536, paused=False, buffer=None):
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.at_once, self.paused = at_once, paused
        self.connections = []
        self._ends = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        case.addCleanup(self.close)

    def _read(self):
        while not self._ends:
            alive = [] if self.paused else [one for one in self.connections if one.end is None]
            for ready in select.select([self.listener, *(one.socket for one in alive)], [], [], TICK)[0]:
                if ready is self.listener:
                    self.connections.append(Connection(ready.accept()[0]))
                else:
                    self._take(next(one for one in alive if one.socket is ready))

    def _take(self, connection):
        try:
            octets = connection.socket.recv(self.at_once)
        except ConnectionResetError:
            connection.end = "reset"
            return
        connection.octets += octets
        if octets:
            connection.reads.append((time.time(), len(connection.octets)))
        else:
            connection.end = "closed"

    def close(self):
        """As a collector that is killed: connections and listener go."""
        self._ends = True
        self._thread.join()
        self.listener.close()
        for one in self.connections:
            one.socket.close()


class Conformance(harness.TestCase):
    """One exporter type at a time; the octets that it sends."""

    def configuration(self, *exporters):
        """Each exporter is a flow mapping of YAML, without its braces."""
        return "exporters:\n" + "".join(f"  - {{{exporter}}}\n" for exporter in exporters)

    def run_files(self, exporters, captures=ALL, settings=(), status=0):
        path = self.write("export.yaml", self.configuration(*exporters))
        return self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)),
                              status=status, timeout=120)

    def over_udp(self, settings="", kind="ipfix", captures=ALL, more=(), status=0):
        """What a run sends over UDP; `run` of it is how that ended."""
        collector = Datagrams(self)
        entry = f"name: main, type: {kind}, collectors: ['udp://127.0.0.1:{collector.port}'] {settings}"
        collector.run = self.run_files([entry], captures, more, status)
        collector.close()
        self.assertNotEqual(collector.arrived, [])
        return collector

    def over_tcp(self, settings="", captures=ALL, more=(), **collector):
        """The one connection of a run."""
        collector = Streams(self, **collector)
        self.run_files([f"name: main, type: ipfix, collectors: ['tcp://127.0.0.1:{collector.port}'] {settings}"],
                       captures, more)
        wait_for(lambda: collector.connections and all(one.end for one in collector.connections), "it does not end")
        collector.close()
        self.assertEqual(len(collector.connections), 1)
        return collector.connections[0]

    def in_file(self, settings="", captures=ALL, more=()):
        path = self.folder / f"flows-{time.monotonic_ns()}.ipfix"
        self.run_files([f"name: main, type: ipfix, path: {path} {settings}"], captures, more)
        return path.read_bytes()

    def read_file(self, octets):
        return wire.Session("file", from_start=True).read_stream(octets)

    def rows(self, captures=ALL, more=()):
        """The flows of these captures as CSV has them."""
        return self.csv_of(*captures, settings=more)


class Live(Conformance):
    """A daemon on the loopback link that meters what goes to one port of ours."""

    def setUp(self):
        super().setUp()
        self.sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # so that no ICMP answers
        self.sink.bind(("127.0.0.1", 0))
        self.sink.settimeout(2)
        self.addCleanup(self.sink.close)
        self.target = self.sink.getsockname()[1]

    def live_configuration(self, *exporters, more=""):
        return (f"capture:\n  - {{interface: lo, n_meters: 1, bpf_filter: udp dst port {self.target}}}\n"
                f"metering: {{idle_timeout: 600}}\n{more}{self.configuration(*exporters)}"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, *exporters, more=""):
        daemon = self.daemon(self.live_configuration(*exporters, more=more))
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def flows(self, daemon, count=1, payload=b"x"):
        """So many flows of one packet each, metered and handed to the exporters."""
        before = self.status(daemon)["interfaces"][0]["flows_created"]
        with contextlib.ExitStack() as senders:  # open together, so that each has a port of its own
            for _ in range(count):
                sender = senders.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                self.pass_over(sender, payload)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_created"] == before + count, daemon.describe)
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0, daemon.describe)

    def pass_over(self, sender, payload):
        """What the loopback link drops, as it does when others fill the queue of a processor, was never captured."""
        for _ in range(10):
            sender.sendto(payload, ("127.0.0.1", self.target))
            with contextlib.suppress(TimeoutError):
                return self.sink.recv(65536)
        raise AssertionError("the loopback link lets nothing pass")

    def exporter(self, daemon, name="main"):
        return next(row for row in self.status(daemon)["exporters"] if row["name"] == name)

    def stop(self, daemon):
        self.assertEqual(daemon.stop(), 0, daemon.describe())


def records(messages, options=False):
    return [record for message in messages for record in message.records if record.is_options == options]


def sets(octets):
    """(id, octets of the Set behind its header) of one message, without the reader."""
    at = 16
    while at < len(octets):
        number, length = (int.from_bytes(octets[at + n:at + n + 2], "big") for n in (0, 2))
        yield number, octets[at + 4:at + length]
        at += max(length, 4)


def templates(messages):
    return [template for message in messages for template in message.templates]


def field_of(template, number, pen=0):
    return next((field for field in template.fields if field.key() == (pen, number)), None)




def inside(namespace, make):
    """What make() gives, called in a network namespace: sockets stay in the one that they were made in."""
    made = []

    def enter():  # a thread's namespace is its own
        with open(f"/proc/{namespace.holder.pid}/ns/net", "rb") as handle:
            if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), 0) == 0:
                made.append(make())
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]
