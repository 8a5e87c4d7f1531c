#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions a packet, counted by callgrind: a figure that neither the host nor other programs touch.

usage: instructions.py [INPUT...] [--dissections N] [--set KEY=VALUE]... [--packets N] [--functions N] [--build DIR]

The first N packets of an input are metered, and the first 2 N; the difference is free of start and end, but holds the
flows that end meanwhile. Printed by what the function belongs to, for metering and exporting thread apart, then the
functions with the most. An instruction is not a nanosecond: a cache miss counts as one.
"""
import argparse
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import programs
import report
from inputs import FULL, ROOT, Inputs

GROUPS = (  # first match wins; of the symbol's name
    ("reading", r"PcapFileReader|LibpcapReader|InputStream|FileSource|FileReader|FrameBatch|pcap_|_IO_|fread"),
    ("decoding", r"nfstreamd::decode|Decoder|tunnel_headers|DecodeResult"),
    ("nDPI", r"libndpi|ndpi_|NdpiDissector|^ac_|automa|ht_|kept_texts"),
    ("statistics, SPLT", r"FlowStatistics|FlowSequences|TcpQuality|summarise"),
    ("timeouts", r"TimerWheel|FlowTimeouts"),
    ("flow table", r"FlowTable|FlowHash|make_key"),
    ("metering", r"FlowMeter|MeteringProcess|ClockWatch|TunnelContexts|LoadShedder"),
    ("records", r"RecordPublisher|RecordQueue|Arena|RecordBatch|ExportingProcess"),
    ("encoding", r"libfixbuf|libglib|ipfix|Ipfix|Encoder|fb[A-Z]|fBuf|RecordLayout|Session"),
    ("transport", r"Transport|sendm|writev|MessageFile"),
    ("memory", r"malloc|free|calloc|realloc|operator new|operator delete|mem(cpy|set|move)"),
)


def cut(capture, packets, out):
    """The first packets of a classic pcap file of this machine's byte order."""
    with open(capture, "rb") as source, open(out, "wb") as target:
        target.write(source.read(24))
        for _ in range(packets):
            header = source.read(16)
            if len(header) < 16:
                sys.exit(f"{capture} has less than {packets} packets")
            target.write(header + source.read(struct.unpack_from("=I", header, 8)[0]))


def count(build, capture, settings, folder):
    """Instructions of each function, by thread: {thread: {symbol: count}}."""
    for old in folder.glob("profile*"):
        old.unlink()
    subprocess.run(["valgrind", "--tool=callgrind", "--separate-threads=yes", "--compress-strings=no",
                    "--compress-pos=no", f"--callgrind-out-file={folder / 'profile'}", build / "nfstreamd", "-r", capture,
                    "-w", folder / "out.ipfix", *programs.with_settings([*programs.TIMEOUTS, *settings])],
                   check=True, capture_output=True)
    threads = [read_profile(path) for path in sorted(folder.glob("profile-*"))]
    named = {}
    for costs in threads:
        names = " ".join(costs)
        kind = "metering" if "MeteringProcess::run" in names else \
            "exporting" if "ExportingProcess::run" in names else "start and end"
        into = named.setdefault(kind, {})
        for symbol, cost in costs.items():
            into[symbol] = into.get(symbol, 0) + cost
    return named


def read_profile(path):
    """Self cost by symbol of callgrind's format: `fn=` names the function, the line behind `calls=` is not its own."""
    costs, function, library, skip = {}, None, "", False
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("ob="):
                library = pathlib.Path(line[3:].strip()).name
            elif line.startswith("fn="):
                function = line[3:].strip()
                if function.startswith("0x"):  # a library without names
                    function = f"{library} {function}"
            elif line.startswith("calls="):
                skip = True
            elif line[0].isdigit():
                if not skip:
                    costs[function] = costs.get(function, 0) + int(line.split()[1])
                skip = False
    return costs


def group_of(symbol):
    return next((name for name, pattern in GROUPS if re.search(pattern, symbol)), "other")


def difference(more, less, packets):
    """Instructions a packet by thread and symbol."""
    return {thread: {symbol: (cost - less.get(thread, {}).get(symbol, 0)) / packets for symbol, cost in costs.items()}
            for thread, costs in more.items()}


def shown(name):
    name = re.sub(r"nfstreamd::|\(anonymous namespace\)::|std::", "", re.sub(r"'\d+$", "", name))
    name = re.sub(r"\(.*$", "", name)
    return name if len(name) <= 70 else name[:67] + "..."


def tell(name, found, functions):
    print(f"\n## {name}\n")
    rows = []
    for thread in ("metering", "exporting"):
        groups = {}
        for symbol, cost in found.get(thread, {}).items():
            groups[group_of(symbol)] = groups.get(group_of(symbol), 0) + cost
        rows.append([thread, f"{sum(groups.values()):.0f}"])
        rows += [[f"- {group}", f"{cost:.1f}"] for group, cost in sorted(groups.items(), key=lambda g: -g[1]) if cost >= 0.5]
    print(report.table(["thread, part", "instructions a packet"], rows))
    most = sorted(((cost, symbol, thread) for thread, costs in found.items() for symbol, cost in costs.items()), reverse=True)
    print()
    print(report.table(["function", "instructions a packet"],
                       [[shown(symbol), f"{cost:.1f}"] for cost, symbol, _ in most[:functions]]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", nargs="*", help="bulk, mix, manyflows; all of them")
    parser.add_argument("--dissections", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of nfstreamd")
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--functions", type=int, default=15)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--inputs", type=pathlib.Path, default=ROOT / "build" / "bench-inputs")
    parser.add_argument("--corpus", type=pathlib.Path)
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is missing: packaging/install-dependencies bench")
    inputs = Inputs(arguments.inputs, arguments.build, arguments.corpus)
    settings = [f"metering.n_dissections={arguments.dissections}", *arguments.set]
    for name in arguments.input or FULL:
        with tempfile.TemporaryDirectory(dir=inputs.folder) as folder:
            folder = pathlib.Path(folder)
            counted = []
            for packets in (arguments.packets, 2 * arguments.packets):
                cut(inputs.path(name), packets, folder / "cut.pcap")
                counted.append(count(arguments.build, folder / "cut.pcap", settings, folder))
        tell(name, difference(counted[1], counted[0], arguments.packets), arguments.functions)


if __name__ == "__main__":
    main()
