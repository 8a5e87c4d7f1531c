#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages to Kafka, MQTT, ZeroMQ, NATS, HTTP, syslog and line receivers, all of them real: every record, every field
as the CSV of the same run has it; and what happens when they go away. Configurations are those of exporters/collectors/."""
import collections
import csv
import gzip
import http.server
import io
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import unittest

import harness
from harness import BUILD, CAPTURES, NFSTREAMCTL, wait_for

SOME = [CAPTURES / f"{name}.pcap" for name in ("dhcp", "dns", "http", "icmp", "quic", "s_ext6", "s_vlan1", "ssh")]
MOCK = BUILD / "tests" / "integration" / "kafka_mock"
PYTHON_WITH_ZMQ = next((python for python in (sys.executable, "/usr/bin/python3")
                        if shutil.which(python) and subprocess.run(
                            [python, "-c", "import zmq"], capture_output=True).returncode == 0), None)


def needs(*programs):
    missing = [program for program in programs if not shutil.which(str(program)) and not pathlib.Path(program).exists()]
    return unittest.skipIf(missing, f"NOT RUN: {' '.join(map(str, missing))} missing")


def has_type(name):
    run = subprocess.run([harness.NFSTREAMD, "--list-exporters"], capture_output=True, text=True)
    return unittest.skipUnless(re.search(rf"^{name}:", run.stdout, re.M), f"NOT RUN: built without {name}")


def page(name, *replaced):
    """The configuration on the page of a collector, with addresses of this machine."""
    text = (harness.ROOT / "exporters" / "collectors" / f"{name}.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", text, re.S).group(1)
    for old, new in replaced:
        if old not in block:
            raise AssertionError(f"{old} is not on {name}.md")
        block = block.replace(old, new)
    return block


def in_csv(value):
    """A value of JSON as the CSV has it."""
    if value is None:
        return ""
    if isinstance(value, list):
        return str(value)
    return str(value)


class Brokers(harness.TestCase):
    def run_export(self, exporters, *captures, settings=(), status=0):
        """One run over the captures, to these exporters and a CSV file beside them; the CSV's rows."""
        rows = self.folder / f"beside-{time.monotonic_ns()}.csv"
        path = self.write("export.yaml", exporters + f"  - {{name: beside, type: csv, path: {rows}}}\n")
        self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)), status=status,
                       timeout=120)
        return self.rows(rows)

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))

    def check_same(self, flows, rows):
        """Flows from JSON, in any order, are the rows of the CSV, every column."""
        self.assertEqual(len(flows), len(rows))
        self.assertEqual([list(flow) for flow in flows], [list(rows[0])] * len(flows))
        sent = collections.Counter(tuple(row.values()) for row in rows)
        read = collections.Counter(tuple(in_csv(value) for value in flow.values()) for flow in flows)
        self.assertEqual(sent - read, collections.Counter())
        self.assertEqual(read - sent, collections.Counter())

    def check_ipfix(self, messages, rows):
        """Each message is complete in itself; their flows, decoded by nfstreamctl, are those of the CSV."""
        for message in messages:
            self.assertEqual(struct.unpack(">HH", message[:4]), (10, len(message)))
            self.assertIn(struct.unpack(">H", message[16:18])[0], (2, 3), "a template comes first")
        path = self.folder / "messages.ipfix"
        flows = []
        for message in messages:  # alone: without what others have told
            path.write_bytes(message)
            run = self.run_program(NFSTREAMCTL, "collect", path)
            flows += [flow for flow in map(json.loads, run.stdout.splitlines()) if "_options" not in flow]
        # consumers see messages of several partitions in any order; here in that of their sequence numbers
        path.write_bytes(b"".join(sorted(messages, key=lambda message: message[8:12])))
        whole = self.run_program(NFSTREAMCTL, "collect", path)
        self.assertEqual(sum("_options" not in json.loads(line) for line in whole.stdout.splitlines()), len(flows))
        self.assertIn(" 0 malformed, 0 gaps,", whole.stderr)
        names = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "src2dst_packets", "src2dst_first_seen_ms")
        self.assertEqual(collections.Counter(tuple(str(flow[name]) for name in names) for flow in flows),
                         collections.Counter(tuple(row[name] for name in names) for row in rows))
        dump = self.run_program("ipfixDump", "--in", path, "--rfc5610")
        self.assertEqual(len(re.findall(r"Message Header", dump.stdout)), len(messages))

    def many(self, flows):
        return harness.many_flows(self.folder / "many.pcap", flows)

    def begin_run(self, exporters, capture):
        """A run in the background, and its CSV."""
        rows = self.folder / "beside.csv"
        path = self.write("export.yaml", exporters + f"  - {{name: beside, type: csv, path: {rows}}}\n")
        return self.start(harness.NFSTREAMD, "-c", path, "-r", capture), rows

    def certificate(self, name, *, address="127.0.0.1"):
        """A certificate that signs itself, and its key."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        self.run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                         "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}", "-addext",
                         f"subjectAltName=DNS:{name},IP:{address}")
        key.chmod(0o644)
        return certificate, key

    def check_tls(self, exporter, good, other):
        """EXPORTER, which has {ca}, comes through with the good authority alone; and not to who shows another name."""
        for authority, status in ((other, 69), (good, 0)):
            with self.subTest(authority=authority):
                tls = f", tls: {{ca: {authority}}}"
                path = self.write("export.yaml", f"exporters:\n  - {{name: edge, {exporter}{tls}}}\n")
                run = self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap", status=status, timeout=120)
                if status:
                    self.assertRegex(run.stderr, "(?i)certificate|TLS|SSL")

    def check_error(self, exporter, *parts):
        path = self.write("wrong.yaml", f"exporters:\n  - {{name: wrong, {exporter}}}\n")
        run = self.nfstreamd("-t", "-c", path, "-r", CAPTURES / "dns.pcap", status=78)
        for part in parts:
            self.assertIn(part, run.stderr)


@has_type("kafka")
@needs(MOCK, "kcat")
class Kafka(Brokers):
    def setUp(self):
        super().setUp()
        self.mock = self.start(MOCK, "flows", 4)
        self.bootstrap = wait_for(lambda: self.mock.stdout().strip(), self.mock.describe)

    def configuration(self, more=""):
        return page("kafka", ("kafka.example:9092", self.bootstrap)) + more

    def read(self):
        """(partition, key, payload) of every message in the topic."""
        run = self.run_program("kcat", "-C", "-b", self.bootstrap, "-t", "flows", "-e", "-o", "beginning", "-q",
                               "-J", timeout=60)
        messages = map(json.loads, run.stdout.splitlines())
        return [(message["partition"], message["key"], message["payload"]) for message in messages]

    def read_octets(self):
        """Messages as they are, by their length."""
        run = subprocess.run(
            ["kcat", "-C", "-b", self.bootstrap, "-t", "flows", "-e", "-o", "beginning", "-q", "-f", "%R%s"],
            capture_output=True, timeout=60, check=True)
        data, messages = run.stdout, []
        while data:
            length = struct.unpack(">i", data[:4])[0]
            messages.append(data[4:4 + length])
            data = data[4 + length:]
        return messages

    def test_every_record_and_field_arrives(self):
        rows = self.run_export(self.configuration(), *SOME)
        messages = self.read()
        self.check_same([json.loads(payload) for _, _, payload in messages], rows)
        for partition, key, payload in messages:
            flow = json.loads(payload)
            ends = sorted((f"{flow[end + '_ip']} {flow[end + '_port']}" for end in ("src", "dst")))
            self.assertEqual(sorted(re.findall(r"(\S+ \d+)(?= |$)", key.split(" ", 1)[1])), ends)
            self.assertEqual({p for p, k, _ in messages if k == key}, {partition})

    def test_several_records_of_a_message_share_a_key(self):
        capture = self.many(3000)
        rows = self.run_export(self.configuration("    records_per_message: 20\n"), capture)
        messages = self.read()
        self.check_same([json.loads(line) for _, _, payload in messages for line in payload.split("\n")], rows)
        self.assertLess(len(messages), len(rows) / 10)
        self.assertLessEqual({key for _, key, _ in messages}, {str(group) for group in range(64)})
        for key in {key for _, key, _ in messages}:
            self.assertEqual(len({partition for partition, k, _ in messages if k == key}), 1)

    def test_arrays_and_csv(self):
        rows = self.run_export(self.configuration("    records_per_message: 7\n    json_array: true\n"), *SOME)
        self.check_same([flow for _, _, payload in self.read() for flow in json.loads(payload)], rows)
        rows = self.run_export(self.configuration("    records_per_message: 7\n    format: csv\n    csv_header: true\n"
                                                  "    key: none\n"), *SOME)
        flows = [flow for _, _, payload in self.read() if not payload.startswith("[")
                 for flow in csv.DictReader(io.StringIO(payload, newline=""))]
        self.assertEqual(collections.Counter(tuple(flow.values()) for flow in flows),
                         collections.Counter(tuple(row.values()) for row in rows))

    @needs("ipfixDump")
    def test_ipfix_messages_are_complete_each(self):
        rows = self.run_export(self.configuration("    format: ipfix\n    records_per_message: 5\n"), *SOME)
        self.check_ipfix(self.read_octets(), rows)

    def test_a_broker_that_goes_and_comes_loses_nothing(self):
        run, rows = self.begin_run(self.configuration("    rate_limit: 2000\n    flush_interval: 100ms\n"), self.many(8000))
        wait_for(lambda: len(self.read()) > 500, run.describe)
        self.mock.send_signal(signal.SIGUSR1)
        wait_for(lambda: "exporter failing" in run.stderr(), run.describe)
        self.mock.send_signal(signal.SIGUSR2)
        self.assertEqual(run.wait(90), 0, run.describe())
        self.check_same([json.loads(payload) for _, _, payload in self.read()], self.rows(rows))

    def test_no_broker_is_status_69_of_a_file_run(self):
        self.mock.stop()
        run = self.run_export(self.configuration(), CAPTURES / "dns.pcap", status=69)
        self.assertGreater(len(run), 0)

    def test_what_is_wrong_is_said_with_its_key(self):
        needed = 'type: kafka, brokers: ["a:1"], topic: t'
        self.check_error("type: kafka", "brokers", "topic")
        self.check_error(needed + ", librdkafka: [nonsense]", "librdkafka", "name=value")
        self.check_error(needed + ', librdkafka: ["no.such=1"]', "librdkafka", "no.such")
        self.check_error(needed + ', librdkafka: ["linger.ms=soon"]', "librdkafka", "linger.ms")
        self.check_error('type: kafka, brokers: ["http://a"], topic: t', "brokers", "HOST:PORT")
        self.check_error('type: kafka, brokers: ["a"], topic: "a b"', "topic")
        self.check_error(needed + ", max_message_size: 100MB", "in_flight_size", "max_message_size")
        self.check_error(needed + ", security: sasl_ssl", "security", "user")
        self.check_error(needed + ", tls: {ca: /x}", "tls.ca", "needs security")
        self.check_error(needed + ", format: ipfix, schema: nfstream3", "schema", "ipfix")
        self.check_error(needed + ", csv_header: true", "csv_header", "csv")


@harness.needs_root("live capture")
@has_type("kafka")
@needs(MOCK, "kcat")
class KafkaLive(harness.TestCase):
    """What the status says of records while brokers come and go: each is out, dropped, or waits."""

    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.mock = self.start(MOCK, "flows", 1, namespace=self.probe)
        self.bootstrap = wait_for(lambda: self.mock.stdout().strip(), self.mock.describe)
        self.begin("")

    def begin(self, more):
        self.process = self.daemon(
            "capture:\n  - {interface: lo, n_meters: 1, bpf_filter: udp dst port 7777}\nmetering:\n  idle_timeout: 600\n"
            + page("kafka", ("kafka.example:9092", self.bootstrap)) + "    flush_interval: 100ms\n" + more +
            f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.status(self.process)["interfaces"][0]["up"], self.process.describe)

    def exporter(self):
        return self.status(self.process)["exporters"][0]

    def flows(self, *sources):
        """One flow from each source port, metered and handed to the exporter."""
        created = self.status(self.process)["interfaces"][0]["flows_created"]
        self.probe.run(sys.executable, "-B", harness.ROOT / "tests" / "integration" / "traffic.py", "send", "127.0.0.1", 7777,
                       *sources)
        wait_for(lambda: self.status(self.process)["interfaces"][0]["flows_created"] == created + len(sources),
                 self.process.describe)
        self.run_program(NFSTREAMCTL, "--socket", self.process.socket, "expire")
        wait_for(lambda: self.status(self.process)["interfaces"][0]["flows_active"] == 0, self.process.describe)

    def read(self):
        text = self.probe.run("kcat", "-C", "-b", self.bootstrap, "-t", "flows", "-e", "-o", "beginning", "-q")
        return [json.loads(line)["src_port"] for line in text.splitlines()]

    def test_records_count_when_the_brokers_have_them_and_nothing_is_lost(self):
        self.flows(*range(50000, 50020))
        wait_for(lambda: self.exporter()["records"] == 20, lambda: str(self.exporter()))
        self.mock.send_signal(signal.SIGUSR1)
        wait_for(lambda: not self.exporter()["up"], lambda: str(self.exporter()))
        self.flows(*range(51000, 51010))
        self.assertEqual(self.exporter()["records"], 20)
        self.assertEqual(sum(self.exporter()["dropped"].values()), 0)
        self.mock.send_signal(signal.SIGUSR2)
        wait_for(lambda: self.exporter()["records"] == 30, lambda: str(self.exporter()), 60)
        self.assertEqual(sorted(self.read()), [*range(50000, 50020), *range(51000, 51010)])
        self.assertEqual(sum(self.exporter()["dropped"].values()), 0)
        self.assertEqual(self.process.stop(), 0, self.process.describe())

    def test_a_spool_keeps_what_the_brokers_do_not_have_over_a_restart(self):
        spool = f"    spool: {{directory: {self.folder}/spool}}\n"
        self.assertEqual(self.process.stop(), 0, self.process.describe())
        self.begin(spool)
        self.flows(*range(50000, 50010))
        wait_for(lambda: self.exporter()["records"] == 10, lambda: str(self.exporter()))
        self.mock.send_signal(signal.SIGUSR1)
        self.flows(*range(51000, 51010))
        wait_for(lambda: not self.exporter()["up"], lambda: str(self.exporter()))
        self.assertEqual(self.process.stop(), 0, self.process.describe())
        self.mock.send_signal(signal.SIGUSR2)
        self.begin(spool)
        expected = [*range(50000, 50010), *range(51000, 51010)]
        wait_for(lambda: len(self.read()) >= 20, lambda: f"{self.exporter()}\n{self.process.describe()}", 60)
        self.assertEqual(sorted(self.read()), expected)
        self.assertEqual(self.process.stop(), 0, self.process.describe())

    def test_a_stop_while_the_brokers_are_away_says_how_many_were_lost(self):
        self.flows(50000, 50001)
        wait_for(lambda: self.exporter()["records"] == 2, lambda: str(self.exporter()))
        self.mock.send_signal(signal.SIGUSR1)
        wait_for(lambda: not self.exporter()["up"], lambda: str(self.exporter()))
        self.flows(51000, 51001, 51002)
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(60), 0, self.process.describe())
        self.assertRegex(self.process.stderr(), r"records_dropped=3\b")


@has_type("mqtt")
@needs("mosquitto", "mosquitto_sub")
class Mqtt(Brokers):
    def setUp(self):
        super().setUp()
        self.port = harness.free_port()
        self.folder.chmod(0o777)
        self.settings = self.write("mosquitto.conf", f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                                   f"persistence true\npersistence_location {self.folder}/\nuser root\n"
                                   "max_queued_messages 0\nmax_inflight_messages 0\n")
        self.broker = self.start_broker()

    def start_broker(self):
        broker = self.start("mosquitto", "-v", "-c", self.settings)
        wait_for(lambda: broker.listens(self.port, "tcp") or not broker.running(), broker.describe)
        return broker

    def subscribe(self):
        """A subscriber whose session outlives connections."""
        before = self.broker.stderr().count("SUBACK")
        reader = self.start("mosquitto_sub", "-p", self.port, "-t", "flows/edge", "-q", 1, "-i", "reader", "-c")
        wait_for(lambda: self.broker.stderr().count("SUBACK") > before, reader.describe)
        return reader

    def flows(self, reader):
        return [json.loads(line) for line in reader.stdout().splitlines(True)
                if line.startswith("{") and line.endswith("}\n")]

    def configuration(self, more=""):
        return page("mqtt", ("mqtt.example:1883", f"127.0.0.1:{self.port}")) + more

    def test_every_record_and_field_arrives(self):
        for qos in (0, 1, 2):
            with self.subTest(qos=qos):
                reader = self.subscribe()
                configuration = self.configuration().replace("qos: 1", f"qos: {qos}")
                rows = self.run_export(configuration, *SOME)
                wait_for(lambda: len(self.flows(reader)) >= len(rows), reader.describe)
                self.check_same(self.flows(reader), rows)
                reader.stop()

    def test_a_broker_that_goes_and_comes_loses_nothing(self):
        reader = self.subscribe()
        run, rows = self.begin_run(self.configuration("    rate_limit: 1500\n    flush_interval: 100ms\n"), self.many(6000))
        wait_for(lambda: len(self.flows(reader)) > 300, run.describe)
        self.assertEqual(self.broker.stop(), 0)
        wait_for(lambda: "exporter failing" in run.stderr(), run.describe)
        self.broker = self.start_broker()
        self.assertEqual(run.wait(90), 0, run.describe())
        sent = {row["id"]: row for row in self.rows(rows)}
        wait_for(lambda: {str(flow["id"]) for flow in self.flows(reader)} >= set(sent),
                 lambda: f"{len({flow['id'] for flow in self.flows(reader)})} of {len(sent)}", 30)
        once = {flow["id"]: flow for flow in self.flows(reader)}  # quality 1: some twice
        self.check_same(list(once.values()), list(sent.values()))

    @needs("openssl")
    def test_only_a_broker_that_proves_who_it_is_gets_anything(self):
        (good, key), (other, _) = self.certificate("localhost"), self.certificate("other", address="192.0.2.1")
        self.port = harness.free_port()
        self.settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
                                 f"certfile {good}\nkeyfile {key}\n")
        self.start_broker()
        self.check_tls(f"type: mqtt, broker: 'mqtts://localhost:{self.port}'", good, other)

    @needs("openssl")
    def test_a_broker_with_the_certificate_of_another_gets_nothing(self):
        other, key = self.certificate("other", address="192.0.2.1")
        self.port = harness.free_port()
        self.settings.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n"
                                 f"certfile {other}\nkeyfile {key}\n")
        self.start_broker()
        path = self.write("export.yaml", "exporters:\n  - {name: edge, type: mqtt, "
                                         f"broker: 'mqtts://localhost:{self.port}', tls: {{ca: {other}}}}}\n")
        self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap", status=69, timeout=120)

    def test_what_is_wrong_is_said_with_its_key(self):
        self.check_error("type: mqtt", "broker")
        self.check_error('type: mqtt, broker: "tcp://a"', "broker", "mqtt://")
        self.check_error('type: mqtt, broker: "mqtt://a", topic: "a/#"', "topic")
        self.check_error('type: mqtt, broker: "mqtt://a", clean_session: false', "clean_session", "client_id")
        self.check_error('type: mqtt, broker: "mqtt://a", keepalive: 5s, flush_interval: 10s', "keepalive")


ZMQ_READER = """
import sys, zmq
socket = zmq.Context().socket(getattr(zmq, sys.argv[1]))
socket.setsockopt(zmq.RCVHWM, 0)
socket.bind(sys.argv[2]) if sys.argv[3] == "bind" else socket.connect(sys.argv[2])
if sys.argv[1] == "SUB":
    socket.subscribe(sys.argv[4])
