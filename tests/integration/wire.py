# SPDX-License-Identifier: Apache-2.0
"""IPFIX (RFC 7011, 5103, 5610, 6313), NetFlow v9 (RFC 3954) and v5 octet by octet, as strict as the texts: what breaks a
rule raises Violation. For the conformance tests; knows registries and RFCs, and nothing of the programs under test.

    session = Session("udp")                           # one transport session: templates, types, sequence numbers
    message = session.read(datagram, now=time.time())  # now: when it arrived; without it times are not compared
    for record in message.records:
        record.is_options, record.value(96), record.value(2, wire.REVERSE)

A violation's `item` names the rule, in the words of the RFCs:
 C01 version, lengths, Sets            C02 export time                C03 sequence numbers (C36 v9, C37 v5)
 C05 padding, Set ids                  C06 template ids               C07 enterprise numbers
 C08 options templates                 C09 variable lengths           C10 lengths of types
 C11 strings are UTF-8                 C12 times                      C13 template before its data
 C14 redefined, used when withdrawn    C15 withdrawal over UDP        L01 lists (RFC 6313)    T01 types (RFC 5610)
"""
import ipaddress
import struct

VARIABLE = 65535
REVERSE = 29305
NTP_EPOCH = 2_208_988_800
STRICT, COUNTED = "strict", "counted"  # what a gap in the sequence is

# Abstract data types by their numbers in RFC 5610, section 3.1, and RFC 6313.
DATA_TYPES = ("octetArray", "unsigned8", "unsigned16", "unsigned32", "unsigned64", "signed8", "signed16", "signed32",
              "signed64", "float32", "float64", "boolean", "macAddress", "string", "dateTimeSeconds",
              "dateTimeMilliseconds", "dateTimeMicroseconds", "dateTimeNanoseconds", "ipv4Address", "ipv6Address",
              "basicList", "subTemplateList", "subTemplateMultiList")
LENGTHS = {"float32": 4, "float64": 8, "boolean": 1, "macAddress": 6, "dateTimeSeconds": 4, "dateTimeMilliseconds": 8,
           "dateTimeMicroseconds": 8, "dateTimeNanoseconds": 8, "ipv4Address": 4, "ipv6Address": 16}
INTEGERS = {f"{kind}{8 * octets}": octets for kind in ("unsigned", "signed") for octets in (1, 2, 4, 8)}
LISTS = ("basicList", "subTemplateList", "subTemplateMultiList")
_IANA = {  # ids of IANA's registry up to 491; what is in none of these is octets
    "unsigned8": "4-5 9 13 29-30 33 35 38-39 46 48-49 51-53 55 60-61 89 91 98 101 136 146 176-179 188-189 192-193 195-197"
                 " 200 203 206-207 214-215 229-230 233 237 239-240 244 246 248 257 263 267 277 294 297 339 344 384 413"
                 " 448",
    "unsigned16": "6-7 11 32 36-37 58-59 88 102-103 139 145 180-183 186-187 190-191 205 216-217 227-228 238 241-243 245"
                  " 250 254-256 259 285-287 303-304 312 345 361-364 370 390 400 408-410 457-458",
    "unsigned32": "10 14 16-17 21-22 31 34 50 54 64 87 92-93 99 128-129 141-144 149 158-159 161-162 184-185 194 201-202"
                  " 204 208 213 234-235 249 251-253 278 283 295-296 305-310 346 368-369 380-381 385-387 405-406 412"
                  " 440-442 446 463 466-467 471-481 483",
    "unsigned64": "1-3 19-20 23-26 40-42 85-86 132-135 137-138 148 163-168 171-175 198-199 209 218-224 231-232 279-280"
                  " 298-299 301-302 318-319 326-332 334 342-343 351-358 375-379 382-383 391-399 401-402 407 417-418"
                  " 420-431 433 439 447",
    "signed32": "434",
    "float64": "311 320-321 336-338",
    "boolean": "276 333 388-389",
    "macAddress": "56-57 80-81 365 367 414-415",
    "string": "82-84 94 96 100 147 236 247 284 288-290 300 335 340-341 348 350 371-374 450-456 459-462 468-470",
    "dateTimeSeconds": "150-151 260-261 264-265 322",
    "dateTimeMilliseconds": "152-153 160 258 269 272 323 359-360",
    "dateTimeMicroseconds": "154-155 268 271 324",
    "dateTimeNanoseconds": "156-157 270 273 325",
    "ipv4Address": "8 12 15 18 43-45 47 130 211 225-226 366 403 432 438",
    "ipv6Address": "27-28 62-63 131 140 169-170 212 281-282 404",
    "basicList": "291 484-485 487-488 490-491", "subTemplateList": "292 443-444", "subTemplateMultiList": "293",
}
IANA_TYPES = {number: name for name, ranges in _IANA.items() for text in ranges.split()
              for first, _, last in [text.partition("-")] for number in range(int(first), int(last or first) + 1)}
