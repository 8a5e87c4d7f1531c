#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""NFStreamer as nfstream 6 has it: parameters, iteration, pandas, CSV, pseudonyms, a live interface."""
import contextlib
import csv
import gc
import hashlib
import io
import itertools
import json
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import tracemalloc
import unittest.mock

import numpy
import pandas

import support
from nfstreamd import NFPlugin, NFStreamer, running

ALL = {"statistical_analysis": True, "splt_analysis": 10}  # what the golden tests switch on
WRONG = {
    "decode_tunnels": ([33, "True"],
                       "Please specify a valid decode_tunnels parameter (possible values: True, False)."),
    "bpf_filter": ([11], "Please specify a valid bpf_filter format."),
    "promiscuous_mode": (["yes", 89],
                         "Please specify a valid promiscuous_mode parameter (possible values: True, False)."),
    "snapshot_length": (["largest", -1, 0],
                        "Please specify a valid snapshot_length parameter (positive integer)."),
    "socket_buffer_size": (["largest", -1, 2**31],
                           "Please specify a valid socket_buffer_size parameter (positive integer <= 2^31-1)."),
    "idle_timeout": ([-1, "idle", 2**64],
                     "Please specify a valid idle_timeout parameter (positive integer in seconds)."),
    "active_timeout": ([-1, "active"],
                       "Please specify a valid active_timeout parameter (positive integer in seconds)."),
    "accounting_mode": ([-1, 5, "ip"],
                        "Please specify a valid accounting_mode parameter (possible values: 0, 1, 2, 3)."),
    "udps": ([lambda y: y + 1, "NFPlugin"], "User defined plugins must inherit from NFPlugin type."),
    "n_dissections": (["yes", -1, 256],
                      "Please specify a valid n_dissections parameter (possible values in : [0,...,255])."),
    "statistical_analysis": (["yes", 89],
                             "Please specify a valid statistical_analysis parameter (possible values: True, False)."),
    "splt_analysis": ([-1, 70000, "yes"],
                      "Please specify a valid splt_analysis parameter (possible values in : [0,...,65535])"),
    "n_meters": (["yes", -1], "Please specify a valid n_meters parameter (>=1 or 0 for auto scaling)."),
    "max_nflows": (["yes", -1], "Please specify a valid max_nflows parameter (>=0)."),
    "performance_report": (["yes", -1],
                           "Please specify a valid performance_report parameter (>=1 for reporting interval (seconds)"
                           " or 0 to disable). [Available only for Live capture]"),
    "system_visibility_mode": (["yes", -1, 2],
                               "Please specify a valid system_visibility_mode parameter\n0: disable\n"
                               "1: process information\n"
                               "[Available only for live capture on the system generating the traffic]"),
    "system_visibility_poll_ms": (["yes", -1], "Please specify a valid system_visibility_poll_ms parameter "
                                               "(positive integer in milliseconds)"),
}
SOURCE = "Please specify a pcap file path or a valid network interface name as source."


def printed(call):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        result = call()
    return result, out.getvalue()


