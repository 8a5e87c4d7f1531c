# SPDX-License-Identifier: Apache-2.0
"""nfstream's metering, written a second time and from its description alone: decoding, flow key, counters,
statistics, first packets, expiry with the creation-ordered cache and its 10 ms scan. Slow, literal, and without
layer 7. Rows are dictionaries by nfstream's column names."""
import collections
import math
import socket
import struct

FLAGS = ("syn", "cwr", "ece", "urg", "ack", "psh", "rst", "fin")  # in nfstream's order
FLAG_BITS = (0x02, 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x01)
SCOPES = ("bidirectional", "src2dst", "dst2src")
IPV4 = 0x0800
EN10MB, NULL, PPP, RAW_BSD, RAW, PPP_SERIAL, C_HDLC, LINUX_SLL, RADIO, DLT_IPV4, DLT_IPV6 = (
    1, 0, 9, 12, 101, 50, 104, 113, 127, 228, 229)

Settings = collections.namedtuple(
    "Settings", "accounting_mode decode_tunnels idle_timeout active_timeout statistical_analysis splt_analysis",
    defaults=(0, True, 120, 1800, False, 0))

Packet = collections.namedtuple(
    "Packet", "source destination source_port destination_port protocol vlan tunnel version source_mac destination_mac "
              "sizes flags")


# ---- captures ----

def read_capture(path):
    """The frames of a pcap or pcapng file: (link type, time in ms, captured octets, length on the wire)."""
    with open(path, "rb") as capture:
        data = capture.read()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return list(pcapng(data))
    return list(pcap(data))


def pcap(data):
    orders = {b"\xd4\xc3\xb2\xa1": ("<", 1), b"\xa1\xb2\xc3\xd4": (">", 1),
              b"\x4d\x3c\xb2\xa1": ("<", 1000), b"\xa1\xb2\x3c\x4d": (">", 1000)}
    order, per_us = orders[data[:4]]
    minor, link_type = struct.unpack_from(order + "H", data, 6)[0], struct.unpack_from(order + "I", data, 20)[0]
    offset = 24
    while offset + 16 <= len(data):
        # as libpcap reads it: a signed fraction, and lengths the other way round in old files
        seconds, fraction, captured, length = struct.unpack_from(order + "IiII", data, offset)
        if minor < 3 or minor == 3 and captured > length:
            captured, length = length, captured
        offset += 16
        if offset + captured > len(data):
            return
        yield (link_type & 0xffff, seconds * 1000 + int(fraction / per_us / 1000), data[offset:offset + captured],
               length)
        offset += captured


