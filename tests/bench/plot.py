#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a packet costs as flows and exporters become more, drawn: live_flows.svg and exporters.svg beside this file.

usage: plot.py [flows|exporters [POINT...]] [--rounds N] [--build DIR] [--inputs DIR] [--corpus DIR]

Points that were measured before stay in the drawing, so that it can be made in pieces. The input of 8 M live flows
takes 4 GB.
"""
import argparse
import math
import pathlib
import statistics

import measuring
import programs
import report
import svg
from inputs import ROOT, Inputs

HERE = pathlib.Path(__file__).resolve().parent
LIVE = (1_000, 4_000, 16_000, 64_000, 256_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000)
EXPORTERS = (1, 2, 4, 8)
FEWEST = 400_000  # flows of an input, for a run that is long enough to be measured


def nfstreamd(build, capture, *settings):
    return [build / "nfstreamd", "-r", capture,
            *programs.with_settings([*programs.TIMEOUTS, *programs.FLOWS, *settings])]


def nanoseconds(usages, packets, threads=""):
    """Median processor time a packet, of all threads or those whose names begin so."""
    return statistics.median(
        sum(s for name, s in usage.threads.items() if name.startswith(threads)) if threads else usage.cpu
        for usage in usages) / packets * 1e9


def at_live_flows(inputs, build, live, rounds):
    """Five packets a flow however many are held at once, so that only the memory they lie in differs."""
    flows = min(max(FEWEST, live * 2 if live <= 1_000_000 else live), 1 << 23)
    capture, packets = inputs.manyflows(flows, live), 5 * flows
    command = [*nfstreamd(build, capture, f"metering.max_flows={live + live // 4}"), "-w", "/dev/null", "--format", "ipfix"]
    plain, with_statistics, no_op = [], [], []
    more = programs.with_settings(programs.STATISTICS)
    for _ in range(rounds):
        no_op.append(measuring.run([inputs.tool("noop"), capture]))
        plain.append(measuring.run(command))
        with_statistics.append(measuring.run(command + more))
    return {"no-op reader": nanoseconds(no_op, packets), "flows": nanoseconds(plain, packets),
            "statistics, SPLT 20": nanoseconds(with_statistics, packets), "packets": packets}


def at_exporters(inputs, build, count, rounds):
    capture, packets = inputs.path("mix"), inputs.facts("mix")["packets"]
    outputs = [inputs.folder / f"exporter-{n}.ipfix" for n in range(count)]
    configuration = inputs.folder / "exporters.yaml"
    configuration.write_text("exporters:\n" + "".join(
        f"  - {{name: out{n}, type: ipfix, path: {path}}}\n" for n, path in enumerate(outputs)), encoding="utf-8")
    usages = [measuring.run([*nfstreamd(build, capture), "-c", configuration], threads=True) for _ in range(rounds)]
    for path in outputs:
        path.unlink()
    return {"all threads": nanoseconds(usages, packets), "metering thread": nanoseconds(usages, packets, "meter"),
            "packets": packets}


PLOTS = {
    "flows": (LIVE, at_live_flows, "live_flows.svg", "What a packet costs, by the flows held at once",
              "live flows (five packets each)", math.log),
    "exporters": (EXPORTERS, at_exporters, "exporters.svg", "What a packet costs, by the number of exporters",
                  "IPFIX exporters, each with all records of mix", float),
}


def draw(results, name):
    _, _, file, title, x_title, scale = PLOTS[name]
    found = sorted((int(key.rsplit("/", 1)[1]), value) for key, value in results.items() if key.startswith(f"plot/{name}/"))
    if len(found) < 2:
        return
    names = sorted((series for series in found[-1][1] if series != "packets"), key=lambda s: -found[-1][1][s])
    lines = [svg.Line(series, [(x, values[series]) for x, values in found if series in values]) for series in names]
    (HERE / file).write_text(svg.chart(title, x_title, "CPU time, ns a packet", lines, scale), encoding="utf-8")
    print(f"{HERE / file}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plot", nargs="?", choices=sorted(PLOTS))
    parser.add_argument("point", nargs="*", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--inputs", type=pathlib.Path, default=ROOT / "build" / "bench-inputs")
    parser.add_argument("--corpus", type=pathlib.Path)
    arguments = parser.parse_args()
    inputs = Inputs(arguments.inputs, arguments.build, arguments.corpus)
    results = report.Results(arguments.inputs / "results.json")
    for name in [arguments.plot] if arguments.plot else PLOTS:
        points, measure = PLOTS[name][:2]
        for point in arguments.point or points:
            found = measure(inputs, arguments.build, point, arguments.rounds)
            results.add({f"plot/{name}/{point}": found})
            print(f"{name} {svg.short(point)}: " + ", ".join(f"{series} {ns:.0f} ns" for series, ns in found.items()
                                                              if series != "packets"))
        draw(results, name)


if __name__ == "__main__":
    main()
