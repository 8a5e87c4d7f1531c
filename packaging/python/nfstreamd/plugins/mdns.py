# SPDX-License-Identifier: Apache-2.0
"""Multicast DNS (RFC 6762, messages of RFC 1035)."""
from ..plugin import NFPlugin
from .octets import Reader, Truncated, udp_payload

PORT = 5353
PTR = 12
MOST_JUMPS = 64  # of compressed names


class MDNS(NFPlugin):
    """udps.mdns_ptr: the names that PTR answers tell, each once, in the order they came; a comma becomes a space."""

    def on_init(self, packet, flow):
        flow.udps.mdns_ptr = []
        self.on_update(packet, flow)

    def on_update(self, packet, flow):
        if flow.dst_port != PORT or packet.ip_version != 4:
            return
        try:
            names = list(_pointers(udp_payload(packet.ip_packet)))
        except Truncated:
            return
        for name in names:
            name = name.replace(",", " ")
            if name not in flow.udps.mdns_ptr:
                flow.udps.mdns_ptr.append(name)


def _pointers(message):
    reader = Reader(message)
    reader.take(4)
    questions, answers = reader.number(2), reader.number(2)
    reader.take(4)
    for _ in range(questions):
        _name(reader)
        reader.take(4)
    for _ in range(answers):
        _name(reader)
        kind = reader.number(2)
        reader.take(6)
        data = reader.number(2)
        begin = reader.at
        reader.take(data)
        if kind == PTR:
            value = Reader(message)
            value.at = begin
            yield _name(value)


def _name(reader):
    labels, jumps, after = [], 0, None
    while True:
        length = reader.number(1)
        if length == 0:
            break
        if length >= 0xc0:
            to = (length & 0x3f) << 8 | reader.number(1)
            after = reader.at if after is None else after
            jumps += 1
            if jumps > MOST_JUMPS:
                raise Truncated
            reader.at = to
        elif length >= 0x40:
            raise Truncated
        else:
            labels.append(reader.take(length).decode("utf-8", errors="replace"))
    if after is not None:
        reader.at = after
    return ".".join(labels)
