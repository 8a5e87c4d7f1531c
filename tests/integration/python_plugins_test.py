#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plugins in Python in the daemon: those of nfstream's documentation give what they give in the Python package, and what
becomes of those that misbehave. tests/plugins/python/README.md lists them."""
import csv
import json
import pathlib
import signal
import subprocess
import sys

import harness

TRAFFIC = pathlib.Path(__file__).resolve().with_name("traffic.py")
PLUGINS = harness.ROOT / "tests" / "plugins" / "python"
PYTHON = "/usr/bin/python3"  # whose library the host is linked with
CONFIGURATION = 78
SOME = [harness.CAPTURES / f"{name}.pcap" for name in ("facebook", "dns", "http", "s_ext6", "ssh", "tls12")]
KEY = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol")
KEY_OF_6 = KEY + ("bidirectional_first_seen_ms", "bidirectional_packets", "expiration_id")
KEY_OF_3 = KEY + ("first_seen", "total_packets", "expiration_id")

# Runs plugins in the package: its lines are the flows of a capture, each a list of key and values.
PACKAGE = """
import importlib.util, json, sys
kind, path, capture, names, keys, values, options = json.loads(sys.argv[1])
import nfstreamd, nfstreamd.streamer, nfstreamd.nfstream3
for name in list(sys.modules):
    if name.startswith("nfstreamd"):
        sys.modules["nfstream" + name[len("nfstreamd"):]] = sys.modules[name]
