#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All golden captures to nfcapd by the configurations of exporters/collectors/nfdump.md: what nfdump shows of each flow,
field by field, is the CSV of the same run."""
import ipaddress

import collectors
import harness
from collectors import EVERY, directions, ours

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


if __name__ == "__main__":
    harness.main()