print("ready", flush=True)
while True:
    frames = socket.recv_multipart()
    print(b"|".join(frames).decode(), flush=True)
"""


@has_type("zmq")
@unittest.skipUnless(PYTHON_WITH_ZMQ, "NOT RUN: python3-zmq missing")
class Zmq(Brokers):
    def read(self, kind, attach, topic=""):
        reader = self.start(PYTHON_WITH_ZMQ, "-c", ZMQ_READER, kind, f"tcp://127.0.0.1:{self.port}", attach, topic)
        wait_for(lambda: "ready" in reader.stdout(), reader.describe)
        return reader

    def setUp(self):
        super().setUp()
        self.port = harness.free_port()

    def flows(self, reader):
        lines = [line for line in reader.stdout().splitlines(True)[1:] if line.endswith("}\n")]
        return [json.loads(line[line.index("{"):]) for line in lines]

    def test_a_pusher_waits_for_its_peer_and_every_record_and_field_arrives(self):
        for attach in ("bind", "connect"):
            with self.subTest(attach=attach):
                endpoint = f"tcp://127.0.0.1:{self.port}"
                run, rows = self.begin_run("exporters:\n  - {name: z, type: zmq, socket: push, "
                                           f"attach: {attach}, endpoint: '{endpoint}'}}\n", SOME[1])
                wait_for(lambda: "nobody is connected" in run.stderr(), run.describe)
                reader = self.read("PULL", "connect" if attach == "bind" else "bind")
                self.assertEqual(run.wait(60), 0, run.describe())
                wait_for(lambda: len(self.flows(reader)) >= len(self.rows(rows)), reader.describe)
                self.check_same(self.flows(reader), self.rows(rows))
                reader.kill()

    def test_a_subscriber_gets_the_topic_and_every_record(self):
        reader = self.read("SUB", "connect", "flows")
        configuration = page("zeromq", ("tcp://*:5556", f"tcp://127.0.0.1:{self.port}"))
        # live there is time to subscribe; here the run must last until the subscription has come
        run, rows = self.begin_run(configuration + "    rate_limit: 500\n", self.many(3000))
        self.assertEqual(run.wait(60), 0, run.describe())
        count = len(self.flows(reader))
        sent = {row["id"]: row for row in self.rows(rows)}
        flows = wait_for(lambda: [flow for flow in self.flows(reader)][-1:] and self.flows(reader), reader.describe)
        wait_for(lambda: str(self.flows(reader)[-1]["id"]) == max(sent, key=int), reader.describe)
        flows = self.flows(reader)
        self.assertGreater(len(flows), len(sent) // 4, count)
        self.assertEqual([flow["id"] for flow in flows], list(range(flows[0]["id"], flows[0]["id"] + len(flows))))
        self.check_same(flows, [sent[str(flow["id"])] for flow in flows])
        self.assertTrue(all(line.startswith("flows|{") for line in reader.stdout().splitlines()[1:]))

    def test_a_subscriber_that_is_slow_holds_all_up_when_told_so(self):
        endpoint = f"tcp://127.0.0.1:{self.port}"
        reader = self.read("SUB", "bind")
        run, rows = self.begin_run("exporters:\n  - {name: z, type: zmq, attach: connect, high_water_mark: 10, "
                                   f"slow_subscribers: wait, rate_limit: 2000, endpoint: '{endpoint}'}}\n", self.many(4000))
        wait_for(lambda: len(self.flows(reader)) > 100, reader.describe)
        reader.send_signal(signal.SIGSTOP)
        wait_for(lambda: len(self.rows(rows)) > 3500 or not run.running(), run.describe)
        reader.send_signal(signal.SIGCONT)
        self.assertEqual(run.wait(60), 0, run.describe())
        last = len(self.rows(rows)) - 1
        wait_for(lambda: self.flows(reader)[-1]["id"] == last, reader.describe)
        ids = [flow["id"] for flow in self.flows(reader)]
        self.assertEqual(ids, list(range(ids[0], last + 1)))


class NatsClient:
    """As much of the protocol as a reader needs: nats.io, client protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=harness.DEADLINE)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()  # INFO
        self.socket.sendall(b'CONNECT {"verbose":false,"headers":true}\r\nPING\r\n')
        while self.lines.readline() != b"PONG\r\n":
            pass

    def close(self):
        self.lines.close()
        self.socket.close()

    def subscribe(self, subject):
        self.socket.sendall(f"SUB {subject} 1\r\nPING\r\n".encode())
        while self.lines.readline() != b"PONG\r\n":
            pass

    def message(self):
        while True:
            words = self.lines.readline().split()
            if not words:
                raise AssertionError("the server closed the connection")
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                header = int(words[-2]) if words[0] == b"HMSG" else 0
                payload = self.lines.read(int(words[-1]) + 2)[:-2]
                return payload[header:]

    def request(self, subject, body):
        self.subscribe("answer")
        text = json.dumps(body).encode()
        self.socket.sendall(b"PUB %s answer %d\r\n%s\r\n" % (subject.encode(), len(text), text))
        answer = json.loads(self.message())
        if "error" in answer:
            raise AssertionError(answer)
        self.socket.sendall(b"UNSUB 1\r\n")
        return answer


