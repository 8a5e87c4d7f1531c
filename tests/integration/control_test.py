#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The control socket: status, audit and expire, and what nfstreamctl says when there is no daemon."""
import json
import sys

import harness
from harness import NFSTREAMCTL, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"


class NoDaemon(harness.TestCase):
    def test_no_daemon_is_status_69_and_names_the_socket(self):
        path = self.folder / "nobody.sock"
        for verb in ("status", "audit", "expire"):
            run = self.run_program(NFSTREAMCTL, "--socket", path, verb, status=69)
            self.assertIn("nobody.sock", run.stderr)


@harness.needs_root("live capture")
class Control(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.collector, port = self.collect(namespace=self.probe)
        self.running = self.daemon(
            "instance: cellar\ncapture:\n  - interface: lo\n    n_meters: 1\n    bpf_filter: udp dst port 7777\nmetering:\n"
            "  idle_timeout: 600\n  max_flows: 1000\nexporters:\n"
            f"  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{port}'], flush_interval: 100ms}}\n"
            f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.interface()["up"], self.running.describe)

    def interface(self):
        return self.status(self.running)["interfaces"][0]

    def exporter(self):
        return self.status(self.running)["exporters"][0]

    def send(self, *sources):
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", 7777, *sources)

    def test_status_counts_packets_flows_and_records(self):
        self.send(*range(49000, 49010), *range(49000, 49010))
        wait_for(lambda: self.interface()["metered"]["packets"] == 20, lambda: str(self.interface()))
        interface = self.interface()
        self.assertEqual((interface["name"], interface["flows_active"], interface["flows_created"]), ("lo", 10, 10))
        self.assertEqual(interface["metered"]["octets"], 20 * (20 + 8 + len("one datagram")))
        self.assertEqual(self.status(self.running)["instance"], "cellar")
        text = self.run_program(NFSTREAMCTL, "--socket", self.running.socket, "status").stdout
        for word in ("lo", "main", "cellar"):
            self.assertIn(word, text)

    def audit(self):
        run = self.run_program(NFSTREAMCTL, "--socket", self.running.socket, "audit", "--json")
        ledger = json.loads(run.stdout)
        return ledger, {(row["of"], row["name"]): row for row in ledger["balances"]}

    def test_audit_accounts_for_every_packet_and_record(self):
        self.send(*range(49000, 49010), *range(49000, 49010))
        wait_for(lambda: self.interface()["metered"]["packets"] == 20, lambda: str(self.interface()))
        ledger, rows = self.audit()
        self.assertTrue(ledger["balanced"], ledger)
        self.assertEqual(ledger["violations"], 0)
        for row in ledger["balances"]:
            self.assertEqual((row["difference"], row["state"], row["current"]), (0, "balanced", True), row)
            self.assertEqual(row["total"], sum(row["parts"].values()), row)
        self.assertEqual(rows["meter lo", "packets received"]["total"], 20)
        self.assertEqual(rows["meter lo", "packets metered"]["parts"], {"in_records": 0, "in_table": 20, "discarded": 0})
        self.run_program(NFSTREAMCTL, "--socket", self.running.socket, "expire")
        wait_for(lambda: self.exporter()["records"] == 10, lambda: str(self.exporter()))
        ledger, rows = self.audit()
        self.assertEqual(rows["meter lo", "packets metered"]["parts"], {"in_records": 20, "in_table": 0, "discarded": 0})
        self.assertEqual(rows["meter lo", "records made"]["total"], 10)
        self.assertEqual(rows["exporter main", "records"]["total"], 10)
        self.assertEqual(rows["exporter main", "records"]["parts"]["exported"], 10)
        self.assertEqual(rows["daemon", "records handed over"]["parts"], {"main": 10})
        text = self.run_program(NFSTREAMCTL, "--socket", self.running.socket, "audit").stdout
        self.assertIn("packets metered        20  = in_records 20\n", text)
        self.assertIn("exporter main\n  records                10  = exported 10\n", text)
        self.assertEqual(self.running.stop(), 0, self.running.describe())
        self.assertIn("ledger balanced", self.running.stderr())

    def test_expire_hands_out_every_flow_now(self):
        self.send(*range(49100, 49120))
        wait_for(lambda: self.interface()["flows_active"] == 20, lambda: str(self.interface()))
        self.assertEqual(self.collector.json_lines(), [])
        self.run_program(NFSTREAMCTL, "--socket", self.running.socket, "expire")
        wait_for(lambda: len(self.collector.json_lines()) >= 20, self.running.describe)
        self.assertEqual(sorted(flow["src_port"] for flow in self.collector.json_lines()), list(range(49100, 49120)))
        interface = self.interface()
        self.assertEqual(interface["flows_active"], 0)
        self.assertEqual({key: count for key, count in interface["records"].items() if count}, {"forced": 20})
        wait_for(lambda: self.exporter()["records"] == 20, lambda: str(self.exporter()))
        self.assertEqual(sum(self.exporter()["dropped"].values()), 0)

    def test_a_full_table_lets_the_idlest_go_and_counts_it(self):
        sources = range(20000, 21200)
        self.send(*sources)
        wait_for(lambda: self.interface()["metered"]["packets"] == len(sources), lambda: str(self.interface()))
        interface = self.interface()
        self.assertLessEqual(interface["flows_active"], interface["max_flows"])
        early = interface["flows_created"] - interface["flows_active"]
        self.assertGreaterEqual(early, 1)
        self.assertEqual(sum(interface["records"].values()), early)
        self.assertEqual(self.running.stop(), 0)
        wait_for(lambda: len(self.collector.json_lines()) >= len(sources),
                 lambda: f"{len(self.collector.json_lines())} of {len(sources)}")
        self.assertEqual(sorted(flow["src_port"] for flow in self.collector.json_lines()), list(sources))


if __name__ == "__main__":
    harness.main()
