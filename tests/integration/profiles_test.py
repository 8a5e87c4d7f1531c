#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The profiles of exporters: what each makes of all golden captures, with every group of fields and without, is what its
collector reads, by `collect --verify` and by rules of its own, read by wire.py; and live. Every configuration of
exporters/collectors/ is loaded."""
import json
import re
import subprocess
import sys

import collectors
import harness
import wire
from collectors import EVERY, PAGES, blocks, ours
from harness import NFSTREAMCTL, wait_for

PROFILES = ("default", "nfdump", "pmacct", "fixbuf", "akvorado", "goflow2", "ipfixcol2", "logstash", "telegraf", "ntopng")
EVERYTHING = ("metering.statistical_analysis=true", "metering.splt_analysis=5", "metering.l7_details=true",
              "metering.tcp_quality=true", "private_enterprise_number=32473")
NTOP = 35632
RATE, INTERVAL, SPACE = 34, 305, 306
TCP_FLAGS, APPLICATION_ID, APPLICATION_NAME = 6, 95, 96
LISTS = (291, 292, 293)
TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"


class Pages(collectors.CollectorCase):
    def test_every_configuration_loads(self):
        loaded = 0
        for page in sorted(PAGES.glob("*.md")):
            for number, block in enumerate(blocks(page.stem)):
                with self.subTest(page=page.name, number=number):
                    used = re.search(r"^ +type: (\S+)$", block, re.M).group(1)
                    kinds = self.run_program(harness.NFSTREAMD, "--list-exporters").stdout
                    if not re.search(rf"^{used}:", kinds, re.M):
                        self.skipTest(f"NOT RUN: built without {used}")
                    path = self.write("page.yaml", block)
                    self.nfstreamd("-t", "-c", path, "-r", EVERY[0])
                    loaded += 1
        self.assertGreater(loaded, 14)

    def test_every_profile_has_a_page_that_uses_it_and_a_row_in_the_list(self):
        listed = (PAGES / "README.md").read_text(encoding="utf-8")
        for profile in PROFILES[1:]:
            self.assertIn(f"profile: {profile}\n", "".join(blocks(profile)))
            self.assertIn(f"[{profile}.md]({profile}.md)", listed)
        for page in PAGES.glob("*.md"):
            if page.name != "README.md":
                self.assertIn(f"({page.name})", listed)


class Verified(collectors.CollectorCase):
    """By the rules of --verify."""

    def made(self, profiles, settings=()):
        """A file for each of the profiles, of all captures."""
        paths = {profile: self.folder / f"{profile}.ipfix" for profile in profiles}
        rows = "".join(f"  - {{name: {profile}, type: ipfix, profile: {profile}, path: {path}}}\n"
                       for profile, path in paths.items())
        self.export(f"exporters:\n{rows}", *EVERY, settings=settings)
        return paths

    def harm(self, profile, path):
        """What --verify finds wrong: (outcome, subject)s."""
        run = subprocess.run([NFSTREAMCTL, "collect", "--verify", profile, "--json", path], capture_output=True, text=True)
        found = [json.loads(line) for line in run.stdout.splitlines()]
        wrong = {(row["outcome"], row["subject"], row["why"]) for row in found[:-1]
                 if row["outcome"] in ("dropped", "misread", "lost")}
        self.assertEqual(run.returncode, 1 if wrong else 0)
        self.assertEqual(found[-1]["verdict"], "harm" if wrong else "fine")
        return wrong

    def check_each(self, settings):
        for profile, path in self.made(PROFILES, settings).items():
            with self.subTest(profile=profile):
                wrong = self.harm(profile, path)
                if profile == "akvorado":  # flows of files have no interface
                    self.assertEqual(len(wrong), 1)
                    self.assertIn("interfaces missing", wrong.pop()[2])
                self.assertEqual(wrong, set())

    def test_nothing_is_lost_misread_or_dropped(self):
        self.check_each(())

    def test_nothing_with_every_group_of_fields(self):
        self.check_each(EVERYTHING)

    def test_netflow_is_fine_for_those_whose_pages_name_it(self):
        for kind, more, profiles in (("netflow9", "", ("nfdump", "goflow2", "telegraf", "ntopng")),
                                     ("netflow9", "biflow: true, ", ("nfdump", "ntopng")),
                                     ("netflow5", "", ("nfdump", "pmacct", "goflow2", "logstash", "telegraf"))):
            verifiers = {}
            for profile in profiles:
                port = harness.free_port()
                verifiers[profile] = self.start(NFSTREAMCTL, "collect", "--listen", f"udp://127.0.0.1:{port}", "--verify",
                                                profile), port
                wait_for(lambda: verifiers[profile][0].listens(port), verifiers[profile][0].describe)
            self.export("exporters:\n" + "".join(
                f"  - {{name: {profile}, type: {kind}, {more}filter: ip_version == 4, "
                f"collectors: ['udp://127.0.0.1:{port}']}}\n" for profile, (_, port) in verifiers.items()), *EVERY)
            for profile, (verifier, port) in verifiers.items():
                with self.subTest(kind=kind, more=more, profile=profile):
                    wait_for(lambda: verifier.has_read(port), verifier.describe)
                    self.assertEqual(verifier.stop(), 0, verifier.stdout())
                    self.assertIn("nothing would be dropped, misread or lost", verifier.stdout())

    def test_without_the_profile_there_would_be_harm(self):
        path = self.made(["default"])["default"]
        subjects = {profile: {(outcome, subject.split(" (")[0]) for outcome, subject, _ in self.harm(profile, path)}
                    for profile in PROFILES}
        for profile in ("default", "fixbuf", "ipfixcol2"):  # which want nothing else
            self.assertEqual(subjects[profile], set())
        self.assertIn(("misread", "applicationId"), subjects["nfdump"])
        self.assertIn(("lost", "reverseOctetDeltaCount"), subjects["pmacct"])
        self.assertIn(("misread", "applicationName"), subjects["pmacct"])
        for profile in ("goflow2", "telegraf", "ntopng"):
            self.assertIn(("lost", "reverseOctetDeltaCount"), subjects[profile])
        self.assertIn(("dropped", "flow records"), subjects["logstash"])

    def test_without_the_profile_sampling_would_be_misread(self):
        for profile, used, fine in (("goflow2", "default", False), ("goflow2", "goflow2", True)):
            path = self.made([used], ["capture.packet_sampling.rate=10"])[used]
            announced = {subject for outcome, subject, _ in self.harm(profile, path) if outcome == "misread"}
            self.assertEqual(announced == set(), fine)


class Stream:
    """The datagrams of an exporter, as wire.py reads them."""

    def __init__(self, datagrams):
        self.datagrams, self.session, self.records, self.templates = datagrams, wire.Session("udp", from_start=True), [], []
        for datagram in datagrams:
            message = self.session.read(datagram)
            self.templates += message.templates
            self.records += message.records
        self.flows = [record for record in self.records if not record.is_options]
        self.options = [record for record in self.records if record.is_options]
        self.flow_fields = [field for template in self.templates if not template.is_options for field in template.fields]

    def before_flows(self):
        """Options records that came before the first flow."""
        return self.records[:next(n for n, record in enumerate(self.records) if not record.is_options)]


class ByRule(collectors.CollectorCase):
    """The rules of collectors that do not run here, and of those that do: on what is sent over UDP."""

    def stream(self, profile, settings=EVERYTHING, more=""):
        with self.receiver() as received:
            self.rows = self.export(f"exporters:\n  - {{name: main, type: ipfix, profile: {profile}, rate_limit: 20000, {more}"
                                    f"collectors: ['udp://127.0.0.1:{received.port}']}}\n", *EVERY, settings=settings)
        stream = Stream(received.datagrams)
        self.assertGreaterEqual(len(stream.flows), len(self.rows))
        return stream

    def check_directions(self, stream):
        """Each direction is a record: no reverse elements, and the octets are all there."""
        self.assertEqual({field.id for field in stream.flow_fields if field.pen == wire.REVERSE}, set())
        self.assertEqual(sum(flow.value(1) for flow in stream.flows),
                         harness.total(self.rows, "src2dst_ip_bytes", "dst2src_ip_bytes"))
        self.assertEqual(sum(flow.value(2) for flow in stream.flows),
                         harness.total(self.rows, "src2dst_packets", "dst2src_packets"))

    def check_counters(self, stream):
        ids = {field.id for field in stream.flow_fields if field.pen == 0}
        self.assertLessEqual({1, 2, 4, 7, 8, 11, 12, 10, 14, 27, 28, 152, 153}, ids)
        self.assertEqual(ids & {23, 24, 85, 86, 21, 22, 150, 151, 154, 155, 156, 157}, set())

    def check_rate(self, stream, rate=1):
        """samplingInterval of four octets, before the flows, and nothing else that tells a rate."""
        told = [record for record in stream.before_flows() if record.has(RATE)]
        self.assertEqual([(record.value(RATE), len(record.octets(RATE))) for record in told], [(rate, 4)])
        self.assertEqual([record for record in stream.options if record.has(INTERVAL) or record.has(50)], [])

    def no_lists(self, stream):
        self.assertEqual([field for field in stream.flow_fields if field.id in LISTS and field.pen == 0], [])

    def only_iana(self, stream):
        self.assertEqual({field.pen for template in stream.templates for field in template.fields}, {0})

    def no_duplicates(self, stream):
        for template in stream.templates:
            keys = [field.key() for field in template.fields]
            self.assertEqual(len(keys), len(set(keys)))

    def test_nfdump(self):
        stream = self.stream("nfdump")
        self.check_counters(stream)
        self.check_rate(stream)
        self.no_lists(stream)
        for template in stream.templates:
            order = [field.key() for field in template.fields]
            self.assertLessEqual({key for key in order if key[0] != 0}, {(wire.REVERSE, 1), (wire.REVERSE, 2)})
            for number in (1, 2):
                if (wire.REVERSE, number) in order:
                    self.assertLess(order.index((wire.REVERSE, number)), order.index((0, number)))
        self.assertNotIn(APPLICATION_ID, {field.id for field in stream.flow_fields})

    def test_pmacct(self):
        stream = self.stream("pmacct")
        self.check_directions(stream)
        self.no_lists(stream)
        lengths = {field.id: field.length for field in stream.flow_fields if field.pen == 0}
        self.assertEqual((lengths[TCP_FLAGS], lengths[APPLICATION_ID]), (1, 5))
        self.assertEqual({number for number, length in lengths.items() if length == wire.VARIABLE and number < 384}, set())
        named = {record.octets(APPLICATION_ID): record.octets(APPLICATION_NAME) for record in stream.options
                 if record.has(APPLICATION_NAME)}
        self.assertEqual({len(name) for name in named.values()}, {24})
        for flow in stream.flows:
            self.assertIn(flow.octets(APPLICATION_ID), named)

    def test_fixbuf(self):
        stream = self.stream("fixbuf")
        self.assertEqual({field.length for template in stream.templates for field in template.fields
                          if field.kind == "string"}, {wire.VARIABLE})
        private = {field.key() for field in stream.flow_fields if field.pen not in (0, wire.REVERSE)}
        told = {(record.value(346), record.value(303)) for record in stream.before_flows() if record.has(346)}
        self.assertLessEqual({(pen, number & 0x3fff if pen == 32473 else number) for pen, number in private}, told)

    def test_akvorado(self):
        for rate in (1, 10):
            with self.subTest(rate=rate):
                stream = self.stream("akvorado", (*EVERYTHING, f"capture.packet_sampling.rate={rate}"))
                self.check_counters(stream)
                self.no_lists(stream)
                told = [record for record in stream.before_flows() if record.has(INTERVAL)]
                self.assertEqual([(record.value(INTERVAL) + record.value(SPACE)) // record.value(INTERVAL)
                                  for record in told], [rate])
                self.assertEqual([record for record in stream.options if record.has(RATE)], [])
                biflows = [flow for flow in stream.flows if flow.has(2, wire.REVERSE)]
                self.assertGreater(len(biflows), 5)
                self.assertNotIn(0, [flow.value(2, wire.REVERSE) for flow in biflows])
                self.assertEqual(sum(flow.value(1, wire.REVERSE) for flow in biflows),
                                 harness.total(self.rows, "dst2src_ip_bytes"))

    def test_goflow2(self):
        for rate in (1, 10):
            with self.subTest(rate=rate):
                stream = self.stream("goflow2", (*EVERYTHING, f"capture.packet_sampling.rate={rate}"))
                self.check_directions(stream)
                self.check_counters(stream)
                self.check_rate(stream, rate)
                self.no_lists(stream)
                self.assertEqual({field.id for field in stream.flow_fields if field.pen == 0} & {RATE, 50, INTERVAL}, set())

    def test_ipfixcol2(self):
        stream = self.stream("ipfixcol2")
        self.check_counters(stream)
        self.assertIn(291, {field.id for field in stream.flow_fields})
        path = self.write("page.yaml", blocks("ipfixcol2")[0])
        shown = self.nfstreamd("-c", path, "-r", EVERY[0], "--print-config").stdout
        self.assertIn("template_refresh: 60s", shown)  # it forgets them after ten minutes of silence

    def test_logstash(self):
        stream = self.stream("logstash")
        self.check_directions(stream)
        self.check_counters(stream)
        self.check_rate(stream)
        self.only_iana(stream)
        self.no_duplicates(stream)
        known = {*range(1, 65), *range(70, 97), *range(98, 105), *range(128, 400)} - {*LISTS, 210, APPLICATION_ID}
        for template in stream.templates:
            self.assertLessEqual({field.id for field in template.fields}, known)
            self.assertNotIn(wire.VARIABLE, [field.length for field in template.fields])
        self.check_no_padding(stream)
        other = self.stream("logstash", more="observation_domain: 77, ")
        self.assertEqual({template.id for template in stream.templates} & {template.id for template in other.templates}, set())

    def check_no_padding(self, stream):
        """Of fixed lengths: every data Set is a whole number of records."""
        lengths = {template.id: template.shortest for template in stream.templates}
        sets = 0
        for datagram in stream.datagrams:
            at = 16
            while at < len(datagram):
                number, length = (int.from_bytes(datagram[at + offset:at + offset + 2], "big") for offset in (0, 2))
                if number in lengths:
                    self.assertEqual((length - 4) % lengths[number], 0)
                    sets += 1
                at += length
        self.assertGreater(sets, 0)

    def test_telegraf(self):
        stream = self.stream("telegraf")
        self.check_directions(stream)
        self.check_counters(stream)
        self.check_rate(stream)
        self.only_iana(stream)
        self.no_duplicates(stream)
        self.no_lists(stream)
        names = {flow.value(APPLICATION_NAME) for flow in stream.flows}
        self.assertEqual(names, {row["application_name"] for row in self.rows})

    def test_ntopng(self):
        stream = self.stream("ntopng")
        self.check_directions(stream)
        self.check_counters(stream)
        self.check_rate(stream)
        self.no_lists(stream)
        protocols = {flow.value(148): int.from_bytes(flow.octets(118, NTOP), "big") for flow in stream.flows}
        self.assertEqual(protocols, {int(row["id"]): int(row["l7_protocol"]) for row in self.rows})


@harness.needs_root("capture on links of its own")
class Live(collectors.CollectorCase):
    def test_every_profile_is_fine_for_its_collector(self):
        probe, client = harness.Namespace(self), harness.Namespace(self)
        probe.link_to(client, "m0", "10.92.0.1", "10.92.0.2")
        echo = self.start(sys.executable, "-B", TRAFFIC, "echo", "0.0.0.0", "7777", namespace=probe)
        wait_for(lambda: echo.listens(7777), "no server")
        verifiers, exporters = {}, ""
        for number, profile in enumerate(PROFILES):
            port = 4800 + number
            verifiers[profile] = self.start(NFSTREAMCTL, "collect", "--listen", f"udp://127.0.0.1:{port}", "--verify",
                                            profile, namespace=probe)
            wait_for(lambda: verifiers[profile].listens(port), verifiers[profile].describe)
            if profile == "akvorado":  # as its page has it
                exporters += ours("akvorado", port).removeprefix("exporters:\n")
            else:
                exporters += (f"  - {{name: {profile}, type: ipfix, profile: {profile}, "
                              f"collectors: ['udp://127.0.0.1:{port}']}}\n")
        daemon = self.daemon(f"capture:\n  - {{interface: m0, n_meters: 1}}\nmetering: {{idle_timeout: 1}}\n"
                             f"exporters:\n{exporters}control: {{socket: {self.folder}/control.sock}}\n", namespace=probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        client.run(sys.executable, "-B", TRAFFIC, "ask", "10.92.0.1", "7777", "20")
        def metered():
            return self.status(daemon)["interfaces"][0]["metered"]["packets"]
        wait_for(lambda: metered() >= 40, daemon.describe)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        for profile, verifier in verifiers.items():
            with self.subTest(profile=profile):
                wait_for(lambda: verifier.has_read(4800 + PROFILES.index(profile)), verifier.describe)
                self.assertEqual(verifier.stop(), 0, verifier.stdout() + verifier.describe())
                self.assertIn("nothing would be dropped, misread or lost", verifier.stdout())
                self.assertRegex(verifier.stdout(), r"octetDeltaCount \(1\): [2-9]\d records")


if __name__ == "__main__":
    harness.main()
