#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Interfaces that come, go, change their name, go down and up, while the daemon runs."""
import signal

import harness
from harness import wait_for

FRAME = harness.udp_frame("10.77.0.1", 7, "10.77.0.2", 9)


@harness.needs_root("links of its own")
class Interfaces(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)

    def configuration(self, interface, more=""):
        return (f"capture:\n  - {{interface: {interface}, n_meters: 1, bpf_filter: 'udp dst port 9'{more}}}\n"
                f"metering: {{idle_timeout: 600, n_dissections: 0}}\n"
                f"exporters: [{{name: out, type: json, path: {self.folder}/flows.json}}]\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def link(self, name):
        """A veth pair in the probe's namespace whose other end is NAME with an x before it."""
        self.probe.ip("link", "add", name, "type", "veth", "peer", "name", "x" + name)
        for device in (name, "x" + name):
            self.probe.run("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{device}/disable_ipv6")
            self.probe.ip("link", "set", device, "up")

    def rows(self, daemon):
        return {row["name"]: row for row in self.status(daemon)["interfaces"]}

    def wait_for_state(self, daemon, name, state):
        wait_for(lambda: self.rows(daemon).get(name, {"state": ""})["state"].startswith(state),
                 lambda: f"{name} is not {state}: {self.rows(daemon)}\n{daemon.describe()}")

    def send(self, daemon, device, name, count=5):
        """Packets that come out of DEVICE's other end are metered at NAME."""
        before = self.rows(daemon)[name]["metered"]["packets"]
        with self.probe.packet_socket("x" + device) as sender:
            for _ in range(count):
                sender.send(FRAME)
        wait_for(lambda: self.rows(daemon)[name]["metered"]["packets"] == before + count, daemon.describe)

    def logged(self, daemon, event):
        return daemon.stderr().count(event)

    def test_an_interface_comes_is_renamed_goes_and_comes_again(self):
        daemon = self.daemon(self.configuration("eth7"), namespace=self.probe)
        self.wait_for_state(daemon, "eth7", "waiting")
        self.link("eth7")
        self.wait_for_state(daemon, "eth7", "up")
        self.send(daemon, "eth7", "eth7")
        self.probe.ip("link", "set", "eth7", "name", "lan7")
        self.wait_for_state(daemon, "eth7", "waiting: The interface is called lan7 now")
        self.probe.ip("link", "set", "lan7", "name", "eth7")
        self.wait_for_state(daemon, "eth7", "up")
        self.send(daemon, "eth7", "eth7")
        self.probe.ip("link", "delete", "eth7")
        self.wait_for_state(daemon, "eth7", "waiting")
        self.link("eth7")
        self.wait_for_state(daemon, "eth7", "up")
        self.send(daemon, "eth7", "eth7")
        self.assertEqual(self.logged(daemon, "interface not available"), 3, daemon.describe())
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(sum(flow["src2dst_packets"] for flow in self.json_records(self.folder / "flows.json")), 15)

    def test_down_up_and_another_mtu_keep_the_capture(self):
        self.link("eth7")
        daemon = self.daemon(self.configuration("eth7"), namespace=self.probe)
        self.wait_for_state(daemon, "eth7", "up")
        self.send(daemon, "eth7", "eth7")
        for _ in range(2):
            self.probe.ip("link", "set", "eth7", "down")
            self.wait_for_state(daemon, "eth7", "down")
            self.probe.ip("link", "set", "eth7", "up")
            self.wait_for_state(daemon, "eth7", "up")
            self.send(daemon, "eth7", "eth7")
        self.probe.ip("link", "set", "eth7", "mtu", 9000)
        wait_for(lambda: self.rows(daemon)["eth7"]["mtu"] == 9000, daemon.describe)
        row = self.rows(daemon)["eth7"]
        self.assertEqual((row["opens"], row["failures"], row["unread"]), (1, 0, 0))
        self.assertEqual([self.logged(daemon, event) for event in ("interface is down", "is up again", "MTU of")],
                         [2, 2, 1], daemon.describe())
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        flows = self.json_records(self.folder / "flows.json")
        self.assertEqual([flow["src2dst_packets"] for flow in flows], [15])

    def test_a_pattern_follows_what_matches(self):
        self.link("eth1")
        daemon = self.daemon(self.configuration("'eth*'"), namespace=self.probe)
        self.wait_for_state(daemon, "eth1", "up")
        self.link("eth2")
        self.wait_for_state(daemon, "eth2", "up")
        self.send(daemon, "eth1", "eth1")
        self.send(daemon, "eth2", "eth2")
        self.probe.ip("link", "delete", "eth1")
        wait_for(lambda: list(self.rows(daemon)) == ["eth2"], daemon.describe)
        self.probe.ip("link", "set", "eth2", "name", "eth3")
        wait_for(lambda: list(self.rows(daemon)) == ["eth3"], daemon.describe)
        self.wait_for_state(daemon, "eth3", "up")
        self.send(daemon, "eth2", "eth3")
        self.assertEqual(self.status(daemon)["reload"]["applied"], 0)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(sorted((flow["interface_name"], flow["src2dst_packets"]) if "interface_name" in flow else
                                flow["src2dst_packets"] for flow in self.json_records(self.folder / "flows.json")),
                         [5, 5, 5])

    def test_a_pattern_that_nothing_matches_waits_and_a_group_takes_in_what_comes(self):
        daemon = self.daemon(self.configuration("'eth*'", ", group: tap"), namespace=self.probe)
        self.assertEqual(self.rows(daemon), {})
        self.link("eth1")
        wait_for(lambda: self.rows(daemon), daemon.describe)
        self.link("eth2")
        wait_for(lambda: len(self.rows(daemon)["tap"]["members"]) == 2, daemon.describe)
        wait_for(lambda: all(row["up"] for row in self.rows(daemon)["tap"]["members"]), daemon.describe)
        self.send(daemon, "eth1", "tap")
        self.send(daemon, "eth2", "tap")
        self.probe.ip("link", "delete", "eth1")
        wait_for(lambda: [row["name"] for row in self.rows(daemon)["tap"]["members"]] == ["eth2"], daemon.describe)
        self.send(daemon, "eth2", "tap")
        row = self.rows(daemon)["tap"]
        self.assertEqual((row["frames"], row["unread"], row["members"][0]["opens"]), (15, 0, 1))
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_any_sees_all_and_is_never_lost(self):
        self.link("eth1")
        daemon = self.daemon(self.configuration("any"), namespace=self.probe)
        self.wait_for_state(daemon, "any", "up")
        self.probe.ip("link", "set", "xeth1", "arp", "off")
        before = self.rows(daemon)["any"]
        self.link("eth2")
        with self.probe.packet_socket("xeth2") as sender:
            sender.send(FRAME)
        wait_for(lambda: self.rows(daemon)["any"]["metered"]["packets"] > before["metered"]["packets"], daemon.describe)
        self.probe.ip("link", "delete", "eth2")
        self.write("nfstreamd.yaml", self.configuration("any").replace("udp dst port 9", "udp"))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == 1, daemon.describe)
        with self.probe.packet_socket("xeth1") as sender:
            packets = self.rows(daemon)["any"]["metered"]["packets"]
            sender.send(FRAME)
        wait_for(lambda: self.rows(daemon)["any"]["metered"]["packets"] > packets, daemon.describe)
        self.assertEqual(self.rows(daemon)["any"]["failures"], 0)
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
