#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Conformance of what is in messages: C01 to C12, C20 to C24, C36 to C38, on octets of runs over capture files."""
import json
import struct
import time

import harness
import wire
from conformance import ALL, PEN, SOME, Conformance, Datagrams, field_of, records, sets, templates
from harness import NFSTREAMCTL, total, wait_for

EVERYTHING = ("metering.statistical_analysis=true", "metering.splt_analysis=20", "metering.l7_details=true",
              "metering.tcp_quality=true", f"private_enterprise_number={PEN}")
LOST = 1  # exit status of a run over files of which not all could be sent
EVERY_FIELD = ", fields: [default, base, statistics, splt, tunnel, encapsulation, l7_details, tcp_quality]"
FEW = ", mtu: 512, fields: [core]"  # with that, IPv4 and IPv6, one way and both, end and begin Sets all the time
TYPES, FLOW_KEYS = (303, 339, 346), (145, 173)
IPV4 = [capture for capture in SOME if capture.stem != "s_ext6"]
KEY_ELEMENTS = {8, 12, 27, 28, 7, 11, 4, 58, 60}


def http_frames(agent, uri=b"/", host=b"www.example.org", port=40000, server="192.0.2.80"):
    """A request and its answer over TCP, the handshake before them."""
    request = b"GET " + uri + b" HTTP/1.1\r\nHost: " + host + (b"\r\nUser-Agent: " + agent if agent else b"") + b"\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok"

    def frame(forward, flags, sequence, acknowledged, payload=b""):
        ends = ((b"\x0a\0\0\1", port), (bytes(map(int, server.split("."))), 80))
        (source, source_port), (destination, destination_port) = ends if forward else ends[::-1]
        tcp = struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, acknowledged, 0x50, flags, 8192, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, source, destination)
        return b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + tcp + payload
    return [frame(True, 2, 0, 0), frame(False, 0x12, 0, 1), frame(True, 0x10, 1, 1), frame(True, 0x18, 1, 1, request),
            frame(False, 0x18, 1, 1 + len(request), answer)]


