#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One probe, several exporters: clear to one, anonymised to another, equal but for what was to be hidden."""
import csv
import ipaddress
import json

import harness

SOME = [harness.CAPTURES / f"{name}.pcap" for name in ("dhcp", "dns", "http", "quic", "s_ext6", "ssh", "tls12")]
KEY = "8f7d1e5a0b3c2d4e8f7d1e5a0b3c2d4e00112233445566778899aabbccddeeff"
ADDRESSES, MACS, OUIS = ("src_ip", "dst_ip"), ("src_mac", "dst_mac"), ("src_oui", "dst_oui")
TEXTS = ("requested_server_name", "client_fingerprint", "server_fingerprint", "user_agent")


def common_bits(one, other):
    a, b = (ipaddress.ip_address(text) for text in (one, other))
    return a.max_prefixlen - (int(a) ^ int(b)).bit_length()


def is_special(text):
    address = ipaddress.ip_address(text)
    return address.is_multicast or address.is_unspecified or address.is_loopback or text == "255.255.255.255"


class Anonymize(harness.TestCase):
    def export(self, **exporters):
        """The rows of each exporter, {name: extra settings in YAML}, of one run."""
        secret = self.write("anonymize.key", KEY + "\n")
        lines = "".join(f"  - {{name: {name}, type: csv, path: {self.folder}/{name}.csv{extra}}}\n"
                        for name, extra in exporters.items())
        config = self.write("export.yaml", "exporters:\n" + lines.replace("KEY", f"!file {secret}"))
        self.nfstreamd("-c", config, "-r", *SOME)
        rows = {}
        for name in exporters:
            with open(self.folder / f"{name}.csv", newline="", encoding="utf-8") as text:
                rows[name] = list(csv.DictReader(text))
        self.assertGreater(len(rows["clear"]), 5)
        return config, rows

    def test_rows_are_equal_but_for_what_is_hidden(self):
        _, rows = self.export(
            clear="", prefix=", anonymize: {addresses: prefix_preserving, mac: pseudonym, texts: pseudonym, key: KEY}",
            cut=", anonymize: {addresses: truncate, prefix_length_v4: 16}", macs=", anonymize: {mac: oui}")
        hidden = {"prefix": ADDRESSES + MACS + OUIS + TEXTS, "cut": ADDRESSES + MACS + OUIS + TEXTS, "macs": MACS}
        for name, columns in hidden.items():
            self.assertEqual(len(rows[name]), len(rows["clear"]))
            for have, clear in zip(rows[name], rows["clear"]):
                for column, value in clear.items():
                    if column not in columns:
                        self.assertEqual(have[column], value, (name, column))
        changed = {name: {column for have, clear in zip(rows[name], rows["clear"]) for column in columns
                          if have[column] != clear[column]} for name, columns in hidden.items()}
        self.assertGreaterEqual(changed["prefix"], set(ADDRESSES) | {"requested_server_name"})
        self.assertGreaterEqual(changed["cut"], set(ADDRESSES) | {"requested_server_name"})
        for have, clear in zip(rows["cut"], rows["clear"]):
            self.assertEqual(have["src_mac"], "00:00:00:00:00:00")
            self.assertEqual([have[column] for column in TEXTS], [""] * len(TEXTS))
            if clear["ip_version"] == "4" and not is_special(clear["src_ip"]):
                self.assertTrue(have["src_ip"].endswith(".0.0"), have["src_ip"])
                self.assertGreaterEqual(common_bits(have["src_ip"], clear["src_ip"]), 16)
        for have, clear in zip(rows["macs"], rows["clear"]):
            if not int(clear["src_mac"][1], 16) & 1:
                self.assertEqual(have["src_mac"], clear["src_mac"][:8] + ":00:00:00")

    def test_pseudonyms_share_the_bits_that_addresses_share(self):
        _, rows = self.export(clear="", prefix=", anonymize: {addresses: prefix_preserving, key: KEY}")
        pseudonyms = {clear[column]: have[column] for have, clear in zip(rows["prefix"], rows["clear"])
                      for column in ADDRESSES}
        usual = [text for text in pseudonyms if not is_special(text)]
        self.assertGreater(len(usual), 3)
        for text, hidden in pseudonyms.items():
            self.assertEqual(text == hidden, is_special(text) and not text.startswith("ff02::1:ff"), text)
        for one in usual:
            for other in usual:
                if (":" in one) == (":" in other):
                    self.assertEqual(common_bits(pseudonyms[one], pseudonyms[other]), common_bits(one, other))

    def test_the_same_key_gives_the_same_in_each_run_and_another_does_not(self):
        settings = "anonymize: {addresses: prefix_preserving, mac: pseudonym, texts: pseudonym, key: KEY}"
        first = self.export(clear="", hidden=", " + settings)[1]["hidden"]
        self.assertEqual(self.export(clear="", hidden=", " + settings)[1]["hidden"], first)
        other = self.export(clear="", hidden=", " + settings.replace("KEY", "another key of some length"))[1]["hidden"]
        self.assertNotEqual([row["src_ip"] for row in other], [row["src_ip"] for row in first])

    def test_filters_see_what_is_clear(self):
        _, rows = self.export(clear="")
        address = next(row["src_ip"] for row in rows["clear"] if not is_special(row["src_ip"]))
        _, rows = self.export(clear="", hidden=f", filter: 'src_ip == {address}', anonymize: {{addresses: truncate}}")
        self.assertEqual(len(rows["hidden"]), sum(row["src_ip"] == address for row in rows["clear"]))

    def test_ipfix_carries_the_pseudonyms(self):
        secret = self.write("anonymize.key", KEY + "\n")
        collector, port = self.collect()
        config = self.write("both.yaml", f"""exporters:
  - {{name: wire, type: ipfix, collectors: ["udp://127.0.0.1:{port}"],
     anonymize: {{addresses: prefix_preserving, key: !file {secret}}}}}
  - {{name: file, type: json, path: {self.folder}/file.json,
     anonymize: {{addresses: prefix_preserving, key: !file {secret}}}}}
""")
        self.nfstreamd("-c", config, "-r", *SOME)
        with open(self.folder / "file.json", encoding="utf-8") as lines:
            want = sorted((flow["src_ip"], flow["dst_ip"], flow["src_mac"], flow["src_port"])
                          for flow in map(json.loads, lines))
        harness.wait_for(lambda: len(collector.json_lines()) >= len(want), collector.describe)
        have = sorted((flow["src_ip"], flow["dst_ip"], flow["src_mac"], flow["src_port"])
                      for flow in collector.json_lines())
        self.assertEqual(have, want)
        self.assertFalse(any(flow.get("requested_server_name") for flow in collector.json_lines()))

    def test_the_key_is_not_printed_and_a_missing_one_is_an_error_that_says_how_to_make_it(self):
        config, _ = self.export(clear="", hidden=", anonymize: {addresses: prefix_preserving, key: KEY}")
        printed = self.nfstreamd("-c", config, "-r", SOME[0], "--print-config").stdout
        self.assertIn("prefix_preserving", printed)
        self.assertNotIn(KEY, printed)
        wrong = self.write("wrong.yaml", f"""capture:
  - pcap: {SOME[0]}
exporters:
  - name: hidden
    type: csv
    path: {self.folder}/hidden.csv
    anonymize:
      addresses: prefix_preserving
""")
        run = self.nfstreamd("-t", "-c", wrong, status=78)
        self.assertIn("anonymize.key: is needed", run.stderr)
        self.assertIn("openssl rand -hex 32", run.stderr)
        wrong.write_text(wrong.read_text().replace("prefix_preserving", "truncate\n      key: 0123456789abcdef"))
        self.assertIn("wrong.yaml:9:", self.nfstreamd("-t", "-c", wrong, status=78).stderr)


if __name__ == "__main__":
    harness.main()
