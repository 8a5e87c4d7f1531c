#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fields of group tcp_quality against tshark's sequence analysis of the same packets."""
import collections
import ipaddress
import pathlib
import random
import struct
import subprocess

import harness
from harness import CAPTURES

COUNTERS = ("retransmitted", "out_of_order", "zero_window")
# A retransmission by any of tshark's names.
ANALYSIS = ("tcp.analysis.retransmission", "tcp.analysis.out_of_order", "tcp.analysis.zero_window",
            "tcp.analysis.fast_retransmission", "tcp.analysis.spurious_retransmission")
FIELDS = ("tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "frame.time_epoch", "tcp.len", "tcp.flags",
          "tcp.analysis.initial_rtt", *ANALYSIS)


def flags_of(text):
    return int(text, 16)


class Stream:
    """What tshark says of one TCP conversation; the first sender is the initiator."""

    def __init__(self):
        self.initiator = None
        self.counts = collections.Counter()
        self.syn = self.client = self.server_handshake = self.request = self.response = self.initial_rtt = None

    def add(self, row):
        source = (row["ip.src"] or row["ipv6.src"], row["tcp.srcport"])
        self.initiator = self.initiator or source
        side = "src2dst" if source == self.initiator else "dst2src"
        again = any(row[name] for name in ANALYSIS if name.endswith("retransmission"))
        self.counts[side, "retransmitted"] += again
        self.counts[side, "out_of_order"] += bool(row["tcp.analysis.out_of_order"])
        self.counts[side, "zero_window"] += bool(row["tcp.analysis.zero_window"])
        self.initial_rtt = self.initial_rtt or row["tcp.analysis.initial_rtt"]
        now, flags = float(row["frame.time_epoch"]), flags_of(row["tcp.flags"]) & 0x12
        if flags == 0x02:
            self.syn, self.client = now, source
        elif flags == 0x12 and self.server_handshake is None and self.syn is not None and source != self.client:
            self.server_handshake = now - self.syn
        if int(row["tcp.len"] or 0) == 0 or self.response is not None:
            return
        if source == (self.client or self.initiator):
            self.request = now if self.request is None else self.request
        elif self.request is not None:
            self.response = now - self.request


def streams_of(capture):
    command = ["tshark", "-r", capture, "-Y", "tcp", "-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields",
               "-E", "occurrence=l", "-E", "separator=;"]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=True)
    streams = collections.defaultdict(Stream)
    for line in run.stdout.splitlines():
        row = dict(zip(FIELDS, line.split(";")))
        if row["tcp.stream"]:
            streams[row["tcp.stream"]].add(row)
    return streams


