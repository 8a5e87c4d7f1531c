#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures to `nfstreamctl collect`: every record and every field is what the CSV says."""
import collections
import csv
import signal
import socket

import harness
from harness import CAPTURES, NFSTREAMCTL, wait_for

SOME = [CAPTURES / f"{name}.pcap" for name in ("dhcp", "dns", "http", "icmp", "mqtt", "quic", "s_ext6", "s_vlan1", "ssh")]
# IPFIX carries at least these; bidirectional_* are computed from the two sides and are not sent
MUST = ["src_ip", "src_port", "dst_ip", "dst_port", "protocol", "ip_version", "vlan_id", "src2dst_packets",
        "src2dst_bytes", "dst2src_packets", "dst2src_bytes", "src2dst_first_seen_ms", "src2dst_last_seen_ms",
        "application_name", "src2dst_ip_bytes", "src2dst_tcp_flags"]

# texts of DHCP for which neither IANA nor a vendor has an element
NOT_SENT = {("DHCP", "requested_server_name"), ("DHCP", "client_fingerprint")}


def in_csv(row, name):
    return "" if (row["application_name"], name) in NOT_SENT else row[name]


def text(flow, name):
    """As the CSV has it. A direction without packets and IPv6's label of IPv4 are not sent; the CSV then says 0."""
    absent = (name.startswith("dst2src_") and flow["dst2src_packets"] == 0
              or name.endswith("_flow_label") and flow["ip_version"] == 4)
    if absent:
        return str(flow.get(name, 0))
    return str(flow.get(name, ""))


class Collect(harness.TestCase):
    def run_to(self, destination, *captures, settings=()):
        """One run over the captures, to an IPFIX exporter and a CSV file with every field; the CSV's rows."""
        rows = self.folder / "flows.csv"
        path = self.write("export.yaml", f"exporters:\n  - {{name: main, type: ipfix, {destination}}}\n"
                                         f"  - {{name: beside, type: csv, path: {rows}, fields: [default, base]}}\n")
        self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)))
        with open(rows, newline="", encoding="utf-8") as content:
            return list(csv.DictReader(content))

    def export(self, transport, *captures, settings=()):
        """What `nfstreamctl collect` prints for the captures, and the CSV of the same run."""
        collector, port = self.collect(transport)
        rows = self.run_to(f"rate_limit: 20000, collectors: ['{transport}://127.0.0.1:{port}']", *captures,
                           settings=settings)
        wait_for(lambda: len(collector.json_lines()) >= len(rows),
                 lambda: f"{len(collector.json_lines())} of {len(rows)}\n{collector.describe()}")
        self.assertEqual(collector.stop(), 0, collector.describe())
        return collector.json_lines(), rows

    def check_equal(self, flows, rows):
        self.assertEqual(len(flows), len(rows))
        common = sorted(set().union(*flows) & set(rows[0]))
        self.assertEqual([name for name in MUST if name not in common], [])
        sent = collections.Counter(tuple(in_csv(row, name) for name in common) for row in rows)
        read = collections.Counter(tuple(text(flow, name) for name in common) for flow in flows)
        for missing in list((sent - read))[:2]:
            near = max(read - sent, key=lambda have: sum(a == b for a, b in zip(have, missing)))
            differ = [(name, want, have) for name, want, have in zip(common, missing, near) if want != have]
            self.fail(f"column, in the CSV, collected: {differ}")
        self.assertEqual(sent, read)

    def test_tcp_brings_every_record_and_field(self):
        self.check_equal(*self.export("tcp", *SOME))

    def test_udp_brings_every_record_and_field(self):
        self.check_equal(*self.export("udp", *SOME))

    def test_a_file_brings_every_record_and_field(self):
        path = self.folder / "flows.ipfix"
        rows = self.run_to(f"path: {path}", *SOME)
        collector = self.start(NFSTREAMCTL, "collect", path)
        self.assertEqual(collector.wait(), 0, collector.describe())
        self.check_equal(collector.json_lines(), rows)

    def test_with_accounting_by_ip_octets_too(self):
        ipv4 = [path for path in SOME if not path.name.startswith("s_")]
        self.check_equal(*self.export("tcp", *ipv4, settings=["metering.accounting_mode=1"]))

    def test_many_flows_over_tcp(self):
        capture = harness.many_flows(self.folder / "many.pcap", 20000, 2)
        flows, _ = self.export("tcp", capture)
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

    def test_a_collector_that_is_not_there_is_status_69_of_a_file_run(self):
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, "
                                         f"collectors: ['tcp://127.0.0.1:{harness.free_port()}']}}\n")
        run = self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap", status=69, timeout=120)
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
