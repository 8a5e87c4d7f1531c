#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wire.py itself: messages as the RFCs have them are read, and each rule finds what breaks it."""
import struct
import unittest

import harness
import wire
from crafted import a_set, fields, message, options_template, template, v5, v5_record, v9

PEN = 32473  # RFC 5612: for documentation


SIMPLE = a_set(2, template(256, (2, 4), (96, 65535)))
DATA = a_set(256, struct.pack(">I", 7), b"\3TLS")


class Case(unittest.TestCase):
    def accept(self, *messages, **session):
        reader = wire.Session(**session)
        return [reader.read(m) for m in messages]

    def refuse(self, item, *messages, now=None, **session):
        """All but the last are good."""
        reader = wire.Session(**session)
        for good in messages[:-1]:
            reader.read(good)
        with self.assertRaises(wire.Violation) as caught:
            reader.read(messages[-1], now)
        self.assertEqual(caught.exception.item, item, caught.exception)


class Ipfix(Case):
    def test_records_have_the_values_of_their_types(self):
        kinds = a_set(2, template(300, (2, 4), (6, 1), (8, 4), (27, 16), (56, 6), (152, 8), (153, 8), (96, 65535), (276, 1),
                                  (311, 4), (1, 8, wire.REVERSE), (7, 2, PEN)))
        body = (struct.pack(">IB", 9, 0x1b) + bytes([192, 0, 2, 1]) + bytes(15) + b"\1" + bytes(range(6))
                + struct.pack(">QQ", 1_700_000_000_500, 1_700_000_001_000) + b"\5proto" + b"\2"
                + struct.pack(">fQ", 0.5, 77) + b"\xab\xcd")
        record = self.accept(message(kinds), message(a_set(300, body)))[1].records[0]
        self.assertEqual([value for _, value, _ in record.items],
                         [9, 0x1b, "192.0.2.1", "::1", "00:01:02:03:04:05", 1_700_000_000.5, 1_700_000_001.0, "proto", False,
                          0.5, 77, b"\xab\xcd"])
        self.assertEqual(record.value(1, wire.REVERSE), 77)
        self.assertFalse(record.is_options)

    def test_lengths_and_sets(self):
        self.accept(message(SIMPLE, DATA))
        self.refuse("C01", b"\0")
        self.refuse("C01", message(SIMPLE, version=11))
        self.refuse("C01", message(SIMPLE, length=99))
        self.refuse("C01", message())
        self.refuse("C01", message(SIMPLE), message(a_set(256)))
        self.refuse("C01", message(SIMPLE), message(a_set(256, b"\0\0\0\1\4ab")))
        self.refuse("C01", message(struct.pack(">HH", 2, 90)))
        self.refuse("C05", message(SIMPLE), message(a_set(255, b"12345")))

    def test_a_stream_is_cut_into_its_messages(self):
        session = wire.Session("tcp")
        whole = message(SIMPLE) + message(DATA) + message(DATA, sequence=1)
        self.assertEqual([len(m.records) for m in session.read_stream(whole)], [0, 1, 1])
        with self.assertRaises(wire.Violation):
            wire.Session("tcp").read_stream(whole[:-1])

    def test_export_time_is_now(self):
        wire.Session().read(message(SIMPLE, time=1000), now=1000.9)
        self.refuse("C02", message(SIMPLE, time=1000), now=1005)

    def test_sequence_numbers_count_data_records(self):
        self.accept(message(SIMPLE, sequence=5), message(DATA, DATA, sequence=5), message(DATA, sequence=7))
        self.accept(message(SIMPLE, sequence=2**32 - 1), message(DATA, sequence=2**32 - 1), message(DATA, sequence=0))
        self.accept(message(SIMPLE), message(SIMPLE, domain=1), message(DATA), message(DATA, domain=1))
        self.refuse("C03", message(SIMPLE), message(DATA), message(DATA, sequence=2))
        self.refuse("C03", message(SIMPLE, sequence=1), from_start=True)
        session = wire.Session(gaps=wire.COUNTED)
        for sequence in (0, 4):
            session.read(message(SIMPLE, DATA, sequence=sequence))
        self.assertEqual(session.missing, [3])

    def test_padding_is_zero_and_shorter_than_a_record(self):
        wide = a_set(2, template(256, (2, 8)))
        self.accept(message(wide), message(a_set(256, bytes(8), bytes(3))))
        self.refuse("C05", message(wide), message(a_set(256, bytes(8), b"\0\1")))
        self.accept(message(a_set(2, template(256, (2, 8)), bytes(2))))
        self.refuse("C05", message(a_set(2, template(256, (2, 8)), bytes(4))))

    def test_template_ids(self):
        self.refuse("C06", message(a_set(2, template(255, (2, 4)))))
        self.refuse("C14", message(SIMPLE), message(a_set(3, options_template(256, 1, (144, 4), (41, 8)))))

    def test_enterprise_bits(self):
        self.refuse("C07", message(a_set(2, template(256, (2, 4, 0)))))
        self.refuse("C07", message(a_set(2, template(256, (2 | 0x4000, 4, wire.REVERSE)))))
        self.accept(message(a_set(2, template(256, (2 | 0x4000, 4, PEN)))))

    def test_options_templates_have_a_scope_and_more(self):
        found = self.accept(message(a_set(3, options_template(257, 1, (144, 4), (41, 8)))),
                            message(a_set(257, struct.pack(">IQ", 1, 99))))[1].records[0]
        self.assertTrue(found.is_options)
        self.assertTrue(found.template.fields[0].scope)
        self.assertEqual(found.value(41), 99)
        self.refuse("C08", message(a_set(3, options_template(257, 0, (144, 4), (41, 8)))))
        self.refuse("C08", message(a_set(3, options_template(257, 2, (144, 4), (41, 8)))))

    def test_variable_lengths(self):
        for length in (0, 254, 255, 300):
            prefix = bytes([length]) if length < 255 else b"\xff" + struct.pack(">H", length)
            found = self.accept(message(SIMPLE), message(a_set(256, bytes(4), prefix, b"x" * length)))
            self.assertEqual(found[1].records[0].value(96), "x" * length)
        self.refuse("C09", message(SIMPLE), message(a_set(256, bytes(4), b"\xff\0\1x")))

    def test_lengths_suit_types(self):
        for specifier in ((1, 9), (4, 2), (8, 16), (27, 4), (56, 8), (152, 4), (311, 5), (276, 2), (2, 0), (96, 0)):
            self.refuse("C10", message(a_set(2, template(256, specifier))))
        for specifier in ((1, 3), (6, 1), (311, 4), (96, 20)):
            self.accept(message(a_set(2, template(256, specifier))))
        self.refuse("C10", message(a_set(2, template(256, (276, 1)))), message(a_set(256, b"\0")))

    def test_strings_are_utf8(self):
        self.refuse("C11", message(SIMPLE), message(a_set(256, bytes(4), b"\2a\xff")))
        self.refuse("C11", message(SIMPLE), message(a_set(256, bytes(4), b"\1\xc3")))

    def test_a_flow_begins_before_it_ends(self):
        times = a_set(2, template(256, (152, 8), (153, 8)))
        self.accept(message(times), message(a_set(256, struct.pack(">QQ", 5, 5))))
        self.refuse("C12", message(times), message(a_set(256, struct.pack(">QQ", 6, 5))))

    def test_templates_come_before_their_data(self):
        self.refuse("C13", message(DATA))
        self.refuse("C13", message(SIMPLE), message(DATA, domain=3))
        self.refuse("C13", message(SIMPLE, time=1000), message(DATA, time=999))
        self.refuse("C13", message(DATA, SIMPLE))

    def test_redefinition_and_withdrawal(self):
        other = a_set(2, template(256, (1, 4)))
        gone = a_set(2, struct.pack(">HH", 256, 0))
        all_gone = a_set(2, struct.pack(">HH", 2, 0))
        self.accept(message(SIMPLE), message(SIMPLE))
        self.refuse("C14", message(SIMPLE), message(other))
        self.accept(message(SIMPLE), message(gone), message(other), transport="tcp")
        self.refuse("C14", message(SIMPLE), message(gone), message(DATA), transport="tcp")
        self.refuse("C14", message(SIMPLE), message(all_gone), message(DATA), transport="tcp")
        self.refuse("C14", message(gone), transport="tcp")
        self.refuse("C15", message(SIMPLE), message(gone))
        session = wire.Session("udp", template_lifetime=60)
        session.read(message(SIMPLE, time=1000), now=1000)
        session.read(message(other, time=1061), now=1061)

    def test_lists(self):
        tree = a_set(2, template(256, (291, 65535)), template(257, (292, 65535)), template(258, (293, 65535)),
                     template(300, (4, 1)))
        basic = b"\3" + fields((7, 2, PEN)) + b"\0\1\0\2"
        sub = b"\4" + struct.pack(">H", 300) + b"\6\21"
        multi = b"\0" + struct.pack(">HH", 300, 6) + b"\1\2"
        found = self.accept(message(tree), message(a_set(256, bytes([len(basic)]), basic),
                                                   a_set(257, bytes([len(sub)]), sub),
                                                   a_set(258, bytes([len(multi)]), multi)))[1].records
        self.assertEqual(found[0].value(291).values, [b"\0\1", b"\0\2"])
        self.assertEqual(found[0].value(291).semantic, 3)
        self.assertEqual([r.value(4) for r in found[1].value(292).records], [6, 17])
        self.assertEqual([r.value(4) for r in found[2].value(293).records], [1, 2])
        self.refuse("L01", message(tree), message(a_set(256, b"\5\x09" + fields((7, 2)))))
        self.refuse("C13", message(tree), message(a_set(257, b"\4\0" + struct.pack(">H", 999) + b"\1")))
        self.refuse("C01", message(tree), message(a_set(256, b"\6\3" + fields((7, 2)) + b"\1")))

    def test_types_are_learnt_from_records(self):
        told = a_set(3, options_template(400, 2, (346, 4), (303, 2), (339, 1), (341, 65535)))
        record = a_set(400, struct.pack(">IHB", PEN, 7, 2) + b"\4mine")
        session = wire.Session()
        for m in (message(told), message(record), message(a_set(2, template(256, (7, 2, PEN))), sequence=1)):
            session.read(m)
        self.assertEqual(session.read(message(a_set(256, b"\1\0"), sequence=1)).records[0].value(7, PEN), 256)
        self.assertEqual(session.names[PEN, 7], "mine")
        self.refuse("T01", message(told), message(a_set(400, struct.pack(">IHB", PEN, 7, 99) + b"\0")))