@has_type("nats")
@needs("nats-server")
class Nats(Brokers):
    def setUp(self):
        super().setUp()
        self.port = harness.free_port()
        self.server = self.start_server()

    def start_server(self, *arguments):
        server = self.start("nats-server", "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", self.folder / "js", *arguments)
        wait_for(lambda: server.listens(self.port, "tcp") or not server.running(), server.describe)
        return server

    def client(self):
        client = NatsClient(self.port)
        self.addCleanup(client.close)
        return client

    def configuration(self, more="", jetstream=True):
        text = page("nats", ("nats.example:4222", f"127.0.0.1:{self.port}")) + more
        return text if jetstream else text.replace("jetstream: true", "jetstream: false")

    def create_stream(self):
        self.client().request("$JS.API.STREAM.CREATE.FLOWS", {"name": "FLOWS", "subjects": ["flows"], "storage": "file",
                                                              "retention": "limits", "num_replicas": 1})

    def stored(self, count):
        """The messages of the stream, when it has so many."""
        client = self.client()
        wait_for(lambda: client.request("$JS.API.STREAM.INFO.FLOWS", {})["state"]["messages"] >= count,
                 lambda: f"{client.request('$JS.API.STREAM.INFO.FLOWS', {})['state']['messages']} of {count}")
        total = client.request("$JS.API.STREAM.INFO.FLOWS", {})["state"]["messages"]
        reader = self.client()
        reader.subscribe("read")
        client.request("$JS.API.CONSUMER.CREATE.FLOWS", {"stream_name": "FLOWS", "config": {
            "deliver_subject": "read", "ack_policy": "none", "deliver_policy": "all", "replay_policy": "instant"}})
        return [reader.message() for _ in range(total)]

    def test_every_record_and_field_arrives_at_who_listens(self):
        reader = self.client()
        reader.subscribe("flows")
        rows = self.run_export(self.configuration(jetstream=False), *SOME)
        self.check_same([json.loads(reader.message()) for _ in rows], rows)

    def test_a_stream_has_every_record_once_though_its_server_goes_and_comes(self):
        self.create_stream()
        run, rows = self.begin_run(self.configuration("    rate_limit: 1500\n    flush_interval: 100ms\n"), self.many(6000))
        watcher = self.client()
        wait_for(lambda: watcher.request("$JS.API.STREAM.INFO.FLOWS", {})["state"]["messages"] > 300, run.describe)
        self.server.stop()
        wait_for(lambda: "exporter failing" in run.stderr(), run.describe)
        self.server = self.start_server()
        self.assertEqual(run.wait(90), 0, run.describe())
        sent = self.rows(rows)
        self.check_same([json.loads(message) for message in self.stored(len(sent))], sent)

    def test_without_a_stream_the_exporter_is_down(self):
        run, rows = self.begin_run(self.configuration(), CAPTURES / "dns.pcap")
        wait_for(lambda: "exporter failing" in run.stderr(), run.describe)
        self.create_stream()
        self.assertEqual(run.wait(60), 0, run.describe())
        sent = self.rows(rows)
        self.check_same([json.loads(message) for message in self.stored(len(sent))], sent)

    @needs("openssl")
    def test_only_a_server_that_proves_who_it_is_gets_anything(self):
        (good, key), (other, other_key) = self.certificate("localhost"), self.certificate("other", address="192.0.2.1")
        self.server.stop()
        self.server = self.start_server("--tls", "--tlscert", good, "--tlskey", key)
        self.check_tls(f"type: nats, subject: a, servers: ['tls://localhost:{self.port}']", good, other)
        self.server.stop()
        self.server = self.start_server("--tls", "--tlscert", other, "--tlskey", other_key)
        path = self.write("export.yaml", "exporters:\n  - {name: edge, type: nats, subject: a, "
                                         f"servers: ['tls://localhost:{self.port}'], tls: {{ca: {other}}}}}\n")
        self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap", status=69, timeout=120)

    def test_what_is_wrong_is_said_with_its_key(self):
        self.check_error("type: nats", "servers", "subject")
        self.check_error('type: nats, servers: ["a:1"], subject: a', "servers", "nats://")
        self.check_error('type: nats, servers: ["nats://a"], subject: "a.>"', "subject")


