#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""config/nfstreamd.schema.json against nfstreamd -t: both take the example, the configurations of exporters/collectors/ and
what --print-config prints; both refuse the same faults. Read as editors read YAML, by version 1.2."""
import json
import re
import sys

import harness
from collectors import EVERY, PAGES, blocks
from harness import NFSTREAMD, ROOT

try:
    import jsonschema
    import yaml
except ImportError as error:
    print(f"NOT RUN: {error}; packaging/install-dependencies installs it", file=sys.stderr)
    sys.exit(harness.SKIPPED)

SCHEMA = json.loads((ROOT / "config" / "nfstreamd.schema.json").read_text(encoding="utf-8"))


class Yaml12(yaml.SafeLoader):
    """Version 1.2, core schema: yes and off are strings there. A value with the tag !file is its path."""
    yaml_implicit_resolvers = {}

    def of_text(self, node, convert):
        return convert(self.construct_scalar(node))


def integer(text):
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


for tag, pattern, convert in (("null", r"~|null|Null|NULL|", lambda _: None),
                              ("bool", r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
                              ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", integer),
                              ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float)):
    Yaml12.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$"), None)
    Yaml12.add_constructor(f"tag:yaml.org,2002:{tag}", lambda loader, node, to=convert: loader.of_text(node, to))
Yaml12.add_constructor("!file", lambda loader, node: loader.construct_scalar(node))

METERED = "capture: [{interface: lo}]\n"
IPFIX = 'collectors: ["udp://127.0.0.1:4739"]'


def metering(text):
    return METERED + f"metering: {{{text}}}\n"


def exporter(text):
    return METERED + f"exporters: [{{{text}}}]\n"


# What each of them takes, in every spelling that the loader knows.
GOOD = (
    METERED,
    "capture:\n  - interface: [lo, eth0]\n    pcap:\nmetering:\n",
    "capture: [{interface: '${SCHEMA_TEST_NAME}', promiscuous_mode: no, socket_buffer_size: 64MiB, deduplicate: off}]\n",
    "instance: 7\n" + METERED,
    metering("idle_timeout: 500ms, active_timeout: 1h, timeouts: {udp: idle_timeout, tcp_end: off, icmp: 5}"),
    metering("idle_timeout: '${SCHEMA_TEST_NUMBER}', statistical_analysis: On, max_flows: 1M, prefault: '${SCHEMA_TEST_TRUTH}'"),
    metering("decode_tunnels: false"), metering("decode_tunnels: yes"), metering("decode_tunnels: [gtp, vxlan]"),
    metering("decode_tunnels: gre"), metering("decode_tunnels: [true]"),
    metering("compatibility: nfstream3, idle_timeout: -1, max_tcp_dissections: 8"),
    "capture: [{interface: lo, snaplen: 96}]\n" + metering("compatibility: nfstream3, dissect: false")[len(METERED):],
    metering("compatibility: nfstream0, inactive_timeout: 30s, capacity: 64k"),
    metering("pressure: {from: 90}, overload: {from: off}"),
    exporter(f"type: ipfix, {IPFIX}, rate_limit: 1e3, flush_interval: 250ms, queue_records: 10k"),
    exporter(f"name: a-1_B, type: ipfix, {IPFIX}, profile: nfdump, anonymize: {{addresses: truncate}}"),
    exporter("type: ipfix, collectors: udp://127.0.0.1:4739"),
    exporter("type: csv, path: '${SCHEMA_TEST_PATH}/a.csv', rotate: {every: 1h, size: 100MiB}"),
    exporter("type: kafka, brokers: [\"127.0.0.1:9092\"], topic: flows, compression: '${SCHEMA_TEST_WORD}'"),
    METERED + "exporters:\n  - type: kafka\n    brokers: [\"127.0.0.1:9092\"]\n    topic: flows\n    user: probe\n"
    "    sasl_mechanism: PLAIN\n    security: sasl_plaintext\n    password: !file secret\n",
    METERED + "log: {level: debug}\ncontrol: {socket: \"\"}\n",
)
# (what the message of nfstreamd -t says, the configuration)
BAD = (
    ("exporter: unknown key", METERED + "exporter: []\n"),
    ("capture[0].interfce: unknown key", "capture: [{interfce: lo}]\n"),
    ("metering.idle_timeot: unknown key", metering("idle_timeot: 5")),
    ("metering.timeouts.sctp: unknown key", metering("timeouts: {sctp: 5}")),
    ("metering.timeouts: must be a map", metering("timeouts: 5")),
    ("metering: must be a map", METERED + "metering: [1]\n"),
    ("capture: must be a list of maps", "capture: {interface: lo}\n"),
    ("capture[0]: must be a map", "capture: [lo]\n"),
    ("needs interface or pcap", "capture: [{promiscuous_mode: true}]\n"),
    ("has both interface and pcap", "capture: [{interface: lo, pcap: a.pcap}]\n"),
    ("capture[0].promiscuous_mode: must be true or false", "capture: [{interface: lo, promiscuous_mode: maybe}]\n"),
    ("capture[0].snapshot_length: must be an integer", "capture: [{interface: lo, snapshot_length: 0}]\n"),
    ("capture[0].checksum: must be one of", "capture: [{interface: lo, checksum: on}]\n"),
    ("capture[0].packet_hash_filter.fraction: must be a number",
     "capture: [{interface: lo, packet_hash_filter: {fraction: 1.5}}]\n"),
    ("capture[0].socket_buffer_size: must be a size", "capture: [{interface: lo, socket_buffer_size: 64Mb}]\n"),
    ("capture[0].reorder_window: must be", "capture: [{interface: lo, reorder_window: 5}]\n"),
    ("capture[0].snaplen: is a key of another generation", "capture: [{interface: lo, snaplen: 96}]\n"),
    ("capture[0].interface: must be", "capture: [{interface: [[lo]]}]\n"),
    ("metering.idle_timeout: must be a duration", metering("idle_timeout: 5 minutes")),
    ("metering.idle_timeout: must be a duration", metering("idle_timeout: -1")),
    ("metering.idle_timeout: must be a duration", metering("idle_timeout: 1.5")),
    ("metering.idle_timeout: is a key of another generation", metering("compatibility: nfstream0, idle_timeout: 5")),
    ("metering.capacity: is a key of another generation", metering("capacity: 64k")),
    ("metering.compatibility: must be one of", metering("compatibility: nfstream9")),
    ("metering.splt_analysis: must be an integer", metering("splt_analysis: many")),
    ("metering.splt_analysis: must be an integer", metering("splt_analysis: 65536")),
    ("metering.decode_tunnels: must be one or a list of", metering("decode_tunnels: [gtp, ipip]")),
    ("metering.decode_tunnels: must be one or a list of", metering("decode_tunnels: [true, gtp]")),
    ("exporters[0].type: unknown type", exporter("type: ipfx")),
    ("exporters[0].type: is missing", exporter("name: a")),
    ("exporters[0].name: must be 1 to 64", exporter(f"name: a b, type: ipfix, {IPFIX}")),
    ("exporters[0].colectors: unknown key", exporter('type: ipfix, colectors: ["udp://127.0.0.1:4739"]')),
    ("exporters[0].path: is missing", exporter("type: csv")),
    ("exporters[0].path: must not be empty", exporter('type: csv, path: ""')),
    ("exporters[0].topic: unknown key", exporter(f"type: ipfix, {IPFIX}, topic: flows")),
    ("exporters[0].profile: must be one of", exporter(f"type: ipfix, {IPFIX}, profile: nfcapd")),
    ("exporters[0].fields: must be", exporter(f"type: ipfix, {IPFIX}, fields: [[src_ip]]")),
    ("exporters[0].queue_records: must be an integer", exporter(f"type: ipfix, {IPFIX}, queue_records: 1")),
    ("log.level: must be one of", METERED + "log: {level: loud}\n"),
    ("must be a map of settings", "- interface: lo\n"),
)
ENVIRONMENT = {"SCHEMA_TEST_NAME": "lo", "SCHEMA_TEST_NUMBER": "30s", "SCHEMA_TEST_TRUTH": "false",
               "SCHEMA_TEST_PATH": "/tmp", "SCHEMA_TEST_WORD": "none"}


class Schema(harness.TestCase):
    def setUp(self):
        super().setUp()
        jsonschema.Draft7Validator.check_schema(SCHEMA)
        self.validator = jsonschema.Draft7Validator(SCHEMA)

    def faults(self, text):
        """What the schema says of a configuration, the most specific first."""
        errors = self.validator.iter_errors(yaml.load(text, Yaml12))
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]

    def check(self, text, status):
        """Standard error of nfstreamd -t."""
        self.write("secret", "hunter2\n")
        return self.nfstreamd("-t", "-c", self.write("schema.yaml", text), status=status, env=ENVIRONMENT).stderr

    def test_both_take_what_is_right(self):
        for text in GOOD:
            with self.subTest(text=text):
                self.check(text, 0)
                self.assertEqual(self.faults(text), [])

    def test_both_refuse_what_is_wrong(self):
        for message, text in BAD:
            with self.subTest(text=text):
                self.assertIn(message, self.check(text, 78))
                self.assertNotEqual(self.faults(text), [])

    def test_the_example_and_what_it_has_behind_a_number_sign(self):
        example = (ROOT / "config" / "nfstreamd.yaml").read_text(encoding="utf-8")
        self.assertTrue(example.startswith("# yaml-language-server: $schema=/usr/share/nfstreamd/nfstreamd.schema.json\n"))
        everything = re.sub(r"^( *)#(?! )", r"\1", example, flags=re.M)
        self.assertGreater(len(yaml.load(everything, Yaml12)["exporters"]), 5)
        for text in (example, everything):
            self.assertEqual(self.faults(text), [])

    def test_every_configuration_of_the_collectors(self):
        checked = 0
        for page in sorted(PAGES.glob("*.md")):
            for number, block in enumerate(blocks(page.stem)):
                with self.subTest(page=page.name, number=number):
                    self.assertEqual(self.faults(block), [])
                    self.assertEqual(self.faults(re.sub(r"^( *)#(?! )", r"\1", block, flags=re.M)), [])
                    checked += 1
        self.assertGreater(checked, 14)

    def test_a_configuration_in_effect_with_every_default(self):
        for generation in ("nfstream6", "nfstream3", "nfstream0"):
            printed = self.nfstreamd("--print-config", "-r", EVERY[0], "-w", self.folder / "a.csv", "--set",
                                     f"metering.compatibility={generation}").stdout
            self.assertEqual(self.faults(printed), [], printed)
        for page in sorted(PAGES.glob("*.md")):
            for block in blocks(page.stem):
                printed = self.nfstreamd("--print-config", "-c", self.write("page.yaml", block), "-r", EVERY[0]).stdout
                self.assertEqual(self.faults(printed), [], printed)

    def test_every_setting_of_every_exporter_is_there(self):
        listed = self.nfstreamd("--list-exporters").stdout
        kinds = re.findall(r"^([a-z0-9]+): ", listed, re.M)
        self.assertGreater(len(kinds), 4)
        for kind in kinds:
            self.assertIn(f"exporter_{kind}", SCHEMA["definitions"])


if __name__ == "__main__":
    harness.main()
