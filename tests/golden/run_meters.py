#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Several meters make the records of one: compares runs with 1, 2 and 4 of them, ids and order aside.

usage: run_meters.py NFSTREAMD [CORPUS [EVERY]]

Over the captures of this folder and those below CORPUS, with EVERY each so-manieth of them. nDPI's columns may differ
in the captures that README.md lists, as each meter has nDPI's caches for itself; all others never.
"""
import collections
import concurrent.futures
import csv
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
METERS = (1, 2, 4)
SETTINGS = ("metering.statistical_analysis=true", "metering.splt_analysis=8", "metering.n_dissections=20")
NDPI_COLUMNS = {"application_name", "application_category_name", "application_is_guessed", "application_confidence",
                "requested_server_name", "client_fingerprint", "server_fingerprint", "user_agent", "content_type"}
# captures in which nDPI learns from one pair of hosts what it says of another
NDPI_CACHES = {"stun_signal.pcapng", "stun_wa_call.pcapng"}


def flows(nfstreamd, capture, meters):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "flows.csv")
        settings = [word for setting in (*SETTINGS, f"capture.n_meters={meters}") for word in ("--set", setting)]
        run = subprocess.run([nfstreamd, "-r", capture, "-w", out, *settings], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=300)
        if run.returncode != 0:
            raise RuntimeError(run.stderr[-2000:])
        with open(out, newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))


def counted(found, columns):
    return collections.Counter(tuple(flow[column] for column in columns) for flow in found)


def differences(nfstreamd, capture):
    """What is wrong, a line each."""
    lines, one = [], None
    for meters in METERS:
        found = flows(nfstreamd, capture, meters)
        if len({flow["id"] for flow in found}) != len(found):
            lines.append(f"{meters} meters: an id comes twice")
        if one is None:
            one = found
            continue
        columns = [column for column in (one or found or [{}])[0] if column != "id"]
        own = [column for column in columns if column not in NDPI_COLUMNS]
        checked = own if capture.name in NDPI_CACHES else columns
        if counted(found, own) != counted(one, own):
            lines.append(f"{meters} meters: {len(found)} flows, with one {len(one)}; or their values differ")
        gone = counted(one, checked) - counted(found, checked)
        new = counted(found, checked) - counted(one, checked)
        for sign, rows in (("-", gone), ("+", new)):
            lines += [f"{meters} meters: {sign} {' '.join(row[:12])} ... {' '.join(row[-9:])}" for row in list(rows)[:5]]
    return lines


def main():
    nfstreamd, corpus, every = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None, int((sys.argv[3:] or [1])[0])
    captures = sorted((HERE / "captures").glob("*.pcap"))
    if corpus:
        captures += sorted(path for path in pathlib.Path(corpus).rglob("*")
                           if path.suffix in (".pcap", ".pcapng", ".cap"))[::every]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for capture, lines in zip(captures, pool.map(lambda path: differences(nfstreamd, path), captures)):
            failed += bool(lines)
            for line in lines:
                print(f"{capture.name}: {line}")
    print(f"{len(captures) - failed}/{len(captures)} captures equal")
    return 1 if failed or not captures else 0


if __name__ == "__main__":
    sys.exit(main())
