#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live capture over a veth pair in network namespaces: packets offered, received, dropped, shed, and found in records.

usage: live.py [--rates R,...] [--dissections N,...] [--input NAME] [--packets N] [--set KEY=VALUE]... [--build DIR]

A sender beside nfstreamd offers the packets of an input at each rate, in packets a second; `top` is as fast as it can.
A reader by libpcap that only counts shows what the machine itself loses. Needs root. Ends with 1 when a packet is
neither in a record nor in a counter of what was dropped, shed or ignored.
"""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import report
from inputs import FULL, ROOT, Inputs

sys.path.insert(0, str(ROOT / "tests" / "integration"))
import harness  # noqa: E402

RING_MIB = 64
DEADLINE_S = 60
LOST = ("dropped", "shed", "dissect")  # what keys of the status are called that count what went missing


class Cleanups(contextlib.ExitStack):
    """What the harness's namespaces know of a test case."""

    def addCleanup(self, function, *arguments):
        self.callback(function, *arguments)


class Link:
    """Two namespaces and a link between them, for as long as the block lasts."""

    def __init__(self, cleanups):
        self.probe, self.far = harness.Namespace(cleanups), harness.Namespace(cleanups)
        self.probe.link_to(self.far, "m0", "10.98.0.1", "10.98.0.2")

    def send(self, tool, capture, rate, packets):
        run = subprocess.run(self.far.command(tool, "up0", capture, rate, packets), check=True, capture_output=True,
                             text=True)
        return json.loads(run.stdout)


