#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares nfstreamd's own plugins with plugins_model.py, nfstream's plugins written a second time.

usage: run_plugins.py NFSTREAMD [CORPUS [EVERY]]

The captures are those of captures/, made-up ones and, where there is a CORPUS, its own (with EVERY only each
so-manieth). Dissection is off.
"""
import csv
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

import model
import plugins_model

HERE = pathlib.Path(__file__).resolve().parent
NOT_EQUAL = {"c_qinq.pcap"}  # nfstream does not decode it, nfstreamd does
RUNS = (("slicer", {"limit": 1}), ("slicer", {"limit": 7}), ("splt", {"sequence_length": 7, "accounting_mode": 1}),
        ("splt", {"sequence_length": 255, "accounting_mode": 3}), ("dhcp", {}), ("mdns", {}), ("ja4", {}),
        ("wfeatures", {"active_timeout": 1800, "levels": 5}), ("wfeatures", {"active_timeout": 2, "levels": 3}))
KEYS = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "vlan_id", "tunnel_id", "bidirectional_first_seen_ms",
        "bidirectional_last_seen_ms", "bidirectional_packets", "bidirectional_bytes", "expiration_id")


# ---- made-up captures ----

def ip_frame(source, destination, protocol, payload):
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, bytes(source),
                         bytes(destination))
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + header + payload


def udp_frame(source, source_port, destination, destination_port, payload):
    return ip_frame(source, destination, 17,
                    struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload)


def tcp_frame(source, source_port, destination, destination_port, flags, payload=b""):
    return ip_frame(source, destination, 6, struct.pack(">HHIIBBHHH", source_port, destination_port, 1, 1, 0x50, flags,
                                                        1000, 0, 0) + payload)


def option(number, value):
    return bytes((number, len(value))) + value


def dhcp_frames():
    def message(options, client=b"\0" * 4, hardware=6, source=(10, 0, 0, 5), port=68):
        body = bytes((1, 1, hardware, 0)) + b"\1\2\3\4" + b"\0" * 4 + client + b"\0" * 12
        body += bytes.fromhex("02ab9c010203") + b"\0" * (202) + b"\x63\x82\x53\x63"
        return udp_frame(source, port, (10, 0, 0, 1), 67, body + options)

    def of(kind):
        return option(53, bytes((kind,)))

    ask = of(3) + option(50, bytes((10, 0, 0, 77))) + option(55, bytes((1, 3, 6))) + option(12, b"caf\xc3\xa9")
    yield message(of(1) + option(12, b"") + option(60, b"MSFT 5.0") + b"\xff", source=(0, 0, 0, 0))
    yield message(ask + b"\xff", source=(0, 0, 0, 0))
    yield message(ask + option(57, b"\x05\xdc") + option(77, b"us\xff\xc3er") + b"\0\0\xff", client=bytes((10, 0, 0, 5)))
    yield message(of(3) + b"\xff")  # the same flow: what the one before asked for is gone
    for kind in (7, 4, 2, 8, 5, 6):
        yield message(of(kind) + b"\xff", port=1000 + kind)
        yield message(ask, port=1000 + kind)
    yield message(of(9) + ask, port=2000)           # no type
    yield message(ask + b"\x37", port=2001)          # cut off
    yield message(ask + b"\x0c\x20abc", port=2002)   # longer than what there is
    yield message(b"\xff", port=2003)                # without a type
    yield message(ask, hardware=16, port=2004)
    yield udp_frame((10, 0, 0, 5), 2005, (10, 0, 0, 1), 67, b"short")
    yield udp_frame((10, 0, 0, 1), 67, (10, 0, 0, 5), 68, b"x" * 300)  # a flow to port 68


def mdns_frames():
    def name(*labels):
        return b"".join(bytes((len(label),)) + label for label in labels)

    def record(owner, kind, data):
        return owner + struct.pack(">HHIH", kind, 1, 120, len(data)) + data

    def message(answers, more=b"", counts=(0, 0), questions=()):
        body = struct.pack(">HHHHHH", 0, 0x8400, len(questions), len(answers), *counts)
        return body + b"".join(questions) + b"".join(answers) + more

    service = name(b"_ipp", b"_tcp", b"local") + b"\0"
    to_service = b"\xc0\x0c"
    pointer = record(service, 12, name(b"Printer, big") + to_service)
    again = record(to_service, 12, name(b"it's \"this\"") + to_service)
    bad = record(to_service, 12, name(b"\xff\xe2\x82x\xe2\x82\xac\t\x01\\") + b"\0")
    server = record(to_service, 33, b"\0\0\0\0\2\x77" + name(b"host") + to_service)
    messages = [message([pointer, again]), message([pointer, bad]), message([pointer], server, (0, 1)),
                message([pointer, record(b"\xc0\xff", 12, b"\0")]),  # forward: the whole is left out
                message([record(service, 12, b"\xc0\x0c")], questions=()),
                message([record(name(b"q") + b"\0", 12, name(b"other") + b"\0")], b"", (0, 0),
                        (name(b"q") + b"\0\0\x0c\0\1",)),
                message([pointer])[:-5], message([pointer, again])[:30], b"\0" * 11, b"\0" * 12,
                message([record(service, 12, name(b"x" * 63, b"y" * 63, b"z" * 63, b"w" * 62) + b"\0")])]
    for port, data in enumerate(messages, 1024):
        yield udp_frame((10, 0, 0, 9), port, (224, 0, 0, 251), 5353, data)
    for data in messages:  # and all of one flow
        yield udp_frame((10, 0, 0, 9), 5353, (224, 0, 0, 251), 5353, data)
        yield udp_frame((224, 0, 0, 251), 5353, (10, 0, 0, 9), 5353, data)


def hello(kind, extensions, ciphers=b"\x0a\x0a\x13\x01\x13\x02\xc0\x2b", version=b"\x03\x03"):
    body = version + b"r" * 32 + b"\x04sess"
    body += (struct.pack(">H", len(ciphers)) + ciphers + b"\x01\0") if kind == 1 else b"\x13\x01\0"
    if extensions is not None:
        packed = b"".join(struct.pack(">HH", number, len(data)) + data for number, data in extensions)
        body += struct.pack(">H", len(packed)) + packed
    body = bytes((kind,)) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + struct.pack(">H", len(body)) + body


def tls_frames():
    client, server = (10, 0, 0, 2), (192, 0, 2, 9)
    algorithms = (13, b"\0\x06\x04\x03\x08\x04\x04\x01")
    versions = (43, b"\x06\x1a\x1a\x03\x04\x03\x03")
    usual = [(0x2a2a, b""), (0, b"\0\5\0\0\2ab"), algorithms, (16, b"\0\x0c\x02h2\x08http/1.1"), versions, (10, b"\0\2\0\x1d")]
    hellos = [hello(1, usual), hello(1, [algorithms]), hello(1, [algorithms, (16, b"\0\0")]),
              hello(1, [(0x1a1a, b""), (0x3a3a, b""), algorithms, (43, b"\x08\x1a\x1a\x2a\x2a\x03\x04\x03\x03")]),
              hello(1, [algorithms, (16, b"\0\2\1x")], version=b"\x03\x01"), hello(1, []), hello(1, None),
              hello(1, usual)[:-3], hello(1, usual)[:80], hello(1, usual)[:20],
              hello(1, [algorithms] * 3, ciphers=b""), hello(1, [(13, b"\0\5\1")]), hello(1, [algorithms, (16, b"\0\3\2\xff\xfe")]),
              hello(1, [algorithms, (16, "\0\7\6ÄbcdÖ".encode())]),
              hello(1, usual, ciphers=b"".join(struct.pack(">H", n) for n in range(1, 150))),
              hello(1, [(number, b"") for number in range(200, 320)] + [algorithms]),
              hello(2, usual), b"\x17" + hello(1, usual)[1:]]
    answers = [hello(2, [(43, b"\x03\x04"), (51, b"key")]), hello(2, [(16, b"\0\x03\x02h2"), (0xff01, b"\0")]),
               hello(2, []), hello(2, None), hello(2, [(43, b"\x03")])]
    port = 20000
    for number, data in enumerate(hellos):
        port += 1
        answer = answers[number % len(answers)]
        yield tcp_frame(client, port, server, 443, 2)
        yield tcp_frame(server, 443, client, port, 0x12)
        yield tcp_frame(client, port, server, 443, 0x10)
        if number % 3 == 2:
            yield tcp_frame(client, port, server, 443, 0x10)  # then the hello comes too late
        yield tcp_frame(client, port, server, 443, 0x18, data)
        yield tcp_frame(server, 443, client, port, 0x10)
        yield tcp_frame(server, 443, client, port, 0x18, answer)
        yield tcp_frame(server, 443, client, port, 0x18, answers[0])
    for number, answer in enumerate(answers):
        port += 1
        yield tcp_frame(client, port, server, 443, 2)
        yield tcp_frame(client, port, server, 443, 0x18, hellos[0])  # before any answer
        yield tcp_frame(server, 443, client, port, 0x18, answer)
    yield tcp_frame(client, 19999, server, 443, 0x18, hellos[0])  # no SYN


def write_capture(path, frames):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for number, frame in enumerate(frames):
            out.write(struct.pack("<IIII", 1_700_000_000 + number // 100, number % 100 * 10_000, len(frame),
                                  len(frame)) + frame)


# ---- comparison ----

def same(have, want):
    if isinstance(want, float):
        return math.isclose(float(have), want, rel_tol=1e-6, abs_tol=1e-6)
    return have == str(want)


def compare(nfstreamd, capture, name, plugin_settings, folder):
    """The differences of one run, and how many values were given."""
    settings = model.Settings(active_timeout=plugin_settings.get("active_timeout", 1800))
    meter = plugins_model.Meter(settings, name, plugin_settings)
    for frame in model.read_capture(capture):
        meter.take_frame(*frame)
    wanted = meter.end()
    out = pathlib.Path(folder) / "flows.csv"
    out.unlink(missing_ok=True)
    subprocess.run([nfstreamd, "-r", capture, "-w", out, "--set", "metering.n_dissections=0",
                    "--set", f"metering.active_timeout={settings.active_timeout}",
                    "--set", f"plugins=[{{name: {name}, settings: {json.dumps(plugin_settings)}}}]"],
                   check=True, stderr=subprocess.PIPE, text=True, timeout=120)
    with open(out, newline="", encoding="utf-8") as text:
        have = list(csv.DictReader(text))

    def ordered(rows):
        return sorted(rows, key=lambda row: [str(row[key]) for key in KEYS])

    if len(have) != len(wanted):
        return [f"{len(have)} flows, not {len(wanted)}"], 0
    wrong, given = [], 0
    for row, want in zip(ordered(have), ordered(wanted)):
        columns = [*KEYS, *(column for column in want if column.startswith("udps."))]
        given += sum(want[column] not in ("", "[]") for column in columns[len(KEYS):])
        wrong += [f"{want['src_ip']}:{want['src_port']} > {want['dst_ip']}:{want['dst_port']} {column}: {row[column]!r}, "
                  f"not {want[column]!r}" for column in columns if not same(row[column], want[column])]
    return wrong, given


def main():
    nfstreamd = pathlib.Path(sys.argv[1]).resolve()
    captures = [path for path in sorted((HERE / "captures").glob("*.pcap")) if path.name not in NOT_EQUAL]
    if len(sys.argv) > 2 and pathlib.Path(sys.argv[2]).is_dir():
        every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
        found = sorted(path for path in pathlib.Path(sys.argv[2]).glob("nfstream/captures/*") if path.stat().st_size < 1 << 21)
        # all that have what the plugins look for, of the others some
        captures += [path for number, path in enumerate(found)
                     if number % every == 0 or any(word in path.name for word in ("dhcp", "mdns", "tls"))]
    failures, values = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in (("made_dhcp", dhcp_frames()), ("made_mdns", mdns_frames()), ("made_tls", tls_frames())):
            path = pathlib.Path(folder) / f"{name}.pcap"
            write_capture(path, frames)
            captures.append(path)
        for capture in captures:
            for name, plugin_settings in RUNS:
                wrong, given = compare(nfstreamd, capture, name, plugin_settings, folder)
                values[name] = values.get(name, 0) + given
                if wrong:
                    failures += 1
                    print(f"{capture.name} {name} {plugin_settings}:", *wrong[:5], sep="\n  ")
    missing = [name for name in plugins_model.PLUGINS if name != "slicer" and values.get(name, 0) < 5]
    if missing:
        print("hardly any value of", *missing)
    print(f"{len(captures)} captures, {len(RUNS)} runs each, {failures} differ;",
          ", ".join(f"{name} {count}" for name, count in values.items()), "values")
    return 1 if failures or missing else 0


if __name__ == "__main__":
    sys.exit(main())
