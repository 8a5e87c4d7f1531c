#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All golden captures to nfacctd by the configurations of exporters/collectors/pmacct.md: each direction that it prints,
field by field, is the CSV of the same run."""
import collections as counting

import collectors
import harness
from collectors import EVERY, blocks, directions, ours

NO_MAC = "00:00:00:00:00:00"
PROTOCOLS = {"icmp": "1", "ipencap": "4", "tcp": "6", "udp": "17", "gre": "47", "esp": "50", "ah": "51", "ipv6-icmp": "58",
             "l2tp": "115", "sctp": "132"}
KEYS = ("ip_src", "ip_dst", "port_src", "port_dst", "ip_proto", "tos", "tcp_flags", "vlan", "mac_src", "mac_dst", "iface_in",
        "iface_out", "sampling_rate", "timestamp_start", "timestamp_end", "tls_name", "dns_name", "user_agent", "l7_proto",
        "end_reason", "min_ttl")


def milliseconds(text):
    seconds, _, fraction = text.partition(".")
    return seconds + (fraction + "000")[:3]


def printed(flow):
    return {**flow, "ip_proto": PROTOCOLS.get(flow["ip_proto"], flow["ip_proto"]),
            "timestamp_start": milliseconds(flow["timestamp_start"]), "timestamp_end": milliseconds(flow["timestamp_end"])}


def expected(way):
    """A direction of the CSV as nfacctd calls it."""
    return {
        "ip_src": way["src_ip"], "ip_dst": way["dst_ip"], "port_src": way["src_port"], "port_dst": way["dst_port"],
        "ip_proto": way["protocol"], "tos": way["src2dst_tos"], "tcp_flags": way["src2dst_tcp_flags"], "vlan": way["vlan_id"],
        "mac_src": way["src_mac"] or NO_MAC, "mac_dst": way["dst_mac"] or NO_MAC,
        "iface_in": way["ingress_interface"], "iface_out": way["egress_interface"], "sampling_rate": "1",
        "timestamp_start": way["src2dst_first_seen_ms"], "timestamp_end": way["src2dst_last_seen_ms"],
        "tls_name": way["tls_server_name"], "dns_name": way["dns_query"], "user_agent": way["user_agent"],
        "l7_proto": way["l7_protocol"], "end_reason": way["flow_end_reason"], "min_ttl": way["src2dst_min_ttl"],
        "packets": way["src2dst_packets"], "bytes": way["src2dst_ip_bytes"],
    }


def added_up(flows, keys):
    """Those that are equal in the keys as one, as nfacctd does; packets and octets are sums."""
    sums = counting.defaultdict(lambda: [0, 0])
    for flow in flows:
        total = sums[tuple(flow[key] for key in keys)]
        total[0] += int(flow["packets"])
        total[1] += int(flow["bytes"])
    return [dict(zip(keys, key), packets=str(packets), bytes=str(octets)) for key, (packets, octets) in sums.items()]


class Pmacct(collectors.CollectorCase):
    def test_each_direction_of_the_profile_has_every_field(self):
        nfacctd = self.nfacctd(blocks("pmacct", "nfacctd.conf")[0], blocks("pmacct", "primitives.lst")[0])
        rows = self.export(ours("pmacct", nfacctd.port), *EVERY)
        stored = [printed(flow) for flow in self.printed(nfacctd)]
        ways = [way for row in rows for way in directions(row)]
        self.assertGreater(len(ways), 100)
        self.check_same(added_up(stored, KEYS), added_up(map(expected, ways), KEYS))
        classes = {(flow["ip_src"], flow["port_src"], flow["ip_dst"], flow["port_dst"], flow["timestamp_start"],
                    flow["l7_proto"]): flow["class"] for flow in stored}
        named = 0
        for way in ways:
            name = classes[way["src_ip"], way["src_port"], way["dst_ip"], way["dst_port"], way["src2dst_first_seen_ms"],
                           way["l7_protocol"]]
            if name != "unknown":  # it came before the names
                named += 1
                self.assertIn(name, way["application_name"].split("."))
        self.assertGreater(named, len(ways) // 2)

    def test_sampling_is_announced(self):
        nfacctd = self.nfacctd(blocks("pmacct", "nfacctd.conf")[0], blocks("pmacct", "primitives.lst")[0])
        self.export(ours("pmacct", nfacctd.port), *EVERY, settings=["capture.packet_sampling.rate=10"])
        self.assertEqual({flow["sampling_rate"] for flow in self.printed(nfacctd)}, {"10"})


class Netflow(collectors.CollectorCase):
    """Over NetFlow times are cut to seconds, and nothing is known of what has a primitive."""
    KEYS = KEYS[:12]

    def check(self, exporter, *left_out, changed=lambda flow, way: flow):
        conf = blocks("pmacct", "nfacctd.conf")[0]
        nfacctd = self.nfacctd(conf, blocks("pmacct", "primitives.lst")[0])
        rows = self.export(f"exporters:\n  - {{name: pmacct, {exporter}, collectors: ['udp://127.0.0.1:{nfacctd.port}']}}\n",
                           *EVERY)
        keys = [key for key in self.KEYS if key not in left_out]
        ways = [changed(expected(way), way) for row in rows for way in directions(row)
                if "ip_version" not in exporter or row["ip_version"] == "4"]
        stored = [printed(flow) for flow in self.printed(nfacctd)]
        self.check_same(added_up(stored, keys), added_up(ways, keys))
        seconds = [flow["timestamp_start"][:-3] for flow in stored]
        self.assertLessEqual(set(seconds), {str(int(way["timestamp_start"][:-3]) + late) for way in ways for late in (0, 1)})

    def test_version_9(self):
        self.check("type: netflow9")

    def test_version_5(self):
        def with_icmp_as_port(flow, way):
            return {**flow, "port_dst": way["icmp_type_code"]} if way["protocol"] == "1" else flow
        self.check("type: netflow5, filter: ip_version == 4", "vlan", "mac_src", "mac_dst", changed=with_icmp_as_port)


if __name__ == "__main__":
    harness.main()
