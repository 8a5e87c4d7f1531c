#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what the fuzzers' corpora began with, a folder for each target, in the layout that it takes: frames and files
of the golden captures, the example configuration and those of the unit tests, messages and requests that are made here.

usage: make_seeds.py FOLDER        tests/fuzz/grow does it, and merges what is new into the corpora
"""
import hashlib
import json
import pathlib
import random
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
FRAMES_PER_CAPTURE = 2
LONGEST = 400  # octets of a frame: headers are in front


def link_types():
    """The fuzzer's table, so that a seed chooses the link type its capture has."""
    source = (HERE / "decode_fuzzer.cpp").read_text(encoding="utf-8")
    numbers = re.search(r"kLinkTypes\[\] = \{([^}]*)\}", source).group(1)
    return [int(number) for number in numbers.split(",")]


def frames(data):
    """Link type and frames of a pcap file of either byte order and precision."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    link_type = struct.unpack(order + "I", data[20:24])[0] & 0xffff
    link_type = {101: 12}.get(link_type, link_type)  # RAW is 12 once libpcap has read it
    found, offset = [], 24
    while offset + 16 <= len(data):
        captured, wire = struct.unpack(order + "II", data[offset + 8:offset + 16])
        found.append((data[offset + 16:offset + 16 + captured], wire))
        offset += 16 + captured
    return link_type, found


def seeds(path):
    link_type, found = frames(path.read_bytes())
    types = link_types()
    if link_type not in types:
        return
    # captures made for the tests have another kind of packet every few frames
    chosen = found[::2] if path.stem.startswith("t_") else found[:FRAMES_PER_CAPTURE]
    for frame, wire in chosen:
        for tunnels in (16, 64):  # nfstream's, all
            options = types.index(link_type) | tunnels
            yield bytes([options, min(wire - len(frame), 255)]) + frame[:LONGEST]


def fields(*specifiers):
    """(id, length) or (id, length, enterprise number)."""
    return b"".join(struct.pack(">HH", s[0], s[1]) if len(s) == 2 else struct.pack(">HHI", s[0] | 0x8000, s[1], s[2])
                    for s in specifiers)


def a_set(number, *parts, align=1):
    body = b"".join(parts)
    body += bytes(-len(body) % align)
    return struct.pack(">HH", number, 4 + len(body)) + body


def template(number, *specifiers, scopes=None):
    counts = struct.pack(">HH", number, len(specifiers)) + (b"" if scopes is None else struct.pack(">H", scopes))
    return counts + fields(*specifiers)


def ipfix(*sets, sequence=0, domain=0):
    body = b"".join(sets)
    return struct.pack(">HHIII", 10, 16 + len(body), 1_700_000_000, sequence, domain) + body


def netflow9(*sets, sequence=0):
    return struct.pack(">HHIIII", 9, len(sets), 100_000, 1_700_000_000, sequence, 7) + b"".join(sets)


def netflow5(count, sampling=0):
    record = bytes(range(48))
    return struct.pack(">HHIIIIHH", 5, count, 100_000, 1_700_000_000, 500, 0, 0x0102, sampling) + record * count


def ipfix_sessions():
    """Lists of messages: what each kind of Set, field and list looks like."""
    pen, reverse = 32473, 29305
    flow = template(256, (8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 8, reverse), (2, 8, reverse), (1, 8), (2, 8),
                    (152, 8), (153, 8), (6, 1), (96, 65535), (188, 65535, 35632))
    record = bytes([192, 0, 2, 1, 192, 0, 2, 2, 0xc3, 0x50, 1, 0xbb, 6]) + struct.pack(
        ">QQQQQQ", 200, 2, 300, 3, 1_700_000_000_000, 1_700_000_000_500) + b"\x1b\3TLS\5a.org"
    yield [ipfix(a_set(2, flow)), ipfix(a_set(256, record, record)), ipfix(a_set(256, record), sequence=5)]
    yield [ipfix(a_set(2, flow), a_set(256, record, bytes(3)), a_set(2, struct.pack(">HH", 256, 0))),
           ipfix(a_set(256, record))]
    kinds = template(300, (4, 1), (8, 4), (27, 16), (56, 6), (276, 1), (311, 4), (320, 8), (322, 4), (324, 8), (325, 8),
                     (434, 4), (95, 65535), (82, 8), (210, 3), (7, 2, pen), (0x4007, 2, pen))
    body = bytes(range(1, 1 + 1 + 4 + 16 + 6)) + b"\1" + bytes(4 + 8 + 4 + 8 + 8 + 4) + b"\4\x14\0\0\1eth0\0\0\0\0" + bytes(7)
    yield [ipfix(a_set(2, kinds)), ipfix(a_set(300, body))]
    lists = template(301, (291, 65535), (292, 65535), (293, 65535)) + template(302, (4, 1), (96, 65535))
    basic = b"\3" + fields((7, 2, pen)) + b"\0\1\0\2"
    sub = b"\4" + struct.pack(">H", 302) + b"\6\1a\x11\0"
    multi = b"\0" + struct.pack(">HH", 302, 7) + b"\1\1b" + struct.pack(">HH", 302, 6) + b"\1\0"
    nested = b"".join(bytes([len(part)]) + part for part in (basic, sub, multi))
    yield [ipfix(a_set(2, lists)), ipfix(a_set(301, nested))]
    types = template(400, (346, 4), (303, 2), (339, 1), (341, 65535), scopes=2)
    told = struct.pack(">IHB", pen, 7, 2) + b"\5speed"
    alien = template(303, (7, 2, pen), (291, 65535))
    yield [ipfix(a_set(2, alien), a_set(3, types)), ipfix(a_set(303, b"\0\1", bytes([len(basic)]), basic)),
           ipfix(a_set(400, told), sequence=1), ipfix(a_set(303, b"\0\1", bytes([len(basic)]), basic), sequence=2)]
    sampling = template(401, (302, 8), (304, 2), (305, 4), (306, 4), scopes=1)
    legacy = template(402, (149, 4), (34, 4), scopes=1)
    yield [ipfix(a_set(3, sampling + legacy)),
           ipfix(a_set(401, struct.pack(">QHII", 1, 1, 1, 99)), a_set(402, struct.pack(">II", 0, 100))),
           ipfix(a_set(3, struct.pack(">HH", 3, 0)), sequence=2)]


def netflow_sessions():
    flow = template(256, (8, 4), (12, 4), (2, 4), (1, 4), (22, 4), (21, 4), (23, 4), (24, 4), (4, 1), (57590, 2), (95, 4))
    record = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">IIIIIIBHI", 3, 300, 99_000, 99_500, 200, 2, 6, 91, 5)
    options = struct.pack(">HHH", 257, 8, 8) + fields((1, 4), (2, 2), (34, 4), (82, 6))
    told = bytes(4) + struct.pack(">HI", 5, 100) + b"eth0\0\0"
    yield [netflow9(a_set(0, flow, align=4)), netflow9(a_set(256, record, record, align=4), sequence=1)]
    yield [netflow9(a_set(1, options, align=4)), netflow9(a_set(257, told, align=4), sequence=4)]
    yield [netflow9(a_set(0, flow, align=4), a_set(1, options, align=4), a_set(256, record, align=4))]
    yield [netflow5(2), netflow5(1, 0x4000 | 100)]
    yield [netflow5(30)]


def write(target, name, seed):
    folder = PLACE / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-{hashlib.sha256(seed).hexdigest()[:8]}").write_bytes(seed)


def write_sessions(target, sessions):
    """Octet that chooses a collector, then each message behind its length."""
    for choice, messages in enumerate(sessions):
        write(target, "session", bytes([choice]) + b"".join(sized(message) for message in messages))


def sized(octets):
    return struct.pack(">H", len(octets)) + octets


def pcap(link_type, found, order="<", magic=0xa1b2c3d4, snapshot=65535, version=(2, 4)):
    head = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snapshot, link_type)
    return head + b"".join(struct.pack(order + "IIII", 1_700_000_000 + i, i, len(frame), wire) + frame
                           for i, (frame, wire) in enumerate(found))


def pcapng(link_type, found, order="<"):
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = 12 + len(body)
        return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)

    def option(code, value):
        return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)

    end = struct.pack(order + "HH", 0, 0)
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(4, b"nfstreamd") + end)
    out += block(1, struct.pack(order + "HHI", link_type, 0, 65535) + option(9, b"\x09") + option(2, b"eth0") + end)
    for i, (frame, wire) in enumerate(found):
        if i % 3 == 2:
            out += block(3, struct.pack(order + "I", wire) + frame)
        else:
            time = 1_700_000_000_000_000_000 + i
            out += block(6, struct.pack(order + "IIIII", 0, time >> 32, time & 0xffffffff, len(frame), wire) + frame)
    return out + block(5, struct.pack(order + "III", 0, 0, 0) + end)


def capture_file_seeds(link_type, found):
    found = [(frame[:120], wire) for frame, wire in found[:4]]
    plain = pcap(link_type, found)
    yield b"\0" + plain
    yield b"\4" + pcap(link_type, found, order=">", snapshot=60)
    yield b"\10" + pcap(link_type, found, magic=0xa1b23c4d)
    yield b"\1" + plain[:-7]
    yield b"\0" + plain[:-7]
    yield b"\0" + pcapng(link_type, found)
    yield b"\1" + pcapng(link_type, found, order=">")
    yield b"\2" + sized(plain) + pcapng(link_type, found)
    yield b"\0" + pcap(link_type, found, magic=0xa1b2cd34)  # patched, with longer headers
    yield b"\0" + pcap(link_type, found, version=(2, 2))
    yield b"\0" + pcap(189, [(bytes(64) + frame, 64 + wire) for frame, wire in found])  # USB: libpcap's own


def meter_seeds(link_type, found):
    """Frames of a capture as the meter's fuzzer takes them, by two choices of options."""
    types = {1: 0, 12: 4, 113: 5, 276: 6}
    if link_type not in types:
        return
    for options in (bytes([0x7e, 5, types[link_type], 0]), bytes([0x01, 0x38, types[link_type] | 0x20, 0x37]),
                    bytes([0x3b, 0x43, types[link_type], 0x2d]), bytes([0x18, 0xc5, types[link_type], 3]),
                    bytes([0x30, 0x0d, types[link_type], 0x80]), bytes([0x50, 0x0f, types[link_type] | 0x40, 0x81]),
                    bytes([0x50, 0x0f, types[link_type], 0x41])):
        yield options + b"".join(
            bytes([20 if i % 7 else 0x94]) + struct.pack(">H", 10 + i) + sized(frame[:LONGEST])
            for i, (frame, _) in enumerate(found[:24]))


