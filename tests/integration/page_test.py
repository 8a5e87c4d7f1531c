#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page for browsers, in a headless Chromium: its numbers are those of the status, it asks nobody else, and hostile
names stay text. Set NFSTREAMD_SCREENSHOTS to a folder to keep what it looked like."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import unittest

import harness
from harness import ROOT, wait_for

TRAFFIC = ROOT / "tests" / "integration" / "traffic.py"
BROWSER = ROOT / "tests" / "integration" / "browser.py"
PORT = 7777
URL = "http://127.0.0.1:9587/"
HOSTILE = "<img src=x onerror=document.title='taken'>"

# numbers of the page, by what they are: digits alone
VALUES = """({
  tiles: Object.fromEntries(["packets", "flows-active", "flows-created", "records", "lost"].map(
      (id) => [id, Number(document.getElementById(id).textContent.replaceAll(",", ""))])),
  health: document.getElementById("health").textContent,
  instance: document.getElementById("instance").textContent,
  notice: document.getElementById("notice").textContent,
  title: document.title,
  rows: Object.fromEntries(["interfaces", "exporters", "applications", "losses"].map(
      (id) => [id, [...document.getElementById(id).rows].map((row) => [...row.cells].map((cell) => cell.textContent))])),
  plots: [...document.querySelectorAll(".plot svg")].map(
      (svg) => [svg.getAttribute("role"), svg.getAttribute("aria-label"), svg.querySelectorAll("path").length]),
  images: document.images.length,
  inline: document.querySelectorAll("[style*='url'], [onclick], [onerror], [onload]").length,
  unnamed: [...document.querySelectorAll("section:not([aria-label]), figure")].filter(
      (part) => !part.querySelector("h2, figcaption")).length,
  background: getComputedStyle(document.body).backgroundColor,
})"""


@harness.needs_root("live capture")
@unittest.skipUnless(shutil.which("chromium") and shutil.which("chromedriver"),
                     "NOT RUN: chromium and chromedriver are missing (packages chromium, chromium-driver)")
class Page(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.collector, self.port = self.collect(namespace=self.probe)

    def configuration(self, more=""):
        return (f"instance: \"{HOSTILE}\"\ncapture:\n  - interface: lo\n    n_meters: 1\n"
                f"    bpf_filter: udp port {PORT} or tcp port 8080 or udp port 53\n{more}"
                "metering: {idle_timeout: 600}\nexporters:\n"
                f"  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{self.port}'], flush_interval: 100ms}}\n"
                f"  - {{name: two, type: ipfix, collectors: ['tcp://127.0.0.1:1', 'udp://127.0.0.1:{self.port}'],"
                " policy: failover, flush_interval: 100ms}\n"
                f"ndpi: {{protocols_file: {self.rules}}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\nmetrics: {{page: true}}\n")

    def look(self, condition, *arguments, name="page"):
        folder = self.folder / f"browser-{name}"
        folder.mkdir()
        run = subprocess.run(self.probe.command(sys.executable, "-B", BROWSER, URL, condition, VALUES, folder, *arguments),
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200, check=False,
                             env={**os.environ, "HOME": str(folder), "LANG": "C.UTF-8"})
        self.assertEqual(run.returncode, 0, run.stderr[-4000:])
        if kept := os.environ.get("NFSTREAMD_SCREENSHOTS"):
            shutil.copy(folder / "page.png", pathlib.Path(kept) / f"{name}.png")
        self.assertGreater((folder / "page.png").stat().st_size, 10_000)
        found = json.loads(run.stdout)
        self.assertTrue(found["met"], found)
        self.assertEqual(found["console"], [])
        self.assertEqual(found["requests"], [URL, URL + "page.css", URL + "page.js", URL + "status.json"])
        self.assertLessEqual(found["overflow"], 0, "wider than the window")
        return found["values"]

    def begin(self, **options):
        self.rules = self.write("rules.txt", f"udp:{PORT}@Sensor\n")
        daemon = self.daemon(self.configuration(**options), namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def send(self, daemon, *sources):
        before = self.status(daemon)["interfaces"][0]["metered"]["packets"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["metered"]["packets"] == before + len(sources),
                 daemon.describe)

    def check_equal(self, values, status):
        interface, exporters = status["interfaces"][0], status["exporters"]
        self.assertEqual(values["tiles"], {
            "packets": interface["metered"]["packets"], "flows-active": interface["flows_active"],
            "flows-created": interface["flows_created"], "records": sum(row["records"] for row in exporters),
            "lost": sum(row["not_metered"]["packets"] for row in status["interfaces"])
            + sum(sum(row["dropped"].values()) for row in exporters)})
        row = values["rows"]["interfaces"][0]
        self.assertEqual((row[0], row[1], row[2], row[5]), ("lo", "up", f"{interface['metered']['packets']:,}",
                                                            f"{interface['flows_active']:,}"))
        heads = [row for row in values["rows"]["exporters"] if row[0] != "collector" and len(row) > 1]
        self.assertEqual([(row[0], row[3], row[8]) for row in heads],
                         [(row["name"], f"{row['records']:,}", f"{sum(row['dropped'].values()):,}") for row in exporters])
        self.assertEqual([(row[0], row[3], row[4]) for row in values["rows"]["applications"]],
                         [(row["name"], f"{row['packets']:,}", f"{row['flows']:,}") for row in status["applications"]])

    def test_shows_the_status_and_nothing_of_others(self):
        daemon = self.begin()
        self.send(daemon, *range(20000, 20040), *range(20000, 20010))
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: all(row["records"] == 40 for row in self.status(daemon)["exporters"]), daemon.describe)
        traffic = threading.Thread(target=lambda: [self.send(daemon, *range(21000, 21020)) for _ in range(8)])
        traffic.start()  # while the page looks
        drawn = "[...document.querySelectorAll('.plot path:not(.area)')].filter((p) => p.getTotalLength() > 2).length >= 6"
        values = self.look(f"document.getElementById('packets').textContent === '210' && {drawn}")
        traffic.join()
        self.check_equal(values, self.status(daemon))
        self.assertEqual(values["health"], "healthy")
        self.assertEqual(values["instance"], HOSTILE)
        self.assertEqual((values["images"], values["inline"], values["unnamed"]), (0, 0, 0))
        self.assertEqual(values["title"], f"{HOSTILE} · nfstreamd")
        self.assertEqual(values["rows"]["applications"][0][0], "Sensor")
        self.assertEqual([row for row in values["rows"]["exporters"] if row[0] == "collector"][0][1], "down")
        self.assertEqual(len(values["plots"]), 4)
        for role, label, paths in values["plots"]:
            self.assertEqual(role, "img")
            self.assertIn("/s", label)
            self.assertGreaterEqual(paths, 2)
        drawn = "document.querySelectorAll('.plot path').length >= 12"
        dark = self.look(drawn, "--dark", name="dark")
        self.assertNotEqual(dark["background"], values["background"])
        self.look(drawn, "--width", "390", name="narrow")

    def test_says_what_is_wrong(self):
        daemon = self.begin(more="  - interface: nosuch0\n    n_meters: 1\n")
        self.write("nfstreamd.yaml", "capture: [")
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["rejected"] == 1, daemon.describe)
        values = self.look("document.getElementById('health').textContent === 'degraded'", name="unhealthy")
        self.assertIn("interface nosuch0 is not captured on", values["notice"])
        self.assertIn("reload rejected", values["notice"])
        self.assertTrue(values["rows"]["interfaces"][1][1].startswith("waiting"), values["rows"]["interfaces"])


if __name__ == "__main__":
    harness.main()
