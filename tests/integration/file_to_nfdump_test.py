#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures to nfcapd over IPFIX on UDP: what nfdump reads back is what was metered, and what was captured."""
import json
import struct

import harness
from harness import CAPTURES, wait_for

PLAIN = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "icmp", "ntp", "redis", "sip", "snmp", "ssh", "tls12")]


def captured(paths):
    """Packets and octets of IPv4 in captures of plain Ethernet, by the headers alone."""
    packets = octets = 0
    for path in paths:
        link_type, frames = harness.read_pcap(path)
        assert link_type == 1, path
        for frame in frames:
            if frame[12:14] == b"\x08\x00":
                packets += 1
                octets += struct.unpack(">H", frame[16:18])[0]
    return packets, octets


class Nfdump(harness.TestCase):
    def export(self, *captures, rate_limit=0, settings=()):
        """Sends captures to an nfcapd; the flows that nfdump reads from its file."""
        spool = self.folder / "nfcapd"
        spool.mkdir()
        port = harness.free_port()
        nfcapd = self.start("nfcapd", "-w", spool, "-b", "127.0.0.1", "-p", port, "-t", "60", "-B", "8388608")
        wait_for(lambda: nfcapd.listens(port) or not nfcapd.running(), nfcapd.describe)
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, "
                                         f"collectors: ['udp://127.0.0.1:{port}'], rate_limit: {rate_limit}, options: [sampling]}}\n")
        self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)))
        # nfcapd says nothing as records come: it has read all once its socket's queue is empty
        wait_for(lambda: nfcapd.has_read(port), "nfcapd does not read")
        self.assertEqual(nfcapd.stop(), 0, nfcapd.describe())
        self.nfcapd_log = nfcapd.stdout() + nfcapd.stderr()
        flows = []
        for file in spool.glob("nfcapd.2*"):
            run = self.run_program("nfdump", "-q", "-r", file, "-o", "json")
            if "{" in run.stdout:  # quiet, nfdump leaves out the list's brackets
                flows += json.loads("[" + run.stdout.strip().strip("[],") + "]")
        return flows

    def totals(self, flows):
        def of(*names):
            return sum(flow.get(name, 0) for flow in flows for name in names)
        return of("in_packets", "out_packets"), of("in_bytes", "out_bytes")

    def test_packets_and_octets_are_those_of_the_captures(self):
        flows = self.export(*PLAIN)
        rows = self.csv_of(*PLAIN)
        self.assertGreater(len(rows), 10)
        self.assertEqual(self.totals(flows), captured(PLAIN))
        self.assertEqual(self.totals(flows)[0], harness.total(rows, "bidirectional_packets"))

    def test_keys_and_times_are_those_of_the_csv(self):
        capture = CAPTURES / "dns.pcap"
        rows = self.csv_of(capture)
        flows = self.export(capture)
        def keys(row):
            return row["src_ip"], int(row["src_port"]), row["dst_ip"], int(row["dst_port"]), int(row["protocol"])
        read = {(flow["src4_addr"], flow["src_port"], flow["dst4_addr"], flow["dst_port"], flow["proto"])
                for flow in flows}
        for row in rows:
            self.assertIn(keys(row), read)

    def test_nfcapd_multiplies_by_the_rate_that_is_announced(self):
        setting = "capture.packet_sampling.rate=10"
        rows = self.csv_of(*PLAIN, settings=[setting])
        flows = self.export(*PLAIN, settings=[setting])
        self.assertEqual(self.totals(flows)[0], 10 * harness.total(rows, "bidirectional_packets"))
        self.assertIn("packet interval: 1, packet space: 9", self.nfcapd_log)
        self.assertIn("Sequence Errors: 0,", self.nfcapd_log)

    def test_a_rate_limit_spares_a_slow_collector(self):
        capture = harness.many_flows(self.folder / "many.pcap", 30000)
        flows = self.export(capture, rate_limit=20000)
        self.assertEqual(self.totals(flows), (30000, 30000 * 48))


if __name__ == "__main__":
    harness.main()
