#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs nfstreamd over golden captures and compares its CSV with the expected one.

usage: run_golden.py NFSTREAMD CASE...         compare, exit 1 on a difference
       run_golden.py NFSTREAMD --update        rewrite expected/ from what NFSTREAMD says
       run_golden.py NFSTREAMD --check-complete  captures/ and expected/ hold the same cases

Offline runs are deterministic, so every column counts, ids and order included.
"""
import difflib
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Everything on, so that every column holds something; timeouts are nfstream's.
SETTINGS = ("metering.idle_timeout=120", "metering.active_timeout=1800", "metering.n_dissections=20",
            "metering.statistical_analysis=true", "metering.splt_analysis=10")


def records(nfstreamd, capture):
    """The CSV that NFSTREAMD makes of CAPTURE, or an error that names what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "flows.csv")
        command = [nfstreamd, "-r", capture, "-w", out]
        for setting in SETTINGS:
            command += ["--set", setting]
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if run.returncode != 0:
            raise SystemExit(f"{capture.name}: exit status {run.returncode}\n{run.stderr}")
        return out.read_text(encoding="utf-8")


def compare(nfstreamd, case):
    expected = HERE / "expected" / f"{case}.csv"
    if not expected.exists():
        print(f"{case}: {expected} is missing; the target update-golden writes it")
        return False
    want = expected.read_text(encoding="utf-8")
    have = records(nfstreamd, HERE / "captures" / f"{case}.pcap")
    if want == have:
        return True
    sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), have.splitlines(True),
                                               f"expected/{case}.csv", "nfstreamd"))
    return False


def cases(folder, suffix):
    return {path.name.removesuffix(suffix) for path in (HERE / folder).glob(f"*{suffix}")}


def check_complete():
    captures, expected = cases("captures", ".pcap"), cases("expected", ".csv")
    for case in sorted(captures ^ expected):
        print(f"{case}: {'no expected output' if case in captures else 'no capture'}")
    return captures == expected and bool(captures)


def update(nfstreamd):
    for case in sorted(cases("captures", ".pcap")):
        text = records(nfstreamd, HERE / "captures" / f"{case}.pcap")
        path = HERE / "expected" / f"{case}.csv"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"rewritten: {path}")


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    nfstreamd, arguments = sys.argv[1], sys.argv[2:]
    if arguments == ["--update"]:
        update(nfstreamd)
        return 0
    if arguments == ["--check-complete"]:
        return 0 if check_complete() else 1
    return 0 if all([compare(nfstreamd, case) for case in arguments]) else 1


if __name__ == "__main__":
    sys.exit(main())