def config_seeds():
    root = HERE.parents[1]
    example = (root / "config" / "nfstreamd.yaml").read_text(encoding="utf-8")
    yield example
    yield re.sub(r"(?m)^( *)#(?! )", r"\1", example)  # with all that it leaves out
    for test in sorted((root / "tests" / "unit" / "config").glob("*_test.cpp")):
        source = test.read_text(encoding="utf-8")
        yield from re.findall(r'R"\((.*?)\)"', source, re.S)
        for literals in re.findall(r'(?:"(?:[^"\\\n]|\\.)*"\s*)+', source):  # those next to each other are one
            text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', literals))
            if ":" in text:
                yield text.encode("ascii", "ignore").decode("unicode_escape", "ignore")
    yield "exporters:\n  - {type: kafka, brokers: [a:1], topic: t, sasl: {username: u, password: !file secret}}\n%%\n" \
          "exporters:\n  - {type: csv, path: ${COLLECTOR}}\n%%\nmetering.idle_timeout=5s"
    yield "instance: a $${b} $$ $c\n"
    yield "instance: a\n%%\ncapture:\n  - interface: eth0\n    packet_sampling: {rate: 4}\n%%\nlog={level: debug}\n%%\n1"


def extension_seeds():
    """Plugins, models, and what changes entries of lists: drop-ins and overrides."""
    settings = '{limit: 10, ratio: -1.5e3, on: true, off: false, list: [1, "2", null, {a: 0.5, b: 01}], text: "a\\tb\\x01\\u2028\\U0001f600", ' \
               "quoted: '7', empty: {}, none: []}"
    plugin = f"plugins:\n  - {{name: slicer, settings: {settings}, elements: [limit=32473/5], time_budget_us: 50}}\n"
    model = "models:\n  - {name: app, path: a.json, shadow: b.json, after_packets: 10, features: [a, b], classes: [x, y], " \
            "elements: [class=32473/7], time_budget_us: off}\n"
    base = "capture: [{interface: eth0}]\nexporters:\n  - {type: csv, path: a.csv}\n  - {name: second, type: json, path: b.json}\n"
    yield plugin + model + base
    yield plugin.replace("50", "off") + "  - {name: slicer}\n  - {name: a b}\n  - {name: 7, path: /x.so, class: C, generation: nfstream3, fields: [a]}\n"
    yield model.replace("off", "70000") + "  - {name: app, path: c}\n  - {}\n  - 5\n"
    yield base + "%%\n" + "exporters:\n  - {type: csv, path: c.csv, fields: }\n  - {name: third, type: csv}\nmetering:\n%%\n"
    yield base + plugin + "metering: {timeouts: {tcp: 5s}}\n%%\nmetering: {timeouts: {udp: 4s, tcp: 1s}, max_flows: }\n" + plugin + "%%\n"
    for override in ("capture.0.required=true", "capture.1.interface=eth1", "capture.9.interface=x", "capture.bpf_filter=tcp", "capture=[]",
                     "exporters.csv.path=d", "exporters.1.path=d", "exporters.7.path=d", "exporters.new.type=csv", "plugins.slicer.settings={a: 1}",
                     "plugins.slicer.settings.limit=7", "models.app.path=e", "metering.timeouts={tcp: 3}", "metering.n_dissections.x=5",
                     "metering={}", "..=1", "a" + ".b" * 40 + "=1", "instance=[", "log.level=debug"):
        yield f"{base}{plugin}{model}%%\n\n%%\n{override}"
        yield f"\n%%\n\n%%\n{override}\n%%\nreads files"
    yield "instance: ${NOT_UTF8}\nlog: {level: !file binary}\nenrichment: !file secret\n"
    yield 'instance: "a\\0b"\nexporters: [{type: csv, path: "\\0"}, {type: "\\x01"}]\n'
    yield "a: &b 1\nc: *b\n"
    yield "c: [*b]\n"
    yield "metering: {n_dissections: [1], overload: {sampling: 10, from: 60}, max_flows: 1e9, idle_timeout: 5parsecs}\ncapture: [{interface: eth0}]\n"
    yield "exporters: [{type: [csv]}, {type: nothing}, {type: csv, path: [a], flush: 99999d, rotate_octets: 5XB}]\n"


