#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several meters of one interface: the kernel shares the packets out, and both directions of a flow meet."""
import collections
import signal
import socket
import struct
import threading
import time

import harness
from harness import wait_for

METERS, PAIRS, ROUNDS = 4, 24, 5
ETHERTYPE = {4: b"\x08\x00", 6: b"\x86\xdd"}


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(payload, version, tags=()):
    """A frame; tags are (type, id), the outer one first."""
    inside = ETHERTYPE[version] + payload
    for tag, vlan in reversed(tags):
        inside = struct.pack(">HH", tag, vlan) + inside
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1" + inside


def datagram(source_port, destination_port, size):
    return struct.pack(">HHHH", source_port, destination_port, 8 + size, 0) + b"x" * size


def ipv4(source, destination, payload, fragment=0, identification=1):
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identification, fragment, 64, 17, 0) + addresses
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def ipv6(source, destination, payload, next_header=17):
    return (struct.pack(">IHBB", 6 << 28, len(payload), next_header, 64) + socket.inet_pton(socket.AF_INET6, source)
            + socket.inet_pton(socket.AF_INET6, destination) + payload)


def in_fragments(version, source, destination, udp, identification):
    """Two fragments of the datagram."""
    first, rest = udp[:64], udp[64:]
    if version == 4:
        return [ipv4(source, destination, first, 0x2000, identification),
                ipv4(source, destination, rest, 8, identification)]
    header = lambda offset: struct.pack(">BBHI", 17, 0, offset, identification)
    return [ipv6(source, destination, header(1) + first, 44), ipv6(source, destination, header(64) + rest, 44)]


class Traffic:
    """Two-way flows of many pairs of hosts, as frames for either side of a link."""

    def __init__(self, versions=(4, 6), tags=(), fragments=False):
        self.frames = []  # (from the far side, frame)
        self.packets = collections.Counter()
        for number in range(ROUNDS):
            for version in versions:
                for index in range(PAIRS):
                    a = f"10.50.{index}.1" if version == 4 else f"2001:db8:{index + 1:x}::1"
                    b = f"10.60.0.{index % 5}" if version == 4 else f"2001:db8:ffff::{index % 5 + 1:x}"
                    ports = (20000 + index, 53)
                    for far in (True, False):
                        source, destination = (a, b) if far else (b, a)
                        udp = datagram(*(ports if far else reversed(ports)), 200)
                        wrap = ipv4 if version == 4 else ipv6
                        packets = (in_fragments(version, source, destination, udp, number * 2 + far)
                                   if fragments and number % 2 else [wrap(source, destination, udp)])
                        for packet in packets:
                            self.frames.append((far, ethernet(packet, version, tags)))
                            self.packets[a, ports[0], b, ports[1], far] += 1


