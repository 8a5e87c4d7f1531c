#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures to IPFIX and back by `nfstreamctl collect`: column by column what the CSV of the same run says."""
import csv
import json
import math

import harness
from harness import CAPTURES, NFSTREAMCTL, wait_for

ALL = sorted(CAPTURES.glob("*.pcap"))
PEN = 32473
EVERYTHING = ["metering.statistical_analysis=true", "metering.splt_analysis=10", "metering.l7_details=true"]
LISTS = {"splt_direction", "splt_ps", "splt_piat_ms"}
# for these neither IANA nor a vendor has an element
PRIVATE = {"expiration_id", "tunnel_id", "application_is_guessed", "splt_ps", "bidirectional_min_piat_ms",
           "bidirectional_max_piat_ms", "bidirectional_stddev_piat_ms", "src2dst_stddev_piat_ms",
           "dst2src_stddev_piat_ms", "bidirectional_cwr_packets", "bidirectional_ece_packets", "src2dst_cwr_packets",
           "src2dst_ece_packets", "dst2src_cwr_packets", "dst2src_ece_packets"}
# and here there is one for some protocols, or for flows without a packet back it follows from what there is
PARTLY_PRIVATE = {"requested_server_name", "client_fingerprint", "server_fingerprint"}


def is_equal(column, text, value):
    """A cell of the CSV and a value of the JSON object. How long a list would be is not in IPFIX: no tail of -1."""
    if column in LISTS:
        kept = [n for n in json.loads(text) if n != -1]
        return value == kept
    if isinstance(value, str):
        return text == value
    number = float(text)
    return math.isclose(number, value, rel_tol=1e-9) if "." in text or "e" in text else number == value


class IpfixEqualsCsv(harness.TestCase):
    def run_both(self, ipfix, captures, settings, pen=PEN, fields="[default]"):
        """One run over the captures to both; the rows of the CSV."""
        rows = self.folder / "flows.csv"
        path = self.write("export.yaml",
                          f"exporters:\n  - {{name: main, type: ipfix, {ipfix}}}\n"
                          f"  - {{name: beside, type: csv, path: {rows}, fields: {fields}}}\n")
        settings = [*settings, *([f"private_enterprise_number={pen}"] if pen else [])]
        self.log = self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s))).stderr
        with open(rows, newline="", encoding="utf-8") as content:
            return {int(row["id"]): row for row in csv.DictReader(content)}

    def read_file(self, path, pen=PEN):
        number = ["--private-enterprise-number", str(pen)] if pen else []
        collector = self.start(NFSTREAMCTL, "collect", *number, path)
        self.assertEqual(collector.wait(), 0, collector.describe())
        return [flow for flow in collector.json_lines() if "_options" not in flow]

    def check_row(self, row, flow, missing=()):
        for column, text in row.items():
            if column in missing:
                continue
            self.assertIn(column, flow, row)
            self.assertTrue(is_equal(column, text, flow[column]), (column, text, flow[column], row))

    def test_every_column_in_every_accounting_mode(self):
        for mode in range(4):
            with self.subTest(accounting_mode=mode):
                path = self.folder / f"flows{mode}.ipfix"
                rows = self.run_both(f"path: {path}", ALL, [*EVERYTHING, f"metering.accounting_mode={mode}"],
                                     fields="[default, base]")
                flows = self.read_file(path)
                self.assertGreater(len(rows), 50)
                self.assertEqual(sorted(flow["id"] for flow in flows), sorted(rows))
                self.assertTrue(any(flow["dst2src_packets"] == 0 for flow in flows))
                self.assertTrue(any(flow["ip_version"] == 6 for flow in flows))
                for flow in flows:
                    row = rows[flow["id"]]
                    # neither a direction without packets nor IPv6's label of IPv4 are sent, if they are no columns
                    # of nfstream's, and the CSV says 0
                    missing = {column for column in row if column not in flow and float(row[column] or 0) == 0}
                    self.assertLessEqual({c.removeprefix("src2dst_").removeprefix("dst2src_") for c in missing},
                                         {"flow_label", "ip_bytes", "tcp_flags", "tos", "min_ttl", "max_ttl",
                                          "icmp_type", "icmp_code"})
                    self.check_row(row, flow, missing)

    def test_without_a_number_what_has_no_other_element_is_missing_and_nothing_else(self):
        path = self.folder / "flows.ipfix"
        rows = self.run_both(f"path: {path}", ALL, [*EVERYTHING, "log.level=info"], pen=0)
        self.assertIn("for want of private_enterprise_number", self.log)
        for column in PRIVATE - {"bidirectional_cwr_packets", "bidirectional_ece_packets"}:  # sums of the others
            self.assertRegex(self.log, rf"private_enterprise_number.* fields=.*\b{column}\b")
        for flow in self.read_file(path, pen=0):
            row = rows[flow["id"]]
            missing = set(row) - set(flow)
            # gaps of a flow without an answer are those of its one direction
            allowed = PRIVATE if flow["dst2src_packets"] else PRIVATE - {"bidirectional_min_piat_ms",
                                                                         "bidirectional_max_piat_ms"}
            self.assertEqual(missing - {"dst2src_stddev_piat_ms"}, allowed - {"dst2src_stddev_piat_ms"})
            self.check_row(row, flow, missing | PARTLY_PRIVATE)

    def test_long_sequences_are_cut_to_the_datagram_and_no_record_is_lost(self):
        port = harness.free_port()
        collector = self.start(NFSTREAMCTL, "collect", "--private-enterprise-number", str(PEN), "--listen",
                               f"udp://127.0.0.1:{port}")
        wait_for(lambda: collector.listens(port, "udp"), collector.describe)
        rows = self.run_both(f"rate_limit: 20000, collectors: ['udp://127.0.0.1:{port}']",
                             [harness.many_flows(self.folder / "long.pcap", 3, 300), CAPTURES / "http.pcap"],
                             ["metering.statistical_analysis=true", "metering.splt_analysis=255"])

        def flows():
            return [flow for flow in collector.json_lines() if "_options" not in flow]
        wait_for(lambda: len(flows()) >= len(rows), collector.describe)
        self.assertEqual(collector.stop(), 0, collector.describe())
        self.assertEqual(self.log.count("lists cut to fit a message"), 1)
        cut = 0
        for flow in flows():
            row = rows[flow["id"]]
            self.check_row(row, flow, LISTS)
            for column in LISTS:
                kept = [n for n in json.loads(row[column]) if n != -1]
                self.assertEqual(flow[column], kept[:len(flow[column])])
                self.assertEqual(len(flow[column]), len(flow["splt_ps"]))
            cut += len(flow["splt_ps"]) < len(kept)
            self.assertGreaterEqual(len(flow["splt_ps"]), min(len(kept), 40))
        self.assertEqual(cut, 3)

    def test_fields_that_fit_no_message_are_refused_at_the_start_with_advice(self):
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, mtu: 512, "
                                         "collectors: ['udp://127.0.0.1:4739']}\n")
        settings = [*EVERYTHING, f"private_enterprise_number={PEN}"]
        run = self.nfstreamd("-t", "-c", path, *(word for s in settings for word in ("--set", s)), status=78)
        self.assertIn("send fewer fields or raise mtu", run.stderr)


if __name__ == "__main__":
    harness.main()
