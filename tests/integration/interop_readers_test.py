#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All golden captures, field by field as the CSV has them, in what tshark decodes of IPFIX, NetFlow v9 and v5, in what
ipfixDump reads of a file by the names that we tell it (RFC 5610), and in what nfstreamctl collect prints."""
import calendar
import ipaddress
import re
import time

import collectors
import harness
import wire
from collectors import EVERY, directions, ours
from harness import wait_for

MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}


def milliseconds(text):
    """Of tshark's "Nov 20, 2026 09:36:04.098000000 UTC"."""
    month, day, year, clock, _ = text.replace(",", "").split()
    hours, minutes, seconds = clock.split(":")
    second, fraction = seconds.split(".")
    at = calendar.timegm((int(year), MONTHS[month], int(day), int(hours), int(minutes), int(second)))
    return str(at * 1000 + int(fraction[:3]))


def number(text):
    """Of "TCP (6)", "0x1b, ACK", "12"."""
    inside = re.fullmatch(r".*\((\d+)\)", text)
    return inside.group(1) if inside else str(int(text.split(",")[0], 0))


class Tshark(collectors.CollectorCase):
    def decoded(self, datagrams, port=4739):
        """The flows that tshark shows: values by its names, "Reverse" before those of the way back, times as lists. What it
        is shown breaks no rule."""
        session = wire.Session("udp", from_start=True)
        for datagram in datagrams:
            session.read(datagram)
        wrong = self.tshark(datagrams, "-Y", "_ws.malformed || _ws.expert.severity == error", port=port)
        self.assertEqual(wrong, "")
        text = self.tshark(datagrams, "-V", port=port)
        self.assertNotIn("No template found", text)
        self.assertNotIn("Malformed", text)
        flows, absolute = [], False
        for line in text.splitlines():
            if re.match(r" +(Flow \d+|pdu \d+/\d+)( \[.*\])?$", line):
                flows.append({})
            elif flows and line.startswith("        "):
                name, _, value = line.strip().partition(": ")
                value, reverse, _ = value.partition(" (Reverse Type")
                if name.startswith("[Duration"):
                    absolute = "(milliseconds)" in value
                elif name in ("StartTime", "EndTime"):
                    flows[-1].setdefault(name if absolute else f"Uptime {name}", []).append(value)
                else:
                    flows[-1]["Reverse " * bool(reverse) + name.rstrip(":")] = value
        return [flow for flow in flows if "SrcAddr" in flow]

    # tshark's name, column, reading of its value
    COMMON = (("SrcAddr", "src_ip", str), ("DstAddr", "dst_ip", str), ("SrcPort", "src_port", str),
              ("DstPort", "dst_port", str), ("Protocol", "protocol", number), ("TCP Flags", "src2dst_tcp_flags", number),
              ("IP ToS", "src2dst_tos", number), ("Packets", "src2dst_packets", str), ("Octets", "src2dst_ip_bytes", str),
              ("InputInt", "ingress_interface", str), ("OutputInt", "egress_interface", str))
    MORE = (("IPVersion", "ip_version", str), ("Vlan Id", "vlan_id", str), ("Flow Id", "id", str),
            ("MinTTL", "src2dst_min_ttl", str), ("MaxTTL", "src2dst_max_ttl", str),
            ("Layer2 Octet Delta Count", "src2dst_bytes", str), ("Flow End Reason", "flow_end_reason", number),
            ("Direction", "flow_direction", number), ("Observation Point Id", "observation_point", str),
            ("Selector Id", "selector_id", str), ("ApplicationName", "application_name", str),
            ("Application Category Name", "application_category_name", str),
            ("Layer 7 protocol (numeric)", "l7_protocol", str), ("DNS query", "dns_query", str),
            ("SSL server name", "tls_server_name", str), ("HTTP Request Host", "http_host", str))
    BIFLOW = (("Biflow Direction", "biflow_direction", number), ("HTTP User Agent", "user_agent", str),
              ("HTTP Content Type", "content_type", str))
    BACK = (("Reverse Packets", "dst2src_packets", str), ("Reverse Octets", "dst2src_ip_bytes", str),
            ("Reverse Layer2 Octet Delta Count", "dst2src_bytes", str), ("Reverse TCP Flags", "dst2src_tcp_flags", number),
            ("Reverse IP ToS", "dst2src_tos", number), ("Reverse MinTTL", "dst2src_min_ttl", str),
            ("Reverse MaxTTL", "dst2src_max_ttl", str))

    def check(self, flows, rows, names, absolute=True):
        def read(flow):
            found = {column: reading(flow.get(name, "") or "0" if reading is number else flow.get(name, ""))
                     for name, column, reading in names}
            if absolute:  # those of the way back come first
                found["times"] = tuple(map(milliseconds, sum(zip(flow["StartTime"], flow["EndTime"]), ())))
                found["macs"] = tuple(re.search(r"\((.*)\)", flow[f"{which} Mac Address"]).group(1)
                                      for which in ("Source", "Destination"))
            return found

        def sent(row):
            wanted = {column: row[column] for _, column, _ in names}
            back = any(column.startswith("dst2src") for column in wanted) and int(row["dst2src_packets"]) > 0
            if not back:
                for name, column, _ in names:
                    if column.startswith("dst2src"):
                        wanted[column] = "0" if "Flags" in name or "ToS" in name else ""
            if absolute:
                ways = ("dst2src", "src2dst") if back else ("src2dst",)
                wanted["times"] = tuple(row[f"{way}_{end}_seen_ms"] for way in ways for end in ("first", "last"))
                wanted["macs"] = (row["src_mac"] or "00:00:00:00:00:00", row["dst_mac"] or "00:00:00:00:00:00")
            return wanted
        self.check_same([read(flow) for flow in flows], [sent(row) for row in rows])

    def test_ipfix_with_the_defaults(self):
        with self.receiver() as received:
            rows = self.export(ours("fixbuf", received.port).replace("profile: fixbuf", "profile: default")
                               .replace("tcp://", "udp://"), *EVERY)
        self.check(self.decoded(received.datagrams), rows, self.COMMON + self.MORE + self.BIFLOW + self.BACK)

    def test_netflow_9(self):
        with self.receiver() as received:
            rows = self.export("exporters:\n  - {name: nine, type: netflow9, "
                               f"collectors: ['udp://127.0.0.1:{received.port}']}}\n", *EVERY)
        self.check(self.decoded(received.datagrams, 2055), [way for row in rows for way in directions(row)],
                   self.COMMON + self.MORE)

    def test_netflow_5(self):
        with self.receiver() as received:
            rows = self.export("exporters:\n  - {name: five, type: netflow5, filter: ip_version == 4, "
                               f"collectors: ['udp://127.0.0.1:{received.port}']}}\n", *EVERY)
        ways = [way for row in rows if row["ip_version"] == "4" for way in directions(row)]
        for way in ways:
            if way["protocol"] == "1":
                way["dst_port"] = way["icmp_type_code"]
        self.check(self.decoded(received.datagrams, 2055), ways, self.COMMON, absolute=False)
        text = self.tshark(received.datagrams, "-V", port=2055)
        self.assertEqual(set(re.findall(r"SampleRate: (\d+)", text)), {"0"})