TIME_PAIRS = ((150, 151), (152, 153), (154, 155), (156, 157))  # first and last of a flow (RFC 5102)
ELEMENT_ID, ELEMENT_TYPE, ELEMENT_NAME, ENTERPRISE = 303, 339, 341, 346


class Violation(Exception):
    def __init__(self, item, text):
        super().__init__(f"{item}: {text}")
        self.item = item


def require(condition, item, text):
    if not condition:
        raise Violation(item, text)


class Octets:
    """Reads on; what would pass the end is a violation of C01."""

    def __init__(self, data, what):
        self.data, self.at, self.what = bytes(data), 0, what

    def __len__(self):
        return len(self.data) - self.at

    def take(self, count):
        require(count <= len(self), "C01", f"{self.what}: {count} octets wanted, {len(self)} left")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def field(self, length):
        """The octets of a field (RFC 7011, section 7)."""
        if length != VARIABLE:
            return self.take(length)
        short = self.number(1)
        if short < 255:
            return self.take(short)
        long = self.number(2)
        require(long >= 255, "C09", f"{self.what}: three octets of length for {long}")
        return self.take(long)


class Field:
    """A field specifier; `kind` is the abstract type, `scope` whether it is one of the options template's scope."""

    def __init__(self, number, length, pen=0, kind="octetArray", scope=False):
        self.id, self.length, self.pen, self.kind, self.scope = number, length, pen, kind, scope

    def key(self):
        return self.pen, self.id

    def __eq__(self, other):
        return (self.pen, self.id, self.length, self.scope) == (other.pen, other.id, other.length, other.scope)

    def __repr__(self):
        return f"{self.pen}/{self.id}[{self.length}]"


class Template:
    def __init__(self, number, fields):
        self.id, self.fields = number, fields
        self.is_options = any(field.scope for field in fields)
        self.shortest = sum(1 if field.length == VARIABLE else field.length for field in fields)
        self.export_time = None

    def __eq__(self, other):
        return self.is_options == other.is_options and self.fields == other.fields


class BasicList:
    def __init__(self, semantic, field, values):
        self.semantic, self.field, self.values = semantic, field, values


class TemplateList:
    """A subTemplateList or subTemplateMultiList: records, of one or of several templates."""

    def __init__(self, semantic, records):
        self.semantic, self.records = semantic, records


class Record:
    def __init__(self, template, items):
        self.template, self.items = template, items  # items: (field, value, octets) in the order of the wire
        self.is_options = template.is_options

    def has(self, number, pen=0):
        return any(field.key() == (pen, number) for field, _, _ in self.items)

    def value(self, number, pen=0, occurrence=0):
        found = [value for field, value, _ in self.items if field.key() == (pen, number)]
        return found[occurrence]

    def octets(self, number, pen=0, occurrence=0):
        return [raw for field, _, raw in self.items if field.key() == (pen, number)][occurrence]


class Message:
    def __init__(self, version, export_time, sequence, domain):
        self.version, self.export_time, self.sequence, self.domain = version, export_time, sequence, domain
        self.uptime_ms = self.sampling = None  # NetFlow
        self.templates, self.withdrawals, self.records, self.set_ids = [], [], [], []


class Domain:
    """An observation domain (source id, engine) of a transport session."""

    def __init__(self):
        self.templates, self.withdrawn, self.expected = {}, set(), None


