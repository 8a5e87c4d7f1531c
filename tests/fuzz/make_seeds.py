#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the fuzzers' corpora began with, a folder for each target, in the layout that it takes: frames and files
of the golden captures, the example configuration and those of the unit tests, messages and requests that are made here.

usage: make_seeds.py FOLDER        tests/fuzz/grow does it, and merges what is new into the corpora
"""
import hashlib
import pathlib
import random
import re
import struct
import sys

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


def write(target, name, seed):
    folder = PLACE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-{hashlib.sha256(seed).hexdigest()[:8]}").write_bytes(seed)


def write_sessions(target, sessions):
    """Octet that chooses a collector, then each message behind its length."""
    for choice, messages in enumerate(sessions):
        write(target, "session", bytes([choice]) + b"".join(sized(message) for message in messages))


def sized(octets):
    return struct.pack(">H", len(octets)) + octets


def pcap(link_type, found, order="<", magic=0xa1b2c3d4, snapshot=65535, version=(2, 4)):
    head = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snapshot, link_type)
    return head + b"".join(struct.pack(order + "IIII", 1_700_000_000 + i, i, len(frame), wire) + frame
                           for i, (frame, wire) in enumerate(found))


def pcapng(link_type, found, order="<"):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = 12 + len(body)
        return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)

    def option(code, value):
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    end = struct.pack(order + "HH", 0, 0)
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(4, b"nfstreamd") + end)
    out += block(1, struct.pack(order + "HHI", link_type, 0, 65535) + option(9, b"\x09") + option(2, b"eth0") + end)
    for i, (frame, wire) in enumerate(found):
        if i % 3 == 2:
            out += block(3, struct.pack(order + "I", wire) + frame)
        else:
            time = 1_700_000_000_000_000_000 + i
            out += block(6, struct.pack(order + "IIIII", 0, time >> 32, time & 0xffffffff, len(frame), wire) + frame)
    return out + block(5, struct.pack(order + "III", 0, 0, 0) + end)


def capture_file_seeds(link_type, found):
    found = [(frame[:120], wire) for frame, wire in found[:4]]
    plain = pcap(link_type, found)
    yield b"\0" + plain
    yield b"\4" + pcap(link_type, found, order=">", snapshot=60)
    yield b"\10" + pcap(link_type, found, magic=0xa1b23c4d)
    yield b"\1" + plain[:-7]
    yield b"\0" + plain[:-7]
    yield b"\0" + pcapng(link_type, found)
    yield b"\1" + pcapng(link_type, found, order=">")
    yield b"\2" + sized(plain) + pcapng(link_type, found)
    yield b"\0" + pcap(link_type, found, magic=0xa1b2cd34)  # patched, with longer headers
    yield b"\0" + pcap(link_type, found, version=(2, 2))
    yield b"\0" + pcap(189, [(bytes(64) + frame, 64 + wire) for frame, wire in found])  # USB: libpcap's own


def meter_seeds(link_type, found):
    """Frames of a capture as the meter's fuzzer takes them, by two choices of options."""
    types = {1: 0, 12: 4, 113: 5, 276: 6}
    if link_type not in types:
        return
    for options in (bytes([0x7e, 5, types[link_type]]), bytes([0x01, 0x38, types[link_type] | 0x20]),
                    bytes([0x3b, 0x43, types[link_type]]), bytes([0x18, 0xc5, types[link_type]])):
        yield options + b"".join(
            bytes([20 if i % 7 else 0x94]) + struct.pack(">H", 10 + i) + sized(frame[:LONGEST])
            for i, (frame, _) in enumerate(found[:24]))