class Messages(Conformance):
    """RFC 7011, section 3, 6, 7; 5103."""

    made = []  # by all tests together

    def streams(self):
        """(name, transport, messages as octets) of our output in all its shapes."""
        if not Messages.made:
            Messages.made = list(self.make_streams())
        return Messages.made

    def make_streams(self):
        yield "defaults over UDP", "udp", [octets for _, octets in self.over_udp().arrived]
        yield "defaults over TCP", "tcp", [octets for _, octets in self.over_tcp().pieces()]
        yield "small messages", "udp", [octets for _, octets in self.over_udp(FEW).arrived]
        yield "uniflows", "udp", [octets for _, octets in self.over_udp(", biflow: false").arrived]
        yield "every field", "udp", [o for _, o in self.over_udp(EVERY_FIELD + ", mtu: 4000", more=EVERYTHING).arrived]
        data, at = self.in_file(EVERY_FIELD, more=EVERYTHING), 0
        cut = []
        while at < len(data):
            length = int.from_bytes(data[at + 2:at + 4], "big")
            cut.append(data[at:at + length])
            at += length
        yield "every field in a file", "file", cut

    def read_streams(self):
        """The same as (name, session, messages), read: what breaks a rule fails here by its item."""
        found = []
        for name, transport, octets in self.streams():
            session = wire.Session(transport, from_start=True)
            with self.subTest(name):
                found.append((name, session, [session.read(one) for one in octets]))
        self.assertEqual(len(found), len(self.streams()))
        return found

    def test_c01(self):
        """conformance: C01 version 10, the length is that of the message, Sets with records in it and no other"""
        for name, _, messages in self.streams():
            with self.subTest(name):
                for octets in messages:
                    self.assertEqual(octets[:2], b"\0\x0a")
                    self.assertEqual(int.from_bytes(octets[2:4], "big"), len(octets))
                    found = list(sets(octets))
                    self.assertNotEqual(found, [])
                    self.assertEqual([number for number, body in found if not body], [])
                    self.assertEqual(16 + sum(4 + len(body) for _, body in found), len(octets))

    def test_c01_sets_change(self):
        """conformance: C01 no Set is empty where templates change at the end of a message, or a record had to be cut"""
        captures = [harness.many_flows(self.folder / "many.pcap", 300, 1), *ALL]
        messages = self.over_udp(FEW, captures=captures).messages()
        kinds = [number for message in messages for number in message.set_ids if message.records]
        self.assertGreater(len(set(kinds)), 4)
        for size in range(512, 560):  # the last record of a message ends at every distance from its end
            session = wire.Session("udp")
            collector = self.over_udp(f", mtu: {size}, fields: [core], options: false", captures=ALL)
            for _, octets in collector.arrived:
                self.assertLessEqual(len(octets), size - 28)
                session.read(octets)
        long = self.write_frames(http_frames(b"agent " * 40, uri=b"/" + b"u" * 900))
        messages = self.over_udp(", mtu: 700, fields: [default, base, l7_details]", captures=[long],
                                 more=["metering.l7_details=true"]).messages()
        self.assertEqual(len(records(messages)), 1)

    def write_frames(self, *frames):
        return harness.write_pcap(self.folder / f"frames-{time.monotonic_ns()}.pcap", [f for one in frames for f in one])

    def test_c03(self):
        """conformance: C03 sequence numbers are the data records, of options too, that the domain sent before, from 0"""
        for _, session, messages in self.read_streams():
            counted = 0
            for message in messages:
                self.assertEqual(message.sequence, counted)
                counted += len(message.records)
            self.assertEqual(session.missing, [])
            self.assertGreater(len(records(messages, options=True)), 0)
            self.assertGreater(counted, len(records(messages)))

    def test_c03_domains(self):
        """conformance: C03 each observation domain has sequence numbers of its own"""
        collector = Datagrams(self)
        self.run_files([f"name: {name}, type: ipfix, collectors: ['udp://127.0.0.1:{collector.port}'], "
                        f"observation_domain: {domain}" for name, domain in (("one", 4711), ("other", 4712))])
        collector.close()
        messages = collector.messages()  # as one session, which has both domains
        for domain in (4711, 4712):
            of_it = [message for message in messages if message.domain == domain]
            self.assertEqual(of_it[0].sequence, 0)
            self.assertEqual(len(records(of_it)), len(self.rows()))

    def test_c05(self):
        """conformance: C05 padding is zero and shorter than a record; Set ids are 2, 3, and 256 and above"""
        for _, _, messages in self.read_streams():
            found = {number for message in messages for number in message.set_ids}
            self.assertLessEqual({2, 3}, found)
            self.assertEqual([number for number in found if number < 256], [2, 3])

    def test_c06(self):
        """conformance: C06 template ids are 256 and above, templates and options templates share their space"""
        for _, _, messages in self.read_streams():
            meaning = {}
            for template in templates(messages):
                self.assertGreaterEqual(template.id, 256)
                self.assertEqual(meaning.setdefault(template.id, template), template)
            self.assertEqual({template.is_options for template in meaning.values()}, {False, True})

    def test_c07(self):
        """conformance: C07 the enterprise bit and number go together; reverse elements are 29305's, or id + 0x4000"""
        reversed_by_vendor = set()
        for _, _, messages in self.read_streams():
            flows = [template for template in templates(messages) if not template.is_options]
            for template in flows:
                for field in template.fields:
                    if field.pen in (0, wire.REVERSE):
                        self.assertLessEqual(field.id, max(wire.IANA_TYPES), field)
                    elif field.id & 0x4000:
                        self.assertIsNotNone(field_of(template, field.id & ~0x4000, field.pen), field)
                        reversed_by_vendor.add(field.key())
        self.assertNotEqual(reversed_by_vendor, set())

    def test_c08(self):
        """conformance: C08 options templates have a scope and, behind it, fields that are none"""
        for _, _, messages in self.read_streams():
            found = [template for template in templates(messages) if template.is_options]
            self.assertGreaterEqual(len({template.id for template in found}), 8)
            for template in found:
                scopes = [field.scope for field in template.fields]
                self.assertTrue(scopes[0] and not scopes[-1], template.fields)
                self.assertEqual(scopes, sorted(scopes, reverse=True))

    def test_c09(self):
        """conformance: C09 strings below 255 octets have one octet of length, others three: 0, 1, 254, 255, 1000"""
        agents, urls = (0, 1, 100, 254, 255), (253, 254, 255, 256, 1000)
        host = b"h.example.org"
        frames = [http_frames(b"a" * agent, uri=b"/" + b"u" * (url - 1 - len(host)), port=40000 + n, host=host)
                  for n, (agent, url) in enumerate(zip(agents, urls))]
        octets = self.in_file(", fields: [default, base, l7_details]", [self.write_frames(*frames)],
                              ["metering.l7_details=true"])
        flows = records(self.read_file(octets))
        self.assertEqual(len(flows), 5)
        lengths = {len(raw) for flow in flows for field, _, raw in flow.items if field.length == wire.VARIABLE}
        self.assertLessEqual({*agents, *urls}, lengths)
        for length in agents[1:]:  # and once more without the reader
            prefix = bytes([length]) if length < 255 else b"\xff" + struct.pack(">H", length)
            self.assertIn(prefix + b"a" * length, octets)
        for length in urls:
            prefix = bytes([length]) if length < 255 else b"\xff" + struct.pack(">H", length)
            self.assertIn(prefix + host + b"/u", octets)

    def test_c10(self):
        """conformance: C10 only integers are shortened, and no value is cut: 4294967296 octets and more"""
        reduced = set()
        for _, _, messages in self.read_streams():
            for template in templates(messages):
                for field in template.fields:
                    full = wire.INTEGERS.get(field.kind)
                    if full and field.length < full:
                        reduced.add(field.key())
        self.assertIn((0, 218), reduced)
        big = self.big_flow()
        row = self.rows([big])[0]
        octets = 65600 * 65521
        self.assertGreater(octets, 1 << 32)
        for kind in ("ipfix", "netflow9", "netflow5"):
            flows = records(self.over_udp(kind=kind, captures=[big]).messages())
            self.assertEqual(sum(flow.value(2) for flow in flows), int(row["src2dst_packets"]))
            self.assertEqual(sum(flow.value(1) for flow in flows), octets)

    def big_flow(self):
        """65600 packets of 65521 octets, of which a capture has the headers."""
        path, began = self.folder / "big.pcap", int(time.time()) - 100
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 65521, 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
        frame = b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + struct.pack(">HHHH", 1111, 2222, 65501, 0) + b"x" * 20
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
            for index in range(65600):
                out.write(struct.pack("<IIII", began, index, len(frame), 65535) + frame)
        return path

    def test_c11(self):
        """conformance: C11 strings are UTF-8, though a name has other octets or is cut within a character"""
        euro = "\u20ac".encode()
        agents = [b"\xff\xfe broken \xc3", euro[:2] + b"ok", euro * 84, b"a" + euro * 84]
        capture = self.write_frames(*(http_frames(agent, port=41000 + n, host=b"www%d.example.org" % n,
                                                  uri=b"/" + euro * 120) for n, agent in enumerate(agents)))
        for size in (1420, 700, 701, 702):
            collector = self.over_udp(f", mtu: {size}, fields: [default, base, l7_details]", captures=[capture],
                                      more=["metering.l7_details=true"])
            flows = records(collector.messages())  # the reader raises C11 for what is no UTF-8
            self.assertEqual(len([flow for flow in flows if flow.value(468)]), len(agents))
            longest = [max(text.count("\u20ac") for field, text, _ in flow.items if field.kind == "string")
                       for flow in flows]
            self.assertTrue(all(0 < count for count in longest) and (size == 1420 or min(longest) < 84), longest)

    def test_c12(self):
        """conformance: C12 times are milliseconds since 1970, and the start is not after the end"""
        rows = {int(row["id"]): row for row in self.rows(more=EVERYTHING)}
        for _, _, messages in self.read_streams():
            flows = records(messages)
            self.assertGreaterEqual(len(flows), len(rows))
            kinds = {field.kind for flow in flows for field in flow.template.fields}
            self.assertIn("dateTimeMilliseconds", kinds)
            self.assertEqual(kinds & {"dateTimeMicroseconds", "dateTimeNanoseconds"}, set())
            for flow in flows:
                row = rows[flow.value(148)]
                seen = {int(row[f"{way}_{end}_seen_ms"]) for way in ("src2dst", "dst2src") for end in ("first", "last")}
                self.assertIn(round(1000 * flow.value(152)), seen)
                self.assertIn(round(1000 * flow.value(153)), seen)


