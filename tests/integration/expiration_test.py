#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Why flows end, on real links: connections that close, interfaces that go, tables that fill, max_nflows."""
import signal
import sys

import harness
from harness import wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
PORT, HTTP_PORT = 7777, 8080


class Files(harness.TestCase):
    def run_with(self, limit, *captures):
        return self.csv_of(*captures, settings=[f"metering.max_nflows={limit}", "metering.idle_timeout=1s"])

    def test_max_nflows_ends_the_run_after_so_many_flows_whatever_is_left_to_read(self):
        frames = [harness.udp_frame(f"10.0.{index >> 8}.{index & 255}", 1024, "192.0.2.1", 9999)
                  for index in range(20000)]
        capture = harness.write_pcap(self.folder / "many.pcap", frames, gap_us=10_000)
        self.assertEqual(len(self.run_with(50, capture)), 50)
        path = self.write("t.yaml", f"capture: [{{pcap: {capture}}}]\nmetering: {{max_nflows: 50, idle_timeout: 1s}}\n"
                          f"exporters: [{{type: csv, path: {self.folder}/x.csv}}, "
                          f"{{type: json, path: {self.folder}/x.json}}]\nlog: {{level: info}}\n")
        run = self.nfstreamd("-c", path)
        self.assertIn("max_nflows reached", run.stderr)
        self.assertEqual(len((self.folder / "x.csv").read_text().splitlines()), 51)
        self.assertEqual(len((self.folder / "x.json").read_text().splitlines()), 50)
        last = next(line for line in run.stderr.splitlines() if "stopped" in line)
        counts = dict(word.split("=", 1) for word in last.split() if "=" in word)
        self.assertEqual(counts["records"], "50")
        self.assertGreater(int(counts["flows_discarded"]), 0)
        self.assertLess(int(counts["packets"]), 5000)  # of 20000

    def test_max_nflows_is_of_all_inputs_together(self):
        captures = [harness.many_flows(self.folder / f"{name}.pcap", 300) for name in ("a", "b")]
        path = self.write("t.yaml", "".join(["capture:\n", *(f"  - pcap: {capture}\n" for capture in captures),
                                             "metering: {max_nflows: 400}\n",
                                             f"exporters: [{{type: csv, path: {self.folder}/o.csv}}]\n"]))
        self.nfstreamd("-c", path)
        self.assertEqual(len((self.folder / "o.csv").read_text().splitlines()), 401)

    def test_more_flows_allowed_than_there_are_changes_nothing(self):
        capture = harness.many_flows(self.folder / "a.pcap", 300)
        self.assertEqual(len(self.run_with(301, capture)), 300)


