#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The faces of nfstream 3 and 0.x: their parameters, attributes and plugins."""
import contextlib
import io
import json

import support
from nfstreamd import NFPlugin, NFStreamer
from nfstreamd.nfstream3 import NFStreamer as NFStreamer3
from nfstreamd.streamer import Streamer

ENTRY = ["id", "first_seen", "last_seen", "version", "src_port", "dst_port", "protocol", "vlan_id", "src_ip", "dst_ip",
         "total_packets", "total_bytes", "duration", "src2dst_packets", "src2dst_bytes", "dst2src_packets",
         "dst2src_bytes", "expiration_id", "master_protocol", "app_protocol", "application_name", "category_name",
         "client_info", "server_info", "j3a_client", "j3a_server"]
FLOW = ["ip_src", "src_port", "ip_dst", "dst_port", "ip_protocol", "src_to_dst_pkts", "dst_to_src_pkts",
        "src_to_dst_bytes", "dst_to_src_bytes", "application_name", "category_name", "start_time", "end_time",
        "export_reason"]


class Entries(support.TestCase):
    def test_its_arguments_make_it_nfstream_3(self):
        source = support.capture("facebook")
        for arguments in ({"plugins": []}, {"dissect": True}, {"snaplen": 65535}, {"max_tcp_dissections": 10},
                          {"max_udp_dissections": 16}):
            entry = next(iter(NFStreamer(source=source, **arguments)))
            self.assertEqual([name for name, _ in entry._pairs()], ENTRY)
            self.assertEqual((entry.ip_src, entry.version), (0xc0a82b12, 4))
        self.assertFalse(hasattr(next(iter(NFStreamer(source=source, dissect=False))), "application_name"))
        self.assertEqual(next(iter(NFStreamer3(source))).to_namedtuple().client_info, "facebook.com")
        self.assertEqual(list(NFStreamer3(source).to_pandas()), ENTRY)

    def test_values_of_on_init_are_attributes_with_the_name_of_the_plugin(self):
        events = []

        class sizes(NFPlugin):
            def on_init(self, obs):
                return [obs.length]

            def on_update(self, obs, entry):
                entry.sizes.append(obs.length)

            def on_expire(self, entry):
                events.append(("expire", entry.total_packets, entry.sizes))

            def cleanup(self):
                events.append("cleanup")

        class nothing(NFPlugin):
            pass
        source = self.packets([60, 70, 80])
        entry, = NFStreamer(source=source, plugins=[sizes(), nothing(name="other"), sizes(name="late", volatile=True)])
        self.assertEqual((entry.sizes[:3], entry.other), ([60, 70, 70], 0))
        self.assertFalse(hasattr(entry, "late"))
        self.assertEqual(events.count("cleanup"), 2)
        with self.assertRaises(ValueError):
            NFStreamer(source=source, plugins=[sizes(), sizes()])
        with self.assertRaises(TypeError):
            NFStreamer(source=source, plugins=["sizes"])

    def test_packets_by_their_older_names(self):
        class look(NFPlugin):
            def on_init(self, obs):
                return (obs.time, obs.capture_length, obs.length, obs.ip_src, obs.ip_dst, obs.src_port, obs.dst_port,
                        obs.protocol, obs.vlan_id, obs.version, obs.tcp_flags, obs.raw[:1], obs.direction,
                        obs.tcpflags.ack, obs.raw_size)
        entry, = NFStreamer(source=self.packets([60]), plugins=[look()])
        self.assertEqual(entry.look, (1_700_000_000_000, 60, 60, 0x0a000001, 0x0a000002, 40000, 9999, 17, 0, 4, 0,
                                      b"\x45", 0, 0, 60))

    def test_active_timeouts_keep_the_id_and_negative_ones_are_zero(self):
        source = self.packets([60] * 4, gap_us=1_000_000)
        found = [(entry.id, entry.total_packets, entry.expiration_id)
                 for entry in NFStreamer(source=source, plugins=[], active_timeout=2)]
        self.assertEqual(found, [(0, 2, 1), (0, 2, 0)])
        self.assertEqual(len(list(NFStreamer(source=source, plugins=[], active_timeout=-5))), 4)

    def test_custom_expiration(self):
        class end(NFPlugin):
            def on_update(self, obs, entry):
                entry.expiration_id = -2
        found = [(entry.total_packets, entry.expiration_id)
                 for entry in NFStreamer(source=self.packets([60] * 3), plugins=[end()])]
        self.assertEqual(found, [(2, -2), (1, 0)])


class Flows(support.TestCase):
    def test_json(self):
        for flow in Streamer(source=support.capture("facebook"), capacity=128000, active_timeout=120,
                             inactive_timeout=60):
            shown = json.loads(str(flow))
            self.assertEqual(list(shown), FLOW)
            self.assertEqual((shown["application_name"], shown["export_reason"]), ("TLS.Facebook", 2))

    def test_user_metrics(self):
        def count(packet_information, flow):
            flow.metrics["count"] += packet_information.size > 70
            return flow
        flow, = Streamer(source=self.packets([60, 80, 90]), user_metrics={"count": count, "idle": lambda _, flow: flow})
        self.assertEqual(flow.metrics, {"count": 2, "idle": 0})
        self.assertEqual(list(json.loads(str(flow))), ["count", "idle"] + FLOW)

    def test_full_capacity_drops_the_flow_that_was_silent_longest(self):
        frames = [support.harness.udp_frame("10.0.0.1", port, "10.0.0.2", 53) for port in (1, 2, 3)]
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            flows = list(Streamer(source=self.write("full.pcap", frames), capacity=2))
        self.assertEqual([flow.src_port for flow in flows], [2, 3])
        self.assertEqual(out.getvalue(), "WARNING: Streamer capacity limit reached: lru flow entry dropped.\n")


if __name__ == "__main__":
    support.main()