class Parameters(support.TestCase):
    def test_wrong_values_are_told_as_nfstream_tells_them(self):
        streamer = NFStreamer(source=support.capture("facebook"))
        for name, (values, text) in WRONG.items():
            for value in values:
                with self.subTest(name=name, value=value):
                    with self.assertRaises(ValueError) as made:
                        NFStreamer(source=support.capture("facebook"), **{name: value})
                    self.assertEqual(str(made.exception), text)
                    with self.assertRaises(ValueError) as assigned:
                        setattr(streamer, name, value)
                    self.assertEqual(str(assigned.exception), text)

    def test_wrong_sources(self):
        capture = support.capture("facebook")
        for source, text in ((None, SOURCE), (11, SOURCE), ("absent.pcap", SOURCE),
                             ([], "Please provide a non-empty list of sources."),
                             ([capture, "absent.pcap"], "Invalid pcap file path at index: 1."),
                             ([capture, 3], "Invalid pcap file path at index: 1.")):
            with self.subTest(source=source), self.assertRaises(ValueError) as raised:
                NFStreamer(source=source)
            self.assertEqual(str(raised.exception), text)

    def test_what_is_found_when_it_is_read(self):
        pathlib.Path("text.pcap").write_text("no capture at all, but long enough to look at\n")
        for arguments, text in (({"bpf_filter": "my filter"}, "Unable to compile BPF filter."),
                                ({"source": "text.pcap"}, "unknown file format")):
            streamer = NFStreamer(**{"source": support.capture("facebook"), **arguments})
            for read in (list, NFStreamer.to_pandas, NFStreamer.to_csv):
                with self.subTest(text=text, read=read), self.assertRaises(ValueError) as raised:
                    read(streamer)
                self.assertEqual(str(raised.exception), text)

    def test_files_have_no_processes_and_no_more_meters_than_there_are_processors(self):
        streamer, text = printed(lambda: NFStreamer(source=support.capture("facebook"), system_visibility_mode=1))
        self.assertEqual(streamer.system_visibility_mode, 0)
        self.assertEqual(text, "WARNING: system_visibility_mode switched to 0 in offline capture "
                               "(available only for live capture)\n")
        streamer, text = printed(lambda: NFStreamer(source=support.capture("facebook"), n_meters=100_000))
        self.assertEqual(text, f"WARNING: n_meters set to :{streamer.n_meters} in order to avoid contention.\n")
        _, text = printed(lambda: NFStreamer(source=support.capture("facebook"), splt_analysis=256))
        self.assertIn("[WARNING]: The specified splt_analysis parameter is higher than 255.", text)

    def test_assigned_parameters_hold_for_the_next_reading(self):
        streamer = NFStreamer(source=support.capture("c_gtpu"))
        self.assertTrue(all(flow.tunnel_id == 1 for flow in streamer))
        streamer.decode_tunnels = False
        self.assertFalse(any(hasattr(flow, "tunnel_id") for flow in streamer))
        streamer.source = support.capture("facebook")
        streamer.bpf_filter = "port 52066"
        self.assertEqual([flow.src_port for flow in streamer], [52066])


