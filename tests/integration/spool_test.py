#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A collector that is away: its records wait in the spool, also over a restart and a reload, and what is lost is counted."""
import signal
import sys
import time

import harness
from harness import wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"


@harness.needs_root("live capture")
class Spool(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.port = harness.free_port()
        self.spool = self.folder / "spool"

    def configuration(self, name="main", flush="100ms", queue=262144):
        return ("capture:\n  - interface: lo\n    n_meters: 1\n    bpf_filter: udp dst port 7777\n"
                "metering:\n  idle_timeout: 600\nexporters:\n"
                f"  - {{name: {name}, type: ipfix, collectors: ['tcp://127.0.0.1:{self.port}'], flush_interval: {flush}, retry_interval: 1s,\n"
                f"     queue_records: {queue}, spool: {{directory: {self.spool}}}}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, *words, **settings):
        """A daemon with a spool; WORDS are a command that runs it."""
        path = self.write("nfstreamd.yaml", self.configuration(**settings))
        socket = self.folder / "control.sock"
        socket.unlink(missing_ok=True)
        daemon = self.start(*words, harness.NFSTREAMD, "-c", path, namespace=self.probe)
        daemon.socket = socket
        wait_for(lambda: socket.exists() or not daemon.running(), daemon.describe)
        self.assertTrue(daemon.running(), daemon.describe())
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def exporter(self, daemon):
        return self.status(daemon)["exporters"][0]

    def exporter_when(self, daemon, condition):
        """The exporter's row of the first status of which the condition is true."""
        rows = []

        def look():
            rows[:] = [self.exporter(daemon)]
            return condition(rows[0])
        wait_for(look, lambda: f"{rows}\n{daemon.describe()}")
        return rows[0]

    def flows(self, daemon, sources):
        """One flow from each source port, metered and handed to the exporter."""
        created = self.status(daemon)["interfaces"][0]["flows_created"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", 7777, *sources)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_created"] == created + len(sources),
                 daemon.describe)
        self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0, daemon.describe)

    def ports(self, collector):
        return [flow["src_port"] for flow in collector.json_lines()]

    def arrive(self, collector, sources, daemon):
        wait_for(lambda: set(self.ports(collector)) >= set(sources),
                 lambda: f"{self.ports(collector)}\n{daemon.describe()}", 3 * harness.DEADLINE)

    def spooled(self, daemon, records):
        wait_for(lambda: self.exporter(daemon)["spool"]["records"] == records,
                 lambda: f"{self.exporter(daemon)}\n{daemon.describe()}")

    def nothing_is_missing(self, daemon):
        """Records that came are out, on the disk, in hand or counted as lost."""
        status = self.status(daemon)
        pushed = sum(status["interfaces"][0]["records"].values())
        row = status["exporters"][0]
        self.assertEqual(pushed + row["spool"]["recovered"],
                         row["records"] + row["queue_depth"] + row["in_hand"] + row["spool"]["records"] +
                         sum(row["dropped"].values()), row)

    def test_a_collector_that_is_killed_gets_everything_when_it_is_back(self):
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        daemon = self.begin()
        before, during, after = range(50001, 50011), range(51000, 51300), range(52001, 52011)
        self.flows(daemon, before)
        self.arrive(collector, before, daemon)
        collector.kill()
        for first in range(0, len(during), 50):
            self.flows(daemon, during[first:first + 50])
        row = self.exporter_when(daemon, lambda row: row["spool"]["records"] > 0)
        self.assertFalse(row["up"])
        self.assertGreater(row["spool"]["octets"], 0)
        self.assertNotEqual(row["spool"]["oldest"], "")
        table = self.run_program(harness.NFSTREAMCTL, "--socket", daemon.socket, "status").stdout
        self.assertIn(f"{self.spool}/main", table)

        again, _ = self.collect("tcp", self.port, namespace=self.probe)
        self.arrive(again, during, daemon)
        self.spooled(daemon, 0)
        self.flows(daemon, after)
        self.arrive(again, after, daemon)
        # so few may have been in a buffer of the host, which says that it has them, when their collector was killed
        self.assertEqual(sorted(self.ports(again)), [*before, *during, *after])
        self.assertEqual(self.exporter(daemon)["redelivered"], len(before))
        self.assertEqual({port // 50 for port in self.ports(again)[10:60]}, {port // 50 for port in during[:50]})
        self.assertEqual(sum(self.exporter(daemon)["dropped"].values()), 0)
        self.nothing_is_missing(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(list(self.spool.glob("main/*.spool")), [])  # it ended the session as we did: it has read all
        self.assertNotIn("records stay in the spool", daemon.stderr())

    def test_a_collector_that_is_killed_in_the_midst_of_traffic_misses_no_flow(self):
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        daemon = self.begin()
        sources = range(30000, 34000)
        for first in range(0, len(sources), 200):
            self.flows(daemon, sources[first:first + 200])
            if first == 1000:
                collector.kill()  # records are in the socket, in the exporter and in the queue
            if first == 2000:
                again, _ = self.collect("tcp", self.port, namespace=self.probe)
        wait_for(lambda: set(self.ports(collector)) | set(self.ports(again)) >= set(sources),
                 lambda: f"{sorted(set(sources) - set(self.ports(collector)) - set(self.ports(again)))}\n"
                         f"{self.exporter(daemon)}\n{daemon.describe()}", 3 * harness.DEADLINE)
        row = self.exporter(daemon)
        self.assertGreater(row["redelivered"], 0)
        self.assertLessEqual(len(self.ports(again)), len(sources) - len(self.ports(collector)) + row["redelivered"])
        self.assertEqual(sum(row["dropped"].values()), 0)
        self.nothing_is_missing(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_restart_while_the_collector_is_away_loses_nothing(self):
        daemon = self.begin()
        sources = range(53001, 53201)
        self.flows(daemon, sources)
        self.spooled(daemon, len(sources))
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", 7777, 53900)  # active at the stop
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 1, daemon.describe)
        begin = time.monotonic()
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("records stay in the spool", daemon.stderr())
        self.assertNotIn("stopped before all was out", daemon.stderr())

        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        daemon = self.begin()
        self.assertIn("records of an earlier run are in the spool", daemon.stderr())
        self.arrive(collector, [*sources, 53900], daemon)
        self.assertEqual(sorted(self.ports(collector)), [*sources, 53900])
        self.assertEqual(self.ports(collector)[-1], 53900)
        self.assertEqual(self.exporter(daemon)["spool"]["recovered"], len(sources) + 1)
        self.nothing_is_missing(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_daemon_that_is_killed_sends_everything_when_it_is_back(self):
        daemon = self.begin()
        sources = range(54001, 54101)
        self.flows(daemon, sources)
        self.spooled(daemon, len(sources))
        daemon.kill()
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        daemon = self.begin()
        self.arrive(collector, sources, daemon)
        self.assertEqual(sorted(self.ports(collector)), list(sources))
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_full_disk_costs_what_it_cannot_take_and_nothing_else(self):
        self.spool.mkdir()
        daemon = self.begin("unshare", "--mount", "sh", "-c",
                            f"mount -t tmpfs -o size=64k none {self.spool} && exec \"$@\"", "sh", queue=2048)
        first = range(20000, 22000)
        self.flows(daemon, first)
        wait_for(lambda: self.exporter(daemon)["dropped"]["spool_failed"] > 0, lambda: str(self.exporter(daemon)))
        def settled():  # the queue is used up to a quarter, as the disk takes no more
            row = self.exporter(daemon)
            waiting = row["queue_depth"] + row["in_hand"]
            return waiting <= 2048 / 4 + 64 and waiting + row["spool"]["records"] + sum(
                row["dropped"].values()) == len(first)
        wait_for(settled, lambda: str(self.exporter(daemon)))
        row = self.exporter(daemon)
        self.assertEqual(sum(row["dropped"].values()), row["dropped"]["spool_failed"], row)
        lost, kept = row["dropped"]["spool_failed"], len(first) - row["dropped"]["spool_failed"]
        self.assertGreater(kept, 0)
        self.assertEqual(row["lost_before_export"]["records"], lost)
        self.assertEqual(row["lost_before_export"]["packets"], lost)  # of one packet each
        self.assertEqual(row["lost_before_export"]["octets"], 40 * lost)
        self.assertIn("spool failing", daemon.stderr())
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        wait_for(lambda: len(self.ports(collector)) == kept, lambda: str(self.exporter(daemon)), 3 * harness.DEADLINE)
        self.flows(daemon, [23000])
        self.arrive(collector, [23000], daemon)
        self.nothing_is_missing(daemon)
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_successor_goes_on_with_the_spool_and_a_removal_is_told(self):
        daemon = self.begin()
        self.flows(daemon, range(55001, 55021))
        self.spooled(daemon, 20)
        self.reload(daemon, flush="50ms")
        self.flows(daemon, range(55021, 55031))
        self.spooled(daemon, 30)
        self.assertEqual(self.exporter(daemon)["spool"]["recovered"], 20)
        self.reload(daemon, name="other")
        wait_for(lambda: "records stay in the spool of an exporter that is no more" in daemon.stderr(),
                 daemon.describe)
        self.assertIn(f"path={self.spool}/main records=30", daemon.stderr())
        self.reload(daemon)
        collector, _ = self.collect("tcp", self.port, namespace=self.probe)
        self.arrive(collector, range(55001, 55031), daemon)
        self.assertEqual(sorted(self.ports(collector)), list(range(55001, 55031)))
        self.assertEqual(sorted(self.ports(collector)[:20]), list(range(55001, 55021)))
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def reload(self, daemon, **settings):
        before = self.status(daemon)["reload"]["applied"]
        self.write("nfstreamd.yaml", self.configuration(**settings))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == before + 1, daemon.describe)

    def test_a_folder_that_cannot_be_used_is_an_error_at_the_start(self):
        self.spool = self.write("file", "") / "spool"
        path = self.write("nfstreamd.yaml", self.configuration())
        daemon = self.start(harness.NFSTREAMD, "-c", path, namespace=self.probe)
        self.assertNotEqual(daemon.wait(), 0)
        self.assertIn("nfstreamd.yaml:9:", daemon.stderr())
        self.assertIn("spool.directory: ", daemon.stderr())

    def test_a_second_daemon_may_not_share_it(self):
        daemon = self.begin()
        wait_for(lambda: (self.spool / "main" / "lock").exists(), daemon.describe)
        other = self.start(harness.NFSTREAMD, "-c", self.folder / "nfstreamd.yaml", "--set",
                           f"control.socket={self.folder}/other.sock", namespace=self.probe)
        self.assertNotEqual(other.wait(), 0)
        self.assertIn(f"in use by process {daemon.pid}", other.stderr())
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