class HttpServer:
    """Keeps the bodies of POST requests that it answers with 200; `answer(number of the request)` is (status, delay),
    status 0: a reset, -1: what was received is kept, and then a reset."""

    def __init__(self, case, answer=lambda number: (200, 0), certificate=None):
        bodies, requests = self.bodies, self.requests = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                number = len(requests)
                requests.append((self.path, dict(self.headers)))
                status, delay = answer(number)
                time.sleep(delay)  # what a slow server does
                if status in (200, -1):
                    bodies.append(body)
                if status <= 0:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    return
                text = b"as the server says"
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *_: None  # a client that does not like our certificate
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()
        case.addCleanup(self.close)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def flows(self):
        return [json.loads(line) for body in self.bodies for line in body.splitlines()]


@has_type("http")
class Http(Brokers):
    def configuration(self, server, more=""):
        return page("clickhouse", ("clickhouse.example:8123", f"127.0.0.1:{server.port}")) + more

    def test_every_record_and_field_arrives(self):
        server = HttpServer(self)
        rows = self.run_export(self.configuration(server), *SOME)
        self.check_same(server.flows(), rows)
        path, headers = server.requests[0]
        self.assertIn("query=INSERT%20INTO%20flows%20FORMAT%20JSONEachRow", path)
        self.assertEqual(headers["Content-Type"], "application/x-ndjson")

    def test_headers_and_credentials(self):
        server = HttpServer(self)
        base = f"exporters:\n  - {{name: h, type: http, url: 'http://127.0.0.1:{server.port}/in', "
        self.write("password", "open sesame\n")
        self.run_export(base + f"user: me, password: !file {self.folder}/password, headers: ['X-Probe: edge']}}\n",
                        CAPTURES / "dns.pcap")
        self.run_export(base + f"token: !file {self.folder}/password, format: csv, csv_header: true}}\n",
                        CAPTURES / "dns.pcap")
        (_, first), (_, second) = server.requests
        self.assertEqual(first["X-Probe"], "edge")
        self.assertEqual(first["Authorization"], "Basic bWU6b3BlbiBzZXNhbWU=")
        self.assertEqual(second["Authorization"], "Bearer open sesame")
        self.assertEqual(second["Content-Type"], "text/csv")
        shown = self.nfstreamd("-c", self.folder / "export.yaml", "-r", CAPTURES / "dns.pcap", "--print-config").stdout
        self.assertNotIn("sesame", shown)

    def test_errors_of_the_server_resets_and_slow_answers_lose_nothing(self):
        answers = [(503, 0), (0, 0), (200, 1), (404, 0), (200, 0), (429, 0), (200, 0)]
        server = HttpServer(self, lambda number: answers[number] if number < len(answers) else (200, 0))
        rows = self.run_export(self.configuration(server).replace("10000", "300"), self.many(2000))
        self.check_same(server.flows(), rows)

    def test_an_answer_that_got_lost_brings_the_same_block_again(self):
        server = HttpServer(self, lambda number: (-1 if number == 1 else 200, 0))
        rows = self.run_export(self.configuration(server).replace("10000", "300"), self.many(1000))
        self.assertEqual(server.bodies[1], server.bodies[2])
        del server.bodies[1]
        self.check_same(server.flows(), rows)

    def test_a_block_that_is_refused_is_dropped_and_the_server_is_quoted(self):
        server = HttpServer(self, lambda number: (400 if number == 1 else 200, 0))
        run, rows = self.begin_run(self.configuration(server).replace("10000", "300"), self.many(1000))
        run.wait(60)
        self.assertIn("as the server says", run.stderr())
        self.assertEqual(len(server.flows()), 700)
        self.assertEqual(len(self.rows(rows)), 1000)

    @needs("openssl")
    def test_only_a_server_that_proves_who_it_is_gets_anything(self):
        good, other = self.certificate("localhost"), self.certificate("other", address="192.0.2.1")
        server = HttpServer(self, certificate=good)
        self.check_tls(f"type: http, url: 'https://localhost:{server.port}/'", good[0], other[0])
        self.assertEqual(len(server.bodies), 1)
        server = HttpServer(self, certificate=other)
        path = self.write("export.yaml", "exporters:\n  - {name: edge, type: http, "
                                         f"url: 'https://localhost:{server.port}/', tls: {{ca: {other[0]}}}}}\n")
        self.nfstreamd("-c", path, "-r", CAPTURES / "dns.pcap", status=69, timeout=120)
        self.assertEqual(server.bodies, [])

    def test_what_is_wrong_is_said_with_its_key(self):
        self.check_error("type: http", "url")
        self.check_error('type: http, url: "ftp://a/"', "url", "https://")
        self.check_error('type: http, url: "http://me:secret@a/"', "url", "password")
        self.check_error('type: http, url: "http://a/", headers: [nonsense]', "headers")
        self.check_error('type: http, url: "http://a/", headers: ["Authorization: x"]', "headers", "token")
        self.check_error('type: http, url: "http://a/", tls: {ca: /x}', "tls.ca", "https")
        self.check_error('type: http, url: "https://a/", tls: {key: /x}', "tls.key", "tls.certificate")


