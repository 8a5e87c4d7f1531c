#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plugins of flows: the example as its page says it is made, what plugins are shown, and what becomes of those that
misbehave."""
import csv
import json
import pathlib
import re
import shlex
import signal
import sys

import harness

TRAFFIC = pathlib.Path(__file__).resolve().with_name("traffic.py")
PLUGINS = harness.BUILD / "tests" / "plugins"
FOLDER = harness.ROOT / "core" / "plugin"
SOME = [harness.CAPTURES / f"{name}.pcap" for name in ("dns", "http", "s_ext6", "ssh", "tls12")]
CONFIGURATION = 78


def small(path, size):
    return sum(len(frame) == size for frame in harness.read_pcap(path)[1])


class FlowPlugins(harness.TestCase):
    def rows_of(self, plugins, captures=SOME, settings=(), status=0, extra=""):
        config = self.write("plugins.yaml", f"""plugins: {json.dumps(plugins)}
exporters:
  - {{name: ours, type: csv, path: {self.folder}/ours.csv}}
{extra}""")
        options = [word for setting in settings for word in ("--set", setting)]
        run = self.nfstreamd("-c", config, "-r", *captures, *options, status=status)
        with open(self.folder / "ours.csv", newline="", encoding="utf-8") as text:
            return run, list(csv.DictReader(text))

    def refused(self, plugin, **more):
        """The errors of a configuration with that plugin."""
        config = self.write("refused.yaml", f"""capture: [{{interface: lo}}]
plugins:
  - {json.dumps({"name": "theirs", "path": str(plugin), **more})}
