#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Collectors that are absent, late, killed or stuck: the loss is theirs alone, and it is counted."""
import csv
import signal
import sys

import harness
from harness import wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"


@harness.needs_root("live capture")
class CollectorFaults(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.port = harness.free_port()
        self.flows_csv = self.folder / "flows.csv"

    def begin(self, transport):
        """A daemon with an exporter to our port and another, which is well, to a CSV file."""
        daemon = self.daemon(
            "capture:\n  - interface: lo\n    n_meters: 1\n    bpf_filter: udp dst port 7777\nmetering:\n  idle_timeout: 600\nexporters:\n"
            f"  - {{name: faulty, type: ipfix, collectors: ['{transport}://127.0.0.1:{self.port}'], flush_interval: 100ms, retry_interval: 1s}}\n"
            f"  - {{name: well, type: csv, path: {self.flows_csv}, flush_interval: 100ms}}\n"
            f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def exporter(self, daemon, name):
        return next(row for row in self.status(daemon)["exporters"] if row["name"] == name)

    def flows(self, daemon, *sources):
        """One flow from each source port, metered and handed to the exporters."""
        created = self.status(daemon)["interfaces"][0]["flows_created"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", 7777, *sources)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_created"] == created + len(sources),
                 daemon.describe)
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0, daemon.describe)

    def csv_ports(self):
        with open(self.flows_csv, newline="", encoding="utf-8") as text:
            return [int(row["src_port"]) for row in csv.DictReader(text)]

    def ports(self, collector):
        return [flow["src_port"] for flow in collector.json_lines()]

    def test_udp_refused_is_counted_and_what_comes_later_arrives(self):
        daemon = self.begin("udp")
        for source in (50001, 50002, 50003, 50004):
            self.flows(daemon, source)
            wait_for(lambda: source in self.csv_ports(), daemon.describe)
        wait_for(lambda: self.exporter(daemon, "faulty")["dropped"]["unreachable"] > 0,
                 lambda: str(self.exporter(daemon, "faulty")))
        collector, _ = self.collect("udp", self.port, namespace=self.probe)
        later = 50100
        def arrives():
            nonlocal later
            later += 1
            self.flows(daemon, later)
            return self.ports(collector)
        wait_for(arrives, lambda: f"{self.exporter(daemon, 'faulty')}\n{daemon.describe()}", 3 * harness.DEADLINE)
        self.flows(daemon, 50200)
        wait_for(lambda: 50200 in self.ports(collector), daemon.describe)
        self.assertEqual(sum(self.exporter(daemon, "well")["dropped"].values()), 0)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(self.csv_ports(), [50001, 50002, 50003, 50004, *range(50101, later + 1), 50200])

    def test_tcp_that_starts_late_gets_everything(self):
        daemon = self.begin("tcp")
        self.flows(daemon, 51001)
        self.flows(daemon, 51002)
        wait_for(lambda: self.exporter(daemon, "faulty")["failures"] > 0, daemon.describe)
        self.assertFalse(self.exporter(daemon, "faulty")["up"])
        self.assertNotEqual(self.exporter(daemon, "faulty")["last_error"], "")
        wait_for(lambda: len(self.csv_ports()) == 2, daemon.describe)
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        wait_for(lambda: len(self.ports(collector)) >= 2, daemon.describe, 3 * harness.DEADLINE)
        self.flows(daemon, 51003)
        wait_for(lambda: len(self.ports(collector)) >= 3, daemon.describe)
        self.assertEqual(self.ports(collector), [51001, 51002, 51003])
        self.assertEqual(sum(self.exporter(daemon, "faulty")["dropped"].values()), 0)
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_tcp_killed_and_started_again_is_connected_again(self):
        daemon = self.begin("tcp")
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        self.flows(daemon, 52001)
        wait_for(lambda: self.ports(collector) == [52001], daemon.describe, 3 * harness.DEADLINE)
        connects = self.exporter(daemon, "faulty")["connects"]
        collector.kill()
        again, _ = self.collect("tcp", self.port, namespace=self.probe)
        later = 52100
        def arrives():
            nonlocal later
            later += 1
            self.flows(daemon, later)
            return self.ports(again)
        wait_for(arrives, lambda: f"{self.exporter(daemon, 'faulty')}\n{daemon.describe()}", 3 * harness.DEADLINE)
        self.assertGreater(self.exporter(daemon, "faulty")["connects"], connects)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(self.csv_ports(), [52001, *range(52101, later + 1)])

    def test_a_dead_collector_does_not_hold_up_the_stop_and_its_loss_is_said(self):
        daemon = self.begin("tcp")
        self.flows(daemon, 53001, 53002)
        wait_for(lambda: len(self.csv_ports()) == 2, daemon.describe)
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(40), 0, daemon.describe())
        self.assertIn("faulty", daemon.stderr())

    def test_a_collector_that_stops_reading_loses_only_its_own(self):
        stuck = self.start(sys.executable, "-c",
                           "import socket, time\ns = socket.create_server(('127.0.0.1', %d))\nc, _ = s.accept()\n"
                           "time.sleep(1000)" % self.port, namespace=self.probe)
        wait_for(lambda: stuck.listens(self.port, "tcp"), "no listener")
        daemon = self.begin("tcp")
        sources = list(range(20000, 23000))
        self.flows(daemon, *sources)
        wait_for(lambda: len(self.csv_ports()) == len(sources), lambda: f"{len(self.csv_ports())} in the CSV")
        self.assertEqual(sorted(self.csv_ports()), sources)


if __name__ == "__main__":
    harness.main()
