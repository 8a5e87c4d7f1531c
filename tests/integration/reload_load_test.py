#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reloads one after the other under load: every packet is in exactly one record, or in a named counter.

Numbered packets cross a link while filters, timeouts, exporters and rings change and broken files come between. Seconds
of it at a low rate; with NFSTREAMD_LONG_TESTS=1, 50 reloads in a minute at 200,000 packets a second."""
import collections
import json
import os
import signal
import struct
import sys
import time
import unittest

import flows
import harness
from harness import BUILD, NFSTREAMCTL, wait_for

LONG = os.environ.get("NFSTREAMD_LONG_TESTS") == "1"
SENDER = BUILD / "tests" / "integration" / "number_sender"
RECORDER = harness.ROOT / "tests" / "integration" / "recorder.py"
RELOADS, SECONDS, RATE = (50, 60, 200_000) if LONG else (10, 5, 20_000)
PER_FLOW, SMALLEST = 64, 60
NEVER, SOMETIMES = 9997, 9998  # ports that filters leave out
EVERYTHING = f"udp and not dst port {NEVER}"
FILTERS = (EVERYTHING, f"not dst port {NEVER}", f"udp and not (dst port {NEVER} or dst port {SOMETIMES})",
           f"{EVERYTHING} and not (tcp port 80 or vlan 77)", f"ip and udp and not dst port {NEVER} and greater 30")
RINGS = ("64MiB", "48MiB", "80MiB")


def port(flow):
    return {1: SOMETIMES, 2: NEVER}.get(flow % 16, 9999)


def sequence_gaps(octets):
    """Where the sequence number of an IPFIX message is not that of the one before and its records (RFC 7011, 3.1)."""
    gaps, expected, templates = [], None, {}
    for begin, end, sequence in flows._messages(octets):
        if expected is not None and sequence != expected:
            gaps.append((begin, expected, sequence))
        expected = sequence
        for set_id, at, stop in flows._sets(octets, begin, end):
            if set_id in (2, 3):
                flows._learn(octets, at, stop, set_id == 3, templates)
            else:
                expected += templates[set_id].read(octets, at, stop, [])
    return gaps


@harness.needs_root("capture on a link of its own")
class ReloadUnderLoad(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")

    def record(self, protocol):
        """A collector that keeps the octets as they came, and its port."""
        number, prefix = harness.free_port(), self.folder / protocol
        process = self.start(sys.executable, "-B", RECORDER, protocol, number, prefix, namespace=self.probe)
        wait_for(lambda: process.listens(number, protocol), process.describe)
        return number, prefix

    def configuration(self, step):
        """The STEP-th one: each differs from the one before in something else."""
        second = step // 5 % 2
        exporters = [f"{{name: tcp, type: ipfix, collectors: ['tcp://127.0.0.1:{self.tcp}'], flush_interval: 100ms}}",
                     f"{{name: udp, type: ipfix, collectors: ['udp://127.0.0.1:{self.udp}'], flush_interval: 100ms}}"]
        if second:
            exporters.append(f"{{name: file, type: csv, path: {self.folder}/out{step // 10}.csv, fields: [src_ip]}}")
        listed = "".join(f"  - {one}\n" for one in exporters)
        return (f"capture:\n  - interface: m0\n    n_meters: 1\n    bpf_filter: '{FILTERS[(step + 4) // 5 % len(FILTERS)]}'\n"
                f"    socket_buffer_size: {RINGS[(step + 3) // 5 % len(RINGS)]}\n"
                f"metering:\n  idle_timeout: {10 + (step + 2) // 5 % 2}\n  overload: {{from: off}}\n"
                f"exporters:\n{listed}control: {{socket: {self.folder}/control.sock}}\n")

    def capture(self, daemon):
        return self.status(daemon)["interfaces"][0]

    def reload(self, daemon, text, outcome):
        self.write("nfstreamd.yaml", text)
        daemon.send_signal(signal.SIGHUP)
        expected = self.outcomes[outcome] = self.outcomes[outcome] + 1
        wait_for(lambda: self.status(daemon)["reload"][outcome] == expected, daemon.describe)

    def records(self, octets, name):
        """Packets and octets by flow, over all of its records, and how many records there are."""
        path = self.folder / f"{name}.ipfix"
        path.write_bytes(octets)
        found, count = collections.defaultdict(lambda: [0, 0]), 0
        run = self.run_program(NFSTREAMCTL, "collect", path, timeout=600)
        for line in run.stdout.splitlines():
            flow = json.loads(line)
            if "_options" in line or flow.get("dst_ip") != "192.0.2.1":
                continue
            a, b, c = map(int, flow["src_ip"].split(".")[1:])
            entry = found[a << 16 | b << 8 | c]
            entry[0] += flow["src2dst_packets"]
            entry[1] += flow["src2dst_bytes"]
            count += 1
        return found, count

    def check(self, octets, name, sent, lost):
        self.assertEqual(sequence_gaps(octets), [], name)
        found, records = self.records(octets, name)
        missing = sometimes = 0
        for flow in range(sent // PER_FLOW):
            packets, size = found.get(flow, (0, 0))
            if port(flow) == NEVER:
                self.assertEqual(packets, 0, f"{name}: flow {flow} was to be left out")
            elif port(flow) == SOMETIMES:
                self.assertLessEqual(packets, PER_FLOW, f"{name}: flow {flow} twice")
                sometimes += PER_FLOW - packets
            else:
                self.assertLessEqual(packets, PER_FLOW, f"{name}: flow {flow} twice")
                whole = sum(SMALLEST + index for index in range(PER_FLOW))
                if packets == PER_FLOW:
                    self.assertEqual(size, whole, f"{name}: flow {flow} has packets twice and lacks others")
                missing += PER_FLOW - packets
        self.assertLessEqual(missing, lost, f"{name}: packets are in no record and in no counter")
        self.assertGreaterEqual(missing + sometimes, lost, f"{name}: packets are in a record and counted as lost")
        return missing, sometimes, records

    def test_every_packet_is_in_one_record_or_in_a_counter(self):
        (self.tcp, tcp_file), (self.udp, udp_file) = self.record("tcp"), self.record("udp")
        self.outcomes = {"applied": 0, "rejected": 0}
        daemon = self.daemon(self.configuration(0), namespace=self.probe)
        wait_for(lambda: self.capture(daemon)["up"], daemon.describe)
        packets = RATE * SECONDS // PER_FLOW * PER_FLOW
        sender = self.start(SENDER, "up0", RATE, packets, PER_FLOW, namespace=self.far)
        begin = time.monotonic()
        for step in range(1, RELOADS + 1):
            while time.monotonic() < begin + step * SECONDS / (RELOADS + 1):
                time.sleep(0.01)
            if step % 5 == 0:
                self.reload(daemon, self.configuration(step - 1).replace("udp", "no such filter", 1), "rejected")
            else:
                self.reload(daemon, self.configuration(step), "applied")
        took = time.monotonic() - begin
        self.assertEqual(sender.wait(10 * SECONDS + 30), 0, sender.describe())
        wait_for(lambda: self.capture(daemon)["frames"] == self.capture(daemon)["frames"], daemon.describe)
        before = self.capture(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(before["unread"], 0)
        self.assertEqual([row for row in before["ignored"].items() if row[1]], [])
        dropped = before["kernel_dropped"]
        tcp_octets = tcp_file.with_name("tcp-0").read_bytes()
        self.assertFalse(tcp_file.with_name("tcp-1").exists(), "the session of the unchanged collector began anew")
        udp_octets = udp_file.with_name("udp-0").read_bytes()
        for name, octets in (("tcp", tcp_octets), ("udp", udp_octets)):
            missing, sometimes, records = self.check(octets, name, packets, dropped)
            print(f"{name}: {packets} packets sent ({sender.stdout().strip()}), {RELOADS} reloads in {took:.1f} s, "
                  f"{records} records, {missing} packets in none, {dropped} dropped by the kernel, "
                  f"{sometimes} left out by filters at times", file=sys.stderr)
        self.assertEqual(before["opens"], 1 + self.opened, "a ring of its own for each size, for nothing else")

    @property
    def opened(self):
        sizes = [RINGS[(step + 3) // 5 % len(RINGS)] for step in range(RELOADS + 1) if step % 5 or step == 0]
        return sum(a != b for a, b in zip(sizes, sizes[1:]))


if __name__ == "__main__":
    harness.main()
