# SPDX-License-Identifier: Apache-2.0
"""nfstream's shipped plugins, written a second time and from their description alone, on model.py's metering. A plugin
is a class: first() and next() see a packet, last() the end; `udps` is what goes into the record. Where nfstream's own
would end with an exception, a packet is left out."""
import hashlib
import math
import socket

import model


def units(data, size):
    return [int.from_bytes(data[i:i + size], "big") for i in range(0, len(data), size)]


class Seen:
    """A packet as a plugin is shown it."""

    def __init__(self, packet, ip, time, gap, direction, number, flow):
        self.packet, self.ip, self.time, self.gap = packet, ip, time, gap
        self.direction, self.number, self.flow = direction, number, flow

    def payload(self, protocol):
        """Behind the header of TCP or UDP, in IPv4; None: there is none of that protocol."""
        if self.packet.version != 4 or self.packet.protocol != protocol:
            return None
        data = self.ip[:model.be16(self.ip, 2)][(self.ip[0] & 15) * 4:]
        if len(data) < (20 if protocol == 6 else 8):
            return None
        return data[(data[12] >> 4) * 4:] if protocol == 6 else data[8:]


class Plugin:
    columns = ()

    def __init__(self, settings):
        self.settings, self.udps = settings, {}

    def first(self, seen):
        return self.next(seen)

    def next(self, seen):
        """True: the flow ends with this packet."""

    def last(self):
        pass


class Slicer(Plugin):
    def next(self, seen):
        return seen.number == self.settings["limit"]


class Splt(Plugin):
    columns = ("splt_direction", "splt_ps", "splt_piat_ms")

    def first(self, seen):
        self.lists = [[-1] * self.settings["sequence_length"] for _ in self.columns]
        return self.next(seen)

    def next(self, seen):
        if seen.number <= self.settings["sequence_length"]:
            values = seen.direction, seen.packet.sizes[self.settings["accounting_mode"]], seen.gap
            for entries, value in zip(self.lists, values):
                entries[seen.number - 1] = value

    def last(self):
        self.udps = {name: str(entries) for name, entries in zip(self.columns, self.lists)}


class Dhcp(Plugin):
    columns = tuple(f"dhcp_{name}" for name in "12 50 55 57 60 77 options addr msg_type oui".split())
    NAMES = "DISCOVER OFFER REQUEST DECLINE ACK NACK RELEASE INFORM".split()

    def first(self, seen):
        self.udps["dhcp_options"] = "[]"
        return self.next(seen)

    def next(self, seen):
        message = seen.payload(17)
        if seen.flow.packet.destination_port != 67 or message is None or len(message) < 240:
            return False
        kind, options, found = 0, [], {}
        data = message[240:]
        while data and data[0] != 255:
            if data[0] == 0:
                data = data[1:]
                continue
            if len(data) < 2:
                return False
            option, value = data[0], data[2:2 + data[1]]
            data = data[2 + data[1]:]
            text = value.decode(errors="replace")
            if option == 53:
                kind = int.from_bytes(value, "big")
                if not 1 <= kind <= 8:
                    return False
            elif option == 12 and value or option in (60, 77):
                self.udps[f"dhcp_{option}"] = text
            elif option == 57:
                self.udps["dhcp_57"] = int.from_bytes(value, "big")
            elif option == 55:
                found[55] = ",".join(map(str, value))
            elif option == 50:
                found[50] = socket.inet_ntoa(value[-4:].rjust(4, b"\0"))
            options.append(option)
        if kind == 3:
            if message[2] == 6:
                self.udps["dhcp_oui"] = message[28:31].hex(":")
            self.udps["dhcp_options"] = str(options)
            self.udps["dhcp_55"], self.udps["dhcp_50"] = found.get(55, ""), found.get(50, "")
            if message[12:16] != b"\0" * 4:
                self.udps["dhcp_addr"] = socket.inet_ntoa(message[12:16])
        self.udps.setdefault("dhcp_msg_type", f"MsgType.{self.NAMES[kind - 1]}" if kind else "0")
        return kind in (4, 5, 6, 8) or seen.flow.packet.source == b"\0" * 4


