#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nfstreamctl doctor` with and without a daemon: trouble that is made here is found, with its fix; and its report."""
import json
import os
import socket
import subprocess
import sys

import harness
from harness import NFSTREAMCTL, wait_for

# ETHTOOL_SGRO, SGSO, STSO: as `ethtool -K NAME gro off gso off tso off`
OFFLOADS_OFF = """
import ctypes, fcntl, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any:
    for command in (0x2c, 0x24, 0x1f):
        value = ctypes.create_string_buffer(struct.pack("II", command, 0))
        fcntl.ioctl(any, 0x8946, struct.pack("16sP", sys.argv[1].encode(), ctypes.addressof(value)))
"""


def config(folder, captures, exporters="", more=""):
    return (f"capture:\n{captures}metering: {{max_flows: 1000}}\nexporters:\n{exporters or '  []'}\n"
            f"control: {{socket: {folder}/control.sock}}\n{more}").replace("exporters:\n  []", "exporters: []")


class Case(harness.TestCase):
    def doctor(self, *words, namespace=None, status=None):
        """Its findings, by check; the exit status must agree."""
        command = [NFSTREAMCTL, "--socket", self.folder / "control.sock", "doctor", "--json", *words]
        run = self.run_program(*(namespace.command(*command) if namespace else command),
                               status=1 if status is None else status)
        found = {}
        for finding in json.loads(run.stdout)["findings"]:
            self.assertTrue(finding["fix"] and finding["where"] and finding["what"], finding)
            found.setdefault(finding["check"], []).append(finding)
        return found


