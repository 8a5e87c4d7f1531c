# SPDX-License-Identifier: Apache-2.0
"""IPFIX messages and NetFlow packets put together field by field, good and bad, without any code of ours."""
import struct


def fields(*specifiers):
    """(id, length) or (id, length, enterprise number)."""
    return b"".join(struct.pack(">HH", s[0], s[1]) if len(s) == 2 else struct.pack(">HHI", s[0] | 0x8000, s[1], s[2])
                    for s in specifiers)


def a_set(number, *records):
    body = b"".join(records)
    return struct.pack(">HH", number, 4 + len(body)) + body


def template(number, *specifiers):
    return struct.pack(">HH", number, len(specifiers)) + fields(*specifiers)


def options_template(number, scopes, *specifiers):
    return struct.pack(">HHH", number, len(specifiers), scopes) + fields(*specifiers)


def message(*sets, sequence=0, domain=0, time=1000, version=10, length=None):
    body = b"".join(sets)
    return struct.pack(">HHIII", version, 16 + len(body) if length is None else length, time, sequence, domain) + body


def v9(*sets, count=1, sequence=0, source=0, uptime=100_000, time=1000):
    return struct.pack(">HHIIII", 9, count, uptime, time, sequence, source) + b"".join(sets)


def v5(*records, count=None, sequence=0, sampling=0, uptime=100_000):
    return struct.pack(">HHIIIIHH", 5, len(records) if count is None else count, uptime, 1000, 5, sequence, 0,
                       sampling) + b"".join(records)


def v5_record(first=1000, last=2000, pad=0):
    return (bytes([192, 0, 2, 1, 192, 0, 2, 2, 0, 0, 0, 0]) + struct.pack(">HHIIIIHH", 1, 2, 10, 1000, first, last, 80, 443)
            + bytes([pad, 0x1b, 6, 0]) + struct.pack(">HHBBH", 0, 0, 24, 24, 0))
