#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares nfstreamd with model.py, a second writing of nfstream's metering, under many settings.

usage: run_model.py NFSTREAMD [CORPUS [EVERY]]

The captures are those of captures/, a made-up one and, where there is a CORPUS, its own; the model itself is compared
with the records that nfstream made of CORPUS. With EVERY only each so-manieth of CORPUS is looked at. Dissection is
off, but for the runs that compare its limits.
"""
import collections
import concurrent.futures
import csv
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
from random import Random

import model

HERE = pathlib.Path(__file__).resolve().parent
# nfstream does not decode them, nfstreamd does: tests/golden/README.md
NOT_EQUAL = {"c_qinq.pcap"}
DEFAULT = model.Settings(statistical_analysis=True, splt_analysis=10)
RUNS = (
    DEFAULT,
    *(DEFAULT._replace(accounting_mode=mode) for mode in (1, 2, 3)),
    *(DEFAULT._replace(idle_timeout=seconds) for seconds in (0, 1, 5)),
    *(DEFAULT._replace(active_timeout=seconds) for seconds in (0, 1, 5)),
    DEFAULT._replace(idle_timeout=1, active_timeout=1, accounting_mode=3),
    DEFAULT._replace(idle_timeout=5, active_timeout=1, splt_analysis=0),
    DEFAULT._replace(splt_analysis=255, statistical_analysis=False, active_timeout=5),
    DEFAULT._replace(decode_tunnels=False),
    model.Settings(),
)
# nfstream's own records are of the others
CORPUS_RUNS = [run for run in RUNS if run.accounting_mode == 0 and run != DEFAULT]


# ---- packet filters, for link types whose header has one length ----

def filtered(expression):
    """The model's meaning of `udp` and of `tcp port 80`, by the rules of pcap-filter(7)."""
    protocol, port = (17, None) if expression == "udp" else (6, 80)

    def selected(link_type, data):
        at, kind = {model.EN10MB: (14, 12), model.LINUX_SLL: (16, 14)}[link_type]
        if data[kind:kind + 2] == b"\x08\x00" and len(data) > at + 9:
            l4, is_it = at + (data[at] & 15) * 4, data[at + 9] == protocol
            is_it = is_it and not (port and model.be16(data, at + 6) & 0x1fff)
        elif data[kind:kind + 2] == b"\x86\xdd" and len(data) > at + 6:
            l4, is_it = at + 40, data[at + 6] == protocol
            if port is None and data[at + 6] == 44 and len(data) > l4:
                is_it = data[l4] == protocol
        else:
            return False
        return is_it and (port is None or len(data) >= l4 + 4
                          and port in (model.be16(data, l4), model.be16(data, l4 + 2)))

    return selected


def can_be_filtered(path):
    frames = model.read_capture(path)
    return bool(frames) and all(frame[0] in (model.EN10MB, model.LINUX_SLL) for frame in frames)


# ---- a capture made up of conversations that pause for all kinds of times ----