""")
        return self.nfstreamd("-t", "-c", config, status=CONFIGURATION).stderr

    def test_the_example_is_made_by_the_command_of_its_page_against_the_installed_header(self):
        page = (FOLDER / "README.md").read_text(encoding="utf-8")
        code = re.search(r"```cpp\n(.*?)```", page, re.S).group(1)
        example = (FOLDER / "example_packet_40.cpp").read_text(encoding="utf-8")
        self.assertIn(code, example.replace("// Counts the packets of 40 octets of each flow.\n", ""))
        self.assertLessEqual(len(code.strip().splitlines()), 20)
        prefix = self.folder / "installed"
        self.run_program("cmake", "--install", harness.BUILD, "--prefix", prefix, "--component", "plugin_interface")
        command = re.search(r"^    (c\+\+ .* -o )(\S+)$", page, re.M)
        made = self.folder / command.group(2)
        (self.folder / "example_packet_40.cpp").write_text(code, encoding="utf-8")
        self.run_program(*shlex.split(command.group(1)), made, f"-I{prefix}/include", cwd=self.folder)
        capture = harness.CAPTURES / "facebook.pcap"
        frames = harness.read_pcap(capture)[1]
        size = 66  # no frame of Ethernet has 40 octets, so one that there is
        self.assertGreater(small(capture, size), 0)
        _, rows = self.rows_of([{"name": "packet_40", "path": str(made)}], [capture])
        self.assertEqual(harness.total(rows, "udps.packet_40_count"), small(capture, 40))
        text = (self.folder / "example_packet_40.cpp").read_text(encoding="utf-8").replace("== 40", f"== {size}")
        (self.folder / "example_packet_40.cpp").write_text(text, encoding="utf-8")
        self.run_program(*shlex.split(command.group(1)), made, f"-I{prefix}/include", cwd=self.folder)
        _, rows = self.rows_of([{"name": "packet_40", "path": str(made)}], [capture])
        self.assertEqual(harness.total(rows, "udps.packet_40_count"), small(capture, size))
        self.assertEqual(harness.total(rows, "bidirectional_packets"), len(frames))

    def test_the_same_in_c_counts_the_same(self):
        raw = self.folder / "raw.pcap"  # of link type RAW, where packets of 40 octets are the bare handshakes
        frames = [frame[14:] for frame in harness.read_pcap(harness.CAPTURES / "http.pcap")[1]
                  if frame[12:14] == b"\x08\x00"]
        bare = [frame[:40] for frame in frames if frame[9] == 6]
        harness.write_pcap(raw, bare, link_type=101)
        found = []
        for name in ("example_packet_40", "example_packet_40_in_c"):
            _, rows = self.rows_of([{"name": "counts", "path": str(PLUGINS / f"{name}.so")}], [raw])
            found.append([row["udps.packet_40_count"] for row in rows])
        self.assertEqual(found[0], found[1])
        self.assertEqual(sum(map(int, found[0])), len(bare))

    def test_what_a_plugin_is_shown_is_what_the_columns_have(self):
        log = self.folder / "log"
        plugins = [{"name": "tells", "path": str(PLUGINS / "flow_tells.so"), "settings": {"log": str(log)}},
                   {"name": "reads", "path": str(PLUGINS / "flow_reads.so")}]
        _, rows = self.rows_of(plugins, settings=["metering.statistical_analysis=true"])
        self.assertEqual(log.read_text().split(), ["open", "files", "close", "files"])
        self.assertGreater(len(rows), 5)
        for row in rows:
            self.assertEqual(row["udps.sound"], "True")
            shown = row["udps.first_packet"].split()
            columns = ("src_ip", "dst_ip", "src_port", "dst_port", "protocol", "ip_version", "vlan_id", "tunnel_id")
            self.assertEqual(shown[:8], [row[column] for column in columns])
            self.assertEqual(shown[13], row["bidirectional_first_seen_ms"])
            self.assertEqual(shown[8], shown[12])  # these captures are not cut
            if row["bidirectional_packets"] == "1":
                self.assertEqual(shown[8], row["bidirectional_bytes"])
                self.assertEqual(row["udps.last_gap"], "0")
            if row["bidirectional_packets"] == "2":
                self.assertEqual(row["udps.last_gap"], row["bidirectional_duration_ms"])
        self.assertNotIn("udps.payload", rows[0])  # volatile
        self.assertTrue(any(row["udps.seen_payload"] for row in rows))
        names = {row["application_name"] for row in rows if row["udps.application"] == row["application_name"]}
        self.assertIn("SSH", names)
        columns = list(rows[0])
        self.assertEqual(columns[-5:-1], ["udps.first_packet", "udps.last_gap", "udps.application", "udps.sound"])

    def test_a_plugin_ends_flows_with_its_number(self):
        _, rows = self.rows_of([{"name": "theirs", "path": str(PLUGINS / "flow_misbehaves.so"),
                                 "settings": {"how": "ends every flow"}}])
        self.assertEqual({row["expiration_id"] for row in rows}, {"-3"})
        self.assertEqual({row["bidirectional_packets"] for row in rows}, {"1"})
        self.assertEqual({row["udps.calls"] for row in rows}, {"1"})

    def test_slicer_and_older_schemas(self):
        _, rows = self.rows_of([{"name": "slicer", "settings": {"limit": 3}}])
        ended = [row for row in rows if row["expiration_id"] == "-1"]
        self.assertEqual({row["bidirectional_packets"] for row in ended}, {"3"})
        self.assertEqual({int(row["bidirectional_packets"]) for row in rows if row not in ended} - {1, 2}, set())
        _, rows = self.rows_of([{"name": "splt", "settings": {"sequence_length": 4, "accounting_mode": 1}}],
                               settings=["exporters.ours.schema=nfstream3"])
        self.assertEqual(list(rows[0])[-3:], ["splt_direction", "splt_ps", "splt_piat_ms"])

    def test_fields_are_listed_selected_and_filtered(self):
        plugin = f"plugins=[{{name: p, path: {PLUGINS}/example_packet_40.so}}]"
        listed = self.nfstreamd("--list-fields", "-r", SOME[0], "--set", plugin).stdout
        self.assertRegex(listed, r"udps\.packet_40_count +plugins +nfstreamUdpsPacket40Count +own/\d+ +Packets of 40")
        self.assertNotIn("udps.", self.nfstreamd("--list-fields").stdout)
        run = self.nfstreamd("-r", *SOME, "--set", plugin, "--set", "exporters.write.fields=[src_port, plugins]",
                             "--set", "exporters.write.filter=udps.packet_40_count == 0", "-w", self.folder / "some.csv")
        with open(self.folder / "some.csv", encoding="utf-8") as text:
            self.assertEqual(text.readline().strip(), "src_port,udps.packet_40_count")
            self.assertTrue(all(line.endswith(",0\n") for line in text))
        self.assertEqual(run.stderr, "")

    def test_ipfix_carries_fields_by_their_elements(self):
        plugins = [{"name": "p", "path": str(PLUGINS / "flow_tells.so"), "elements": ["last_gap=4711/12", "sound=6000"]}]
        path = self.folder / "flows.ipfix"
        self.rows_of(plugins, extra=f"""  - {{name: theirs, type: ipfix, path: {path}}}
