#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets per second and memory of nfstreamd beside a no-op libpcap reader, and softflowd if it is there.

usage: run.py [--build DIR] [--input CAPTURE] [--flows N] [--packets N] [--rounds N]

Without --input a capture is made: N flows, half DNS and half HTTP, their packets interleaved. Programs take
turns, so that a busy moment of the host hits all of them; medians of CPU time are printed.
"""
import argparse
import os
import pathlib
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
QUERY = bytes.fromhex("123401000001000000000000") + b"\3www\7example\3org\0\0\1\0\1"
REQUEST = b"GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: bench\r\n\r\n"


def frame(index, forward, first):
    """One Ethernet frame of flow INDEX: even ones are UDP to port 53, odd ones TCP to port 80."""
    client, server = socket.inet_aton(f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}"), b"\xc0\x00\x02\x01"
    ports = (1024 + index % 60000, 53 if index % 2 == 0 else 80)
    if index % 2 == 0:
        body = QUERY
        transport = struct.pack(">HHHH", *(ports if forward else ports[::-1]), 8 + len(body), 0)
        protocol = 17
    else:
        body = REQUEST if forward and first else b"x" * 400
        transport = struct.pack(">HHIIBBHHH", *(ports if forward else ports[::-1]), 1, 1, 0x50, 0x18, 8192, 0, 0)
        protocol = 6
    source, destination = (client, server) if forward else (server, client)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(transport) + len(body), 0, 0, 64, protocol, 0, source,
                     destination)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + transport + body


def make_capture(path, flows, packets):
    rounds = max(1, packets // flows)
    number = 0
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for turn in range(rounds):
            for index in range(flows):
                data = frame(index, turn % 2 == 0, turn == 0)
                number += 1
                out.write(struct.pack("<IIII", 1_700_000_000 + number // 50_000, number % 50_000 * 20,
                                      len(data), len(data)))
                out.write(data)


def measure(command):
    """CPU seconds, wall seconds and peak memory in octets of one run."""
    started = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: status {process.returncode}\n{error.decode()}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss * 1024


def nfstreamd(build, capture, dissections):
    return [build / "nfstreamd", "-r", capture, "-w", "/dev/null", "--format", "csv",
            "--set", f"metering.n_dissections={dissections}", "--set", "metering.idle_timeout=100000"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--input", type=pathlib.Path)
    parser.add_argument("--flows", type=int, default=20_000)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        noop = pathlib.Path(folder, "noop")
        subprocess.run(["cc", "-O2", "-o", noop, HERE / "noop.c", "-lpcap"], check=True)
        capture = arguments.input
        if capture is None:
            capture = pathlib.Path(folder, "bench.pcap")
            make_capture(capture, arguments.flows, arguments.packets)
        one = pathlib.Path(folder, "one.pcap")
        make_capture(one, 1, 1)
        packets = int(subprocess.run([noop, capture], check=True, capture_output=True, text=True).stdout.split()[1])

        programs = {"no-op reader": [noop, capture],
                    "nfstreamd, no dissection": nfstreamd(arguments.build, capture, 0),
                    "nfstreamd, 20 dissections": nfstreamd(arguments.build, capture, 20)}
        if shutil.which("softflowd"):
            programs["softflowd"] = ["softflowd", "-r", capture, "-n", "127.0.0.1:9", "-m", "2000000"]
        results = {name: [] for name in programs}
        for _ in range(arguments.rounds):
            for name, command in programs.items():
                results[name].append(measure(command))

        print(f"{packets} packets, {arguments.rounds} rounds, medians")
        print(f"{'':28}{'CPU s':>8}{'wall s':>8}{'packets/s CPU':>15}{'x no-op':>9}{'peak MiB':>10}")
        base = statistics.median(cpu for cpu, _, _ in results["no-op reader"])
        for name, rows in results.items():
            cpu, wall, memory = (statistics.median(column) for column in zip(*rows))
            print(f"{name:28}{cpu:8.2f}{wall:8.2f}{packets / cpu:15,.0f}{cpu / base:9.2f}{memory / 2**20:10.1f}")
        if arguments.input is None:
            for dissections in (0, 20):
                rest = measure(nfstreamd(arguments.build, one, dissections))[2]
                full = measure(nfstreamd(arguments.build, capture, dissections))[2]
                print(f"memory per flow, {dissections} dissections: {(full - rest) / arguments.flows:.0f} octets")


if __name__ == "__main__":
    main()