def pcapng(data):
    offset, order, interfaces = 0, "<", []
    while offset + 12 <= len(data):
        if data[offset:offset + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[offset + 8:offset + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack_from(order + "II", data, offset)
        if size < 12 or offset + size > len(data):
            return
        body = data[offset + 8:offset + size - 4]
        if kind == 1:
            interfaces.append((struct.unpack_from(order + "H", body)[0], units_per_second(body[8:], order)))
        elif kind == 6:
            which, high, low, captured, length = struct.unpack_from(order + "IIIII", body)
            link_type, units = interfaces[which]
            yield link_type, (high << 32 | low) * 1000 // units, body[20:20 + captured], length
        offset += size


def units_per_second(options, order):
    while len(options) >= 4:
        code, length = struct.unpack_from(order + "HH", options)
        if code == 9 and length == 1:
            resolution = options[4]
            return 2 ** (resolution & 0x7f) if resolution & 0x80 else 10 ** resolution
        options = options[4 + (length + 3) // 4 * 4:]
    return 10 ** 6


# ---- decoding ----

class Ignored(Exception):
    """nfstream does not meter the packet."""


def be16(data, at):
    return data[at] << 8 | data[at + 1] if at + 1 < len(data) else 0


class Decoder:
    """One frame. `at` is the offset of the header that is read next."""

    def __init__(self, link_type, data, length, tunnels):
        self.link_type, self.data, self.length, self.tunnels = link_type, data, length, tunnels
        self.at = self.type = self.vlan = self.tunnel = self.fragment = self.protocol = 0
        self.source_mac = self.destination_mac = b"\0" * 6

    def packet(self):
        self.link()
        self.tags()
        self.network()
        return self.transport()

    def need(self, octets):
        if len(self.data) < octets:
            raise Ignored

    def link(self):
        self.need(self.at + 28)
        data, at = self.data, self.at
        if self.link_type == EN10MB:
            self.ethernet()
        elif self.link_type == NULL:
            self.type = IPV4 if data[at:at + 4] == b"\0\0\0\2" else 0x86dd
            self.at += 4
        elif self.link_type == PPP_SERIAL or self.link_type in (C_HDLC, PPP) and data[at] in (0x0f, 0x8f):
            self.type = be16(data, at + 2)
            self.at += 4
        elif self.link_type in (C_HDLC, PPP):
            self.type = be16(data, at)
            self.at += 2
        elif self.link_type in (DLT_IPV4, DLT_IPV6):
            self.type = IPV4 if self.link_type == DLT_IPV4 else 0x86dd
        elif self.link_type in (RAW, RAW_BSD):
            self.type = IPV4 if data[at] >> 4 == 4 else 0x86dd
        elif self.link_type == LINUX_SLL:
            self.type = be16(data, at + 14)
            self.at += 16
        elif self.link_type == RADIO:
            self.radiotap()
        else:
            raise Ignored

    def ethernet(self):
        data, at = self.data, self.at
        self.destination_mac, self.source_mac = data[at:at + 6], data[at + 6:at + 12]
        field = be16(data, at + 12)
        self.at += 14
        self.type = field if field >= 1536 else 0
        if 0 < field <= 1500:
            dsap, ssap = data[self.at], data[self.at + 1]
            if 0xaa in (dsap, ssap):
                self.type = data[self.at + 6] | data[self.at + 7] << 8  # in the wrong order
                self.at += 8
            elif 0x42 in (dsap, ssap):
                raise Ignored

    def radiotap(self):
        data, at = self.data, self.at
        header = data[at + 2] | data[at + 3] << 8
        if data[at + 16] & 0x50 == 0x50:
            raise Ignored
        self.need(at + header + 24)
        frame = at + header
        if data[frame] >> 2 & 3 != 2:
            raise Ignored
        wifi = 26 if data[frame + 1] & 1 != data[frame + 1] >> 1 & 1 else 0
        self.source_mac, self.destination_mac = data[frame + 10:frame + 16], data[frame + 16:frame + 22]
        llc = frame + wifi
        self.need(llc + 8)
        self.type = be16(data, llc + 6) if data[llc] == 0xaa else 0
        self.at = llc + 8

    def tags(self):
        while True:
            if self.type == 0x8100:
                self.need(self.at + 5)
                self.vlan = be16(self.data, self.at) & 0xfff
                self.type = be16(self.data, self.at + 2)
                self.at += 4
            elif self.type in (0x8847, 0x8848):
                bottom = False
                while not bottom:
                    self.need(self.at + 5)
                    bottom = self.data[self.at + 2] & 1
                    self.at += 4
                self.type = IPV4
            elif self.type == 0x8864:
                self.at += 8
                self.type = IPV4
            else:
                return

    def network(self):
        """To the innermost IP header."""
        while True:
            self.need(self.at + 20)
            data, at = self.data, self.at
            if self.type == IPV4:
                self.fragment, self.protocol = be16(data, at + 6), data[at + 9]
            if data[at] >> 4 == 4:
                header = (data[at] & 15) * 4
                if data[at + 9] in (4, 41) and header:
                    self.at += header
                    continue
                if self.fragment & 0x1fff:
                    raise Ignored
                if not self.tunnels or self.protocol != 17 or self.udp_tunnel(at + header):
                    return
            elif data[at] >> 4 == 6:
                self.need(at + 40)
                payload = be16(data, at + 4)
                self.need(at + 40 + payload)
                header, _, self.protocol = self.extension_headers(at + 40, payload, data[at + 6])
                if self.protocol not in (4, 41):
                    return
                self.at = header
            else:
                raise Ignored

    def extension_headers(self, header, length, following):
        while True:
            if following == 59:
                raise Ignored
            if following == 44:
                if length < 8 or be16(self.data, header + 2) >> 3:
                    raise Ignored
                size = 8
            elif following in (0, 43, 60, 135):
                if length < 2:
                    raise Ignored
                size = self.data[header + 1] * 8 + 8
                if length < size:
                    raise Ignored
            else:
                return header, length, following
            following = self.data[header]
            header += size
            length -= size

    def udp_tunnel(self, udp):
        """True: what is at `at` is to be metered. False: decode the network header at `at`."""
        self.need(udp + 8)
        ports = be16(self.data, udp), be16(self.data, udp + 2)
        if 2152 in ports:
            return self.gtp(udp + 8)
        if 37008 in ports:
            return self.tzsp(udp + 8)
        if 5247 in ports:
            return self.capwap(udp + 8)
        return True

    def gtp(self, header):
        data = self.data
        if header + 8 >= len(data) or data[header] >> 5 != 1 or data[header + 1] != 0xff:
            return True
        inner = header + 8 + (4 if data[header] & 7 else 0)
        if data[header] & 4:
            more = True
            while more:
                if inner >= len(data) or data[inner] == 0:
                    return True
                inner += data[inner] * 4
                if inner > len(data):
                    return True
                more = data[inner - 1] != 0
        if inner >= len(data):
            return True
        version = data[inner] >> 4
        if version not in (4, 6):
            raise Ignored
        self.need(inner + (20 if version == 4 else 40))
        self.tunnel, self.at = 1, inner
        return True

    def tzsp(self, header):
        data = self.data
        self.need(header + 4)
        self.tunnel = 3
        if data[header:header + 4] != b"\1\0\0\1":
            return True
        tag = header + 4
        if tag >= len(data):
            return True
        size = 1
        if data[tag] > 1:
            self.need(tag + 2)
            size = data[tag + 1]
        self.at = tag + size
        self.link()
        self.tags()
        return False

    def capwap(self, header):
        data = self.data
        if header + 1 >= len(data) or data[header] & 15:
            return True
        frame = header + ((data[header + 1] & 0xf8) >> 1)
        if frame + 32 >= len(data):
            return True
        self.source_mac, self.destination_mac = data[frame + 10:frame + 16], data[frame + 16:frame + 22]
        self.type = be16(data, frame + 30)
        self.tunnel, self.at = 2, frame + 32
        return False

    def transport(self):
        data, at = self.data, self.at
        captured = (len(data) - at) & 0xffff
        if data[at] >> 4 == 4:
            header, total = (data[at] & 15) * 4, be16(data, at + 2)
            length = (total - header) & 0xffff
            if captured < 20 or header > captured or max(total, captured) < header + length:
                raise Ignored
            version, ip_size, protocol, l4 = 4, total, data[at + 9], at + header
            addresses = data[at + 12:at + 16], data[at + 16:at + 20]
        else:
            ip_size = be16(data, at + 4)
            if captured < 40 + ip_size:
                raise Ignored
            l4, length, protocol = self.extension_headers(at + 40, ip_size, data[at + 6])
            version, addresses = 6, (data[at + 8:at + 24], data[at + 24:at + 40])
        transport_size = payload = source = destination = flags = 0
        if protocol == 6 and length >= 20 or protocol == 17 and length >= 8:
            transport_size = length
            if l4 + 4 <= len(data):
                source, destination = be16(data, l4), be16(data, l4 + 2)
            header = 8
            if protocol == 6:
                header = (data[l4 + 12] >> 4) * 4 if l4 + 13 <= len(data) else 20
                flags = data[l4 + 13] if l4 + 14 <= len(data) else 0
            payload = max(0, length - header)
        elif protocol in (1, 58):
            transport_size, payload = length, max(0, length - 8)
        sizes = self.length & 0xffff, ip_size, transport_size, payload
        return Packet(*addresses, source, destination, protocol, self.vlan, self.tunnel, version, self.source_mac,
                      self.destination_mac, sizes, flags)


def decode(link_type, data, length, tunnels):
    """A Packet, or None for what nfstream ignores."""
    try:
        return Decoder(link_type, data, length, tunnels).packet()
    except (Ignored, IndexError):
        return None


# ---- flows ----

class Welford:
    __slots__ = ("count", "low", "high", "mean", "squares")

    def __init__(self):
        self.count = self.low = self.high = 0
        self.mean = self.squares = 0.0

    def add(self, x):
        self.count += 1
        if self.count == 1:
            self.low = self.high = x
            self.mean = float(x)
            return
        self.low, self.high = min(self.low, x), max(self.high, x)
        old = self.mean
        self.mean += (x - old) / self.count
        self.squares += (x - old) * (x - self.mean)

    def stddev(self):
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else 0.0


class Scope:
    __slots__ = ("first", "last", "packets", "bytes", "sizes", "gaps", "flags")

    def __init__(self, statistics):
        self.first = self.last = self.packets = self.bytes = 0
        self.sizes, self.gaps, self.flags = (Welford(), Welford(), [0] * 8) if statistics else (None, None, None)

    def add(self, time, size, packet):
        if self.packets == 0:
            self.first = time
        elif self.gaps:
            self.gaps.add(time - self.last)
        self.last = time
        self.packets += 1
        self.bytes += size
        if self.sizes:
            self.sizes.add(size)
            for i, bit in enumerate(FLAG_BITS):
                self.flags[i] += bool(packet.flags & bit)


class Flow:
    __slots__ = ("packet", "scopes", "first", "splt")

    def __init__(self, packet, time, settings):
        self.packet, self.first, self.splt = packet, time, []
        self.scopes = [Scope(settings.statistical_analysis) for _ in SCOPES]

    def add(self, packet, time, settings):
        own = self.packet
        direction = int((packet.source_port, packet.destination_port) != (own.source_port, own.destination_port)
                        or (packet.source, packet.destination) != (own.source, own.destination))
        size = packet.sizes[settings.accounting_mode]
        if len(self.splt) < settings.splt_analysis:
            self.splt.append((direction, size, time - self.scopes[0].last if self.splt else 0))
        self.scopes[0].add(time, size, packet)
        self.scopes[1 + direction].add(time, size, packet)

    def row(self, expiration_id, settings):
        p = self.packet
        family = socket.AF_INET if p.version == 4 else socket.AF_INET6
        out = {"expiration_id": expiration_id}
        for end, address, mac, port in (("src", p.source, p.source_mac, p.source_port),
                                        ("dst", p.destination, p.destination_mac, p.destination_port)):
            out[f"{end}_ip"] = socket.inet_ntop(family, address)
            out[f"{end}_mac"] = mac.hex(":")
            out[f"{end}_oui"] = mac[:3].hex(":")
            out[f"{end}_port"] = port
        out.update(protocol=p.protocol, ip_version=p.version, vlan_id=p.vlan)
        if settings.decode_tunnels:
            out["tunnel_id"] = p.tunnel
        for name, scope in zip(SCOPES, self.scopes):
            out.update({f"{name}_first_seen_ms": scope.first, f"{name}_last_seen_ms": scope.last,
                        f"{name}_duration_ms": scope.last - scope.first, f"{name}_packets": scope.packets,
                        f"{name}_bytes": scope.bytes})
            if settings.statistical_analysis:
                for what, of in (("ps", scope.sizes), ("piat_ms", scope.gaps)):
                    out.update({f"{name}_min_{what}": of.low, f"{name}_mean_{what}": of.mean,
                                f"{name}_stddev_{what}": of.stddev(), f"{name}_max_{what}": of.high})
                out.update({f"{name}_{flag}_packets": n for flag, n in zip(FLAGS, scope.flags)})
        if settings.splt_analysis:
            for i, column in enumerate(("splt_direction", "splt_ps", "splt_piat_ms")):
                values = [entry[i] for entry in self.splt]
                out[column] = str(values + [-1] * (settings.splt_analysis - len(values)))
        return out


class Meter:
    """One meter of nfstream. Its cache is in the order of creation: an update moves nothing."""

    def __init__(self, settings):
        self.settings = settings
        self.idle, self.active = settings.idle_timeout * 1000, settings.active_timeout * 1000
        self.cache = {}  # keeps the order of insertion
        self.tick = self.last_scan = 0
        self.rows = []

    def take(self, packet, time):
        self.tick = time = max(time, self.tick)
        ends = sorted(((packet.source, packet.source_port), (packet.destination, packet.destination_port)))
        key = (*ends, packet.protocol, packet.vlan, packet.tunnel)
        flow = self.cache.get(key)
        if flow is not None:
            expired = 0 if time - flow.scopes[0].last >= self.idle else 1 if time - flow.first >= self.active else None
            if expired is not None:
                self.export(key, expired)
                flow = None
        if flow is None:
            flow = self.cache[key] = Flow(packet, time, self.settings)
        flow.add(packet, time, self.settings)
        if self.tick - self.last_scan >= 10:
            self.scan()
            self.last_scan = self.tick

    def scan(self):
        for _ in range(1000):
            key = next(iter(self.cache), None)
            if key is None or self.cache[key].scopes[0].last > self.tick - self.idle:
                return
            self.export(key, 0)

    def export(self, key, expiration_id):
        self.rows.append(self.cache.pop(key).row(expiration_id, self.settings))

    def end(self):
        for key in list(self.cache):
            self.export(key, 0)
        return self.rows


class Meter0(Meter):
    """The cache of nfstream 0.x, in the order of the last packet: idle flows leave when a flow is made, and what it
    calls active is silent for long, too. The number of a row is its export_reason."""

    def take(self, packet, time):
        self.tick = time = max(time, self.tick)
        ends = sorted(((packet.source, packet.source_port), (packet.destination, packet.destination_port)))
        key = (*ends, packet.protocol, packet.vlan, packet.tunnel)
        flow, is_new = self.cache.pop(key, None), False
        if flow is not None and time - flow.scopes[0].last >= self.active:
            self.rows.append(flow.row(1, self.settings))
            flow = Flow(packet, time, self.settings)
        elif flow is None:
            flow, is_new = Flow(packet, time, self.settings), True
        flow.add(packet, time, self.settings)
        self.cache[key] = flow
        if is_new:
            for old in list(self.cache):
                if self.tick - self.cache[old].scopes[0].last < self.idle:
                    break
                self.export(old, 0)

    def end(self):
        for key in list(self.cache):
            self.export(key, 2)
        return self.rows


def flows_of(captures, settings, selected=lambda link_type, data: True, kind=Meter):
    """The rows of a run over captures (paths), in the order in which nfstream exports them."""
    meter = kind(settings)
    for capture in captures:
        for link_type, time, data, length in read_capture(capture):
            if not selected(link_type, data):
                continue
            packet = decode(link_type, data, length, settings.decode_tunnels)
            if packet is not None:
                meter.take(packet, time)
    return meter.end()
