#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nfstream 3 and 0.x printed is what their schemas and their compatibility give."""
import csv
import ipaddress
import json

import harness
from harness import CAPTURES

FACEBOOK = CAPTURES / "facebook.pcap"

# The flow that nfstream 3's documentation prints, word for word.
NFENTRY = dict(
    id=0,
    first_seen=1472393122365,
    last_seen=1472393123665,
    version=4,
    src_port=52066,
    dst_port=443,
    protocol=6,
    vlan_id=0,
    src_ip='192.168.43.18',
    dst_ip='66.220.156.68',
    total_packets=19,
    total_bytes=5745,
    duration=1300,
    src2dst_packets=9,
    src2dst_bytes=1345,
    dst2src_packets=10,
    dst2src_bytes=4400,
    expiration_id=0,
    master_protocol=91,
    app_protocol=119,
    application_name='TLS.Facebook',
    category_name='SocialNetwork',
    client_info='facebook.com',
    server_info='*.facebook.com,*.facebook.net,*.fb.com,*.fbcdn.net,*.fbsbx.com',
    j3a_client='bfcc1a3891601edb4f137ab7ab25b840',
    j3a_server='2d1eb5817ece335c24904f516ad5da12'
)
NUMBERS = dict(ip_src=3232246546, ip_dst=1121754180)  # of its addresses, which nfstream left out of the entry

NFSTREAM0 = ["ip_src", "src_port", "ip_dst", "dst_port", "ip_protocol", "src_to_dst_pkts", "dst_to_src_pkts",
             "src_to_dst_bytes", "dst_to_src_bytes", "application_name", "category_name", "start_time", "end_time",
             "export_reason"]


