#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Conformance of transport sessions: C02, C04, C13 to C19, C22, C25 to C35, on octets that collectors of ours get."""
import contextlib
import os
import re
import signal
import socket
import sys
import time

import harness
import transports_test
import wire
from conformance import ALL, SOME, Conformance, Datagrams, Live, Streams, inside, records, sets, templates
from harness import wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
ETH_P_IP = 0x0800
IP_AND_UDP = 28  # octets of the headers
TYPES = (303, 339, 346)
NOT_SENT = (166, 167, 168)


def has_sctp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


def template_records(octets):
    """(template id, field count) of each template, options template and withdrawal of a message, without the reader."""
    for number, body in sets(octets):
        at = 0
        while number in (2, 3) and len(body) - at >= 4:
            template, count = (int.from_bytes(body[at + n:at + n + 2], "big") for n in (0, 2))
            yield template, count
            at += 4 if number == 2 or count == 0 else 6
            for _ in range(count):
                at += 8 if body[at] & 0x80 else 4


class Files(Conformance):
    """What a run over capture files shows."""

    def test_c13(self):
        """conformance: C13 a template goes before its data, and is not younger"""
        for messages in (self.over_udp().messages(), self.over_tcp().messages(), self.read_file(self.in_file())):
            sent = {}
            for message in messages:
                sent.update({template.id: message.export_time for template in message.templates})
                for record in message.records:
                    self.assertGreaterEqual(message.export_time, sent[record.template.id])
            self.assertGreaterEqual(len({record.template.id for record in records(messages)}), 3)

    def test_c14(self):
        """conformance: C14 over TCP each template is sent once, never redefined and never withdrawn"""
        connection = self.over_tcp()
        found = [one for _, octets in connection.pieces() for one in template_records(octets)]
        self.assertEqual(len(found), len({number for number, _ in found}))
        self.assertNotIn(0, [count for _, count in found])

    def test_c17(self):
        """conformance: C17 an id that stood for a template once never stands for another one, also of a later run"""
        meaning = {}
        for settings in ("", "", ", fields: [core]", ", fields: [core, base]", ", biflow: false", ", application_id: user4",
                         ", options_text: 24"):
            for template in templates(self.over_udp(settings, captures=SOME).messages()):
                self.assertEqual(meaning.setdefault(template.id, template), template, settings)
        self.assertGreater(len(meaning), 12)

    def test_c18(self):
        """conformance: C18 over UDP templates go in messages of their own, more than once before the first flow"""
        for kind in ("ipfix", "netflow9"):
            messages = self.over_udp(kind=kind).messages()
            self.assertEqual([message for message in messages if message.templates and message.records], [])
            first = next(index for index, message in enumerate(messages) if records([message]))
            copies = {}
            for template in templates(messages[:first]):
                copies[template.id] = copies.get(template.id, 0) + 1
            self.assertGreaterEqual(len(copies), 8 if kind == "ipfix" else 4)
            self.assertLessEqual({record.template.id for record in records(messages)}, set(copies))
            self.assertEqual({number: count for number, count in copies.items() if count < 2}, {})

    def test_c19(self):
        """conformance: C19 over SCTP templates are reliable and ordered: one ordered stream without a lifetime carries all"""
        if not has_sctp():
            source = (harness.ROOT / "exporters/transport/sctp_transport.cpp").read_text(encoding="utf-8")
            self.assertIsNone(re.search(r"SCTP_UNORDERED|SCTP_PR_|sinfo_timetolive\s*=", source))
            self.skipTest("by rule: this kernel has no SCTP; its source asks for nothing unordered or unreliable")
        self.fail("this kernel has SCTP: write the test that reads a session")

    def test_c25(self):
        """conformance: C25 without a port IPFIX goes to 4739, over TLS and DTLS to 4740, else where it is told"""
        tls = self.certificates()
        for number, (protocol, port) in enumerate((("udp", 4739), ("tcp", 4739), ("tls", 4740), ("dtls", 4740))):
            address = f"127.47.39.{number + 1}"
            with self.subTest(protocol), contextlib.closing(self.listen(protocol, address, port)) as listener:
                listener.settimeout(harness.DEADLINE)
                path = self.write("export.yaml", self.configuration(
                    f"name: main, type: ipfix, collectors: ['{protocol}://{address}']{tls if port == 4740 else ''}"))
                process = self.start(harness.NFSTREAMD, "-c", path, "-r", SOME[0])
                if protocol in ("tcp", "tls"):
                    listener = listener.accept()[0]
                with contextlib.closing(listener):
                    self.assertEqual(listener.recv(65535)[:1], b"\x16" if port == 4740 else b"\0")  # a handshake, or 10
                process.kill()
        self.assertNotEqual(self.over_udp(captures=SOME[:1]).port, 4739)

    def certificates(self):
        secure = transports_test.Authority(self, "ours")
        secure.issue("probe", "DNS:probe.example")
        return f", tls: {{ca: {secure.path('ca.pem')}, certificate: {secure.path('probe.pem')}, key: {secure.path('probe.key')}}}"

    def listen(self, protocol, address, port):
        if protocol in ("tcp", "tls"):
            return socket.create_server((address, port))
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind((address, port))
        return listener

    def test_c26(self):
        """conformance: C26 an IP packet over UDP has no more octets than `mtu`, 512 when that is what is known"""
        for mtu in (512, 900, 1420):
            arrived = self.over_udp(f", mtu: {mtu}, fields: [core]").arrived
            longest = max(len(octets) for _, octets in arrived) + IP_AND_UDP
            self.assertTrue(mtu - 200 < longest <= mtu, longest)
        default = max(len(octets) for _, octets in self.over_udp().arrived) + IP_AND_UDP
        self.assertLessEqual(default, 1420)

    def test_c27(self):
        """conformance: C27 a collector that reads octet by octet gets whole messages, one behind the other"""
        connection = self.over_tcp(", options: [types, sampling]", at_once=1, buffer=4096)
        messages = connection.messages()
        self.assertEqual(sum(len(octets) for _, octets in connection.pieces()), len(connection.octets))
        self.assertEqual(len(records(messages)), len(self.rows()))

    def test_c28_default(self):
        """conformance: C28 the default is one attempt a minute"""
        path = self.write("export.yaml", self.configuration("name: main, type: ipfix, collectors: ['tcp://127.0.0.1']"))
        printed = self.nfstreamd("-c", path, "-r", SOME[0], "--print-config").stdout
        self.assertRegex(printed, r"retry_interval: 60s\b")
        reference = (harness.ROOT / "config/REFERENCE.md").read_text(encoding="utf-8")
        self.assertIn("| `retry_interval` | duration | `60s` |", reference)

    def test_c28_shutdown(self):
        """conformance: C28 at the end everything is sent, then the connection closed"""
        connection = self.over_tcp()
        self.assertEqual(connection.end, "closed")
        self.assertEqual(len(records(connection.messages())), len(self.rows()))

    def test_c31(self):
        """conformance: C31 SCTP is implemented, for kernels that have it"""
        self.nfstreamd("-t", "-c", self.write("export.yaml", self.configuration(
            "name: main, type: ipfix, collectors: ['sctp://127.0.0.1']")), "-r", SOME[0])
        if not has_sctp():
            self.skipTest("by rule: this kernel has no SCTP; partial reliability is not asked for, see README.md")
        self.fail("this kernel has SCTP: write the test that reads a session")

    def test_c35(self):
        """conformance: C35 names and URLs that go unencrypted to another host are warned of, once for an exporter"""
        warning = "texts of the traffic are sent without encryption"
        tls = self.certificates()
        for collectors, more, expected in (("'udp://192.0.2.1', 'tcp://192.0.2.2', 'udp://127.0.0.1'", "", 1),
                                           ("'tcp://collector.example'", "", 1), ("'udp://127.0.0.1'", "", 0),
                                           ("'tcp://localhost', 'udp://[::1]'", "", 0),
                                           ("'tls://192.0.2.1'", tls, 0),
                                           ("'udp://192.0.2.1'", ", fields: [core]", 0),
                                           ("'udp://192.0.2.1'", ", anonymize: {texts: drop}", 0)):
            with self.subTest(f"{collectors} {more[:20]}"):
                path = self.write("export.yaml", self.configuration(
                    f"name: main, type: ipfix, policy: failover, collectors: [{collectors}]{more}"))
                run = self.nfstreamd("-t", "-c", path, "-r", SOME[0])
                self.assertEqual(run.stderr.count(warning), expected, run.stderr)
                if expected:
                    self.assertIn("tls:// or dtls://", run.stderr)
                    self.assertIn("requested_server_name", run.stderr)
                    self.assertNotIn("127.0.0.1", run.stderr)

    def test_c36_refresh(self):
        """conformance: C36 NetFlow 9 sends templates again after so many packets"""
        frames = [harness.udp_frame(f"10.0.{n >> 8}.{n & 255}", 5000, "192.0.2.1", 9999) for n in range(3000)]
        capture = harness.write_pcap(self.folder / "many.pcap", frames, first_s=int(time.time()) - 100)
        collector = self.over_udp(", mtu: 900, options: false, template_refresh_packets: 20", "netflow9", [capture])
        messages = collector.messages()
        at = [index for index, message in enumerate(messages) if message.templates]
        self.assertGreater(len(messages), 100)
        self.assertGreater(len(at), 10)
        # several messages leave in one call, between two looks at what is due
        self.assertLess(max(later - earlier for earlier, later in zip(at, at[1:])), 20 + 64 * 1024 // 600)


@harness.needs_root("live capture")
class Sessions(Live):
    def test_c02(self):
        """conformance: C02 the export time is that of sending, though a message has waited for seconds"""
        collector = Datagrams(self)
        daemon = self.begin(f"name: main, type: ipfix, collectors: ['udp://127.0.0.1:{collector.port}'], flush_interval: 6s")
        wait_for(lambda: self.exporter(daemon)["up"], daemon.describe)
        self.flows(daemon, 3)
        began = time.time()
        wait_for(lambda: len(records(collector.messages())) == 3, daemon.describe)  # compares with the time of arrival
        session = wire.Session("udp")
        arrived = next(now for now, octets in collector.arrived if records([session.read(octets)]))
        self.assertGreater(arrived - began, 3)
        self.stop(daemon)

    def test_c04(self):
        """conformance: C04 records that left and were lost are a gap in the sequence numbers"""
        collector = Datagrams(self)
        daemon = self.begin(f"name: main, type: ipfix, collectors: ['udp://127.0.0.1:{collector.port}'], options: false, "
                            "flush_interval: 100ms")
        self.flows(daemon, 4)
        wait_for(lambda: len(records(collector.messages())) == 4, daemon.describe)
        collector.close()

        def refused():
            self.flows(daemon, 3)
            return self.dropped(daemon) > 0
        wait_for(refused, daemon.describe)
        again = Datagrams(self, port=collector.port)
        session = None

        def arrives():
            nonlocal session
            self.flows(daemon, 2)
            session = wire.Session("udp", gaps=wire.COUNTED, from_start=True)
            collector.messages(session)
            return records(again.messages(session))
        wait_for(arrives, daemon.describe)
        wait_for(lambda: self.dropped(daemon) == sum(session.missing), lambda: f"{session.missing} {self.exporter(daemon)}")
        self.stop(daemon)

    def dropped(self, daemon):
        return self.exporter(daemon)["dropped"]["unreachable"]

    def test_c15_c17(self):
        """conformance: C15 nothing is withdrawn over UDP, other fields after a reload included; C17 they have other ids"""
        collector = Datagrams(self)
        entry = f"name: main, type: ipfix, collectors: ['udp://127.0.0.1:{collector.port}'], flush_interval: 100ms"
        daemon = self.begin(entry)
        self.flows(daemon, 2)
        for turn, fields in enumerate((", fields: [core]", ", biflow: false", "")):
            self.write("nfstreamd.yaml", self.live_configuration(entry + fields))
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: self.status(daemon)["reload"]["applied"] == turn + 1, daemon.describe)
            wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
            self.flows(daemon, 2)
        self.stop(daemon)
        collector.close()
        found = [one for _, octets in collector.arrived for one in template_records(octets)]
        self.assertGreater(len(found), 20)
        self.assertEqual([number for number, count in found if count == 0], [])
        session = wire.Session("udp", gaps=wire.COUNTED)  # all sessions as one: the ids of a domain keep their meaning
        self.assertEqual(len(records(collector.messages(session))), 8)
        self.assertGreaterEqual(len(set(collector.sources)), 3)
        for source in set(collector.sources):  # and each by itself, from 0
            alone = wire.Session("udp", from_start=True)
            for (now, octets), sender in zip(collector.arrived, collector.sources):
                if sender == source:
                    alone.read(octets, now)

    def test_c14_c30(self):
        """conformance: C14 after a reload other fields go over another connection; C30 which begins with nothing of the first"""
        collector = Streams(self)
        entry = f"name: main, type: ipfix, collectors: ['tcp://127.0.0.1:{collector.port}'], flush_interval: 100ms"
        daemon = self.begin(entry)
        self.flows(daemon, 2)
        self.write("nfstreamd.yaml", self.live_configuration(entry + ", fields: [core]"))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: len(collector.connections) == 2, daemon.describe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        self.flows(daemon, 2)
        self.stop(daemon)
        wait_for(lambda: all(one.end == "closed" for one in collector.connections), "they do not end")
        for one in collector.connections:
            messages = one.messages()  # a session of its own, from 0
            self.assertEqual([message.withdrawals for message in messages if message.withdrawals], [])
            self.assertEqual(len(records(messages)), 2)

    def test_c16(self):
        """conformance: C16 over UDP every template and options template is sent again at the interval that is set"""
        for kind in ("ipfix", "netflow9"):
            with self.subTest(kind):
                collector = Datagrams(self)
                daemon = self.begin(f"name: main, type: {kind}, collectors: ['udp://127.0.0.1:{collector.port}'], "
                                    "template_refresh: 1s, options_interval: 1s, flush_interval: 100ms")
                self.flows(daemon)

                def often():
                    session = wire.Session("udp", from_start=True)
                    collector.messages(session)
                    return session if all(times[-1] - times[0] > 2.5 for times in session.sent_at.values()) else None
                session = wait_for(often, daemon.describe)
                self.assertGreaterEqual(len(session.sent_at), 10 if kind == "ipfix" else 4)
                for key, times in session.sent_at.items():
                    gaps = [later - earlier for earlier, later in zip(times, times[1:]) if later - earlier > 0.3]
                    self.assertGreaterEqual(len(gaps), 2, (key, times))
                    self.assertTrue(all(0.7 < gap < 2 for gap in gaps), (key, gaps))
                self.stop(daemon)
                os.remove(self.folder / "nfstreamd.yaml")

    def test_c22_c29(self):
        """conformance: C22 what could not be sent is told by 166, 167, 168 as counted; C29 a new session begins anew"""
        collector = Streams(self)
        port = collector.port
        daemon = self.begin(f"name: main, type: ipfix, collectors: ['tcp://127.0.0.1:{port}'], flush_interval: 100ms, "
                            "queue_records: 64, retry_interval: 1s, options_interval: 1s")
        self.flows(daemon, 10)
        wait_for(lambda: len(records(collector.connections[0].messages())) == 10, daemon.describe)
        told = self.not_sent(collector.connections[0].messages())
        self.assertEqual(told, [(0, 0, 0)] * len(told))
        collector.close()
        wait_for(lambda: not self.exporter(daemon)["up"], daemon.describe)

        def lost():
            self.flows(daemon, 200, b"x" * 72)
            return self.exporter(daemon)["dropped"]["queue_full"] >= 400
        wait_for(lost, lambda: str(self.exporter(daemon)))
        wait_for(lambda: self.accounted(daemon) == self.status(daemon)["interfaces"][0]["flows_created"], daemon.describe)
        dropped = sum(self.exporter(daemon)["dropped"].values())
        again = Streams(self, port)
        wait_for(lambda: again.connections and len(self.not_sent(again.connections[0].messages())) >= 2,
                 lambda: f"{self.exporter(daemon)}\n{daemon.describe()}")
        messages = again.connections[0].messages()
        self.assertEqual(sum(self.exporter(daemon)["dropped"].values()), dropped)
        self.assertEqual(self.exporter(daemon)["lost_before_export"]["records"], dropped)
        octets = 20 + 8 + 72
        for values in self.not_sent(messages):  # from the first of the session on
            self.assertEqual(values, (dropped, dropped, dropped * octets))
        self.check_beginning(messages)
        self.stop(daemon)

    def accounted(self, daemon):
        row = self.exporter(daemon)
        return row["records"] + sum(row["dropped"].values()) + row["queue_depth"] + row["in_hand"]

    def not_sent(self, messages):
        found = [record for record in records(messages, options=True) if record.has(166)]
        for record in found:
            scopes = [field.id for field in record.template.fields if field.scope]
            self.assertLessEqual(set(scopes), {144, 130, 131})
            first, last = record.value(323), record.value(323, occurrence=1)
            self.assertLessEqual(first, last)
            self.assertEqual(first == 0, record.value(166) == 0)
        return [tuple(record.value(number) for number in NOT_SENT) for record in found]

    def check_beginning(self, messages):
        self.assertEqual(messages[0].sequence, 0)
        flow = next(index for index, message in enumerate(messages) if records([message]))
        told = [record for record in records(messages[:flow], options=True) if all(record.has(one) for one in TYPES)]
        self.assertGreater(len(told), 3)
        first_template = next(index for index, message in enumerate(messages)
                              if any(not template.is_options for template in message.templates))
        types = [index for index, message in enumerate(messages)
                 if any(record.has(TYPES[0]) for record in message.records)]
        self.assertLess(max(types), first_template)
        self.assertTrue(all(message.templates == [] for message in messages[flow:] if records([message])))

    def test_c28(self):
        """conformance: C28 after an abnormal end it connects again, and no sooner than is set after the attempt before"""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(20)
            daemon = self.begin(f"name: main, type: ipfix, collectors: ['tcp://127.0.0.1:{listener.getsockname()[1]}'], "
                                "flush_interval: 100ms, retry_interval: 2s")
            attempts = []
            for _ in range(4):
                connection = listener.accept()[0]
                attempts.append(time.monotonic())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
                connection.close()
            gaps = [later - earlier for earlier, later in zip(attempts, attempts[1:])]
            self.assertTrue(all(gap > 1.95 for gap in gaps), gaps)
            self.stop(daemon)

    def test_c30(self):
        """conformance: C30 collectors are independent: one that reads nothing holds up neither the others nor the meter"""
        stuck, well, datagrams = Streams(self, paused=True, buffer=4096), Streams(self), Datagrams(self)
        daemon = self.begin(f"name: main, type: ipfix, collectors: ['tcp://127.0.0.1:{stuck.port}', "
                            f"'tcp://127.0.0.1:{well.port}', 'udp://127.0.0.1:{datagrams.port}'], flush_interval: 100ms, "
                            "options: [types]")
        for _ in range(5):
            self.flows(daemon, 300)
        for messages in (lambda: well.connections[0].messages(), datagrams.messages):
            wait_for(lambda: len(records(messages())) == 1500, daemon.describe)
            self.assertEqual(messages()[0].sequence, 0)
        self.assertEqual(self.status(daemon)["interfaces"][0]["flows_created"], 1500)
        stuck.paused = False
        wait_for(lambda: stuck.connections and len(records(stuck.connections[0].messages(timed=False))) == 1500, daemon.describe)
        self.stop(daemon)