def filter_seeds():
    """The expressions of the unit tests, right and wrong ones, and of each type of field."""
    test = HERE.parents[1] / "tests" / "unit" / "core" / "record" / "filter_expression_test.cpp"
    for text in re.findall(r'"((?:[^"\\\n]|\\.){4,})"', test.read_text(encoding="utf-8")):
        if re.search(r"[=<>~&|()\[]| in | contains |not ", text):
            yield text.replace('\\"', '"').replace("\\\\", "\\")
    yield "application_is_guessed"
    yield "not application_is_guessed and application_is_guessed != true"
    yield "application_is_guessed == perhaps"
    yield "dst_port < 5 or dst_port != 6 or dst_port = 7 or dst_port & 8 or #"
    yield "requested_server_name ~ " + "\u00fc" * 60
    yield "src_ip == " + "1" * 60
    yield "src_ip in [2001:db8::/33, 10.0.0.0/9]"
    yield "(" * 70


CONTROL = (b"status\n", b"flows\n", b"flows limit=5 sort=newest filter=dst_port == 443 and application_name == TLS\r\n",
           b"flows \xfflimit=0\n", b"resend-templates main\n", b"resend-templates \xff\xff\n", b"no\xffsuch\n\xffmore\n",
           b"x" * 8200, b"flows limit=4097\n", b"flows sort=colour\n", b"flows a\n", b"flows a=b\n", b"flows filter=(\n")