class Writer:
    """A capture of TCP segments, raw IPv4."""

    def __init__(self):
        self.records = []

    def segment(self, at, source, destination, seq, ack, flags, length=0, window=1000):
        """`at` in microseconds."""
        total = 40 + length
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0x4000, 64, 6, 0,
                             ipaddress.ip_address(source[0]).packed, ipaddress.ip_address(destination[0]).packed)
        tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], seq & 0xffffffff, ack & 0xffffffff, 0x50, flags,
                          window, 0, 0)
        self.records.append((at, header + tcp + bytes(length)))

    def write(self, path):
        with open(path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
            for at, octets in sorted(self.records, key=lambda record: record[0]):
                file.write(struct.pack("<IIII", 1_700_000_000 + at // 1_000_000, at % 1_000_000, len(octets),
                                       len(octets)) + octets)


def transfer(writer, number, draw):
    """A download over a bad link: loss, reordering, repetition, duplicate ACKs, closed windows, keep-alives."""
    client, server = ("10.0.0.1", 20000 + number), ("10.0.0.2", 80)
    now = number * 1_000_000
    rtt = draw.choice((800, 15_000, 120_000))
    isn, server_isn = draw.getrandbits(32), draw.getrandbits(32)
    if draw.random() < 0.8:
        for _ in range(draw.choice((1, 1, 2))):
            writer.segment(now, client, server, isn, 0, 0x02)
            now += draw.choice((1_000_000, 2_500))
        now += rtt
        writer.segment(now, server, client, server_isn, isn + 1, 0x12)
        writer.segment(now + 200, client, server, isn + 1, server_isn + 1, 0x10)
    seq, ack = server_isn + 1, server_isn + 1
    writer.segment(now + 300, client, server, isn + 1, seq, 0x18, 50)
    now += 300
    for _ in range(draw.randrange(20, 120)):
        now += draw.choice((100, 900, 5_000, 30_000))
        length = draw.choice((1, 100, 1000))
        step = draw.random()
        if step < 0.10:  # again, some of it
            writer.segment(now, server, client, seq - draw.randrange(1, 2000), isn + 51, 0x10, length)
        elif step < 0.18:  # a gap, then what belongs in it
            writer.segment(now, server, client, seq + length, isn + 51, 0x10, length)
            for _ in range(draw.randrange(0, 4)):
                now += 150
                writer.segment(now, client, server, isn + 51, ack, 0x10)
            now += draw.choice((500, 9_000, 40_000, 300_000))
            writer.segment(now, server, client, seq, isn + 51, 0x10, length)
            seq += 2 * length
        elif step < 0.24:  # window shut and probed
            writer.segment(now, client, server, isn + 51, ack, 0x10, 0, 0)
            writer.segment(now + 400_000, server, client, seq, isn + 51, 0x10, 1)
            writer.segment(now + 400_200, client, server, isn + 51, ack, 0x10, 0, draw.choice((0, 1000)))
            now += 500_000
        elif step < 0.28:  # keep-alive
            writer.segment(now + 45_000_000, server, client, seq - 1, isn + 51, 0x10, draw.choice((0, 1)))
            now += 45_000_200
            writer.segment(now, client, server, isn + 51, ack, 0x10)
        else:
            writer.segment(now, server, client, seq, isn + 51, 0x10, length)
            seq += length
        if draw.random() < 0.6:
            now += 120
            ack = draw.choice((seq, seq, ack))
            writer.segment(now, client, server, isn + 51, ack, 0x10, 0, draw.choice((1000, 1000, 900)))
    writer.segment(now + 1000, server, client, seq, isn + 51, 0x11)
    writer.segment(now + 1500, client, server, isn + 51, seq + 1, 0x11)


class TcpQuality(harness.TestCase):
    def flows(self, capture):
        flows = self.csv_of(capture, settings=(
            "metering.tcp_quality=true", "metering.n_dissections=0", "metering.idle_timeout=100000",
            "metering.active_timeout=1000000", "exporters.write.fields=[default, tcp_quality]"))
        return [flow for flow in flows if flow["protocol"] == "6"]

    def compare(self, capture):
        """Counts of flows compared and of packets found; every flow must be one of tshark's streams."""
        streams = collections.defaultdict(list)
        for stream in streams_of(capture).values():
            streams[stream.initiator].append(stream)
        compared, found = 0, collections.Counter()
        for flow in self.flows(capture):
            key = (flow["src_ip"], flow["src_port"])
            if len(streams[key]) != 1:
                continue  # ports used again within one flow, or to several servers: no one stream to compare with
            stream, compared = streams[key][0], compared + 1
            what = f"{capture.name} {key}"
            for side in ("src2dst", "dst2src"):
                for name in COUNTERS:
                    self.assertEqual(int(flow[f"{side}_{name}_packets"]), stream.counts[side, name],
                                     f"{what} {side} {name}")
                    found[name] += stream.counts[side, name]
            self.times(flow, stream, what)
        return compared, found

    def times(self, flow, stream, what):
        def same(column, want):
            have = flow[column]
            if want is None:
                self.assertEqual(have, "", f"{what} {column}")
            else:
                self.assertAlmostEqual(int(have), want * 1e6, delta=2, msg=f"{what} {column}")
        same("tcp_server_handshake_us", stream.server_handshake)
        same("tcp_first_response_us", stream.response)
        if stream.initial_rtt and stream.server_handshake is not None:
            both = int(flow["tcp_server_handshake_us"]) + int(flow["tcp_client_handshake_us"])
            self.assertAlmostEqual(both, float(stream.initial_rtt) * 1e6, delta=2, msg=what)

    def test_transfers_over_bad_links(self):
        draw, writer = random.Random(20), Writer()
        for number in range(150):
            transfer(writer, number, draw)
        capture = pathlib.Path(self.folder, "bad.pcap")
        writer.write(capture)
        compared, found = self.compare(capture)
        self.assertEqual(compared, 150)
        for name in COUNTERS:
            self.assertGreater(found[name], 50, name)

    def test_recorded_connections(self):
        compared = sum(self.compare(CAPTURES / f"{name}.pcap")[0]
                       for name in ("http", "tls12", "tls_h2", "ssh", "ftp", "smtp", "iperf3", "postgres"))
        self.assertGreaterEqual(compared, 10)

    def test_without_the_setting_there_are_no_columns(self):
        run = self.nfstreamd("-r", CAPTURES / "http.pcap", "--set", "exporters.write.fields=[tcp_quality]", "-w",
                             pathlib.Path(self.folder, "x.csv"), status=78)
        self.assertIn("metering.tcp_quality: true", run.stderr)


if __name__ == "__main__":
    harness.main()
