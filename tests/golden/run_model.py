#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares nfstreamd with model.py, a second writing of nfstream's metering, under many settings.

usage: run_model.py NFSTREAMD [CORPUS]

The captures are those of captures/ and, where there is one, of CORPUS; the model itself is first compared with the
records that nfstream made of CORPUS. Dissection is off, but for the runs that compare its limits.
"""
import collections
import concurrent.futures
import csv
import os
import pathlib
import subprocess
import sys
import tempfile

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


def check_capture(nfstreamd, capture):
    """Findings of one capture: (part, what, problem, flows)."""
    found = []
    for settings in RUNS:
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
    report = Report()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        work = [pool.submit(check_capture, nfstreamd, path) for path in own]
        work += [pool.submit(check_dissections, nfstreamd, path) for path in own]
        work.append(pool.submit(check_several, nfstreamd, own[:12]))
        for folder in folders:
            work += [pool.submit(check_model, folder, golden) for golden in sorted((folder / "golden").glob("*/*.csv"))]
            work += [pool.submit(check_capture, nfstreamd, path) for path in sorted((folder / "captures").iterdir())
                     if path.stat().st_size <= 1 << 20]
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
