#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live capture: real clients and servers on links in network namespaces, flows at a real collector."""
import collections
import signal
import sys
import time

import harness
from harness import wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
HTTP_PORT, ECHO_PORT = 8080, 7777


@harness.needs_root("capture on links of its own")
class Live(harness.TestCase):
    def configuration(self, port, captures, idle, transport="udp"):
        return (f"capture:\n{captures}metering:\n  idle_timeout: {idle}\nexporters:\n"
                f"  - {{name: main, type: ipfix, collectors: ['{transport}://127.0.0.1:{port}'], flush_interval: 100ms}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def traffic(self, namespace, *arguments):
        return [int(line) for line in namespace.run(sys.executable, "-B", TRAFFIC, *arguments).splitlines()]

    def up(self, daemon, count=1):
        wait_for(lambda: sum(row["up"] for row in self.status(daemon)["interfaces"]) == count, daemon.describe)

    def metered(self, daemon):
        return sum(row["metered"]["packets"] for row in self.status(daemon)["interfaces"])

    def test_every_flow_of_two_interfaces_arrives_once(self):
        probe = harness.Namespace(self)
        clients = [harness.Namespace(self) for _ in range(2)]
        for index, client in enumerate(clients):
            probe.link_to(client, f"m{index}", f"10.90.{index}.1", f"10.90.{index}.2")
        web = self.start(sys.executable, "-B", "-m", "http.server", str(HTTP_PORT), namespace=probe, cwd=self.folder)
        echo = self.start(sys.executable, "-B", TRAFFIC, "echo", "0.0.0.0", ECHO_PORT, namespace=probe)
        wait_for(lambda: web.listens(HTTP_PORT, "tcp") and echo.listens(ECHO_PORT), "servers did not start")
        collector, port = self.collect(namespace=probe)
        daemon = self.daemon(self.configuration(port, "  - interface: [m0, m1]\n    n_meters: 1\n", idle=2), namespace=probe)
        self.up(daemon, 2)

        expected = collections.Counter()
        for index, client in enumerate(clients):
            server, us = f"10.90.{index}.1", f"10.90.{index}.2"
            for used in self.traffic(client, "get", f"http://{server}:{HTTP_PORT}/", 15):
                expected[us, used, server, HTTP_PORT, 6] += 1
            for used in self.traffic(client, "ask", server, ECHO_PORT, 25):
                expected[us, used, server, ECHO_PORT, 17] += 1

        def received():
            return collections.Counter((flow["src_ip"], flow["src_port"], flow["dst_ip"], flow["dst_port"],
                                        flow["protocol"]) for flow in collector.json_lines())
        wait_for(lambda: sum(received().values()) >= 80,
                 lambda: f"{sum(received().values())} of 80 flows\n{daemon.describe()}")
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(collector.stop(), 0, collector.describe())
        self.assertEqual(received(), expected)
        for flow in collector.json_lines():
            both_ways = 1 if flow["protocol"] == 17 else 3
            self.assertGreaterEqual(flow["src2dst_packets"], both_ways, flow)
            self.assertGreaterEqual(flow["dst2src_packets"], both_ways, flow)

    def test_a_flow_ends_on_a_silent_link_soon_after_its_idle_timeout(self):
        probe = harness.Namespace(self)
        collector, port = self.collect(namespace=probe)
        captures = f"  - interface: lo\n    n_meters: 1\n    bpf_filter: udp port {ECHO_PORT}\n"
        daemon = self.daemon(self.configuration(port, captures, idle=1), namespace=probe)
        self.up(daemon)
        sent = time.monotonic()
        self.traffic(probe, "send", "127.0.0.1", ECHO_PORT, 40001)
        wait_for(collector.json_lines, daemon.describe)
        waited = time.monotonic() - sent
        self.assertGreater(waited, 0.9)
        self.assertLess(waited, 1 + 1 + 1.5)  # the timeout, expiry at most 1 s behind it, export and start of Python
        self.assertEqual(collector.json_lines()[0]["src_port"], 40001)

    def test_sigterm_and_sigint_hand_out_every_flow(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                probe = harness.Namespace(self)
                collector, port = self.collect(namespace=probe)
                captures = f"  - interface: lo\n    n_meters: 1\n    bpf_filter: udp port {ECHO_PORT}\n"
                daemon = self.daemon(self.configuration(port, captures, idle=600), namespace=probe)
                self.up(daemon)
                sources = list(range(41000, 41100))
                self.traffic(probe, "send", "127.0.0.1", ECHO_PORT, *sources)
                wait_for(lambda: self.metered(daemon) == len(sources),
                         lambda: f"{self.metered(daemon)} metered\n{daemon.describe()}")
                self.assertEqual(collector.json_lines(), [])
                self.assertEqual(daemon.stop(number), 0, daemon.describe())
                self.assertFalse(daemon.socket.exists())
                wait_for(lambda: len(collector.json_lines()) >= len(sources), collector.describe)
                self.assertEqual(collector.stop(number), 0)
                self.assertEqual(sorted(flow["src_port"] for flow in collector.json_lines()), sources)

    def test_an_interface_that_appears_later_is_metered_and_one_that_goes_hands_out_its_flows(self):
        self.interface_goes(down_before=False)

    def test_an_interface_that_goes_after_it_went_down_hands_out_its_flows_too(self):
        self.interface_goes(down_before=True)

    def interface_goes(self, down_before):
        probe, client = harness.Namespace(self), harness.Namespace(self)
        collector, port = self.collect(namespace=probe)
        captures = "  - interface: late0\n    n_meters: 1\n    bpf_filter: udp\n"
        daemon = self.daemon(self.configuration(port, captures, idle=600), namespace=probe)
        self.assertFalse(self.status(daemon)["interfaces"][0]["up"])
        probe.link_to(client, "late0", "10.91.0.1", "10.91.0.2")
        self.up(daemon)
        self.traffic(client, "send", "10.91.0.1", ECHO_PORT, 42001)
        wait_for(lambda: self.metered(daemon) >= 1, daemon.describe)
        if down_before:
            probe.ip("link", "set", "late0", "down")
            time.sleep(0.5)  # some turns of the metering thread: the first of them is told that the link is down
        probe.ip("link", "delete", "late0")
        wait_for(lambda: not self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        wait_for(collector.json_lines, collector.describe)
        self.assertEqual([flow["src_port"] for flow in collector.json_lines()], [42001])

    def test_a_filter_keeps_packets_out(self):
        probe = harness.Namespace(self)
        collector, port = self.collect(namespace=probe)
        captures = "  - interface: lo\n    n_meters: 1\n    bpf_filter: udp src port 43002\n"
        daemon = self.daemon(self.configuration(port, captures, idle=1), namespace=probe)
        self.up(daemon)
        self.traffic(probe, "send", "127.0.0.1", ECHO_PORT, 43001, 43002)
        wait_for(collector.json_lines, daemon.describe)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual([flow["src_port"] for flow in collector.json_lines()], [43002])


if __name__ == "__main__":
    harness.main()