class IpfixDump(collectors.CollectorCase):
    NAMES = {"sourceTransportPort": "src_port", "destinationTransportPort": "dst_port", "protocolIdentifier": "protocol",
             "ipVersion": "ip_version", "vlanId": "vlan_id", "flowId": "id", "sourceMacAddress": "src_mac",
             "destinationMacAddress": "dst_mac", "packetDeltaCount": "src2dst_packets", "octetDeltaCount": "src2dst_ip_bytes",
             "layer2OctetDeltaCount": "src2dst_bytes", "reversePacketDeltaCount": "dst2src_packets",
             "reverseOctetDeltaCount": "dst2src_ip_bytes", "reverseLayer2OctetDeltaCount": "dst2src_bytes",
             "flowEndReason": "flow_end_reason", "tcpControlBits": "src2dst_tcp_flags",
             "reverseTcpControlBits": "dst2src_tcp_flags", "ipClassOfService": "src2dst_tos", "minimumTTL": "src2dst_min_ttl",
             "reverseMinimumTTL": "dst2src_min_ttl", "flowDirection": "flow_direction",
             "biflowDirection": "biflow_direction", "applicationName": "application_name",
             "applicationCategoryName": "application_category_name", "httpUserAgent": "user_agent",
             # by RFC 5610
             "l7Protocol": "l7_protocol", "applicationConfidence": "application_confidence",
             "tlsServerName": "tls_server_name", "dnsQuery": "dns_query", "ja3cHash": "ja3_client", "ja3sHash": "ja3_server",
             "sshHasshClient": "hassh_client", "sshHasshServer": "hassh_server"}

    def records(self, path):
        dumped = self.run_program("ipfixDump", "--in", path, "--rfc5610", env={"TZ": "UTC", "PATH": "/usr/bin:/bin"}).stdout
        for text in re.findall(r"^--- data record .*?(?=^---|^\*\*\*|\Z)", dumped, re.MULTILINE | re.DOTALL):
            found = {}
            for name, value in re.findall(r"^\s*\([\d/]+\)\s*(?:\(S\))?\s*(\w+) : ?(.*)$", text, re.MULTILINE):
                found[name] = re.sub(r"^\(len: \d+\) ?", "", value)
            if "octetDeltaCount" in found:
                yield found

    def test_every_field_by_its_name(self):
        path = self.folder / "flows.ipfix"
        rows = self.export(f"exporters:\n  - {{name: fixbuf, type: ipfix, profile: fixbuf, path: {path}}}\n", *EVERY)
        def at(text):
            clock = time.strptime(text.partition(".")[0], "%Y-%m-%d %H:%M:%S")
            return str(calendar.timegm(clock) * 1000 + int((text.partition(".")[2] + "000")[:3]))
        stored = []
        for record in self.records(path):
            back = "reversePacketDeltaCount" in record
            flow = {column: record.get(name, "0") for name, column in self.NAMES.items()}
            source = record.get("sourceIPv4Address") or record["sourceIPv6Address"]
            flow["src_ip"] = str(ipaddress.ip_address(source))
            flow["first"], flow["last"] = at(record["flowStartMilliseconds"]), at(record["flowEndMilliseconds"])
            flow["back"] = at(record["reverseFlowStartMilliseconds"]) if back else "0"
            stored.append(flow)
        self.check_same(stored, [{**{column: row[column] or ("00:00:00:00:00:00" if column.endswith("_mac") else "")
                                     for column in self.NAMES.values()}, "src_ip": row["src_ip"],
                                  "first": row["src2dst_first_seen_ms"], "last": row["src2dst_last_seen_ms"],
                                  "back": row["dst2src_first_seen_ms"]} for row in rows])


class Collect(collectors.CollectorCase):
    COLUMNS = ("id", "src_ip", "src_port", "dst_ip", "dst_port", "protocol", "ip_version", "vlan_id", "src_mac", "dst_mac",
               "src2dst_packets", "src2dst_bytes", "src2dst_ip_bytes", "src2dst_first_seen_ms", "src2dst_last_seen_ms",
               "dst2src_packets", "dst2src_bytes", "application_name", "application_category_name", "flow_end_reason",
               "src2dst_tcp_flags", "bidirectional_packets", "bidirectional_bytes")

    def test_what_the_fixbuf_page_sends_is_the_csv(self):
        collector, port = self.collect("tcp")
        rows = self.export(ours("fixbuf", port), *EVERY)
        wait_for(lambda: len(collector.json_lines()) >= len(rows), collector.describe)
        self.assertEqual(collector.stop(), 0, collector.describe())
        self.check_same([{name: str(flow.get(name, "")) for name in self.COLUMNS} for flow in collector.json_lines()],
                        [{name: row[name] or ("00:00:00:00:00:00" if name.endswith("_mac") else "")
                          for name in self.COLUMNS} for row in rows])


if __name__ == "__main__":
    harness.main()