@harness.needs_root("a network namespace")
class Paths(Conformance):
    """Links that take less than a message has."""

    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.collector = inside(self.probe, lambda: Datagrams(self))

    def begin(self, settings):
        daemon = self.daemon(
            "capture:\n  - {interface: lo, n_meters: 1, bpf_filter: udp dst port 7777}\nmetering: {idle_timeout: 600}\n"
            + self.configuration(f"name: main, type: ipfix, collectors: ['udp://127.0.0.1:{self.collector.port}']{settings}")
            + f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def flows(self, daemon, first, count):
        created = self.status(daemon)["interfaces"][0]["flows_created"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", 7777, *range(first, first + count))
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_created"] == created + count, daemon.describe)
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0, daemon.describe)

    def set_mtu(self, octets):
        self.probe.ip("link", "set", "lo", "mtu", octets)

    def test_c26_link(self):
        """conformance: C26 a path of 600 octets gets packets of 600, whole, not to be fragmented, with a checksum"""
        self.set_mtu(600)
        link = inside(self.probe, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)))
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        link.settimeout(0.2)
        daemon = self.begin(", flush_interval: 100ms")
        self.flows(daemon, 20000, 50)
        wait_for(lambda: len(records(self.collector.messages())) == 50, daemon.describe)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertLessEqual(max(len(octets) for _, octets in self.collector.arrived), 600 - IP_AND_UDP)
        packets = []
        with contextlib.closing(link), contextlib.suppress(TimeoutError):
            while True:
                packets.append(link.recv(65535)[14:])
        ours = [packet for packet in packets if packet[9:10] == b"\x11"
                and int.from_bytes(packet[22:24], "big") == self.collector.port]
        ours = [packet for packet in ours if len(packet) <= 600]  # others are several, which a link would take apart
        self.assertGreater(len(ours), 3)
        for packet in ours:
            self.assertEqual(packet[6:8], b"\x40\0")  # DF, no fragment
            self.assertNotEqual(packet[26:28], b"\0\0")


