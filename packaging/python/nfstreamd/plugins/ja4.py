# SPDX-License-Identifier: Apache-2.0
"""JA4 and JA4S fingerprints of TLS hellos (FoxIO's definition, as far as nfstream goes)."""
import hashlib

from ..plugin import NFPlugin
from .octets import Reader, Truncated, tcp_payload, udp_payload

TCP, UDP = 6, 17
QUIC_PORTS = (80, 443)
HANDSHAKE = b"\x16\x03"
CLIENT_HELLO, SERVER_HELLO = 1, 2
SERVER_NAME, SIGNATURE_ALGORITHMS, ALPN, SUPPORTED_VERSIONS = 0x0000, 0x000d, 0x0010, 0x002b
NOTHING = "0" * 12


class JA4(NFPlugin):
    """udps.ja4 and udps.ja4s of flows over IPv4 that begin with a SYN; of hellos in one packet each."""

    def __init__(self, throw_warns=True):
        super().__init__(throw_warns=throw_warns)

    def on_init(self, packet, flow):
        udps = flow.udps
        udps.ja4 = udps.ja4s = None
        udps._looks_for = CLIENT_HELLO if packet.syn and not packet.ack else None
        udps._handshake = 1

    def on_update(self, packet, flow):
        udps = flow.udps
        if udps._looks_for is None:
            return
        found = fingerprint(packet, udps._looks_for)
        if udps._looks_for == CLIENT_HELLO and found:
            udps.ja4 = found
            udps._looks_for = SERVER_HELLO
        elif udps._looks_for == SERVER_HELLO and found:
            udps.ja4s = found
            udps._looks_for = None
            return
        # a client that sends something else after its handshake sends no hello
        if udps._handshake == 3 and udps.ja4 is None:
            udps._looks_for = None
        elif udps._handshake == 1 and packet.syn and packet.ack:
            udps._handshake = 2
        elif udps._handshake == 2 and packet.ack and not packet.syn:
            udps._handshake = 3

    def on_expire(self, flow):
        del flow.udps._looks_for, flow.udps._handshake


def fingerprint(packet, hello):
    """JA4 of a ClientHello or JA4S of a ServerHello; None when the packet has no such thing."""
    if packet.ip_version != 4:
        return None
    try:
        if packet.protocol == TCP:
            payload = tcp_payload(packet.ip_packet)
        elif packet.protocol == UDP and packet.dst_port in QUIC_PORTS:
            payload = udp_payload(packet.ip_packet)
        else:
            return None
        return _fingerprint(payload, hello)
    except Truncated:
        return None


def _fingerprint(payload, hello):
    reader = Reader(payload)
    record, kind = reader.take(5), reader.number(1)
    reader.take(3)
    version = reader.number(2)
    if not record.startswith(HANDSHAKE) or kind != hello or version >> 8 != 3:
        return None
    reader.take(32)
    reader.sized(1)
    if hello == CLIENT_HELLO:
        ciphers = _numbers(reader.sized(2))
        reader.sized(1)
    else:
        ciphers = [reader.number(2)]
        reader.number(1)
    extensions = _extensions(reader.sized(2)) if reader.left() else {}
    return (_client if hello == CLIENT_HELLO else _server)(version, ciphers, extensions)


def _client(version, ciphers, extensions):
    if SUPPORTED_VERSIONS in extensions:
        version = max(_plain(_numbers(Reader(extensions[SUPPORTED_VERSIONS]).sized(1))), default=version)
    ciphers = sorted(_plain(ciphers))
    kinds = _plain(extensions)
    named = "d" if SERVER_NAME in extensions else "i"
    head = f"t{_version(version)}{named}{_count(ciphers)}{_count(kinds)}{_protocol(extensions)}"
    tail = _list(sorted(kind for kind in kinds if kind not in (SERVER_NAME, ALPN)))
    if SIGNATURE_ALGORITHMS in extensions:
        algorithms = _plain(_numbers(Reader(extensions[SIGNATURE_ALGORITHMS]).sized(2)))
        if algorithms:
            tail += "_" + _list(algorithms)
    return f"{head}_{_digest(_list(ciphers))}_{_digest(tail)}"


def _server(version, ciphers, extensions):
    if SUPPORTED_VERSIONS in extensions:
        version = Reader(extensions[SUPPORTED_VERSIONS]).number(2)
    head = f"t{_version(version)}{_count(_plain(extensions))}{_protocol(extensions)}"
    return f"{head}_{_list(ciphers)}_{_digest(_list(extensions))}"


def _numbers(reader):
    return [reader.number(2) for _ in range(reader.left() // 2)]


def _extensions(reader):
    extensions = {}
    while reader.left():
        kind = reader.number(2)
        extensions[kind] = reader.sized(2).octets
    return extensions


def _plain(numbers):
    """Without those that only test a peer's tolerance (RFC 8701)."""
    return [number for number in numbers if number & 0x0f0f != 0x0a0a or number >> 8 != number & 0xff]


def _version(number):
    return f"{(number >> 8) - 2}{(number & 0xff) - 1}"


def _count(numbers):
    return f"{min(len(numbers), 99):02}"


def _list(numbers):
    return ",".join(f"{number:04x}" for number in numbers)


def _digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else NOTHING


def _protocol(extensions):
    """First and last character of the first protocol of ALPN."""
    if ALPN not in extensions:
        return "00"
    protocols = Reader(extensions[ALPN]).sized(2)
    if not protocols.left():
        return "00"
    text = protocols.sized(1).octets.decode("utf-8", errors="replace")
    return (text[0] + text[-1]).lower() if text else "00"
