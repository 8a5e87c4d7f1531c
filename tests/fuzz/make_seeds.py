#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/fuzz/corpus/decode from the golden captures: a few frames of each, in the fuzzer's layout.

usage: make_seeds.py        run it when captures or the list of link types change
"""
import hashlib
import pathlib
import re
import struct

HERE = pathlib.Path(__file__).resolve().parent
FRAMES_PER_CAPTURE = 2
LONGEST = 400  # octets of a frame: headers are in front


def link_types():
    """The fuzzer's table, so that a seed chooses the link type its capture has."""
    source = (HERE / "decode_fuzzer.cpp").read_text(encoding="utf-8")
    numbers = re.search(r"kLinkTypes\[\] = \{([^}]*)\}", source).group(1)
    return [int(number) for number in numbers.split(",")]


def frames(data):
    """Link type and frames of a pcap file of either byte order and precision."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link_type = struct.unpack(order + "I", data[20:24])[0] & 0xffff
    link_type = {101: 12}.get(link_type, link_type)  # RAW is 12 once libpcap has read it
    found, offset = [], 24
    while offset + 16 <= len(data):
        captured, wire = struct.unpack(order + "II", data[offset + 8:offset + 16])
        found.append((data[offset + 16:offset + 16 + captured], wire))
        offset += 16 + captured
    return link_type, found


def seeds(path):
    link_type, found = frames(path.read_bytes())
    types = link_types()
    if link_type not in types:
        return
    # captures made for the tests have another kind of packet every few frames
    chosen = found[::2] if path.stem.startswith("t_") else found[:FRAMES_PER_CAPTURE]
    for frame, wire in chosen:
        for tunnels in (16, 64):  # nfstream's, all
            options = types.index(link_type) | tunnels
            yield bytes([options, min(wire - len(frame), 255)]) + frame[:LONGEST]


def main():
    folder = HERE / "corpus" / "decode"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for path in sorted((HERE.parent / "golden" / "captures").glob("*.pcap")):
        for seed in seeds(path):
            digest = hashlib.sha256(seed).hexdigest()[:8]
            (folder / f"{path.stem}-{digest}").write_bytes(seed)


if __name__ == "__main__":
    main()