class Reporting(Conformance):
    """RFC 7011, section 4; RFC 5610."""

    def options(self, messages, *elements):
        """Records of options with all of these elements."""
        return [record for record in records(messages, options=True) if all(record.has(element) for element in elements)]

    def scopes(self, record):
        return [field.id for field in record.template.fields if field.scope]

    def test_c20(self):
        """conformance: C20 4.1, statistics of the metering process: what was exported when it is told"""
        for settings in ("", ", biflow: false"):
            with self.subTest(settings):
                collector = self.over_udp(settings)
                messages = collector.messages()
                told = self.options(messages, 40, 41, 42)
                self.assertGreaterEqual(len(told), 2)  # at the start and at the end
                for record in told:
                    self.assertLessEqual(set(self.scopes(record)), {149, 143})
                    self.assertEqual(record.value(149), messages[0].domain)
                    count = record.value(41)
                    self.assertEqual(record.value(40), sum(len(octets) for _, octets in collector.arrived[:count]))
                    self.assertEqual(record.value(42), len(records(messages[:count])))
                self.assertEqual(told[0].value(42), 0)
                self.assertEqual(told[-1].value(42), len(records(messages)))

    def test_c21(self):
        """conformance: C21 4.2, reliability of the metering process: what it ignored, and when first and last"""
        frames = [frame for capture in SOME[:1] for frame in harness.read_pcap(capture)[1]]
        undecodable = [b"\x02" * 12 + b"\x08\0" + b"\x45" * 10] * 3
        capture = harness.write_pcap(self.folder / "some.pcap", frames + undecodable)
        many = harness.many_flows(self.folder / "many.pcap", 400, 1)
        began = time.time()
        for captures, packets in ((SOME[:1], 0), ([capture], len(undecodable))):
            # what was ignored is noticed each second: the end of the run must not come before
            messages = self.over_udp(", rate_limit: 100", captures=[*captures, many]).messages()
            last = self.options(messages, 164, 165)[-1]
            self.assertEqual(self.scopes(last), [149, 143])
            self.assertEqual(last.value(164), packets)
            self.assertEqual(last.value(165) > 0, packets > 0)
            first, newest = last.value(323), last.value(323, occurrence=1)
            self.assertLessEqual(first, newest)
            self.assertTrue(began - 1 <= first <= time.time() + 1 if packets else first == newest == 0, (first, newest))

    def test_c23(self):
        """conformance: C23 4.4, flow keys: bit n - 1 says that the n-th field of that template is one"""
        for settings in ("", ", biflow: false", FEW):
            messages = self.over_udp(settings).messages()
            flows = {template.id: template for template in templates(messages) if not template.is_options}
            told = {record.value(145): record for record in self.options(messages, *FLOW_KEYS)}
            self.assertEqual(set(told), set(flows))
            for number, record in told.items():
                self.assertEqual(self.scopes(record), [145])
                bits, fields = record.value(173), flows[number].fields
                self.assertEqual(bits >> len(fields), 0)
                keys = {field.id for index, field in enumerate(fields) if bits >> index & 1}
                self.assertLessEqual({4, 7, 11}, keys)
                self.assertLessEqual(keys, KEY_ELEMENTS)
                self.assertTrue({8, 12} <= keys or {27, 28} <= keys, keys)
                self.assertFalse(any(field.pen for index, field in enumerate(fields) if bits >> index & 1))

    def test_c24(self):
        """conformance: C24 RFC 5610 tells each enterprise's element before a template has it"""
        for settings, more in (("", ()), (EVERY_FIELD + ", mtu: 4000", EVERYTHING)):
            session = wire.Session("udp", from_start=True)
            used, typed_lists = set(), set()
            for _, octets in self.over_udp(settings, more=more).arrived:
                message = session.read(octets)
                for template in message.templates:
                    for field in template.fields:
                        if field.pen not in (0, wire.REVERSE):
                            used.add(field.key())
                            forward = field.pen, field.id & ~0x4000
                            self.assertIn(forward, session.types, f"{field} of template {template.id}")
                            self.assertTrue(session.names[forward])
                for record in message.records:
                    for _, value, _ in record.items:
                        if isinstance(value, wire.BasicList) and value.field.pen not in (0, wire.REVERSE):
                            typed_lists.add(value.field.key())
                            self.assertIn(value.field.key(), session.types)
            self.assertNotEqual(used, set())
        self.assertEqual(len(typed_lists), 3)  # of splt

    def test_c24_tables(self):
        """conformance: C24 a table of applications names those that the flows have"""
        messages = self.over_tcp().messages()
        table = {record.octets(95): record.value(96) for record in self.options(messages, 95, 96)
                 if self.scopes(record) == [95]}
        flows = records(messages)
        self.assertGreater(len({flow.octets(95) for flow in flows}), 10)
        for flow in flows:
            self.assertIn(table[flow.octets(95)], flow.value(96).split("."))

    def test_our_own_verifier_has_nothing_to_say(self):
        """conformance: all, `nfstreamctl collect --verify default` accepts a default stream"""
        path = self.folder / "flows.ipfix"
        path.write_bytes(self.in_file())
        self.run_program(NFSTREAMCTL, "collect", "--verify", "default", path)


