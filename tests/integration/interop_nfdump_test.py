#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All golden captures to nfcapd by the configurations of exporters/collectors/nfdump.md: what nfdump shows of each flow,
field by field, is the CSV of the same run."""
import ipaddress
import struct
import sys

import collectors
import harness
from collectors import EVERY, directions, ours
from harness import wait_for

NO_MAC = "00:00:00:00:00:00"
NOT_IN_9 = ("end", "directions", "point")  # nfcapd 1.7.1 takes these from IPFIX alone


def first_word(flow, name):
    return flow[name].split()[0] if name in flow else ""


def read(flow):
    """A record of nfdump -o raw with the names and values of the CSV."""
    icmp = first_word(flow, "ICMP")
    kind, _, code = icmp.partition(".")
    return {
        "src_ip": str(ipaddress.ip_address(flow["src addr"])), "dst_ip": str(ipaddress.ip_address(flow["dst addr"])),
        "src_port": first_word(flow, "src port") or "0", "dst_port": first_word(flow, "dst port") or "0",
        "icmp": str(256 * int(kind) + int(code)) if icmp else "", "protocol": first_word(flow, "proto"),
        "first": first_word(flow, "first"), "last": first_word(flow, "last"),
        "packets": flow["in packets"], "octets": flow["in bytes"],
        "out_packets": flow.get("out packets", "0"), "out_octets": flow.get("out bytes", "0"),
        "flags": str(int(first_word(flow, "tcp flags"), 16)), "tos": "" if icmp else first_word(flow, "src tos"),
        "vlan": flow.get("src vlan", "0"), "interfaces": (flow.get("input", "0"), flow.get("output", "0")),
        "macs": (flow.get("in src mac", NO_MAC), flow.get("in dst mac", NO_MAC)),
        "end": str(int(first_word(flow, "end reason") or "0", 16)),
        "directions": (flow.get("direction", "0"), str(int(first_word(flow, "biFlow Dir") or "0", 16))),
        "point": str(int(flow.get("obs pointID", "0"), 16)),
    }


def expected(row, biflow=True):
    """The same of a row of the CSV; nfdump has ports of ICMP as its type, and that without a type of service."""
    icmp = row["protocol"] in ("1", "58")
    return {
        "src_ip": row["src_ip"], "dst_ip": row["dst_ip"],
        "src_port": "0" if icmp else row["src_port"], "dst_port": "0" if icmp else row["dst_port"],
        "icmp": row["icmp_type_code"] if icmp else "", "protocol": row["protocol"],
        "first": row["src2dst_first_seen_ms"], "last": row["src2dst_last_seen_ms"],
        "packets": row["src2dst_packets"], "octets": row["src2dst_ip_bytes"],
        "out_packets": row["dst2src_packets"] if biflow else "0",
        "out_octets": row["dst2src_ip_bytes"] if biflow else "0",
        "flags": row["src2dst_tcp_flags"], "tos": "" if icmp else row["src2dst_tos"],
        "vlan": row["vlan_id"], "interfaces": (row["ingress_interface"], row["egress_interface"]),
        "macs": (row["src_mac"] or NO_MAC, row["dst_mac"] or NO_MAC), "end": row["flow_end_reason"],
        "directions": (row["flow_direction"], row["biflow_direction"]), "point": row["observation_point"],
    }


def without(flows, *names):
    return [{name: value for name, value in flow.items() if name not in names} for flow in flows]


class Nfdump(collectors.CollectorCase):
    def test_a_biflow_of_the_profile_has_every_field(self):
        nfcapd = self.nfcapd()
        rows = self.export(ours("nfdump", nfcapd.port), *EVERY)
        stored = self.nfdump(nfcapd)
        self.assertGreater(len(rows), 70)
        self.check_same([read(flow) for flow in stored], [expected(row) for row in rows])
        self.assertIn("Sequence Errors: 0, Bad Packets: 0", nfcapd.log)

    def test_sampled_packets_and_octets_are_multiplied(self):
        for index in (0, 1):
            with self.subTest(block=index):
                nfcapd = self.nfcapd()
                rows = self.export(ours("nfdump", nfcapd.port, index), *EVERY, settings=["capture.packet_sampling.rate=10"])
                stored = [read(flow) for flow in self.nfdump(nfcapd)]
                self.assertIn("packet interval: 1, packet space: 9", nfcapd.log)
                for ours_are, theirs in (("src2dst_packets", "packets"), ("src2dst_ip_bytes", "octets"),
                                         ("dst2src_packets", "out_packets"), ("dst2src_ip_bytes", "out_octets")):
                    self.assertEqual(harness.total(stored, theirs), 10 * harness.total(rows, ours_are))

    def test_netflow_9_with_both_directions_has_applications_too(self):
        nfcapd = self.nfcapd()
        rows = self.export(ours("nfdump", nfcapd.port, index=1), *EVERY)
        stored = self.nfdump(nfcapd)
        self.check_same([read(flow) for flow in stored], without([expected(row) for row in rows], *NOT_IN_9))
        def applications(flows):
            return sorted((flow["src_ip"], flow["src_port"], flow["first"], flow["application"]) for flow in flows)
        self.assertEqual(applications([{**read(flow), "application": flow["app ID"].split()[0]} for flow in stored]),
                         applications([{**expected(row), "application": f"6..{row['application_id']}:"} for row in rows]))
        names = {}  # by options records; nfdump knows them for the flows behind them in the file
        for flow in stored:
            number, name = flow["app ID"].split(": ", 1)
            if name != "<no info>":
                names[number.split("..")[1]] = name.split("/")[0]
        self.assertIn("TLS", names.values())
        for row in rows:
            if row["application_id"] in names:
                self.assertIn(names[row["application_id"]], row["application_name"].split("."))


class EachDirection(collectors.CollectorCase):
    """A record for each direction."""

    def stored(self, exporter, *captures):
        nfcapd = self.nfcapd()
        rows = self.export(f"exporters:\n  - {{name: nfdump, {exporter}, collectors: ['udp://127.0.0.1:{nfcapd.port}']}}\n",
                           *captures)
        return [read(flow) for flow in self.nfdump(nfcapd)], [way for row in rows for way in directions(row)]

    def test_netflow_9_has_every_field_of_either_way(self):
        stored, ways = self.stored("type: netflow9", *EVERY)
        self.check_same(stored, without([expected(way, biflow=False) for way in ways], *NOT_IN_9))

    def test_ipfix_has_every_field_of_either_way(self):
        stored, ways = self.stored("type: ipfix, profile: nfdump, biflow: false", *EVERY)
        self.check_same(stored, without([expected(way, biflow=False) for way in ways], "directions"))

    def test_netflow_5_has_its_fields_of_ipv4(self):
        stored, ways = self.stored("type: netflow5, filter: ip_version == 4", *EVERY)
        ipv4 = [way for way in ways if way["ip_version"] == "4"]
        self.check_same(stored, without([expected(way, biflow=False) for way in ipv4], "vlan", "macs", *NOT_IN_9))

    def test_netflow_5_has_a_flow_of_more_than_4_gib_as_several(self):
        packets, octets = 65_600, 65_535
        frame = bytearray(harness.udp_frame("192.0.2.1", 5000, "192.0.2.2", 5001, b""))
        frame[16:18] = struct.pack(">H", octets)
        frame[38:40] = struct.pack(">H", octets - 20)
        path = self.folder / "big.pcap"
        with open(path, "wb") as out:  # cut behind the headers
            out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
            for index in range(packets):
                out.write(struct.pack("<IIII", 1_700_000_000, index, len(frame), 14 + octets) + frame)
        nfcapd = self.nfcapd()
        rows = self.export(f"exporters:\n  - {{name: five, type: netflow5, collectors: ['udp://127.0.0.1:{nfcapd.port}']}}\n",
                           path)
        flows = self.nfdump(nfcapd)
        self.assertEqual([row["src2dst_ip_bytes"] for row in rows], [str(packets * octets)])
        self.assertGreater(len(flows), 1)
        self.assertEqual(sum(int(flow["in bytes"]) for flow in flows), packets * octets)
        self.assertEqual(sum(int(flow["in packets"]) for flow in flows), packets)


@harness.needs_root("capture on links of its own")
class Live(collectors.CollectorCase):
    def test_interfaces_and_times_of_a_link(self):
        probe, client = harness.Namespace(self), harness.Namespace(self)
        probe.link_to(client, "m0", "10.93.0.1", "10.93.0.2")
        traffic = harness.ROOT / "tests" / "integration" / "traffic.py"
        echo = self.start(sys.executable, "-B", traffic, "echo", "0.0.0.0", "7777", namespace=probe)
        nfcapd = self.nfcapd(namespace=probe)
        wait_for(lambda: echo.listens(7777), "no server")
        rows = self.folder / "rows.csv"
        daemon = self.daemon("capture:\n  - {interface: m0, n_meters: 1, bpf_filter: udp}\nmetering: {idle_timeout: 600}\n"
                             + ours("nfdump", nfcapd.port) +
                             f"  - {{name: beside, type: csv, path: {rows}, fields: [default, base]}}\n"
                             f"control: {{socket: {self.folder}/control.sock}}\n", namespace=probe)
        def packets():
            return sum(row["metered"]["packets"] for row in self.status(daemon)["interfaces"] if row["up"])
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        client.run(sys.executable, "-B", traffic, "ask", "10.93.0.1", "7777", "20")
        wait_for(lambda: packets() == 40, daemon.describe)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        flows, sent = [read(flow) for flow in self.nfdump(nfcapd)], self.csv_rows(rows)
        self.check_same(flows, [expected(row) for row in sent])
        index = probe.ip("-o", "link", "show", "m0").partition(":")[0]
        self.assertEqual({flow["interfaces"] for flow in flows}, {(index, index)})


if __name__ == "__main__":
    harness.main()
