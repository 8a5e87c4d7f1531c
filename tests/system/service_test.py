#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The package on a booted Debian: installed, started, capturing a link, exporting to nfcapd, reloaded, killed, upgraded, purged.

NFSTREAMD_SUITE names another Debian than that of this host; NFSTREAMD_DEB is a package that is there already, built on it."""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import container
import collectors
import harness
from harness import wait_for

PORT = 7777
SUITE = os.environ.get("NFSTREAMD_SUITE") or container.suite_of_host()
TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
CONFIGURATION = "/etc/nfstreamd/nfstreamd.yaml"
UNIT, EDGE = "nfstreamd.service", "nfstreamd@edge.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/test.conf"


def build_package():
    """The package, of the build that is tested."""
    if os.environ.get("NFSTREAMD_DEB"):
        return pathlib.Path(os.environ["NFSTREAMD_DEB"]).resolve()
    run = subprocess.run([harness.ROOT / "packaging" / "make-deb", "--no-symbols", harness.BUILD], stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, timeout=600)
    if run.returncode != 0:
        raise AssertionError(f"make-deb:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    [package] = (harness.ROOT / "build" / "deb").glob("nfstreamd_*.deb")
    return package


@unittest.skipIf(container.why_not(), f"NOT RUN: {container.why_not()}")
class Package(collectors.CollectorCase):
    @classmethod
    def setUpClass(cls):
        cls.package = build_package()

    @unittest.skipIf("NFSTREAMD_DEB" in os.environ, "NOT RUN: lintian is that of another Debian")
    def test_lintian_finds_nothing(self):
        changes = next((harness.ROOT / "build" / "deb").glob("nfstreamd_*.changes"))
        run = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", changes], capture_output=True, text=True,
                             timeout=600)
        self.assertEqual((run.returncode, run.stdout), (0, ""), run.stderr)

    def test_the_life_of_the_service(self):
        newer = self.newer_package()
        root = container.Root(SUITE).provide(self.package)
        self.probe, self.client = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.client, "m0", "10.93.0.1", "10.93.0.2")
        self.inside = container.Container(self, root, self.probe, [self.package, newer])
        self.source = 20000
        self.install()
        self.what_is_installed_works_at_once()
        self.flows_arrive_at_nfcapd_and_survive_a_reload()
        self.a_bad_file_fails_the_reload()
        self.so_does_one_that_cannot_be_prepared()
        self.without_a_control_socket_the_file_is_checked()
        self.a_restart_loses_no_packet()
        self.the_journal_has_priorities()
        self.what_is_killed_comes_back()
        self.what_stays_wrong_is_not_tried_again()
        self.what_may_come_back_is_tried_again()
        self.what_hangs_is_replaced()
        self.an_instance_stands_beside_it()
        self.an_upgrade_goes_on_with_the_configuration(newer)
        self.nothing_stays_after_a_purge()

    # what the steps share

    def newer_package(self):
        """The same with a higher version, and another example configuration."""
        folder = self.folder / "newer"
        self.run_program("dpkg-deb", "--raw-extract", self.package, folder)
        control = folder / "DEBIAN" / "control"
        self.version = re.search(r"^Version: (.*)$", control.read_text(), re.M)[1]
        control.write_text(control.read_text().replace(f"Version: {self.version}\n", f"Version: {self.version}+newer\n"))
        with open(folder / CONFIGURATION[1:], "a", encoding="utf-8") as example:
            example.write("# of the newer package\n")
        path = self.folder / "newer.deb"
        self.run_program("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", folder, path)
        return path

    def apt(self, *words):
        self.inside.run("apt-get", "-q", "-y", "-oDpkg::Use-Pty=0", "-oDpkg::Options::=--force-confold", *words)

    def pid(self, unit=UNIT):
        return int(self.inside.property("MainPID", unit))

    def signal(self, name):
        self.inside.run("systemctl", "kill", "--kill-whom=main", f"--signal={name}", UNIT)

    def is_active(self, unit=UNIT):
        return self.inside.property("ActiveState", unit) == "active"

    def active(self, unit=UNIT, other_than=0):
        """Waits until it runs, as another process than before."""
        wait_for(lambda: self.is_active(unit) and self.pid(unit) not in (0, other_than),
                 lambda: self.inside.describe(unit), container.PATIENCE)
        return self.pid(unit)

    def state_of(self, *options):
        return json.loads(self.inside.run("nfstreamctl", *options, "status", "--json").stdout)

    def configure(self, port, idle, more="", name="nfstreamd", exporters=None):
        exporters = exporters or f"  - {{name: main, type: netflow9, collectors: ['udp://127.0.0.1:{port}'], flush_interval: 100ms}}\n"
        self.inside.write(f"/etc/nfstreamd/{name}.yaml",
                          f"capture:\n  - {{interface: m0, bpf_filter: udp port {PORT}, n_meters: 1{more}}}\n"
                          f"metering:\n  idle_timeout: {idle}\n  prefault: false\nexporters:\n{exporters}")

    def send(self, sources):
        self.client.run(sys.executable, "-B", TRAFFIC, "send", "10.93.0.1", PORT, *sources)

    def sources(self, count=20):
        self.source += count
        return list(range(self.source - count, self.source))

    def metered(self, count, *options):
        """Waits until so many packets were metered since the start."""
        wait_for(lambda: sum(row["metered"]["packets"] for row in self.state_of(*options)["interfaces"]) == count,
                 lambda: f"{self.state_of(*options)['interfaces']}\n{self.inside.describe()}", container.PATIENCE)

    # the steps

    def install(self):
        self.apt("install", "--no-install-recommends", f"/root/{self.package.name}")
        self.first = self.active()
        self.assertEqual(self.inside.systemctl("is-enabled"), "enabled")

    def what_is_installed_works_at_once(self):
        user, groups = (self.inside.run("id", flag, "nfstreamd").stdout.strip() for flag in ("--user", "--group"))
        process = self.inside.sh(f"cat /proc/{self.first}/status")
        self.assertRegex(process, rf"Uid:\t{user}\t{user}\t{user}\t{user}\nGid:\t{groups}\t{groups}\t")
        for kind in ("Prm", "Eff", "Bnd", "Amb"):
            self.assertRegex(process, rf"Cap{kind}:\t0*2000\n")  # bit 13, CAP_NET_RAW
        self.assertEqual(self.inside.sh("stat -c '%a %U %G' /etc/nfstreamd /var/lib/nfstreamd /var/log/nfstreamd /run/nfstreamd"),
                         "750 root nfstreamd\n" + 3 * "750 nfstreamd nfstreamd\n")
        sources = self.sources(5)
        self.send(sources)
        wait_for(lambda: self.state_of()["interfaces"][0]["metered"]["packets"] >= 5, self.inside.describe)
        self.inside.run("nfstreamctl", "expire")
        wait_for(lambda: all(f",{source}," in self.inside.sh("cat /var/log/nfstreamd/flows.csv") for source in sources),
                 self.inside.describe, container.PATIENCE)

        def exposure():
            text = self.inside.run("systemd-analyze", "security", "--no-pager", "--offline=true", UNIT).stdout
            return float(re.search(rf"exposure level for {UNIT}: ([\d.]+)", text)[1])
        self.assertLessEqual(exposure(), 1.6)
        self.inside.sh(f"install -D -m 644 /usr/share/nfstreamd/collectors.conf {DROP_IN}")
        self.assertLessEqual(exposure(), 1.5)
        self.inside.run("rm", DROP_IN)
        for unit in (UNIT, "nfstreamd@.service"):
            self.assertEqual(self.inside.run("systemd-analyze", "verify", "--man=no", unit).stderr, "")

    def flows_arrive_at_nfcapd_and_survive_a_reload(self):
        nfcapd = self.nfcapd(namespace=self.probe)
        self.configure(nfcapd.port, idle=600)
        self.inside.systemctl("restart", UNIT)
        before = self.active(other_than=self.first)
        sources = self.sources()
        self.send(sources)
        self.metered(20)
        self.configure(nfcapd.port, idle=500)
        self.inside.systemctl("reload", UNIT)  # back when it has been applied, once
        self.assertEqual(self.state_of()["reload"]["applied"], 1)
        self.assertEqual(self.pid(), before)
        self.send(sources)  # more packets of the flows that were there
        self.metered(40)
        self.inside.run("nfstreamctl", "expire")
        wait_for(lambda: self.state_of()["exporters"][0]["records"] == 20, self.inside.describe, container.PATIENCE)
        self.assertEqual(sorted((int(flow["src port"]), int(flow["in packets"])) for flow in self.nfdump(nfcapd)),
                         [(source, 2) for source in sources])

    def a_bad_file_fails_the_reload(self):
        before = self.pid()
        self.configure(1, idle="soon")
        self.inside.systemctl("reload", UNIT, status=1)
        self.assertTrue(self.is_active())
        self.assertEqual(self.pid(), before)
        self.assertEqual(self.state_of()["reload"]["applied"], 1)
        self.assertIn(f"{CONFIGURATION}:4:17: metering.idle_timeout: ", self.inside.log())

    def so_does_one_that_cannot_be_prepared(self):
        before, reload = self.pid(), self.state_of()["reload"]
        with self.probe.stream_socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.configure(1, idle=1)
            self.inside.sh(f"echo 'metrics: {{listen: \"127.0.0.1:{taken.getsockname()[1]}\"}}' >>{CONFIGURATION}")
            self.inside.run("nfstreamd", "-t", "-c", CONFIGURATION)  # which it cannot know
            self.inside.systemctl("reload", UNIT, status=1)
        self.assertRegex(self.inside.log(), r"nfstreamd.yaml:8:\d+: cannot listen: .*in use")
        self.assertEqual(self.pid(), before)
        state = self.state_of()
        self.assertEqual((state["reload"]["applied"], state["reload"]["rejected"]), (reload["applied"], reload["rejected"] + 1))
        self.assertEqual(state["interfaces"][0]["idle_timeout_ms"], 500_000)
        self.inside.systemctl("reload", UNIT)  # the port is free now
        state = self.state_of()
        self.assertEqual((state["reload"]["applied"], state["interfaces"][0]["idle_timeout_ms"]), (reload["applied"] + 1, 1000))

    def without_a_control_socket_the_file_is_checked(self):
        self.configure(1, idle=100)
        self.inside.sh(f"echo 'control: {{socket: \"\"}}' >>{CONFIGURATION}")
        self.inside.systemctl("reload", UNIT)
        self.assertEqual(self.inside.sh("ls /run/nfstreamd"), "")
        self.configure(1, idle="soon")
        self.inside.systemctl("reload", UNIT, status=1)
        self.configure(1, idle=200)
        self.inside.systemctl("reload", UNIT)
        wait_for(lambda: "control.sock" in self.inside.sh("ls /run/nfstreamd"), self.inside.describe)
        wait_for(lambda: self.state_of()["interfaces"][0]["idle_timeout_ms"] == 200_000, self.inside.describe)

    def a_restart_loses_no_packet(self):
        """The service manager keeps the ring, and the next process reads what has come to it meanwhile."""
        records = "/var/log/nfstreamd/restart.json"
        self.inside.write(CONFIGURATION, (
            "capture:\n  - {interface: m0, bpf_filter: udp, n_meters: 1, socket_buffer_size: 32MiB}\n"
            "metering: {idle_timeout: 600, prefault: false, n_dissections: 0, overload: {from: off}}\n"
            f"exporters:\n  - {{name: main, type: json, path: {records}, append: true, fields: [src_ip, src2dst_packets]}}\n"))
        before = self.pid()
        self.inside.systemctl("restart", UNIT)
        process = self.active(other_than=before)
        rate, per_flow, packets = 20_000, 64, 100_032

        def metered():
            return sum(row["metered"]["packets"] for row in self.state_of()["interfaces"])

        def kept():
            return re.findall(r"capture goes on where the process before has left it interface=m0 unread=", self.inside.log())
        taken_over = len(kept())
        sender = self.start(self.sender(), "up0", rate, packets, per_flow, namespace=self.client)
        for _ in range(2):
            enough = metered() + rate // 4
            wait_for(lambda least=enough: metered() > least, self.inside.describe)
            self.inside.systemctl("restart", UNIT)
            process = self.active(other_than=process)
        self.assertTrue(sender.running(), "all was sent before it was restarted twice")
        self.assertEqual(sender.wait(60), 0, sender.describe())

        def found():
            return sum(json.loads(line)["src2dst_packets"] for line in self.inside.sh(f"cat {records}").splitlines()
                       if '"10.' in line)
        before = found()
        wait_for(lambda: before + metered() == packets,
                 lambda: f"{before} + {metered()} of {packets}: {self.state_of()['interfaces']}\n{self.inside.log()[-3000:]}")
        self.assertEqual(len(kept()), taken_over + 2, self.inside.log()[-3000:])
        interface = self.state_of()["interfaces"][0]
        self.assertEqual((interface["kernel_dropped"], interface["unread"]), (0, 0))
        self.inside.run("nfstreamctl", "expire")
        wait_for(lambda: found() == packets, self.inside.describe)

    def sender(self):
        built = harness.BUILD / "tests" / "integration" / "number_sender"
        if built.exists():
            return built
        made = self.folder / "number_sender"  # where the package is of another build
        self.run_program("cc", "-O2", "-o", made, harness.ROOT / "tests" / "integration" / "number_sender.c")
        return made

    def the_journal_has_priorities(self):
        def entries():
            text = self.inside.run("journalctl", "--no-pager", "--output=json", "_COMM=nfstreamd").stdout
            return [(int(entry["PRIORITY"]), entry["MESSAGE"]) for entry in map(json.loads, text.splitlines())]
        self.assertTrue(any(priority == 6 and re.match(r"started version=\S+ .*interfaces=m0 ", message)
                            for priority, message in entries()), entries())
        self.assertTrue(any(priority == 3 and "metering.idle_timeout" in message for priority, message in entries()), entries())
        self.assertFalse([message for _, message in entries() if message.startswith("<")])
        port = harness.free_port()
        self.configure(port, idle=1, exporters=f"  - {{name: main, type: ipfix, collectors: ['tcp://127.0.0.1:{port}']}}\nlog: {{format: json}}\n")
        self.inside.systemctl("reload", UNIT)
        wait_for(lambda: any(priority == 4 and message.startswith("{") and json.loads(message)["level"] == "warning"
                             for priority, message in entries()), lambda: entries()[-20:], container.PATIENCE)

    def what_is_killed_comes_back(self):
        self.configure(harness.free_port(), idle=600)
        before = self.pid()
        self.signal("KILL")
        before = self.active(other_than=before)
        self.assertEqual(self.inside.property("NRestarts"), "1")
        self.send(self.sources(3))
        self.metered(3)

    def what_stays_wrong_is_not_tried_again(self):
        self.configure(1, idle="soon")
        self.inside.systemctl("restart", UNIT, status=1)
        self.failed_with(78)
        self.configure(harness.free_port(), idle=600)
        self.inside.write(DROP_IN, "[Service]\nCapabilityBoundingSet=\nAmbientCapabilities=\n")
        self.inside.systemctl("daemon-reload", "")
        self.inside.systemctl("restart", UNIT, status=1)
        self.failed_with(77)
        self.inside.run("rm", DROP_IN)

    def failed_with(self, status):
        self.assertEqual((self.inside.property("ActiveState"), self.inside.property("ExecMainStatus"),
                          self.inside.property("NRestarts")), ("failed", str(status), "0"), self.inside.describe())

    def what_may_come_back_is_tried_again(self):
        self.inside.write(CONFIGURATION, "capture:\n  - {interface: late0, required: true}\nmetering: {prefault: false}\n")
        self.inside.systemctl("daemon-reload", "")
        self.inside.systemctl("restart", UNIT, status=1)
        wait_for(lambda: int(self.inside.property("NRestarts")) >= 1, self.inside.describe, container.PATIENCE)
        self.assertIn("status=69", self.inside.log())
        self.probe.link_to(harness.Namespace(self), "late0", "10.94.0.1", "10.94.0.2")
        self.active()

    def what_hangs_is_replaced(self):
        self.configure(harness.free_port(), idle=600)
        self.inside.write(DROP_IN, "[Service]\nWatchdogSec=2s\n")
        self.inside.systemctl("daemon-reload", "")
        self.inside.systemctl("restart", UNIT)
        before = self.active()
        self.signal("STOP")
        self.active(other_than=before)
        self.assertIn("Watchdog timeout", self.inside.log())
        self.inside.run("rm", DROP_IN)
        self.inside.systemctl("daemon-reload", "")
        self.inside.systemctl("restart", UNIT)

    def an_instance_stands_beside_it(self):
        self.configure(harness.free_port(), idle=600, name="edge")
        self.inside.run("systemctl", "enable", "--now", EDGE)
        own = ("--socket", "/run/nfstreamd-edge/control.sock")
        main, edge = self.pid(), self.active(EDGE)
        self.assertEqual([row["interface"] if "interface" in row else row["name"] for row in self.state_of(*own)["interfaces"]], ["m0"])
        self.assertEqual(self.inside.sh("stat -c %U /run/nfstreamd-edge /var/lib/nfstreamd/edge /var/log/nfstreamd/edge"), 3 * "nfstreamd\n")
        self.inside.systemctl("stop", UNIT)
        self.send(self.sources(4))
        self.metered(4, *own)  # without the other
        self.inside.systemctl("reload", EDGE)
        self.inside.systemctl("start", UNIT)
        self.assertNotEqual(self.active(), main)
        self.assertEqual(self.pid(EDGE), edge)

    def an_upgrade_goes_on_with_the_configuration(self, newer):
        nfcapd = self.nfcapd(namespace=self.probe)
        self.configure(nfcapd.port, idle=600)
        self.inside.systemctl("reload", UNIT)
        wait_for(lambda: self.state_of()["reload"]["applied"] == 1, self.inside.describe)
        text = self.inside.sh(f"cat {CONFIGURATION}")
        main, edge = self.pid(), self.pid(EDGE)
        sources = self.sources()
        self.send(sources)
        self.metered(20)
        self.apt("install", f"/root/{newer.name}")
        self.assertEqual(self.inside.run("dpkg-query", "--show", "--showformat=${Version}", "nfstreamd").stdout, f"{self.version}+newer")
        self.active(other_than=main)
        self.active(EDGE, other_than=edge)
        self.assertEqual(self.inside.sh(f"cat {CONFIGURATION}"), text)
        self.assertEqual(self.state_of()["reload"]["applied"], 0)
        self.assertEqual(sorted(int(flow["src port"]) for flow in self.nfdump(nfcapd)), sources)  # it ended in order
        self.assertEqual(self.inside.systemctl("is-enabled"), "enabled")

    def nothing_stays_after_a_purge(self):
        self.apt("purge", "nfstreamd")
        self.inside.systemctl("cat", UNIT, status=1)
        for unit in (UNIT, EDGE):
            self.assertFalse(self.is_active(unit))
        self.assertEqual(self.inside.sh("cat /proc/[0-9]*/comm | grep -x nfstreamd || true"), "")
        left = self.inside.sh("find / -xdev -name '*nfstreamd*' -not -path '/root/*' -not -path '/var/cache/*' -not -path '/proc/*' "
                              "-not -path '/var/log/journal/*' -not -path '/sys/*'; ls -d /run/nfstreamd* 2>/dev/null || true")
        self.assertEqual(left, "")
        self.inside.run("id", "nfstreamd")  # files elsewhere may be its own
        self.assertEqual(self.inside.run("systemctl", "--failed", "--no-legend", "--plain").stdout, "")


if __name__ == "__main__":
    harness.main()
