#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One-packet flows with running numbers, at a rate; and the numbers that IPFIX messages tell of.

usage: flows.py DEVICE RATE FIRST COUNT    sends them; a flow's number is the lower three octets of its source address
"""
import re
import socket
import struct
import sys
import time

TICK = 0.005  # seconds
VARIABLE = 65535
SOURCE_ADDRESS = (8, 0)  # sourceIPv4Address, no enterprise number


def frame():
    payload = b"x" * 12
    udp = struct.pack(">HHHH", 40000, 9999, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x0a\0\0\0", b"\xc0\0\x02\x01")
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp


def send(device, rate, first, count):
    whole = frame()
    before, after = whole[:27], whole[30:]
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((device, 0))
    begin, number, end = time.monotonic(), first, first + count
    while number < end:
        due = min(end, first + int((time.monotonic() - begin) * rate))
        while number < due:
            link.send(before + number.to_bytes(3, "big") + after)
            number += 1
        time.sleep(TICK)


class BrokenSession(Exception):
    """What a collector got breaks a rule that it relies on."""


class _Template:
    """Runs of octets of fixed length, one of variable length between each two, and where the number is."""

    def __init__(self, octets, at, count):
        self.runs, self.run, self.offset = [0], None, 0
        for _ in range(count):
            number, length = struct.unpack_from(">HH", octets, at)
            at += 4
            enterprise = 0
            if number & 0x8000:
                enterprise, number = struct.unpack_from(">I", octets, at)[0], number & 0x7fff
                at += 4
            if (number, enterprise) == SOURCE_ADDRESS and self.run is None:
                self.run, self.offset = len(self.runs) - 1, self.runs[-1]
            if length == VARIABLE:
                self.runs.append(0)
            else:
                self.runs[-1] += length
        self.end = at
        self.shortest = sum(self.runs) + len(self.runs) - 1

    def read(self, octets, at, end, numbers):
        """Appends the numbers in a Set; returns how many records it has."""
        count = 0
        while end - at >= self.shortest:
            for index, length in enumerate(self.runs):
                if index:
                    variable = octets[at]
                    at += 1
                    if variable == 255:
                        variable = octets[at] << 8 | octets[at + 1]
                        at += 2
                    at += variable
                if index == self.run:
                    place = at + self.offset
                    numbers.append(octets[place + 1] << 16 | octets[place + 2] << 8 | octets[place + 3])
                at += length
            count += 1
        if at > end:
            raise BrokenSession("a record is longer than its Set")
        return count


def _messages(octets):
    """Begin, end and sequence number of each; the last one may be cut off."""
    at = 0
    while len(octets) - at >= 16:
        version, length, _, sequence, _ = struct.unpack_from(">HHIII", octets, at)
        if version != 10 or length < 16:
            raise BrokenSession(f"no message at octet {at}")
        if at + length > len(octets):
            return
        yield at, at + length, sequence
        at += length


def _sets(octets, begin, end):
    at = begin + 16
    while end - at >= 4:
        set_id, length = struct.unpack_from(">HH", octets, at)
        if length < 4 or at + length > end:
            raise BrokenSession(f"a Set of {length} octets")
        yield set_id, at + 4, at + length
        at += length


def read_session(octets):
    """The numbers of the flows of one transport session over a stream (RFC 7011), in their order: templates are there
    before their data, sequence numbers begin at 0 and have no gap."""
    numbers, templates, expected = [], {}, 0
    for begin, end, sequence in _messages(octets):
        if sequence != expected:
            raise BrokenSession(f"sequence number {sequence} instead of {expected} at octet {begin}")
        for set_id, at, stop in _sets(octets, begin, end):
            if set_id in (2, 3):
                _learn(octets, at, stop, set_id == 3, templates)
            elif set_id not in templates:
                raise BrokenSession(f"data of template {set_id}, which was not told in this session")
            else:
                expected += templates[set_id].read(octets, at, stop, numbers)
    return numbers


def read_datagrams(octets):
    """The numbers of the flows, by the templates that came at some time."""
    numbers, templates = [], {}
    sets = [found for begin, end, _ in _messages(octets) for found in _sets(octets, begin, end)]
    for set_id, at, stop in sets:
        if set_id in (2, 3):
            _learn(octets, at, stop, set_id == 3, templates)
    for set_id, at, stop in sets:
        if set_id not in (2, 3):
            templates[set_id].read(octets, at, stop, numbers)
    return numbers


def read_lines(octets):
    """The numbers of the flows in JSON lines; the last one may be cut off."""
    whole = octets[:octets.rfind(b"\n") + 1]
    return [int(high) << 16 | int(middle) << 8 | int(low)
            for high, middle, low in re.findall(rb'"src_ip":\s*"10\.(\d+)\.(\d+)\.(\d+)"', whole)]


def _learn(octets, at, end, options, templates):
    header = 6 if options else 4
    while end - at >= header:
        number, count = struct.unpack_from(">HH", octets, at)
        if number < 256:
            return
        template = _Template(octets, at + header, count)
        templates[number] = template
        at = template.end


if __name__ == "__main__":
    send(sys.argv[1], *map(int, sys.argv[2:]))