def config_seeds():
    root = HERE.parents[1]
    example = (root / "config" / "nfstreamd.yaml").read_text(encoding="utf-8")
    yield example
    yield re.sub(r"(?m)^( *)#(?! )", r"\1", example)  # with all that it leaves out
    for test in sorted((root / "tests" / "unit" / "config").glob("*_test.cpp")):
        source = test.read_text(encoding="utf-8")
        yield from re.findall(r'R"\((.*?)\)"', source, re.S)
        for literals in re.findall(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', source):  # those next to each other are one
            text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', literals))
            if ":" in text:
                yield text.encode("ascii", "ignore").decode("unicode_escape", "ignore")
    yield "exporters:\n  - {type: kafka, brokers: [a:1], topic: t, sasl: {username: u, password: !file secret}}\n%%\n" \
          "exporters:\n  - {type: csv, path: ${COLLECTOR}}\n%%\nmetering.idle_timeout=5s"
    yield "instance: a $${b} $$ $c\n"
    yield "instance: a\n%%\ncapture:\n  - interface: eth0\n    packet_sampling: {rate: 4}\n%%\nlog={level: debug}\n%%\n1"


def filter_seeds():
    """The expressions of the unit tests, right and wrong ones, and of each type of field."""
    test = HERE.parents[1] / "tests" / "unit" / "core" / "record" / "filter_expression_test.cpp"
    for text in re.findall(r'"((?:[^"\\\n]|\\.){4,})"', test.read_text(encoding="utf-8")):
        if re.search(r"[=<>~&|()\[]| in | contains |not ", text):
            yield text.replace('\\"', '"').replace("\\\\", "\\")
    yield "application_is_guessed"
    yield "not application_is_guessed and application_is_guessed != true"
    yield "application_is_guessed == perhaps"
    yield "dst_port < 5 or dst_port != 6 or dst_port = 7 or dst_port & 8 or #"
    yield "requested_server_name ~ " + "\u00fc" * 60
    yield "src_ip == " + "1" * 60
    yield "src_ip in [2001:db8::/33, 10.0.0.0/9]"
    yield "(" * 70


CONTROL = (b"status\n", b"flows\n", b"flows limit=5 sort=newest filter=dst_port == 443 and application_name == TLS\r\n",
           b"flows \xfflimit=0\n", b"resend-templates main\n", b"resend-templates \xff\xff\n", b"no\xffsuch\n\xffmore\n",
           b"x" * 8200, b"flows limit=4097\n", b"flows sort=colour\n", b"flows a\n", b"flows a=b\n", b"flows filter=(\n")
HTTP = (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1:9587\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", b"GET /status.json?a HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", b"GET /page.js HTTP/1.1\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"GET /\xff HTTP/1.1\xff\r\nHost: local\xffhost\r\n\r\n",
        b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01 no request", b"GET / HTTP/1.1\r\nX: " + b"y" * 8200, b"listen 127.0.0.1:9587", b"listen [::1]:80",
        b"listen localhost:1", b"listen :9", b"listen 1.2.3.4", b"listen ::1:80", b"listen [1.2.3.4]:80", b"listen a:70000")


def spool_seeds():
    anything = bytes(range(7, 40))
    for seed in range(24):
        entry = bytes([3, 4, seed, 0, 0, 0])
        yield bytes([0]) + entry * 3 + b"\7\0" + entry * 2 + b"\6\1" + sized(b"1 32 0 2")
        yield bytes([0]) + entry + bytes([4]) + sized(anything) + b"\7\1" + bytes([5]) + sized(b"nothing of ours")
        yield bytes([0]) + bytes([3, 3, seed, 0, seed * 9, seed]) + bytes([0, 2]) + sized(anything * 6) + b"\6\0" + sized(b"0")
        yield bytes([1]) + bytes([2]) + anything * 8
        yield bytes([3]) + bytes([2, seed]) + struct.pack(">HB", 17 * seed, seed)


def script_seeds():
    """Octets by chance: what a plugin does, and which octets of records are changed."""
    chance = random.Random(1)
    for length in (40, 120, 300) * 8:
        yield bytes([chance.randrange(0xf0), 0]) + chance.randbytes(length)


def main():
    for path in sorted((HERE.parent / "golden" / "captures").glob("**/*.pcap")):
        data = path.read_bytes()
        for seed in seeds(path):
            write("decode", path.stem, seed)
        link_type, found = frames(data)
        for seed in meter_seeds(link_type, found):
            write("meter", path.stem, seed)
    link_type, found = frames((HERE.parent / "golden" / "captures" / "dns.pcap").read_bytes())
    for seed in capture_file_seeds(link_type, found):
        write("capture_file", "capture", seed)
    for text in config_seeds():
        write("config", "text", text.encode())
    for text in filter_seeds():
        write("filter", "text", text.encode())
    for seed in CONTROL:
        write("control", "request", seed)
    for seed in HTTP:
        write("http", "request", seed)
    for seed in spool_seeds():
        write("spool", "folder", seed)
    for seed in script_seeds():
        write("plugin", "script", seed)
        write("export", "changes", seed)
    write_sessions("ipfix_reader", ipfix_sessions())
    write_sessions("netflow_reader", netflow_sessions())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    PLACE = pathlib.Path(sys.argv[1])
    main()