class Session:
    """One transport session: "udp", "dtls" (unreliable) or "tcp", "tls", "sctp", "file". `gaps` STRICT: a sequence number
    that is not the next is a violation; COUNTED: it is appended to `missing`. The first message of a domain must have 0
    when `from_start`. `template_lifetime`: seconds after which UDP may use an id anew (8.4), by `now`."""

    def __init__(self, transport="udp", gaps=STRICT, from_start=False, template_lifetime=None):
        self.unreliable = transport in ("udp", "dtls")
        self.gaps, self.from_start, self.template_lifetime = gaps, from_start, template_lifetime
        self.domains, self.types, self.names, self.missing = {}, {}, {}, []
        self.sent_at = {}  # (domain, template id): all times it was sent at, by `now` (C16)

    def read(self, data, now=None):
        """One message of any version; a datagram, or what read_stream has cut out."""
        require(len(data) >= 2, "C01", f"a message of {len(data)} octets")
        version = int.from_bytes(data[:2], "big")
        require(version in (5, 9, 10), "C01", f"version {version}")
        return {5: _read_v5, 9: _read_v9, 10: _read_ipfix}[version](self, data, now)

    def read_stream(self, data, now=None):
        """All messages of a TCP stream or a file (RFC 5655); none may be cut."""
        found, at = [], 0
        while at < len(data):
            require(len(data) - at >= 16, "C01", "a cut header at the end of the stream")
            length = int.from_bytes(data[at + 2:at + 4], "big")
            require(16 <= length <= len(data) - at, "C01", f"a message of {length} octets, {len(data) - at} left")
            found.append(self.read(data[at:at + length], now))
            at += length
        return found

    def type_of(self, pen, number):
        if pen in (0, REVERSE):
            return IANA_TYPES.get(number, "octetArray")
        return self.types.get((pen, number)) or self.types.get((pen, number & ~0x4000)) or "octetArray"

    def domain(self, message):
        return self.domains.setdefault((message.version, message.domain), Domain())

    def check_sequence(self, domain, sequence, advance, item):
        if domain.expected is None:
            require(not self.from_start or sequence == 0, item, f"a session begins with sequence number {sequence}")
        elif sequence != domain.expected:
            require(self.gaps != STRICT, item, f"sequence number {sequence}, {domain.expected} is next")
            self.missing.append((sequence - domain.expected) & 0xffffffff)
        domain.expected = (sequence + advance) & 0xffffffff

    def learn(self, message, domain, template, now):
        """RFC 7011, section 8: what a template may do to one of the same id."""
        known = domain.templates.get(template.id)
        key = (message.domain, template.id)
        if known is not None and not known == template:
            old = self.sent_at.get(key, [None])[-1]
            expired = (self.unreliable and None not in (self.template_lifetime, now, old)
                       and now - old >= self.template_lifetime)
            require(expired, "C14", f"template {template.id} is redefined: {known.fields} was {template.fields}")
        template.export_time = message.export_time
        domain.templates[template.id] = template
        domain.withdrawn.discard(template.id)
        self.sent_at.setdefault(key, []).append(now)
        message.templates.append(template)

    def learn_type(self, record):
        """RFC 5610: the type of an element, told by a record."""
        if not (record.is_options and record.has(ENTERPRISE) and record.has(ELEMENT_ID) and record.has(ELEMENT_TYPE)):
            return
        kind = record.value(ELEMENT_TYPE)
        require(kind < len(DATA_TYPES), "T01", f"data type {kind}")
        key = (record.value(ENTERPRISE), record.value(ELEMENT_ID) & 0x7fff)
        require(self.types.get(key, DATA_TYPES[kind]) == DATA_TYPES[kind], "T01", f"two types of {key}")
        self.types[key] = DATA_TYPES[kind]
        if record.has(ELEMENT_NAME):
            self.names[key] = record.value(ELEMENT_NAME)


def _field(session, octets, scope=False):
    number, length = octets.number(2), octets.number(2)
    pen = octets.number(4) if number & 0x8000 else 0
    require(not number & 0x8000 or pen != 0, "C07", "an enterprise bit with enterprise number 0")
    number &= 0x7fff
    require(number != 0, "C07", "element 0")
    require(pen != REVERSE or number & 0x4000 == 0, "C07", f"a reverse element of IANA has id {number}")
    kind = session.type_of(pen, number)
    _check_length(kind, length, number)
    return Field(number, length, pen, kind, scope)