class NetFlow(Conformance):
    """RFC 3954, and version 5 as its collectors read it."""

    def test_c36(self):
        """conformance: C36 version 9: numbers count packets, counts are records and templates, FlowSets end at 4 octets"""
        captures = [*ALL, harness.many_flows(self.folder / "many.pcap", 300, 1)]
        for settings in ("", ", mtu: 512, fields: [core]", ", biflow: true", ", source_id: 77"):
            with self.subTest(settings):
                collector = self.over_udp(settings, "netflow9", captures)
                messages = collector.messages()
                self.assertEqual([message.sequence for message in messages], list(range(len(messages))))
                for (_, octets), message in zip(collector.arrived, messages):
                    self.assertEqual(int.from_bytes(octets[2:4], "big"), len(message.records) + len(message.templates))
                self.assertEqual({message.domain == 77 for message in messages}, {settings.endswith("77")})
                rows = self.rows(captures)
                self.assertEqual(sum(flow.value(2) + (flow.value(24) if flow.has(24) else 0)
                                     for flow in records(messages)), total(rows, "bidirectional_packets"))

    def test_c37(self):
        """conformance: C37 version 5: 30 records at most, numbers count flows, other IP is counted as not sent"""
        capture = harness.many_flows(self.folder / "many.pcap", 300, 1)
        collector = self.over_udp(", mtu: 9000", "netflow5", [*ALL, capture], status=LOST)
        messages = collector.messages()
        self.assertIn("records lost", collector.run.stderr)
        rows = [row for row in self.rows([*ALL, capture]) if row["ip_version"] == "4"]
        ways = sum(1 + (int(row["dst2src_packets"]) > 0) for row in rows)
        self.assertEqual(max(len(message.records) for message in messages), 30)
        self.assertEqual(sum(len(message.records) for message in messages), ways)
        self.assertEqual(sum(record.value(2) for message in messages for record in message.records),
                         total(rows, "bidirectional_packets"))


