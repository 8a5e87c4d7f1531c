#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sampling and filtering: what is left out is exactly what was asked for, counted, and announced."""
import csv
import json
import signal
import sys

import harness
from harness import CAPTURES, NFSTREAMCTL, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
PORT = 7778
SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "icmp", "ntp", "redis", "snmp", "ssh", "tls12")]


def key(flow):
    return flow["src_ip"], flow["src_port"], flow["dst_ip"], flow["dst_port"], flow["protocol"], flow["vlan_id"]


def conversation(flow):
    return (*sorted([(flow["src_ip"], flow["src_port"]), (flow["dst_ip"], flow["dst_port"])]), flow["protocol"])


class Packets(harness.TestCase):
    def options(self, path):
        """What `collect` prints of an IPFIX file: records of options, and flows."""
        collector = self.start(NFSTREAMCTL, "collect", path)
        self.assertEqual(collector.wait(), 0, collector.describe())
        self.assertIn(" 0 malformed, 0 gaps, 0 records lost, 0 sets without template", collector.stderr())
        return collector.options_lines(), collector.json_lines()

    def test_systematic_sampling_meters_exactly_every_nth_frame(self):
        for frames in (1, 99, 100, 101, 2000):
            capture = harness.many_flows(self.folder / "many.pcap", frames)
            for rate in (1, 2, 7, 100, 5000):
                rows = self.csv_of(capture, settings=[f"capture.packet_sampling.rate={rate}"])
                self.assertEqual(harness.total(rows, "bidirectional_packets"), -(-frames // rate), (frames, rate))
                # of frames 0, 1, 2, ... those that the rate divides
                ports = {int(row["src_port"]) for row in rows}
                self.assertEqual(ports, {1024 + number for number in range(0, frames, rate)})

    def test_random_sampling_meters_one_frame_of_each_rate(self):
        capture = harness.many_flows(self.folder / "many.pcap", 2000)
        def sampled(seed):
            rows = self.csv_of(capture, settings=["capture.packet_sampling={method: random, rate: 10, "
                                                  f"seed: {seed}}}"])
            return sorted(int(row["src_port"]) - 1024 for row in rows)
        chosen = sampled(1)
        self.assertEqual([number // 10 for number in chosen], list(range(200)))
        self.assertGreater(len({number % 10 for number in chosen}), 5)
        self.assertEqual(sampled(1), chosen)
        self.assertNotEqual(sampled(2), chosen)
        self.assertNotEqual(sampled(0), sampled(0))  # another choice in each run

    def test_several_meters_select_what_one_selects_and_count_it_once(self):
        capture = harness.many_flows(self.folder / "many.pcap", 1000, 3)
        rows = self.folder / "rows.csv"
        columns = ("src_ip", "src_port", "bidirectional_packets", "bidirectional_first_seen_ms")
        for setting in ("capture.packet_sampling={method: systematic, rate: 7}",
                        "capture.packet_sampling={method: random, rate: 7}",
                        "capture.packet_hash_filter={fields: [src_ip, dst_ip], fraction: 0.3}"):
            runs = []
            for meters in (1, 4):
                run = self.nfstreamd("-r", capture, "-w", rows, "--set", setting, "--set", f"capture.n_meters={meters}",
                                     "--set", "log.level=info", "--set", "capture.packet_sampling.seed=9")
                with open(rows, newline="", encoding="utf-8") as text:
                    flows = sorted(tuple(row[name] for name in columns) for row in csv.DictReader(text))
                packets = sum(int(flow[2]) for flow in flows)
                self.assertIn(f" packets_left_out={3000 - packets} ", run.stderr)
                runs.append(flows)
            self.assertTrue(300 < len(runs[0]) or "hash" in setting)
            self.assertEqual(runs[0], runs[1], setting)

    def test_the_rate_is_announced_and_joined_by_the_selector(self):
        path = self.folder / "flows.ipfix"
        for method, algorithm in (("systematic", 1), ("random", 3)):
            self.nfstreamd("-r", *SOME, "-w", path, "--set", f"capture.packet_sampling={{method: {method}, rate: 10}}")
            options, flows = self.options(path)
            sampling = [line for line in options if "samplingPacketSpace" in line]
            self.assertEqual([(line["selectorAlgorithm"], line["samplingPacketInterval"], line["samplingPacketSpace"])
                              for line in sampling], [(algorithm, 1, 9)])
            self.assertEqual({flow["selector_id"] for flow in flows}, {sampling[0]["selector_id"]})
            exact = [(line["samplingSize"], line["samplingPopulation"]) for line in options if "samplingSize" in line]
            self.assertEqual(exact, [(1, 10)] if method == "random" else [])
            frames = sum(len(harness.read_pcap(capture)[1]) for capture in SOME)
            if method == "systematic":
                self.assertLessEqual(sum(flow["bidirectional_packets"] for flow in flows), -(-frames // 10))
            path.unlink()

    def test_sampling_is_announced_when_every_packet_is_metered(self):
        path = self.folder / "flows.ipfix"
        self.nfstreamd("-r", *SOME, "-w", path)
        options, flows = self.options(path)
        first = next(line for line in options if "selectorAlgorithm" in line)
        self.assertEqual((first["selectorAlgorithm"], first["samplingPacketInterval"], first["samplingPacketSpace"]),
                         (1, 1, 0))
        self.assertEqual({flow["selector_id"] for flow in flows}, {first["selector_id"]})

    def test_each_capture_has_its_own_selector(self):
        path = self.folder / "flows.ipfix"
        configuration = self.write("two.yaml", f"""
capture:
  - pcap: {CAPTURES}/sip.pcap
    packet_sampling: {{rate: 3}}
  - pcap: {CAPTURES}/dns.pcap
    packet_sampling: {{method: random, rate: 5}}
exporters:
  - {{type: ipfix, path: {path}}}
""")
        self.nfstreamd("-c", configuration)
        options, flows = self.options(path)
        spaces = {line["selector_id"]: line["samplingPacketSpace"] for line in options if "samplingPacketSpace" in line}
        self.assertEqual(sorted(spaces.values()), [2, 4])
        self.assertEqual([line for line in options if "samplingInterval" in line], [])  # no one rate for both
        for flow in flows:
            self.assertEqual(spaces[flow["selector_id"]], 2 if 5060 in (flow["src_port"], flow["dst_port"]) else 4)

    def test_tshark_and_ipfixdump_read_the_options(self):
        path = self.folder / "flows.ipfix"
        self.nfstreamd("-r", *SOME, "-w", path, "--set", "capture.packet_sampling={method: random, rate: 10}",
                       "--set", "capture.packet_hash_filter={fields: [src_ip, dst_ip], fraction: 0.9}")
        dumped = self.run_program("ipfixDump", "--in", path).stdout
        self.assertRegex(dumped, r"field count:\s+4\s+scope:\s+1\s+fields:\s+ent:\s+0\s+id:\s+302\b")
        for name, value in (("selectorAlgorithm", 3), ("samplingPacketInterval", 1), ("samplingPacketSpace", 9),
                            ("samplingSize", 1), ("samplingPopulation", 10), ("samplingInterval", 10),
                            ("selectorAlgorithm", 6), ("hashOutputRangeMax", 4294967295)):
            self.assertRegex(dumped, rf"\b{name}\s*:\s*{value}\b", name)
        # a file is read by tshark as the stream of a TCP connection is
        messages, offset, content = [], 0, path.read_bytes()
        while offset < len(content):
            length = int.from_bytes(content[offset + 2:offset + 4], "big")
            messages.append(content[offset:offset + length])
            offset += length
        frames = [harness.udp_frame("192.0.2.1", 50000, "192.0.2.2", 4739, message[:1400]) for message in messages
                  if len(message) <= 1400]
        self.assertGreaterEqual(len(frames), 2)
        capture = harness.write_pcap(self.folder / "export.pcap", frames)
        decode = ("tshark", "-r", capture, "-d", "udp.port==4739,cflow")
        bad = self.run_program(*decode, "-Y", "_ws.malformed || _ws.expert.severity == error").stdout
        self.assertEqual(bad, "")
        text = self.run_program(*decode, "-V").stdout
        for words in (r"Options Template \(Id = \d+\) \(Scope Count = 1; Data Count = 3\)", r"Sampling Packet Space: 9",
                      r"Selector Algorithm: .*\(3\)|Selector Algorithm: 3", r"Sampling Population: 10"):
            self.assertRegex(text, words)

    def test_the_hash_filter_keeps_conversations_whole_and_probes_alike(self):
        capture = self.folder / "both.pcap"
        frames = []
        for index in range(400):
            client, port = f"10.0.{index >> 8}.{index & 255}", 1024 + index
            frames.append(harness.udp_frame(client, port, "192.0.2.1", 53))
            frames.append(harness.udp_frame("192.0.2.1", 53, client, port))
        harness.write_pcap(capture, frames)
        # a second probe sees the other direction first
        mirrored = harness.write_pcap(self.folder / "mirrored.pcap", list(reversed(frames)))
        for fields in ("[src_ip, dst_ip]", "[src_ip, dst_ip, src_port, dst_port, protocol]"):
            setting = f"capture.packet_hash_filter={{fields: {fields}, fraction: 0.5, seed: 7}}"
            rows = self.csv_of(capture, settings=[setting])
            self.assertGreater(len(rows), 120)
            self.assertLess(len(rows), 280)
            self.assertEqual({(row["src2dst_packets"], row["dst2src_packets"]) for row in rows}, {("1", "1")})
            other = self.csv_of(mirrored, settings=[setting])
            self.assertEqual({conversation(row) for row in rows}, {conversation(row) for row in other})
            seeded = self.csv_of(capture, settings=[setting.replace("seed: 7", "seed: 8")])
            self.assertNotEqual({conversation(row) for row in rows}, {conversation(row) for row in seeded})

    def test_wrong_settings_are_errors_with_their_place(self):
        path = self.write("wrong.yaml", """capture:
  - pcap: a.pcap
    packet_sampling: {method: often, rate: 0}
    packet_hash_filter: {fields: [src_ip]}
  - pcap: b.pcap
    packet_hash_filter: {fields: [src_mac], fraction: 0.1}
""")
        run = self.nfstreamd("-t", "-c", path, status=78)
        for words in ("wrong.yaml:3:31: capture[0].packet_sampling.method:", "capture[0].packet_sampling.rate:"):
            self.assertIn(words, run.stderr)
        path.write_text(path.read_text().replace("often, rate: 0", "random, rate: 2"))
        run = self.nfstreamd("-t", "-c", path, status=78)
        self.assertIn('wrong.yaml:5:5: capture[1].packet_hash_filter: "src_mac" cannot be hashed', run.stderr)


class Flows(harness.TestCase):
    def split(self, conditions, extra=""):
        """The flows of SOME that each condition lets through, by one run with an exporter for each."""
        files = [self.folder / f"part{index}.json" for index in range(len(conditions))]
        exporters = "".join(f"  - {{name: part{index}, type: json, path: {file}, filter: {json.dumps(condition)}{extra}}}\n"
                            for index, (file, condition) in enumerate(zip(files, conditions)))
        self.nfstreamd("-c", self.write("split.yaml", "exporters:\n" + exporters), "-r", *SOME)
        return [[json.loads(line) for line in file.read_text().splitlines()] for file in files]

    def test_a_filter_and_its_negation_split_all_flows(self):
        for condition in ("dst_port in [53, 80]", "application_name ~ tls or protocol == 1", "src_ip in 10.0.0.0/8",
                          "bidirectional_packets > 4 and not dst_port == 22", "src_mac != 02:00:00:00:00:01",
                          "bidirectional_duration_ms >= 10ms", "requested_server_name == ''"):
            some, others, every = self.split([condition, f"not ({condition})", ""])
            self.assertEqual(sorted(map(key, some + others)), sorted(map(key, every)), condition)
            self.assertEqual(set(map(key, some)) & set(map(key, others)), set(), condition)

    def test_a_filter_lets_through_what_it_says(self):
        dns, large, every = self.split(["application_name ~ dns", "bidirectional_packets >= 8", ""])
        self.assertEqual(dns, [flow for flow in every if "dns" in flow["application_name"].lower()])
        self.assertEqual(large, [flow for flow in every if flow["bidirectional_packets"] >= 8])
        for part in (dns, large):
            self.assertTrue(0 < len(part) < len(every))

    def test_sampling_takes_each_nth_of_what_has_passed_the_filter(self):
        capture = harness.many_flows(self.folder / "many.pcap", 2000)
        def ports(**settings):
            rows = self.folder / "rows.csv"
            words = [f"exporters.write.{name}={value}" for name, value in settings.items()]
            self.nfstreamd("-r", capture, "-w", rows, *(word for s in words for word in ("--set", s)))
            lines = rows.read_text().splitlines()
            column = lines[0].split(",").index("src_port")
            return [int(line.split(",")[column]) for line in lines[1:]]
        every = ports()
        self.assertEqual(ports(flow_sampling="{rate: 7}"), every[::7])
        passed = [port for port in every if port >= 2000]
        self.assertEqual(ports(filter="src_port >= 2000", flow_sampling="{rate: 7}"), passed[::7])
        chance = ports(flow_sampling="{method: random, rate: 10}")
        self.assertTrue(100 < len(chance) < 320, len(chance))
        self.assertNotEqual(chance, every[::10])

    def test_a_wrong_filter_is_an_error_with_line_and_column(self):
        path = self.write("wrong.yaml", "exporters:\n  - type: csv\n    path: x.csv\n    filter: dst_port == http\n"
                                        "  - type: json\n    path: x.json\n    filter: bidirectional_max_ps > 1\n")
        run = self.nfstreamd("-t", "-c", path, "-r", SOME[0], status=78)
        self.assertIn('wrong.yaml:4:13: exporters[0]: filter: column 13: "http" is not a number', run.stderr)
        self.assertIn('wrong.yaml:7:13: exporters[1]: filter: column 1: "bidirectional_max_ps" needs '
                      "metering.statistical_analysis: true", run.stderr)


@harness.needs_root("live capture")
class Live(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)

    def configuration(self, collector, sampling="", export=""):
        return (f"capture:\n  - interface: lo\n    bpf_filter: udp dst port {PORT}\n{sampling}"
                f"exporters:\n  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{collector}'], "
                f"flush_interval: 100ms{export}}}\ncontrol: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, configuration):
        daemon = self.daemon(configuration, namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def send(self, daemon, *sources):
        before = self.status(daemon)["interfaces"][0]["frames"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["frames"] == before + len(sources), daemon.describe)

    def reload(self, daemon, configuration):
        self.write("nfstreamd.yaml", configuration)
        before = self.status(daemon)["reload"]["applied"]
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == before + 1, daemon.describe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)

    def table(self, daemon):
        return self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "status").stdout

    def test_a_new_rate_is_announced_at_once_and_no_flow_mixes_two(self):
        collector, port = self.collect(namespace=self.probe)
        daemon = self.begin(self.configuration(port))
        wait_for(collector.options_lines, daemon.describe)
        self.send(daemon, *[45001] * 6)
        self.reload(daemon, self.configuration(port, sampling="    packet_sampling: {rate: 3}\n"))
        self.send(daemon, *[45001] * 6)
        status = self.status(daemon)["interfaces"][0]
        self.assertEqual((status["selection"]["rate"], status["selection"]["sampled_out"]), (3, 4))
        self.assertEqual(status["metered"]["packets"], 8)
        self.assertIn("selection: systematic, 1 packet of 3, 4 sampled out", self.table(daemon))
        daemon.stop()
        wait_for(lambda: len(collector.json_lines()) == 2, collector.describe)
        spaces = {line["selector_id"]: line["samplingPacketSpace"] for line in collector.options_lines()
                  if "samplingPacketSpace" in line}
        self.assertEqual([(flow["src2dst_packets"], spaces[flow["selector_id"]]) for flow in collector.json_lines()],
                         [(6, 0), (2, 2)])
        self.assertRegex(daemon.stderr(), r"stopped .*packets_left_out=4 ")
        collector.stop()
        self.assertIn(" 0 gaps, 0 records lost", collector.stderr())

    def test_a_new_filter_loses_no_record_and_what_it_leaves_out_is_no_loss(self):
        collector, port = self.collect(namespace=self.probe)
        daemon = self.begin(self.configuration(port))
        self.send(daemon, 46001, 46002, 46003)
        self.reload(daemon, self.configuration(port, export=", filter: src_port != 46002"))
        self.send(daemon, 46001, 46002, 46003)
        self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: len(collector.json_lines()) == 2, collector.describe)
        exporter = self.status(daemon)["exporters"][0]
        self.assertEqual((exporter["records"], exporter["filtered"], sum(exporter["dropped"].values())), (2, 1, 0))
        self.assertIn("left out: 1 records by filter, 0 by sampling", self.table(daemon))
        self.reload(daemon, self.configuration(port, export=", flow_sampling: {rate: 2}"))
        self.send(daemon, 46001, 46002, 46003, 46004)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        wait_for(lambda: len(collector.json_lines()) == 4, collector.describe)
        self.assertEqual([flow["src2dst_packets"] for flow in collector.json_lines()], [2, 2, 1, 1])
        self.assertRegex(daemon.stderr(), r"exporter closed name=main records=2 filtered=0 sampled_out=2 lost=0")
        self.assertRegex(daemon.stderr(), r"stopped .*exported=4 records_left_out=3 export_dropped=0")


if __name__ == "__main__":
    harness.main()
