#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Overload: a daemon that stood still finds its capture ring full. What it sheds, in which order, and what it says of it."""
import json
import signal

import harness
from harness import wait_for

RING = 32 << 20
FRAME = harness.udp_frame("10.98.0.2", 0, "10.98.0.1", 9, b"x" * 1000)
HELD = RING // (96 + len(FRAME))  # frames of this size that the ring holds, a little more than it does
POLL = 2048  # frames that are read before the ring is looked at again
RATE = 10


def frame(flow):
    """Of one of 60000 flows."""
    return FRAME[:34] + (1024 + flow).to_bytes(2, "big") + FRAME[36:]


@harness.needs_root("capture on a link of its own")
class Overload(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.98.0.1", "10.98.0.2")
        self.socket = self.far.packet_socket("up0")
        self.addCleanup(self.socket.close)
        self.sent = 0

    def start_probe(self, metering):
        daemon = self.daemon("capture: [{interface: m0, n_meters: 1, bpf_filter: udp port 9}]\n"
                             f"metering: {{idle_timeout: 600, {metering}}}\n"
                             f"exporters: [{{name: out, type: ipfix, path: {self.folder}/flows.ipfix}}]\n"
                             f"control: {{socket: {self.folder}/control.sock}}\n", namespace=self.probe)
        wait_for(lambda: self.interface(daemon)["up"], daemon.describe)
        return daemon

    def interface(self, daemon):
        return self.status(daemon)["interfaces"][0]

    def send(self, flows):
        for flow in flows:
            self.socket.send(frame(flow))
            self.sent += 1

    def send_while_it_stands_still(self, daemon, flows):
        daemon.send_signal(signal.SIGSTOP)
        self.send(flows)
        daemon.send_signal(signal.SIGCONT)
        return wait_for(lambda: self.all_seen(daemon), daemon.describe)

    def all_seen(self, daemon):
        """The status once every frame that was sent has been delivered or dropped."""
        interface = self.interface(daemon)
        return interface if interface["frames"] + interface["kernel_dropped"] == self.sent else None

    def check_counts(self, interface):
        ignored, metered = sum(interface["ignored"].values()), interface["metered"]["packets"]
        self.assertEqual(interface["frames"] + interface["kernel_dropped"], self.sent)
        self.assertEqual(metered + ignored + interface["overload"]["packets_shed"], interface["frames"])
        self.assertEqual(ignored, 0)

    def recover(self, daemon):
        wait_for(lambda: self.interface(daemon)["overload"]["shed"] == "nothing", daemon.describe)

    def stop(self, daemon):
        """Flow records, and options records."""
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        lines = self.run_program(harness.NFSTREAMCTL, "collect", self.folder / "flows.ipfix").stdout.splitlines()
        records = [json.loads(line) for line in lines]
        return [r for r in records if "_options" not in r], [r for r in records if "_options" in r]

    def test_a_ring_that_overflows_sheds_packets_and_every_one_of_them_is_counted(self):
        daemon = self.start_probe(f"n_dissections: 0, overload: {{sampling: {RATE}}}")
        self.send(range(7))
        wait_for(lambda: self.all_seen(daemon), daemon.describe)
        interface = self.send_while_it_stands_still(daemon, (n % 7 for n in range(HELD + 3000)))
        self.check_counts(interface)
        shed = interface["overload"]["packets_shed"]
        self.assertGreater(interface["kernel_dropped"], 0)
        self.assertGreater(shed, (HELD - POLL) * 8 // 10)
        self.assertEqual(interface["overload"]["times"], 1)
        self.recover(daemon)
        self.send(range(7))
        interface = wait_for(lambda: self.all_seen(daemon), daemon.describe)
        self.check_counts(interface)
        self.assertEqual(interface["overload"]["packets_shed"], shed)
        flows, options = self.stop(daemon)
        self.assertEqual(sum(f["src2dst_packets"] + f["dst2src_packets"] for f in flows), interface["metered"]["packets"])
        # which of them was sampled the records tell, and IPFIX how
        spaces = {o["selector_id"]: o["samplingPacketSpace"] for o in options if "samplingPacketSpace" in o}
        self.assertEqual(sorted(spaces.values()), [0, RATE - 1])
        sampled = sum(f["src2dst_packets"] for f in flows if spaces[f["selector_id"]] == RATE - 1)
        self.assertLess(abs(shed - sampled * (RATE - 1)), RATE)
        self.assertEqual(daemon.stderr().count("load is shed meter=m0"), 1, daemon.stderr())
        self.assertEqual(daemon.stderr().count("shed=packets"), 1, daemon.stderr())
        self.assertIn(f"nothing is shed any more meter=m0 flows_not_dissected=0 dissections_stopped=0 packets_shed={shed}",
                      daemon.stderr())
        self.assertRegex(daemon.stderr(), rf"stopped .*packets_shed={shed} ")

    def test_before_that_flows_are_not_dissected_and_no_packet_is_missing(self):
        daemon = self.start_probe("n_dissections: 20, overload: {from: 40}")
        self.send([60000])
        wait_for(lambda: self.all_seen(daemon), daemon.describe)
        interface = self.send_while_it_stands_still(daemon, range(HELD * 6 // 10))
        self.check_counts(interface)
        self.assertEqual((interface["kernel_dropped"], interface["overload"]["packets_shed"]), (0, 0))
        self.recover(daemon)
        self.send([60001])
        interface = wait_for(lambda: self.all_seen(daemon), daemon.describe)
        flows, _ = self.stop(daemon)
        self.assertEqual(len(flows), self.sent)
        undissected = [f for f in flows if not f["application_name"]]
        self.assertEqual(len(undissected), interface["overload"]["flows_not_dissected"])
        self.assertGreater(len(undissected), HELD // 3)
        for flow in flows:
            if flow["src_port"] >= 1024 + 60000:  # before and after
                self.assertTrue(flow["application_name"], flow)

    def test_switched_off_the_kernel_drops_what_does_not_fit(self):
        daemon = self.start_probe(f"n_dissections: 0, overload: {{from: off, sampling: {RATE}}}")
        interface = self.send_while_it_stands_still(daemon, (n % 7 for n in range(HELD + 3000)))
        self.check_counts(interface)
        self.assertGreater(interface["kernel_dropped"], 0)
        self.assertEqual(interface["metered"]["packets"], interface["frames"])
        self.assertEqual(interface["overload"]["times"], 0)


if __name__ == "__main__":
    harness.main()
