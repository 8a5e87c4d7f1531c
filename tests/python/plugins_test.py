#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""NFPlugin classes of nfstream 6: their calls, packets, values and errors; nfstream's own plugins."""
import hashlib
import json
import pathlib
import socket
import struct
import traceback

import numpy
import pandas

import support
from nfstreamd import NFPlugin, NFStreamer
from nfstreamd.plugins import DHCP, JA4, MDNS, SPLT, FlowSlicer, WFPlugin

OF_A_PACKET = ["time", "delta_time", "direction", "raw_size", "ip_size", "transport_size", "payload_size", "src_ip",
               "src_mac", "src_oui", "dst_ip", "dst_mac", "dst_oui", "src_port", "dst_port", "protocol", "vlan_id",
               "ip_version", "syn", "cwr", "ece", "urg", "ack", "psh", "rst", "fin", "tunnel_id"]


def read(streamer):
    """Names and texts of what plugins have left of each flow."""
    return [vars(flow.udps) for flow in streamer]


class Calls(support.TestCase):
    def test_every_packet_is_shown_once_with_the_flow_that_has_counted_it(self):
        class Watch(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.calls = [("init", packet.raw_size, flow.bidirectional_packets, flow.src2dst_bytes)]

            def on_update(self, packet, flow):
                flow.udps.calls.append(("update", packet.raw_size, flow.bidirectional_packets, flow.src2dst_bytes))

            def on_expire(self, flow):
                flow.udps.calls.append(("expire", flow.bidirectional_packets, flow.expiration_id))
        source = self.packets([60, 80, 100])
        self.assertEqual(read(NFStreamer(source=source, udps=Watch())),
                         [{"calls": [("init", 60, 1, 60), ("update", 80, 2, 140), ("update", 100, 3, 240),
                                     ("expire", 3, 0)]}])

    def test_packets_of_both_directions(self):
        class Keep(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.packets = [packet]

            def on_update(self, packet, flow):
                flow.udps.packets.append(packet)
        frames = [support.harness.udp_frame("10.0.0.1", 5, "10.0.0.2", 6, b"abc"),
                  support.harness.udp_frame("10.0.0.2", 6, "10.0.0.1", 5, b"defgh")]
        flow, = NFStreamer(source=self.write("both.pcap", frames, gap_us=7000), udps=Keep())
        first, second = flow.udps.packets  # kept longer than their calls
        want = {"time": 1_700_000_000_007, "delta_time": 7, "direction": 1, "raw_size": 47, "ip_size": 33,
                "transport_size": 13, "payload_size": 5, "src_ip": "10.0.0.2", "src_mac": "02:00:00:00:00:02",
                "src_oui": "02:00:00", "dst_ip": "10.0.0.1", "dst_mac": "02:00:00:00:00:01", "dst_oui": "02:00:00",
                "src_port": 6, "dst_port": 5, "protocol": 17, "vlan_id": 0, "ip_version": 4, "tunnel_id": 0}
        want.update(dict.fromkeys(("syn", "cwr", "ece", "urg", "ack", "psh", "rst", "fin"), 0))
        # the flow's addresses, changed over, whatever the frame of the way back says: here both say the same host
        want["src_mac"], want["dst_mac"] = flow.dst_mac, flow.src_mac
        self.assertEqual({name: getattr(second, name) for name in OF_A_PACKET}, want)
        self.assertEqual((first.direction, first.delta_time, first.time), (0, 0, 1_700_000_000_000))
        self.assertEqual((first.ip_packet, second.ip_packet), (frames[0][14:], frames[1][14:]))
        self.assertTrue(repr(second).startswith("NFPacket(time=1700000000007, delta_time=7, direction=1, raw_size=47"))

    def test_all_attributes_of_the_flow_are_there_while_it_lives(self):
        class Look(NFPlugin):
            def on_init(self, packet, flow):
                self.on_update(packet, flow)

            def on_update(self, packet, flow):
                flow.udps.seen = dict(zip(flow.keys(), flow.values()))
        streamer = NFStreamer(source=support.capture("facebook"), statistical_analysis=True, splt_analysis=4,
                              udps=Look())
        for flow in streamer:
            seen = flow.udps.seen
            del flow.udps.seen
            now = dict(zip(flow.keys(), flow.values()))
            different = {name for name in now if now[name] != seen[name]}
            self.assertLessEqual(different, {"id"})  # of all that the last packet has changed

    def test_several_plugins_in_their_order_and_named_arguments_as_attributes(self):
        class First(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.value = self.start

        class Second(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.value *= self.factor
        streamer = NFStreamer(source=self.packets([60]), udps=[First(start=3), Second(factor=5)])
        self.assertEqual(read(streamer), [{"value": 15}])
        self.assertEqual(read(streamer), [{"value": 15}])

    def test_plugins_of_a_run_are_copies(self):
        class Count(NFPlugin):
            def on_init(self, packet, flow):
                self.seen.append(packet.raw_size)
                flow.udps.seen = len(self.seen)
        plugin = Count(seen=[])
        streamer = NFStreamer(source=self.packets([60, 60]), idle_timeout=0, udps=plugin)
        self.assertEqual(read(streamer), [{"seen": 1}, {"seen": 2}])
        self.assertEqual(read(streamer), [{"seen": 1}, {"seen": 2}])
        self.assertEqual(plugin.seen, [])

    def test_custom_expiration(self):
        class End(NFPlugin):
            def on_update(self, packet, flow):
                if packet.raw_size == 99:
                    flow.expiration_id = self.number
        source = self.packets([60, 99, 60, 60, 99, 60])
        for number in (-1, -7):
            flows = list(NFStreamer(source=source, udps=End(number=number)))
            self.assertEqual([(flow.id, flow.expiration_id, flow.bidirectional_packets) for flow in flows],
                             [(0, number, 2), (1, number, 3), (2, 0, 1)])

    def test_what_a_plugin_writes_over_a_column(self):
        class Hide(NFPlugin):
            def on_init(self, packet, flow):
                flow.src_ip = "hidden"

            def on_expire(self, flow):
                flow.dst_port = None
        streamer = NFStreamer(source=support.capture("facebook"), udps=Hide())
        self.assertEqual([(flow.src_ip, flow.dst_port) for flow in streamer], [("hidden", None)] * 2)
        frame = streamer.to_pandas()
        self.assertEqual(frame["src_ip"].tolist(), ["hidden"] * 2)
        streamer.to_csv("out.csv")
        pandas.testing.assert_frame_equal(frame, pandas.read_csv("out.csv", float_precision="round_trip"))

    def test_errors_end_the_reading_and_say_where(self):
        events = []

        class Broken(NFPlugin):
            def on_update(self, packet, flow):
                raise LookupError("of the plugin")

            def cleanup(self):
                events.append("cleanup")
        streamer = NFStreamer(source=self.packets([60, 60]), udps=Broken())
        for reading in (list, NFStreamer.to_pandas, NFStreamer.to_csv):
            try:
                reading(streamer)
            except LookupError as error:
                self.assertEqual(str(error), "of the plugin")
                self.assertEqual(traceback.extract_tb(error.__traceback__)[-1].name, "on_update")
            else:
                self.fail("no error")
        self.assertEqual(events, ["cleanup"] * 3)

    def test_cleanup_comes_once_for_each_meter(self):
        events = []

        class Clean(NFPlugin):
            def cleanup(self):
                events.append(self)
        streamer = NFStreamer(source=self.packets([60]), udps=[Clean(), Clean()])
        streamer._n_meters = 2
        self.assertEqual(streamer.to_csv("out.csv"), 1)
        self.assertEqual(len(set(map(id, events))), 4)
        self.assertEqual(len(events), 4)


class Values(support.TestCase):
    def test_columns_are_what_pandas_reads_of_them(self):
        class Give(NFPlugin):
            def on_init(self, packet, flow):
                number = packet.raw_size - 60
                udps = flow.udps
                udps.whole, udps.real, udps.truth = number, number / 2, number == 1
                udps.text, udps.quoted = ("", "b", "c")[number], 'say "hi", twice'
                udps.gap = None if number == 0 else number
                udps.numbers, udps.digits = [number, -1], str(number)
                udps.array, udps.scalar = numpy.array([number]), numpy.int64(number)
                if number == 2:
                    udps.late = "late"
        streamer = NFStreamer(source=self.packets([60, 61, 62]), idle_timeout=0, udps=Give())
        frame = streamer.to_pandas()
        streamer.udps[0].on_expire = lambda flow: flow.udps.__dict__.setdefault("late", None)
        kinds = {name: str(frame["udps." + name].dtype) for name in
                 ("whole", "real", "truth", "text", "quoted", "gap", "numbers", "digits", "array", "scalar", "late")}
        self.assertEqual(kinds, {"whole": "int64", "real": "float64", "truth": "bool", "text": "object",
                                 "quoted": "object", "gap": "float64", "numbers": "object", "digits": "int64",
                                 "array": "object", "scalar": "int64", "late": "object"})
        self.assertEqual(frame["udps.numbers"].tolist(), ["[0, -1]", "[1, -1]", "[2, -1]"])
        self.assertEqual(frame["udps.quoted"][0], 'say "hi", twice')
        self.assertEqual(list(frame)[-1], "udps.late")
        streamer = NFStreamer(source=self.packets([60, 61, 62]), idle_timeout=0, udps=Give())
        streamer.to_csv("out.csv")
        read_back = pandas.read_csv("out.csv", float_precision="round_trip")
        pandas.testing.assert_frame_equal(frame.drop(columns="udps.late"), read_back)

    def test_names_that_are_no_texts_and_udps_that_are_none(self):
        class Number(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.__dict__[5] = 1

        class Kind(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps = type(self)  # whose __dict__ is not a dict
        source = self.packets([60])
        streamer = NFStreamer(source=source, udps=Number())
        flow = next(iter(streamer))
        self.assertEqual((flow.keys()[-1], flow.values()[-1]), ("udps.5", 1))
        self.assertEqual(streamer.to_pandas()["udps.5"].tolist(), [1])
        streamer.to_csv("out.csv")
        self.assertEqual(pandas.read_csv("out.csv")["udps.5"].tolist(), [1])
        streamer.udps = Kind()
        self.assertIs(next(iter(streamer)).udps, Kind)
        self.assertEqual(streamer.to_csv("kind.csv"), 1)
        self.assertNotIn("udps", pathlib.Path("kind.csv").read_text())

    def test_pseudonyms_of_values(self):
        class Give(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.secret, flow.udps.none = "x", None
        streamer = NFStreamer(source=self.packets([60]), udps=Give())
        frame = streamer.to_pandas(columns_to_anonymize=["udps.secret", "udps.none"])
        self.assertRegex(frame["udps.secret"][0], "^[0-9a-f]{128}$")
        self.assertTrue(numpy.isnan(frame["udps.none"][0]))
        streamer.to_csv("out.csv", columns_to_anonymize=["udps.secret"])
        self.assertRegex(pandas.read_csv("out.csv")["udps.secret"][0], "^[0-9a-f]{128}$")


class Shipped(support.TestCase):
    def test_slicer(self):
        source = self.packets([60] * 28)
        for limit, last in ((1, 27), (4, 6)):
            flows = list(NFStreamer(source=source, udps=FlowSlicer(limit=limit)))
            self.assertEqual(flows[-1].id, last)
            self.assertEqual({flow.bidirectional_packets for flow in flows}, {limit})
            self.assertEqual({flow.expiration_id for flow in flows}, {-1})

    def test_splt_is_what_the_engine_has(self):
        for mode in range(4):
            frame = NFStreamer(source=support.capture("facebook"), splt_analysis=30, accounting_mode=mode,
                               udps=SPLT(sequence_length=30, accounting_mode=mode)).to_pandas()
            for name in ("splt_direction", "splt_ps", "splt_piat_ms"):
                self.assertEqual(frame["udps." + name].tolist(), frame[name].tolist())
        self.assertEqual(len(json.loads(frame["udps.splt_ps"][0])), 30)

    def test_dhcp(self):
        def message(source, kind, client="0.0.0.0", options=b"", address="255.255.255.255"):
            dhcp = struct.pack(">BBBBIHH4s12x6s10x192x4s", 1, 1, 6, 0, 9, 0, 0, socket.inet_aton(client),
                               bytes.fromhex("000b8201fc42"), bytes((99, 130, 83, 99)))
            return support.harness.udp_frame(source, 68, address, 67,
                                             dhcp + bytes((53, 1, kind)) + options + b"\xff" + b"\0" * 20)
        wanted = bytes((55, 4, 1, 3, 6, 42)) + b"\x32\x04" + socket.inet_aton("192.168.0.10") + b"\x0c\x04host" + \
            b"\x39\x02\x05\xdc" + b"\x3c\x03abc" + b"\x4d\x02xy"
        frames = [message("0.0.0.0", 1), message("0.0.0.0", 3, options=wanted),
                  message("10.0.0.9", 3, client="10.0.0.9", address="10.0.0.1"), message("10.0.0.9", 8, address="10.0.0.1")]
        streamer = NFStreamer(source=self.write("dhcp.pcap", frames), n_dissections=0, udps=DHCP())
        flows = list(streamer)
        self.assertEqual([flow.expiration_id for flow in flows], [-1, -1, -1])
        first, second, third = (vars(flow.udps) for flow in flows)
        self.assertEqual(str(first["dhcp_msg_type"]), "MsgType.DISCOVER")
        self.assertEqual({name: str(value) for name, value in second.items()},
                         {"dhcp_12": "host", "dhcp_50": "192.168.0.10", "dhcp_55": "1,3,6,42", "dhcp_57": "1500",
                          "dhcp_60": "abc", "dhcp_77": "xy", "dhcp_options": "[53, 55, 50, 12, 57, 60, 77]",
                          "dhcp_addr": "None", "dhcp_msg_type": "MsgType.REQUEST", "dhcp_oui": "00:0b:82"})
        self.assertEqual((third["dhcp_addr"], flows[2].bidirectional_packets), ("10.0.0.9", 2))
        self.assertEqual(streamer.to_pandas()["udps.dhcp_msg_type"][0], "MsgType.DISCOVER")

    def test_mdns(self):
        def name(*labels):
            return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"

        def answer(owner, kind, data):
            return owner + struct.pack(">HHIH", kind, 1, 120, len(data)) + data
        header = struct.pack(">HHHHHH", 0, 0x8400, 1, 3, 0, 0)
        question = name(b"_http", b"_tcp", b"local") + struct.pack(">HH", 12, 1)
        # the owner is the question's name; the value has a label of its own, and the rest from there
        body = header + question + answer(b"\xc0\x0c", 12, b"\x06a, box\xc0\x0c") + \
            answer(b"\xc0\x0c", 12, b"\x06a, box\xc0\x0c") + answer(b"\xc0\x0c", 1, b"\x0a\0\0\1")
        loop = struct.pack(">HHHHHH", 0, 0x8400, 0, 1, 0, 0) + b"\xc0\x0c"
        frames = [support.harness.udp_frame("10.0.0.1", 5353, "224.0.0.251", 5353, data)
                  for data in (body, loop, body[:40])]
        found = read(NFStreamer(source=self.write("mdns.pcap", frames), n_dissections=0, udps=MDNS()))
        self.assertEqual(found, [{"mdns_ptr": ["a  box._http._tcp.local"]}])

    def test_ja4(self):
        # the ClientHello with GREASE of FoxIO's documentation of JA4
        suites = (0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
                  0x009d, 0x002f, 0x0035)
        kinds = (0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
                 0xff01, 0x000b, 0x000a, 0x0015)
        algorithms = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601)
        data = {0x0010: sized(2, sized(1, b"h2") + sized(1, b"http/1.1")), 0x000d: sized(2, numbers(algorithms)),
                0x002b: sized(1, numbers((0x0a0a, 0x0304, 0x0303)))}
        extensions = b"".join(numbers((kind,)) + sized(2, data.get(kind, b"")) for kind in (0x1a1a, *kinds, 0x2a2a))
        hello = b"\x03\x03" + b"r" * 32 + sized(1, b"") + sized(2, numbers((0x3a3a, *suites))) + sized(1, b"\0") + \
            sized(2, extensions)
        server = b"\x03\x03" + b"s" * 32 + sized(1, b"") + b"\xc0\x30\0" + \
            sized(2, b"".join(numbers((kind,)) + sized(2, b"") for kind in (0x0005, 0x0017, 0xff01)))
        client_record, server_record = (b"\x16\x03\x01" + sized(2, bytes((kind,)) + sized(3, body))
                                        for kind, body in ((1, hello), (2, server)))
        found = read(NFStreamer(source=self.write("tls.pcap", connection(client_record, server_record)), udps=JA4()))
        self.assertEqual(found, [{"ja4": "t13d1516h2_8daaf6152771_e5627efa2ab1",
                                  "ja4s": "t120300_c030_" + hashlib.sha256(b"0005,0017,ff01").hexdigest()[:12]}])
        # without the SYN nothing is looked for
        found = read(NFStreamer(source=self.write("late.pcap", connection(client_record, server_record)[1:]),
                                udps=JA4()))
        self.assertEqual(found, [{"ja4": None, "ja4s": None}])

    def test_wavelet_features(self):
        # two packets after the first: 100 octets in bin 0, 300 in bin 3, one second each
        frames = [support.harness.udp_frame("10.0.0.1", 1, "10.0.0.2", 2, b"x" * size) for size in (10, 72, 272)]
        source = self.folder / "waves.pcap"
        support.harness.write_timed(source, zip((0, 0.5, 3.5), frames))
        flow, = NFStreamer(source=str(source), udps=WFPlugin(active_timeout=4, levels=2))
        values = vars(flow.udps)
        self.assertEqual(len(values), 24)
        # Haar without decimation of (100, 0, 0, 300): a2, d2, d1
        root = numpy.sqrt(0.5)
        rows = numpy.array([[200.0] * 4, [-100, -200, 100, 200], [100 * root, 0, -300 * root, 200 * root]])
        energy = (rows**2).sum(axis=1)
        for level in range(3):
            self.assertAlmostEqual(values[f"f_p_k_{level}"], energy[level] / (energy.sum() + 1e-7))
            self.assertAlmostEqual(values[f"f_u_k_{level}"], numpy.abs(rows[level]).mean())
            self.assertAlmostEqual(values[f"f_sigma_k_{level}"], rows[level].std())
            share = rows[level]**2 / (energy[level] + 1e-7)
            self.assertAlmostEqual(values[f"f_S_k_{level}"], -(share * numpy.log(share + 1e-7)).sum())
            self.assertEqual(values[f"b_u_k_{level}"], 0)


def sized(width, data):
    return len(data).to_bytes(width, "big") + data


def numbers(values):
    return b"".join(struct.pack(">H", value) for value in values)


def connection(request, response):
    """The handshake of TCP, then one segment each way."""
    def segment(source, destination, flags, data=b""):
        tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], 1, 1, 0x50, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, socket.inet_aton(source[0]),
                         socket.inet_aton(destination[0]))
        return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp + data
    client, server = ("10.0.0.1", 40000), ("10.0.0.2", 443)
    return [segment(client, server, 2), segment(server, client, 18), segment(client, server, 16),
            segment(client, server, 24, request), segment(server, client, 24, response)]


if __name__ == "__main__":
    support.main()