def processor_time(pid):
    """Seconds of each thread of a process, by name."""
    return {(task / "comm").read_text().strip(): int((task / "schedstat").read_text().split()[0]) / 1e9
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


def counters(tree, path=""):
    """Numbers of a status by their path, of the keys that tell of losses."""
    found = {}
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(value, (dict, list)):
            found |= counters(value, here)
        elif any(word in here for word in LOST):
            found[here] = value
    return found


class Daemon:
    """nfstreamd on the link, with one meter, to an IPFIX file."""

    def __init__(self, link, folder, build, settings, dissections):
        self.build, self.folder = build, pathlib.Path(folder)
        path, self.socket, self.out = self.folder / "live.yaml", self.folder / "control", self.folder / "live.ipfix"
        path.write_text(f"capture: [{{interface: m0, n_meters: 1, socket_buffer_size: {RING_MIB}MiB}}]\n"
                        f"metering: {{idle_timeout: 30, active_timeout: 300, n_dissections: {dissections}}}\n"
                        f"exporters: [{{name: out, type: ipfix, path: {self.out}}}]\n"
                        f"control: {{socket: {self.socket}}}\n", encoding="utf-8")
        options = [word for setting in settings for word in ("--set", setting)]
        self.process = harness.Process(link.probe.command(build / "nfstreamd", "-c", path, *options), self.folder)
        harness.wait_for(lambda: self.socket.exists() and self.status()["interfaces"][0]["up"], self.process.describe)

    def status(self):
        run = subprocess.run([self.build / "nfstreamctl", "--socket", self.socket, "status", "--json"], check=True,
                             capture_output=True, text=True)
        return json.loads(run.stdout)

    def settled(self, sent):
        """The status once all that was sent is accounted for, or nothing has moved for a second."""
        last, since = None, time.monotonic()
        while True:
            status = self.status()
            interface = status["interfaces"][0]
            if interface["frames"] + interface["kernel_dropped"] >= sent and interface["overload"]["ring_fill_percent"] == 0:
                return status
            now = (interface["frames"], interface["kernel_dropped"])
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > 1:
                return status
            time.sleep(0.1)

    def run(self, link, sender, capture, rate, packets):
        before = processor_time(self.process.pid)
        sent = link.send(sender, capture, rate, packets)
        status = self.settled(sent["packets"])
        busy = {name: seconds - before.get(name, 0) for name, seconds in processor_time(self.process.pid).items()}
        self.process.send_signal(15)
        if self.process.wait(DEADLINE_S) != 0:
            sys.exit(self.process.describe())
        return sent, status, busy

    def records(self, sink):
        run = subprocess.run([sink, self.out], check=True, capture_output=True, text=True)
        return json.loads(run.stdout)


def measure_ours(link, inputs, build, capture, rate, packets, settings, dissections):
    with tempfile.TemporaryDirectory(dir=inputs.folder) as folder:
        daemon = Daemon(link, folder, build, settings, dissections)
        try:
            sent, status, busy = daemon.run(link, inputs.tool("sender"), capture, rate, packets)
        finally:
            daemon.process.kill()
        records = daemon.records(inputs.tool("flow_sink"))
    interface = status["interfaces"][0]
    missing = {name: value for name, value in counters(status).items() if value not in (0, "nothing")}
    shed, ignored = interface["overload"]["packets_shed"], sum(interface["ignored"].values())
    told = records["packets"] + interface["kernel_dropped"] + shed + ignored
    overload, flows = interface["overload"], max(interface["flows_created"], 1)
    shed_share = max(shed / sent["packets"], (overload["flows_not_dissected"] + overload["dissections_stopped"]) / flows)
    return {"sent": sent["packets"], "seconds": sent["seconds"], "received": interface["frames"],
            "dropped": interface["kernel_dropped"], "shed": shed, "shed_share": shed_share,
            "in_records": records["packets"],
            "untold": sent["packets"] - told, "missing": missing,
            "meter_s": sum(value for name, value in busy.items() if name.startswith("meter")),
            "export_s": sum(value for name, value in busy.items() if name.startswith("export"))}


def measure_no_op(link, inputs, capture, rate, packets):
    with tempfile.TemporaryDirectory(dir=inputs.folder) as folder:
        reader = harness.Process(link.probe.command(inputs.tool("noop_live"), "m0", RING_MIB), folder)
        try:
            harness.wait_for(lambda: "ready" in reader.stdout(), reader.describe)
            sent = link.send(inputs.tool("sender"), capture, rate, packets)
            time.sleep(0.3)
            busy = sum(processor_time(reader.pid).values())
            reader.stop()
            said = json.loads(reader.stdout().splitlines()[-1])
        finally:
            reader.kill()
    return {"sent": sent["packets"], "seconds": sent["seconds"], "received": said["packets"], "dropped": said["dropped"],
            "untold": sent["packets"] - said["packets"] - said["dropped"], "missing": {}, "meter_s": busy}


HEAD = ["program", "offered/s", "packets", "received", "ring drops", "shed", "in records", "untold", "meter busy",
        "export busy"]


def row(name, found):
    def busy(key):
        return f"{100 * found[key] / found['seconds']:.0f} %" if key in found else ""
    return [name, f"{found['sent'] / found['seconds']:,.0f}",
            *(f"{found[key]:,}" if key in found else ""
              for key in ("sent", "received", "dropped", "shed", "in_records", "untold")), busy("meter_s"), busy("export_s")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="200000,400000,top")
    parser.add_argument("--dissections", default="0,20")
    parser.add_argument("--input", default="manyflows", choices=sorted(FULL))
    parser.add_argument("--packets", type=int, default=2_000_000)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of nfstreamd")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--inputs", type=pathlib.Path, default=ROOT / "build" / "bench-inputs")
    parser.add_argument("--corpus", type=pathlib.Path)
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("network namespaces need root")
    inputs = Inputs(arguments.inputs, arguments.build, arguments.corpus)
    capture, rows, lost, results = inputs.path(arguments.input), [], [], {}
    for rate in arguments.rates.split(","):
        with Cleanups() as cleanups:
            link = Link(cleanups)
            pace = 0 if rate == "top" else int(rate)
            found = measure_no_op(link, inputs, capture, pace, arguments.packets)
            rows.append(row("no-op by libpcap", found))
            for dissections in map(int, arguments.dissections.split(",")):
                found = measure_ours(link, inputs, arguments.build, capture, pace, arguments.packets, arguments.set,
                                     dissections)
                rows.append(row(f"nfstreamd, n_dissections {dissections}", found))
                lost += [f"{rows[-1][0]} at {rows[-1][1]}/s: {name} {value}" for name, value in found["missing"].items()]
                results[f"live/{arguments.input}/{dissections}/{rate}"] = found
    report.Results(arguments.inputs / "results.json").add(results)
    print(report.table(HEAD, rows))
    print("\n".join(["", *lost]) if lost else "\nnothing dropped, nothing shed")
    if any(found["untold"] != 0 for found in results.values()):
        sys.exit("packets went missing that no counter tells of")


if __name__ == "__main__":
    main()
