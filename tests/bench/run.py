#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nfstreamd, a reader that does nothing, and the peers that are installed, over the same captures, in turn.

usage: run.py [CASE...] [--rounds N] [--build DIR] [--against DIR] [--inputs DIR] [--corpus DIR]
       run.py --list | --quick | --update

CASE is a pattern such as 'mix/*' or '*/flows'; without one all of them are measured. Programs take turns, so that a busy
moment of the host hits all of them; of each case the median is kept, of times as a ratio to the no-op reader in the same
round. Results of earlier runs stay, so that the table can be measured in pieces. Ends with 1 when the records of
nfstreamd do not add up to what pstat says of the capture.
"""
import argparse
import fnmatch
import pathlib
import statistics
import sys

import cases
import report
from inputs import FULL, ROOT, SMALL, Inputs
from programs import NoOp, Ours


def chosen(everything, patterns):
    if not patterns:
        return [case for case in everything if not case.slow]
    found = [case for case in everything if case.name in patterns
             or not case.slow and any(fnmatch.fnmatch(case.name.split("@")[0], pattern) for pattern in patterns)]
    if not found:
        sys.exit(f"no case is named {' or '.join(patterns)}: see --list")
    return found


def measure(inputs, capture, wanted, rounds):
    """The cases of one capture, in turn; medians by the case's name, and what the last round's records add up to."""
    no_op, path, floor, samples = NoOp(inputs), inputs.path(capture), [], {case.name: [] for case in wanted}
    facts, checked = inputs.facts(capture), {}
    no_op.run(path)  # into the page cache
    for number in range(rounds):
        floor.append(no_op.run(path).cpu)
        for case in wanted:
            say(f"{number + 1}/{rounds} {case.name}")
            samples[case.name].append(case.run(path, floor[-1]))
            if number == rounds - 1:
                checked[case.name] = case.check(facts)
    cpu = statistics.median(floor)
    results = {f"{capture}/{cases.NO_OP}": {"cpu": cpu, "ratio": 1.0, "ns": cpu / facts["packets"] * 1e9}}
    for name, rows in samples.items():
        found = {key: statistics.median(row[key] for row in rows)
                 for key in rows[0] if all(key in row for row in rows)}
        results[name] = found | checked[name] | {"ns": found["cpu"] / facts["packets"] * 1e9, "rounds": rounds}
    return results


def say(text):
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--against", type=pathlib.Path, help="another build, measured in the same rounds")
    parser.add_argument("--inputs", type=pathlib.Path, help="default build/bench-inputs")
    parser.add_argument("--corpus", type=pathlib.Path, help="folder of captures that mix is made of")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--list", action="store_true", help="names of the cases")
    parser.add_argument("--quick", action="store_true", help="nfstreamd over small captures, once: does all of it work?")
    parser.add_argument("--update", action="store_true", help="write what is known into README.md")
    arguments = parser.parse_args()

    folder = arguments.inputs or ROOT / "build" / ("bench-quick" if arguments.quick else "bench-inputs")
    inputs = Inputs(folder, arguments.build, arguments.corpus, SMALL if arguments.quick else FULL)
    everything = cases.all_cases(inputs, folder, arguments.build, arguments.against)
    results = report.Results(folder / "results.json")
    if arguments.list:
        return print("\n".join(case.name for case in everything))
    if arguments.update:
        return report.update_readme(results, inputs)
    if arguments.quick:
        everything = [case for case in everything if isinstance(case.program, Ours)]
    wanted = chosen(everything, arguments.case)
    if any(case.capture.startswith("mix") for case in wanted):
        print(f"mix is made of {inputs.corpus_name()}")
    for capture in dict.fromkeys(case.capture for case in wanted):
        here = [case for case in wanted if case.capture == capture]
        results.add(measure(inputs, capture, here, 1 if arguments.quick else arguments.rounds))
    print(report.aims(results))
    print()
    print(report.measured(results))
    wrong = [case.name for case in wanted if not results[case.name].get("right", True)]
    if wrong:
        sys.exit(f"records do not add up to their packets: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
