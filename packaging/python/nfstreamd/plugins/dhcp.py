# SPDX-License-Identifier: Apache-2.0
"""DHCP (RFC 2131, RFC 2132)."""
import enum
import ipaddress

from ..plugin import NFPlugin
from .octets import Reader, Truncated, udp_payload

SERVER_PORT = 67
MAGIC = bytes((99, 130, 83, 99))
PAD, END = 0, 255
HOST_NAME, REQUESTED_ADDRESS, MESSAGE_TYPE, PARAMETERS, LARGEST_MESSAGE, VENDOR_CLASS, USER_CLASS = \
    12, 50, 53, 55, 57, 60, 77


class MsgType(enum.Enum):
    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NACK = 6
    RELEASE = 7
    INFORM = 8


LAST = (MsgType.ACK, MsgType.NACK, MsgType.INFORM, MsgType.DECLINE)


class DHCP(NFPlugin):
    """What clients tell of themselves; a flow ends with its transaction.

    udps.dhcp_12 (host name), dhcp_57 (largest message), dhcp_60 (vendor class), dhcp_77 (user class) of any
    message; dhcp_50 (requested address), dhcp_55 (parameters wanted), dhcp_options (all that are there),
    dhcp_addr (address in use) and dhcp_oui of a REQUEST; dhcp_msg_type of the first message.
    """

    def on_init(self, packet, flow):
        for name in ("12", "50", "55", "57", "60", "77"):
            setattr(flow.udps, "dhcp_" + name, None)
        flow.udps.dhcp_options = []
        flow.udps.dhcp_addr = flow.udps.dhcp_msg_type = flow.udps.dhcp_oui = None
        self.on_update(packet, flow)

    def on_update(self, packet, flow):
        if flow.dst_port != SERVER_PORT:
            return
        try:
            client, hardware, options = _message(packet.ip_packet)
        except Truncated:
            return
        values = dict(options)
        kind = _kind(values.get(MESSAGE_TYPE))
        _note(flow.udps, values)
        if kind is MsgType.REQUEST:
            udps = flow.udps
            udps.dhcp_oui = hardware[:3].hex(":")
            udps.dhcp_options = [code for code, _ in options]
            udps.dhcp_55 = ",".join(map(str, values[PARAMETERS])) if PARAMETERS in values else None
            udps.dhcp_50 = _address(values[REQUESTED_ADDRESS]) if REQUESTED_ADDRESS in values else None
            if any(client):
                udps.dhcp_addr = _address(client)
        if kind in LAST or flow.src_ip == "0.0.0.0":
            flow.expiration_id = -1
        if flow.udps.dhcp_msg_type is None:
            flow.udps.dhcp_msg_type = kind


def _message(ip_packet):
    """Address and hardware address of the client, options in their order."""
    reader = Reader(udp_payload(ip_packet))
    reader.take(12)
    client = reader.take(4)
    reader.take(12)
    hardware = reader.take(16)
    reader.take(64 + 128)
    if reader.take(4) != MAGIC:
        raise Truncated
    options = []
    while reader.left():
        code = reader.number(1)
        if code == END:
            break
        if code != PAD:
            options.append((code, reader.sized(1).octets))
    return client, hardware, options


def _kind(octets):
    number = int.from_bytes(octets, "big") if octets else 0
    return MsgType(number) if 1 <= number <= 8 else 0


def _address(octets):
    return str(ipaddress.ip_address(int.from_bytes(octets, "big")))


def _text(octets):
    return octets.decode("utf-8", errors="replace")


def _note(udps, values):
    if values.get(HOST_NAME):
        udps.dhcp_12 = _text(values[HOST_NAME])
    if VENDOR_CLASS in values:
        udps.dhcp_60 = _text(values[VENDOR_CLASS])
    if USER_CLASS in values:
        udps.dhcp_77 = _text(values[USER_CLASS])
    if LARGEST_MESSAGE in values:
        udps.dhcp_57 = int.from_bytes(values[LARGEST_MESSAGE], "big")
