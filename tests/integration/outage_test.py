#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collectors that go away in the midst of traffic: which of 20000 flows a second arrive, by their numbers, and whether
every one that does not is counted. An outage lasts 5 s, and 30 s where NFSTREAMD_LONG_TESTS is set."""
import collections
import json
import os
import signal
import subprocess
import sys
import time

import flows
import harness
from harness import wait_for

LONG = bool(os.environ.get("NFSTREAMD_LONG_TESTS"))
RATE = 20000
AWAY = 30 if LONG else 5       # seconds of the outage that the first test is about
SHORT = 30 if LONG else 2      # of the others
BEFORE = RATE * 3 // 2         # flows
AFTER = RATE
ENOUGH = 500_000               # octets that a collector has before it goes away
INTEGRATION = harness.ROOT / "tests" / "integration"


class Collector:
    """A recorder.py: what it writes is under its name."""
    count = 0

    def __init__(self, case, protocol="tcp", port=None, certificate=(), read=flows.read_session):
        Collector.count += 1
        self.read = read
        self.case, self.name, self.port = case, f"collector{Collector.count}", port or case.port
        self.process = case.start(sys.executable, "-B", INTEGRATION / "recorder.py", protocol, self.port,
                                  case.folder / self.name, *certificate, namespace=case.probe)
        kind = "udp" if protocol == "udp" else "tcp"
        wait_for(lambda: self.process.listens(self.port, kind) or not self.process.running(), self.process.describe)
        case.assertTrue(self.process.running(), self.process.describe())

    def files(self):
        return self.case.folder.glob(f"{self.name}-*")

    def octets(self):
        return sum(path.stat().st_size for path in self.files())

    def sessions(self):
        return [self.read(path.read_bytes()) for path in self.files()]

    def numbers(self):
        return [number for session in self.sessions() for number in session]

    def kill(self):
        self.process.kill()


@harness.needs_root("live capture")
class Outage(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.98.0.1", "10.98.0.2")
        self.probe.ip("link", "set", "lo", "mtu", 1500)  # collectors are here, their hosts' windows as over Ethernet
        self.port = harness.free_port()
        self.sent = 0

    def begin(self, exporter="", spool=True, type="ipfix"):
        socket = self.folder / "control.sock"
        socket.unlink(missing_ok=True)
        where = f"spool: {{directory: {self.folder}/spool}}, " if spool else ""
        retry = "retry_interval: 1s, " if type == "ipfix" else ""
        collectors = "" if "collectors" in exporter else f"collectors: ['tcp://127.0.0.1:{self.port}'], "
        daemon = self.daemon(
            "capture: [{interface: m0, n_meters: 1, bpf_filter: udp dst port 9999}]\n"
            "metering: {idle_timeout: 1s, n_dissections: 0}\n"
            f"exporters: [{{name: main, type: {type}, {collectors}flush_interval: 100ms, {where}{retry}{exporter}}}]\n"
            f"control: {{socket: {socket}}}\n", namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def end(self, daemon):
        """What a collector that is there has read does not stay on the disk."""
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(list(self.folder.glob("spool/main/*.spool")), [], daemon.describe())

    def traffic(self, count):
        """Begins to send so many flows more."""
        sender = self.start(sys.executable, "-B", INTEGRATION / "flows.py", "up0", RATE, self.sent, count,
                            namespace=self.far)
        self.sent += count
        return sender

    def exporter(self, daemon):
        return self.status(daemon)["exporters"][0]

    def has_some(self, collector, daemon):
        wait_for(lambda: collector.octets() >= ENOUGH, daemon.describe)

    def all_metered(self, daemon, count):
        """Each of so many flows has become a record, none waits any more, and the figures add up; the status then."""
        def settled():
            status = self.status(daemon)
            row, spool = status["exporters"][0], status["exporters"][0]["spool"] or {"records": 0, "recovered": 0}
            pushed = sum(status["interfaces"][0]["records"].values())
            waiting = row["queue_depth"] + row["in_hand"] + spool["records"]
            settled = row["records"] + sum(row["dropped"].values())
            return status if pushed == count and waiting == 0 and (
                settled == pushed + spool["recovered"]) else None
        status = wait_for(settled, lambda: f"{self.status(daemon)}\n{daemon.describe()}", 4 * harness.DEADLINE)
        self.assertEqual(status["interfaces"][0]["kernel_dropped"], 0)
        return status

    def arrives(self, daemon, *collectors):
        """Every flow that was sent has come to one of them; how many came more than once."""
        def missing():
            return set(range(self.sent)).difference(*(collector.numbers() for collector in collectors))

        def described():
            lost = sorted(missing())
            return f"{len(lost)} are missing: {lost[:5]}..{lost[-5:]}\n{self.exporter(daemon)}\n{daemon.describe()}"
        wait_for(lambda: not missing(), described, 5)
        times = collections.Counter(number for collector in collectors for number in collector.numbers())
        self.assertEqual(len(times), self.sent)
        return sum(times.values()) - len(times)

    def nothing_is_lost(self, daemon, count, *collectors):
        status = self.all_metered(daemon, count)
        row = status["exporters"][0]
        twice = self.arrives(daemon, *collectors)
        print(f"{self.id().rpartition('.')[2]}: {self.sent} flows, {twice} came twice, at most "
              f"{row['redelivered']} by the status; spool {json.dumps(row['spool'])}", flush=True)
        self.assertEqual(sum(row["dropped"].values()), 0, row)
        self.assertLessEqual(twice, row["redelivered"])
        return row

    def test_a_collector_that_is_killed_and_comes_back_misses_nothing(self):
        first = Collector(self)
        daemon = self.begin()
        sender = self.traffic(BEFORE + AWAY * RATE + AFTER)
        self.has_some(first, daemon)
        first.kill()
        time.sleep(AWAY)
        second = Collector(self)
        sender.wait(2 * AWAY + harness.DEADLINE)
        row = self.nothing_is_lost(daemon, self.sent, first, second)
        self.assertGreater(row["redelivered"], 0)
        self.assertEqual(len(second.sessions()), 1)
        self.end(daemon)

    def test_one_that_does_not_read_for_a_while_misses_nothing_and_gets_nothing_twice(self):
        collector = Collector(self)
        daemon = self.begin("stall_timeout: 120s")
        sender = self.traffic(BEFORE + SHORT * RATE + AFTER)
        self.has_some(collector, daemon)
        collector.process.send_signal(signal.SIGSTOP)
        time.sleep(SHORT)
        collector.process.send_signal(signal.SIGCONT)
        sender.wait(2 * AWAY + harness.DEADLINE)
        row = self.nothing_is_lost(daemon, self.sent, collector)
        self.assertEqual(row["redelivered"], 0)
        self.end(daemon)

    def test_what_one_never_read_goes_to_the_one_in_its_place(self):
        stuck = Collector(self)
        daemon = self.begin("stall_timeout: 120s")
        sender = self.traffic(BEFORE + SHORT * RATE + AFTER)
        self.has_some(stuck, daemon)
        stuck.process.send_signal(signal.SIGSTOP)
        time.sleep(SHORT)
        stuck.kill()
        other = Collector(self)
        sender.wait(2 * AWAY + harness.DEADLINE)
        self.nothing_is_lost(daemon, self.sent, stuck, other)
        self.end(daemon)

    def test_a_daemon_that_is_restarted_while_the_collector_is_away_loses_nothing(self):
        first = Collector(self)
        daemon = self.begin()
        sender = self.traffic(BEFORE + SHORT * RATE)
        self.has_some(first, daemon)
        first.kill()
        sender.wait(2 * AWAY + harness.DEADLINE)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_created"] == self.sent, daemon.describe)
        before = self.exporter(daemon)["redelivered"]
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertNotIn("stopped before all was out", daemon.stderr())
        daemon = self.begin()
        second = Collector(self)
        self.traffic(AFTER).wait()
        status = self.all_metered(daemon, AFTER)
        row = status["exporters"][0]
        self.assertGreater(row["spool"]["recovered"], 0)
        self.assertEqual(sum(row["dropped"].values()), 0, row)
        self.assertLessEqual(self.arrives(daemon, first, second), before + row["redelivered"])
        self.end(daemon)

    def kill_and_replace(self, exporter="", type="ipfix", **kind):
        """A collector of this kind is killed in the midst of traffic and another one comes: nothing is lost."""
        first = Collector(self, **kind)
        daemon = self.begin(exporter, type=type)
        sender = self.traffic(BEFORE + SHORT * RATE + AFTER)
        self.has_some(first, daemon)
        first.kill()
        time.sleep(SHORT)
        second = Collector(self, **kind)
        sender.wait(2 * AWAY + harness.DEADLINE)
        self.nothing_is_lost(daemon, self.sent, first, second)
        self.end(daemon)

    def test_over_tls_a_collector_that_is_killed_and_comes_back_misses_nothing(self):
        certificate = [self.folder / "collector.pem", self.folder / "collector.key"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=collector", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30",
                        "-out", certificate[0], "-keyout", certificate[1]], check=True, capture_output=True)
        self.kill_and_replace(f"collectors: ['tls://127.0.0.1:{self.port}'], "
                              f"tls: {{ca: {certificate[0]}, certificate: {certificate[0]}, key: {certificate[1]}}}",
                              protocol="tls", certificate=certificate)

    def test_a_reader_of_lines_that_is_killed_and_comes_back_misses_nothing(self):
        self.kill_and_replace(type="lines", read=flows.read_lines)

    def two(self):
        ports = self.port, harness.free_port()
        destinations = ", ".join(f"'tcp://127.0.0.1:{port}'" for port in ports)
        return [Collector(self, port=port) for port in ports], f"collectors: [{destinations}], policy: failover"

    def test_what_the_first_of_two_did_not_read_goes_to_the_second(self):
        (first, second), destinations = self.two()
        daemon = self.begin(destinations)
        sender = self.traffic(BEFORE + AFTER)
        self.has_some(first, daemon)
        first.kill()
        sender.wait(harness.DEADLINE)
        self.nothing_is_lost(daemon, self.sent, first, second)
        self.end(daemon)

    def test_without_a_spool_the_second_of_two_misses_what_was_out_to_the_first_and_nothing_else(self):
        (first, second), destinations = self.two()
        daemon = self.begin(destinations, spool=False)
        sender = self.traffic(BEFORE + AFTER)
        self.has_some(first, daemon)
        first.kill()
        sender.wait(harness.DEADLINE)
        row = self.all_metered(daemon, self.sent)["exporters"][0]
        self.assertEqual(sum(row["dropped"].values()), 0, row)  # nobody knows of it
        read, out = first.numbers(), row["collectors"][0]["records"]
        wait_for(lambda: len(second.numbers()) == self.sent - out, lambda: f"{len(second.numbers())}\n{row}")
        self.assertEqual(len(set(read) | set(second.numbers())), len(read) + self.sent - out)
        print(f"without a spool: {out - len(read)} records were in the connection to the collector that was killed")
        self.end(daemon)

    def udp_outage(self, spool):
        """A collector of datagrams goes away while there are none, and comes back; how many records are lost."""
        def collector():
            return Collector(self, "udp", read=flows.read_datagrams)
        first = collector()
        daemon = self.begin(f"collectors: ['udp://127.0.0.1:{self.port}']", spool=spool)
        self.traffic(BEFORE).wait()
        wait_for(lambda: len(first.numbers()) == BEFORE, daemon.describe)
        first.kill()
        self.traffic(SHORT * RATE).wait(2 * SHORT + harness.DEADLINE)
        wait_for(lambda: self.exporter(daemon)["dropped"]["unreachable"] > 0, daemon.describe)
        second = collector()
        self.traffic(AFTER).wait()
        self.all_metered(daemon, self.sent)

        def counted():
            row = self.exporter(daemon)
            received = set(first.numbers()) | set(second.numbers())
            return row if self.sent - len(received) == row["dropped"]["unreachable"] else None
        row = wait_for(counted, lambda: f"{len(second.numbers())} {self.exporter(daemon)}\n{daemon.describe()}")
        self.assertEqual(sum(row["dropped"].values()), row["dropped"]["unreachable"], row)
        self.assertEqual(len(set(second.numbers())), len(second.numbers()))
        self.assertTrue(set(second.numbers()) >= set(range(self.sent - AFTER // 2, self.sent)))
        self.end(daemon)
        print(f"udp {'with' if spool else 'without'} a spool: {row['dropped']['unreachable']} of {SHORT * RATE} are lost")
        return row["dropped"]["unreachable"]

    def test_every_datagram_that_is_refused_is_counted(self):
        self.assertGreater(self.udp_outage(spool=False), RATE // 10)  # hosts tell of some only (RFC 1812, 4.3.2.8)

    def test_with_a_spool_the_datagrams_that_tell_of_the_outage_are_lost_and_counted(self):
        self.assertLess(self.udp_outage(spool=True), RATE // 2)


if __name__ == "__main__":
    harness.main()