class Doctor(Case):
    def test_a_configuration_that_is_wrong(self):
        path = self.write("bad.yaml", "capture: [{interface: eth0}]\nnonsense: 1\nmore: 2\n")
        found = self.doctor("--config", path)
        self.assertEqual(len(found["configuration"]), 2)
        self.assertIn("nfstreamd -t -c", found["configuration"][0]["fix"])

    def test_collectors_that_cannot_be_reached(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, socket.create_server(("127.0.0.1", 0)) as server:
            taken.bind(("127.0.0.1", 0))
            open_udp, open_tcp = taken.getsockname()[1], server.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as closed:
                closed.bind(("127.0.0.1", 0))  # held, and nobody listens
                refused = closed.getsockname()[1]
                exporters = "".join(
                    f"  - {{name: {name}, type: ipfix, collectors: ['{url}']}}\n" for name, url in (
                        ("a", f"udp://127.0.0.1:{open_udp}"), ("b", f"tcp://127.0.0.1:{open_tcp}"),
                        ("c", f"tcp://127.0.0.1:{refused}"), ("d", f"udp://127.0.0.1:{refused}"),
                        ("e", "udp://no-such-host.invalid:4739")))
                path = self.write("collectors.yaml", config(self.folder, "  - {interface: lo}\n", exporters))
                found = self.doctor("--config", path)
        self.assertEqual(sorted(finding["where"][0] for finding in found["collector"]), ["c", "d", "e"])
        for finding in found["collector"]:
            self.assertIn("collectors.yaml:", finding["what"])

    def test_a_spool_that_cannot_be_written(self):
        (self.folder / "file").write_text("no folder")
        path = self.write("spool.yaml", config(
            self.folder, "  - {interface: lo}\n",
            f"  - {{name: a, type: ipfix, collectors: ['udp://127.0.0.1:9'], spool: {{directory: {self.folder}/file}}}}\n"))
        self.assertIn("is no folder", self.doctor("--config", path)["spool"][0]["what"])

    def test_a_report_has_everything_but_secrets(self):
        secret = "correct-horse-battery"
        path = self.write("secret.yaml", config(
            self.folder, "  - {interface: lo}\n",
            "  - {name: bus, type: nats, servers: ['nats://127.0.0.1:1'], subject: flows, user: me, "
            f"password: {secret}}}\n"))
        report = self.folder / "report.txt"
        run = self.run_program(NFSTREAMCTL, "--socket", self.folder / "control.sock", "doctor", "--config", path,
                               "--report", report, status=1)
        self.assertIn("look at it before", run.stderr)
        text = report.read_text()
        self.assertEqual(os.stat(report).st_mode & 0o777, 0o600)
        self.assertNotIn(secret, text)
        self.assertIn("127.0.0.1:1", text)
        for part in ("versions", "doctor", "configuration, secrets masked", "status", "process", "host", "interfaces",
                     "kernel", "distribution", "offloads", "Max open files", "subject: flows"):
            self.assertIn(part, text)
        run = self.run_program(NFSTREAMCTL, "doctor", "--config", path, "--report", report, status=1)
        self.assertIn("File exists", run.stderr)
        self.assertEqual(report.read_text(), text)
        run = self.run_program(NFSTREAMCTL, "doctor", "--config", path, "--report", "-", status=1)
        self.assertTrue(run.stdout.startswith("nfstreamd report of"))
        self.assertNotIn(secret, run.stdout)


@harness.needs_root("network namespaces")
class Links(Case):
    def setUp(self):
        super().setUp()
        self.probe, self.other = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.other, "tap0", "10.9.0.1", "10.9.0.2")

    def test_offloads_that_are_on_and_then_off(self):
        path = self.write("nfstreamd.yaml", config(self.folder, "  - {interface: tap0}\n"))
        found = self.doctor("--config", path, namespace=self.probe)
        self.assertEqual([finding["where"] for finding in found["offloads"]], ["tap0"])
        self.assertTrue(found["offloads"][0]["fix"].startswith("ethtool -K tap0"), found)
        self.assertIn("tso off", found["offloads"][0]["fix"])
        self.probe.run(sys.executable, "-c", OFFLOADS_OFF, "tap0")
        command = self.probe.command(NFSTREAMCTL, "--socket", self.folder / "control.sock", "doctor", "--json",
                                     "--config", path)
        run = subprocess.run(command, capture_output=True, text=True, timeout=harness.DEADLINE)
        self.assertNotIn("offloads", [finding["check"] for finding in json.loads(run.stdout)["findings"]])

    def test_parent_and_child_unless_they_are_a_deduplicated_group(self):
        self.probe.ip("link", "add", "child0", "link", "tap0", "type", "macvlan")
        self.probe.ip("link", "set", "child0", "up")
        path = self.write("nfstreamd.yaml", config(self.folder, "  - {interface: tap0}\n  - {interface: child0}\n"))
        found = self.doctor("--config", path, namespace=self.probe)
        self.assertEqual([finding["where"] for finding in found["duplicates"]], ["tap0 and child0"])
        self.assertIn("macvlan child0 lies on tap0", found["duplicates"][0]["what"])
        path.write_text(config(self.folder, "".join(
            f"  - {{interface: {name}, group: both, deduplicate: 100ms}}\n" for name in ("tap0", "child0"))))
        self.assertNotIn("duplicates", self.doctor("--config", path, namespace=self.probe))

    def test_jumbo_frames_and_an_interface_that_is_down_or_missing(self):
        self.probe.ip("link", "set", "tap0", "mtu", "9000", "down")
        path = self.write("nfstreamd.yaml", config(self.folder, "  - {interface: tap0}\n  - {interface: gone0}\n"))
        found = self.doctor("--config", path, namespace=self.probe)
        self.assertIn("snapshot_length: 9022", found["snapshot-length"][0]["fix"])
        self.assertEqual({finding["where"]: finding["fix"] for finding in found["interface"]}["tap0"],
                         "ip link set dev tap0 up")
        self.assertIn("gone0", [finding["where"] for finding in found["interface"]])

    def test_a_running_daemon_is_asked_and_its_report_has_its_counters(self):
        collector, port = self.collect(namespace=self.probe)
        running = self.daemon(config(self.folder, "  - {interface: tap0, n_meters: 1}\n",
                                     f"  - {{name: main, type: ipfix, collectors: ['udp://127.0.0.1:{port}']}}\n"),
                              namespace=self.probe)
        wait_for(lambda: self.status(running)["interfaces"][0]["up"], running.describe)
        path = self.folder / "nfstreamd.yaml"
        found = self.doctor("--config", path, namespace=self.probe)
        self.assertNotIn("collector", found)
        self.assertNotIn("capability", found)
        os.chmod(running.socket, 0o666)
        self.assertEqual(self.doctor("--config", path, namespace=self.probe)["control-socket"][0]["fix"],
                         f"chmod 0660 {running.socket}")
        run = self.run_program(*self.probe.command(NFSTREAMCTL, "--socket", running.socket, "doctor", "--config", path,
                                                   "--report", "-"), status=1)
        for part in ('"interfaces":[{"id"', "Max open files", f"pid {running.pid}", "tap0"):
            self.assertIn(part, run.stdout)
        self.assertTrue(collector.running())


if __name__ == "__main__":
    harness.main()