class Generations(harness.TestCase):
    def flows(self, *arguments, capture=FACEBOOK):
        return [json.loads(line) for line in self.nfstreamd("-r", capture, *arguments).stdout.splitlines()]

    def compatible(self, generation, *arguments, **more):
        return self.flows("--set", f"metering.compatibility={generation}", *arguments, **more)

    def check_entry(self, flow):
        self.assertEqual({**flow, **NFENTRY}, flow)
        self.assertEqual(flow, {**NFENTRY, **NUMBERS})
        self.assertEqual([name for name in flow if name not in NUMBERS], list(NFENTRY))

    def test_the_entry_of_nfstream_3s_documentation_comes_out(self):
        first, *others = self.compatible("nfstream3", "--schema", "nfstream3")
        self.check_entry(first)
        self.assertEqual([flow["id"] for flow in others], [1])

    def test_compatibility_alone_brings_the_schema(self):
        self.check_entry(self.compatible("nfstream3")[0])

    def test_the_schema_alone_brings_the_entry_too(self):
        self.check_entry(self.flows("--schema", "nfstream3")[0])

    def test_it_is_the_same_in_csv(self):
        out = self.folder / "flows.csv"
        self.nfstreamd("-r", FACEBOOK, "-w", out, "--schema", "nfstream3")
        with open(out, newline="", encoding="utf-8") as text:
            first = next(csv.DictReader(text))
        self.assertEqual(first, {name: str(value) for name, value in {**first, **NFENTRY, **NUMBERS}.items()})

    def test_an_ipv6_address_is_a_number_of_128_bits(self):
        flows = self.flows("--schema", "nfstream3", capture=CAPTURES / "s_ext6.pcap")
        self.assertTrue(flows)
        for flow in flows:
            self.assertEqual(flow["version"], 6)
            self.assertEqual(flow["ip_src"], int(ipaddress.ip_address(flow["src_ip"])))
            self.assertEqual(flow["ip_dst"], int(ipaddress.ip_address(flow["dst_ip"])))

    def long_capture(self, *seconds):
        """One UDP conversation with a packet at each of these seconds, and another one at the second of them."""
        frame, other = (harness.udp_frame(f"192.0.2.{n}", 1000, "192.0.2.9", 2000) for n in (1, 2))
        frames = [(second, frame) for second in seconds]
        frames.insert(2, (seconds[1], other))
        return harness.write_timed(self.folder / "long.pcap", frames)

    def test_nfstream_3_keeps_the_id_over_an_active_timeout_and_6_does_not(self):
        capture = self.long_capture(*range(0, 700, 20))
        flows = self.compatible("nfstream3", capture=capture)
        long = [flow for flow in flows if flow["src_ip"] == "192.0.2.1"]
        self.assertEqual([(flow["id"], flow["expiration_id"], flow["total_packets"]) for flow in long],
                         [(0, 1, 15), (0, 1, 15), (0, 0, 5)])
        self.assertEqual([flow["id"] for flow in flows if flow["src_ip"] == "192.0.2.2"], [1])
        six = self.flows("--set", "metering.active_timeout=300", "--set", "metering.idle_timeout=30", capture=capture)
        self.assertEqual(sorted(flow["id"] for flow in six), list(range(len(six))))

    def test_nfstream_3s_idle_timeout_is_30_seconds_and_a_negative_one_is_0(self):
        capture = self.long_capture(0, 29, 58, 88)
        packets = [flow["total_packets"] for flow in self.compatible("nfstream3", capture=capture)
                   if flow["src_ip"] == "192.0.2.1"]
        self.assertEqual(sorted(packets), [1, 3])
        flows = self.compatible("nfstream3", "--set", "metering.idle_timeout=-1", capture=capture)
        self.assertEqual([flow["total_packets"] for flow in flows], [1] * 5)

    def test_nfstream_3_without_dissection_has_no_columns_of_it(self):
        flow = self.compatible("nfstream3", "--set", "metering.dissect=false")[0]
        self.assertEqual(list(flow)[-1], "expiration_id")

    def test_nfstream_0s_columns_and_its_reason_for_the_end_of_input(self):
        for flows in (self.flows("--schema", "nfstream0"), self.compatible("nfstream0")):
            self.assertEqual(list(flows[0]), NFSTREAM0)
            self.assertEqual(list(flows[0].values()),
                             ["192.168.43.18", 52066, "66.220.156.68", 443, 6, 9, 10, 1345, 4400, "TLS.Facebook",
                              "SocialNetwork", 1472393122365, 1472393123665, 2])

    def test_nfstream_0_names_two_protocols_always(self):
        names = {flow["application_name"] for flow in self.flows("--schema", "nfstream0",
                                                                 capture=CAPTURES / "dns.pcap")}
        self.assertTrue(names)
        for name in names:
            self.assertEqual(name.count("."), 1, name)

    def test_each_exporter_has_the_schema_it_asks_for(self):
        paths = {generation: self.folder / f"{generation}.csv" for generation in ("nfstream6", "nfstream3", "nfstream0")}
        entries = "".join(f"  - {{name: {name}, type: csv, path: {path}, schema: {name}}}\n"
                          for name, path in paths.items())
        self.nfstreamd("-c", self.write("a.yaml", "exporters:\n" + entries), "-r", FACEBOOK)
        header = {name: path.read_text().splitlines()[0] for name, path in paths.items()}
        self.assertTrue(header["nfstream6"].startswith("id,expiration_id,src_ip,src_mac,"))
        self.assertTrue(header["nfstream3"].startswith("id,first_seen,last_seen,version,"))
        self.assertEqual(header["nfstream0"], ",".join(NFSTREAM0))
        # what nfstream3 needs adds no column elsewhere
        out = self.folder / "alone.csv"
        self.nfstreamd("-r", FACEBOOK, "-w", out)
        self.assertEqual(out.read_bytes(), paths["nfstream6"].read_bytes())

    def test_fields_are_added_to_a_schema(self):
        flow = self.flows("--schema", "nfstream3", "--set", "exporters.write.fields=[default, -ip_src, src2dst_tos]")[0]
        self.assertEqual(list(flow), [name for name in {**NFENTRY} if name not in NUMBERS][:10] + ["ip_dst"]
                         + list(NFENTRY)[10:] + ["src2dst_tos"])

    def test_a_wrong_schema_is_wrong_usage(self):
        self.nfstreamd("-r", FACEBOOK, "--schema", "nfstream9", status=2)
        self.nfstreamd("-r", FACEBOOK, "-w", self.folder / "a.ipfix", "--schema", "nfstream3", status=2)
        self.assertIn("--schema", self.nfstreamd("--help").stdout)

    def test_a_key_of_another_generation_is_a_configuration_error_that_names_the_right_one(self):
        for generation, key, right in (("nfstream6", "metering.capacity=5000", "max_flows"),
                                       ("nfstream3", "metering.n_dissections=5", "max_tcp_dissections"),
                                       ("nfstream0", "metering.idle_timeout=5", "inactive_timeout"),
                                       ("nfstream6", "capture.snaplen=96", "snapshot_length")):
            run = self.nfstreamd("-r", FACEBOOK, "--set", f"metering.compatibility={generation}", "--set", key, status=78)
            self.assertIn(right, run.stderr)

    def test_print_config_shows_what_a_generation_brings(self):
        shown = self.nfstreamd("-r", FACEBOOK, "--set", "metering.compatibility=nfstream3", "--print-config").stdout
        for line in ("compatibility: nfstream3", "snaplen: 65535", "idle_timeout: 30s", "active_timeout: 300s",
                     "dissect: true", "max_tcp_dissections: 10", "max_udp_dissections: 16", "schema: nfstream3"):
            self.assertIn(line, shown)
        shown = self.nfstreamd("-r", FACEBOOK, "--set", "metering.compatibility=nfstream0", "--print-config").stdout
        for line in ("capacity: 128000", "active_timeout: 120s", "inactive_timeout: 60s", "schema: nfstream0"):
            self.assertIn(line, shown)


if __name__ == "__main__":
    harness.main()