HTTP = (b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HEAD /healthz HTTP/1.1\r\nHost: 127.0.0.1:9587\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", b"GET /status.json?a HTTP/1.0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", b"GET /page.js HTTP/1.1\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: evil.example\r\n\r\n", b"GET /\xff HTTP/1.1\xff\r\nHost: local\xffhost\r\n\r\n",
        b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01 no request", b"GET / HTTP/1.1\r\nX: " + b"y" * 8200, b"listen 127.0.0.1:9587", b"listen [::1]:80",
        b"listen localhost:1", b"listen :9", b"listen 1.2.3.4", b"listen ::1:80", b"listen [1.2.3.4]:80", b"listen a:70000")


def forest(objective, outputs=1, trees=1, names=True, parameters=None, **attributes):
    """A model as XGBoost 1.7 writes it, of trees that test two features."""
    def tree(number):
        return {"base_weights": [0.0, -2.0, 2.0], "categories": [], "categories_nodes": [], "categories_segments": [],
                "categories_sizes": [], "default_left": [1, 0, 0], "id": number, "left_children": [1, -1, -1],
                "loss_changes": [1.0, 0.0, 0.0], "parents": [2147483647, 0, 0], "right_children": [2, -1, -1],
                "split_conditions": [3.5, -2.0, 2.0], "split_indices": [number % 2, 0, 0], "split_type": [0, 0, 0],
                "sum_hessian": [2.0, 1.0, 1.0],
                "tree_param": {"num_deleted": "0", "num_feature": "2", "num_nodes": "3", "size_leaf_vector": "0"}}
    return {"learner": {
        "attributes": attributes, "feature_names": ["a", "b"] if names else [], "feature_types": ["int", "float"] if names else [],
        "gradient_booster": {"model": {
            "gbtree_model_param": {"num_parallel_tree": "1", "num_trees": str(trees), "size_leaf_vector": "0"},
            "tree_info": [i % outputs for i in range(trees)], "trees": [tree(i) for i in range(trees)]}, "name": "gbtree"},
        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": str(outputs if outputs > 1 else 0),
                                "num_feature": "2", "num_target": "1"},
        "objective": {"name": objective, **(parameters or {"reg_loss_param": {"scale_pos_weight": "1"}})}}, "version": [1, 7, 4]}


