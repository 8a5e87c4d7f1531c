#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hours of numbered packets with everything that goes wrong beside them: reloads, also of broken files, collectors that
are killed, stand still and come back, links that go down, away and change, restarts. At the end each packet that the
link delivered is in one record, each record is at each collector, or a counter or a sequence number tells of it.

usage: long_run_test.py                                      some seconds, which ctest runs
       NFSTREAMD_LONG_RUN=SECONDS[,SEED[,RATE]] long_run_test.py

Faults are drawn from the seed; a line of figures is printed each minute and at the end.
"""
import collections
import json
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import time

import flows
import harness
import service_manager
from harness import BUILD, NFSTREAMCTL, wait_for

SENDER = BUILD / "tests" / "integration" / "number_sender"
RECORDER = harness.ROOT / "tests" / "integration" / "recorder.py"
GIVEN = [int(word) for word in os.environ.get("NFSTREAMD_LONG_RUN", "").split(",") if word]
SECONDS, SEED, RATE = GIVEN + [12, 1, 8000][len(GIVEN):]
LONG = SECONDS >= 300
PER_FLOW, AT_ONCE, SMALLEST = 32, 1000, 60
RESTARTS_FROM = 0.75  # of the time: until then one process is looked at
FIELDS = "[src_ip, src2dst_first_seen_ms, src2dst_last_seen_ms, src2dst_packets, src2dst_bytes]"
# all let pass what is sent
FILTERS = ("udp", "ip", "udp and not port 53", "udp and (dst net 192.0.2.0/24 or vlan 7)")
RINGS = ("32MiB", "24MiB", "40MiB")

Record = collections.namedtuple("Record", "flow first last packets octets")


class Collector:
    """A recorder.py that is killed, stands still and comes back; what came is in files by session."""

    def __init__(self, case, protocol):
        self.case, self.protocol, self.port = case, protocol, harness.free_port()
        self.away = self.held = False
        self.prefixes, self.kills, self.holds = [], 0, 0
        self.process = None
        self.begin()

    def begin(self):
        self.prefixes.append(self.case.folder / f"{self.protocol}{len(self.prefixes)}")
        self.process = self.case.start(sys.executable, "-B", RECORDER, self.protocol, self.port, self.prefixes[-1],
                                       namespace=self.case.probe)
        wait_for(lambda: self.process.listens(self.port, self.protocol), self.process.describe)
        self.away = False

    def kill(self):
        self.process.kill()
        self.case.processes.remove(self.process)
        self.away, self.kills = True, self.kills + 1

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)
        self.held, self.holds = True, self.holds + 1

    def release(self):
        self.process.send_signal(signal.SIGCONT)
        self.held = False

    def files(self):
        """In the order in which they were begun."""
        for prefix in self.prefixes:
            number = 0
            while prefix.with_name(f"{prefix.name}-{number}").exists():
                yield prefix.with_name(f"{prefix.name}-{number}")
                number += 1


@harness.needs_root("links of its own")
class LongRun(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe, self.far = harness.Namespace(self), harness.Namespace(self)
        self.manager = service_manager.Manager(self)
        self.random = random.Random(SEED)
        self.settings = {"idle": 10, "filter": 0, "ring": 0, "active": 1800, "extra": False}
        self.count = collections.Counter()
        self.arrived_before = self.received_before = self.sent = 0
        self.redelivered = self.unreachable = self.kernel_dropped = 0
        self.lives = []  # of daemons: their processes, and what they exported by UDP
        self.memory = []  # (life, seconds, octets)
        self.later = []
        self.begun = time.monotonic()

    # ---- the parts ----

    def configuration(self):
        s = self.settings
        extra = f"  - {{name: extra, type: csv, path: {self.folder}/extra.csv, fields: [src_ip]}}\n" if s["extra"] else ""
        return (
            f"capture: [{{interface: m0, n_meters: 1, bpf_filter: '{FILTERS[s['filter']]}', "
            f"socket_buffer_size: {RINGS[s['ring']]}}}]\n"
            f"metering: {{idle_timeout: {s['idle']}, active_timeout: {s['active']}, max_flows: 65536, n_dissections: 0, "
            "overload: {from: off}}\nexporters:\n"
            f"  - {{name: tcp, type: ipfix, collectors: ['tcp://127.0.0.1:{self.tcp.port}'], flush_interval: 200ms, "
            f"retry_interval: 1s, fields: {FIELDS}, stall_timeout: 120s, spool: {{directory: {self.folder}/spool}}}}\n"
            f"  - {{name: udp, type: ipfix, collectors: ['udp://127.0.0.1:{self.udp.port}'], flush_interval: 200ms, "
            f"fields: {FIELDS}}}\n"
            f"  - {{name: file, type: json, path: {self.folder}/flows.json, append: true, fields: {FIELDS}}}\n"
            f"{extra}control: {{socket: {self.folder}/control.sock}}\n")

    def begin_daemon(self):
        self.daemon_process = self.manager.start(self, self.write("nfstreamd.yaml", self.configuration()), self.probe)
        self.lives.append([self.daemon_process, 0])

    def begin_sender(self):
        self.sender = self.start(SENDER, "up0", RATE, 1 << 62, PER_FLOW, self.sent, AT_ONCE, namespace=self.far)

    def end_sender(self):
        self.sender.send_signal(signal.SIGTERM)
        self.sender.send_signal(signal.SIGCONT)
        self.assertEqual(self.sender.wait(), 0, self.sender.describe())
        self.sent += int(self.sender.stdout().split()[0])
        self.processes.remove(self.sender)

    def hold_sender(self):
        self.sender.send_signal(signal.SIGSTOP)
        wait_for(self.sender.is_held, self.sender.describe)

    def look(self):
        self.manager.read()  # a manager who reads nothing would hold up who tells it something
        return self.status(self.daemon_process)

    def row(self):
        return self.look()["interfaces"][0]

    def exporter(self, name, status=None):
        return next(row for row in (status or self.look())["exporters"] if row["name"] == name)

    def wait_for_state(self, state):
        wait_for(lambda: self.row()["state"].startswith(state), lambda: f"{self.row()}\n{self.daemon_process.describe()}")

    # ---- accounts ----

    def arrived(self):
        """Packets that the link has delivered, as the kernel counts them."""
        text = self.probe.ip("-json", "-statistics", "link", "show", "m0")
        return self.arrived_before + json.loads(text)[0]["stats64"]["rx"]["packets"]

    def received(self):
        """Packets that the daemons have received or know to be dropped."""
        ledger = json.loads(self.run_program(NFSTREAMCTL, "--socket", self.daemon_process.socket, "audit", "--json").stdout)
        self.assertTrue(ledger["balanced"], ledger)
        return self.received_before + sum(b["total"] for b in ledger["balances"] if b["name"] == "packets received")

    def all_received(self):
        """While nobody sends: not one packet of the link is missing."""
        wait_for(lambda: self.received() == self.arrived(),
                 lambda: f"{self.received()} received of {self.arrived()}\n{self.daemon_process.describe()}")

    def note_memory(self):
        status = pathlib.Path(f"/proc/{self.daemon_process.pid}/status").read_text()
        self.memory.append((len(self.lives), time.monotonic() - self.begun,
                            int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) * 1024))  # not of the ring, which changes

    # ---- what goes wrong ----

    def reload(self, outcome="applied"):
        before = self.look()["reload"][outcome]
        self.daemon_process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.look()["reload"][outcome] == before + 1, self.daemon_process.describe)
        self.count[outcome] += 1

    def changed_reload(self):
        change = self.random.choice(["idle", "active", "filter", "ring", "extra"])
        s = self.settings
        s[change] = {"idle": 25 - s["idle"], "active": 2400 - s["active"], "filter": (s["filter"] + 1) % len(FILTERS),
                     "ring": (s["ring"] + 1) % len(RINGS), "extra": not s["extra"]}[change]
        self.write("nfstreamd.yaml", self.configuration())
        self.reload()

    def broken_reload(self):
        self.write("nfstreamd.yaml", self.configuration().replace("type: ipfix", "type: no_such_type", 1))
        self.reload("rejected")
        self.write("nfstreamd.yaml", self.configuration())

    def after(self, low, high, action):
        scale = 1 if LONG else 0.1
        self.later.append((time.monotonic() + scale * self.random.uniform(low, high), action))

    def tcp_killed(self):
        if not self.tcp.away and not self.tcp.held:
            self.tcp.kill()
            self.after(1, 20, self.tcp.begin)

    def tcp_held(self):
        if not self.tcp.away and not self.tcp.held:
            self.tcp.hold()
            self.after(1, 20, self.tcp.release)

    def udp_killed(self):
        if not self.udp.away:
            self.udp.kill()
            self.after(1, 20, self.udp.begin)

    def link_down(self):
        """The sender goes on meanwhile: what it sends is lost on the link."""
        self.hold_sender()
        self.all_received()
        self.probe.ip("link", "set", "m0", "down")
        self.wait_for_state("down")
        self.sender.send_signal(signal.SIGCONT)
        time.sleep(self.random.uniform(0.05, 0.3))
        self.hold_sender()
        self.probe.ip("link", "set", "m0", "up")
        self.wait_for_state("up")
        self.sender.send_signal(signal.SIGCONT)
        self.count["down"] += 1

    def link_renewed(self):
        self.end_sender()
        self.all_received()
        self.arrived_before = self.arrived()
        self.probe.ip("link", "delete", "m0")
        self.wait_for_state("waiting")
        self.link()
        self.begin_sender()
        self.count["renewed"] += 1

    def link(self):
        self.probe.link_to(self.far, "m0", "10.99.0.1", "10.99.0.2")
        if self.lives:
            self.wait_for_state("up")

    def mtu_changed(self):
        mtu = 9000 if self.row()["mtu"] == 1500 else 1500
        self.probe.ip("link", "set", "m0", "mtu", mtu)
        wait_for(lambda: self.row()["mtu"] == mtu, self.daemon_process.describe)
        self.count["mtu"] += 1

    def restarted(self):
        if time.monotonic() - self.begun < RESTARTS_FROM * SECONDS:
            return
        if self.udp.away:  # else nothing tells what the last datagrams had
            return
        self.end_daemon()
        self.begin_daemon()
        self.count["restarted"] += 1

    def end_daemon(self):
        daemon = self.daemon_process
        self.redelivered += self.exporter("tcp")["redelivered"]
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        log = daemon.stderr()
        self.received_before += int(re.search(r"ledger balanced .*packets_received=(\d+)", log).group(1))
        self.kernel_dropped += int(re.search(r"stopped .*capture_dropped=(\d+)", log).group(1))
        closed = re.search(r"exporter closed name=udp records=(\d+) .*lost=(\d+)", log)
        self.lives[-1][1] = int(closed.group(1))
        self.unreachable += int(closed.group(2))
        self.processes.remove(daemon)

    # ---- the run ----

    def faults(self):
        """Each kind once, in any order, again and again."""
        kinds = [self.changed_reload, self.changed_reload, self.broken_reload, self.tcp_killed, self.tcp_held,
                 self.udp_killed, self.link_down, self.link_renewed, self.mtu_changed, self.restarted]
        while True:
            self.random.shuffle(kinds)
            yield from kinds

    def go_on(self):
        faults, next_fault, next_memory, next_line = self.faults(), self.begun + 0.5, self.begun, self.begun
        while (now := time.monotonic()) < self.begun + SECONDS:
            for due in [one for one in self.later if one[0] <= now]:
                self.later.remove(due)
                due[1]()
            if now >= next_fault:
                next(faults)()
                next_fault = time.monotonic() + (self.random.uniform(1, 8) if LONG else self.random.uniform(0.05, 0.3))
            if now >= next_memory:
                self.note_memory()
                next_memory = now + (5 if LONG else 0.5)
            if now >= next_line:
                self.say(f"{now - self.begun:.0f} s")
                next_line = now + 60
            time.sleep(0.02)

    def say(self, when):
        print(f"{when}: {self.arrived()} packets, {dict(self.count)}, tcp killed {self.tcp.kills} held {self.tcp.holds}, "
              f"udp killed {self.udp.kills}, {self.memory[-1][2] >> 10} KiB", flush=True)

    def test_each_packet_is_in_one_record_and_each_record_arrives_or_is_counted(self):
        self.link()
        self.tcp, self.udp = Collector(self, "tcp"), Collector(self, "udp")
        self.begin_daemon()
        self.begin_sender()
        self.go_on()
        for _, action in self.later:
            action()
        if self.count["restarted"] == 0:
            self.restarted()
        self.end_sender()
        self.all_received()
        arrived = self.arrived()
        self.run_program(NFSTREAMCTL, "--socket", self.daemon_process.socket, "expire")
        wait_for(lambda: self.row()["flows_active"] == 0, self.daemon_process.describe)
        wait_for(self.nothing_waits, lambda: f"{self.look()}\n{self.daemon_process.describe()}", 8 * harness.DEADLINE)
        self.say("end")
        self.end_daemon()
        self.assertEqual(self.received_before, arrived)
        self.check_packets(arrived)
        self.check_log()
        self.check_memory()

    def nothing_waits(self):
        rows = self.look()["exporters"]
        return all(row["queue_depth"] + row["in_hand"] + row["spool"]["records"] == 0 for row in rows)

    # ---- what has become of it ----

    def records_of(self, lines):
        for line in lines:
            flow = json.loads(line)
            if "_options" in flow:
                continue
            a, b, c = map(int, flow["src_ip"].split(".")[1:])
            yield Record(a << 16 | b << 8 | c, flow["src2dst_first_seen_ms"], flow["src2dst_last_seen_ms"],
                         flow["src2dst_packets"], flow["src2dst_bytes"])

    def collected(self, octets):
        """The records in whole messages of one session."""
        path = self.folder / "session.ipfix"
        path.write_bytes(octets)
        out = self.folder / "session.json"
        with open(out, "wb") as file:
            run = subprocess.run([NFSTREAMCTL, "collect", path], stdout=file, stderr=subprocess.PIPE, timeout=600)
        self.assertEqual(run.returncode, 0, run.stderr)
        with open(out, encoding="utf-8") as lines:
            yield from self.records_of(lines)

    def whole_messages(self, octets):
        return octets[:max((end for _, end, _ in flows._messages(octets)), default=0)]

    def check_packets(self, arrived):
        with open(self.folder / "flows.json", encoding="utf-8") as lines:
            reference = collections.Counter(self.records_of(lines))
        self.assertEqual(max(reference.values()), 1)
        in_records = sum(record.packets for record in reference)
        self.assertEqual(in_records + self.kernel_dropped, arrived, "packets are in no record and in no counter")
        self.check_flows(reference)

        twice, found = 0, set()
        for path in self.tcp.files():
            octets = path.read_bytes()
            flows.read_session(octets)  # sequence numbers from 0, without a gap
            for record in self.collected(self.whole_messages(octets)):
                twice += record in found
                found.add(record)
        self.assertEqual(found, set(reference), "over TCP with a spool")
        self.assertLessEqual(twice, self.redelivered)

        gaps, got = self.datagrams(reference)
        exported = sum(count for _, count in self.lives)
        self.assertEqual(exported + self.unreachable, len(reference))
        lost = len(reference) - got
        self.assertLessEqual(lost, gaps, "sequence numbers do not tell of all that is lost")
        self.assertLessEqual(self.unreachable, lost)
        if self.udp.kills == 0:
            self.assertEqual(gaps, 0)
        print(f"{self.sent} packets sent, {arrived} arrived on the link, {in_records} in {len(reference)} records, "
              f"{self.kernel_dropped} dropped by the kernel, 0 unexplained; tcp: all, {twice} twice "
              f"({self.redelivered} redelivered by the status); udp: {lost} lost with {self.udp.kills} collectors that "
              f"were killed, {self.unreachable} of them counted as unreachable, sequence numbers tell of {gaps} "
              f"data records, options included", flush=True)

    def check_flows(self, reference):
        packets, octets = collections.Counter(), collections.Counter()
        for record in reference:
            packets[record.flow] += record.packets
            octets[record.flow] += record.octets
        whole = sum(SMALLEST + index for index in range(PER_FLOW))
        for flow, count in packets.items():
            self.assertLessEqual(count, PER_FLOW, f"flow {flow} has packets twice")
            if count == PER_FLOW:
                self.assertEqual(octets[flow], whole, f"flow {flow} has packets twice and lacks others")

    def datagrams(self, reference):
        """Of all UDP sessions: data records that sequence numbers say are missing, and how many records came."""
        sessions = [path.read_bytes() for path in self.udp.files()]
        told = b"".join(self.template_messages(sessions))  # who came late has data before their templates
        templates = {}
        for set_id, at, stop in (one for begin, end, _ in flows._messages(told) for one in flows._sets(told, begin, end)):
            flows._learn(told, at, stop, set_id == 3, templates)
        gaps, found, expected = 0, set(), None
        for octets in sessions:
            for begin, end, sequence in flows._messages(octets):
                gaps += sequence if expected is None or sequence < expected else sequence - expected
                expected = sequence + sum(templates[set_id].read(octets, at, stop, [])
                                          for set_id, at, stop in flows._sets(octets, begin, end) if set_id > 3)
            for record in self.collected(told + octets):
                self.assertNotIn(record, found)
                self.assertIn(record, reference)
                found.add(record)
        return gaps, len(found)

    def template_messages(self, sessions):
        for octets in sessions:
            for begin, end, _ in flows._messages(octets):
                if all(set_id in (2, 3) for set_id, _, _ in flows._sets(octets, begin, end)):
                    yield octets[begin:end]

    def check_log(self):
        log = "".join(daemon.stderr() for daemon, _ in self.lives)
        lines = collections.Counter()
        known = {"reload applied": "applied", "reload rejected": "rejected", "interface is down": "down",
                 "interface is up again": "down", "interface not available": "renewed", "MTU of the interface": "mtu",
                 "capture goes on where the process before": "restarted"}
        for event, name in known.items():
            lines[event] = log.count(event)
            self.assertEqual(lines[event], self.count[name], f"{event}: once for each {name}")
        failing = log.count("exporter failing name=tcp")
        self.assertLessEqual(failing, self.tcp.kills + SECONDS / 10)
        allowed = (*known, "exporter failing name=tcp", "collector refuses datagrams name=udp", "records stay in the spool",
                   "configuration error=")
        for line in log.splitlines():
            if re.search(r"(warning|error): ", line):
                self.assertTrue(any(words in line for words in allowed), line)

    def check_memory(self):
        """Flat: the last third of the longest life has what the second one had."""
        lives = collections.defaultdict(list)
        for life, _, octets in self.memory:
            lives[life].append(octets)
        longest = max(lives.values(), key=len)
        third = len(longest) // 3
        second, last = (statistics.median(part) for part in (longest[third:2 * third], longest[2 * third:]))
        print(f"memory of a process over {len(longest)} looks: {longest[0] >> 10} KiB at first, {second / 1024:.0f} KiB in "
              f"the second third of the time, {last / 1024:.0f} KiB in the last, {max(longest) >> 10} KiB at most", flush=True)
        if SECONDS >= 2400:  # what waits for collectors has been as much as it gets by then
            self.assertLess(last, second * 1.02)


if __name__ == "__main__":
    harness.main()
