#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collectors that go away in the midst of traffic: which of 20000 flows a second arrive, by their numbers, and whether
every one that does not is counted. An outage lasts 5 s, and 30 s where NFSTREAMD_LONG_TESTS is set."""
import collections
import json
import os
import signal
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

    def __init__(self, case, protocol="tcp", port=None, *certificate):
        Collector.count += 1
        self.case, self.name, self.port = case, f"collector{Collector.count}", port or case.port
        self.process = case.start(sys.executable, "-B", INTEGRATION / "recorder.py", protocol, self.port,
                                  case.folder / self.name, *certificate, namespace=case.probe)
        kind = "udp" if protocol == "udp" else "tcp"
        wait_for(lambda: self.process.listens(self.port, kind) or not self.process.running(), self.process.describe)
        case.assertTrue(self.process.running(), self.process.describe())

    def octets(self):
        return sum(path.stat().st_size for path in self.case.folder.glob(f"{self.name}-*"))

    def sessions(self):
        return flows.read_recordings(self.case.folder, self.name)

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
        self.port = harness.free_port()
        self.sent = 0

    def begin(self, exporter="", spool=True, type="ipfix"):
        socket = self.folder / "control.sock"
        socket.unlink(missing_ok=True)
        where = f"spool: {{directory: {self.folder}/spool}}, " if spool else ""
        collectors = "" if "collectors" in exporter else f"collectors: ['tcp://127.0.0.1:{self.port}'], "
        daemon = self.daemon(
            "capture: [{interface: m0, n_meters: 1, bpf_filter: udp dst port 9999}]\n"
            "metering: {idle_timeout: 1s, n_dissections: 0}\n"
            f"exporters: [{{name: main, type: {type}, {collectors}flush_interval: 100ms, retry_interval: 1s, {where}{exporter}}}]\n"
            f"control: {{socket: {socket}}}\n", namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

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
                settled == pushed + spool["recovered"] + row["repeated"]) else None
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
        self.assertEqual(daemon.stop(), 0, daemon.describe())

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
        self.assertEqual(daemon.stop(), 0, daemon.describe())

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
        self.assertEqual(daemon.stop(), 0, daemon.describe())

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
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
