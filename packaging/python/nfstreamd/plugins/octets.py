# SPDX-License-Identifier: Apache-2.0
"""Reading protocols in the octets of an IP packet."""

UDP_HEADER = 8


class Truncated(Exception):
    """There is less than a header says."""


class Reader:
    """Takes numbers and octets from the front."""

    def __init__(self, octets):
        self.octets = octets
        self.at = 0

    def left(self):
        return len(self.octets) - self.at

    def take(self, count):
        if count > self.left():
            raise Truncated
        self.at += count
        return self.octets[self.at - count:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def sized(self, size):
        """A reader of as many octets as the number of that size in front of them says."""
        return Reader(self.take(self.number(size)))


def transport(ip_packet):
    """What an IPv4 packet carries."""
    header = (ip_packet[0] & 15) * 4 if ip_packet else 0
    if header < 20 or len(ip_packet) < header:
        raise Truncated
    total = int.from_bytes(ip_packet[2:4], "big")
    return ip_packet[header:total] if total >= header else ip_packet[header:]


def tcp_payload(ip_packet):
    segment = transport(ip_packet)
    if len(segment) < 20:
        raise Truncated
    return segment[(segment[12] >> 4) * 4:]


def udp_payload(ip_packet):
    return Reader(transport(ip_packet)).octets[UDP_HEADER:]