@harness.needs_root("live capture")
class Live(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.collector, self.port = self.collect(namespace=self.probe)

    def configuration(self, metering, capture=f"interface: lo\n    bpf_filter: udp dst port {PORT}"):
        return (f"capture:\n  - {capture}\nmetering: {metering}\nexporters:\n"
                f"  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{self.port}'], flush_interval: 100ms}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, *arguments):
        daemon = self.daemon(self.configuration(*arguments), namespace=self.probe)
        wait_for(lambda: self.interface(daemon)["up"], daemon.describe)
        return daemon

    def interface(self, daemon):
        return self.status(daemon)["interfaces"][0]

    def records(self, daemon):
        return {name: count for name, count in self.interface(daemon)["records"].items() if count}

    def send(self, *sources, namespace=None, address="127.0.0.1"):
        (namespace or self.probe).run(sys.executable, "-B", TRAFFIC, "send", address, PORT, *sources)

    def arrived(self, count, daemon):
        wait_for(lambda: len(self.collector.json_lines()) >= count,
                 lambda: f"{len(self.collector.json_lines())} of {count}\n{daemon.describe()}")
        return self.collector.json_lines()

    def test_connections_that_close_leave_as_natural_long_before_their_idle_timeout(self):
        web = self.start(sys.executable, "-B", "-m", "http.server", str(HTTP_PORT), namespace=self.probe,
                         cwd=self.folder)
        wait_for(lambda: web.listens(HTTP_PORT, "tcp"), "no server")
        daemon = self.begin("{idle_timeout: 600, timeouts: {tcp_end: 500ms}}",
                            f"interface: lo\n    bpf_filter: tcp port {HTTP_PORT}")
        ports = self.probe.run(sys.executable, "-B", TRAFFIC, "get", f"http://127.0.0.1:{HTTP_PORT}/", 5).split()
        flows = self.arrived(5, daemon)
        self.assertEqual(sorted(flow["src_port"] for flow in flows), sorted(map(int, ports)))
        self.assertEqual(self.records(daemon), {"natural": 5})
        self.assertEqual(self.interface(daemon)["flows_active"], 0)  # last acknowledgements made no flow of their own

    def test_flows_of_an_interface_that_goes_leave_while_the_daemon_waits_for_it(self):
        client = harness.Namespace(self)
        self.probe.link_to(client, "gone0", "10.92.0.1", "10.92.0.2")
        daemon = self.begin("{idle_timeout: 600}", "interface: gone0\n    bpf_filter: udp")
        self.send(44001, 44002, namespace=client, address="10.92.0.1")
        wait_for(lambda: self.interface(daemon)["flows_active"] == 2, daemon.describe)
        self.probe.ip("link", "delete", "gone0")
        flows = self.arrived(2, daemon)
        self.assertEqual(sorted(flow["src_port"] for flow in flows), [44001, 44002])
        self.assertEqual(self.records(daemon), {"interface-gone": 2})
        self.assertTrue(daemon.running())
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(len(self.collector.json_lines()), 2)

    def test_a_protocols_timeout_is_taken_over_by_a_reload(self):
        daemon = self.begin("{idle_timeout: 600}")
        self.send(44101, 44102)
        wait_for(lambda: self.interface(daemon)["flows_active"] == 2, daemon.describe)
        for timeouts, expected in (("tcp: 1", 0), ("udp: 1", 2)):
            before = self.status(daemon)["reload"]["applied"]
            self.write("nfstreamd.yaml", self.configuration(f"{{idle_timeout: 600, timeouts: {{{timeouts}}}}}"))
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: self.status(daemon)["reload"]["applied"] == before + 1, daemon.describe)
            if expected:
                self.arrived(expected, daemon)
                self.assertEqual(self.records(daemon), {"idle": 2})
            else:
                self.assertEqual(self.interface(daemon)["flows_active"], 2)

    def test_a_table_that_fills_lets_flows_go_early_and_says_so(self):
        daemon = self.begin("{idle_timeout: 600, max_flows: 100, pressure: {from: 50, idle_timeout: 1s}}")
        self.assertEqual(self.interface(daemon)["idle_timeout_ms"], 600_000)
        self.send(*range(45000, 45040))
        wait_for(lambda: self.interface(daemon)["metered"]["packets"] == 40, daemon.describe)
        self.assertEqual(self.interface(daemon)["idle_timeout_ms"], 600_000)
        self.send(*range(45040, 45100))
        wait_for(lambda: self.records(daemon).get("resource-constraint", 0) > 0, daemon.describe)
        self.assertEqual(set(self.records(daemon)), {"resource-constraint"})
        self.assertIn("flow table filling", daemon.stderr())
        text = self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "status").stdout
        self.assertRegex(text, r"idle timeout [0-9.]+ s\n")

    def test_max_nflows_ends_the_daemon(self):
        daemon = self.begin("{idle_timeout: 600, max_nflows: 3}")
        self.send(*range(46000, 46005))
        wait_for(lambda: self.interface(daemon)["metered"]["packets"] == 5, daemon.describe)
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        self.assertEqual(daemon.wait(), 0, daemon.describe())
        self.assertIn("max_nflows reached records=3 flows_discarded=2", daemon.stderr())
        self.assertEqual(len(self.arrived(3, daemon)), 3)


if __name__ == "__main__":
    harness.main()
