#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The control socket: every command that asks a running daemon, hostile requests, and what nfstreamctl says when
there is no daemon."""
import json
import signal
import socket
import sys

import harness
from harness import NFSTREAMCTL, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"


class NoDaemon(harness.TestCase):
    def test_no_daemon_is_status_69_and_names_the_socket(self):
        path = self.folder / "nobody.sock"
        for verb in ("status", "audit", "expire", "interfaces", "exporters", "flows", "reload", "resend-templates", "top"):
            run = self.run_program(NFSTREAMCTL, "--socket", path, verb, status=69)
            self.assertIn("nobody.sock", run.stderr)
            self.assertIn("is nfstreamd running", run.stderr)
            self.assertEqual(run.stdout, "")

    def test_wrong_usage_is_status_2(self):
        for words in ((), ("dance",), ("flows", "--once"), ("flows", "--limit", "0"), ("status", "now"),
                      ("top", "--sort", "colour"), ("doctor", "--listen", "udp://127.0.0.1:1")):
            run = self.run_program(NFSTREAMCTL, *words, status=2)
            self.assertIn("try --help", run.stderr)


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

    def ctl(self, *words, status=0):
        return self.run_program(NFSTREAMCTL, "--socket", self.running.socket, *words, status=status)

    def test_interfaces_and_exporters_by_themselves(self):
        whole = self.status(self.running)
        for verb in ("interfaces", "exporters"):
            part = json.loads(self.ctl(verb, "--json").stdout)
            self.assertEqual(list(part), [verb])
            self.assertEqual([one["name"] for one in part[verb]], [one["name"] for one in whole[verb]])
            self.assertEqual(set(part[verb][0]), set(whole[verb][0]))
            table = self.ctl(verb).stdout
            self.assertTrue(table.startswith(verb.upper()[:-1]), table)
            self.assertIn(whole[verb][0]["name"], table)

    def test_flows_are_those_of_the_table_as_the_filter_wants_them(self):
        self.send(*range(49200, 49230), *range(49200, 49210), 49205)
        wait_for(lambda: self.interface()["metered"]["packets"] == 41, lambda: str(self.interface()))
        answer = json.loads(self.ctl("flows", "--json", "--limit", "100").stdout)
        self.assertEqual((answer["looked_at"], answer["matching"], answer["complete"]), (30, 30, True))
        self.assertEqual(sorted(flow["src_port"] for flow in answer["flows"]), list(range(49200, 49230)))
        self.assertEqual(sum(flow["src2dst_packets"] for flow in answer["flows"]), 41)
        answer = json.loads(self.ctl("flows", "--json", "--filter", "src_port in [49205, 49220, 1] and protocol == 17",
                                     "--sort", "packets").stdout)
        self.assertEqual([flow["src_port"] for flow in answer["flows"]], [49205, 49220])
        self.assertEqual((answer["looked_at"], answer["matching"]), (30, 2))
        answer = json.loads(self.ctl("flows", "--json", "--limit", "3", "--sort", "oldest").stdout)
        self.assertEqual([flow["src_port"] for flow in answer["flows"]], [49200, 49201, 49202])
        table = self.ctl("flows", "--filter", "src_port == 49205").stdout
        self.assertIn("udp    127.0.0.1:49205  127.0.0.1:7777", table)
        self.assertIn("1 of 1 flows that match, of 30", table)
        run = self.ctl("flows", "--filter", "no_such_field == 1", status=1)
        self.assertIn("no_such_field", run.stderr)
        self.assertEqual(self.interface()["flows_active"], 30)  # a look changes nothing

    def test_flows_during_traffic_cost_no_packet(self):
        sender = self.start(sys.executable, "-B", TRAFFIC, "flood", "127.0.0.1", 7777, 20000, 500, namespace=self.probe)
        looks = 0
        while sender.running():
            answer = json.loads(self.ctl("flows", "--json", "--limit", "5").stdout)
            self.assertTrue(answer["complete"])
            self.assertLessEqual(len(answer["flows"]), 5)
            looks += 1
        self.assertGreater(looks, 0)
        self.assertEqual(sender.wait(), 0, sender.describe())
        wait_for(lambda: self.interface()["metered"]["packets"] == 20000, lambda: str(self.interface()))
        answer = json.loads(self.ctl("flows", "--json", "--limit", "500").stdout)
        self.assertEqual(sum(flow["src2dst_packets"] for flow in answer["flows"]), 20000)
        self.assertEqual(self.interface()["kernel_dropped"], 0)

    def test_reload_tells_what_changed_or_every_error(self):
        path = self.folder / "nfstreamd.yaml"
        before = path.read_text()
        answer = json.loads(self.ctl("reload", "--json").stdout)
        self.assertTrue(answer["applied"])
        path.write_text(before.replace("idle_timeout: 600", "idle_timeout: 500").replace("max_flows: 1000", "max_flows: 2000"))
        run = self.ctl("reload")
        self.assertTrue(run.stdout.startswith("reloaded: "), run.stdout)
        self.assertIn("metering.max_flows", run.stdout)
        path.write_text(before.replace("idle_timeout: 600", "idle_timeout: soon") + "nonsense: 1\nmore: 2\n")
        run = self.ctl("reload", status=1)
        for part in ("idle_timeout", "nonsense", "more", "nothing has changed"):
            self.assertIn(part, run.stderr)
        run = self.ctl("reload", "--json", status=1)
        self.assertEqual(len(json.loads(run.stdout)["errors"]), 3)
        path.write_text(before)
        self.running.send_signal(signal.SIGHUP)
        reload = self.status(self.running)["reload"]
        wait_for(lambda: self.status(self.running)["reload"]["applied"] == 3, lambda: str(reload))
        self.assertEqual(self.status(self.running)["reload"]["rejected"], 2)

    def test_templates_go_out_again_at_once(self):
        wait_for(lambda: self.exporter()["templates"] > 0, lambda: str(self.exporter()))
        before = self.exporter()["templates"]
        answer = json.loads(self.ctl("resend-templates", "--json").stdout)
        self.assertEqual([(one["name"], one["result"]) for one in answer["exporters"]], [("main", "sent")])
        self.assertGreater(answer["exporters"][0]["template_messages"], 0)
        self.assertGreaterEqual(self.exporter()["templates"], before + 1)
        self.assertIn("main: sent again", self.ctl("resend-templates", "main").stdout)
        self.assertIn("there is no exporter 'other', only main", self.ctl("resend-templates", "other", status=1).stderr)

    def test_hostile_requests_are_answered_by_errors(self):
        for octets in (b"\x1b[2J\n", b"\x00\x00\n", b"\xff\xfe\n", b"flows filter=\xff\xff\n", b"flows limit=-1\n",
                       b"flows filter=" + b"(" * 4000 + b"\n", b"resend-templates \x9b\n", b"x" * 20000):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(harness.DEADLINE)
                client.connect(str(self.running.socket))
                client.sendall(octets)
                answer = b""
                while part := client.recv(65536):
                    answer += part
            self.assertIn("error", json.loads(answer), octets[:40])
            self.assertFalse(any(octet < 32 or octet == 127 for octet in answer.rstrip(b"\n")), answer)
        self.assertEqual(self.status(self.running)["instance"], "cellar")

    def test_top_as_lines_of_json_and_as_text(self):
        self.send(*range(49300, 49310))
        top = self.start(NFSTREAMCTL, "--socket", self.running.socket, "top", "--json", "--interval", "1")
        wait_for(lambda: len(top.json_lines()) >= 1 or not top.running(), top.describe)
        self.send(*range(49300, 49320))

        def talks():
            for line in top.json_lines():
                for talker in line["activity"]["talkers"]:
                    if talker["address"] == "127.0.0.1" and talker["sent_bits_per_s"] > 0:
                        return line
            return None
        line = wait_for(talks, top.describe)
        self.assertGreater(line["activity"]["window_ms"], 0)
        self.assertEqual(line["interfaces"][0]["name"], "lo")
        self.assertEqual(top.stop(), 0)
        text = self.ctl("top", "--once", "--interval", "1").stdout
        for word in ("cellar", "packets/s", "INTERFACE", "EXPORTER", "APPLICATION", "TALKER"):
            self.assertIn(word, text)
        self.assertNotIn("\x1b", text)

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