def ubjson(value, key=""):
    """With the markers that XGBoost writes."""
    def size(number):
        return b"L" + struct.pack(">q", number)

    typed = {"default_left": "U", "split_type": "U", "categories_segments": "L", "categories_sizes": "L"}
    if isinstance(value, dict):
        return b"{" + b"".join(size(len(name)) + name.encode() + ubjson(one, name) for name, one in value.items()) + b"}"
    if isinstance(value, str):
        return b"S" + size(len(value.encode())) + value.encode()
    if isinstance(value, int):
        return b"i" + struct.pack(">b", value) if -128 <= value < 128 else b"l" + struct.pack(">i", value)
    if key in ("feature_names", "feature_types", "tree_info", "trees", "version"):
        return b"[#" + size(len(value)) + b"".join(map(ubjson, value))
    marker = typed.get(key, "d" if value and isinstance(value[0], float) else "l")
    code = {"U": "B", "L": "q", "d": "f", "l": "i"}[marker]
    return b"[$" + marker.encode() + b"#" + size(len(value)) + struct.pack(f">{len(value)}{code}", *value)


def model_seeds():
    multi = {"softmax_multiclass_param": {"num_class": "3"}}
    models = [forest("binary:logistic", classes='["good","bad"]'), forest("binary:logistic", trees=2, best_iteration="0"),
              forest("multi:softprob", 3, 6, parameters=multi, classes='["a","b","c"]', best_iteration="1"),
              forest("multi:softmax", 3, 3, names=False, parameters=multi), forest("reg:squarederror", trees=3),
              forest("reg:pseudohubererror", parameters={"pseudo_huber_param": {"huber_slope": "1"}}),
              forest("count:poisson", parameters={"poisson_regression_param": {"max_delta_step": "0.7"}}),
              forest("reg:tweedie", parameters={"tweedie_regression_param": {"tweedie_variance_power": "1.5"}})]
    later = forest("reg:gamma", trees=2)  # as 2.0 has it
    later["learner"]["gradient_booster"]["model"]["iteration_indptr"] = [0, 1, 2]
    for model in (*models, later):
        yield json.dumps(model, separators=(",", ":")).encode()
        yield ubjson(model)
    for wrong in ({"a": 1}, {"learner": []}, {"learner": {"objective": {"name": "rank:pairwise"}}}):
        yield json.dumps(wrong, separators=(",", ":")).encode()
    yield b'{"learner":' + b"[" * 40
    yield b"{L\0\0\0\0\0\0\0\1a[$Z#L\0\0\1\0\0\0\0\0"