class Reading(support.TestCase):
    def test_pandas_csv_and_iteration_are_what_the_daemon_writes(self):
        captures = sorted(path.stem for path in support.CAPTURES.glob("*.pcap"))
        self.assertGreater(len(captures), 40)
        for name in support.some(captures):
            with self.subTest(capture=name):
                pathlib.Path("out.csv").unlink(missing_ok=True)
                streamer = NFStreamer(source=support.capture(name), **ALL)
                count = streamer.to_csv("out.csv")
                flows = list(streamer)
                frame = streamer.to_pandas()
                with open(support.EXPECTED / f"{name}.csv", newline="", encoding="utf-8") as text:
                    want = list(csv.reader(text))
                self.assertEqual(count, len(want) - 1)
                if count == 0:
                    self.assertIsNone(frame)
                    self.assertFalse(pathlib.Path("out.csv").exists())
                    continue
                with open("out.csv", newline="", encoding="utf-8") as text:
                    have = list(csv.reader(text))
                self.assertEqual(have[0], want[0])
                self.assert_same_rows(have[0], have[1:], want[1:])
                self.assertEqual([row[0] for row in have[1:]], [str(number) for number in range(count)])
                self.assertEqual([[text_of(value) for value in flow.values()] for flow in flows], have[1:])
                self.assertEqual(flows[0].keys(), have[0])
                read = pandas.read_csv("out.csv", float_precision="round_trip")
                pandas.testing.assert_frame_equal(frame, read)

    def assert_same_rows(self, columns, have, want):
        """As sets, but for the number and the last digits of means, where the daemon has exact ones."""
        means = [number for number, name in enumerate(columns) if "_mean_" in name or "_stddev_" in name]

        def split(row):
            return ([value for number, value in enumerate(row) if number and number not in means],
                    [float(row[number]) for number in means])
        for (exact, near), (wanted_exact, wanted_near) in zip(sorted(map(split, have)), sorted(map(split, want)),
                                                              strict=True):
            self.assertEqual(exact, wanted_exact)
            numpy.testing.assert_allclose(near, wanted_near, rtol=1e-9, atol=1e-9)

    def test_means_and_deviations_are_rounded_as_nfstream_rounds_them(self):
        sizes = [60, 1400, 61, 997, 100, 333, 1514, 60, 77, 1003]
        source = self.packets(sizes, gap_us=333_000)
        flow, = NFStreamer(source=source, statistical_analysis=True)
        times = [n * 333 for n in range(len(sizes))]
        for name, values in (("ps", sizes), ("piat_ms", [b - a for a, b in zip(times, times[1:])])):
            mean, squares = 0.0, 0.0
            for number, value in enumerate(map(float, values), 1):
                before = mean
                mean = value if number == 1 else mean + (value - mean) / number
                squares += (value - before) * (value - mean) if number > 1 else 0
            for scope in ("bidirectional", "src2dst"):
                self.assertEqual(getattr(flow, f"{scope}_mean_{name}"), mean)
                self.assertEqual(getattr(flow, f"{scope}_stddev_{name}"), (squares / (len(values) - 1))**0.5)
            self.assertEqual(getattr(flow, f"dst2src_mean_{name}"), 0)

    def test_flows_that_the_end_of_input_ends_come_in_the_order_of_their_beginning(self):
        frames = [support.harness.udp_frame("10.0.0.1", port, "10.0.0.2", 53) for port in (5, 3, 4, 3, 5, 1)]
        source = self.write("order.pcap", frames)
        self.assertEqual([(flow.id, flow.src_port) for flow in NFStreamer(source=source)],
                         [(0, 5), (1, 3), (2, 4), (3, 1)])
        self.assertEqual(NFStreamer(source=source).to_pandas()["src_port"].tolist(), [5, 3, 4, 1])

    def test_a_flow_that_lives_long_holds_up_those_behind_it(self):
        # as in nfstream: 1 lives, 2 is idle behind it, 3 is idle and ended by a packet of its own
        at = [(seconds, 1) for seconds in range(0, 601, 100)] + [(1, 2), (2, 3), (300, 3)]
        frames = [(seconds, support.harness.udp_frame("10.0.0.1", port, "10.0.0.2", 53)) for seconds, port in sorted(at)]
        support.harness.write_timed("held.pcap", frames)
        streamer = NFStreamer(source="held.pcap")
        want = [(3, 1), (1, 7), (2, 1), (3, 1)]
        self.assertEqual([(flow.src_port, flow.bidirectional_packets) for flow in streamer], want)
        self.assertEqual(streamer.to_pandas()["src_port"].tolist(), [port for port, _ in want])
        streamer.to_csv("held.csv")
        self.assertEqual(pandas.read_csv("held.csv")["src_port"].tolist(), [port for port, _ in want])
        # nothing is held up by a flow that is idle, too
        support.harness.write_timed("free.pcap", [(seconds, frame) for seconds, frame in frames if seconds < 150] + [
            (400, support.harness.udp_frame("10.0.0.1", 9, "10.0.0.2", 53))])
        self.assertEqual([flow.src_port for flow in NFStreamer(source="free.pcap")], [1, 2, 3, 9])

    def test_timeouts_and_the_number_of_flows(self):
        source = self.packets([60] * 28)
        for arguments in ({"idle_timeout": 0}, {"active_timeout": 0}):
            self.assertEqual([flow.id for flow in NFStreamer(source=source, **arguments)], list(range(28)))
        self.assertEqual(len(list(NFStreamer(source=source, idle_timeout=0, max_nflows=5))), 5)
        self.assertEqual(NFStreamer(source=source, idle_timeout=0, max_nflows=5).to_pandas().shape[0], 5)
        flow, = NFStreamer(source=source, idle_timeout=2**64 // 1000 - 1)
        self.assertEqual(flow.bidirectional_packets, 28)

    def test_a_list_of_files_is_one_input(self):
        frames = [support.harness.udp_frame("10.0.0.1", 1, "10.0.0.2", 2)] * 6
        files = [self.write(f"{n}.pcap", frames[n:n + 2], first_s=1_700_000_000 + n) for n in range(3)]
        flow, = NFStreamer(source=files, system_visibility_mode=1)
        self.assertEqual((flow.bidirectional_packets, flow.system_process_pid, flow.system_process_name), (6, -1, ""))
        self.assertEqual(NFStreamer(source=files).to_csv(), 1)
        self.assertTrue(pathlib.Path("0.pcap.csv").exists())

    def test_a_reader_that_leaves_early_leaves_nothing_running(self):
        source = str(support.harness.many_flows(self.folder / "many.pcap", 50_000))
        for flow in NFStreamer(source=source, idle_timeout=0, n_dissections=0):
            if flow.id == 10:
                break
        self.assertEqual(flow.bidirectional_packets, 1)

    def read_by(self, meters, source, **options):
        """Flows, CSV and frame: more meters than this machine may have processors for."""
        streamer = NFStreamer(source=source, **options)
        streamer._n_meters = meters
        streamer.to_csv("out.csv")
        return [flow.values() for flow in streamer], pathlib.Path("out.csv").read_bytes(), streamer.to_pandas()

    def test_several_meters_give_the_flows_of_one_in_the_same_order(self):
        made = [str(support.harness.many_flows(self.folder / "many.pcap", 2000, packets_each=2)),
                [support.capture(name) for name in ("dns", "http", "ntp")]]
        captures = [support.capture(name) for name in ("facebook", "c_frag4", "c_gtpu", "sip", "tls12")]
        for source in support.some(made + captures):
            for options in ({"n_dissections": 0, **ALL}, {"idle_timeout": 0, "active_timeout": 1}):
                flows, text, frame = self.read_by(1, source, **options)
                with self.subTest(source=source, **options):
                    read = self.read_by(3, source, **options)
                    self.assertEqual(read[0], flows)
                    self.assertEqual(read[1], text)
                    pandas.testing.assert_frame_equal(read[2], frame)

    def test_more_flows_than_are_put_in_order_at_once_come_in_one_order_in_every_run(self):
        source = str(support.harness.many_flows(self.folder / "many.pcap", 70_000))
        one, first, second = ([flow.src_ip + str(flow.src_port) for flow in self.metered(meters, source)]
                              for meters in (1, 3, 3))
        self.assertEqual(first, second)
        self.assertEqual(sorted(first), sorted(one))
        self.assertEqual(len(set(one)), 70_000)

    def metered(self, meters, source):
        streamer = NFStreamer(source=source, n_dissections=0)
        streamer._n_meters = meters
        return streamer

    def test_as_many_meters_as_are_of_use(self):
        processors = running.processors()
        streamer = NFStreamer(source=support.capture("facebook"))
        self.assertEqual(streamer.n_meters, 1)
        with unittest.mock.patch.object(running, "OCTETS_PER_METER", 1):
            self.assertEqual(streamer.n_meters, min(processors, running.MOST_METERS))
            self.assertEqual(len(list(streamer)), 2)
            for name, value in (("n_dissections", 0), ("max_nflows", 1), ("udps", NFPlugin())):
                with self.subTest(name):
                    alone = NFStreamer(source=support.capture("facebook"), **{name: value})
                    self.assertEqual(alone.n_meters, 1)
            streamer.n_meters = 1
            self.assertEqual(streamer.n_meters, 1)

    def test_printing_and_attributes(self):
        flow, = NFStreamer(source=self.packets([60, 80]), n_dissections=0)
        self.assertTrue(str(flow).startswith("NFlow(id=0,\n      expiration_id=0,\n      src_ip=10.0.0.1,\n"))
        self.assertTrue(str(flow).endswith(",\n      dst2src_bytes=0)"))
        with self.assertRaises(AttributeError):
            flow.application_name
        with self.assertRaises(AttributeError):
            flow.unheard_of = 1
        with self.assertRaises(TypeError):
            type(flow)()

    def test_texts_that_pandas_takes_for_something_else(self):
        flow = "POST / HTTP/1.1\r\nHost: a.example\r\nUser-Agent: {}\r\nContent-Length: 0\r\n\r\n"
        for agent, want in (("null", float), ("12", numpy.int64), ("a\"b,c", str)):
            with self.subTest(agent=agent):
                source = self.write("http.pcap", tcp_flow(flow.format(agent).encode()))
                streamer = NFStreamer(source=source)
                found, = streamer
                self.assertEqual(found.user_agent, agent)
                frame = streamer.to_pandas()
                self.assertIsInstance(frame["user_agent"][0], want)
                streamer.to_csv("out.csv")
                pandas.testing.assert_frame_equal(frame, pandas.read_csv("out.csv", float_precision="round_trip"))


class Tables(support.TestCase):
    def test_pseudonyms_are_keyed_digests_of_the_texts(self):
        streamer = NFStreamer(source=support.capture("facebook"))
        plain = streamer.to_pandas()
        hide = ["src_ip", "src_port", "user_agent", "id"]
        hidden, text = printed(lambda: streamer.to_pandas(columns_to_anonymize=hide + ["absent"]))
        self.assertEqual(text, "WARNING: NFlow do not have {} attribute. Skipping anonymization.\n")
        self.assertEqual(list(plain), list(hidden))
        for column in ("src_ip", "src_port", "user_agent"):
            self.assertTrue(hidden[column].str.fullmatch("[0-9a-f]{128}").all(), column)
            self.assertEqual(hidden[column].nunique(), plain[column].nunique(dropna=False))
        self.assertEqual(hidden["dst_ip"].tolist(), plain["dst_ip"].tolist())
        self.assertNotEqual(hidden["src_ip"][0], streamer.to_pandas(columns_to_anonymize=["src_ip"])["src_ip"][0])
        streamer.to_csv("out.csv", columns_to_anonymize=hide)
        self.assertTrue(pandas.read_csv("out.csv")["src_ip"].str.fullmatch("[0-9a-f]{128}").all())

    def test_the_engine_hides_as_hashlib_does(self):
        from nfstreamd import tables
        pseudonyms = tables.Pseudonyms(["src_ip"])
        reader = NFStreamer(source=support.capture("facebook"))._start()
        arrays, *_ = reader.columns(pseudonyms.columns, pseudonyms.key, pseudonyms)
        want = hashlib.blake2b(b"192.168.43.18", digest_size=64, key=pseudonyms.key).hexdigest()
        self.assertEqual(set(arrays["src_ip"]), {want})

    def test_flows_per_file_and_files_in_turn(self):
        source = self.packets([60] * 7)
        streamer = NFStreamer(source=source, idle_timeout=0, n_dissections=0)
        self.assertEqual(streamer.to_csv("out.csv", flows_per_file=3), 7)
        ids = {path.name: pandas.read_csv(path)["id"].tolist() for path in self.folder.glob("*.csv")}
        self.assertEqual(ids, {"out.0.csv": [0, 1, 2], "out.1.csv": [3, 4, 5], "out.2.csv": [6]})
        self.assertEqual(streamer.to_csv("turn.csv", flows_per_file=3, rotate_files=2), 7)
        ids = {path.name: pandas.read_csv(path)["id"].tolist() for path in self.folder.glob("turn*.csv")}
        self.assertEqual(ids, {"turn.0.csv": [6], "turn.1.csv": [3, 4, 5]})
        for name in ("flows_per_file", "rotate_files"):
            for value in (-1, "all"):
                with self.assertRaises(ValueError) as raised:
                    streamer.to_csv("out.csv", **{name: value})
                self.assertEqual(str(raised.exception), f"Please specify a valid {name} parameter (>= 0).")

    def test_a_file_that_cannot_be_written(self):
        with self.assertRaises(OSError) as raised:
            NFStreamer(source=support.capture("facebook")).to_csv("absent/out.csv")
        self.assertIn("absent/out.csv", str(raised.exception))


LIVE = """
import sys
from nfstreamd import NFStreamer
streamer = NFStreamer(source="lo", idle_timeout=1, max_nflows=2, performance_report=1, bpf_filter="udp port 9999")
print("ready", flush=True)
for flow in streamer:
    print("flow", flow.src_ip, flow.dst_port, flow.bidirectional_packets, flush=True)
"""
INTERRUPTED = """
from nfstreamd import NFStreamer
streamer = NFStreamer(source="lo", bpf_filter="udp port 9999", n_dissections=0, performance_report=1)
print("ready", flush=True)
frame = streamer.to_pandas()
print("rows", len(frame), frame["bidirectional_packets"].sum(), flush=True)
"""


OF_A_PROCESS = """
import os, socket, threading, time
from nfstreamd import NFStreamer

def talk():
    while not ended.wait(0.2):  # connections of our own, a while each
        with socket.create_server(("127.0.0.1", 9998)) as server, socket.create_connection(("127.0.0.1", 9998)) as one:
            other = server.accept()[0]
            for _ in range(10):
                one.send(b"x")
                ended.wait(0.1)
            other.close()
ended = threading.Event()
threading.Thread(target=talk).start()
print("ready", flush=True)
for flow in NFStreamer(source="lo", idle_timeout=1, system_visibility_mode=1, bpf_filter="tcp port 9998",
                       max_nflows=30):
    if flow.system_process_pid != -1:
        break
ended.set()
print(flow.system_process_pid == os.getpid(), flow.system_process_name != "", flush=True)
"""
LEFT_OPEN = """
import sys
from nfstreamd import NFPlugin, NFStreamer

class Plugin(NFPlugin):
    def on_update(self, packet, flow):
        pass

    def cleanup(self):
        print("cleanup")

flows = iter(NFStreamer(source=sys.argv[1], idle_timeout=0, n_dissections=0, udps=Plugin()))
next(flows)
"""


class Ends(support.TestCase):
    def test_a_program_may_end_while_flows_are_read(self):
        source = str(support.harness.many_flows(self.folder / "many.pcap", 200_000))
        run = subprocess.run(support.python("-c", LEFT_OPEN, source), capture_output=True, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "cleanup\n", ""))

    def test_one_thread_reads(self):
        source = str(support.harness.many_flows(self.folder / "many.pcap", 50_000))
        flows = iter(NFStreamer(source=source, n_dissections=0, idle_timeout=0))
        outcomes, read_flows = [], []

        def read():
            count = 0
            try:
                for flow in flows:
                    read_flows.append((flow.src_ip, flow.src_port))
                    count += 1
                outcomes.append(count)
            except ValueError as error:
                outcomes.append(str(error))
        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(map(type, outcomes)), {int, str})
        counts = [outcome for outcome in outcomes if type(outcome) is int]
        if "flows are being read already" not in outcomes:
            self.assertEqual(sum(counts), 50_000)
        self.assertEqual(len(set(read_flows)), len(read_flows))  # none is read by both

    def test_a_thread_that_asks_while_another_ends_the_run_takes_nothing_of_it(self):
        asked = []

        class Slow(NFPlugin):
            def on_init(self, packet, flow):
                pass

            def cleanup(self):  # the reader has read everything, and given nothing so far
                def ask():
                    try:
                        asked.append(next(flows))
                    except ValueError as error:
                        asked.append(str(error))
                thread = threading.Thread(target=ask)
                thread.start()
                thread.join()
        source = str(support.harness.many_flows(self.folder / "few.pcap", 300))
        flows = iter(NFStreamer(source=source, n_dissections=0, n_meters=1, udps=Slow()))
        self.assertEqual(len({flow.src_ip for flow in flows}), 300)
        self.assertEqual(asked, ["flows are being read already"])

    def test_a_plugin_may_be_the_one_who_drops_the_run(self):
        held, cleaned = [], threading.Event()

        class Drop(NFPlugin):
            def on_init(self, packet, flow):
                if len(held) == 2:
                    held.clear()

            def cleanup(self):
                cleaned.set()
        source = str(support.harness.many_flows(self.folder / "many.pcap", 200_000))
        held.append(iter(NFStreamer(source=source, n_dissections=0, n_meters=1, idle_timeout=0, udps=Drop())))
        next(held[0])
        held.append("now")
        support.harness.wait_for(cleaned.is_set, "plugins have not cleaned up")  # this thread does the rest meanwhile
        self.assertEqual(held, [])

    def test_nothing_is_left_of_runs(self):
        class Plugin(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.packet, flow.udps.text = packet, "x" * 1000

        class Circle(NFPlugin):
            def on_init(self, packet, flow):
                flow.udps.flow = flow

            def on_expire(self, flow):
                flow.udps.bytes = flow.bidirectional_bytes
        source = self.packets([60] * 200)

        def run():
            for flow in NFStreamer(source=source, idle_timeout=0, udps=[Plugin(), Circle()]):
                self.assertEqual(flow.udps.flow.src_ip, "10.0.0.1")
            streamer = NFStreamer(source=source, idle_timeout=0, udps=Plugin())
            streamer.to_csv("out.csv")
            streamer.to_pandas()
            gc.collect()
        run()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        run()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            run()
        self.assertLess(tracemalloc.get_traced_memory()[0] - before, 50_000)  # a run makes half a megabyte


@support.harness.needs_root("a live interface")
class Live(support.TestCase):
    def start(self, script):
        namespace = support.harness.Namespace(self)
        process = subprocess.Popen(namespace.command(*support.python("-c", script)), stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "ready\n")
        return process, namespace.packet_socket("lo")

    def test_flows_leave_while_the_capture_goes_on(self):
        process, link = self.start(LIVE)
        self.addCleanup(link.close)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stdout))
        reader.start()
        ports = itertools.count(20_000)  # flows of one packet each, which are idle after a second

        def ended():
            link.send(support.harness.udp_frame("10.9.9.9", next(ports), "10.9.9.10", 9999))
            return process.poll() is not None
        support.harness.wait_for(ended, "the second flow has not come")
        reader.join()
        flows = [line.split() for line in lines if line.startswith("flow")]
        self.assertEqual([flow[:3] for flow in flows], [["flow", "10.9.9.9", "9999"]] * 2)
        for report in (json.loads(line) for line in lines if line.startswith("{")):
            self.assertEqual(list(report), ["flows_expired", "packets_processed", "packets_ignored",
                                            "packets_dropped_filtered_by_kernel",
                                            "meters_packets_processing_balance"])

    def test_flows_of_local_processes_have_their_names(self):
        process, link = self.start(OF_A_PROCESS)
        link.close()
        self.assertEqual(process.stdout.read(), "True True\n")

    def test_an_interruption_ends_the_reading_with_what_was_there(self):
        process, link = self.start(INTERRUPTED)
        self.addCleanup(link.close)
        frame = support.harness.udp_frame("10.9.9.9", 7, "10.9.9.10", 9999)
        report = {"packets_processed": 0}
        while report["packets_processed"] == 0:  # a line each second, once it reads
            link.send(frame)
            report = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        lines = [line for line in process.stdout if not line.startswith("{")]
        kind, rows, packets = lines[0].split()
        self.assertEqual((kind, rows), ("rows", "1"))
        self.assertGreaterEqual(int(packets), 1)
        self.assertEqual(process.wait(timeout=20), 0)


def text_of(value):
    return repr(value) if isinstance(value, float) else str(value)


def tcp_flow(payload):
    """SYN, SYN/ACK, ACK and a request over TCP port 80."""
    def segment(source, destination, flags, data=b"", sequence=1, acknowledged=1):
        tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], sequence, acknowledged, 0x50, flags, 65535, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, socket.inet_aton(source[0]),
                         socket.inet_aton(destination[0]))
        return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp + data
    client, server = ("10.0.0.1", 40000), ("10.0.0.2", 80)
    return [segment(client, server, 2, sequence=0), segment(server, client, 18, sequence=0),
            segment(client, server, 16), segment(client, server, 24, payload),
            segment(server, client, 24, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                    acknowledged=1 + len(payload))]


if __name__ == "__main__":
    support.main()
