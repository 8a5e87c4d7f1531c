#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A restart under a service manager that keeps the capture's socket meanwhile: no packet is lost."""
import array
import fcntl
import os
import select
import signal
import socket
import sys

import harness
from harness import BUILD, NFSTREAMD, wait_for

SENDER = BUILD / "tests" / "integration" / "number_sender"
RATE, SECONDS, PER_FLOW = 20_000, 4, 64


class Manager:
    """As systemd does it (sd_notify(3)): keeps descriptors that it is sent, and hands them to the next process."""

    def __init__(self, case):
        self.path = str(case.folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.kept, self.told = {}, []
        case.addCleanup(self.close)

    def read(self):
        while select.select([self.socket], [], [], 0)[0]:
            text, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4) * 16)
            words = dict(line.split("=", 1) for line in text.decode().splitlines() if "=" in line)
            self.told.append(words)
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    self.kept[words["FDNAME"]] = array.array("i", data)[0]
            if "FDSTOREREMOVE" in words and words["FDNAME"] in self.kept:
                os.close(self.kept.pop(words["FDNAME"]))

    def environment(self, keeps):
        names = list(self.kept)
        return {**os.environ, "NOTIFY_SOCKET": self.path, **({"FDSTORE": "16"} if keeps else {}),
                **({"LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names)} if names else {})}

    def close(self):
        for descriptor in self.kept.values():
            os.close(descriptor)
        self.socket.close()


# Puts the descriptors where sd_listen_fds(3) looks, and tells the process its number.
PASS = ("import os, sys\n"
        "for place, one in enumerate(map(int, filter(None, sys.argv[1].split(',')))): os.dup2(one, 3 + place)\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n")


@harness.needs_root("capture on a link of its own")
class Restart(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")
        self.manager = Manager(self)

    def configuration(self, ring="32MiB", meters=1):
        return (f"capture:\n  - {{interface: m0, n_meters: {meters}, bpf_filter: udp, socket_buffer_size: {ring}}}\n"
                f"metering: {{idle_timeout: 600, max_flows: 16384, overload: {{from: off}}}}\n"
                f"exporters: [{{name: out, type: json, path: {self.folder}/flows.json, append: true,"
                " fields: [src_ip, src2dst_packets]}]\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, configuration, keeps=True):
        path = self.write("nfstreamd.yaml", configuration)
        self.manager.read()
        moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in self.manager.kept.values()]  # out of the way of 3
        (self.folder / "control.sock").unlink(missing_ok=True)
        process = self.start("/usr/bin/env", sys.executable, "-c", PASS, ",".join(map(str, moved)), NFSTREAMD, "-c", path,
                             namespace=self.probe, env=self.manager.environment(keeps), pass_fds=moved)
        for fd in moved:
            os.close(fd)
        process.socket = self.folder / "control.sock"
        wait_for(lambda: process.socket.exists() or not process.running(), process.describe)
        wait_for(lambda: all(row["up"] for row in self.status(process)["interfaces"]), process.describe)
        return process

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