private_enterprise_number: 55555
metering: {{statistical_analysis: true}}
""")
        records = [json.loads(line) for line in self.run_program(
            harness.BUILD / "nfstreamctl", "collect", path).stdout.splitlines()]
        flows = [record for record in records if "nfstreamUdpsFirstPacket" in record]
        self.assertGreater(len(flows), 5)
        for flow in flows:
            self.assertEqual(flow["nfstreamUdpsFirstPacket"].split()[:2], [flow["src_ip"], flow["dst_ip"]])
            self.assertIn("nfstreamUdpsLastGap", flow)
            self.assertEqual(flow["nfstreamUdpsSound"], True)

    def test_what_cannot_be_loaded_is_an_error_of_the_configuration(self):
        misbehaves = PLUGINS / "flow_misbehaves.so"
        for plugin, more, message in (
                ("/nowhere/plugin.so", {}, "No such file"),
                (PLUGINS / "slow.so", {}, "undefined symbol: nfstreamd_plugin"),
                (PLUGINS / "flow_wrong_abi.so", {}, "is made for version 2 of the interface, this is version 1"),
                ("no_such_plugin", {}, 'there is no plugin "no_such_plugin" in '),
                (misbehaves, {"settings": {"how": "fails to open"}}, "it does not want to"),
                (misbehaves, {"settings": {"how": "declares a field twice"}}, 'field "calls": is declared twice'),
                (misbehaves, {"settings": {"how": "declares in secret"}}, 'field "calls": is declared twice'),
                (misbehaves, {"settings": {"how": "declares a field that exists"}}, "a name has letters, digits"),
                (misbehaves, {"settings": {"how": "asks for no column"}}, "there is no column no_such_column"),
                (misbehaves, {"elements": ["calls"]}, "not of the form FIELD=PEN/NUMBER"),
                (misbehaves, {"elements": ["others=1/2"]}, 'it has no field "others"'),
                (misbehaves, {"elements": ["calls=0/7"]}, 'its element is that of "src_port"'),
                ("slicer", {}, "limit must be an integer from 1"),
                ("slicer", {"settings": {"limit": 7, "limits": 8}}, '"limits" is no setting of this plugin; it has limit')):
            with self.subTest(plugin=str(plugin), more=more):
                text = self.refused(plugin, **more)
                self.assertIn(message, text)
                self.assertRegex(text, r"refused\.yaml:3:5: plugins\[0\]")

    def test_two_plugins_do_not_declare_the_same_field(self):
        config = self.write("two.yaml", f"""capture: [{{interface: lo}}]
plugins:
  - {{name: one, path: {PLUGINS}/flow_misbehaves.so}}
  - {{name: two, path: {PLUGINS}/flow_misbehaves.so}}
""")
        text = self.nfstreamd("-t", "-c", config, status=CONFIGURATION).stderr
        self.assertIn('two.yaml:4:5: plugins[1]: plugin two: field "calls": is declared by a plugin before this one', text)

    def test_calls_that_fail_are_counted_and_disable_that_plugin_alone(self):
        for how in ("throws", "throws a number", "sets a wrong type", "throws at the end"):
            with self.subTest(how=how):
                capture = self.folder / "many.pcap"
                harness.many_flows(capture, 300, packets_each=2)
                run, rows = self.rows_of([{"name": "theirs", "path": str(PLUGINS / "flow_misbehaves.so"),
                                           "settings": {"how": how}},
                                          {"name": "counts", "path": str(PLUGINS / "example_packet_40.so")}], [capture])
                self.assertEqual(len(rows), 300)
                self.assertEqual(run.stderr.count("plugin disabled"), 1)
                self.assertIn("more than 100 calls failed", run.stderr)
                self.assertNotIn("it was taken", run.stderr)
                self.assertEqual({row["udps.packet_40_count"] for row in rows}, {"0"})
                self.assertIn("1", {row["udps.calls"] for row in rows})

    def test_a_plugin_that_is_slow_is_disabled_where_there_is_a_budget(self):
        capture = self.folder / "many.pcap"
        harness.many_flows(capture, 100, packets_each=2)
        slow = {"name": "theirs", "path": str(PLUGINS / "flow_misbehaves.so"), "settings": {"how": "is slow"}}
        run, rows = self.rows_of([slow], [capture])
        self.assertNotIn("disabled", run.stderr)  # files wait
        self.assertEqual({row["udps.calls"] for row in rows}, {"1"})
        run, rows = self.rows_of([{**slow, "time_budget_us": 500}], [capture])
        self.assertRegex(run.stderr, r"plugin disabled .*measured calls took more than 500 us")
        self.assertEqual(len(rows), 100)
        self.assertEqual({row["udps.calls"] for row in rows}, {"1", ""})

    def test_a_reload_changes_plugins_and_flows_stay_with_those_that_saw_them_begin(self):
        harness.needs_root("a network namespace")
        space = harness.Namespace(self)
        space.ip("link", "set", "lo", "up")
        log = self.folder / "log"
        tells = {"name": "tells", "path": str(PLUGINS / "flow_tells.so"), "settings": {"log": str(log)}}
        counts = {"name": "counts", "path": str(PLUGINS / "example_packet_40.so")}
        fails = {"name": "fails", "path": str(PLUGINS / "flow_misbehaves.so"), "settings": {"how": "fails to open"}}

        def configuration(*plugins):
            return f"""capture: [{{interface: lo, n_meters: 1}}]
