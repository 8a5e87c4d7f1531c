#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium that opens one page, by the WebDriver protocol; runs in the namespace of what it looks at.

usage: browser.py URL CONDITION VALUES FOLDER [--dark] [--width PIXELS]

CONDITION and VALUES are expressions of JavaScript: when the first is true, the second is looked up. Prints JSON: values,
the console's messages, the addresses that were asked for; puts page.png into FOLDER.
"""
import argparse
import base64
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-default-apps", "--hide-scrollbars")
PATIENCE = 60


class Driver:
    def __init__(self, folder):
        self.output = open(folder / "chromedriver.out", "w+", encoding="utf-8")
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT)
        self.base = f"http://127.0.0.1:{self._port(folder)}"
        self.session = None

    def _port(self, folder):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            for line in (folder / "chromedriver.out").read_text(encoding="utf-8").splitlines():
                if line.startswith("ChromeDriver was started successfully on port "):
                    return int(line.rstrip(".").split()[-1])
            time.sleep(0.05)
        sys.exit("chromedriver does not begin: " + (folder / "chromedriver.out").read_text(encoding="utf-8"))

    def call(self, path, **body):
        place = f"{self.base}/session/{self.session}{path}" if self.session else f"{self.base}{path}"
        request = urllib.request.Request(place, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]

    def begin(self, folder, width):
        options = {"args": [*FLAGS, f"--user-data-dir={folder}/profile", f"--window-size={width},1400"]}
        logs = {"browser": "ALL", "performance": "ALL"}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs}
        self.session = self.call("/session", capabilities={"alwaysMatch": wanted})["sessionId"]

    def script(self, text):
        return self.call("/execute/sync", script=f"return ({text});", args=[])

    def command(self, name, **parameters):
        return self.call("/goog/cdp/execute", cmd=name, params=parameters)

    def close(self):
        try:
            if self.session:
                request = urllib.request.Request(f"{self.base}/session/{self.session}", method="DELETE")
                urllib.request.urlopen(request, timeout=PATIENCE).close()
        finally:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.output.close()


def asked_for(entries):
    for entry in entries:
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("condition")
    parser.add_argument("values")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1280)
    wanted = parser.parse_args()
    driver = Driver(wanted.folder)
    try:
        driver.begin(wanted.folder, wanted.width)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if wanted.dark else "light"}
        driver.command("Emulation.setEmulatedMedia", features=[scheme])
        driver.call("/url", url=wanted.url)
        end = time.monotonic() + PATIENCE
        while not (met := driver.script(wanted.condition)) and time.monotonic() < end:
            time.sleep(0.1)
        found = {"met": bool(met), "values": driver.script(wanted.values)}
        height = driver.script("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        driver.command("Emulation.setDeviceMetricsOverride", width=wanted.width, height=height, deviceScaleFactor=1,
                       mobile=False)
        found["overflow"] = driver.script("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        (wanted.folder / "page.png").write_bytes(base64.b64decode(
            driver.command("Page.captureScreenshot", captureBeyondViewport=True)["data"]))
        # the browser's own page, before ours, is not looked at
        found["console"] = [entry["message"] for entry in driver.call("/se/log", type="browser")
                            if not entry["message"].startswith("chrome://")]
        found["requests"] = sorted(address for address in set(asked_for(driver.call("/se/log", type="performance")))
                                   if not address.startswith(("chrome", "data:")))
    finally:
        driver.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