@harness.needs_root("capture on links of its own")
class LiveMeters(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")
        self.open_sockets()

    def open_sockets(self):
        """One that sends out of the far end of the link, one that sends out of ours."""
        self.sockets = {True: self.far.packet_socket("up0"), False: self.probe.packet_socket("m0")}
        for opened in self.sockets.values():
            self.addCleanup(opened.close)

    def send(self, traffic, pause=0.0):
        for far, frame in traffic.frames:
            self.sockets[far].send(frame)
            if pause:
                time.sleep(pause)

    def configuration(self, meters=METERS, more="", options=""):
        return (f"capture:\n  - {{interface: m0, n_meters: {meters}, bpf_filter: 'not arp'{options}}}\n"
                f"metering: {{idle_timeout: 600, n_dissections: 0, fragments: all}}\n"
                f"exporters: [{{name: out, type: json, path: {self.folder}/flows.json}}]\n"
                f"control: {{socket: {self.folder}/control.sock}}\n{more}")

    def start_meters(self, configuration):
        daemon = self.daemon(configuration, namespace=self.probe, processors=8)
        wait_for(lambda: all(row["up"] for row in self.status(daemon)["interfaces"]), daemon.describe)
        return daemon

    def metered(self, daemon):
        return [row["metered"]["packets"] for row in self.status(daemon)["interfaces"]]

    def flows(self):
        return self.json_records(self.folder / "flows.json")

    def check_packets(self, expected):
        """Every packet is in a record, of its flow and direction."""
        found = collections.Counter()
        for flow in self.flows():
            near, far = (flow["src_ip"], flow["src_port"]), (flow["dst_ip"], flow["dst_port"])
            began_far = flow["dst_port"] == 53  # whichever packet the kernel showed first
            ends = (*near, *far) if began_far else (*far, *near)
            found[(*ends, began_far)] += flow["src2dst_packets"]
            found[(*ends, not began_far)] += flow["dst2src_packets"]
        wrong = {key: (found[key], expected.get(key, 0)) for key in {*found, *expected} if found[key] != expected.get(key, 0)}
        self.assertEqual(wrong, {}, "packets of a flow and direction: found, expected")

    def check_flows(self, expected):
        """The same, and every flow is one record."""
        self.check_packets(expected)
        self.assertEqual(len(self.flows()), len(expected) // 2)

    def check(self, traffic):
        daemon = self.start_meters(self.configuration())
        self.assertEqual([row["name"] for row in self.status(daemon)["interfaces"]], [f"m0/{i}" for i in range(METERS)])
        self.send(traffic)
        total = sum(traffic.packets.values())
        wait_for(lambda: sum(self.metered(daemon)) >= total, lambda: f"{self.metered(daemon)} of {total}\n{daemon.describe()}")
        shares = self.metered(daemon)
        self.assertEqual(sum(shares), total)
        self.assertGreaterEqual(sum(share > 0 for share in shares), 3, shares)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.check_flows(traffic.packets)

    def test_both_directions_of_every_flow_meet(self):
        self.check(Traffic())

    def test_frames_with_vlan_tags_in_them_meet(self):
        self.check(Traffic(tags=((0x8100, 7),)))

    def test_frames_with_two_vlan_tags_meet(self):
        self.check(Traffic(tags=((0x88a8, 7), (0x8100, 8))))

    def test_fragments_of_both_directions_meet(self):
        self.check(Traffic(fragments=True))
        for flow in self.flows():
            self.assertEqual(flow["bidirectional_packets"], 2 * (ROUNDS + ROUNDS // 2), flow)

    def test_another_number_of_meters_loses_no_packet_and_counts_none_twice(self):
        daemon = self.start_meters(self.configuration(meters=1))
        traffic = Traffic(versions=(4,))
        sender = threading.Thread(target=lambda: [self.send(traffic, pause=0.002) for _ in range(3)])
        sender.start()
        for applied, meters in enumerate((3, 2, 1), 1):
            time.sleep(0.3)  # traffic before, while and after
            self.write("nfstreamd.yaml", self.configuration(meters=meters))
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: self.status(daemon)["reload"]["applied"] == applied, daemon.describe)
            self.assertEqual(len(self.status(daemon)["interfaces"]), meters)
        sender.join()
        time.sleep(0.2)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.check_packets({key: 3 * count for key, count in traffic.packets.items()})

    def test_another_filter_keeps_flows_and_loses_no_packet(self):
        daemon = self.start_meters(self.configuration(meters=3))
        traffic = Traffic(versions=(4,))
        sender = threading.Thread(target=lambda: [self.send(traffic, pause=0.002) for _ in range(2)])
        sender.start()
        time.sleep(0.3)
        self.write("nfstreamd.yaml", self.configuration(meters=3).replace("not arp", "udp or ip6"))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == 1, daemon.describe)
        sender.join()
        time.sleep(0.2)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.check_flows({key: 2 * count for key, count in traffic.packets.items()})

    def test_an_interface_that_comes_back_is_shared_again(self):
        daemon = self.start_meters(self.configuration())
        self.probe.ip("link", "delete", "m0")
        wait_for(lambda: not any(row["up"] for row in self.status(daemon)["interfaces"]), daemon.describe)
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")
        wait_for(lambda: all(row["up"] for row in self.status(daemon)["interfaces"]), daemon.describe)
        self.open_sockets()
        traffic = Traffic()
        self.send(traffic)
        total = sum(traffic.packets.values())
        wait_for(lambda: sum(self.metered(daemon)) >= total, daemon.describe)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.check_flows(traffic.packets)

    def test_more_meters_than_processors_allow_are_not_started(self):
        daemon = self.daemon(self.configuration(meters=8), namespace=self.probe, processors=3)
        self.assertEqual(len(self.status(daemon)["interfaces"]), 2)
        self.assertIn("8 meters would contend for 3 processors: there will be 2", daemon.stderr())
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_without_a_number_there_is_one_less_than_processors(self):
        daemon = self.daemon(self.configuration(meters=0), namespace=self.probe, processors=4)
        self.assertEqual([row["name"] for row in self.status(daemon)["interfaces"]], ["m0/0", "m0/1", "m0/2"])
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
