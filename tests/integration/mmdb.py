# SPDX-License-Identifier: Apache-2.0
"""Writes MMDB files (MaxMind DB file format 2.0) of a few prefixes. Values are dicts, lists, text and numbers."""
import ipaddress
import struct

STRING, UINT16, UINT32, MAP, UINT64, LIST = 2, 5, 6, 7, 9, 11
WIDTH = {UINT16: 2, UINT32: 4, UINT64: 8}
GAP = b"\0" * 16


def control(kind, size):
    extension = bytes([kind - 7]) if kind > 7 else b""
    first = 0 if kind > 7 else kind << 5
    if size < 29:
        return bytes([first | size]) + extension
    return bytes([first | 29]) + extension + bytes([size - 29])


def encode(value):
    if isinstance(value, str):
        octets = value.encode()
        return control(STRING, len(octets)) + octets
    if isinstance(value, int):
        return encode((UINT32, value))
    if isinstance(value, tuple):  # a number of that type
        return control(value[0], WIDTH[value[0]]) + value[1].to_bytes(WIDTH[value[0]], "big")
    if isinstance(value, list):
        return control(LIST, len(value)) + b"".join(map(encode, value))
    return control(MAP, len(value)) + b"".join(encode(key) + encode(item) for key, item in value.items())


def database(kind, networks, build_epoch=1_700_000_000):
    """The octets of a file of type KIND; NETWORKS: prefix to value, shorter prefixes before those they hold."""
    nodes, data = [[None, None]], b""
    for prefix, value in networks.items():
        network = ipaddress.ip_network(prefix)
        length = network.prefixlen + (96 if network.version == 4 else 0)
        bits = f"{int(network.network_address):0128b}"[:length]
        node = 0
        for bit in map(int, bits[:-1]):
            if not isinstance(nodes[node][bit], int):
                nodes.append([nodes[node][bit]] * 2)
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][int(bits[-1])] = ("data", len(data))
        data += encode(value)
    tree = b""
    for record in (record for node in nodes for record in node):
        tree += struct.pack(">I", len(nodes) if record is None else record if isinstance(record, int)
                            else len(nodes) + len(GAP) + record[1])
    about = {"node_count": len(nodes), "record_size": (UINT16, 32), "ip_version": (UINT16, 6), "database_type": kind,
             "languages": ["en"], "binary_format_major_version": (UINT16, 2),
             "binary_format_minor_version": (UINT16, 0), "build_epoch": (UINT64, build_epoch),
             "description": {"en": "for tests"}}
    return tree + GAP + data + b"\xab\xcd\xefMaxMind.com" + encode(about)


def systems(networks, **options):
    """NETWORKS: prefix to (number, organization)."""
    return database("Test-ASN", {prefix: {"autonomous_system_number": number,
                                          "autonomous_system_organization": organization}
                                 for prefix, (number, organization) in networks.items()}, **options)


def countries(networks, **options):
    """NETWORKS: prefix to the two letters of its country."""
    return database("Test-Country", {prefix: {"country": {"iso_code": code}} for prefix, code in networks.items()},
                    **options)