def _check_length(kind, length, number):
    """RFC 7011, 6.1 and 6.2: reduced sizes are for integers and float64."""
    if kind in INTEGERS:
        require(1 <= length <= INTEGERS[kind], "C10", f"{length} octets of {kind} for element {number}")
    elif kind == "float64":
        require(length in (4, 8), "C10", f"{length} octets of float64 for element {number}")
    elif kind in LENGTHS:
        require(length == LENGTHS[kind], "C10", f"{length} octets of {kind} for element {number}")
    else:
        require(length > 0, "C10", f"no octets for element {number}")


def _value(session, domain, field, octets, depth=0):
    kind = field.kind
    if field.kind == "octetArray" and field.pen not in (0, REVERSE):  # its type may have come after the template
        kind = session.type_of(field.pen, field.id)
        if kind != "octetArray":
            _check_length(kind, field.length, field.id)
    if kind in INTEGERS:
        return int.from_bytes(octets, "big", signed=kind.startswith("signed"))
    if kind.startswith("float"):
        return struct.unpack(">f" if len(octets) == 4 else ">d", octets)[0]
    if kind == "boolean":
        require(octets in (b"\1", b"\2"), "C10", f"a boolean of {octets.hex()}")
        return octets == b"\1"
    if kind == "macAddress":
        return octets.hex(":")
    if kind in ("ipv4Address", "ipv6Address"):
        return str(ipaddress.ip_address(octets))
    if kind == "string":
        try:
            return octets.decode("utf-8")  # padding of a fixed length included
        except UnicodeDecodeError:
            raise Violation("C11", f"element {field.id}: {octets!r} is not UTF-8") from None
    if kind == "dateTimeSeconds":
        return float(int.from_bytes(octets, "big"))
    if kind == "dateTimeMilliseconds":
        return int.from_bytes(octets, "big") / 1000
    if kind in ("dateTimeMicroseconds", "dateTimeNanoseconds"):
        seconds, fraction = struct.unpack(">II", octets)
        require(kind != "dateTimeMicroseconds" or fraction & 0x7ff == 0, "C12", "bits below a microsecond")
        return seconds - NTP_EPOCH + fraction / 2**32
    if kind in LISTS:
        require(depth < 8, "L01", "lists in lists in lists")
        return _list(session, domain, kind, octets, depth)
    return octets


def _list(session, domain, kind, data, depth):
    """RFC 6313, section 4.5."""
    octets = Octets(data, kind)
    require(len(octets) >= 1, "L01", f"a {kind} without semantic")
    semantic = octets.number(1)
    require(semantic <= 4 or semantic == 255, "L01", f"semantic {semantic}")
    if kind == "basicList":
        field = _field(session, octets)
        values = []
        while len(octets):
            values.append(_value(session, domain, field, octets.field(field.length), depth + 1))
        return BasicList(semantic, field, values)
    records = []
    if kind == "subTemplateList":
        number = octets.number(2)
        _list_records(session, domain, number, octets, records, depth)
    while kind == "subTemplateMultiList" and len(octets):
        number, length = octets.number(2), octets.number(2)
        require(length >= 4, "L01", f"a length of {length} in a {kind}")
        _list_records(session, domain, number, Octets(octets.take(length - 4), kind), records, depth)
    return TemplateList(semantic, records)


def _list_records(session, domain, number, octets, records, depth):
    template = _template(domain, number)
    while len(octets):
        records.append(_record(session, domain, template, octets, depth + 1))


def _template(domain, number):
    require(number not in domain.withdrawn, "C14", f"records of template {number}, which was withdrawn")
    require(number in domain.templates, "C13", f"records before their template {number}")
    return domain.templates[number]


def _record(session, domain, template, octets, depth=0):
    items = []
    for field in template.fields:
        raw = octets.field(field.length)
        items.append((field, _value(session, domain, field, raw, depth), raw))
    record = Record(template, items)
    for first, last in TIME_PAIRS:
        for pen in (0, REVERSE):
            if record.has(first, pen) and record.has(last, pen):
                start, end = record.value(first, pen), record.value(last, pen)
                require(start <= end, "C12", f"a flow from {start} to {end}")
    return record


