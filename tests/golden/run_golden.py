#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs nfstreamd over golden captures and compares its CSV with the expected one.

usage: run_golden.py NFSTREAMD CASE...         compare, exit 1 on a difference; l7/NAME: details of layer 7,
                                         tunnels/NAME: looking into all of them
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
# Cases of a folder of expected/ have their own.
VARIANTS = {"l7": ("metering.l7_details=true", "exporters.write.fields=[src_ip, src_port, dst_ip, dst_port, protocol, "
                   "application_name, requested_server_name, l7_details]"),
            "tunnels": ("metering.decode_tunnels=all", "exporters.write.fields=[core, tunnel, encapsulation]")}


def records(nfstreamd, case):
    """The CSV that NFSTREAMD makes of a case, or an error that names what went wrong."""
    variant, _, name = case.rpartition("/")
    capture = HERE / "captures" / f"{name}.pcap"
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "flows.csv")
        command = [nfstreamd, "-r", capture, "-w", out]
        for setting in VARIANTS.get(variant, SETTINGS):
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
    have = records(nfstreamd, case)
    if want == have:
        return True
    sys.stdout.writelines(difflib.unified_diff(want.splitlines(True), have.splitlines(True),
                                               f"expected/{case}.csv", "nfstreamd"))
    return False


def cases(folder, suffix):
    return {path.name.removesuffix(suffix) for path in (HERE / folder).glob(f"*{suffix}")}


def variant_cases():
    return {f"{variant}/{case}" for variant in VARIANTS for case in cases(f"expected/{variant}", ".csv")}


def check_complete():
    captures, expected = cases("captures", ".pcap"), cases("expected", ".csv")
    for case in sorted(captures ^ expected):
        print(f"{case}: {'no expected output' if case in captures else 'no capture'}")
    for case in sorted(variant_cases()):
        if case.rpartition("/")[2] not in captures:
            print(f"{case}: no capture")
            return False
    return captures == expected and bool(captures)


def update(nfstreamd):
    for case in sorted(cases("captures", ".pcap") | variant_cases()):
        text = records(nfstreamd, case)
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
