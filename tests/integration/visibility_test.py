#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""system_visibility_mode: local flows carry the number and name of their process."""
import csv
import sys

import harness

CLIENT = """
import socket, sys, time
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
with socket.socket(family, kind) as s:
    s.connect((sys.argv[2], int(sys.argv[3])))
    for _ in range(5):
        s.send(b"question")
        s.recv(100)
        time.sleep(0.1)
    print(s.getsockname()[1], flush=True)
"""
SERVER = """
import socket, sys, threading
kind = socket.SOCK_STREAM if sys.argv[1] == "tcp" else socket.SOCK_DGRAM
family = socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET
s = socket.socket(family, kind)
s.bind((sys.argv[2], int(sys.argv[3])))
if kind == socket.SOCK_DGRAM:
    while True:
        s.sendto(b"answer", s.recvfrom(100)[1])
s.listen()
while True:
    peer = s.accept()[0]
    while peer.recv(100):
        peer.send(b"answer")
"""


@harness.needs_root("capturing")
class Visibility(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.here, self.there = harness.Namespace(self), harness.Namespace(self)
        self.here.link_to(self.there, "v0", "10.7.0.1", "10.7.0.2")
        for namespace, device, address in ((self.here, "v0", "fd07::1"), (self.there, "up0", "fd07::2")):
            namespace.run("sh", "-c", f"echo 0 >/proc/sys/net/ipv6/conf/{device}/disable_ipv6")
            namespace.ip("address", "add", f"{address}/64", "dev", device, "nodad")

    def meter(self, *more):
        self.flows = self.folder / "flows.csv"
        return self.daemon(f"""
capture: [{{interface: v0}}]
metering: {{system_visibility_mode: 1, system_visibility_poll_ms: 20, n_dissections: 0}}
exporters: [{{name: csv, type: csv, path: {self.flows}}}]
control: {{socket: {self.folder}/control.sock}}
""", *more, namespace=self.here)

    def records(self, daemon):
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        with open(self.flows, newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))

    def serve(self, namespace, kind, address, port):
        server = self.start(sys.executable, "-c", SERVER, kind, address, port, namespace=namespace)
        harness.wait_for(lambda: server.listens(port, kind), server.describe)
        return server

    def ask(self, namespace, kind, address, port):
        client = self.start(sys.executable, "-c", CLIENT, kind, address, port, namespace=namespace)
        self.assertEqual(client.wait(), 0, client.describe())
        return client, client.stdout().strip()

    def test_clients_of_this_host(self):
        for port_there, (kind, address) in enumerate((("tcp", "10.7.0.2"), ("udp", "10.7.0.2"), ("tcp", "fd07::2")), 7000):
            with self.subTest(kind=kind, address=address):
                daemon = self.meter()
                self.serve(self.there, kind, address, port_there)
                client, port = self.ask(self.here, kind, address, port_there)
                flow, = (flow for flow in self.records(daemon) if flow["src_port"] == port)
                self.assertEqual(flow["system_process_pid"], str(client.pid))
                self.assertTrue(flow["system_process_name"].startswith("python3"), flow)

    def test_servers_of_this_host(self):
        for kind in ("tcp", "udp"):
            with self.subTest(kind=kind):
                daemon = self.meter()
                server = self.serve(self.here, kind, "10.7.0.1", 7001)
                _, port = self.ask(self.there, kind, "10.7.0.1", 7001)
                flow, = (flow for flow in self.records(daemon) if flow["src_port"] == port)
                self.assertEqual(flow["system_process_pid"], str(server.pid))

    def test_what_passes_by_has_no_process(self):
        daemon = self.meter()
        self.there.run(sys.executable, "-c", "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                       "s.sendto(b'x', ('10.7.0.1', 9))")
        flow, = (flow for flow in self.records(daemon) if flow["dst_port"] == "9" and flow["protocol"] == "17")
        self.assertEqual((flow["system_process_pid"], flow["system_process_name"]), ("-1", ""))

    def test_files_have_none(self):
        run = self.nfstreamd("-r", harness.CAPTURES / "dns.pcap", "-w", self.folder / "f.csv", "--set",
                             "metering.system_visibility_mode=1")
        self.assertIn("system_visibility_mode", run.stderr)
        self.assertNotIn("system_process_pid", (self.folder / "f.csv").read_text())


if __name__ == "__main__":
    harness.main()
