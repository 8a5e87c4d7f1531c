#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/fuzz/corpus/decode from the golden captures: a few frames of each, in the fuzzer's layout; and
tests/fuzz/corpus/{ipfix,netflow}_reader from messages that are made here.

usage: make_seeds.py        run it when captures, the list of link types or the messages below change
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


def fields(*specifiers):
    """(id, length) or (id, length, enterprise number)."""
    return b"".join(struct.pack(">HH", s[0], s[1]) if len(s) == 2 else struct.pack(">HHI", s[0] | 0x8000, s[1], s[2])
                    for s in specifiers)


def a_set(number, *parts, align=1):
    body = b"".join(parts)
    body += bytes(-len(body) % align)
    return struct.pack(">HH", number, 4 + len(body)) + body


def template(number, *specifiers, scopes=None):
    counts = struct.pack(">HH", number, len(specifiers)) + (b"" if scopes is None else struct.pack(">H", scopes))
    return counts + fields(*specifiers)


def ipfix(*sets, sequence=0, domain=0):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body), 1_700_000_000, sequence, domain) + body


def netflow9(*sets, sequence=0):
    return struct.pack(">HHIIII", 9, len(sets), 100_000, 1_700_000_000, sequence, 7) + b"".join(sets)


def netflow5(count, sampling=0):
    record = bytes(range(48))
    return struct.pack(">HHIIIIHH", 5, count, 100_000, 1_700_000_000, 500, 0, 0x0102, sampling) + record * count


def ipfix_sessions():
    """Lists of messages: what each kind of Set, field and list looks like."""
    pen, reverse = 32473, 29305
    flow = template(256, (8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 8, reverse), (2, 8, reverse), (1, 8), (2, 8),
                    (152, 8), (153, 8), (6, 1), (96, 65535), (188, 65535, 35632))
    record = bytes([192, 0, 2, 1, 192, 0, 2, 2, 0xc3, 0x50, 1, 0xbb, 6]) + struct.pack(
        ">QQQQQQ", 200, 2, 300, 3, 1_700_000_000_000, 1_700_000_000_500) + b"\x1b\3TLS\5a.org"
    yield [ipfix(a_set(2, flow)), ipfix(a_set(256, record, record)), ipfix(a_set(256, record), sequence=5)]
    yield [ipfix(a_set(2, flow), a_set(256, record, bytes(3)), a_set(2, struct.pack(">HH", 256, 0))),
           ipfix(a_set(256, record))]
    kinds = template(300, (4, 1), (8, 4), (27, 16), (56, 6), (276, 1), (311, 4), (320, 8), (322, 4), (324, 8), (325, 8),
                     (434, 4), (95, 65535), (82, 8), (210, 3), (7, 2, pen), (0x4007, 2, pen))
    body = bytes(range(1, 1 + 1 + 4 + 16 + 6)) + b"\1" + bytes(4 + 8 + 4 + 8 + 8 + 4) + b"\4\x14\0\0\1eth0\0\0\0\0" + bytes(7)
    yield [ipfix(a_set(2, kinds)), ipfix(a_set(300, body))]
    lists = template(301, (291, 65535), (292, 65535), (293, 65535)) + template(302, (4, 1), (96, 65535))
    basic = b"\3" + fields((7, 2, pen)) + b"\0\1\0\2"
    sub = b"\4" + struct.pack(">H", 302) + b"\6\1a\x11\0"
    multi = b"\0" + struct.pack(">HH", 302, 7) + b"\1\1b" + struct.pack(">HH", 302, 6) + b"\1\0"
    nested = b"".join(bytes([len(part)]) + part for part in (basic, sub, multi))
    yield [ipfix(a_set(2, lists)), ipfix(a_set(301, nested))]
    types = template(400, (346, 4), (303, 2), (339, 1), (341, 65535), scopes=2)
    told = struct.pack(">IHB", pen, 7, 2) + b"\5speed"
    alien = template(303, (7, 2, pen), (291, 65535))
    yield [ipfix(a_set(2, alien), a_set(3, types)), ipfix(a_set(303, b"\0\1", bytes([len(basic)]), basic)),
           ipfix(a_set(400, told), sequence=1), ipfix(a_set(303, b"\0\1", bytes([len(basic)]), basic), sequence=2)]
    sampling = template(401, (302, 8), (304, 2), (305, 4), (306, 4), scopes=1)
    legacy = template(402, (149, 4), (34, 4), scopes=1)
    yield [ipfix(a_set(3, sampling + legacy)),
           ipfix(a_set(401, struct.pack(">QHII", 1, 1, 1, 99)), a_set(402, struct.pack(">II", 0, 100))),
           ipfix(a_set(3, struct.pack(">HH", 3, 0)), sequence=2)]


def netflow_sessions():
    flow = template(256, (8, 4), (12, 4), (2, 4), (1, 4), (22, 4), (21, 4), (23, 4), (24, 4), (4, 1), (57590, 2), (95, 4))
    record = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">IIIIIIBHI", 3, 300, 99_000, 99_500, 200, 2, 6, 91, 5)
    options = struct.pack(">HHH", 257, 8, 8) + fields((1, 4), (2, 2), (34, 4), (82, 6))
    told = bytes(4) + struct.pack(">HI", 5, 100) + b"eth0\0\0"
    yield [netflow9(a_set(0, flow, align=4)), netflow9(a_set(256, record, record, align=4), sequence=1)]
    yield [netflow9(a_set(1, options, align=4)), netflow9(a_set(257, told, align=4), sequence=4)]
    yield [netflow9(a_set(0, flow, align=4), a_set(1, options, align=4), a_set(256, record, align=4))]
    yield [netflow5(2), netflow5(1, 0x4000 | 100)]
    yield [netflow5(30)]


def write_sessions(name, sessions):
    """Octet that chooses a collector, then each message behind its length."""
    folder = HERE / "corpus" / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for choice, messages in enumerate(sessions):
        seed = bytes([choice]) + b"".join(struct.pack(">H", len(message)) + message for message in messages)
        (folder / f"session-{hashlib.sha256(seed).hexdigest()[:8]}").write_bytes(seed)


def main():
    folder = HERE / "corpus" / "decode"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for path in sorted((HERE.parent / "golden" / "captures").glob("*.pcap")):
        for seed in seeds(path):
            digest = hashlib.sha256(seed).hexdigest()[:8]
            (folder / f"{path.stem}-{digest}").write_bytes(seed)
    write_sessions("ipfix_reader", ipfix_sessions())
    write_sessions("netflow_reader", netflow_sessions())


if __name__ == "__main__":
    main()
