#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Captures of random traffic, drawn from a seed: the flows are those that tshark's decoding adds up to, one meter's are
those of four, and IPFIX says in ipfixDump what CSV says. NFSTREAMD_LONG_TESTS=1: more seeds, longer captures."""
import collections
import ipaddress
import os
import random
import re
import socket
import struct
import subprocess

import harness

LONG = os.environ.get("NFSTREAMD_LONG_TESTS") == "1"
SEEDS, FRAMES = (range(1, 31), 20_000) if LONG else (range(1, 4), 2500)
IDLE_MS = 5000
MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"
TCP, UDP, ICMP, ICMP6, SCTP = 6, 17, 1, 58, 132


class Mix:
    """Packets of conversations that come and go, over what a link may carry: VLANs in each other, options of IPv4, extension
    headers of IPv6, padding; and frames of which no flow is made."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.conversations = [self.conversation() for _ in range(200)]

    def conversation(self):
        r = self.random
        version = r.choice((4, 4, 6))
        ends = [self.address(version), self.address(version)]
        protocol = r.choice((TCP, TCP, UDP, UDP, ICMP if version == 4 else ICMP6, SCTP))
        ports = [0, 0] if protocol in (ICMP, ICMP6) else [r.choice((53, 80, 443, 9, 60000)), r.randint(1024, 65535)]
        return version, ends, protocol, ports, [r.randint(1, 4094) for _ in range(r.choice((0, 0, 0, 1, 2)))]

    def address(self, version):
        n = self.random.randint(1, 60)
        return socket.inet_aton(f"10.{n % 3}.0.{n}") if version == 4 else socket.inet_pton(socket.AF_INET6, f"fd00::{n:x}")

    def frames(self, count):
        """(seconds, frame): mostly a few milliseconds between them, at times longer than a flow may be silent."""
        r, now = self.random, 0.0
        for _ in range(count):
            now += 0.001 * (r.randint(1, 40) if r.random() < 0.998 else r.randint(1000, 7000))
            yield round(now, 6), self.frame()

    def frame(self):
        r = self.random
        if r.random() < 0.02:
            # what does not say IP and yet begins as it would does count as IP, as nfstream has it: 0x4., 0x6.
            return MACS + r.choice((b"\x08\x06\0\1\x08\0\6\4\0\1", b"\x88\xcc\x02\x07\x04", b"\x12\x34\x07")) + \
                r.randbytes(40)
        version, ends, protocol, ports, vlans = r.choice(self.conversations)
        way = r.randint(0, 1)
        data = r.randbytes(r.choice((0, 1, 20, 200, 1200)))
        payload = self.transport(protocol, ports[way], ports[1 - way], data)
        packet = self.ipv4(ends[way], ends[1 - way], protocol, payload) if version == 4 else \
            self.ipv6(ends[way], ends[1 - way], protocol, payload)
        tags = b"".join(struct.pack(">HH", 0x88a8 if len(vlans) == 2 and vlan is vlans[0] else 0x8100, vlan)
                        for vlan in vlans)
        frame = MACS + tags + (b"\x08\0" if version == 4 else b"\x86\xdd") + packet
        return frame + bytes(max(0, 60 - len(frame))) if r.random() < 0.5 else frame  # padded to Ethernet's least

    def transport(self, protocol, source, destination, data):
        r = self.random
        if protocol == TCP:
            options = bytes(4 * r.choice((0, 0, 3)))
            return struct.pack(">HHIIBBHHH", source, destination, r.getrandbits(32), r.getrandbits(32),
                               5 + len(options) // 4 << 4, r.choice((2, 16, 24, 17, 18)), 1000, 0, 0) + options + data
        if protocol == UDP:
            return struct.pack(">HHHH", source, destination, 8 + len(data), 0) + data
        if protocol == SCTP:
            return struct.pack(">HHII", source, destination, 1, 0) + b"\0\3\0\x10" + bytes(12)
        return struct.pack(">BBHHH", *((8, 0) if protocol == ICMP else (128, 0)), 0, 7, 1) + data

    def ipv4(self, source, destination, protocol, payload):
        options = b"\1" * (4 * self.random.choice((0, 0, 0, 1, 10)))
        head = 5 + len(options) // 4
        return struct.pack(">BBHHHBBH4s4s", 0x40 | head, 0, 4 * head + len(payload), 0, 0, 64, protocol, 0, source,
                           destination) + options + payload

    def ipv6(self, source, destination, protocol, payload):
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):  # destination options, of padding
            payload, protocol = bytes([protocol, 0, 1, 4, 0, 0, 0, 0]) + payload, 60
        return struct.pack(">IHBB16s16s", 6 << 28, len(payload), protocol, 64, source, destination) + payload