class Netflow(Case):
    SIMPLE = a_set(0, template(256, (2, 4), (22, 4), (21, 4)))
    DATA = a_set(256, struct.pack(">III", 3, 1000, 2000))

    def test_v9_templates_options_and_data(self):
        options = a_set(1, struct.pack(">HHH", 257, 4, 4) + fields((1, 4), (34, 4)), bytes(2))
        found = self.accept(v9(self.SIMPLE, options, count=2), v9(self.DATA, a_set(257, bytes(4), b"\0\0\0\x64"), count=2,
                                                                  sequence=1))[1].records
        self.assertEqual((found[0].value(2), found[1].value(34)), (3, 100))
        self.assertEqual([r.is_options for r in found], [False, True])

    def test_v9_rules(self):
        self.refuse("C36", v9(self.SIMPLE, count=2))
        self.refuse("C36", v9(self.SIMPLE), v9(self.DATA, sequence=5))
        self.refuse("C05", v9(a_set(0, template(256, (4, 1))), a_set(256, b"\6"), count=2))
        self.accept(v9(a_set(0, template(256, (4, 2), (5, 3))), a_set(256, bytes(8)), count=2))
        self.refuse("C13", v9(self.DATA))
        self.refuse("C06", v9(a_set(0, template(9, (2, 4)))))
        self.refuse("C08", v9(a_set(1, struct.pack(">HHH", 257, 4, 4) + fields((9, 4), (34, 4)), bytes(2))))
        self.refuse("C09", v9(a_set(0, template(256, (96, 65535)))))
        self.refuse("C12", v9(self.SIMPLE), v9(a_set(256, struct.pack(">III", 3, 2000, 1000)), sequence=1))
        self.refuse("C12", v9(self.SIMPLE), v9(self.DATA, sequence=1, uptime=1500))
        self.accept(v9(self.SIMPLE), v9(a_set(256, struct.pack(">III", 3, 2**32 - 10, 20)), sequence=1, uptime=100))

    def test_v5(self):
        found = self.accept(v5(v5_record(), v5_record()), v5(v5_record(), sequence=2, sampling=0x4000 | 100))
        self.assertEqual(found[0].records[0].value(8), "192.0.2.1")
        self.assertEqual(found[0].records[0].value(6), 0x1b)
        self.refuse("C37", v5())
        self.refuse("C37", v5(*[v5_record()] * 31))
        self.refuse("C01", v5(v5_record(), count=2))
        self.refuse("C37", v5(v5_record()), v5(v5_record(), sequence=9))
        self.refuse("C37", v5(v5_record(), sampling=100))
        self.refuse("C05", v5(v5_record(pad=1)))
        self.refuse("C12", v5(v5_record(first=3000, last=2000)))
        self.refuse("C12", v5(v5_record(), uptime=1999))


if __name__ == "__main__":
    harness.main()
