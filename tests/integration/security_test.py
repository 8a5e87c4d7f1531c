#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the README's section Security promises of the programs as a whole: no secret is shown anywhere, texts from the wire
cannot command a terminal or a spreadsheet, nothing is reachable that nobody asked for, verification has no off switch."""
import csv
import json
import os
import re
import signal
import socket
import stat
import struct

import harness
from harness import NFSTREAMCTL, wait_for

SECRETS = [f"hunter2-{n}-correct-horse" for n in range(9)]
EXPORTERS = """
  - {{name: a, type: csv, path: {folder}/a.csv, columns_to_anonymize: [src_ip], anonymization_key: {0}}}
  - {{name: b, type: ipfix, collectors: ['udp://127.0.0.1:9'], anonymize: {{addresses: prefix_preserving, key: !file key}}}}
  - {{name: c, type: http, url: 'http://127.0.0.1:9/?user=me&password={2}', user: me, password: "${{NFSTREAMD_TEST_SECRET}}",
      headers: ['X-Api-Key: {4}']}}
  - {{name: d, type: http, url: 'http://127.0.0.1:9/', token: {5}}}
  - {{name: e, type: nats, servers: ['nats://127.0.0.1:9'], subject: flows, user: me, password: {6}}}
  - {{name: f, type: mqtt, broker: 'mqtt://127.0.0.1:9', topic: flows, user: me, password: {7}}}
  - {{name: g, type: kafka, brokers: ['127.0.0.1:9'], topic: flows, security: sasl_plaintext, user: me, password: {8}}}