class Mdns(Plugin):
    columns = ("mdns_ptr",)

    def first(self, seen):
        self.names = []
        return self.next(seen)

    def next(self, seen):
        message = seen.payload(17)
        if seen.flow.packet.destination_port != 5353 or message is None:
            return
        try:
            found = self.answers(message)
        except (IndexError, ValueError):
            return
        for name in found:
            name = name.replace(",", " ")
            if name not in self.names:
                self.names.append(name)

    def answers(self, message):
        if len(message) < 12:
            raise ValueError
        questions, *counts = units(message[4:12], 2)
        at, found = 12, []
        for _ in range(questions):
            _, at = self.name(message, at)
            message[at + 3]
            at += 4
        for section, count in enumerate(counts):
            for _ in range(count):
                _, at = self.name(message, at)
                message[at + 9]
                kind, size = model.be16(message, at), model.be16(message, at + 8)
                at += 10
                name = None
                if kind in (2, 5, 12):
                    name, _ = self.name(message, at)
                elif kind == 6:
                    _, end = self.name(message, at)
                    _, end = self.name(message, end)
                    message[end + 19]
                elif kind == 15:
                    message[at + 1]
                    self.name(message, at + 2)
                elif kind == 33:
                    message[at + 5]
                    self.name(message, at + 6)
                if section == 0 and kind == 12:
                    found.append(name)
                at += size
        return found

    @staticmethod
    def name(message, at):
        labels, behind, start, length = [], None, at, 0
        while message[at]:
            if message[at] >= 0xc0:
                target = model.be16(message, at) & 0x3fff
                if target >= start:
                    raise ValueError
                behind = behind or at + 2
                start = at = target
            elif message[at] < 0x40:
                length += message[at] + 1
                if length > 255:
                    raise ValueError
                labels.append(message[at + 1:at + 1 + message[at]])
                at += 1 + message[at]
            else:
                raise ValueError
        return b".".join(labels).decode(errors="replace"), behind or at + 1

    def last(self):
        self.udps["mdns_ptr"] = str(self.names)


def is_grease(value):
    return f"{value:04x}"[0] == f"{value:04x}"[2] and f"{value:04x}"[1] == f"{value:04x}"[3] == "a"


def without_grease(values):
    """As nfstream leaves them out: what is behind one is not looked at."""
    values = list(values)
    for i, value in enumerate(values):
        if is_grease(value):
            del values[i]
    return values


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def hexed(values):
    return ",".join(f"{value:04x}" for value in values)


def ja4(data, kind):
    """The fingerprint of the hello of that kind that DATA begins with; None or an IndexError, ValueError: of none."""
    if data is None or data[:2] != b"\x16\x03" or data[5] != kind or data[9] != 3:
        return None
    version, at = model.be16(data, 9), 11 + 32
    at += 1 + data[at]
    if kind == 1:
        size = model.be16(data, at)
        ciphers = data[at + 2:at + 2 + size]
        if len(ciphers) < size or size % 2:
            raise ValueError
        ciphers, at = units(ciphers, 2), at + 2 + size
        at += 1 + data[at]
    else:
        ciphers, at = [model.be16(data, at)], at + 3
    if at > len(data):
        raise IndexError
    extensions, rest = {}, b""
    if at < len(data):
        rest = data[at + 2:at + 2 + model.be16(data, at)]
    while rest:
        if len(rest) < 3:
            raise ValueError
        size = model.be16(rest, 2)
        extensions[model.be16(rest, 0)] = rest[4:4 + size]
        rest = rest[4 + size:]
    if 43 in extensions:
        offered = extensions[43]
        if kind == 1:
            if offered[0] != len(offered) - 1 or offered[0] % 2:
                raise ValueError
            version = max(without_grease(units(offered[1:], 2)))
        else:
            version = offered[0] << 8 | offered[1]
    protocol = "00"
    if 16 in extensions:
        offered = extensions[16]
        if model.be16(offered, 0) != len(offered) - 2:
            raise ValueError
        if len(offered) > 2:
            first = offered[3:3 + offered[2]].decode()
            protocol = first[0] + first[-1]
    count = min(99, sum(not is_grease(extension) for extension in extensions))
    out = f"t{(version >> 8) - 2}{(version & 255) - 1}"
    if kind == 2:
        return f"{out}{count:02}{protocol}_{ciphers[0]:04x}_{hashed(hexed(extensions))}".lower()
    out += ("d" if 0 in extensions else "i") + f"{min(99, sum(not is_grease(c) for c in ciphers)):02}"
    text = hexed(sorted(e for e in without_grease(extensions) if e not in (0, 16)))
    if 13 in extensions:
        offered = extensions[13]
        if model.be16(offered, 0) != len(offered) - 2 or len(offered) % 2:
            raise ValueError
        if len(offered) > 2:
            text += "_" + hexed(without_grease(units(offered[2:], 2)))
    return f"{out}{count:02}{protocol}_{hashed(hexed(sorted(without_grease(ciphers))))}_{hashed(text)}".lower()


