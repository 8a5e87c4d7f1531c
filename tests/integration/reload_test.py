#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: a good file changes what it says and keeps the flows, a bad one changes nothing."""
import contextlib
import signal
import sys

import harness
from harness import wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
PORT = 7777


@harness.needs_root("live capture")
class Reload(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)

    def configuration(self, collectors, idle=600, bpf_filter=f"udp dst port {PORT}"):
        """COLLECTORS: name to port."""
        exporters = "".join(f"  - {{name: {name}, type: ipfix, collectors: ['udp://127.0.0.1:{port}'],"
                            " flush_interval: 100ms}\n" for name, port in collectors.items())
        return (f"capture:\n  - interface: lo\n    n_meters: 1\n    bpf_filter: {bpf_filter}\nmetering:\n  idle_timeout: {idle}\n"
                f"exporters:\n{exporters}control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, configuration):
        daemon = self.daemon(configuration, namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def send(self, daemon, *sources):
        before = self.metered(daemon)
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)
        wait_for(lambda: self.metered(daemon) == before + len(sources), daemon.describe)

    def metered(self, daemon):
        return self.status(daemon)["interfaces"][0]["metered"]["packets"]

    def reload(self, daemon, configuration, outcome="applied"):
        before = self.status(daemon)["reload"][outcome]
        self.write("nfstreamd.yaml", configuration)
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"][outcome] == before + 1, daemon.describe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)

    def test_flows_survive_new_exporters_filters_and_timeouts(self):
        (first, first_port), (second, second_port) = (self.collect(namespace=self.probe) for _ in range(2))
        daemon = self.begin(self.configuration({"first": first_port}))
        sources = [45001, 45002, 45003]
        self.send(daemon, *sources)
        self.reload(daemon, self.configuration({"first": first_port, "second": second_port}))
        self.send(daemon, *sources)
        self.reload(daemon, self.configuration({"first": first_port, "second": second_port},
                                               bpf_filter=f"udp dst port {PORT} or udp dst port 7"))
        self.send(daemon, *sources)
        self.assertEqual(self.status(daemon)["interfaces"][0]["flows_active"], 3)
        self.assertEqual(first.json_lines() + second.json_lines(), [])
        self.reload(daemon, self.configuration({"first": first_port, "second": second_port}, idle=1,
                                               bpf_filter=f"udp dst port {PORT} or udp dst port 7"))
        for collector in (first, second):
            wait_for(lambda: len(collector.json_lines()) >= 3, daemon.describe)
            self.assertEqual(sorted((flow["src_port"], flow["src2dst_packets"]) for flow in collector.json_lines()),
                             [(source, 3) for source in sources])

    def test_an_exporter_that_leaves_gets_no_more_and_the_other_keeps_its_session(self):
        (stays, stays_port), (leaves, leaves_port) = (self.collect(namespace=self.probe) for _ in range(2))
        daemon = self.begin(self.configuration({"stays": stays_port, "leaves": leaves_port}, idle=1))
        self.send(daemon, 46001)
        wait_for(lambda: stays.json_lines() and leaves.json_lines(), daemon.describe)
        connects = self.exporter(daemon, "stays")["connects"]
        self.reload(daemon, self.configuration({"stays": stays_port}, idle=1))
        self.assertEqual([row["name"] for row in self.status(daemon)["exporters"]], ["stays"])
        self.send(daemon, 46002)
        wait_for(lambda: len(stays.json_lines()) >= 2, daemon.describe)
        self.assertEqual(self.exporter(daemon, "stays")["connects"], connects)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual([flow["src_port"] for flow in stays.json_lines()], [46001, 46002])
        self.assertEqual([flow["src_port"] for flow in leaves.json_lines()], [46001])

    def exporter(self, daemon, name):
        return next(row for row in self.status(daemon)["exporters"] if row["name"] == name)

    def test_a_bad_file_changes_nothing(self):
        collector, port = self.collect(namespace=self.probe)
        good = self.configuration({"main": port})
        daemon = self.begin(good)
        self.send(daemon, 47001, 47002)
        before = self.status(daemon)
        for bad in (good.replace("idle_timeout: 600", "idle_timeout: never"), "capture: [", good + "novelty: 1\n",
                    good.replace(f"udp dst port {PORT}", "no such filter")):
            self.reload(daemon, bad, outcome="rejected")
        after = self.status(daemon)
        self.assertEqual(after["reload"]["applied"], before["reload"]["applied"])
        for key in ("flows_active", "flows_created", "opens"):
            self.assertEqual(after["interfaces"][0][key], before["interfaces"][0][key], key)
        self.assertEqual(after["exporters"][0]["connects"], before["exporters"][0]["connects"])
        self.assertIn("nfstreamd.yaml:", daemon.stderr())
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        wait_for(lambda: len(collector.json_lines()) >= 2, collector.describe)
        self.assertEqual(sorted(flow["src_port"] for flow in collector.json_lines()), [47001, 47002])

    def test_new_rules_of_ndpi_name_new_flows_and_old_ones_keep_their_name(self):
        collector, port = self.collect(namespace=self.probe)
        rules = self.write("rules.txt", f"udp:{PORT}@Before\n")
        configuration = self.configuration({"main": port}) + f"ndpi: {{protocols_file: {rules}}}\n"
        daemon = self.begin(configuration)
        self.send(daemon, 49001, 49002)
        rules.write_text(f"udp:{PORT}@After\n", encoding="utf-8")
        self.reload(daemon, configuration)
        self.assertIn("nDPI rules ~1", daemon.stderr())
        self.send(daemon, 49001, 49003)
        rules.write_text(f"# ports\nudp:{PORT + 100000}@Never\n", encoding="utf-8")
        self.reload(daemon, configuration, outcome="rejected")
        self.assertIn("rules.txt:2: ndpi.protocols_file: ", daemon.stderr())
        self.send(daemon, 49002, 49004)
        self.assertEqual(self.status(daemon)["interfaces"][0]["flows_active"], 4)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        wait_for(lambda: len(collector.json_lines()) >= 4, collector.describe)
        self.assertEqual(sorted((flow["src_port"], flow["src2dst_packets"], flow["application_name"])
                                for flow in collector.json_lines()),
                         [(49001, 2, "Before"), (49002, 2, "Before"), (49003, 1, "After"), (49004, 1, "After")])

    def test_after_a_storm_of_signals_the_last_file_is_in_use(self):
        (first, first_port), (last, last_port) = (self.collect(namespace=self.probe) for _ in range(2))
        daemon = self.begin(self.configuration({"first": first_port}))
        self.send(daemon, 48001)
        for turn in range(60):
            # each other one is broken, and while it is written one is read in part
            text = self.configuration({"first": first_port, f"other{turn}": last_port}, idle=500 + turn,
                                      bpf_filter=f"udp dst port {PORT} or udp dst port {turn + 1}")
            self.write("nfstreamd.yaml", text if turn % 2 else text[:-turn - 20])
            for _ in range(1 + turn % 3):
                daemon.send_signal(signal.SIGHUP)
        self.write("nfstreamd.yaml", self.configuration({"first": first_port, "last": last_port}, idle=777))
        daemon.send_signal(signal.SIGHUP)

        def settled():
            # a file that was read in part may have had another control.socket, for a moment
            with contextlib.suppress(AssertionError):
                status = self.status(daemon)
                return status["reload"]["result"] == "applied" and [row["name"] for row in status["exporters"]] == [
                    "first", "last"]
            return False
        wait_for(settled, daemon.describe)
        status = self.status(daemon)
        self.assertEqual(status["interfaces"][0]["idle_timeout_ms"], 777_000)
        self.assertLessEqual(status["reload"]["applied"] + status["reload"]["rejected"], 121)
        self.assertEqual(status["interfaces"][0]["flows_active"], 1)
        self.send(daemon, 48001)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        for collector in (first, last):
            wait_for(collector.json_lines, collector.describe)
            self.assertEqual([(flow["src_port"], flow["src2dst_packets"]) for flow in collector.json_lines()], [(48001, 2)])


if __name__ == "__main__":
    harness.main()
