#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples in the documentation of five generations of nfstream, run with their imports replaced.

Names of captures are those of the documentation, made here; interfaces are `lo`. Examples that cannot run as they are
printed have a repair, with its reason, in REPAIRS.
"""
import contextlib
import io
import json
import shutil
import socket
import struct

import numpy
import pandas

import support

# (what is printed, what runs here, why)
REPAIRS = (
    ("accouncting_mode=1", "accounting_mode=1", "a misprint: the plugin reads accounting_mode"),
    ("entry.feat_1 == obs.raw_size", "return obs.raw_size",
     "compares, and with a name that on_init has not got: its value is what it returns"),
    ("entry.feat_2 == obs.raw_size", "entry.feat_2 = obs.raw_size", "compares where it means to assign"),
    ("entry.feat_3 == obs.raw_size", "entry.feat_3 = obs.raw_size", "compares where it means to assign"),
    ("class feat_1(NFPlugin):\n    def on_update(self, obs, entry):\n        if entry.total_packets == 1:\n"
     "            entry.feats[0] = obs.length",
     "class feats(NFPlugin):\n    def on_init(self, obs):\n        return [obs.length, 0, 0]",
     "nothing makes feats, and on_update is not called for the first packet"),
    ("feat_1(volatile=True),\n                                feat_2(volatile=True),\n"
     "                                feat_3(volatile=True),",
     "feats(volatile=True),\n                                feat_2(volatile=True),\n"
     "                                feat_3(volatile=True),", "as before"),
    ('udps=ModelPrediction(my_model=model))\nfor flow', 'udps=ModelPrediction(my_model=model))\n'
     'ml_streamer.source = "training_traffic.pcap"\nfor flow', "a live interface gives flows for ever"),
)
INTERFACES = ("eth0", "eth1")  # there need not be any of that name here

NFSTREAM3_STREAMER = '''
from nfstream import NFStreamer
my_capture_streamer = NFStreamer(source="facebook.pcap",
                                 snaplen=65535,
                                 idle_timeout=30,
                                 active_timeout=300,
                                 plugins=(),
                                 dissect=True,
                                 max_tcp_dissections=10,
                                 max_udp_dissections=16)

my_live_streamer = NFStreamer(source="eth1")  # or capture from a network interface
for flow in my_capture_streamer:  # or for flow in my_live_streamer
    print(flow)  # print, append to pandas Dataframe or whatever you want :)!
'''
NFSTREAM0_STREAMER = '''
from nfstream.streamer import Streamer
my_capture_streamer = Streamer(source="instagram.pcap",
                               capacity=128000,
                               active_timeout=120,
                               inactive_timeout=60)
my_live_streamer = Streamer(source="eth1")  # or capture from a network interface
for flow in my_capture_streamer:  # or for flow in my_live_streamer
    print(flow)  # print, append to pandas Dataframe or whatever you want :)!
'''
NFSTREAM0_METRIC = '''
from nfstream.streamer import Streamer

def my_awesome_plugin(packet_information, flow):
    if packet_information.size > 666:
       flow.metrics['count_pkts_gt_666'] += 1
    return flow

streamer_awesome = Streamer(source='devil.pcap',
                            user_metrics={'count_pkts_gt_666': my_awesome_plugin})
for flow in streamer_awesome:
   # now you will see your created metric in generated flows
   print(flow.metrics['count_pkts_gt_666'])
'''
NFSTREAM5_STREAMER = '''
from nfstream import NFStreamer
my_awesome_streamer = NFStreamer(source="facebook.pcap") # or network interface (source="eth0")
for flow in my_awesome_streamer:
    print(flow)  # print it, append to pandas Dataframe or whatever you want :)!
'''
NFSTREAM5_ENTRY = '''NFEntry(
    id=0,
    first_seen=1472393122365,
    last_seen=1472393123665,
    version=4,
    src_port=52066,
    dst_port=443,
    protocol=6,
    vlan_id=0,
    src_ip='192.168.43.18',
    dst_ip='66.220.156.68',
    total_packets=19,
    total_bytes=5745,
    duration=1300,
    src2dst_packets=9,
    src2dst_bytes=1345,
    dst2src_packets=10,
    dst2src_bytes=4400,
    expiration_id=0,
    master_protocol=91,
    app_protocol=119,
    application_name='TLS.Facebook',
    category_name='SocialNetwork',
    client_info='facebook.com',
    server_info='*.facebook.com,*.facebook.net,*.fb.com,*.fbcdn.net,*.fbsbx.com',
    j3a_client='bfcc1a3891601edb4f137ab7ab25b840',
    j3a_server='2d1eb5817ece335c24904f516ad5da12'
)
'''
NFSTREAM5_PANDAS = '''
my_dataframe = NFStreamer(source='devil.pcap').to_pandas()
my_dataframe.head(5)
'''
NFSTREAM5_PLUGIN = '''
from nfstream import NFPlugin
    
class ack_count(NFPlugin):
    def on_init(self, pkt): # flow creation with the first packet
\t    if pkt.tcpflags.ack == 1:
\t        return 1
\t    else:
\t        return 0
    def on_update(self, pkt, flow): # flow update with each packet belonging to the flow
\t    if pkt.tcpflags.ack == 1:
\t        flow.ack_count += 1
\t\t
streamer_awesome = NFStreamer(source='devil.pcap', plugins=[ack_count()])
for flow in streamer_awesome:
    print(flow.ack_count) # see your dynamically created metric in generated flows
'''
NFSTREAM5_MODEL = '''
from nfstream import NFPlugin

class feat_1(NFPlugin):
    def on_init(self, obs):
        entry.feat_1 == obs.raw_size

class feat_2(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 2:
            entry.feat_2 == obs.raw_size

class feat_3(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.feat_3 == obs.raw_size

class model_prediction(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.model_prediction = self.user_data.predict_proba([entry.feat_1,
                                                                   entry.feat_2,
                                                                   entry.feat_3])
            # optionally we can force NFStreamer to immediately expires the flow
            # entry.expiration_id = -1

my_model = function_to_load_your_model() # or whatever
ml_streamer = NFStreamer(source='devil.pcap',
                         plugins=[feat_1(volatile=True),
                                  feat_2(volatile=True),
                                  feat_3(volatile=True),
                                  model_prediction(user_data=my_model)
                                  ])
for flow in ml_streamer:
     print(flow.model_prediction) # now you will see your trained model prediction.
'''
NFSTREAM6_STREAMER = '''
from nfstream import NFStreamer
my_streamer = NFStreamer(source="facebook.pcap",
                         decode_tunnels=True,
                         bpf_filter=None,
                         promiscuous_mode=True,
                         snapshot_length=1536,
                         idle_timeout=120,
                         active_timeout=1800,
                         accounting_mode=0,
                         udps=None,
                         n_dissections=20,
                         statistical_analysis=False,
                         splt_analysis=0,
                         n_meters=0,
                         performance_report=0)
for flow in my_streamer:
   print(flow) # or whatever

my_dataframe = my_streamer.to_pandas(columns_to_anonymize=[])
my_dataframe.head()

total_flows_count = my_streamer.to_csv(path=None, columns_to_anonymize=[], flows_per_file=0)
'''
NFSTREAM6_PROTOTYPE = '''
from nfstream import NFStreamer, NFPlugin

class packet_40(NFPlugin):
    def on_init(self, packet, flow):
        flow.udps.magic_message = "NO"
        if packet.raw_size == 40:
            flow.udps.packet_40_count = 1
        else:
            flow.udps.packet_40_count = 0

    def on_update(self, packet, flow):
        if packet.raw_size == 40:
            flow.udps.packet_40_count += 1

    def on_expire(self, flow):
        if flow.udps.packet_40_count >= 10:
            flow.udps.magic_message = "YES"

    def cleanup(self):
        del self.large_dict_passed_as_plugin_attribute
        cleaned.append(self)

for flow in NFStreamer(source="forties.pcap", udps=packet_40(large_dict_passed_as_plugin_attribute={})):
    print(flow.udps.packet_40_count, flow.udps.magic_message)
'''
NFSTREAM6_SLICER = '''
from nfstream import NFStreamer, NFPlugin

class FlowSlicer(NFPlugin):
    def on_init(self, packet, flow):
        if self.limit == 1:
           flow.expiration_id = -1 

    def on_update(self, packet, flow):
        if self.limit == flow.bidirectional_packets:
           flow.expiration_id = -1 # -1 value force expiration


streamer = NFStreamer(source="eth0", udps=FlowSlicer(limit=7))
# Iterate, convert it to pandas or csv.
'''
NFSTREAM6_SPLT = '''
from nfstream import NFStreamer, NFPlugin

class SPLT(NFPlugin):
    @staticmethod
    def _get_packet_size(packet, accounting_mode):
        if accounting_mode == 0:
            return packet.raw_size
        elif accounting_mode == 1:
            return packet.ip_size
        elif accounting_mode == 2:
            return packet.transport_size
        else:
            return packet.payload_size

    def on_init(self, packet, flow):
        flow.udps.splt_direction = [-1] * self.sequence_length
        flow.udps.splt_direction[0] = 0  # First packet so  src->dst
        flow.udps.splt_ps = [-1] * self.sequence_length
        flow.udps.splt_ps[0] = self._get_packet_size(packet, self.accounting_mode)
        flow.udps.splt_piat_ms = [-1] * self.sequence_length
        flow.udps.splt_piat_ms[0] = packet.delta_time

    def on_update(self, packet, flow):
        if flow.bidirectional_packets <= self.sequence_length:
            packet_index = flow.bidirectional_packets - 1
            flow.udps.splt_direction[packet_index] = packet.direction
            flow.udps.splt_ps[packet_index] = self._get_packet_size(packet, self.accounting_mode)
            flow.udps.splt_piat_ms[packet_index] = packet.delta_time


streamer = NFStreamer(source="facebook.pcap", udps=SPLT(sequence_length=7, accouncting_mode=1))
for flow in streamer: # Work also with to_pandas, to_csv
   print(flow.udps.splt_direction)
'''
NFSTREAM6_TRAIN = '''
from nfstream import NFPlugin, NFStreamer
from sklearn.ensemble import RandomForestClassifier

df = NFStreamer(source="training_traffic.pcap").to_pandas()
X = df[["bidirectional_packets", "bidirectional_bytes"]]
y = df["application_category_name"].apply(lambda x: 1 if 'SocialNetwork' in x else 0)
model = RandomForestClassifier()
model.fit(X, y)
'''
NFSTREAM6_MODEL = '''
import numpy

class ModelPrediction(NFPlugin):
    def on_init(self, packet, flow):
        flow.udps.model_prediction = 0
    def on_expire(self, flow):
        # You can do the same in on_update entrypoint and force expiration with custom id. 
        to_predict = numpy.array([flow.bidirectional_packets,
                                  flow.bidirectional_bytes]).reshape((1,-1))
        flow.udps.model_prediction = self.my_model.predict(to_predict)

ml_streamer = NFStreamer(source="eth0", udps=ModelPrediction(my_model=model))
for flow in ml_streamer:
    print(flow.udps.model_prediction)
'''
NFSTREAM32_PLUGIN = '''
from nfstream import NFPlugin

class my_awesome_plugin(NFPlugin):
    def on_update(self, obs, entry):
        if obs.length >= 666:
            entry.my_awesome_plugin += 1

streamer_awesome = NFStreamer(source='devil.pcap', plugins=[my_awesome_plugin()])
for flow in streamer_awesome:
    print(flow.my_awesome_plugin) # now you will see your dynamically created metric in generated flows
'''
NFSTREAM32_MODEL = '''
from nfstream import NFPlugin

class feat_1(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 1:
            entry.feats[0] = obs.length

class feat_2(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 2:
            entry.feats[1] = obs.length

class feat_3(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.feats[2] = obs.length

class model_prediction(NFPlugin):
    def on_update(self, obs, entry):
        if entry.total_packets == 3:
            entry.model_prediction = self.user_data.predict_proba([entry.feats[0],
                                                                   entry.feats[1], entry.feats[2]])
            # optionally we can force NFStreamer to immediately expires the flow
            # entry.expiration_id = -1

my_model = function_to_load_your_model() # or whatever
ml_streamer = NFStreamer(source='devil.pcap',
                        plugins=[feat_1(volatile=True),
                                feat_2(volatile=True),
                                feat_3(volatile=True),
                                model_prediction(user_data=my_model)
                                ])
for flow in ml_streamer:
    print(flow.model_prediction) # now you will see your trained model prediction as part of the flow :)
'''


class Model:
    """What a user would load: says what it was asked."""

    def predict_proba(self, features):
        return [len(features), sum(features)]


class Documentation(support.TestCase):
    def setUp(self):
        super().setUp()
        shutil.copy(support.capture("facebook"), "facebook.pcap")
        shutil.copy(support.capture("facebook"), "devil.pcap")
        self.names = {"function_to_load_your_model": Model, "cleaned": []}
        self.used = set()

    def run_example(self, text, *needs):
        """What an example prints, after those it needs."""
        out = io.StringIO()
        for part in (*needs, text):
            for number, (printed, repaired, _) in enumerate(REPAIRS):
                if printed in part:
                    self.used.add(number)
                    part = part.replace(printed, repaired)
            part = part.replace("from nfstream", "from nfstreamd")
            for interface in INTERFACES:
                part = part.replace(f'source="{interface}")', 'source="lo")').replace(f'source="{interface}",',
                                                                                     'source="lo",')
            with contextlib.redirect_stdout(out):
                exec(compile(part, "documentation", "exec"), self.names)
        return out.getvalue()

    # ---- 0.x ----

    def test_nfstream0_prints_what_the_documentation_shows(self):
        instagram("instagram.pcap")
        shown = json.loads(self.run_example(NFSTREAM0_STREAMER))
        self.assertEqual(shown, {"ip_src": "192.168.122.121", "src_port": 43277, "ip_dst": "186.102.189.33",
                                 "dst_port": 443, "ip_protocol": 6, "src_to_dst_pkts": 6, "dst_to_src_pkts": 5,
                                 "src_to_dst_bytes": 1456, "dst_to_src_bytes": 477,
                                 "application_name": "TLS.Instagram", "category_name": "SocialNetwork",
                                 "start_time": 1555969081636, "end_time": 1555969082020, "export_reason": 2})

    def test_nfstream0_metric(self):
        self.assertEqual(self.run_example(NFSTREAM0_METRIC), "2\n14\n")

    # ---- 3.x ----

    def test_nfstream3_streamer(self):
        shown = self.run_example(NFSTREAM3_STREAMER)
        self.assertTrue(shown.startswith(NFSTREAM5_ENTRY))
        self.assertEqual(shown.count("NFEntry("), 2)

    def test_nfstream3_streamer_without_its_arguments_is_nfstream_6(self):
        # that documentation shows an NFEntry; nothing in the call says so
        shown = self.run_example(NFSTREAM5_STREAMER)
        self.assertEqual(shown.count("NFlow("), 2)
        frame = self.run_example(NFSTREAM5_PANDAS)
        self.assertEqual(frame, "")
        self.assertEqual(self.names["my_dataframe"].shape, (2, 38))

    def test_nfstream3_plugins(self):
        needs = "from nfstream import NFStreamer\n"
        self.assertEqual(self.run_example(NFSTREAM5_PLUGIN, needs), "18\n40\n")
        self.assertEqual(self.run_example(NFSTREAM32_PLUGIN, needs), "2\n14\n")

    def test_nfstream3_models(self):
        needs = "from nfstream import NFStreamer\n"
        # sizes of the first three packets: 74, 74, 66
        self.assertEqual(self.run_example(NFSTREAM5_MODEL, needs), "[3, 214]\n[3, 214]\n")
        self.assertEqual(self.run_example(NFSTREAM32_MODEL, needs), "[3, 214]\n[3, 214]\n")
        for flow in self.names["ml_streamer"]:
            self.assertFalse(hasattr(flow, "feats"))

    # ---- 6.x ----

    def test_nfstream6_streamer(self):
        shown = self.run_example(NFSTREAM6_STREAMER)
        self.assertEqual(shown.count("NFlow(id="), 2)
        self.assertEqual(self.names["total_flows_count"], 2)
        read = pandas.read_csv("facebook.pcap.csv")
        pandas.testing.assert_frame_equal(self.names["my_dataframe"], read)

    def test_nfstream6_prototype(self):
        # packets of 40 octets on a link without a header
        forties = [support.harness.udp_frame("10.0.0.1", port, "10.0.0.2", 2, b"x" * 12)[14:]
                   for port in [1] * 10 + [2] * 3]
        self.write("forties.pcap", forties, link_type=101)
        shown = self.run_example(NFSTREAM6_PROTOTYPE)
        self.assertEqual(sorted(shown.split("\n")), ["", "10 YES", "3 NO"])
        self.assertEqual(len(self.names["cleaned"]), 1)

    def test_nfstream6_slicer(self):
        self.run_example(NFSTREAM6_SLICER)
        streamer = self.names["streamer"]
        streamer.source = "facebook.pcap"
        self.assertEqual([(flow.bidirectional_packets, flow.expiration_id) for flow in streamer],
                         [(7, -1)] * 7 + [(5, 0), (6, 0)])

    def test_nfstream6_splt(self):
        shown = self.run_example(NFSTREAM6_SPLT)
        self.assertEqual(len(shown.splitlines()), 2)
        streamer = self.names["streamer"]
        streamer.splt_analysis, streamer.accounting_mode = 7, 1
        for flow in streamer:
            self.assertEqual((flow.udps.splt_direction, flow.udps.splt_ps, flow.udps.splt_piat_ms),
                             (flow.splt_direction, flow.splt_ps, flow.splt_piat_ms))

    def test_nfstream6_model(self):
        try:
            import sklearn  # noqa: F401
        except ImportError:
            self.skipTest("NOT RUN: needs python3-sklearn")
        training_traffic("training_traffic.pcap")
        shown = self.run_example(NFSTREAM6_MODEL, NFSTREAM6_TRAIN)
        frame, model = self.names["df"], self.names["model"]
        self.assertEqual(set(frame["application_category_name"]), {"SocialNetwork", "Network"})
        want = model.predict(frame[["bidirectional_packets", "bidirectional_bytes"]].to_numpy())
        self.assertEqual(shown.splitlines(), [str(numpy.array([prediction])) for prediction in want])
        table = self.names["ml_streamer"].to_pandas()
        self.assertEqual(table["udps.model_prediction"].tolist(), [str(numpy.array([one])) for one in want])

    def test_every_repair_is_of_something_that_is_printed(self):
        examples = [value for name, value in globals().items() if name.startswith("NFSTREAM")]
        for printed, _, reason in REPAIRS:
            with self.subTest(printed=printed, reason=reason):
                self.assertTrue(any(printed in example for example in examples))
                self.assertTrue(reason)


def segment(source, destination, flags, data=b"", sequence=1):
    tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], sequence, 1, 0x50, flags, 65535, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, socket.inet_aton(source[0]),
                     socket.inet_aton(destination[0]))
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp + data


def client_hello(name, length):
    """A record with a ClientHello for a server, that long."""
    server = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack(">HH", 0, len(server)) + server
    fixed = 5 + 4 + 2 + 32 + 1 + 2 + 2 + 2 + 2 + len(extensions) + 4
    extensions += struct.pack(">HH", 21, length - fixed) + bytes(length - fixed)
    hello = b"\x03\x03" + b"r" * 32 + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0" + \
        struct.pack(">H", len(extensions)) + extensions
    return b"\x16\x03\x01" + struct.pack(">H", len(hello) + 4) + b"\x01" + struct.pack(">I", len(hello))[1:] + hello


def instagram(path):
    """The flow of the documentation of nfstream 0.x: 6 packets with 1456 octets there, 5 with 477 back."""
    client, server = ("192.168.122.121", 43277), ("186.102.189.33", 443)
    there = [segment(client, server, 2, sequence=0), segment(client, server, 16),
             segment(client, server, 24, client_hello(b"www.instagram.com", 1456 - 6 * 54))] + \
        [segment(client, server, 16)] * 3
    back = [segment(server, client, 18, sequence=0)] + [segment(server, client, 16)] * 3 + \
        [segment(server, client, 24, b"\x17\x03\x03" + struct.pack(">H", 477 - 5 * 54 - 5) + b"x" * (477 - 5 * 54 - 5))]
    order = [there[0], back[0], there[1], there[2], back[1], back[2], back[3], back[4], *there[3:]]
    times = [n * 0.0384 for n in range(len(order))]
    times[-1] = 0.384
    support.harness.write_timed(path, ((0.636 + time, frame) for time, frame in zip(times, order)),
                                first_s=1555969081)


def training_traffic(path):
    """Flows of a social network, and of DNS."""
    frames = []
    for name in ("facebook", "dns"):
        frames += support.harness.read_pcap(support.capture(name))[1]
    support.harness.write_pcap(path, frames)


if __name__ == "__main__":
    support.main()