"""
QUIET = "  - {interface: lo, n_meters: 1, bpf_filter: udp port 1}\n"  # nothing waits for exporters that cannot be reached
ESCAPE = "\x1b[2J\x9b31m\u202egpj.exe\u2066\x07"
FORMULA = "=HYPERLINK(\"http://evil.example\",\"x\")"


def http_request(host, agent):
    """An Ethernet frame with a GET in TCP."""
    payload = f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n\r\n".encode("utf-8", "surrogateescape")
    tcp = struct.pack(">HHIIBBHHH", 40000, 80, 1, 1, 0x50, 0x18, 1000, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, socket.inet_aton("192.0.2.1"),
                     socket.inet_aton("192.0.2.2"))
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp


class Secrets(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.write("key", SECRETS[1] + "\n")
        os.environ["NFSTREAMD_TEST_SECRET"] = SECRETS[3]
        self.addCleanup(os.environ.pop, "NFSTREAMD_TEST_SECRET")
        self.shown = ""

    def configuration(self, capture="  - {interface: lo, n_meters: 1}\n", secrets=None):
        exporters = EXPORTERS.format(*(secrets or SECRETS), folder=self.folder)
        return (f"capture:\n{capture}metering: {{max_flows: 1000, prefault: false}}\nlog: {{level: debug}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\nexporters:{exporters}")

    def keep(self, run):
        self.shown += run.stdout + run.stderr
        return run

    def check(self):
        shown = [line for line in self.shown.splitlines() if any(secret in line for secret in SECRETS)]
        self.assertEqual(shown, [])

    def test_none_is_shown_by_what_only_reads(self):
        path = self.write("nfstreamd.yaml", self.configuration())
        printed = self.keep(self.nfstreamd("-c", path, "--print-config")).stdout
        self.assertEqual(printed.count("********"), len(SECRETS))
        self.assertIn("user=me&password=********", printed)
        self.keep(self.nfstreamd("-t", "-c", path))
        other = self.write("other.yaml", self.configuration(secrets=[secret + "-new" for secret in SECRETS]))
        self.assertIn("password", self.keep(self.nfstreamd("-c", path, "--explain-reload", other)).stdout)
        for wrong in ("exporters.e.password=[{}]", "exporters.e.password={{a: {}}}", "exporters.a.anonymization_key={}\t",
                      "exporters.d.token=[{}]", "exporters.c.url=http://me:{}@127.0.0.1/", "exporters.e.servers=[nats://me:{}@127.0.0.1]"):
            self.keep(self.nfstreamd("-c", path, "-t", "--set", wrong.format(SECRETS[6]), status=78 if "\t" not in wrong else 0))
        self.check()

    @harness.needs_root("the loopback interface")
    def test_none_is_shown_by_a_daemon(self):
        namespace = harness.Namespace(self)
        daemon = self.daemon(self.configuration(QUIET), namespace=namespace)
        reloaded = self.configuration(QUIET).replace("max_flows: 1000", "max_flows: 1000, idle_timeout: 7s")
        self.write("nfstreamd.yaml", reloaded)
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == 1, daemon.describe)
        control = (NFSTREAMCTL, "--socket", daemon.socket)
        for command in (("status",), ("status", "--json"), ("exporters", "--json"), ("interfaces", "--json"), ("audit", "--json")):
            self.keep(self.run_program(*control, *command))
        report = self.folder / "report"
        self.run_program(*control, "doctor", "--config", self.folder / "nfstreamd.yaml", "--report", report, status=1)
        self.shown += report.read_text()
        self.assertEqual(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o660)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
        self.shown += daemon.describe()
        self.assertIn("started", self.shown)
        self.check()


class Texts(harness.TestCase):
    def lines_of(self, agent, *settings):
        capture = harness.write_pcap(self.folder / "a.pcap", [http_request("www.example.org", agent)])
        out = self.folder / "a.csv"
        self.nfstreamd("-r", capture, "-w", out, *(word for setting in settings for word in ("--set", setting)))
        json_text = self.nfstreamd("-r", capture).stdout
        with open(out, newline="", encoding="utf-8") as text:
            [row] = csv.DictReader(text)
        return row, json_text

    def test_a_formula_is_escaped_where_that_is_wanted(self):
        row, _ = self.lines_of(FORMULA)
        self.assertEqual(row["user_agent"], FORMULA)
        row, line = self.lines_of(FORMULA, "exporters.write.formulas=escape")
        self.assertEqual(row["user_agent"], "'" + FORMULA)
        self.assertEqual(json.loads(line)["user_agent"], FORMULA)

    def test_nothing_from_the_wire_commands_a_terminal(self):
        _, line = self.lines_of(ESCAPE)
        self.assertIn("gpj.exe", line)
        commands = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
        self.assertIsNone(commands.search(line), ascii(line))
        collector, port = self.collect()
        self.nfstreamd("-r", self.folder / "a.pcap", "-c", self.write(
            "export.yaml", f"exporters:\n  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{port}'], fields: [default, base]}}\n"))
        wait_for(lambda: "192.0.2.1" in collector.stdout(), collector.describe)
        collected = collector.stdout()
        self.assertIsNone(commands.search(collected), ascii(collected))


class Settings(harness.TestCase):
    def test_verification_of_certificates_has_no_off_switch(self):
        for exporter in ("ipfix, collectors: ['tls://127.0.0.1:9']", "http, url: 'https://127.0.0.1:9/'",
                         "nats, servers: ['tls://127.0.0.1:9'], subject: flows", "mqtt, broker: 'mqtts://127.0.0.1:9', topic: flows"):
            for setting in ("tls.verify", "tls.insecure", "tls.skip_verify", "verify"):
                with self.subTest(exporter=exporter, setting=setting):
                    path = self.write("nfstreamd.yaml", f"capture: [{{interface: lo}}]\nexporters:\n  - {{name: main, type: {exporter}}}\n")
                    run = self.nfstreamd("-t", "-c", path, "--set", f"exporters.main.{setting}=false", status=78)
                    self.assertRegex(run.stderr, rf"{setting}: .*(unknown|no such|not a setting)")
        schema = json.loads((harness.ROOT / "config" / "nfstreamd.schema.json").read_text())
        names = set(re.findall(r'"(\w+)": ', json.dumps(schema)))
        self.assertEqual({name for name in names if re.search("insecure|skip|verif", name)}, set())


if __name__ == "__main__":
    harness.main()
