#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Floods of flows from random sources against a table that holds a part of them: memory stays within bounds,
connections that were there go on as one flow each, and every packet and flow is in a record.

Some hundred thousand flows; with NFSTREAMD_LONG_TESTS=1 five millions against a table for one million."""
import collections
import csv
import os
import pathlib
import re
import subprocess

import harness
from harness import BUILD, NFSTREAMD, wait_for

LONG = os.environ.get("NFSTREAMD_LONG_TESTS") == "1"
MAKER, SENDER = (BUILD / "tests" / "integration" / name for name in ("flood_maker", "number_sender"))
FLOWS, TABLE, CONNECTIONS = (5_000_000, 1 << 20, 20_000) if LONG else (60_000, 8_192, 400)
SECONDS = 100  # of packet time
PACKETS = 13   # of each connection
OF_A_FLOW = {"syn": 1, "dns": 2, "scan": 2}
OCTETS_OF_A_FLOW = 224  # 148 by `flow_octets` of the status; and chunks of the wheel, records on their way
MiB = 1 << 20


class Flood(harness.TestCase):
    def run_flood(self, kind, flows, *settings, connections=CONNECTIONS):
        """The records as dictionaries, what is in the log, and the most memory that the process had."""
        out = self.folder / "flows.csv"
        maker = subprocess.Popen([MAKER, kind, str(flows), str(SECONDS), str(connections), "7"], stdout=subprocess.PIPE)
        with maker, open(self.folder / "log", "w+", encoding="utf-8") as log:
            words = [NFSTREAMD, "-r", "-", "-w", out]
            for setting in (f"metering.max_flows={TABLE}", "metering.idle_timeout=120", *settings,
                            "exporters.write.fields=[src_ip,dst_ip,bidirectional_packets]"):
                words += "--set", setting
            process = subprocess.Popen(words, stdin=maker.stdout, stderr=log)
            maker.stdout.close()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            log.seek(0)
            text = log.read()
        self.assertEqual((maker.returncode, process.returncode), (0, 0), text)
        harness.check_ledger(text, lambda: text)
        return out, text, usage.ru_maxrss << 10

    def check(self, kind, flows, out, packets_of_flood):
        of_connection, packets, records = collections.defaultdict(list), 0, 0
        with open(out, newline="", encoding="utf-8") as text:
            for source, destination, count in rows_of(text):
                records += 1
                packets += count
                if source.startswith("172.16."):
                    of_connection[source].append(count)
                elif destination.startswith("172.16."):
                    of_connection[destination].append(count)
        self.assertEqual(packets, packets_of_flood + PACKETS * CONNECTIONS)
        parts = collections.Counter(map(len, of_connection.values()))
        print(f"{kind}: {flows} flows against a table for {TABLE}: {records} records; connections by the number of their "
              f"records: {dict(parts)}", flush=True)
        self.assertEqual(len(of_connection), CONNECTIONS)
        self.assertEqual(sum(map(sum, of_connection.values())), PACKETS * CONNECTIONS)
        self.assertGreaterEqual(parts[1], CONNECTIONS * 0.99)
        return records

    def flood(self, kind):
        out, log, most = self.run_flood(kind, FLOWS, "metering.n_dissections=0")
        packets = FLOWS * OF_A_FLOW[kind] if kind != "mix" else sum(OF_A_FLOW[("syn", "dns", "scan")[n % 3]]
                                                                    for n in range(FLOWS))
        records = self.check(kind, FLOWS, out, packets)
        self.assertGreaterEqual(records, FLOWS + CONNECTIONS)
        self.assertLessEqual(records, FLOWS * 1.01 + CONNECTIONS * PACKETS)
        self.assertIn("flow table full", log)
        _, _, few = self.run_flood(kind, 1000, "metering.n_dissections=0", connections=10)
        print(f"{kind}: {(most - few) / TABLE:.0f} octets for each flow that the table holds", flush=True)
        self.assertLess(most, few + OCTETS_OF_A_FLOW * TABLE + 8 * MiB)

    def test_of_syn(self):
        self.flood("syn")

    def test_of_names(self):
        self.flood("dns")

    def test_of_a_scan(self):
        self.flood("scan")

    def test_that_is_dissected_takes_no_more_memory_the_longer_it_is(self):
        _, _, few = self.run_flood("mix", 1000, connections=10)
        _, _, once = self.run_flood("mix", FLOWS // 2)
        _, _, twice = self.run_flood("mix", FLOWS)
        print(f"dissected: {(twice - few) / TABLE:.0f} octets for each flow that the table holds; {once // MiB} MiB after "
              f"{FLOWS // 2} flows, {twice // MiB} MiB after {FLOWS}", flush=True)
        self.assertLess(twice, once * 1.02 + 4 * MiB)


def rows_of(text):
    rows = csv.reader(text)
    next(rows)
    return ((source, destination, int(count)) for source, destination, count in rows)


@harness.needs_root("a link of its own")
class LiveFlood(harness.TestCase):
    def begin(self, metering):
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")
        self.sent = 0
        daemon = self.daemon(
            "capture: [{interface: m0, n_meters: 1, bpf_filter: udp, socket_buffer_size: 64MiB}]\n"
            f"metering: {{n_dissections: 0, overload: {{from: off}}, {metering}}}\n"
            f"exporters: [{{name: out, type: json, path: {self.folder}/flows.json, fields: [src2dst_packets]}}]\n"
            f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.row(daemon)["up"], daemon.describe)
        return daemon

    def row(self, daemon):
        return self.status(daemon)["interfaces"][0]

    def flood(self, daemon, flows):
        sender = self.start(SENDER, "up0", 60_000, flows, 1, self.sent, namespace=self.far)
        self.sent += flows
        self.assertEqual(sender.wait(120), 0, sender.describe())
        wait_for(lambda: self.row(daemon)["frames"] + self.row(daemon)["kernel_dropped"] == self.sent, daemon.describe, 60)

    def memory(self, daemon):
        """Without that of files and of the ring."""
        status = pathlib.Path(f"/proc/{daemon.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) << 10

    def test_after_one_there_is_as_much_memory_as_before_and_all_is_counted(self):
        flows = 2_000_000 if LONG else 60_000
        daemon = self.begin(f"idle_timeout: 1, max_flows: {flows // 5}")
        sizes = [self.memory(daemon)]
        for _ in range(3):
            self.flood(daemon, flows)
            wait_for(lambda: self.row(daemon)["flows_active"] == 0, daemon.describe)
            sizes.append(self.memory(daemon))
        last = self.row(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        with open(self.folder / "flows.json", encoding="utf-8") as lines:
            records = sum(1 for _ in lines)
        print(f"{3 * flows} flows against a table for {flows // 5}: {last['kernel_dropped']} dropped by the kernel, "
              f"{last['records']['lack-of-resources']} left for others; memory at first and after each flood "
              f"{[round(size / MiB, 1) for size in sizes]} MiB", flush=True)
        self.assertEqual(records + last["kernel_dropped"], 3 * flows)
        self.assertGreater(last["records"]["lack-of-resources"], 0)
        self.assertLess(max(sizes), sizes[0] + 24 * MiB)

    def test_a_flow_takes_as_much_memory_as_is_said_at_the_start(self):
        flows = 1_000_000 if LONG else 100_000
        daemon = self.begin(f"idle_timeout: 600, prefault: false, max_flows: {flows}")
        said = int(re.search(r"flow cache ready .*octets_per_flow=(\d+)", daemon.stderr()).group(1))
        self.assertEqual(self.row(daemon)["flow_octets"], said)
        before = self.memory(daemon)
        self.flood(daemon, flows)
        held = self.row(daemon)["flows_active"]
        taken = (self.memory(daemon) - before) / held
        print(f"{held} flows take {taken:.0f} octets each, {said} are said", flush=True)
        self.assertGreater(taken, 0.9 * said)
        self.assertLess(taken, 1.15 * said + 8 * MiB / held)  # pages of 2 MiB
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
