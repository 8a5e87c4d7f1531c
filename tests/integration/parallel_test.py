#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several meters over capture files: the records of one meter, ids and order aside."""
import collections
import subprocess

import harness

FEATURES = ("metering.statistical_analysis=true", "metering.splt_analysis=8", "metering.n_dissections=0")


def records(flows):
    """What two runs are compared by: everything but the id, in any order."""
    return collections.Counter(tuple(value for column, value in flow.items() if column != "id") for flow in flows)


class Parallel(harness.TestCase):
    def compare(self, capture, settings):
        runs = [records(self.csv_of(capture, settings=(*settings, f"capture.n_meters={meters}"))) for meters in (1, 2, 4)]
        for run in runs[1:]:
            self.assertEqual(run, runs[0])

    def test_short_timeouts_and_all_fragments_give_the_same_records(self):
        for settings in (("metering.idle_timeout=0", "metering.active_timeout=1"), ("metering.fragments=all",)):
            for name in ("dns", "http", "c_frag4", "c_frag6", "c_gtpu", "tls12", "sip"):
                with self.subTest(capture=name, settings=settings):
                    self.compare(harness.CAPTURES / f"{name}.pcap", FEATURES + settings)

    def test_files_in_a_row_and_a_filter_give_the_same_records(self):
        files = [harness.CAPTURES / f"{name}.pcap" for name in ("dns", "http", "s_vlan1", "ntp")]
        runs = [records(self.csv_of(*files, settings=(*FEATURES, "capture.bpf_filter=not tcp",
                                                      f"capture.n_meters={meters}"))) for meters in (1, 3)]
        self.assertGreater(sum(runs[0].values()), 2)
        self.assertEqual(runs[0], runs[1])

    def test_what_can_be_read_only_once_has_one_meter_and_says_so(self):
        capture = harness.CAPTURES / "dns.pcap"
        out = self.folder / "flows.csv"
        with open(capture, "rb") as stream:
            run = subprocess.run([harness.NFSTREAMD, "-r", "-", "-w", out, "--set", "capture.n_meters=3"], stdin=stream,
                                 capture_output=True, text=True, timeout=harness.DEADLINE)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("standard input can be read only once: one meter reads it", run.stderr)
        self.assertEqual(len(out.read_text().splitlines()) - 1, len(self.csv_of(capture)))

    def test_a_damaged_file_is_reported_once(self):
        broken = self.folder / "broken.pcap"
        broken.write_bytes((harness.CAPTURES / "dns.pcap").read_bytes()[:-7])
        out = self.folder / "flows.csv"
        run = self.run_program(harness.NFSTREAMD, "-r", broken, "-w", out, "--set", "capture.n_meters=3")
        self.assertEqual(run.stderr.count("capture file ends inside a packet"), 1, run.stderr)


if __name__ == "__main__":
    harness.main()