def spool_seeds():
    anything = bytes(range(7, 40))
    for seed in range(24):
        entry = bytes([3, 4, seed, 0, 0, 0])
        yield bytes([0]) + entry * 3 + b"\7\0" + entry * 2 + b"\6\1" + sized(b"1 32 0 2")
        yield bytes([0]) + entry + bytes([4]) + sized(anything) + b"\7\1" + bytes([5]) + sized(b"nothing of ours")
        yield bytes([0]) + bytes([3, 3, seed, 0, seed * 9, seed]) + bytes([0, 2]) + sized(anything * 6) + b"\6\0" + sized(b"0")
        for kind in (0, 1, 2, 0x82):
            yield bytes([8, seed % 3, kind]) + struct.pack(">H", 40 + 9 * seed) + entry * 2 + b"\7\0" + entry * 2
        yield bytes([16, 10 * seed]) + entry
        yield bytes([1]) + bytes([2]) + anything * 8
        yield bytes([3]) + bytes([2, seed]) + struct.pack(">HB", 17 * seed, seed)


def script_seeds():
    """Octets by chance: what a plugin does, and which octets of records are changed."""
    chance = random.Random(1)
    for length in (40, 120, 300) * 8:
        yield bytes([chance.randrange(0xf0), 0]) + chance.randbytes(length)
    for choice in range(8):
        yield bytes([choice | 16 | choice << 5, 7]) + chance.randbytes(20)


def typed_script_seeds():
    """Each type of value set, read and got again, of each column."""
    lengths = {1: 8, 2: 8, 3: 8, 4: 1, 5: 6, 6: 4, 7: 6, 8: 12}
    for kind in range(1, 10):
        octets = bytes(range(1, 1 + lengths.get(kind, 8)))
        steps = bytes([kind - 1, 5, kind, len(octets)]) + octets
        steps += bytes([kind - 1, 7])
        reads = b"".join(bytes([column, 8]) for column in range(kind, kind + 4))
        call = bytes([6]) + steps + reads + b"\0"
        for choice in (4, 0x7c):
            yield bytes([choice, 0]) + b"\0\0" + call * 12
        yield bytes([0x7c, 0]) + b"\0\0" + bytes([1, 8, 5, kind, len(octets)]) + octets + b"\0" + call * 8


def main():
    for path in sorted((HERE.parent / "golden" / "captures").glob("**/*.pcap")):
        data = path.read_bytes()
        for seed in seeds(path):
            write("decode", path.stem, seed)
        link_type, found = frames(data)
        for seed in meter_seeds(link_type, found):
            write("meter", path.stem, seed)
    link_type, found = frames((HERE.parent / "golden" / "captures" / "dns.pcap").read_bytes())
    for seed in capture_file_seeds(link_type, found):
        write("capture_file", "capture", seed)
    for text in (*config_seeds(), *extension_seeds()):
        write("config", "text", text.encode())
    for text in filter_seeds():
        write("filter", "text", text.encode())
    for seed in CONTROL:
        write("control", "request", seed)
    for seed in HTTP:
        write("http", "request", seed)
    for seed in model_seeds():
        write("model", "forest", seed)
    for seed in spool_seeds():
        write("spool", "folder", seed)
    for seed in typed_script_seeds():
        write("plugin", "types", seed)
    for seed in script_seeds():
        write("plugin", "script", seed)
        write("export", "changes", seed)
    write_sessions("ipfix_reader", ipfix_sessions())
    write_sessions("netflow_reader", netflow_sessions())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    PLACE = pathlib.Path(sys.argv[1])
    main()