class Secured(transports_test.Secure, Conformance):
    """RFC 7011, section 11."""

    def export(self, url, more="", status=0):
        return self.run_files([f"name: main, type: ipfix, collectors: ['{url}'], {self.tls(more=more)}"], SOME, status=status)

    def refused(self, url, more=""):
        """What is logged of an export that fails, from its first attempts."""
        path = self.write("export.yaml", self.configuration(
            f"name: main, type: ipfix, collectors: ['{url}'], {self.tls(more=more)}"))
        process = self.start(harness.NFSTREAMD, "-c", path, "-r", *SOME)
        wait_for(lambda: "exporter failing" in process.stderr(), process.describe)
        process.kill()
        return process.stderr()

    def test_c32(self):
        """conformance: C32 TLS 1.2 and 1.3 and DTLS 1.2, and nothing older"""
        rows = len(self.rows(SOME))
        for version in ("tls1_2", "tls1_3", "dtls1_2"):
            with self.subTest(version):
                collector = transports_test.Collector(self, "tls", more=[f"-{version}"])
                self.export(f"{version.split('1')[0]}://127.0.0.1:{collector.port}")
                wait_for(lambda: len(self.flows_of(collector)) == rows, lambda: f"{len(self.flows_of(collector))}")
        for version in ("tls1", "tls1_1", "dtls1"):
            with self.subTest(version):
                collector = transports_test.Collector(self, "tls", more=[f"-{version}", "-cipher", "DEFAULT@SECLEVEL=0"])
                log = self.refused(f"{version.split('1')[0]}://127.0.0.1:{collector.port}")
                self.assertRegex(log, "protocol|version")
                self.assertEqual(collector.out.read_bytes(), b"")

    def flows_of(self, collector):
        """By the strict reader, once the last message is whole."""
        octets = collector.out.read_bytes()
        try:
            return records(wire.Session("tcp", from_start=True).read_stream(octets))
        except wire.Violation as violation:
            if violation.item != "C01":
                raise
            return []

    def test_c33(self):
        """conformance: C33 nothing goes to a collector of another name or authority, that wants none of ours, or without a cipher"""
        self.ours.issue("elsewhere", "DNS:elsewhere.example")
        name, cipher = "elsewhere", ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"]
        null = ", ciphers: 'ALL:eNULL:@SECLEVEL=0'"
        for what, protocol, certificate, arguments, more in (
                ("another name", "tls", name, [], ""), ("another name", "dtls", name, [], ""),
                ("no encryption", "tls", "collector", cipher, null),
                ("refuses ours", "tls", "collector", ["-CAfile", self.other.path("ca.pem")], "")):
            with self.subTest(f"{protocol}: {what}"):
                collector = transports_test.Collector(self, protocol, certificate, more=arguments)
                log = self.refused(f"{protocol}://localhost:{collector.port}", more)
                self.assertEqual(collector.out.read_bytes(), b"")
                if certificate == name:
                    self.assertIn("hostname mismatch", log)
        with self.subTest("another authority"):
            collector = transports_test.Collector(self, "tls")
            path = self.write("export.yaml", self.configuration(
                f"name: main, type: ipfix, collectors: ['tls://127.0.0.1:{collector.port}'], {self.tls(ca=self.other)}"))
            process = self.start(harness.NFSTREAMD, "-c", path, "-r", *SOME)
            wait_for(lambda: "exporter failing" in process.stderr(), process.describe)
            process.kill()
            self.assertIn("is refused", process.stderr())
            self.assertEqual(collector.out.read_bytes(), b"")

    def test_c34(self):
        """conformance: C34 a failed authentication is logged, and nothing is sent in plain to who does not encrypt"""
        plain, datagrams = Streams(self), Datagrams(self)
        for protocol, port in (("tls", plain.port), ("dtls", datagrams.port)):
            self.assertIn(f"destination={protocol}://127.0.0.1:{port}", self.refused(f"{protocol}://127.0.0.1:{port}"))
        plain.close()
        datagrams.close()
        self.assertTrue(any(one.octets for one in plain.connections))
        for one in plain.connections:
            self.assertIn(bytes(one.octets[:2]), (b"", b"\x16\3"))  # a handshake of TLS
        self.assertNotEqual(datagrams.arrived, [])
        for _, octets in datagrams.arrived:
            self.assertEqual(octets[:2], b"\x16\xfe")  # and of DTLS


if __name__ == "__main__":
    harness.main()
