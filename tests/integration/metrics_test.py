#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/metrics, /healthz and the dashboards: the format, the numbers of `nfstreamctl status`, reload, a port that is taken."""
import contextlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

import exposition
import harness
from harness import ROOT, wait_for

TRAFFIC = ROOT / "tests" / "integration" / "traffic.py"
PORT = 7777
METRICS = 9587


class Served(harness.TestCase):
    """A daemon in a namespace of its own that is asked over HTTP there."""

    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)

    def configuration(self, collector, metrics="listen: '127.0.0.1:9587'", more=""):
        return ("instance: cellar\ncapture:\n  - interface: lo\n    n_meters: 1\n"
                f"    bpf_filter: udp dst port {PORT}\n{more}"
                "metering: {idle_timeout: 600, max_flows: 1000}\n"
                f"exporters:\n  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{collector}'],"
                " flush_interval: 100ms}\n"
                f"control: {{socket: {self.folder}/control.sock}}\nmetrics: {{{metrics}}}\n")

    def begin(self, *arguments, **options):
        daemon = self.daemon(self.configuration(*arguments, **options), namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def request(self, path, host="127.0.0.1", port=METRICS, method="GET"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        connection = http.client.HTTPConnection(host, port, timeout=harness.DEADLINE)
        connection.sock = self.probe.stream_socket(family)
        with contextlib.closing(connection):
            connection.sock.settimeout(harness.DEADLINE)
            connection.sock.connect((host, port))
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def serves(self, *arguments, **options):
        try:
            return self.request("/metrics", *arguments, **options)[0] == 200
        except OSError:
            return False

    def scrape(self, **options):
        status, headers, text = self.request("/metrics", **options)
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return exposition.parse(text)

    def send(self, daemon, *sources):
        before = self.status(daemon)["interfaces"][0]["metered"]["packets"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["metered"]["packets"] == before + len(sources),
                 daemon.describe)

    def export(self, daemon, records):
        """Every flow leaves; back when so many records have been written in all."""
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.status(daemon)["exporters"][0]["records"] == records, daemon.describe)

    def reload(self, daemon, configuration, outcome="applied"):
        before = self.status(daemon)["reload"][outcome]
        self.write("nfstreamd.yaml", configuration)
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"][outcome] == before + 1, daemon.describe)


@harness.needs_root("live capture")
class Metrics(Served):
    def quiet_view(self, daemon):
        """A scrape, and the status that did not change while it was made."""
        def look():
            before = self.status(daemon)
            families = self.scrape()
            after = self.status(daemon)
            for status in (before, after):
                del status["uptime_s"]
            return (families, after) if before == after else None
        return wait_for(look, daemon.describe)

    def check_equal(self, families, status):
        """Every number of the status that has a name in Prometheus."""
        interface, exporter = status["interfaces"][0], status["exporters"][0]
        value = lambda name, **labels: families[f"nfstreamd_{name}"].value(**labels)
        for key, name in (("frames", "capture_packets_total"), ("octets", "capture_bytes_total"),
                          ("truncated", "capture_truncated_packets_total"), ("opens", "capture_opens_total"),
                          ("flows_active", "flows_active"), ("flows_created", "flows_created_total"),
                          ("max_flows", "flows_limit"), ("table_octets", "flow_table_bytes"),
                          ("clock_steps", "clock_steps_total")):
            self.assertEqual(value(name, interface="lo", meter="lo"), interface[key], key)
        for key, name in (("packets", "metered_packets_total"), ("octets", "metered_bytes_total"),
                          ("cut", "metered_cut_packets_total")):
            self.assertEqual(value(name), interface["metered"][key], key)
        for reason in ("kernel", "interface"):
            self.assertEqual(value("capture_dropped_packets_total", reason=reason), interface[f"{reason}_dropped"])
        self.assertEqual(value("capture_dropped_packets_total", reason="unread"), interface["unread"])
        for name, key in (("decode_errors_total", "ignored"), ("flows_expired_total", "records")):
            found = {dict(series)["reason"]: number for series, number in families[f"nfstreamd_{name}"].samples.items()}
            self.assertEqual(found, interface[key])
        found = {dict(series)["reason"]: number
                 for series, number in families["nfstreamd_export_dropped_records_total"].samples.items()}
        self.assertEqual(found, exporter["dropped"])
        for key, name in (("records", "exporter_records_total"), ("queue_depth", "export_queue_records"),
                          ("queue_limit", "export_queue_limit"), ("filtered", "export_filtered_records_total"),
                          ("up", "exporter_up"), ("in_hand", "export_in_hand_records")):
            self.assertEqual(value(name, exporter="main"), exporter[key], key)
        for collector in exporter["collectors"] or [exporter]:
            for key, name in (("records", "export_records_total"), ("messages", "export_messages_total"),
                              ("octets", "export_bytes_total"), ("templates", "template_sends_total"),
                              ("connects", "collector_connects_total"), ("up", "collector_up")):
                self.assertEqual(value(name, exporter="main", collector=collector["destination"]), collector[key], key)
        for application in status["applications"]:
            for key, name in (("flows", "flows"), ("packets", "packets"), ("octets", "bytes")):
                self.assertEqual(value(f"dpi_{name}_total", protocol=application["name"]), application[key])
        for outcome in ("applied", "rejected"):
            self.assertEqual(value("config_reloads_total", result=outcome), status["reload"][outcome])

    def test_a_scrape_is_valid_and_equals_the_status(self):
        _, port = self.collect(namespace=self.probe)
        daemon = self.begin(port)
        self.send(daemon, *range(20000, 20030), *range(20000, 20010))
        self.export(daemon, 30)
        self.send(daemon, *range(20100, 20105))
        families, status = self.quiet_view(daemon)
        self.check_equal(families, status)
        self.assertEqual(sum(application["flows"] for application in status["applications"]), 30)
        self.assertEqual(sum(application["packets"] for application in status["applications"]), 40)
        self.assertEqual(families["nfstreamd_flows_active"].value(), 5)
        self.assertEqual(families["nfstreamd_lifetime_packets_total"].value(), 45)
        self.assertEqual(families["nfstreamd_lifetime_exported_records_total"].value(), 30)
        self.assertGreater(families["process_resident_memory_bytes"].value(), 1e6)
        self.assertEqual(families["nfstreamd_build_info"].value(version=status["version"]), 1)
        if shutil.which("promtool"):
            text = self.request("/metrics")[2]
            run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True,
                                 timeout=60, check=False)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))

    def test_counters_never_fall_over_reloads_and_tell_of_them(self):
        _, port = self.collect(namespace=self.probe)
        daemon = self.begin(port)
        self.send(daemon, *range(21000, 21010))
        self.export(daemon, 10)
        before = self.scrape()
        good = self.configuration(port)
        self.reload(daemon, good.replace("idle_timeout: 600", "idle_timeout: 500"))
        self.reload(daemon, good.replace("exporters:", "exports:"), outcome="rejected")
        self.send(daemon, 21100)
        after = self.scrape()
        for name, family in before.items():
            if family.kind == "counter":
                for series, number in family.samples.items():
                    self.assertGreaterEqual(after[name].samples[series], number, (name, series))
        self.assertEqual(after["nfstreamd_config_last_reload_successful"].value(), 0)
        self.assertEqual(after["nfstreamd_config_reloads_total"].value(result="rejected"), 1)
        self.assertGreaterEqual(after["nfstreamd_config_last_reload_success_timestamp_seconds"].value(),
                                before["nfstreamd_config_last_reload_success_timestamp_seconds"].value())
        self.check_equal(*self.quiet_view(daemon))

    def test_a_reload_opens_moves_and_closes_the_port(self):
        _, port = self.collect(namespace=self.probe)
        daemon = self.begin(port, metrics="")
        self.assertFalse(self.serves())
        self.reload(daemon, self.configuration(port))
        self.assertTrue(self.serves())
        self.reload(daemon, self.configuration(port, "listen: '0.0.0.0:9587'"))
        self.assertTrue(self.serves())
        self.assertTrue(self.serves(host="127.0.0.9"))
        self.reload(daemon, self.configuration(port, "listen: '[::1]:9600'"))
        self.assertFalse(self.serves())
        self.assertTrue(self.serves(host="::1", port=9600))
        with self.probe.stream_socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", METRICS))
            taken.listen()
            self.reload(daemon, self.configuration(port), outcome="rejected")
        self.assertIn("cannot listen: Address already in use", daemon.stderr())
        self.assertTrue(self.serves(host="::1", port=9600))
        self.reload(daemon, self.configuration(port, "listen: nowhere"), outcome="rejected")
        self.assertTrue(self.serves(host="::1", port=9600))
        self.reload(daemon, self.configuration(port, ""))
        self.assertFalse(self.serves(host="::1", port=9600))
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_port_that_is_taken_does_not_keep_the_daemon_from_metering(self):
        _, port = self.collect(namespace=self.probe)
        with self.probe.stream_socket() as taken:
            taken.bind(("127.0.0.1", METRICS))
            taken.listen()
            daemon = self.begin(port)
            self.assertIn("no metrics", daemon.stderr())
            self.send(daemon, 22000)

    def test_health_is_200_as_long_as_something_is_captured(self):
        _, port = self.collect(namespace=self.probe)
        daemon = self.begin(port)
        status, headers, text = self.request("/healthz")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        said = json.loads(text)
        self.assertEqual((said["healthy"], said["problems"], said["degraded"], said["interfaces"]), (True, [], [], {"lo": True}))
        self.reload(daemon, self.configuration(port, more="  - interface: nosuch0\n    n_meters: 1\n"))
        status, _, text = self.request("/healthz")
        said = json.loads(text)
        self.assertEqual((status, said["healthy"], said["problems"]), (200, True, []))  # it need not be there
        self.assertEqual(len(said["degraded"]), 1)
        self.assertIn("nosuch0", said["degraded"][0])
        self.assertEqual(self.scrape()["nfstreamd_interface_up"].value(interface="nosuch0"), 0)
        self.reload(daemon, self.configuration(port).replace("interface: lo", "interface: nosuch0"))
        status, _, text = self.request("/healthz")
        said = json.loads(text)
        self.assertEqual((status, said["healthy"], said["problems"]), (503, False, ["no interface is captured on"]))

    def test_only_what_is_configured_is_there(self):
        _, port = self.collect(namespace=self.probe)
        daemon = self.begin(port)
        for path in ("/", "/status.json", "/page.js", "/../etc/passwd"):
            self.assertEqual(self.request(path)[0], 404, path)
        self.assertEqual(self.request("/metrics", method="POST")[0], 405)
        self.assertEqual(self.request("/metrics", method="HEAD")[2], "")
        self.reload(daemon, self.configuration(port, "page: true"))
        for path, kind in (("/", "text/html"), ("/page.js", "text/javascript"), ("/page.css", "text/css")):
            status, headers, text = self.request(path)
            self.assertEqual((status, headers["Content-Type"]), (200, f"{kind}; charset=utf-8"))
            name = "index.html" if path == "/" else path[1:]
            self.assertEqual(text, (ROOT / "daemon" / "metrics" / "page" / name).read_text(encoding="utf-8"))
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        status = json.loads(self.request("/status.json")[2])
        self.assertEqual(status["instance"], "cellar")

    # ---- what is shipped beside it ----

    def test_dashboard_and_rules_name_only_metrics_that_exist(self):
        _, port = self.collect(namespace=self.probe)
        spool = f"spool: {{directory: {self.folder}/spool}},"
        configuration = self.configuration(port).replace("flush_interval", f"{spool} flush_interval").replace(
            f"['udp://127.0.0.1:{port}']", f"['udp://127.0.0.1:{port}', 'udp://127.0.0.1:{harness.free_port()}']")
        daemon = self.daemon(configuration, namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        self.send(daemon, 23000)
        self.export(daemon, 1)
        names = set(self.scrape())
        histograms = {f"{name}{end}" for name in names for end in ("_bucket", "_sum", "_count")}
        for path in ("grafana/nfstreamd.json", "prometheus/nfstreamd.rules.yml", "prometheus/nfstreamd.rules.test.yml"):
            text = (ROOT / "packaging" / path).read_text(encoding="utf-8")
            used = set(re.findall(r"\b(?:nfstreamd|process)_[a-z_]+\b", text))
            self.assertGreater(len(used), 5, path)
            self.assertEqual(used - names - histograms, set(), path)


class Shipped(harness.TestCase):
    def test_the_dashboard_is_whole(self):
        dashboard = json.loads((ROOT / "packaging" / "grafana" / "nfstreamd.json").read_text(encoding="utf-8"))
        panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
        self.assertGreater(len(panels), 10)
        places, ids = set(), [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(set(ids)), len(ids))
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertNotIn((x, y), places, f"{panel['title']} lies over another panel")
                    places.add((x, y))
            self.assertLessEqual(place["x"] + place["w"], 24)
        for panel in panels:
            self.assertTrue(panel["title"] and panel["targets"] and panel["fieldConfig"]["defaults"]["unit"], panel)
            for target in panel["targets"]:
                self.assertEqual(target["datasource"], {"type": "prometheus", "uid": "${datasource}"})
        variables = {variable["name"] for variable in dashboard["templating"]["list"]}
        self.assertEqual(variables, {"datasource", "job", "instance"})

    @unittest.skipUnless(shutil.which("promtool"), "NOT RUN: promtool is missing (package prometheus)")
    def test_the_rules_are_right_and_fire_when_they_should(self):
        folder = ROOT / "packaging" / "prometheus"
        self.run_program("promtool", "check", "rules", folder / "nfstreamd.rules.yml")
        self.run_program("promtool", "test", "rules", folder / "nfstreamd.rules.test.yml")


if __name__ == "__main__":
    harness.main()
