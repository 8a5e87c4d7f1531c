#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What we send and write, read by programs that share nothing with our encoder: tshark and ipfixDump."""
import re
import struct

import collectors
import harness
from harness import CAPTURES

SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "icmp", "quic", "s_ext6", "tls12")]

EVERYTHING = ["metering.statistical_analysis=true", "metering.splt_analysis=10", "metering.l7_details=true",
              "metering.tcp_quality=true", "private_enterprise_number=32473"]


class Readers(collectors.CollectorCase):
    def datagrams(self, *captures, settings=()):
        """The export datagrams of the captures."""
        with self.receiver() as received:
            path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, rate_limit: 5000, "
                                             f"collectors: ['udp://127.0.0.1:{received.port}']}}\n")
            self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)))
        return received.datagrams

    def test_tshark_decodes_every_message(self):
        datagrams = self.datagrams(*SOME)
        self.assertEqual(self.tshark(datagrams, "-Y", "_ws.malformed || _ws.expert.severity == error"), "")
        decoded = self.tshark(datagrams, "-V")
        self.assertNotIn("No template found", decoded)
        self.assertNotIn("Malformed", decoded)
        self.assertEqual(decoded.count("Version: 10"), len(datagrams))

    def test_tshark_decodes_every_group_of_fields_and_the_lists(self):
        datagrams = self.datagrams(*SOME, settings=EVERYTHING)
        self.assertEqual(self.tshark(datagrams, "-Y", "_ws.malformed || _ws.expert.severity == error"), "")
        rows = self.csv_of(*SOME, settings=EVERYTHING)
        decoded = self.tshark(datagrams, "-V")
        self.assertNotIn("No template found", decoded)
        # by the elements' own names there: one value of each record, added up; tshark cannot tell the reverse ones
        # of IANA's elements from the forward ones otherwise than by this word
        for name, column in (("Minimum Layer2 Total Length|Minimum_Layer2_Total_Length", "min_ps"),
                             ("Maximum Layer2 Total Length|Maximum_Layer2_Total_Length", "max_ps")):
            sent = sum(int(value) for value in re.findall(rf"(?:{name})[^:\n]*: (\d+)", decoded))
            self.assertEqual(sent, harness.total(rows, f"src2dst_{column}") + harness.total(rows, f"dst2src_{column}"))

    def test_tshark_adds_up_the_same_packets(self):
        rows = self.csv_of(*SOME)
        decoded = self.tshark(self.datagrams(*SOME), "-V")
        packets = sum(int(count) for count in re.findall(r"(?<!Ignored )(?<!Sent )\bPackets: (\d+)", decoded))
        self.assertEqual(packets, harness.total(rows, "bidirectional_packets"))

    def test_sequence_numbers_count_data_records_without_gaps(self):
        datagrams = self.datagrams(*SOME)
        headers = [struct.unpack(">HHIII", datagram[:16]) for datagram in datagrams]
        self.assertEqual({header[0] for header in headers}, {10})
        for header, datagram in zip(headers, datagrams):
            self.assertEqual(header[1], len(datagram))
            self.assertLessEqual(len(datagram), 1472)
        sequences = [header[3] for header in headers]
        self.assertEqual(sequences[0], 0)
        self.assertEqual(sequences, sorted(sequences))
        self.assertGreater(sequences[-1], 0)

    def test_ipfixdump_reads_the_file(self):
        path = self.folder / "flows.ipfix"
        self.nfstreamd("-r", *SOME, "-w", path)
        dumped = self.run_program("ipfixDump", "--in", path, "--rfc5610").stdout
        rows = self.csv_of(*SOME)
        records = re.findall(r"^--- data record .*?(?=^---|\Z)", dumped, re.MULTILINE | re.DOTALL)
        flows = [record for record in records if "octetDeltaCount" in record]
        self.assertGreaterEqual(len(flows), len(rows))
        packets = sum(int(count) for record in flows
                      for count in re.findall(r"[pP]acketDeltaCount\s*:\s*(\d+)", record))
        self.assertEqual(packets, harness.total(rows, "bidirectional_packets"))

    def test_ipfixdump_reads_every_list(self):
        path = self.folder / "flows.ipfix"
        self.nfstreamd("-r", *SOME, "-w", path, *(word for s in EVERYTHING for word in ("--set", s)))
        dumped = self.run_program("ipfixDump", "--in", path).stdout
        rows = self.csv_of(*SOME, settings=EVERYTHING)
        lists = re.findall(r"\+\+\+ basicList \+\+\+\s+count: (\d+)\s+semantic: 3-allOf", dumped)
        kept = sum(min(int(row["bidirectional_packets"]), 10) for row in rows)
        self.assertEqual(len(lists), 3 * len(rows))
        self.assertEqual(sum(map(int, lists)), 3 * kept)


if __name__ == "__main__":
    harness.main()
