#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the package for Python takes over a capture: iteration, to_pandas and to_csv, without and with dissection.

usage: package.py [CAPTURE] [--build DIR] [--against DIR] [--rounds N] [--meters N ...]

CAPTURE is by default `mix` of run.py. Each run is an interpreter of its own, whose start and import of pandas do not
count. Runs take turns, those of two builds too; of each the least and the median wall time are told, and the least
processor time of all threads.
"""
import argparse
import itertools
import json
import os
import pathlib
import statistics
import tempfile

import measuring
from inputs import ROOT, SMALL, Inputs

PYTHON = "/usr/bin/python3"
RUN = """
import json, sys, time
import pandas
from nfstreamd import NFStreamer
capture, out, how, dissections, meters = sys.argv[1:]
read = {"iteration": lambda streamer: sum(1 for flow in streamer),
        "to_pandas": lambda streamer: len(streamer.to_pandas()),
        "to_csv": lambda streamer: streamer.to_csv(out)}[how]
wall, processor = time.perf_counter(), time.process_time()
flows = read(NFStreamer(source=capture, n_dissections=int(dissections), n_meters=int(meters),
                        idle_timeout=30, active_timeout=300))
print(json.dumps([time.perf_counter() - wall, time.process_time() - processor, flows]))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", nargs="?", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--meters", type=int, nargs="+", default=[0], help="0: as many as the package takes by itself")
    arguments = parser.parse_args()

    capture = arguments.capture
    if capture is None:
        capture = Inputs(ROOT / "build" / "bench-inputs", arguments.build, sizes=SMALL).path("mix")
    builds = [arguments.build.resolve()] + ([arguments.against.resolve()] if arguments.against else [])
    cases = list(itertools.product(("iteration", "to_pandas", "to_csv"), (0, 20), arguments.meters, builds))
    found = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(arguments.rounds):
            for case in cases:
                how, dissections, meters, build = case
                os.environ["PYTHONPATH"] = str(build / "python")
                output = pathlib.Path(folder) / "result"
                csv = pathlib.Path(folder) / "flows.csv"
                run = measuring.run([PYTHON, "-c", RUN, capture, csv, how, dissections, meters], output=output)
                found[case].append(json.loads(run.stdout.splitlines()[-1]))
    print(f"{'':10} dissections meters {'flows':>8}  wall s, least  median  CPU s, least")
    for (how, dissections, meters, build), runs in found.items():
        walls, processors, flows = zip(*runs)
        times = f"{min(walls):13.2f} {statistics.median(walls):7.2f} {min(processors):14.2f}"
        name = f"  {build}" if len(builds) > 1 else ""
        print(f"{how:10} {dissections:11} {meters or 'auto':>6} {flows[0]:8}  {times}{name}")


if __name__ == "__main__":
    main()