class TcpSink:
    """Reads connections one after the other; each as the octets that it brought."""

    def __init__(self, case, port=0):
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.open = None
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        case.addCleanup(self.close)

    def serve(self):
        while True:
            try:
                self.open, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(bytearray())
            try:
                while data := self.open.recv(65536):
                    self.connections[-1] += data
            except OSError:
                pass
            self.open.close()

    def reset(self):
        self.open.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open.shutdown(socket.SHUT_RD)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def octets(self):
        return b"".join(self.connections)


def syslog_frames(octets):
    """Messages of a stream with octet counting (RFC 6587, 3.4.1)."""
    messages = []
    while octets:
        count, rest = octets.split(b" ", 1)
        messages.append(rest[:int(count)])
        octets = rest[int(count):]
    return messages


class Lines(Brokers):
    def datagrams(self, configuration, *captures):
        """What a run sends over UDP, and its CSV."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            receiver.bind(("127.0.0.1", 0))
            rows = self.run_export(configuration(receiver.getsockname()[1]), *captures)
            receiver.setblocking(False)
            received = []
            try:
                while True:
                    received.append(receiver.recv(65535))
            except BlockingIOError:
                return received, rows

    def test_json_lines_over_tcp_bring_every_record_and_field(self):
        sink = TcpSink(self)
        rows = self.run_export(page("logstash", ("logstash.example:5044", f"127.0.0.1:{sink.port}")), *SOME, self.many(3000))
        wait_for(lambda: sink.octets().count(b"\n") >= len(rows), "lines are missing")
        self.assertTrue(sink.octets().endswith(b"\n"))
        self.check_same([json.loads(line) for line in sink.octets().splitlines()], rows)

    def test_csv_has_its_header_at_the_beginning_of_each_connection(self):
        sink = TcpSink(self)
        configuration = f"exporters:\n  - {{name: l, type: lines, format: csv, csv_header: true, collectors: ['tcp://127.0.0.1:{sink.port}']}}\n"
        for _ in range(2):
            rows = self.run_export(configuration, *SOME)
        wait_for(lambda: sink.octets().count(b"\n") >= 2 * len(rows) + 2, "lines are missing")
        for connection in sink.connections:
            self.assertEqual(list(csv.DictReader(io.StringIO(connection.decode(), newline=""))), rows)

    def test_datagrams_have_whole_lines_and_keep_to_the_mtu_where_lines_do(self):
        def configuration(port):
            return ("exporters:\n  - {name: l, type: lines, rate_limit: 20000, mtu: 1420, fields: [src_ip, src_port, dst_ip, id], "
                    f"collectors: ['udp://127.0.0.1:{port}']}}\n")
        received, rows = self.datagrams(configuration, self.many(2000))
        flows = [json.loads(line) for datagram in received for line in datagram.splitlines()]
        self.assertEqual([(flow["src_ip"], flow["src_port"], flow["id"]) for flow in flows],
                         [(row["src_ip"], int(row["src_port"]), int(row["id"])) for row in rows])
        self.assertLessEqual(max(map(len, received)), 1420 - 28)
        self.assertLess(len(received), len(rows) / 5)
        self.assertTrue(all(datagram.endswith(b"\n") for datagram in received))

    def test_a_record_that_is_longer_than_the_mtu_goes_alone(self):
        received, rows = self.datagrams(lambda port: "exporters:\n  - {name: l, type: lines, mtu: 512, rate_limit: 5000, "
                                                     f"collectors: ['udp://127.0.0.1:{port}']}}\n", *SOME)
        self.check_same([json.loads(datagram) for datagram in received], rows)

    def test_a_receiver_that_is_late_gets_everything(self):
        port = harness.free_port()
        run, rows = self.begin_run(page("logstash", ("logstash.example:5044", f"127.0.0.1:{port}")), self.many(500))
        wait_for(lambda: "exporter failing" in run.stderr(), run.describe)
        sink = TcpSink(self, port)
        self.assertEqual(run.wait(60), 0, run.describe())
        wait_for(lambda: sink.octets().count(b"\n") >= 500, "lines are missing")
        self.check_same([json.loads(line) for line in sink.octets().splitlines()], self.rows(rows))

    def test_syslog_over_tcp_is_framed_by_octets(self):
        sink = TcpSink(self)
        rows = self.run_export(page("syslog", ("syslog.example:514", f"127.0.0.1:{sink.port}")), *SOME)
        messages = wait_for(lambda: sink.octets().count(b'"}') >= len(rows) and syslog_frames(bytes(sink.octets())),
                            "messages are missing")
        pattern = re.compile(r"<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ nfstreamd \d+ flow - (\{.*\})", re.S)
        flows = [json.loads(pattern.fullmatch(message.decode()).group(1)) for message in messages]
        names = list(flows[0])
        self.assertEqual([[in_csv(value) for value in flow.values()] for flow in flows],
                         [[row[name] for name in names] for row in rows])

    def test_syslog_over_udp_with_structured_data(self):
        def configuration(port):
            return ("private_enterprise_number: 32473\nexporters:\n  - {name: s, type: syslog, facility: daemon, severity: notice, host_name: edge1, rate_limit: 5000, "
                    f"app_name: probe, format: structured, collectors: ['udp://127.0.0.1:{port}']}}\n")
        received, rows = self.datagrams(configuration, *SOME)
        self.assertEqual(len(received), len(rows))
        for message, row in zip(received, rows):
            found = re.fullmatch(r'<29>1 \S+Z edge1 probe \d+ flow (\[flow@32473( [!-~]+?="(?:[^"\\\]]|\\["\\\]])*")*\])',
                                 message.decode(), re.S)
            self.assertIsNotNone(found, message)
            parameters = dict(re.findall(r' ([!-~]+?)="((?:[^"\\\]]|\\["\\\]])*)"', found.group(1)))
            read = {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in parameters.items()}
            self.assertEqual({name: value for name, value in row.items() if value != ""},
                             {name: {"true": "True", "false": "False"}.get(value, value) for name, value in read.items()})

    def test_what_is_wrong_is_said_with_its_key(self):
        self.check_error("type: lines", "collectors")
        self.check_error('type: lines, collectors: ["tcp://a"]', "collectors", "port")
        self.check_error('type: lines, collectors: ["tcp://a:1", "tcp://b:1"]', "collectors", "one exporter")
        self.check_error('type: lines, collectors: ["tcp://a:1"], csv_header: true', "csv_header")
        self.check_error('type: syslog, collectors: ["tcp://a"], app_name: "a b"', "app_name")
        self.check_error('type: syslog, collectors: ["tcp://a"], format: structured', "format", "private_enterprise_number")


if __name__ == "__main__":
    harness.main()
