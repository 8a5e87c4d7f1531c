#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""metering.performance_report: a line of JSON every so many seconds, of a live daemon."""
import json
import signal
import sys

import harness
from harness import CAPTURES, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
PORT = 7777
NFSTREAM = ["flows_expired", "packets_processed", "packets_ignored", "packets_dropped_filtered_by_kernel",
            "meters_packets_processing_balance"]


class Files(harness.TestCase):
    def test_a_file_run_prints_none(self):
        out = self.folder / "flows.csv"
        run = self.nfstreamd("-r", CAPTURES / "dns.pcap", "-w", out, "--set", "metering.performance_report=1")
        self.assertEqual((run.stdout, run.stderr), ("", ""))


@harness.needs_root("live capture")
class Links(harness.TestCase):
    def configuration(self, period, path="flows.json", idle=1):
        path = path if path == "-" else self.folder / path
        return (f"capture:\n  - {{interface: lo, bpf_filter: 'udp port {PORT} or arp', n_meters: 1}}\n"
                f"metering: {{idle_timeout: {idle}, performance_report: {period}}}\n"
                f"exporters:\n  - {{name: main, type: json, path: '{path}'}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, configuration):
        self.probe = harness.Namespace(self)
        daemon = self.daemon(configuration, namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def send(self, *sources):
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)

    def reports(self, text):
        return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n") and "flows_expired" in line]

    def test_its_numbers_are_those_of_the_status(self):
        daemon = self.begin(self.configuration(1))
        self.send(*range(41000, 41100))
        # loopback is captured once each way as far as the kernel shows it; what it is, both must say
        with self.probe.packet_socket("lo") as loopback:
            loopback.send(b"\xff" * 6 + b"\x02\0\0\0\0\1\x08\x06" + b"\0" * 28)  # ARP
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0
                 and self.status(daemon)["exporters"][0]["records"] >= 100, daemon.describe)
        seen = len(daemon.json_lines())
        wait_for(lambda: len(daemon.json_lines()) >= seen + 2, daemon.describe)
        status, report = self.status(daemon), daemon.json_lines()[-1]
        interface, exporter = status["interfaces"][0], status["exporters"][0]
        self.assertEqual(list(report)[:5], NFSTREAM)
        self.assertEqual(report["flows_expired"], sum(interface["records"].values()))
        self.assertEqual(report["flows_expired"], 100)
        self.assertEqual(report["packets_processed"], interface["metered"]["packets"])
        self.assertGreaterEqual(report["packets_processed"], 100)
        self.assertEqual(report["packets_ignored"], sum(interface["ignored"].values()))
        self.assertGreaterEqual(report["packets_ignored"], 1)
        self.assertEqual(report["packets_dropped_filtered_by_kernel"], interface["kernel_dropped"])
        self.assertEqual(report["meters_packets_processing_balance"], [interface["metered"]["packets"]])
        self.assertEqual(report["octets_processed"], interface["metered"]["octets"])
        self.assertEqual(report["flows_active"], 0)
        self.assertEqual(report["records_exported"], exporter["records"])
        self.assertEqual(report["meters"][0]["name"], "lo")
        self.assertEqual(report["exporters"][0]["records"], exporter["records"])
        self.assertTrue(any(line["packets_per_second"] > 0 for line in daemon.json_lines()))
        # cumulative
        for before, after in zip(daemon.json_lines(), daemon.json_lines()[1:]):
            self.assertGreaterEqual(after["packets_processed"], before["packets_processed"])
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_it_goes_to_stderr_when_records_go_to_stdout(self):
        daemon = self.begin(self.configuration(1, path="-"))
        self.send(42001)
        wait_for(lambda: len(self.reports(daemon.stderr())) >= 2 and daemon.json_lines(), daemon.describe)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual([flow["src_port"] for flow in daemon.json_lines()], [42001])

    def test_a_reload_starts_and_ends_it(self):
        daemon = self.begin(self.configuration(0))
        for number, period in enumerate((1, 0), 1):
            self.write("nfstreamd.yaml", self.configuration(period))
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: self.status(daemon)["reload"]["applied"] == number, daemon.describe)
            if period:
                self.assertLessEqual(len(daemon.json_lines()), 1)
                wait_for(lambda: len(daemon.json_lines()) >= 2, daemon.describe)
        printed = len(daemon.json_lines())
        uptime = self.status(daemon)["uptime_s"]
        wait_for(lambda: self.status(daemon)["uptime_s"] >= uptime + 3, daemon.describe)
        self.assertEqual(len(daemon.json_lines()), printed)


if __name__ == "__main__":
    harness.main()
