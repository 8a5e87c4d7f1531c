#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures to `nfstreamctl collect`: every record and every field is what the CSV says."""
import collections
import signal
import socket

import harness
from harness import CAPTURES, NFSTREAMCTL, wait_for

SOME = [CAPTURES / f"{name}.pcap" for name in ("dhcp", "dns", "http", "icmp", "mqtt", "quic", "s_ext6", "s_vlan1", "ssh")]
# IPFIX carries at least these; bidirectional_* are computed from the two sides and are not sent
MUST = ["src_ip", "src_port", "dst_ip", "dst_port", "protocol", "ip_version", "vlan_id", "src2dst_packets",
        "src2dst_bytes", "dst2src_packets", "dst2src_bytes", "src2dst_first_seen_ms", "src2dst_last_seen_ms",
        "application_name"]


def text(value):
    return "" if value is None else str(value)


class Collect(harness.TestCase):
    def export(self, transport, *captures, expected, settings=()):
        """The flows that `nfstreamctl collect` prints for the captures."""
        collector, port = self.collect(transport)
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, rate_limit: 20000, "
                                         f"collectors: ['{transport}://127.0.0.1:{port}']}}\n")
        self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)))
        wait_for(lambda: len(collector.json_lines()) >= expected,
                 lambda: f"{len(collector.json_lines())} of {expected}\n{collector.describe()}")
        self.assertEqual(collector.stop(), 0, collector.describe())
        return collector.json_lines()

    def check_equal(self, flows, rows):
        self.assertEqual(len(flows), len(rows))
        common = sorted(set(flows[0]) & set(rows[0]) - {"id"})
        self.assertEqual([name for name in MUST if name not in common], [])
        sent = collections.Counter(tuple(row[name] for name in common) for row in rows)
        read = collections.Counter(tuple(text(flow.get(name)) for name in common) for flow in flows)
        for missing in list((sent - read))[:2]:
            near = max(read - sent, key=lambda have: sum(a == b for a, b in zip(have, missing)))
            differ = [(name, want, have) for name, want, have in zip(common, missing, near) if want != have]
            self.fail(f"column, in the CSV, collected: {differ}")
        self.assertEqual(sent, read)

    # bytes of the IP packet: what IE 1 counts
    SETTINGS = ("metering.accounting_mode=1",)

    def test_tcp_brings_every_record_and_field(self):
        rows = self.csv_of(*SOME, settings=self.SETTINGS)
        self.check_equal(self.export("tcp", *SOME, expected=len(rows), settings=self.SETTINGS), rows)

    def test_udp_brings_every_record_and_field(self):
        rows = self.csv_of(*SOME, settings=self.SETTINGS)
        self.check_equal(self.export("udp", *SOME, expected=len(rows), settings=self.SETTINGS), rows)

    def test_a_file_brings_every_record_and_field(self):
        rows = self.csv_of(*SOME, settings=self.SETTINGS)
        path = self.folder / "flows.ipfix"
        self.nfstreamd("-r", *SOME, "-w", path, "--set", self.SETTINGS[0])
        collector = self.start(NFSTREAMCTL, "collect", path)
        self.assertEqual(collector.wait(), 0, collector.describe())
        self.check_equal(collector.json_lines(), rows)

    def test_many_flows_over_tcp(self):
        capture = harness.many_flows(self.folder / "many.pcap", 20000, 2)
        flows = self.export("tcp", capture, expected=20000)
        self.assertEqual(len(flows), 20000)
        self.assertEqual(sum(flow["src2dst_packets"] for flow in flows), 40000)
        self.assertEqual(len({(flow["src_ip"], flow["src_port"]) for flow in flows}), 20000)

    def test_two_collectors_get_a_copy_each(self):
        (one, one_port), (two, two_port) = self.collect("tcp"), self.collect("udp")
        path = self.write("export.yaml",
                          "exporters:\n  - {name: a, type: ipfix, collectors: ['tcp://127.0.0.1:%d']}\n"
                          "  - {name: b, type: ipfix, collectors: ['udp://127.0.0.1:%d']}\n" % (one_port, two_port))
        self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap")
        count = len(self.csv_of(CAPTURES / "dns.pcap"))
        for collector in (one, two):
            wait_for(lambda: len(collector.json_lines()) >= count, collector.describe)
            self.assertEqual(collector.stop(signal.SIGINT), 0)
            self.assertEqual(len(collector.json_lines()), count)

    def test_a_collector_that_is_not_there_fails_a_file_run(self):
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, "
                                         f"collectors: ['tcp://127.0.0.1:{harness.free_port()}']}}\n")
        run = self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap", status=1, timeout=120)
        self.assertIn("main", run.stderr)

    def test_what_is_no_ipfix_is_survived(self):
        collector, port = self.collect("udp")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for garbage in (b"", b"\0", b"no ipfix at all" * 10, b"\0\x0a\xff\xff" + b"\0" * 12):
                sender.sendto(garbage, ("127.0.0.1", port))
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, "
                                         f"collectors: ['udp://127.0.0.1:{port}']}}\n")
        self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap")
        wait_for(collector.json_lines, collector.describe)
        self.assertEqual(collector.stop(), 0, collector.describe())


if __name__ == "__main__":
    harness.main()
