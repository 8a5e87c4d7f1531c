#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models trained by Python's XGBoost on the CSV of one capture, which score another in nfstreamd as they do in Python;
early, beside a shadow, over a budget, and exchanged while packets come."""
import csv
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys

import harness
from harness import wait_for

TRAINER = pathlib.Path(__file__).resolve().with_name("trainer.py")
TRAFFIC = TRAINER.with_name("traffic.py")
PYTHON = next((python for python in ("/usr/bin/python3", sys.executable)
               if subprocess.run([python, "-c", "import numpy, pandas, xgboost"], capture_output=True).returncode == 0), None)
CONFIGURATION = 78
PORT = 7778
FLOOD = 6000  # packets
STATISTICS = ["metering.statistical_analysis=true", "metering.splt_analysis=4"]
# as the CSV names them: of every kind of number, and elements of lists
FEATURES = ["bidirectional_packets", "bidirectional_bytes", "src2dst_packets", "src2dst_mean_ps", "src2dst_stddev_ps",
            "dst2src_max_ps", "dst2src_bytes", "bidirectional_mean_piat_ms", "dst_port", "bidirectional_first_seen_ms",
            "application_is_guessed", "splt_ps.0", "splt_ps.3", "splt_direction.1", "splt_piat_ms.2"]
PLAIN = ["bidirectional_packets", "bidirectional_bytes", "src2dst_packets", "dst2src_bytes"]
REAL = [harness.CAPTURES / f"{name}.pcap" for name in ("dns", "http", "ssh", "tls12", "icmp", "quic")]
OBJECTIVES = ("binary:logistic", "multi:softprob", "multi:softmax", "reg:squarederror")

if PYTHON is None:
    print("NOT RUN: python3-xgboost is missing; packaging/install-dependencies installs it", file=sys.stderr)
    sys.exit(harness.SKIPPED)
if "libxgboost not built in" in subprocess.run([harness.NFSTREAMD, "--version"], capture_output=True, text=True).stdout:
    print("NOT RUN: built without models (NFSTREAMD_WITH_XGBOOST)", file=sys.stderr)
    sys.exit(harness.SKIPPED)


def frame(client, server, answer, protocol, port, size):
    """Of TCP, UDP or ICMP over IPv4, so many octets of payload."""
    source, destination = (server, client) if answer else (client, server)
    ports = (port, 443) if not answer else (443, port)
    payload = bytes(size)
    if protocol == 6:
        body = struct.pack(">HHIIBBHHH", *ports, 1, 1, 0x50, 0x18, 1024, 0, 0) + payload
    elif protocol == 17:
        body = struct.pack(">HHHH", *ports, 8 + size, 0) + payload
    else:
        body = struct.pack(">BBHHH", 0 if answer else 8, 0, 0, port, 1) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0, socket.inet_aton(source),
                     socket.inet_aton(destination))
    return b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + body


def crafted(path, seed, flows=500):
    """A capture of flows whose sizes and gaps go by their protocol, so that there is something to learn."""
    chance = random.Random(seed)
    frames = []
    for index in range(flows):
        protocol = chance.choice((6, 6, 17, 17, 1))
        size, gap = {6: (700, 0.05), 17: (120, 0.2), 1: (56, 1)}[protocol]
        when = chance.random() * 30
        for _ in range(chance.randint(1, 12)):
            frames.append((when, frame(f"10.0.{index // 250}.{index % 250}", "192.0.2.1", chance.random() < 0.4, protocol,
                                       1024 + index, max(0, int(chance.gauss(size, size / 2))))))
            when += chance.expovariate(1 / gap)
    frames.sort(key=lambda one: one[0])
    return harness.write_timed(path, frames)


class Trained(harness.TestCase):
    def work(self, *jobs):
        """What Python's XGBoost does; to start it takes longer than to train."""
        path = self.write("jobs.json", json.dumps(jobs))
        return json.loads(self.run_program(PYTHON, "-B", TRAINER, path).stdout)

    def training(self, flows, name, objective, rounds=12, features=PLAIN):
        return {"train": str(self.folder / name), "flows": str(flows), "objective": objective, "rounds": rounds,
                "features": list(features)}

    def model(self, flows, name="model.json", objective="binary:logistic", rounds=12, features=PLAIN):
        """A model trained on a CSV file."""
        self.work(self.training(flows, name, objective, rounds, features))
        return self.folder / name

    def ask(self, model, flows):
        return self.work({"ask": str(model), "flows": str(flows)})[0]

    def flows(self, name, *captures, settings=(), models=(), plugins=()):
        """A CSV file of the captures, its rows, and what nfstreamd says."""
        out = self.folder / name
        lists = [f"models={json.dumps(models)}", f"plugins={json.dumps(plugins)}"]
        run = self.nfstreamd("-r", *captures, "-w", out, *(word for s in (*settings, *lists) for word in ("--set", s)))
        with open(out, newline="", encoding="utf-8") as text:
            return out, list(csv.DictReader(text)), run.stderr

    def crafted_flows(self, settings=()):
        return self.flows("train.csv", crafted(self.folder / "train.pcap", 1), settings=settings)[0]

    def refused(self, settings=(), **model):
        """The errors of a configuration with that model."""
        entry = {"name": "m", **{key: value if isinstance(value, int) else str(value) for key, value in model.items()}}
        config = self.write("refused.yaml", f"capture: [{{interface: lo}}]\nmodels: [{json.dumps(entry)}]\n")
        return self.nfstreamd("-t", "-c", config, *(word for one in settings for word in ("--set", one)),
                              status=CONFIGURATION).stderr

    def check_rows(self, rows, answers, name, objective, classes):
        self.assertEqual(len(rows), len(answers))
        for row, answer in zip(rows, answers):
            if objective.startswith("reg:"):
                self.assertLessEqual(abs(float(row[f"{name}_value"]) - answer[0]), 1e-6 * max(1, abs(answer[0])))
                continue
            if objective.startswith("multi:softmax"):
                self.assertEqual(row[f"{name}_class"], classes[int(answer[0])])
                self.assertTrue(1 / len(classes) <= float(row[f"{name}_probability"]) <= 1)
                continue
            chances = answer if objective.startswith("multi:") else [1 - answer[0], answer[0]]
            best = max(range(len(chances)), key=chances.__getitem__)
            self.assertEqual(row[f"{name}_class"], classes[best])
            self.assertAlmostEqual(float(row[f"{name}_probability"]), chances[best], delta=1e-6)