metering: {{idle_timeout: 600, max_flows: 1000, n_dissections: 0, statistical_analysis: true}}
plugins: {json.dumps(plugins)}
exporters: [{{name: j, type: json, path: {self.folder}/flows.jsonl}}]
control: {{socket: {self.folder}/control.sock}}
"""

        def send(*sources):
            space.run(sys.executable, str(TRAFFIC), "send", "127.0.0.1", "9", *map(str, sources))

        def seen():
            return self.status(daemon)["interfaces"][0]["metered"]["packets"]

        def reload(what, number, *plugins):
            self.write("nfstreamd.yaml", configuration(*plugins))
            daemon.send_signal(signal.SIGHUP)
            harness.wait_for(lambda: self.status(daemon)["reload"][what] == number, daemon.describe)

        def opened():
            return [line.split()[0] for line in log.read_text().splitlines()]

        daemon = self.daemon(configuration(tells), namespace=space)
        send(20001)
        harness.wait_for(lambda: seen() >= 1, daemon.describe)
        for wanted, count in (("== ''", 0), ("!= ''", 1)):  # by what a plugin has given them so far
            asked = ("--socket", daemon.socket, "flows", "--filter", f"src_port == 20001 and udps.first_packet {wanted}")
            flows = json.loads(self.run_program(harness.NFSTREAMCTL, *asked, "--json").stdout)["flows"]
            self.assertEqual([flow["udps.first_packet"].split()[2] for flow in flows], ["20001"] * count)
        self.assertRegex(self.run_program(harness.NFSTREAMCTL, *asked).stdout, r"\n    udps.first_packet 127.0.0.1 127.0.0.1 20001 9 17 ")
        reload("rejected", 1, tells, fails)
        self.assertEqual([plugin["name"] for plugin in self.status(daemon)["plugins"]], ["tells"])
        reload("applied", 1, counts, tells)
        self.assertEqual(opened(), ["open"])  # the instance that there was
        before = seen()
        send(20001, 20002)
        harness.wait_for(lambda: seen() >= before + 2, daemon.describe)
        reload("applied", 2, counts)
        self.assertEqual(opened(), ["open"])  # flows are left that saw it
        before = seen()
        send(20003)
        harness.wait_for(lambda: seen() >= before + 1, daemon.describe)
        status = {plugin["name"]: plugin for plugin in self.status(daemon)["plugins"]}
        self.assertEqual(list(status), ["counts"])
        self.assertEqual(status["counts"]["instances"], 1)
        self.assertEqual(status["counts"]["disabled"], 0)
        daemon.stop()
        self.assertEqual(opened(), ["open", "close"])
        flows = {flow["src_port"]: flow for flow in self.json_records(self.folder / "flows.jsonl")
                 if flow["dst_port"] == 9}
        self.assertEqual(flows[20001]["udps.packet_40_count"], None)  # began before the plugin came
        self.assertEqual(flows[20001]["bidirectional_packets"], 2)
        self.assertEqual(flows[20002]["udps.packet_40_count"], 0)
        self.assertEqual(flows[20003]["udps.packet_40_count"], 0)
        self.assertNotIn("udps.sound", flows[20003])


if __name__ == "__main__":
    harness.main()