class Differential(harness.TestCase):
    def capture(self, seed):
        return harness.write_timed(self.folder / f"mix{seed}.pcap", Mix(seed).frames(FRAMES))

    def by_tshark(self, capture):
        """Flows as tshark's fields of each packet add up to them: ends in an order of their own, packets, octets, first and
        last, a new one after a silence. And how many packets are none of IP. SCTP has no ports, as nfstream has it."""
        fields = ("frame.time_epoch", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.proto", "ipv6.nxt",
                  "ipv6.dstopts.nxt", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "vlan.id")
        run = subprocess.run(["tshark", "-r", capture, "-n", "-T", "fields", "-E", "occurrence=a", "-E", "separator=;",
                              *(word for field in fields for word in ("-e", field))], check=True, capture_output=True,
                             text=True, timeout=600)
        flows, open_flows, others = collections.Counter(), {}, 0
        for line in run.stdout.splitlines():
            row = dict(zip(fields, line.split(";")))
            source, destination = row["ip.src"] or row["ipv6.src"], row["ip.dst"] or row["ipv6.dst"]
            if not source:
                others += 1
                continue
            protocol = row["ip.proto"] or (row["ipv6.dstopts.nxt"] or row["ipv6.nxt"]).split(",")[-1]
            ports = [next((row[f"{kind}.{end}port"] for kind in ("tcp", "udp") if row[f"{kind}.{end}port"]), "0")
                     for end in ("src", "dst")]
            ends = tuple(sorted((str(ipaddress.ip_address(a)), p) for a, p in zip((source, destination), ports)))
            key = (ends, int(protocol), int((row["vlan.id"] or "0").split(",")[-1]))
            ms = int(row["frame.time_epoch"].replace(".", "")[:13])
            flow = open_flows.get(key)
            if flow and ms - flow[3] >= IDLE_MS:
                flows[(key, *flow)] += 1
                flow = None
            if not flow:
                flow = open_flows[key] = [0, 0, ms, ms]
            flow[0] += 1
            flow[1] += int(row["frame.len"])
            flow[3] = ms
        for key, flow in open_flows.items():
            flows[(key, *flow)] += 1
        return flows, others

    def ours(self, capture, *settings):
        return self.csv_of(capture, settings=("metering.n_dissections=0", f"metering.idle_timeout={IDLE_MS // 1000}",
                                              *settings))

    def as_flow(self, row):
        ends = tuple(sorted((row[f"{end}_ip"], row[f"{end}_port"]) for end in ("src", "dst")))
        return ((ends, int(row["protocol"]), int(row["vlan_id"])), int(row["bidirectional_packets"]),
                int(row["bidirectional_bytes"]), int(row["bidirectional_first_seen_ms"]),
                int(row["bidirectional_last_seen_ms"]))

    def test_flows_are_what_tshark_decodes(self):
        packets = count = 0
        for seed in SEEDS:
            with self.subTest(seed=seed):
                capture = self.capture(seed)
                theirs, others = self.by_tshark(capture)
                rows = self.ours(capture)
                self.assertEqual(collections.Counter(map(self.as_flow, rows)), theirs)
                self.assertEqual(harness.total(rows, "bidirectional_packets") + others, FRAMES)
                information = self.run_program("capinfos", "-M", "-c", "-d", capture).stdout
                self.assertEqual(int(re.search(r"Number of packets:\s+(\d+)", information).group(1)), FRAMES)
                packets, count = packets + FRAMES, count + len(rows)
        print(f"{packets} packets of {len(SEEDS)} random captures, {count} flows as tshark has them", flush=True)

    def test_one_meter_is_four(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                runs = [collections.Counter(tuple(value for column, value in row.items() if column != "id") for row in
                                            self.ours(self.capture(seed), f"capture.n_meters={meters}",
                                                      "metering.statistical_analysis=true", "metering.splt_analysis=5"))
                        for meters in (1, 4)]
                self.assertGreater(sum(runs[0].values()), 200)
                self.assertEqual(runs[0], runs[1])

    def test_ipfix_says_in_ipfixdump_what_csv_says(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                capture, path = self.capture(seed), self.folder / f"flows{seed}.ipfix"
                self.nfstreamd("-r", capture, "-w", path, "--set", "metering.n_dissections=0", "--set",
                               f"metering.idle_timeout={IDLE_MS // 1000}")
                dumped = self.run_program("ipfixDump", "--in", path, "--rfc5610").stdout
                theirs = collections.Counter()
                for text in re.findall(r"^--- data record .*?(?=^---|^\*\*\*|\Z)", dumped, re.MULTILINE | re.DOTALL):
                    found = dict(re.findall(r"^\s*\([\d/]+\)\s*(?:\(S\))?\s*(\w+) : ?(.*)$", text, re.MULTILINE))
                    if "octetDeltaCount" not in found:
                        continue
                    ends = [str(ipaddress.ip_address(found.get(f"{end}IPv4Address") or found[f"{end}IPv6Address"]))
                            for end in ("source", "destination")]
                    theirs[(*ends, found["sourceTransportPort"], found["destinationTransportPort"],
                            found["protocolIdentifier"], found["packetDeltaCount"],
                            found.get("reversePacketDeltaCount", "0"))] += 1
                ours = collections.Counter(tuple(row[name] for name in (
                    "src_ip", "dst_ip", "src_port", "dst_port", "protocol", "src2dst_packets", "dst2src_packets"))
                    for row in self.ours(capture))
                self.assertEqual(theirs, ours)


if __name__ == "__main__":
    harness.main()