class Models(Trained):
    def test_what_is_trained_on_one_capture_scores_another_as_python_does(self):
        train = self.crafted_flows(STATISTICS)
        other = crafted(self.folder / "other.pcap", 2)
        cases = [(f"{number}.{kind}", objective, option) for number, objective in enumerate(OBJECTIVES)
                 for kind, option in (("json", ""), ("ubj", "+early"))]
        learned = self.work(*(self.training(train, name, objective + option, 40, FEATURES)
                              for name, objective, option in cases))
        self.assertLess(min(int(one["best_iteration"]) for one in learned if one), 39)
        scored = []
        for name, objective, _ in cases:
            for index, captures in enumerate(([other], REAL)):
                flows, rows, _ = self.flows(f"{index}.{name}.csv", *captures, settings=STATISTICS,
                                            models=[{"name": "it", "path": str(self.folder / name)}])
                self.assertGreater(len(rows), 5)
                scored.append((name, objective, flows, rows))
        answers = self.work(*({"ask": str(self.folder / name), "flows": str(flows)} for name, _, flows, _ in scored))
        for (name, objective, flows, rows), answer in zip(scored, answers):
            with self.subTest(model=name, objective=objective, flows=flows.name):
                self.check_rows(rows, answer, "it", objective, ["0", "1", "2"])

    def test_the_page_trains_a_model_that_scores(self):
        page = (harness.ROOT / "core" / "model" / "README.md").read_text(encoding="utf-8")
        code = re.search(r"```python\n(.*?)```", page, re.S).group(1)
        flows, rows, _ = self.flows("flows.csv", *REAL, crafted(self.folder / "some.pcap", 10), settings=STATISTICS)
        self.run_program(PYTHON, "-B", "-c", code, cwd=self.folder)
        _, scored, _ = self.flows("scored.csv", *REAL, self.folder / "some.pcap", settings=STATISTICS,
                                  models=[{"name": "app", "path": str(self.folder / "app.json")}])
        kinds = {row["application_category_name"] for row in rows}
        self.assertLessEqual({row["app_class"] for row in scored}, kinds)
        right = sum(row["app_class"] == row["application_category_name"] for row in scored)
        self.assertGreater(right, 0.8 * len(rows))
        self.assertEqual(len(scored), len(rows))

    def test_softmax_tells_the_probability_of_softprob(self):
        train = self.crafted_flows()
        names = ("softmax", "softprob")
        self.work(*(self.training(train, f"{name}.json", f"multi:{name}") for name in names))
        models = [{"name": name, "path": str(self.folder / f"{name}.json")} for name in names]
        _, rows, _ = self.flows("scored.csv", crafted(self.folder / "other.pcap", 3), models=models)
        self.assertGreater(len({row["softprob_class"] for row in rows}), 1)
        for row in rows:
            self.assertEqual(row["softmax_class"], row["softprob_class"])
            self.assertAlmostEqual(float(row["softmax_probability"]), float(row["softprob_probability"]), delta=1e-6)

    def test_fields_of_plugins_are_features_and_those_of_models_are_fields(self):
        plugin = [{"name": "p", "path": str(harness.BUILD / "tests" / "plugins" / "example_packet_40.so")}]
        train, _, _ = self.flows("train.csv", crafted(self.folder / "train.pcap", 4), plugins=plugin)
        model = [{"name": "kind", "path": str(self.model(train, objective="multi:softprob+names",
                                                         features=["udps.packet_40_count", *PLAIN])),
                  "elements": ["probability=4711/13"]}]
        other = crafted(self.folder / "other.pcap", 5)
        flows, rows, _ = self.flows("scored.csv", other, plugins=plugin, models=model)
        self.check_rows(rows, self.ask(model[0]["path"], flows), "kind", "multi:softprob", ["tcp", "udp", "other"])
        self.assertIn("is no field of nfstreamd and of no plugin of this configuration", self.refused(path=model[0]["path"]))
        sets = ["--set", f"plugins={json.dumps(plugin)}", "--set", f"models={json.dumps(model)}"]
        listed = self.nfstreamd("--list-fields", "-r", other, *sets).stdout
        self.assertRegex(listed, r"kind_class +plugins +nfstreamKindClass +own/\d+ +Class that the model kind finds")
        self.assertRegex(listed, r"kind_probability +plugins +nfstreamKindProbability +4711/13 ")
        tcp = [row for row in rows if row["kind_class"] == "tcp"]
        self.assertTrue(0 < len(tcp) < len(rows))
        config = self.write("ipfix.yaml", f"""plugins: {json.dumps(plugin)}
models: {json.dumps(model)}
private_enterprise_number: 55555
exporters:
  - {{name: theirs, type: ipfix, path: {self.folder}/flows.ipfix}}
  - {{name: some, type: json, path: {self.folder}/some.json, filter: "kind_class == tcp"}}
""")
        self.nfstreamd("-c", config, "-r", other)
        some = self.json_records(self.folder / "some.json")
        self.assertEqual([(flow["src_port"], flow["kind_class"]) for flow in some],
                         [(int(row["src_port"]), "tcp") for row in tcp])
        sent = [json.loads(line) for line in self.run_program(
            harness.NFSTREAMCTL, "collect", self.folder / "flows.ipfix").stdout.splitlines()]
        self.assertEqual([(flow["nfstreamKindClass"], round(flow["nfstreamKindProbability"], 6))
                          for flow in sent if "nfstreamKindClass" in flow],
                         [(row["kind_class"], round(float(row["kind_probability"]), 6)) for row in rows])

    def test_a_flow_is_scored_early_by_what_it_is_then(self):
        # flows cut after 3 packets are what the model is to see, in training as well
        cut = [{"name": "slicer", "settings": {"limit": 3}}]
        train, _, _ = self.flows("train.csv", crafted(self.folder / "train.pcap", 6), settings=STATISTICS, plugins=cut)
        features = [name for name in FEATURES if not name.startswith("application")]  # which takes more packets
        model = self.model(train, objective="reg:squarederror", features=features)
        other = crafted(self.folder / "other.pcap", 7)
        config = [{"name": "early", "path": str(model), "after_packets": 3}]
        _, rows, _ = self.flows("scored.csv", other, settings=STATISTICS, models=config)
        pieces, first, _ = self.flows("pieces.csv", other, settings=STATISTICS, plugins=cut)

        def key(row):
            return [row[name] for name in ("src_ip", "src_port", "dst_ip", "protocol", "bidirectional_first_seen_ms")]
        expected = {}
        for row, answer in zip(first, self.ask(model, pieces)):
            expected.setdefault(tuple(key(row)), answer[0])
        self.assertGreater(sum(int(row["bidirectional_packets"]) > 3 for row in rows), 100)
        self.assertGreater(len({row["early_value"] for row in rows}), 5)
        for row in rows:
            self.assertAlmostEqual(float(row["early_value"]), expected[tuple(key(row))],
                                   delta=1e-6 * max(1, abs(expected[tuple(key(row))])))

    def test_names_bounds_and_features_of_the_configuration(self):
        train = self.crafted_flows(STATISTICS)
        text = self.folder / "text.csv"
        text.write_text("bidirectional_packets\n1\n", encoding="utf-8")
        sound = self.model(train, features=["bidirectional_mean_ps", "splt_ps.2"])
        for settings, model, expected in (
                ((), {"path": self.folder / "none.json"}, "none.json: there is no such file"),
                ((), {"path": text}, "is no model of XGBoost in JSON or UBJSON: write it with save_model()"),
                ((), {"path": sound}, 'feature "bidirectional_mean_ps" is not metered: '
                                      '"bidirectional_mean_ps" needs metering.statistical_analysis: true'),
                (["metering.statistical_analysis=true"], {"path": sound}, '"splt_ps.2" is not metered'),
                (["metering.statistical_analysis=true", "metering.splt_analysis=2"], {"path": sound},
                 "needs metering.splt_analysis: 3 or more"),
                (STATISTICS, {"path": sound, "classes": "one"}, "has 2 classes, `classes` names 1"),
                (STATISTICS, {"path": sound, "after_packets": -1}, "after_packets"),
                (STATISTICS, {"path": sound, "name": "a-b"}, 'field "a-b_class": a name has letters, digits'),
                (STATISTICS, {"path": sound, "shadow": text}, "text.csv: is no model of XGBoost")):
            with self.subTest(expected=expected):
                error = self.refused(settings, **model)
                self.assertIn(expected, error)
                self.assertNotIn("\n  ", error)
        octets = sound.read_bytes()
        for cut in (1, 100, len(octets) // 2, len(octets) - 1):
            sound.write_bytes(octets[:cut])
            self.refused(STATISTICS, path=sound)
        sound.write_bytes(octets.replace(b"[", b"[" * 100_000, 1))
        self.assertIn("is more than 32 levels deep", self.refused(STATISTICS, path=sound))
        sound.write_bytes(octets)

    def test_without_the_library_a_model_is_an_error_and_all_else_goes_on(self):
        model = self.model(self.crafted_flows())
        (self.folder / "libxgboost.so.0").write_bytes(b"")  # which is found first
        without = {**os.environ, "LD_LIBRARY_PATH": str(self.folder)}
        run = self.nfstreamd("-r", REAL[0], "-w", self.folder / "some.csv", "--set", f"models=[{{name: m, path: {model}}}]",
                             status=CONFIGURATION, env=without)
        self.assertIn("models need libxgboost, which cannot be loaded", run.stderr)
        self.assertIn("install it (Debian: libxgboost0)", run.stderr)
        self.nfstreamd("-r", REAL[0], "-w", self.folder / "some.csv", env=without)
        self.assertIn("libxgboost not installed", self.nfstreamd("--version", env=without).stdout)

    def test_a_slow_model_is_disabled_and_its_flows_go_on(self):
        model = self.model(self.crafted_flows(), objective="multi:softprob", rounds=60)
        many = crafted(self.folder / "many.pcap", 8, flows=4000)
        config = [{"name": "m", "path": str(model), "time_budget_us": 1}]
        _, rows, log = self.flows("scored.csv", many, models=config)
        self.assertEqual(len(rows), len(self.csv_of(many)))
        scored = sum(row["m_class"] != "" for row in rows)
        self.assertEqual(scored, 32 * 64)
        self.assertEqual(rows[scored - 1]["m_class"] != "", rows[scored]["m_class"] == "")
        self.assertEqual(log.count("model disabled until"), 1)
        self.assertRegex(log, r"batches took more than 1 us for each flow")


@harness.needs_root("live capture")
class LiveModels(Trained):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)

    def send(self, daemon, *sources):
        before = self.metered(daemon)
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)
        wait_for(lambda: self.metered(daemon) == before + len(sources), daemon.describe)

    def metered(self, daemon):
        return self.status(daemon)["interfaces"][0]["metered"]["packets"]

    def reload(self, daemon, outcome="applied"):
        before = self.status(daemon)["reload"][outcome]
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"][outcome] == before + 1, daemon.describe)

    def configuration(self, model, more="", shadow="", idle=600):
        return (f"capture: [{{interface: lo, n_meters: 1, bpf_filter: udp dst port {PORT}}}]\n"
                f"metering: {{idle_timeout: {idle}, n_dissections: 0}}\n"
                f"models: [{{name: m, path: {model}, time_budget_us: off{more}{shadow}}}]\n"
                f"exporters: [{{type: json, path: {self.folder}/flows.json}}]\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def constant(self, name, value):
        """A model that gives that number for every flow."""
        made = self.model(self.folder / "some.csv", name, "reg:squarederror", 1)
        text = made.read_text(encoding="utf-8")
        text = re.sub(r'("split_conditions":)\[[^]]*\]', lambda m: m.group(1) + json.dumps(
            [0.0] * (m.group(0).count(",") + 1)), text)
        text = re.sub(r'"base_score":"[^"]*"', f'"base_score":"{value}"', text)
        made.write_text(text, encoding="utf-8")
        return made

    def values(self):
        return {flow["src_port"]: flow.get("m_value") for flow in self.json_records(self.folder / "flows.json")}

    def test_a_changed_file_is_taken_by_sighup_while_packets_come_and_loses_nothing(self):
        self.flows("some.csv", crafted(self.folder / "some.pcap", 9, 50))
        model = self.constant("model.json", 1)
        daemon = self.daemon(self.configuration(model), namespace=self.probe)
        self.send(daemon, 41001, 41002)
        flood = self.start(sys.executable, "-B", TRAFFIC, "flood", "127.0.0.1", PORT, FLOOD, 200, namespace=self.probe)
        second = self.constant("second.json", 2)
        second.replace(model)
        self.reload(daemon)
        self.assertIn("models ~1", self.status(daemon)["reload"]["detail"])
        for number in range(3, 6):
            self.constant("next.json", number).replace(model)
            self.reload(daemon)
        self.assertEqual(flood.wait(60), 0, flood.describe())
        wait_for(lambda: self.metered(daemon) == 2 + FLOOD, daemon.describe)
        self.send(daemon, 42001, 42002)
        model.write_text("garbage", encoding="utf-8")
        self.reload(daemon, "rejected")
        self.assertIn("model.json: is no model of XGBoost", daemon.stderr())
        self.send(daemon, 43001)
        status = self.status(daemon)
        sent = status["interfaces"][0]["metered"]["packets"]
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        values = self.values()
        self.assertEqual({values[port] for port in (41001, 41002)}, {1})  # which began under the first
        self.assertEqual({values[port] for port in (42001, 42002, 43001)}, {5})
        self.assertNotIn(None, values.values())
        flows = self.json_records(self.folder / "flows.json")
        self.assertEqual(sum(flow["bidirectional_packets"] for flow in flows), sent)
        self.assertEqual(sent, 2 + FLOOD + 3)

    def test_a_reload_without_a_change_keeps_the_model_and_its_counts(self):
        self.flows("some.csv", crafted(self.folder / "some.pcap", 9, 50))
        model = self.constant("model.json", 1)
        shadow = self.constant("shadow.json", 1.5)
        daemon = self.daemon(self.configuration(model, shadow=f", shadow: {shadow}", idle=1), namespace=self.probe)
        self.send(daemon, 41001, 41002, 41003)
        wait_for(lambda: self.status(daemon)["models"][0].get("shadow", {}).get("compared") == 3, daemon.describe)
        self.reload(daemon)
        self.assertNotIn("models", self.status(daemon)["reload"]["detail"])
        found = self.status(daemon)["models"][0]
        self.assertEqual((found["name"], found["instances"], found["scored"], found["unscored"], found["disabled"]),
                         ("m", 1, 3, 0, 0))
        self.assertEqual((found["path"], found["objective"], found["features"]), (str(model), "reg:squarederror", 4))
        self.assertEqual(found["shadow"], {"path": str(shadow), "disabled": 0, "compared": 3, "agreed": 0,
                                           "mean_difference": 0.5})
        config = self.configuration(model, shadow=f", shadow: {shadow}", idle=1)
        needs = self.model(self.crafted_flows(STATISTICS), "needs.json", "reg:squarederror",
                           features=["bidirectional_mean_ps"])
        self.write("nfstreamd.yaml", config.replace("n_dissections: 0", "n_dissections: 0, statistical_analysis: true")
                   .replace(str(model), str(needs)))
        self.reload(daemon, "rejected")
        self.assertIn("(a change of it takes a restart)", daemon.stderr())

    def test_an_early_score_is_seen_before_the_flow_ends(self):
        self.flows("some.csv", crafted(self.folder / "some.pcap", 9, 50))
        model = self.constant("model.json", 4)
        daemon = self.daemon(self.configuration(model, more=", after_packets: 2"), namespace=self.probe)
        self.send(daemon, 41001, 41002)
        self.send(daemon, 41002)
        shown = json.loads(self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "flows", "--json").stdout)
        self.assertEqual({flow["src_port"]: flow.get("m_value") for flow in shown["flows"]}, {41001: None, 41002: 4})
        self.assertEqual(self.status(daemon)["models"][0]["early"], 1)


if __name__ == "__main__":
    harness.main()
