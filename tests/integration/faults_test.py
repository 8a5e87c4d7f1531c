#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What breaks around a daemon: names that nobody answers, collectors that move, disks that are full or read-only,
folders that go, clocks that jump, memory that ends, signals in the midst of load. After each it runs, or has ended with
the status that its page tells of; the ledger balances, and the log has the fault once.

More of them: collector_faults_test.py, outage_test.py, brokers_test.py, spool_test.py, files_test.py, interfaces_test.py,
reload_test.py (signals), long_run_test.py (all beside each other)."""
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import BUILD, NFSTREAMCTL, NFSTREAMD, wait_for

SENDER = BUILD / "tests" / "integration" / "number_sender"
SILENT = ("import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('127.0.0.9', 53))\n"
          "time.sleep(1000)\n")


@harness.needs_root("links and mounts of its own")
class Faults(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.97.0.1", "10.97.0.2")
        self.sent = 0

    def configuration(self, exporters, metering="idle_timeout: 600, n_dissections: 0"):
        listed = "".join(f"  - {{{one}}}\n" for one in exporters)
        return (f"capture: [{{interface: m0, n_meters: 1, bpf_filter: udp}}]\n"
                f"metering: {{{metering}}}\nexporters:\n{listed}"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, exporters, *mounts, wrapper=(), metering="idle_timeout: 600, n_dissections: 0", **options):
        """A daemon in a mount namespace of its own, where these commands of a shell have been run."""
        path = self.write("nfstreamd.yaml", self.configuration(exporters, metering))
        (self.folder / "control.sock").unlink(missing_ok=True)
        script = " && ".join((*mounts, "exec \"$@\""))
        daemon = self.start("unshare", "--mount", "sh", "-c", script, "sh", *wrapper, NFSTREAMD, "-c", path,
                            namespace=self.probe, **options)
        daemon.socket = self.folder / "control.sock"
        wait_for(lambda: daemon.socket.exists() or not daemon.running(), daemon.describe)
        self.assertTrue(daemon.running(), daemon.describe())
        wait_for(lambda: self.row(daemon)["up"], daemon.describe)
        return daemon

    def row(self, daemon):
        return self.status(daemon)["interfaces"][0]

    def exporter(self, daemon, name):
        return next(row for row in self.status(daemon)["exporters"] if row["name"] == name)

    def flows(self, daemon, count=10):
        """So many flows of one packet more, handed to the exporters."""
        sender = self.start(SENDER, "up0", 5000, count, 1, self.sent, namespace=self.far)
        self.assertEqual(sender.wait(), 0, sender.describe())
        self.sent += count
        wait_for(lambda: self.row(daemon)["flows_created"] == self.sent, daemon.describe)
        self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.row(daemon)["flows_active"] == 0, daemon.describe)

    def reload(self, daemon, exporters):
        self.write("nfstreamd.yaml", self.configuration(exporters))
        before = self.status(daemon)["reload"]["applied"]
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == before + 1, daemon.describe)

    def json(self, name="well", path="well.json"):
        return f"name: {name}, type: json, path: {self.folder}/{path}, flush_interval: 100ms, fields: [src_ip]"

    def written(self, path="well.json"):
        """The flows in it by number; every line is whole but for one that is being written."""
        text = (self.folder / path).read_text()
        flows = [line for line in text.splitlines(True) if line.endswith("\n")]
        return [int(re.fullmatch(r'\{"src_ip": ?"10\.\d+\.(\d+)\.(\d+)"\}\n', line).expand(r"\1")) * 256 +
                int(line.rsplit(".", 1)[1].split('"')[0]) for line in flows]

    def wait_for_records(self, daemon, count, path="well.json"):
        wait_for(lambda: (self.folder / path).exists() and len(self.written(path)) == count,
                 lambda: f"{len(self.written(path))} of {count}\n{daemon.describe()}")

    def stop(self, daemon, seconds=25):
        begin = time.monotonic()
        daemon.audit()
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(seconds), 0, daemon.describe())
        return time.monotonic() - begin

    # ---- names ----

    def silent_resolver(self):
        """Commands that make it the one of a daemon, which so waits for answers that never come."""
        server = self.start(sys.executable, "-c", SILENT, namespace=self.probe)
        wait_for(lambda: server.listens(53), server.describe)
        resolver = self.write("resolv.conf", "nameserver 127.0.0.9\n")
        order = self.write("nsswitch.conf", "hosts: files dns\n")
        return f"mount --bind {resolver} /etc/resolv.conf", f"mount --bind {order} /etc/nsswitch.conf"

    def named_exporters(self):
        host, common = "collector.example", "retry_interval: 1s"
        all_types = {
            "ipfix": f"collectors: ['tcp://{host}:4739'], {common}", "netflow9": f"collectors: ['udp://{host}:2055']",
            "kafka": f"brokers: ['{host}:9092'], topic: flows", "mqtt": f"broker: 'mqtt://{host}:1883', topic: flows",
            "nats": f"servers: ['nats://{host}:4222'], subject: flows", "http": f"url: 'http://{host}:8123/'",
            "zmq": f"endpoint: 'tcp://{host}:5556', socket: push, attach: connect",
            "syslog": f"collectors: ['tcp://{host}:514']", "lines": f"collectors: ['tcp://{host}:5044']"}
        built = self.nfstreamd("--list-exporters").stdout
        return [f"name: {type}, type: {type}, {settings}, flush_interval: 100ms" for type, settings in all_types.items()
                if re.search(rf"^{type}\b", built, re.M)]

    def test_names_that_nobody_answers_hold_up_neither_records_nor_reload_nor_stop(self):
        named = self.named_exporters()
        self.assertGreaterEqual(len(named), 4)
        daemon = self.begin([*named, self.json()], *self.silent_resolver())
        self.flows(daemon)
        self.wait_for_records(daemon, 10)
        begin = time.monotonic()
        self.reload(daemon, [*(one.replace("100ms", "200ms") for one in named), self.json()])
        self.flows(daemon)
        self.wait_for_records(daemon, 20)
        took = time.monotonic() - begin
        stopping = self.stop(daemon)
        print(f"{len(named)} exporters to names without an answer: reload and records after {took:.1f} s, stop after "
              f"{stopping:.1f} s", flush=True)

    def test_a_collector_that_moves_is_found_where_its_name_leads(self):
        port = harness.free_port()
        hosts = self.write("hosts", "127.0.0.21 collector.example\n")
        order = self.write("nsswitch.conf", "hosts: files\n")
        settings = f"collectors: ['tcp://collector.example:{port}'], resolve_interval: 1s, retry_interval: 1s"
        first, _ = self.collect("tcp", port, self.probe, "127.0.0.21")
        second, _ = self.collect("tcp", port, self.probe, "127.0.0.22")
        daemon = self.begin([f"name: moves, type: ipfix, {settings}, flush_interval: 100ms"],
                            f"mount --bind {hosts} /etc/hosts", f"mount --bind {order} /etc/nsswitch.conf")
        self.flows(daemon)
        wait_for(lambda: len(first.json_lines()) == 10, daemon.describe)
        hosts.write_text("127.0.0.22 collector.example\n")
        wait_for(lambda: self.exporter(daemon, "moves")["connects"] == 2, daemon.describe)
        self.flows(daemon)
        wait_for(lambda: len(second.json_lines()) == 10, daemon.describe)
        self.assertEqual(len(first.json_lines()), 10)
        self.assertEqual(daemon.stderr().count("the address of collector.example changed"), 1, daemon.describe())
        self.assertEqual(sum(self.exporter(daemon, "moves")["dropped"].values()), 0)
        self.stop(daemon)

    # ---- disks ----

    def test_a_disk_that_is_full_takes_what_it_can_and_goes_on_when_it_has_room(self):
        disk = self.folder / "disk"
        disk.mkdir()
        daemon = self.begin([self.json(path="disk/out.json"), self.json("other", "other.json")],
                            f"mount -t tmpfs -o size=128k none {disk}",
                            f"dd if=/dev/zero of={disk}/filler bs=1k count=96 2>/dev/null")
        inside = pathlib.Path(f"/proc/{daemon.pid}/root{disk}")  # of its mounts

        def lines():
            return (inside / "out.json").read_text().splitlines(True)
        self.flows(daemon, 3000)
        wait_for(lambda: "No space left" in daemon.stderr(), daemon.describe)
        self.wait_for_records(daemon, 3000, "other.json")
        (inside / "filler").unlink()
        self.flows(daemon, 10)

        def settled():
            row = self.exporter(daemon, "well")
            return row if row["records"] + sum(row["dropped"].values()) == 3010 and (
                len(lines()) == row["records"]) else None
        row = wait_for(settled, lambda: f"{self.exporter(daemon, 'well')}\n{daemon.describe()}", 2 * harness.DEADLINE)
        self.assertTrue(all(line.startswith('{"src_ip"') and line.endswith("}\n") for line in lines()), "a line is torn")
        self.assertEqual(len(set(lines())), row["records"])
        self.assertLessEqual(daemon.stderr().count("No space left"), 2, daemon.describe())
        self.stop(daemon)

    def test_a_disk_that_is_read_only_is_said_and_what_came_meanwhile_is_written(self):
        disk = self.folder / "disk"
        disk.mkdir()
        daemon = self.begin([self.json(path="disk/out.json")], f"mount -t tmpfs -o ro none {disk}")
        out = pathlib.Path(f"/proc/{daemon.pid}/root{disk}/out.json")  # of its mounts
        self.flows(daemon)
        wait_for(lambda: "Read-only file system" in daemon.stderr(), daemon.describe)
        subprocess.run(["nsenter", f"--target={daemon.pid}", "--mount", "--root", "mount", "-o", "remount,rw", disk],
                       check=True, capture_output=True, timeout=harness.DEADLINE)
        self.flows(daemon)
        wait_for(lambda: out.exists() and len(out.read_text().splitlines()) == 20, daemon.describe)
        self.assertEqual(daemon.stderr().count("Read-only file system"), 1, daemon.describe())
        self.stop(daemon)

    def test_a_folder_that_goes_comes_again_with_all_records(self):
        folder = self.folder / "out"
        folder.mkdir()
        daemon = self.begin([self.json(path="out/out.json")])
        self.flows(daemon)
        self.wait_for_records(daemon, 10, "out/out.json")
        shutil.rmtree(folder)
        self.flows(daemon)
        wait_for(lambda: "exporter failing name=well" in daemon.stderr(), daemon.describe)
        folder.mkdir()
        self.flows(daemon)
        self.wait_for_records(daemon, 20, "out/out.json")
        self.assertEqual(daemon.stderr().count("exporter failing name=well"), 1, daemon.describe())
        self.assertEqual(sum(self.exporter(daemon, "well")["dropped"].values()), 0)
        self.stop(daemon)

    def test_a_spool_whose_folder_goes_loses_what_was_in_it_and_counts_it(self):
        port = harness.free_port()
        daemon = self.begin([f"name: spooled, type: ipfix, collectors: ['tcp://127.0.0.1:{port}'], flush_interval: 100ms, "
                             f"retry_interval: 1s, spool: {{directory: {self.folder}/spool}}"])
        self.flows(daemon, 100)
        wait_for(lambda: self.exporter(daemon, "spooled")["spool"]["records"] == 100, daemon.describe)
        shutil.rmtree(self.folder / "spool")
        self.flows(daemon, 100)
        collector, _ = self.collect("tcp", port, self.probe)

        def settled():
            row = self.exporter(daemon, "spooled")
            return row if row["records"] + sum(row["dropped"].values()) == 200 else None
        row = wait_for(settled, lambda: f"{self.exporter(daemon, 'spooled')}\n{daemon.describe()}", 2 * harness.DEADLINE)
        wait_for(lambda: len(collector.json_lines()) == row["records"], daemon.describe)
        self.assertGreaterEqual(row["records"], 100, daemon.describe())
        self.stop(daemon)

    # ---- signals ----

    def test_a_stop_in_the_midst_of_load_hands_out_every_packet_that_was_received(self):
        daemon = self.begin([self.json()])
        sender = self.start(SENDER, "up0", 100_000, 10_000_000, 1, namespace=self.far)
        wait_for(lambda: self.row(daemon)["frames"] > 50_000, daemon.describe)
        took = self.stop(daemon)
        sender.send_signal(signal.SIGTERM)
        self.assertEqual(sender.wait(), 0, sender.describe())
        received, dropped = map(int, re.search(r"stopped packets=(\d+) .*capture_dropped=(\d+)", daemon.stderr()).groups())
        with open(self.folder / "well.json", encoding="utf-8") as lines:
            self.assertEqual(sum(1 for _ in lines), received)
        print(f"stopped after {took:.1f} s: {received} packets in records, {dropped} dropped", flush=True)

    def test_after_a_kill_its_file_is_gone_on_with_and_no_line_is_torn(self):
        exporters = [self.json() + ", append: true"]
        daemon = self.begin(exporters)
        sender = self.start(SENDER, "up0", 50_000, 10_000_000, 1, namespace=self.far)
        wait_for(lambda: self.row(daemon)["frames"] > 20_000, daemon.describe)
        self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "expire")
        daemon.kill()
        sender.send_signal(signal.SIGTERM)
        sender.wait()
        with open(self.folder / "well.json", "a", encoding="utf-8") as file:
            file.write('{"src_ip":"10.0.')  # as one that is killed, or a machine that stops, may leave it
        daemon = self.begin(exporters)
        self.sent = 0
        self.flows(daemon)
        self.stop(daemon)
        lines = (self.folder / "well.json").read_text().splitlines()
        broken = [line for line in lines if not re.fullmatch(r'\{"src_ip": ?"10\.\d+\.\d+\.\d+"\}', line)]
        self.assertEqual(broken, ['{"src_ip":"10.0.'])
        self.assertEqual(len([line for line in lines[-10:] if line not in broken]), 10)

    # ---- clocks ----

    def jumping(self, steps):
        """A capture of 100 packets, each of a flow of its own, after each step of its clock; seconds."""
        frames, time_s = [], 0.0
        for number, step in enumerate(steps):
            time_s += step
            for index in range(100):
                time_s += 0.001
                frames.append((time_s, harness.udp_frame(f"10.8.{number}.{index}", 1024, "192.0.2.1", 9)))
        return harness.write_timed(self.folder / "jumps.pcap", frames)

    def test_packets_of_a_file_whose_clock_jumps_are_all_in_records(self):
        year = 365 * 86400.0
        for steps in ((0, year, -year), (0, -3600, 7200), (0, 30 * year, 1, -29 * year), (0, -0.5, 0.5, 20, -20)):
            with self.subTest(steps=steps):
                flows = self.csv_of(self.jumping(steps), settings=("metering.n_dissections=0",))  # its ledger balances
                self.assertEqual(len({flow["src_ip"] for flow in flows}), 100 * len(steps))
                self.assertEqual(harness.total(flows, "bidirectional_packets"), 100 * len(steps))

    def test_the_clock_of_the_machine_jumps_and_nothing_is_lost(self):
        """By libfaketime: of the daemon alone, and not of what the kernel stamps packets with."""
        library = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
        if not library:
            self.skipTest("NOT RUN: without libfaketime")
        clock = self.write("clock", "+0")
        port = harness.free_port()
        collector, _ = self.collect("tcp", port, self.probe)
        environment = {**os.environ, "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock),
                       "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        daemon = self.begin([self.json(), f"name: there, type: ipfix, collectors: ['tcp://127.0.0.1:{port}'], "
                             "flush_interval: 100ms, options_interval: 1s"], env=environment)
        for step, shift in enumerate(("+0", "+86400", "-86400", "+31536000", "+0")):
            clock.write_text(shift)
            self.flows(daemon)
            self.wait_for_records(daemon, 10 * (step + 1))
            wait_for(lambda: len(collector.json_lines()) == 10 * (step + 1), daemon.describe)
        self.stop(daemon)
        self.assertEqual(sorted(int(flow["src_ip"].rsplit(".", 1)[1]) for flow in collector.json_lines()),
                         list(range(self.sent)))
        self.assertNotIn("error: ", daemon.stderr())

    # ---- plugins ----

    def test_a_plugin_that_crashes_when_it_is_loaded_ends_it_with_its_status_and_a_line(self):
        plugin = f"{BUILD}/tests/plugins/crashes.so"
        text = self.configuration([f"name: plugin, type: plugin, path: {plugin}", self.json()])
        path = self.write("nfstreamd.yaml", text)
        run = self.run_program(NFSTREAMD, "-c", path, "-r", harness.CAPTURES / "dns.pcap", status=78)
        self.assertEqual(run.stderr.count(f"plugin {plugin}: crashed while it was loaded"), 1, run.stderr)
        path = self.write("nfstreamd.yaml", self.configuration([self.json()]) +
                          f"plugins: [{{name: flows, path: {plugin}}}]\n")
        for words in (["-t"], []):
            run = self.run_program(NFSTREAMD, *words, "-c", path, status=78)
            self.assertEqual(run.stderr.count(f"plugin {plugin}: crashed while it was loaded"), 1, run.stderr)

    # ---- memory ----

    def test_a_limit_of_memory_below_what_the_table_needs_is_an_error_at_the_start(self):
        path = self.write("nfstreamd.yaml", self.configuration([self.json()], "n_dissections: 0, max_flows: 8388608"))
        limit = 512 << 20
        daemon = self.start(NFSTREAMD, "-c", path, namespace=self.probe,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertEqual(daemon.wait(), 1, daemon.describe())
        self.assertIn("for the flow cache: Cannot allocate memory; lower metering.max_flows", daemon.stderr())

    def test_a_limit_that_is_reached_ends_it_with_its_status_and_a_line(self):
        port = harness.free_port()
        stuck = self.start(sys.executable, "-c", "import socket, time\ns = socket.create_server(('127.0.0.1', %d))\n"
                           "c, _ = s.accept()\ntime.sleep(1000)" % port, namespace=self.probe)
        wait_for(lambda: stuck.listens(port, "tcp"), "no listener")
        daemon = self.begin([f"name: stuck, type: ipfix, collectors: ['tcp://127.0.0.1:{port}'], queue_records: 4000000"],
                            metering="max_flows: 100000, idle_timeout: 1s")
        now = int(re.search(r"VmSize:\s+(\d+)", pathlib.Path(f"/proc/{daemon.pid}/status").read_text()).group(1)) << 10
        resource.prlimit(daemon.pid, resource.RLIMIT_AS, (now + (8 << 20), now + (8 << 20)))
        daemon.socket = None  # it will not answer
        sender = self.start(SENDER, "up0", 100_000, 100_000_000, 1, namespace=self.far)
        self.assertEqual(daemon.wait(60), 1, daemon.describe())
        sender.kill()
        self.assertEqual(daemon.stderr().count("out of memory"), 1, daemon.describe())


if __name__ == "__main__":
    harness.main()
