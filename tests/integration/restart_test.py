#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A restart under a service manager that keeps the capture's socket meanwhile: no packet is lost."""
import signal
import sys

import harness
import service_manager
from harness import BUILD, wait_for

SENDER = BUILD / "tests" / "integration" / "number_sender"
RATE, SECONDS, PER_FLOW = 20_000, 4, 64


@harness.needs_root("capture on a link of its own")
class Restart(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")
        self.manager = service_manager.Manager(self)

    def configuration(self, ring="32MiB", meters=1):
        return (f"capture:\n  - {{interface: m0, n_meters: {meters}, bpf_filter: udp, socket_buffer_size: {ring}}}\n"
                f"metering: {{idle_timeout: 600, max_flows: 16384, overload: {{from: off}}}}\n"
                f"exporters: [{{name: out, type: json, path: {self.folder}/flows.json, append: true,"
                " fields: [src_ip, src2dst_packets]}]\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, configuration, keeps=True):
        return self.manager.start(self, self.write("nfstreamd.yaml", configuration), self.probe, keeps)

    def restart_under_load(self, keeps, again=None, meters=1):
        """How many packets were sent, and how many are in records."""
        daemon = self.begin(self.configuration(meters=meters), keeps)
        packets = RATE * SECONDS // PER_FLOW * PER_FLOW
        sender = self.start(SENDER, "up0", RATE, packets, PER_FLOW, namespace=self.far)
        for _ in range(2):
            enough = self.metered(daemon) + RATE // 2
            wait_for(lambda: self.metered(daemon) > enough or not sender.running(), daemon.describe)
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(), 0, daemon.describe())
            daemon = self.begin(again or self.configuration(meters=meters), keeps)
        self.assertEqual(sender.wait(60), 0, sender.describe())
        end = self.begin_end(daemon)
        self.manager.read()
        self.assertEqual(sum(row["kernel_dropped"] + row["unread"] for row in end), 0, end)
        found = sum(flow["src2dst_packets"] for flow in self.json_records(self.folder / "flows.json")
                    if flow["src_ip"].startswith("10."))
        return packets, found, daemon

    def begin_end(self, daemon):
        rows = self.status(daemon)["interfaces"]
        daemon.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0, daemon.describe())
        return rows

    def metered(self, daemon):
        return sum(row["metered"]["packets"] for row in self.status(daemon)["interfaces"])

    def test_no_packet_is_lost_where_the_socket_is_kept(self):
        sent, found, daemon = self.restart_under_load(keeps=True)
        # what came after the last look is in the ring that the manager has now
        self.assertIn("capture goes on where the process before has left it", daemon.stderr())
        kept = sum(int(name.split("/")[2]) for name in self.manager.kept)
        self.assertEqual(found + kept, sent, daemon.describe())

    def test_a_ring_of_other_options_is_not_used(self):
        _, found, daemon = self.restart_under_load(keeps=True, again=self.configuration(ring="16MiB"))
        self.assertGreater(found, 0)
        self.assertEqual([words for words in self.manager.told if "FDSTOREREMOVE" in words][0]["FDSTOREREMOVE"], "1")

    def test_without_a_store_the_ring_is_emptied(self):
        sent, found, daemon = self.restart_under_load(keeps=False)
        self.assertEqual(self.manager.kept, {})
        print(f"lost by two restarts without a store: {sent - found} of {sent} packets", file=sys.stderr)
        self.assertLessEqual(found, sent)


if __name__ == "__main__":
    harness.main()
