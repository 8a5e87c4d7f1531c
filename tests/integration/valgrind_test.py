#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No octet that is lost, freed twice or read without having been written, by valgrind: runs over files with everything on,
and a live daemon with reloads and a collector that goes. Minutes, so ctest leaves it out; AddressSanitizer has the rest."""
import signal
import subprocess
import unittest

import harness
from harness import NFSTREAMCTL, NFSTREAMD, wait_for

CAPTURES = ("dns", "http", "tls12", "c_frag4", "c_gtpu", "sip")
FEATURES = ("metering.statistical_analysis=true", "metering.splt_analysis=8", "metering.n_dissections=20")
VALGRIND = ("valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=9", "--num-callers=16")
PATIENCE = 600


class Valgrind(harness.TestCase):
    def check(self, *arguments):
        run = self.run_program(*VALGRIND, NFSTREAMD, *arguments, timeout=PATIENCE)
        self.assertNotIn("==", run.stderr)

    def test_files_with_everything_on(self):
        captures = [harness.CAPTURES / f"{name}.pcap" for name in CAPTURES]
        for suffix in ("csv.gz", "json", "ipfix"):
            with self.subTest(suffix=suffix):
                self.check("-r", *captures, "-w", self.folder / f"flows.{suffix}",
                           *(word for feature in FEATURES for word in ("--set", feature)))

    def test_a_table_that_is_full_and_several_meters(self):
        capture = harness.many_flows(self.folder / "many.pcap", 3000, 2)
        self.check("-r", capture, "-w", self.folder / "flows.csv", "--set", "metering.max_flows=500",
                   "--set", "capture.n_meters=2")

    def test_a_configuration_that_is_wrong(self):
        path = self.write("bad.yaml", "capture: [{interface: 7, bpf_filter: 'no filter'}]\nexporters: [{type: none}]\n")
        run = self.run_program(*VALGRIND, NFSTREAMD, "-t", "-c", path, status=78, timeout=PATIENCE)
        self.assertNotIn("==", run.stderr)

    @harness.needs_root("a link of its own")
    def test_a_live_daemon_with_reloads_and_a_collector_that_goes(self):
        probe, far = harness.Namespace(self), harness.Namespace(self)
        probe.link_to(far, "m0", "10.99.0.1", "10.99.0.2")
        collector, port = self.collect("tcp", namespace=probe)
        socket = self.folder / "control.sock"

        def configuration(idle, more=""):
            return (f"capture: [{{interface: m0, n_meters: 1, bpf_filter: 'udp or tcp'}}]\nmetering: {{idle_timeout: {idle}, "
                    "max_flows: 1000, statistical_analysis: true}\nexporters:\n"
                    f"  - {{name: tcp, type: ipfix, collectors: ['tcp://127.0.0.1:{port}'], flush_interval: 100ms, "
                    f"retry_interval: 1s, spool: {{directory: {self.folder}/spool}}}}\n"
                    f"  - {{name: csv, type: csv, path: {self.folder}/flows.csv}}\n{more}control: {{socket: {socket}}}\n")
        path = self.write("nfstreamd.yaml", configuration(2))
        daemon = self.start(*VALGRIND, NFSTREAMD, "-c", path, namespace=probe)
        wait_for(lambda: " started version=" in daemon.stderr() or not daemon.running(), daemon.describe, PATIENCE)
        frames = [frame for name in CAPTURES[:3] for frame in harness.read_pcap(harness.CAPTURES / f"{name}.pcap")[1]]
        more = f"  - {{name: more, type: json, path: {self.folder}/more.json}}\n"
        for turn, text in enumerate((configuration(3), configuration(3, more), configuration(2).replace("udp or ", ""),
                                     "exporters: [{type: none}]\n", configuration(2))):
            with far.packet_socket("up0") as sender:
                for frame in frames:
                    sender.send(frame[:1500])
            self.write("nfstreamd.yaml", text)
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: sum(map(daemon.stderr().count, ("reload applied", "reload rejected"))) == turn + 1,
                     daemon.describe, PATIENCE)
            if turn == 1:
                collector.kill()
            if turn == 3:
                self.collect("tcp", port, probe)
            for words in (["flows"], ["status"], ["audit"], ["expire"]):
                subprocess.run([NFSTREAMCTL, "--socket", socket, *words], capture_output=True, timeout=PATIENCE)
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(PATIENCE), 0, daemon.describe())
        self.assertNotIn("==", daemon.stderr())


if __name__ == "__main__":
    unittest.main(verbosity=2)