def _read_ipfix(session, data, now):
    octets = Octets(data, "message header")
    require(len(data) >= 16, "C01", f"a message of {len(data)} octets")
    version, length, export_time, sequence, number = struct.unpack(">HHIII", octets.take(16))
    require(length == len(data), "C01", f"a message length of {length}, {len(data)} octets were sent")
    require(now is None or abs(export_time - now) <= 1.5, "C02", f"export time {export_time} at {now}")
    message = Message(version, export_time, sequence, number)
    domain = session.domain(message)
    require(len(octets) > 0, "C01", "a message without a Set")
    while len(octets):
        octets.what = "Set header"
        set_id, set_length = octets.number(2), octets.number(2)
        require(set_length > 4, "C01", f"Set {set_id} has no record")
        body = Octets(octets.take(set_length - 4), f"Set {set_id}")
        require(set_id in (2, 3) or set_id >= 256, "C05", f"Set id {set_id}")
        message.set_ids.append(set_id)
        if set_id in (2, 3):
            _template_set(session, message, domain, set_id, body, now)
        else:
            _data_set(session, message, domain, set_id, body)
    session.check_sequence(domain, sequence, len(message.records), "C03")
    return message


def _template_set(session, message, domain, set_id, octets, now):
    while len(octets) >= 4:
        number, count = octets.number(2), octets.number(2)
        if number == 0 and count == 0:  # padding of four octets or more is longer than a record could be
            raise Violation("C05", "a template Set padded by a record's length")
        if count == 0:
            _withdraw(session, message, domain, set_id, number)
            continue
        require(number >= 256, "C06", f"template id {number}")
        scopes = octets.number(2) if set_id == 3 else 0
        require(set_id == 2 or 1 <= scopes < count, "C08", f"{scopes} scope fields of {count}")
        fields = [_field(session, octets, index < scopes) for index in range(count)]
        session.learn(message, domain, Template(number, fields), now)
    _check_padding(octets, 4)


def _withdraw(session, message, domain, set_id, number):
    """RFC 7011, 8.1."""
    require(not session.unreliable, "C15", f"template {number} withdrawn over an unreliable transport")
    if number == set_id:  # all of them
        gone = [known for known, template in domain.templates.items() if template.is_options == (set_id == 3)]
    else:
        require(number in domain.templates, "C14", f"template {number} withdrawn, which is not known")
        require(domain.templates[number].is_options == (set_id == 3), "C14", f"{number} withdrawn by the wrong Set")
        gone = [number]
    for known in gone:
        del domain.templates[known]
        domain.withdrawn.add(known)
    message.withdrawals += gone


def _data_set(session, message, domain, set_id, octets):
    template = _template(domain, set_id)
    require(message.export_time >= template.export_time, "C13", f"data of {set_id} older than its template")
    require(len(octets) >= template.shortest, "C01", f"Set {set_id} has no record")
    while len(octets) >= template.shortest:
        record = _record(session, domain, template, octets)
        session.learn_type(record)
        message.records.append(record)
    _check_padding(octets, template.shortest)


def _check_padding(octets, shortest):
    rest = octets.take(len(octets))
    require(len(rest) < shortest, "C05", f"{len(rest)} octets of padding, a record may have {shortest}")
    require(not any(rest), "C05", f"padding that is not zero: {rest.hex()}")


def _read_v9(session, data, now):
    """RFC 3954. The count is that of all records, the sequence number that of packets, FlowSets end at 4 octets."""
    require(len(data) >= 20, "C01", f"a packet of {len(data)} octets")
    octets = Octets(data, "packet header")
    version, count, uptime, seconds, sequence, number = struct.unpack(">HHIIII", octets.take(20))
    require(now is None or abs(seconds - now) <= 1.5, "C02", f"export time {seconds} at {now}")
    message = Message(version, seconds, sequence, number)
    message.uptime_ms = uptime
    domain = session.domain(message)
    require(len(octets) > 0, "C01", "a packet without a FlowSet")
    while len(octets):
        set_id, set_length = octets.number(2), octets.number(2)
        require(set_length > 4, "C01", f"FlowSet {set_id} has no record")
        require(set_length % 4 == 0, "C05", f"FlowSet {set_id} of {set_length} octets")
        body = Octets(octets.take(set_length - 4), f"FlowSet {set_id}")
        require(set_id in (0, 1) or set_id >= 256, "C05", f"FlowSet id {set_id}")
        message.set_ids.append(set_id)
        if set_id >= 256:
            _data_set(session, message, domain, set_id, body)
        else:
            _v9_templates(session, message, domain, set_id, body, now)
    records = len(message.records) + len(message.templates)
    require(count == records, "C36", f"a count of {count} for {records} records")
    for record in message.records:
        _check_uptimes(record, uptime)
    session.check_sequence(domain, sequence, 1, "C36")
    return message


