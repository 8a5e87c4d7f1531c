#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What models cost: nfstreamd over a capture of many short flows with none, and with models of several sizes.

usage: models.py [--build DIR] [--rounds N] [--flows N] [--against DIR]

Needs python3-xgboost, which trains them on nfstreamd's CSV of the capture. Runs take turns; of each the median of the
processor time's ratio to the one without a model, in the same round, and what it adds for each flow. --against: another
build, which is run without a model as well.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import measuring
from inputs import ROOT, SMALL, Inputs

TRAINER = ROOT / "tests" / "integration" / "trainer.py"
FEATURES = ["bidirectional_packets", "bidirectional_bytes", "bidirectional_duration_ms", "src2dst_packets", "src2dst_bytes",
            "src2dst_duration_ms", "dst2src_packets", "dst2src_bytes", "dst2src_duration_ms", "src_port", "dst_port", "ip_version"]
SIZES = {"50 trees": ("binary:logistic", 50), "300 trees, 3 classes": ("multi:softprob", 100)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--against", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--flows", type=int, default=200_000)
    arguments = parser.parse_args()

    inputs = Inputs(ROOT / "build" / "bench-inputs", arguments.build, sizes={**SMALL, "manyflows": arguments.flows})
    capture = inputs.path("manyflows")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        golden = sorted((ROOT / "tests" / "golden" / "captures").glob("*.pcap"))
        subprocess.run([arguments.build / "nfstreamd", "-r", *golden, "-w", folder / "train.csv"], check=True)
        models = {}
        jobs = []
        for number, (name, (objective, rounds)) in enumerate(SIZES.items()):
            models[name] = folder / f"{number}.ubj"
            jobs.append({"train": str(models[name]), "flows": str(folder / "train.csv"), "objective": objective,
                         "rounds": rounds, "features": FEATURES})
        (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
        subprocess.run(["/usr/bin/python3", "-B", TRAINER, folder / "jobs.json"], check=True, stdout=subprocess.DEVNULL)
        cases = {"none": (arguments.build, "[]")}
        if arguments.against:
            cases["none, the other build"] = (arguments.against, None)
        for name, path in models.items():
            cases[name] = (arguments.build, f"[{{name: m, path: {path}}}]")
            cases[f"{name}, after 2 packets"] = (arguments.build, f"[{{name: m, path: {path}, after_packets: 2}}]")
        times = {name: [] for name in cases}
        for _ in range(arguments.rounds):
            for name, (build, setting) in cases.items():
                times[name].append(measuring.run(
                    [build / "nfstreamd", "-r", capture, "-w", folder / "flows.csv", "--set", "metering.n_dissections=0",
                     "--set", "capture.n_meters=1", *([] if setting is None else ["--set", f"models={setting}"])]).cpu)
        print(f"{arguments.flows} flows, {statistics.median(times['none']):.2f} s of processor time without a model")
        for name, found in times.items():
            ratio = statistics.median(mine / none for mine, none in zip(found, times["none"]))
            added = statistics.median(mine - none for mine, none in zip(found, times["none"]))
            print(f"  {name:34} {ratio:.3f}  {added / arguments.flows * 1e6:+.2f} us a flow")


if __name__ == "__main__":
    sys.exit(main())
