#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exporters in shared objects: the example as its page says it is made, and what they are handed."""
import csv
import ipaddress
import json
import pathlib
import re
import shlex
import signal
import sys

import harness

TRAFFIC = pathlib.Path(__file__).resolve().with_name("traffic.py")
PORT = 47777
UNAVAILABLE = 69

PLUGINS = harness.BUILD / "tests" / "plugins"
PAGE = harness.ROOT / "exporters" / "plugin" / "README.md"
SOME = [harness.CAPTURES / f"{name}.pcap" for name in ("dns", "http", "quic", "s_ext6", "ssh", "tls12")]
UNSIGNED, SIGNED, FLOAT, TEXT, ADDRESS, MAC, LIST = 1, 2, 3, 5, 6, 7, 8


def as_text(kind, value):
    """A value of CSV as dumps.c prints it."""
    if kind == ADDRESS:
        return ipaddress.ip_address(value).packed.hex()
    if kind == MAC:
        return value.replace(":", "")
    return value.strip("[]").replace(" ", "") if kind == LIST else value


class Plugin(harness.TestCase):
    def run_with(self, plugin, settings, extra="", status=0):
        """One run with this plugin and an exporter to CSV beside it."""
        config = self.write("plugin.yaml", f"""metering: {{splt_analysis: 5, statistical_analysis: true}}
exporters:
  - {{name: theirs, type: plugin, path: {plugin}, settings: {json.dumps(settings)}{extra}}}
  - {{name: ours, type: csv, path: {self.folder}/ours.csv}}
""")
        run = self.nfstreamd("-c", config, "-r", *SOME, status=status)
        with open(self.folder / "ours.csv", newline="", encoding="utf-8") as text:
            return run, list(csv.DictReader(text))

    def test_the_example_is_made_by_the_command_of_its_page(self):
        command = re.search(r"^    (cc .* -o )(\S+)$", PAGE.read_text(encoding="utf-8"), re.M)
        made = self.folder / command.group(2)
        self.run_program(*shlex.split(command.group(1)), made, cwd=harness.ROOT)
        _, rows = self.run_with(made, [f"file={self.folder}/lines"])
        lines = [tuple(map(int, line.split())) for line in (self.folder / "lines").read_text().splitlines()]
        self.assertEqual(lines[-1][0], len(rows))
        self.assertEqual(sum(octets for _, octets in lines), harness.total(rows, "bidirectional_bytes"))

    def test_every_value_is_the_one_that_csv_has(self):
        run, rows = self.run_with(PLUGINS / "dumps.so", [f"file={self.folder}/dump", "greeting=hello there"])
        self.assertIn("hello there", run.stderr)
        with open(self.folder / "dump", encoding="utf-8") as dump:
            header, *lines = (line.rstrip("\n").split("\t") for line in dump)
        names, kinds = zip(*((name, int(kind)) for name, kind, _ in (field.split(":") for field in header)))
        self.assertEqual(list(names), list(rows[0]))
        self.assertIn("src_ip:6:0/8", header)
        self.assertEqual(len(lines), len(rows))
        self.assertEqual(set(kinds), {UNSIGNED, SIGNED, FLOAT, TEXT, ADDRESS, MAC, LIST})
        for line, row in zip(lines, rows):
            for name, kind, have in zip(names, kinds, line):
                want = as_text(kind, row[name])
                if kind == FLOAT:
                    self.assertEqual(float(have), float(want), name)
                else:
                    self.assertEqual(have, want, name)

    def test_fields_choose_what_is_handed_over_and_anonymisation_comes_first(self):
        self.run_with(PLUGINS / "dumps.so", [f"file={self.folder}/dump"],
                      ", fields: [src_ip, user_agent], anonymize: {addresses: truncate, prefix_length_v4: 8}")
        header, *lines = (self.folder / "dump").read_text().split("\n")
        self.assertEqual([field.split(":")[0] for field in header.split("\t")], ["src_ip", "user_agent"])
        for line in filter(None, lines):
            address, agent = line.split("\t")
            self.assertEqual(agent, "")
            if len(address) == 8:
                self.assertEqual(address[2:], "000000")

    def test_a_slow_one_gets_everything_and_one_that_fails_to_open_is_tried_again(self):
        _, rows = self.run_with(PLUGINS / "slow.so", ["lose=0"])
        self.assertGreater(len(rows), 5)
        self.run_with(PLUGINS / "fails_open.so", ["times=2", "code=2"])

    def test_one_that_cannot_be_used_or_misbehaves_ends_the_run_with_an_error_and_spares_the_others(self):
        for plugin, settings, words in (("wrong_abi", [], "made for version 2"),
                                        ("no_symbol", [], "nfstreamd_exporter"),
                                        ("fails_open", ["times=1000000", "code=3"], "nobody listens"),
                                        ("example_exporter", [], "needs a setting file=PATH")):
            run, rows = self.run_with(PLUGINS / f"{plugin}.so", settings, status=UNAVAILABLE)
            self.assertIn(words, run.stderr)
            self.assertGreater(len(rows), 5)

    @harness.needs_root("a network namespace")
    def test_a_live_daemon_survives_exceptions_and_lies_counts_them_and_loads_another_at_a_reload(self):
        probe = harness.Namespace(self)
        configuration = f"""capture: [{{interface: lo, n_meters: 1, bpf_filter: udp dst port {PORT}}}]
metering: {{idle_timeout: 1s}}
control: {{socket: {self.folder}/control.sock}}
exporters:
  - {{name: throws, type: plugin, path: {PLUGINS}/throws.so, settings: ["where=write"]}}
  - {{name: lies, type: plugin, path: {PLUGINS}/lies.so, settings: ["how=beyond"]}}
  - {{name: sound, type: plugin, path: {PLUGINS}/slow.so}}
"""
        daemon = self.daemon(configuration, namespace=probe)
        harness.wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)

        def exporter(name):
            return next(exporter for exporter in self.status(daemon)["exporters"] if exporter["name"] == name)

        def send(first):
            probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, first, first + 1)
        send(45001)
        harness.wait_for(lambda: exporter("throws")["failures"] > 0 and exporter("lies")["failures"] > 0 and
                         exporter("sound")["records"] == 2, daemon.describe)
        self.assertEqual(exporter("sound")["failures"], 0)
        self.assertIn("threw a broken promise", exporter("throws")["last_error"])
        self.assertIn("took records up to number", exporter("lies")["last_error"])
        dump = self.folder / "dump"
        self.write("nfstreamd.yaml", configuration.replace("slow.so}", f"dumps.so, settings: ['file={dump}']}}"))
        daemon.send_signal(signal.SIGHUP)
        harness.wait_for(lambda: self.status(daemon)["reload"]["applied"] == 1, daemon.describe)
        send(46001)
        harness.wait_for(lambda: exporter("sound")["records"] == 2 and
                         exporter("sound")["destination"].endswith("dumps.so"), daemon.describe)
        for name in ("throws", "lies"):
            self.assertEqual(exporter(name)["records"], 0)
        daemon.send_signal(signal.SIGTERM)
        self.assertGreaterEqual(daemon.wait(60), 0, daemon.describe())
        self.assertEqual(len(dump.read_text().splitlines()), 3)


if __name__ == "__main__":
    harness.main()