def _v9_templates(session, message, domain, set_id, octets, now):
    """Template FlowSets (5.2) and Options Template FlowSets (6.1), whose lengths are in octets."""
    while len(octets) >= (4 if set_id == 0 else 6):
        if not any(octets.data[octets.at:]):
            break
        number = octets.number(2)
        require(number >= 256, "C06", f"template id {number}")
        if set_id == 0:
            count = octets.number(2)
            require(count > 0, "C14", f"template {number} without a field")
            scopes = 0
        else:
            scope_octets, option_octets = octets.number(2), octets.number(2)
            require(scope_octets % 4 == 0 and option_octets % 4 == 0 and scope_octets > 0 and option_octets > 0, "C08",
                    f"{scope_octets} octets of scope, {option_octets} of options")
            scopes, count = scope_octets // 4, (scope_octets + option_octets) // 4
        fields = []
        for index in range(count):
            kind, length = octets.number(2), octets.number(2)
            require(length > 0, "C10", f"no octets for field {kind}")
            require(length != VARIABLE, "C09", "NetFlow v9 has no variable lengths")
            if index < scopes:
                require(1 <= kind <= 5, "C08", f"scope type {kind}")
                fields.append(Field(kind, length, scope=True))
            else:
                fields.append(Field(kind, length, kind=_v9_type(kind, length)))
        session.learn(message, domain, Template(number, fields), now)
    _check_padding(octets, 4)


def _v9_type(kind, length):
    """Field types up to 32767 mean what IANA's elements of that number do."""
    name = IANA_TYPES.get(kind, "octetArray")
    if name in INTEGERS:  # counters of any length up to eight octets: N is the exporter's choice
        require(length <= 8, "C10", f"{length} octets for field {kind}")
    elif name in LENGTHS:
        require(length == LENGTHS[name], "C10", f"{length} octets of {name} for field {kind}")
    return name


def _check_uptimes(record, uptime):
    """FIRST_SWITCHED (22) and LAST_SWITCHED (21) are before the packet's own uptime, whatever has wrapped."""
    if record.has(22) and record.has(21):
        _check_switched(record.value(22), record.value(21), uptime)


def _check_switched(first, last, uptime):
    require((last - first) & 0xffffffff < 1 << 31, "C12", f"a flow from {first} to {last}")
    require((uptime - last) & 0xffffffff < 1 << 31, "C12", f"a flow that ends at {last}, after {uptime}")


V5_FIELDS = ((8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (210, 1),
             (6, 1), (4, 1), (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (210, 2))
V5_TEMPLATE = Template(5, [Field(number, length, kind=IANA_TYPES.get(number, "octetArray"))
                           for number, length in V5_FIELDS])


def _read_v5(session, data, now):
    """24 octets of header, 1 to 30 records of 48; the sequence number is that of flows."""
    require(len(data) >= 24, "C01", f"a packet of {len(data)} octets")
    version, count, uptime, seconds, nanoseconds, sequence, engine, sampling = struct.unpack(">HHIIIIHH", data[:24])
    require(1 <= count <= 30, "C37", f"a count of {count}")
    require(len(data) == 24 + 48 * count, "C01", f"{len(data)} octets for {count} records")
    require(nanoseconds < 10**9, "C12", f"{nanoseconds} nanoseconds")
    require(now is None or abs(seconds + nanoseconds / 1e9 - now) <= 1.5, "C02", f"export time {seconds} at {now}")
    require(sampling >> 14 in (0, 1, 2), "C37", f"sampling mode {sampling >> 14}")
    require((sampling >> 14 == 0) == (sampling & 0x3fff == 0), "C37", f"a sampling word of {sampling:#x}")
    message = Message(version, seconds, sequence, engine)
    message.uptime_ms, message.sampling = uptime, sampling
    octets = Octets(data[24:], "records")
    domain = session.domain(message)
    for _ in range(count):
        record = _record(session, domain, V5_TEMPLATE, octets)
        for occurrence in (0, 1):
            require(not any(record.octets(210, occurrence=occurrence)), "C05", "padding that is not zero")
        _check_switched(record.value(22), record.value(21), uptime)
        message.records.append(record)
    session.check_sequence(domain, sequence, count, "C37")
    return message
