#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What plugins cost: nfstreamd over the same capture with none, with one that counts in C, in C++ and in Python, and with
its own; beside it the package for Python without and with the same plugin in Python.

usage: plugins.py [CAPTURE] [--build DIR] [--rounds N] [--packets N]

CAPTURE is by default a made-up one of long TCP flows, `bulk` of run.py, on which a packet costs least, so that what a
plugin adds shows most. Runs take turns; of each the median of the processor time's ratio to the one without a plugin, in
the same round, without and with dissection.
"""
import argparse
import os
import pathlib
import statistics
import tempfile

import measuring
from inputs import ROOT, SMALL, Inputs

PYTHON = "/usr/bin/python3"
COUNTS = ROOT / "tests" / "plugins" / "python" / "packet_40.py"
PACKAGE = """
import runpy, sys
from nfstreamd import NFStreamer
import nfstreamd
sys.modules["nfstream"] = nfstreamd
capture, out, dissections, plugin = sys.argv[1:]
udps = runpy.run_path(plugin)["packet_40"](large_dict_passed_as_plugin_attribute={}) if plugin else None
NFStreamer(source=capture, n_dissections=int(dissections), udps=udps, n_meters=1).to_csv(out)
"""
OWN = {"splt": "{sequence_length: 20}", "ja4": "{}", "wfeatures": "{active_timeout: 300, levels: 6}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", nargs="?", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--packets", type=int, default=3_000_000)
    arguments = parser.parse_args()

    capture = arguments.capture
    if capture is None:
        inputs = Inputs(ROOT / "build" / "bench-inputs", arguments.build, sizes={**SMALL, "bulk": arguments.packets})
        capture = inputs.path("bulk")
    made = arguments.build / "tests" / "plugins"
    cases = {"none": "[]",
             "counts, C": f"[{{name: counts, path: {made}/example_packet_40_in_c.so}}]",
             "counts, C++": f"[{{name: counts, path: {made}/example_packet_40.so}}]",
             "counts, Python": f"[{{name: counts, type: python, path: {COUNTS}, "
                               "settings: {large_dict_passed_as_plugin_attribute: {}}}]",
             **{name: f"[{{name: {name}, settings: {settings}}}]" for name, settings in OWN.items()}}
    os.environ["PYTHONPATH"] = str(arguments.build / "python")
    package = {"package, none": "", "package, counts": COUNTS}
    with tempfile.TemporaryDirectory() as folder:
        for dissections in (0, 20):
            times = {name: [] for name in (*cases, *package)}
            for _ in range(arguments.rounds):
                for name, plugins in cases.items():
                    times[name].append(measuring.run(
                        [arguments.build / "nfstreamd", "-r", capture, "-w", pathlib.Path(folder) / "flows.csv",
                         "--set", f"metering.n_dissections={dissections}", "--set", f"plugins={plugins}"]).cpu)
                for name, plugin in package.items():
                    times[name].append(measuring.run([PYTHON, "-c", PACKAGE, capture, pathlib.Path(folder) / "package.csv",
                                                      str(dissections), plugin]).cpu)
            print(f"n_dissections {dissections}: {statistics.median(times['none']):.2f} s of processor time without a plugin")
            for name, found in times.items():
                ratio = statistics.median(mine / none for mine, none in zip(found, times["none"]))
                print(f"  {name:15} {ratio:.3f}")


if __name__ == "__main__":
    main()