def frame(random, number):
    """Of conversation `number`, from either end: IPv4 or IPv6, some with a VLAN, UDP, TCP or ICMP."""
    pick = random.random
    version, protocol, vlan = (4, 6)[number % 3 == 0], (17, 6, 1)[number % 7 % 3], number % 5 == 0
    ends = [(bytes([10, 0, 0, number // 2]), 1000 + number), (bytes([192, 0, 2, 1]), 80 + number % 2)]
    if pick() < 0.4:
        ends.reverse()
    (source, source_port), (destination, destination_port) = ends
    payload = bytes(int(pick() ** 4 * 1400))
    if protocol == 17:
        segment = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    elif protocol == 6:
        flags = random.choice((0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0xc2, 0x30))
        segment = struct.pack(">HHIIBBHHH", source_port, destination_port, 0, 0, 0x50, flags, 0, 0, 0) + payload
    else:
        segment = b"\x08\0\0\0" + bytes(4) + payload
    if version == 4:
        header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, protocol, 0)
    else:
        source, destination = (b"\x20\x01\x0d\xb8" + bytes(8) + address for address in (source, destination))
        header = struct.pack(">IHBB", 6 << 28, len(segment), 58 if protocol == 1 else protocol, 64)
    kind = (b"\x08\0", b"\x86\xdd")[version == 6]
    tag = b"\x81\0" + struct.pack(">H", number % 4) if vlan else b""
    return bytes([2, 0, 0, 0, 0, number, 2, 0, 0, 0, 0, 1]) + tag + kind + header + source + destination + segment


def make_up(path):
    random, time = Random(6), 1_700_000_000_000_000
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, model.EN10MB))
        for _ in range(4000):
            # nothing, a little, or a pause about as long as the timeouts that are tried; now and then back in time
            time += random.choice((0, 0, 1, 900, 999, 1000, 20_000, 100_000, 1_000_000, 1_000_000, -3000))
            time += random.choice((0,) * 60 + (4_000_000, 5_000_000, 61_000_000, 130_000_000))
            data = frame(random, random.randrange(1, 40))
            out.write(struct.pack("<IIII", time // 1_000_000, time % 1_000_000, len(data), len(data)) + data)
    return path


# ---- runs and comparison ----

def run_daemon(nfstreamd, captures, options):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "flows.csv")
        command = [nfstreamd, "-r", *map(str, captures), "-w", out]
        for key, value in options.items():
            command += ["--set", f"{key}={value}"]
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        if run.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: exit status {run.returncode}\n{run.stderr}")
        with open(out, newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))


def daemon_options(settings, **more):
    options = {f"metering.{key}": str(value).lower() for key, value in settings._asdict().items()}
    return {"metering.n_dissections": 0, **options, **more}


def same(want, have):
    if want == have:
        return True
    try:
        a, b = float(want), float(have)
    except ValueError:
        return False
    return ("." in want or "e" in want) and abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def difference(want, have):
    """What is wrong with the rows of `have`, or None. Ids and the order of rows do not count."""
    if len(want) != len(have):
        return f"{len(have)} flows, want {len(want)}"
    if not want:
        return None
    columns = sorted(set(want[0]) - {"id"})
    if sorted(set(have[0]) - {"id"}) != columns:
        return f"columns: {sorted(set(have[0]) ^ set(want[0]) - {'id'})}"
    exact = [name for name in columns if "mean" not in name and "stddev" not in name]
    order = exact + [name for name in columns if name not in exact]
    left = sorted(tuple(str(row[name]) for name in order) for row in want)
    right = sorted(tuple(str(row[name]) for name in order) for row in have)
    for a, b in zip(left, right):
        if not all(map(same, a, b)):
            return "; ".join(f"{name}: want {x} have {y}" for name, x, y in zip(order, a, b) if not same(x, y))[:400]
    return None


class Report:
    def __init__(self):
        self.counts, self.bad = collections.Counter(), 0

    def add(self, part, what, problem, flows):
        self.counts[part] += 1
        self.counts[part + " flows"] += flows
        if problem:
            self.bad += 1
            if self.bad <= 20:
                print(f"{part}: {what}: {problem}")

    def lines(self):
        return [f"{part}: {count} runs, {self.counts[part + ' flows']} flows"
                for part, count in self.counts.items() if not part.endswith(" flows")]


def check_capture(nfstreamd, capture, runs=RUNS):
    """Findings of one capture: (part, what, problem, flows)."""
    found = []
    for settings in runs:
        want = model.flows_of([capture], settings)
        changed = {k: v for k, v in settings._asdict().items() if v != getattr(DEFAULT, k)}
        problem = difference(want, run_daemon(nfstreamd, [capture], daemon_options(settings)))
        found.append(("settings", f"{capture.name} {changed}", problem, len(want)))
    if can_be_filtered(capture):
        for expression in ("udp", "tcp port 80"):
            want = model.flows_of([capture], DEFAULT, filtered(expression))
            have = run_daemon(nfstreamd, [capture], daemon_options(DEFAULT, **{"capture.bpf_filter": expression}))
            found.append(("filters", f"{capture.name} {expression}", difference(want, have), len(want)))
    return found


def check_several(nfstreamd, captures):
    """Files in a row, later and earlier ones: time does not run back, flows go on over the border."""
    found = []
    for files in (captures, captures[::-1], [captures[0], captures[0]]):
        for settings in (DEFAULT, DEFAULT._replace(idle_timeout=5), DEFAULT._replace(active_timeout=1)):
            want = model.flows_of(files, settings)
            problem = difference(want, run_daemon(nfstreamd, files, daemon_options(settings)))
            found.append(("several files", " ".join(path.name for path in files), problem, len(want)))
    return found


# Of the columns of layer 7 those that a limit of packets may change are not looked at.
def check_dissections(nfstreamd, capture):
    """Dissection changes no other column; what 255 packets show beside 20 is more, or the same."""
    found = []
    want = model.flows_of([capture], DEFAULT)
    l7 = ("application_", "requested_", "client_", "server_", "user_agent", "content_type")
    rows = {}
    for limit in (1, 20, 255):
        rows[limit] = run_daemon(nfstreamd, [capture], daemon_options(DEFAULT, **{"metering.n_dissections": limit}))
        metering = [{k: v for k, v in row.items() if not k.startswith(l7)} for row in rows[limit]]
        found.append(("dissections", f"{capture.name} n_dissections {limit}", difference(want, metering), len(want)))
    for limit, other in ((20, 255), (1, 20)):
        problem = None
        for less, more in zip(rows[limit], rows[other]):  # the order of rows is that of expiry
            packets = int(less["bidirectional_packets"])
            if packets <= limit and limit > 1 and less != more:
                problem = f"a flow of {packets} packets is another with n_dissections {other}"
            if less["application_confidence"] == "6" and more["application_name"] == "Unknown":
                problem = f"{less['application_name']} is unknown with n_dissections {other}"
        found.append(("dissections", f"{capture.name} {limit} beside {other}", problem, len(want)))
    return found


# Columns of nfstream 0.x and what the model calls them.
COLUMNS0 = {"ip_src": "src_ip", "src_port": "src_port", "ip_dst": "dst_ip", "dst_port": "dst_port",
            "ip_protocol": "protocol", "src_to_dst_pkts": "src2dst_packets", "dst_to_src_pkts": "dst2src_packets",
            "src_to_dst_bytes": "src2dst_bytes", "dst_to_src_bytes": "dst2src_bytes",
            "start_time": "bidirectional_first_seen_ms", "end_time": "bidirectional_last_seen_ms",
            "export_reason": "expiration_id"}


def check_nfstream0(nfstreamd, capture):
    """Compatibility with nfstream 0.x: which packets make a flow, and why it ended."""
    found = []
    for inactive, active in ((60, 120), (1, 2), (5, 3), (2, 5)):
        settings = model.Settings(idle_timeout=inactive, active_timeout=active, decode_tunnels=False)
        want = [{name: row[column] for name, column in COLUMNS0.items()}
                for row in model.flows_of([capture], settings, kind=model.Meter0)]
        have = run_daemon(nfstreamd, [capture], {
            "metering.compatibility": "nfstream0", "metering.inactive_timeout": inactive,
            "metering.active_timeout": active, "metering.n_dissections": 0})
        found.append(("nfstream 0", f"{capture.name} {inactive} {active}", difference(want, have), len(want)))
    return found


def check_model(corpus, golden):
    """The model against nfstream's own records."""
    with open(golden, newline="", encoding="utf-8", errors="replace") as text:
        want = list(csv.DictReader(text, escapechar="\\", doublequote=False))
    settings = DEFAULT._replace(accounting_mode=int(golden.parent.name.rsplit("_", 1)[1]))
    have = model.flows_of([corpus / "captures" / golden.name.removesuffix(".csv")], settings)
    if want:
        columns = set(have[0]) if have else set()
        want = [{k: v for k, v in row.items() if k in columns} for row in want]
    return [("the model beside nfstream", f"{golden.parent.name}/{golden.name}", difference(want, have), len(want))]


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    nfstreamd = sys.argv[1]
    own = sorted(path for path in (HERE / "captures").glob("*.pcap") if path.name not in NOT_EQUAL)
    folders = sorted(path.parent for path in pathlib.Path(sys.argv[2]).glob("*/golden")) if len(sys.argv) > 2 else []
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    report = Report()
    with tempfile.TemporaryDirectory() as folder_of_ours, \
            concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        own.append(make_up(pathlib.Path(folder_of_ours, "made_up.pcap")))
        work = [pool.submit(check_capture, nfstreamd, path) for path in own]
        work += [pool.submit(check_dissections, nfstreamd, path) for path in own]
        work += [pool.submit(check_nfstream0, nfstreamd, path) for path in own]
        work.append(pool.submit(check_several, nfstreamd, own[:12]))
        work.append(pool.submit(check_several, nfstreamd, [own[-1], own[0], own[-1]]))
        for folder in folders:
            records = sorted((folder / "golden").glob("*/*.csv"))[::every]
            work += [pool.submit(check_model, folder, golden) for golden in records]
            captures = [path for path in sorted((folder / "captures").iterdir()) if path.stat().st_size <= 1 << 20]
            captures = captures[::every]
            work += [pool.submit(check_capture, nfstreamd, path, CORPUS_RUNS) for path in captures]
            work += [pool.submit(check_nfstream0, nfstreamd, path) for path in captures]
        for done in work:
            for finding in done.result():
                report.add(*finding)
    print("\n".join(report.lines()))
    if not folders:
        print("NOT RUN: nfstream's own records are not here (-DNFSTREAMD_PARITY_CORPUS says where they are)")
    print(f"{report.bad} runs differ" if report.bad else "all equal")
    return 1 if report.bad or not own else 0


if __name__ == "__main__":
    sys.exit(main())