class Readers(Conformance):
    """C38: what others make of it; each of them has tests of its own in other files, see the table of README.md."""

    def test_c38_tshark(self):
        """conformance: C38 tshark finds nothing malformed in IPFIX, NetFlow 9 and 5"""
        for kind in ("ipfix", "netflow9", "netflow5"):
            frames = [harness.udp_frame("192.0.2.1", 50000, "192.0.2.2", 4739, octets)
                      for _, octets in self.over_udp("", kind, IPV4).arrived]
            path = harness.write_pcap(self.folder / f"{kind}.pcap", frames)
            arguments = ("tshark", "-r", path, "-d", "udp.port==4739,cflow")
            self.assertEqual(self.run_program(*arguments, "-Y", "_ws.malformed || _ws.expert.severity == error").stdout, "")
            decoded = self.run_program(*arguments, "-V").stdout
            self.assertNotIn("No template found", decoded)
            self.assertIn("SrcAddr: ", decoded)

    def test_c38_ipfixdump(self):
        """conformance: C38 ipfixDump reads every record of a file"""
        path = self.folder / "flows.ipfix"
        path.write_bytes(self.in_file(captures=SOME))
        dump = self.run_program("ipfixDump", "--in", path, "--rfc5610").stdout
        messages = self.read_file(path.read_bytes())
        self.assertEqual(dump.count("--- data record"), len(records(messages)) + len(records(messages, options=True)))

    def test_c38_nfcapd(self):
        """conformance: C38 nfcapd takes IPFIX by its profile: every packet and octet, no sequence error"""
        spool = self.folder / "nfcapd"
        spool.mkdir()
        port = harness.free_port()
        nfcapd = self.start("nfcapd", "-w", spool, "-b", "127.0.0.1", "-p", port, "-t", "60")
        wait_for(lambda: nfcapd.listens(port) or not nfcapd.running(), nfcapd.describe)
        self.run_files([f"name: main, type: ipfix, collectors: ['udp://127.0.0.1:{port}'], profile: nfdump, "
                        "rate_limit: 2000"], SOME)
        rows = self.rows(SOME)

        def summary():
            text = "".join(self.run_program("nfdump", "-q", "-r", file, "-o", "json").stdout.strip().strip("[]")
                           for file in spool.glob("nfcapd.2*"))
            return json.loads(f"[{text}]")
        wait_for(lambda: self.is_read(port), "nfcapd does not read")
        self.assertEqual(nfcapd.stop(), 0, nfcapd.describe())
        self.assertIn("Sequence Errors: 0, Bad Packets: 0", nfcapd.stdout() + nfcapd.stderr())
        flows = summary()
        self.assertEqual(sum(flow["in_packets"] + flow.get("out_packets", 0) for flow in flows),
                         total(rows, "bidirectional_packets"))

    def is_read(self, port):
        with open("/proc/net/udp", encoding="ascii") as table:
            rows = [row.split() for row in table.readlines()[1:]]
        return all(row[4].split(":")[1] == "00000000" for row in rows if row[1].endswith(f":{port:04X}"))

    def test_c38_nfacctd(self):
        """conformance: C38 nfacctd takes IPFIX by its profile: every packet"""
        port, out = harness.free_port(), self.folder / "flows.json"
        path = self.write("nfacctd.conf", f"daemonize: false\nnfacctd_ip: 127.0.0.1\nnfacctd_port: {port}\n"
                          "plugins: print[all]\naggregate[all]: src_host,dst_host,src_port,dst_port,proto\n"
                          f"print_output[all]: json\nprint_output_file[all]: {out}\nprint_refresh_time[all]: 1\n")
        nfacctd = self.start("nfacctd", "-f", path)
        wait_for(lambda: "Purging cache - END" in nfacctd.stdout() + nfacctd.stderr() or not nfacctd.running(),
                 nfacctd.describe)
        self.run_files([f"name: main, type: ipfix, collectors: ['udp://127.0.0.1:{port}'], profile: pmacct, "
                        "rate_limit: 2000"], SOME)
        wait_for(lambda: self.is_read(port), "nfacctd does not read")
        nfacctd.stop(2)
        wait_for(lambda: out.exists() and out.read_text(), nfacctd.describe)
        flows = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual(sum(flow["packets"] for flow in flows), total(self.rows(SOME), "bidirectional_packets"))


if __name__ == "__main__":
    harness.main()