class Ja4(Plugin):
    columns = ("ja4", "ja4s")

    def first(self, seen):
        self.eligible = seen.packet.flags & 0x12 == 2
        self.steps = 0

    def next(self, seen):
        if not self.eligible:
            return
        wanted = "ja4s" if "ja4" in self.udps else "ja4"
        try:
            found = ja4(seen.payload(6), 2 if wanted == "ja4s" else 1)
        except (IndexError, ValueError):
            found = None
        if found:
            self.udps[wanted] = found
            self.eligible = wanted == "ja4"
        elif self.steps == 2 and wanted == "ja4":
            self.eligible = False
        flags = seen.packet.flags & 0x12
        if self.steps == 0 and flags == 0x12 or self.steps == 1 and flags == 0x10:
            self.steps += 1


class WFeatures(Plugin):
    def first(self, seen):
        self.begin = seen.time
        self.series = [[0.0] * 2 ** self.settings["levels"] for _ in range(2)]

    def next(self, seen):
        width = self.settings["active_timeout"] / 2 ** self.settings["levels"] * 1000
        at = int((seen.time - self.begin) // width)
        if at < len(self.series[0]):
            self.series[seen.direction][at] += seen.packet.sizes[1]

    def last(self):
        for letter, series in zip("fb", self.series):
            levels, size = [], len(series)
            for j in range(self.settings["levels"]):
                step = 2 ** j
                levels.append([(series[n] - series[(n - step) % size]) / math.sqrt(2) for n in range(size)])
                series = [(series[n] + series[(n - step) % size]) / math.sqrt(2) for n in range(size)]
            levels = [series, *reversed(levels)]
            energies = [sum(c * c for c in level) for level in levels]
            for k, (level, energy) in enumerate(zip(levels, energies)):
                mean = sum(level) / size
                self.udps[f"{letter}_p_k_{k}"] = energy / (sum(energies) + 1e-7)
                self.udps[f"{letter}_u_k_{k}"] = sum(map(abs, level)) / size
                self.udps[f"{letter}_sigma_k_{k}"] = math.sqrt(sum((c - mean) ** 2 for c in level) / size)
                parts = [c * c / (energy + 1e-7) for c in level]
                self.udps[f"{letter}_S_k_{k}"] = -sum(p * math.log(p + 1e-7) for p in parts)


PLUGINS = {"slicer": Slicer, "splt": Splt, "dhcp": Dhcp, "mdns": Mdns, "ja4": Ja4, "wfeatures": WFeatures}


class Meter(model.Meter):
    """model.py's with one plugin."""

    def __init__(self, settings, name, plugin_settings):
        super().__init__(settings)
        self.name, self.plugin_settings, self.plugins = name, plugin_settings, {}

    def take_frame(self, link_type, time, data, length):
        decoder = model.Decoder(link_type, data, length, self.settings.decode_tunnels)
        try:
            packet = decoder.packet()
        except (model.Ignored, IndexError):
            return
        ends = sorted(((packet.source, packet.source_port), (packet.destination, packet.destination_port)))
        key = (*ends, packet.protocol, packet.vlan, packet.tunnel)
        before = self.cache.get(key)
        gap_from = before.scopes[0].last if before else None
        idle_scan, self.scan = self.scan, lambda: None  # not before the plugin has had its say
        self.take(packet, time)
        self.scan = idle_scan
        flow = self.cache[key]
        number = flow.scopes[0].packets
        direction = int((packet.source_port, packet.destination_port, packet.source, packet.destination) != (
            flow.packet.source_port, flow.packet.destination_port, flow.packet.source, flow.packet.destination))
        seen = Seen(packet, data[decoder.at:], self.tick, self.tick - gap_from if number > 1 else 0, direction, number,
                    flow)
        if number == 1:
            self.plugins[key] = PLUGINS[self.name](self.plugin_settings)
        if (self.plugins[key].first if number == 1 else self.plugins[key].next)(seen):
            self.export(key, -1)
        self.scan()

    def export(self, key, expiration_id):
        super().export(key, expiration_id)
        plugin = self.plugins.pop(key)
        plugin.last()
        self.rows[-1].update({f"udps.{name}": "" for name in plugin.columns})
        self.rows[-1].update({f"udps.{name}": value for name, value in plugin.udps.items()})
