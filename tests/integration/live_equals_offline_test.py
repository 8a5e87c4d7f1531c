#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same packets metered from a link and from a file: every column of every record is the same."""
import collections
import csv
import time

import harness
from harness import wait_for

FEATURES = ("max_flows: 16384", "statistical_analysis: true", "splt_analysis: 10", "n_dissections: 20")


def records(path):
    """Everything but the ids, in any order."""
    with open(path, newline="", encoding="utf-8") as text:
        return collections.Counter(tuple((column, value) for column, value in flow.items() if column != "id")
                                   for flow in csv.DictReader(text))


@harness.needs_root("capture on links of its own")
class LiveEqualsOffline(harness.TestCase):
    def link(self):
        """A link whose far end sends, and nothing else does."""
        probe, far = harness.Namespace(self), harness.Namespace(self)
        probe.link_to(far, "m0", "10.98.0.1", "10.98.0.2")
        for namespace, device in ((probe, "m0"), (far, "up0")):
            namespace.ip("link", "set", device, "mtu", "9000", "arp", "off")
        sender = far.packet_socket("up0")
        self.addCleanup(sender.close)
        return probe, sender

    def record(self, probe, packets):
        """dumpcap at work on the link until it has that many: a second reader, as pcapng with nanoseconds."""
        path = self.folder / "seen.pcapng"
        recorder = self.start("dumpcap", "-q", "-i", "m0", "-c", packets, "-w", path, namespace=probe)
        wait_for(lambda: "File:" in recorder.stderr() or not recorder.running(), recorder.describe)
        return recorder, path

    def meter(self, probe, meters, metering):
        flows = self.folder / "live.csv"
        flows.unlink(missing_ok=True)
        daemon = self.daemon(
            f"capture: [{{interface: m0, n_meters: {meters}, snapshot_length: 65535, timestamp_precision: nano}}]\n"
            f"metering: {{{', '.join(metering)}}}\nexporters: [{{name: out, type: csv, path: {flows}}}]\n"
            f"control: {{socket: {self.folder}/control.sock}}\n", namespace=probe, processors=8)
        wait_for(lambda: all(row["up"] for row in self.status(daemon)["interfaces"]), daemon.describe)
        self.assertEqual(len(self.status(daemon)["interfaces"]), meters)
        return daemon, flows

    def compare(self, *captures, metering=FEATURES):
        frames = [frame for name in captures for frame in self.frames_of(name)]
        for meters in (1, 3):
            with self.subTest(meters=meters):
                probe, sender = self.link()
                recorder, seen = self.record(probe, len(frames))
                daemon, flows = self.meter(probe, meters, metering)
                for number_, frame in enumerate(frames):
                    sender.send(frame)
                    time.sleep(0.0007 if number_ % 16 else 0.02)  # inter-arrival times of some variety
                wait_for(lambda: sum(row["frames"] for row in self.status(daemon)["interfaces"]) >= len(frames),
                         daemon.describe)
                self.assertEqual(daemon.stop(), 0, daemon.describe())
                self.assertEqual(recorder.wait(60), 0, recorder.describe())
                offline = self.folder / "offline.csv"
                self.nfstreamd("-r", seen, "-w", offline, *self.settings(metering))
                live, of_file = records(flows), records(offline)
                self.assertGreater(sum(of_file.values()), 0)
                self.assertEqual(live, of_file)

    def frames_of(self, name):
        link_type, frames = harness.read_pcap(harness.CAPTURES / f"{name}.pcap")
        self.assertEqual(link_type, 1, name)
        self.assertGreater(len(frames), 0, name)
        return frames

    @staticmethod
    def settings(metering):
        return [word for setting in metering for word in ("--set", "metering." + setting.replace(": ", "="))]

    def test_applications_over_ipv4(self):
        self.compare("dns", "http", "tls12", "quic", "ssh", "smtp", "icmp", "ntp")

    def test_ipv6(self):
        self.compare("s_ext6", "c_frag6", "s_snap6")

    def test_vlan_tags_that_the_kernel_takes_off(self):
        self.compare("s_vlan1", "c_qinq", "s_mpls3")

    def test_fragments(self):
        self.compare("c_frag4", "c_frag6", "s_ipip_frag", metering=(*FEATURES, "fragments: all"))

    def test_tunnels(self):
        self.compare("c_gtpu", "s_gtp_v6in", "s_gtp_ext", "s_capwap", "c_vxlan", "c_gre", "c_ipip")


if __name__ == "__main__":
    harness.main()