spec = importlib.util.spec_from_file_location("theirs", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
made = []
for name, settings in names:
    found = getattr(module, name)
    made.append(found if kind == 0 or not isinstance(found, type) else found(**settings))
if kind == 6:
    flows = nfstreamd.NFStreamer(source=capture, udps=made, **options)
elif kind == 3:
    flows = nfstreamd.nfstream3.NFStreamer(source=capture, plugins=made, **options)
else:
    flows = nfstreamd.streamer.Streamer(source=capture, user_metrics=dict(zip(values, made)), **options)
for flow in flows:
    def value(name):
        if kind == 0:
            return flow.metrics[name]
        return getattr(flow.udps if kind == 6 else flow, name, None)
    shown = [value(name) for name in values]
    print(json.dumps([str(getattr(flow, key)) for key in keys] + ["" if one is None else str(one) for one in shown]))
"""


def has_sklearn():
    if harness.SANITIZED:  # their library's time, not ours
        return False
    return subprocess.run([PYTHON, "-c", "import sklearn"], capture_output=True).returncode == 0


class PythonPlugins(harness.TestCase):
    def setUp(self):
        super().setUp()
        if not (harness.BUILD / "plugins" / "python_host.so").exists():
            self.skipTest("NOT RUN: built without plugins in Python")

    # ---- helpers ----

    def rows_of(self, plugins, captures=SOME, settings=(), status=0, **env):
        """The flows with these plugins, and what was said."""
        out = self.folder / "ours.csv"
        config = self.write("plugins.yaml", f"plugins: {json.dumps(plugins)}\n"
                                            f"exporters: [{{name: ours, type: csv, path: {out}}}]\n")
        run = self.nfstreamd("-c", config, "-r", *captures, *(word for one in settings for word in ("--set", one)),
                             status=status, **env)
        with open(out, newline="", encoding="utf-8") as text:
            return run, list(csv.DictReader(text))

    def entry(self, file, target="", name="theirs", **more):
        return {"name": name, "type": "python", "path": str(PLUGINS / f"{file}.py"),
                **({"class": target} if target else {}), **more}

    def in_package(self, kind, path, capture, names, keys, values, **options):
        request = json.dumps([kind, str(path), str(capture), names, keys, values, options])
        run = self.run_program(PYTHON, "-c", PACKAGE, request,
                               env={"PYTHONPATH": str(harness.BUILD / "python"), "PATH": "/usr/bin:/bin",
                                    "PYTHONDONTWRITEBYTECODE": "1", **harness.python_environment()})
        return sorted(json.loads(line) for line in run.stdout.splitlines())

    def assert_equals_package(self, kind, plugins, names, values, captures=SOME, settings=(), path=None, **options):
        """The daemon's values of a run over each capture are the package's; returns the daemon's of the last one."""
        keys = {6: KEY_OF_6, 3: KEY_OF_3, 0: ("ip_src", "src_port", "ip_dst", "dst_port", "ip_protocol", "start_time",
                                              "end_time")}[kind]
        generation = {6: [], 3: ["metering.compatibility=nfstream3"], 0: ["metering.compatibility=nfstream0"]}[kind]
        columns = [f"udps.{value}" if kind == 6 else value for value in values]
        path = path or plugins[0]["path"]
        rows = []
        for capture in captures:
            with self.subTest(capture=capture.name):
                run, rows = self.rows_of(plugins, [capture], settings=[*generation, *settings])
                self.assertEqual(run.stderr, "")
                ours = sorted([row[key] for key in keys] + [row[column] for column in columns] for row in rows)
                self.assertEqual(ours, self.in_package(kind, path, capture, names, keys, values, **options))
                self.assertGreater(len(ours), 0)
        return rows

    def refused(self, entry, config="refused.yaml"):
        path = self.write(config, f"capture: [{{interface: lo}}]\nplugins:\n  - {json.dumps(entry)}\n")
        return self.nfstreamd("-t", "-c", path, status=CONFIGURATION).stderr

    def needs_package(self):
        if not (harness.BUILD / "python").exists():
            self.skipTest("NOT RUN: built without the package for Python")

    # ---- nfstream's plugins ----

    def test_flow_slicer(self):
        self.needs_package()
        for limit in (1, 7):
            rows = self.assert_equals_package(6, [self.entry("flow_slicer", settings={"limit": limit})],
                                              [("FlowSlicer", {"limit": limit})], [], captures=SOME[::4])
        _, rows = self.rows_of([self.entry("flow_slicer", settings={"limit": 7})], SOME[:1])
        self.assertEqual(sorted((row["bidirectional_packets"], row["expiration_id"]) for row in rows),
                         sorted([("7", "-1")] * 7 + [("5", "0"), ("6", "0")]))

    def test_splt(self):
        self.needs_package()
        settings = {"sequence_length": 7, "accounting_mode": 1}
        rows = self.assert_equals_package(6, [self.entry("splt", settings=settings)], [("SPLT", settings)],
                                          ["splt_direction", "splt_ps", "splt_piat_ms"],
                                          captures=SOME[::2], settings=["metering.splt_analysis=7",
                                                                        "metering.accounting_mode=1"])
        for row in rows:  # and the engine's own
            for column in ("splt_direction", "splt_ps", "splt_piat_ms"):
                self.assertEqual(row["udps." + column], row[column])

    def test_packet_40(self):
        self.needs_package()
        frames = [harness.udp_frame("10.0.0.1", port, "10.0.0.2", 2, b"x" * 12)[14:] for port in [1] * 10 + [2] * 3]
        forties = self.folder / "forties.pcap"
        harness.write_pcap(forties, frames, link_type=101)
        settings = {"large_dict_passed_as_plugin_attribute": {}}
        rows = self.assert_equals_package(6, [self.entry("packet_40", settings=settings)], [("packet_40", settings)],
                                          ["packet_40_count", "magic_message"], captures=[forties, SOME[0]])
        self.assertEqual({row["udps.magic_message"] for row in rows}, {"NO"})
        _, rows = self.rows_of([self.entry("packet_40", settings=settings)], [forties])
        self.assertEqual(sorted((row["udps.packet_40_count"], row["udps.magic_message"]) for row in rows),
                         [("10", "YES"), ("3", "NO")])

    def test_model_prediction(self):
        self.needs_package()
        if not has_sklearn():
            self.skipTest("NOT RUN: needs python3-sklearn")
        plugin = self.folder / "model_prediction.py"
        plugin.write_text((PLUGINS / plugin.name).read_text(encoding="utf-8"), encoding="utf-8")
        _, flows = self.rows_of([], SOME)
        measures = [[int(flow["bidirectional_packets"]), int(flow["bidirectional_bytes"])] for flow in flows]
        labels = [int(flow["protocol"] == "17") for flow in flows]
        self.assertEqual(set(labels), {0, 1})
        train = ("import joblib, json, sys; from sklearn.ensemble import RandomForestClassifier; "
                 "x, y, path = json.load(open(sys.argv[1])); m = RandomForestClassifier(n_estimators=10, random_state=1); "
                 "m.fit(x, y); joblib.dump(m, path); print(json.dumps(m.predict(x).tolist()))")
        task = self.write("task.json", json.dumps([measures, labels, str(self.folder / "model.joblib")]))
        predicted = json.loads(self.run_program(PYTHON, "-c", train, task).stdout)
        entry = {"name": "model", "type": "python", "path": str(plugin), "class": "prediction"}
        _, rows = self.rows_of([entry], SOME)
        want = sorted((*measure, f"[{one}]") for measure, one in zip(measures, predicted))
        self.assertEqual(sorted((int(row["bidirectional_packets"]), int(row["bidirectional_bytes"]),
                                 row["udps.model_prediction"]) for row in rows), want)
        self.assert_equals_package(6, [entry], [("prediction", {})], ["model_prediction"], captures=SOME[:2])
        # a type: a number in its own right
        _, rows = self.rows_of([{**entry, "fields": ["model_prediction=signed"]}], SOME)
        self.assertEqual({row["udps.model_prediction"] for row in rows}, {"0", "1"})

    def test_nfstream3_plugins(self):
        self.needs_package()
        for file, values in (("ack_count", ["18", "40"]), ("my_awesome_plugin", ["2", "14"])):
            with self.subTest(plugin=file):
                rows = self.assert_equals_package(3, [self.entry(file)], [(file, {})], [file], captures=SOME[1::-1])
                self.assertEqual(sorted(row[file] for row in rows), sorted(values))  # facebook
        _, rows = self.rows_of([self.entry("ack_count")], SOME[:1])  # among columns of nfstream 6
        self.assertEqual(sorted(row["udps.ack_count"] for row in rows), ["18", "40"])

    def test_nfstream3_models_with_volatile_features(self):
        self.needs_package()
        for file, first in (("feats", "feats"), ("features", "feat_1")):
            with self.subTest(plugin=file):
                names = [first, "feat_2", "feat_3", "prediction"]
                plugins = [self.entry(file, one, name=one, settings={} if one == "prediction" else {"volatile": True})
                           for one in names]
                calls = [(one, {} if one == "prediction" else {"volatile": True}) for one in names]
                rows = self.assert_equals_package(3, plugins, calls, ["model_prediction"], captures=SOME[1::-1])
                self.assertEqual({row["model_prediction"] for row in rows}, {"[3, 214]"})  # facebook: 74, 74, 66
                self.assertFalse({"feats", "feat_1", "feat_2", "feat_3"} & set(rows[0]))

    def test_nfstream0_callback(self):
        self.needs_package()
        rows = self.assert_equals_package(0, [self.entry("count_pkts_gt_666", "my_awesome_plugin",
                                                         name="count_pkts_gt_666")],
                                          [("my_awesome_plugin", {})], ["count_pkts_gt_666"], captures=SOME[:1])
        self.assertEqual(sorted(row["count_pkts_gt_666"] for row in rows), ["14", "2"])

    # ---- values ----

    def test_values_of_every_kind_go_into_every_format(self):
        plugins = [self.entry("values", "Gives", name="gives", fields=["mean=float", "array=text"]),
                   self.entry("values", "Takes", name="takes")]
        run, rows = self.rows_of(plugins, SOME[:1])
        self.assertEqual(run.stderr, "")
        self.assertEqual(list(rows[0])[-14:],
                         [f"udps.{name}" for name in (
                             "integer", "real", "truth", "text", "large", "nothing", "numbers", "pair",
                             "numpy_integer", "numpy_real", "numpy_truth", "array", "mean", "taken")])
        for row in rows:
            packets = int(row["bidirectional_packets"])
            sizes = json.loads(row["udps.numbers"])
            shown = {name: row["udps." + name] for name in (
                "integer", "real", "truth", "text", "large", "nothing", "pair", "numpy_integer", "numpy_real",
                "numpy_truth", "array", "taken")}
            self.assertEqual(len(sizes), packets)
            self.assertEqual(sum(sizes), int(row["bidirectional_bytes"]))
            self.assertAlmostEqual(float(row["udps.mean"]), sum(sizes) / packets, places=6)
            self.assertEqual(shown, {
                "integer": str(packets + 1), "real": "0.5", "truth": "False", "text": "last", "large": str(2**63),
                "nothing": "", "pair": "(1, 2)", "numpy_integer": str(sizes[0]), "numpy_real": "0.25",
                "numpy_truth": "True", "array": f"[{sizes[0]}  2]", "taken": str(packets + 1)})

    def test_fields_are_listed_and_carried_by_json_and_ipfix(self):
        plugin = self.entry("values", "Gives", name="gives", fields=["mean=float"], elements=["mean=6000"])
        listed = self.nfstreamd("--list-fields", "-r", SOME[0], "--set", f"plugins=[{json.dumps(plugin)}]").stdout
        self.assertRegex(listed, r"udps\.mean +plugins +nfstreamUdpsMean +own/6000 +Of plugin gives, in Python")
        config = self.write("both.yaml", f"""plugins: [{json.dumps(plugin)}]
exporters:
  - {{name: j, type: json, path: {self.folder}/flows.jsonl}}
  - {{name: i, type: ipfix, path: {self.folder}/flows.ipfix}}
private_enterprise_number: 55555
""")
        self.nfstreamd("-c", config, "-r", SOME[0])
        flows = self.json_records(self.folder / "flows.jsonl")
        for flow in flows:
            self.assertIs(flow["udps.truth"], False)
            self.assertIsNone(flow["udps.nothing"])
            self.assertEqual(flow["udps.integer"], flow["bidirectional_packets"] + 1)
            self.assertAlmostEqual(flow["udps.mean"], sum(flow["udps.numbers"]) / len(flow["udps.numbers"]))
        records = [json.loads(line) for line in self.run_program(
            harness.BUILD / "nfstreamctl", "collect", self.folder / "flows.ipfix").stdout.splitlines()]
        carried = [record for record in records if "nfstreamUdpsMean" in record]
        self.assertEqual(sorted(record["nfstreamUdpsMean"] for record in carried),
                         sorted(flow["udps.mean"] for flow in flows))
        self.assertEqual(sorted(record["nfstreamUdpsInteger"] for record in carried),
                         sorted(str(flow["udps.integer"]) for flow in flows))

    def test_what_a_plugin_prints_goes_into_the_log_and_not_among_flows(self):
        run = self.nfstreamd("-r", SOME[0], "-w", "-", "--set", "log.level=info", "--set",
                             f"plugins=[{json.dumps(self.entry('misbehaves', 'Misbehaves', settings={'how': 'prints'}))}]")
        self.assertNotIn("said by", run.stdout)
        self.assertRegex(run.stderr, r'plugin says plugin=theirs meter=files message="said by a plugin"')

    # ---- errors ----

    def test_what_cannot_be_loaded_is_an_error_of_the_configuration(self):
        broken = self.write("broken.py", "from nfstream import NFPlugin\nclass Broken(NFPlugin:\n    pass\n")
        lacks = self.write("lacks.py", "import no_such_module\n")
        streams = self.write("streams.py", "from nfstream import NFStreamer\nNFStreamer(source='eth0')\n")
        for entry, *messages in (
                ({**self.entry("values"), "path": "/nowhere/plugin.py"}, "there is no file /nowhere/plugin.py"),
                ({**self.entry("values"), "path": str(broken)}, "SyntaxError", "broken.py:2"),
                ({**self.entry("values"), "path": str(lacks)}, "No module named 'no_such_module'", "lacks.py:1"),
                ({**self.entry("values"), "path": str(streams)}, "nfstreamd reads the packets itself", "streams.py:2"),
                ({**self.entry("values"), "path": "no_module"}, "No module named 'no_module'"),
                ({**self.entry("values"), "path": ""}, "plugins[0].path: a plugin in Python needs the path of its file"),
                (self.entry("values"), "has several plugins, Gives, Takes: name one by `class`"),
                (self.entry("count_pkts_gt_666"), "has no class that derives from NFPlugin"),
                (self.entry("values", "Give"), "has no Give; it has Gives, Takes"),
                (self.entry("values", "numpy"), "numpy in ", "is no plugin"),
                (self.entry("splt", settings={"sequence_length": 7, "accouncting_mode": 1}),
                 'settings: SPLT does not read "accouncting_mode"; it reads sequence_length, accounting_mode'),
                (self.entry("misbehaves", "Misbehaves", settings={"hwo": 1}), "unexpected keyword argument 'hwo'"),
                (self.entry("misbehaves", "Misbehaves", settings={"how": "fails to open"}),
                 "RuntimeError: it does not want to", "misbehaves.py:13, in __init__"),
                (self.entry("values", "Gives", fields=["mean=double"]), '"mean=double" is not of the form NAME=TYPE'),
                (self.entry("values", "Gives", elements=["others=1/2"]), 'elements: it has no field "others"'),
                (self.entry("count_pkts_gt_666", "my_awesome_plugin", settings={"a": 1}), "a function takes none"),
                ({"name": "slicer", "class": "FlowSlicer", "settings": {"limit": 1}},
                 "plugins[0].class: belongs to type: python")):
            with self.subTest(entry=entry):
                text = self.refused(entry)
                for message in messages:
                    self.assertIn(message, text)
                self.assertRegex(text, r"refused\.yaml:3:5: plugins\[0\]")

    def test_an_error_disables_that_plugin_alone(self):
        for how, called in (("divides", {"1"}), ("leaves", {"1"}), ("fails later", {"1", "2"})):
            with self.subTest(how=how):
                run, rows = self.rows_of([self.entry("misbehaves", "Misbehaves", name="theirs", settings={"how": how}),
                                          self.entry("misbehaves", "Another", name="another", settings={"wanted": 5})])
                self.assertEqual(run.stderr.count("plugin disabled"), 1)
                self.assertRegex(run.stderr, r"reason=.*(ZeroDivisionError|SystemExit|ValueError).*misbehaves\.py:\d+, in on_")
                self.assertEqual({row["udps.another"] for row in rows}, {"5"})
                self.assertLessEqual({row["udps.calls"] for row in rows}, called | {""})
                self.assertGreater(len(rows), 5)

    def test_what_no_field_carries_is_left_out_and_told(self):
        for how, reason in (("changes its mind", "number: is a text, the first one was a number|number: is a number, the "
                                                 "first one was a text"),
                            ("gives what nobody knows", "unknown: the code of no plugin names it"),
                            ("names by number", r"\?: the code of no plugin names it"),
                            ("vanishes", "number: a Vanishing that no field can carry"),
                            ("writes over", "application_name: a column keeps its own value")):
            with self.subTest(how=how):
                run, rows = self.rows_of([self.entry("misbehaves", "Misbehaves", settings={"how": how, "number": 4})])
                self.assertRegex(run.stderr, f"value of a plugin left out.*({reason})")
                self.assertNotIn("disabled", run.stderr)
                self.assertNotIn("", {row["udps.calls"] for row in rows})

    def test_a_plugin_that_is_slow_is_disabled_where_there_is_a_budget(self):
        capture = self.folder / "many.pcap"
        harness.many_flows(capture, 100, packets_each=2)
        slow = self.entry("misbehaves", "Misbehaves", settings={"how": "is slow"})
        run, rows = self.rows_of([slow], [capture])
        self.assertNotIn("disabled", run.stderr)  # files wait
        run, rows = self.rows_of([{**slow, "time_budget_us": 500}], [capture])
        self.assertRegex(run.stderr, r"plugin disabled .*measured calls took more than 500 us")
        self.assertEqual(len(rows), 100)

    def test_instances_are_cleaned_up_once_in_a_run_over_files_with_two_meters(self):
        log = self.folder / "log"
        for how in ("", "fails at the end"):
            with self.subTest(how=how):
                log.unlink(missing_ok=True)
                run, rows = self.rows_of([self.entry("misbehaves", "Misbehaves",
                                                     settings={"how": how, "log": str(log), "number": 3})],
                                         settings=["capture.n_meters=2"])
                self.assertEqual(sorted(log.read_text().splitlines()), ["cleaned 3"] * 2 + ["made 3"] * 2)
                self.assertEqual({row["udps.number"] for row in rows}, {"3"})
                self.assertEqual("nothing to clean" in run.stderr, bool(how))

    # ---- live ----

    def test_a_reload_with_other_settings_makes_other_instances_and_cleans_up_the_former(self):
        harness.needs_root("a network namespace")
        space = harness.Namespace(self)
        space.ip("link", "set", "lo", "up")
        log = self.folder / "log"
        plugin = self.folder / "theirs.py"
        text = (PLUGINS / "misbehaves.py").read_text(encoding="utf-8")
        plugin.write_text(text, encoding="utf-8")

        def entry(number, name="theirs", **settings):
            return {"name": name, "type": "python", "path": str(plugin), "class": "Misbehaves",
                    "settings": {"log": str(log), "number": number, **settings}}

        def configuration(*plugins):
            return f"""capture: [{{interface: lo, n_meters: 2}}]
metering: {{idle_timeout: 600, max_flows: 1000, n_dissections: 0}}
plugins: {json.dumps(plugins)}
exporters: [{{name: j, type: json, path: {self.folder}/flows.jsonl}}]
control: {{socket: {self.folder}/control.sock}}
"""

        def send(*sources):
            space.run(sys.executable, str(TRAFFIC), "send", "127.0.0.1", "9", *map(str, sources))

        def plugin_status():
            return {one["name"]: one for one in self.status(daemon)["plugins"]}

        def metered():
            return sum(one["metered"]["packets"] for one in self.status(daemon)["interfaces"])

        def reload(what, number, *plugins):
            self.write("nfstreamd.yaml", configuration(*plugins))
            daemon.send_signal(signal.SIGHUP)
            harness.wait_for(lambda: self.status(daemon)["reload"][what] == number, daemon.describe)

        def told(what, number):
            return log.read_text().splitlines().count(f"{what} {number}")

        daemon = self.daemon(configuration(entry(1)), namespace=space, processors=4)
        self.assertEqual(plugin_status()["theirs"]["instances"], 2)
        self.assertEqual((told("made", 1), told("cleaned", 1)), (2, 0))
        send(20001, 20002, 20003, 20004)
        harness.wait_for(lambda: metered() >= 4, daemon.describe)
        reload("rejected", 1, entry(2, how="fails to open"))
        self.assertEqual((told("made", 1), told("cleaned", 1)), (2, 0))
        reload("applied", 1, entry(2))
        self.assertEqual(plugin_status()["theirs"]["instances"], 2)
        before = metered()
        send(20001, 20011, 20012, 20013)
        harness.wait_for(lambda: metered() >= before + 4, daemon.describe)
        # the file has changed, its entry has not
        plugin.write_text(text.replace("flow.udps.calls = 1\n", "flow.udps.calls = 100\n"), encoding="utf-8")
        reload("applied", 2, entry(2))
        before = metered()
        send(20021)
        harness.wait_for(lambda: metered() >= before + 1, daemon.describe)
        daemon.stop()
        for number in (1, 2):
            self.assertEqual(told("made", number), told("cleaned", number))
        self.assertEqual((told("made", 1), told("made", 2)), (2, 4))
        flows = {flow["src_port"]: flow for flow in self.json_records(self.folder / "flows.jsonl")
                 if flow["dst_port"] == 9}
        self.assertEqual({port: (flow["udps.number"], flow["udps.calls"]) for port, flow in flows.items()},
                         {20001: (1, 2), 20002: (1, 1), 20003: (1, 1), 20004: (1, 1), 20011: (2, 1), 20012: (2, 1),
                          20013: (2, 1), 20021: (2, 100)})

    def test_live_an_error_is_counted_and_the_daemon_goes_on(self):
        harness.needs_root("a network namespace")
        space = harness.Namespace(self)
        space.ip("link", "set", "lo", "up")
        plugins = [self.entry("misbehaves", "Misbehaves", settings={"how": "fails later"}),
                   self.entry("misbehaves", "Another", name="another", settings={"wanted": 5}),
                   self.entry("misbehaves", "Refused", name="refused")]
        daemon = self.daemon(f"""capture: [{{interface: lo, n_meters: 1}}]
metering: {{idle_timeout: 600, max_flows: 1000, n_dissections: 0}}
plugins: {json.dumps(plugins)}
exporters: [{{name: j, type: json, path: {self.folder}/flows.jsonl}}]
control: {{socket: {self.folder}/control.sock}}
""", namespace=space)
        space.run(sys.executable, str(TRAFFIC), "send", "127.0.0.1", "9", "20001", "20001", "20002")
        harness.wait_for(lambda: {one["name"]: one for one in self.status(daemon)["plugins"]}["theirs"]["disabled"] == 1,
                         daemon.describe)
        status = {one["name"]: one for one in self.status(daemon)["plugins"]}
        self.assertEqual(status["theirs"]["errors"], 1)
        self.assertIn("ValueError: a second packet", status["theirs"]["reason"])
        self.assertEqual((status["another"]["disabled"], status["another"]["errors"]), (0, 0))
        living = json.loads(self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "flows", "--filter",
                                             "dst_port == 9 and udps.another == 5", "--json").stdout)["flows"]
        self.assertEqual({flow["src_port"] for flow in living}, {20001, 20002})
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        harness.wait_for(lambda: {one["name"]: one for one in self.status(daemon)["plugins"]}["refused"]["errors"] > 0,
                         daemon.describe)
        self.assertEqual(self.status(daemon)["plugins"][2]["disabled"], 0)
        daemon.stop()
        flows = {flow["src_port"]: flow for flow in self.json_records(self.folder / "flows.jsonl")
                 if flow["dst_port"] == 9}
        self.assertEqual({flow["udps.another"] for flow in flows.values()}, {5})
        self.assertEqual(flows[20001]["udps.calls"], 2)


if __name__ == "__main__":
    harness.main()
