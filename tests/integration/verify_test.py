#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nfstreamctl collect --verify`: its words, its exit status, and whether nfcapd and nfacctd do what it says of them."""
import json
import signal
import socket
import struct
import time

import harness
import wire
from crafted import a_set, message, template, v5, v5_record, v9
from harness import CAPTURES, NFSTREAMCTL, wait_for

FLOW = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 8), (2, 8), (152, 8), (153, 8))


def flow(*more):
    now = int(time.time())
    return (bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">HHBQQQQ", 50000, 443, 6, 1000, 10, 1000 * now - 500,
                                                              1000 * now) + b"".join(more))


class Verify(harness.TestCase):
    def verify(self, profile, *messages, status, arguments=()):
        """What --verify says of a file of these messages."""
        path = self.folder / "stream.ipfix"
        path.write_bytes(b"".join(messages))
        return self.run_program(NFSTREAMCTL, "collect", "--verify", profile, *arguments, path, status=status).stdout

    def send(self, port, *messages):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for octets in messages:
                sender.sendto(octets, ("127.0.0.1", port))

    def outcomes(self, profile, *messages, status):
        text = self.verify(profile, *messages, status=status, arguments=["--json"])
        found = [json.loads(line) for line in text.splitlines()]
        return {row["subject"]: row["outcome"] for row in found[:-1]}, found[-1]

    def messages(self, *more, octets):
        """A template of a flow with more fields, and one record."""
        now = int(time.time())
        return (message(a_set(2, template(256, *FLOW, *more)), time=now), message(a_set(256, flow(octets)), time=now))

    def nfacctd(self, *messages, aggregate):
        """The one flow that nfacctd prints of the messages."""
        port, out = harness.free_port(), self.folder / "flows.json"
        path = self.write("nfacctd.conf", f"""
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: {port}
plugins: print[all]
aggregate[all]: {aggregate}
print_output[all]: json
print_output_file[all]: {out}
print_refresh_time[all]: 1
""")
        process = self.start("nfacctd", "-f", path)
        # what comes before its plugin has begun to look at the clock does not get there
        wait_for(lambda: "Purging cache - END" in process.stderr() or not process.running(), process.describe)
        self.send(port, *messages)
        wait_for(lambda: process.has_read(port), "nfacctd does not read")
        process.stop(signal.SIGINT)  # it prints what it has
        wait_for(lambda: out.exists() and out.read_text(), process.describe)
        return json.loads(out.read_text().splitlines()[0])

    def nfdump(self, *messages):
        """The flows that nfdump reads of the messages."""
        spool, port = self.folder / "nfcapd", harness.free_port()
        spool.mkdir()
        process = self.start("nfcapd", "-w", spool, "-b", "127.0.0.1", "-p", port, "-t", "60")
        wait_for(lambda: process.listens(port) or not process.running(), process.describe)
        self.send(port, *messages)
        wait_for(lambda: process.has_read(port), "nfcapd does not read")
        self.assertEqual(process.stop(), 0, process.describe())
        file = next(spool.glob("nfcapd.2*"))
        text = self.run_program("nfdump", "-q", "-r", file, "-o", "json").stdout
        return json.loads("[" + text.strip().strip("[],") + "]")

    def test_pmacct_flags_of_two_octets_are_0(self):
        two = self.messages((6, 2), octets=b"\0\x1b")
        self.assertEqual(self.outcomes("pmacct", *two, status=1)[0]["tcpControlBits (6)"], "misread")
        self.assertEqual(int(self.nfacctd(*two, aggregate="src_host,dst_host,tcpflags")["tcp_flags"]), 0)

    def test_pmacct_flags_of_one_octet_are_kept(self):
        one = self.messages((6, 1), octets=b"\x1b")
        self.assertEqual(self.outcomes("pmacct", *one, status=0)[0]["tcpControlBits (6)"], "kept")
        self.assertEqual(int(self.nfacctd(*one, aggregate="src_host,dst_host,tcpflags")["tcp_flags"]), 0x1b)

    def test_pmacct_has_no_way_back(self):
        biflow = self.messages((1, 8, wire.REVERSE), (2, 8, wire.REVERSE), octets=struct.pack(">QQ", 7000, 70))
        found, verdict = self.outcomes("pmacct", *biflow, status=1)
        self.assertEqual(found["reverseOctetDeltaCount (29305/1)"], "lost")
        self.assertEqual(verdict["verdict"], "harm")
        printed = self.nfacctd(*biflow, aggregate="src_host,dst_host")
        self.assertEqual((printed["bytes"], printed["packets"]), (1000, 10))

    def test_nfdump_reverse_flags_after_the_forward_ones(self):
        after = self.messages((6, 1), (6, 1, wire.REVERSE), octets=b"\x1b\x12")
        self.assertEqual(self.outcomes("nfdump", *after, status=1)[0]["reverseTcpControlBits (29305/6)"], "misread")
        self.assertEqual(self.nfdump(*after)[0]["tcp_flags"], "...A..S.")  # 0x12: those of the way back

    def test_nfdump_reverse_flags_before_the_forward_ones(self):
        before = self.messages((6, 1, wire.REVERSE), (6, 1), octets=b"\x12\x1b")
        self.assertEqual(self.outcomes("nfdump", *before, status=0)[0]["reverseTcpControlBits (29305/6)"], "ignored")
        self.assertEqual(self.nfdump(*before)[0]["tcp_flags"], "...AP.SF")  # 0x1b

    def test_nfdump_obeys_a_withdrawal_over_udp(self):
        now = int(time.time())
        sent = [message(a_set(2, template(256, *FLOW)), time=now), message(a_set(256, flow()), time=now),
                message(a_set(2, struct.pack(">HH", 256, 0)), sequence=1, time=now),
                message(a_set(256, flow()), sequence=1, time=now)]
        self.assertEqual(len(self.nfdump(*sent)), 1)
        collector, port = self.collect_verify("nfdump")
        self.send(port, *sent)
        wait_for(lambda: collector.has_read(port), collector.describe)
        self.assertEqual(collector.stop(), 1, collector.describe())
        self.assertIn("withdrawal of template 256: 1 times", collector.stdout())
        self.assertIn("records of template 256: 1 sets", collector.stdout())
        self.assertIn("1 templates withdrawn over UDP", collector.stderr())

    def collect_verify(self, profile):
        port = harness.free_port()
        process = self.start(NFSTREAMCTL, "collect", "--listen", f"udp://127.0.0.1:{port}", "--verify", profile)
        wait_for(lambda: process.listens(port) or not process.running(), process.describe)
        return process, port

    def test_our_own_stream_is_fine_for_a_collector_that_follows_the_rfcs(self):
        path = self.folder / "flows.ipfix"
        self.nfstreamd("-r", CAPTURES / "dns.pcap", CAPTURES / "tls12.pcap", "-w", path)
        run = self.run_program(NFSTREAMCTL, "collect", "--verify", "default", path)
        self.assertIn("nothing would be dropped, misread or lost\n", run.stdout)
        self.assertIn("octetDeltaCount (1): ", run.stdout)
        self.assertIn("0 malformed, 0 gaps, 0 records lost", run.stderr)
        rejected = self.run_program(NFSTREAMCTL, "collect", "--verify", "logstash", path, status=1)
        self.assertIn("DROPPED  flow records", rejected.stdout)

    def test_who_is_not_known_and_what_has_no_records(self):
        run = self.run_program(NFSTREAMCTL, "collect", "--verify", "nobody", "-", status=2)
        self.assertIn("there are default, nfdump, pmacct", run.stderr)
        self.assertIn("nothing came", self.verify("default", status=1))


class Netflow(harness.TestCase):
    def collected(self, *packets, host="127.0.0.1", records):
        collector, port = self.collect(host="[::1]" if host == "::1" else host)
        family = socket.AF_INET6 if host == "::1" else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sender:
            for octets in packets:
                sender.sendto(octets, (host, port))
        wait_for(lambda: len(collector.json_lines()) >= records, collector.describe)
        self.assertEqual(collector.stop(), 0, collector.describe())
        self.assertIn(" 0 malformed, 0 gaps,", collector.stderr())
        return collector.json_lines()

    def test_versions_9_5_and_10_from_one_sender_become_the_same_columns(self):
        sent = [v9(a_set(0, template(256, (8, 4), (12, 4), (2, 4), (1, 4), (22, 4), (21, 4), (23, 4), (24, 4)))),
                v9(a_set(256, bytes([192, 0, 2, 1, 192, 0, 2, 2]), struct.pack(">IIIIII", 3, 300, 99_000, 99_500, 200, 2)),
                   sequence=1),
                v5(v5_record(first=99_000, last=99_500)),
                message(a_set(2, template(256, *FLOW))), message(a_set(256, flow()))]
        strict = wire.Session()
        for octets in sent:
            strict.read(octets)
        for host in ("127.0.0.1", "::1"):
            nine, five, ten = self.collected(*sent, host=host, records=3)
            self.assertEqual({(row["src_ip"], row["dst_ip"]) for row in (nine, five, ten)}, {("192.0.2.1", "192.0.2.2")})
            self.assertEqual([row["src2dst_packets"] for row in (nine, five, ten)], [3, 10, 10])
            self.assertEqual((nine["dst2src_packets"], nine["bidirectional_bytes"]), (2, 500))
            self.assertEqual((nine["src2dst_first_seen_ms"], five["src2dst_first_seen_ms"]), (999_000, 999_000))

    def test_a_file_of_netflow_is_refused_with_the_reason(self):
        path = self.folder / "flows.nf9"
        path.write_bytes(v9(a_set(0, template(256, (2, 4)))))
        run = self.run_program(NFSTREAMCTL, "collect", path, status=1)
        self.assertIn("NetFlow v9 says nothing of where a packet ends", run.stderr)

    def test_from_a_datagram_socket_each_read_is_a_packet(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            out = self.folder / "lines"
            with open(out, "wb") as stdout:
                process = harness.subprocess.Popen([NFSTREAMCTL, "collect", "-"], stdin=theirs, stdout=stdout,
                                                   stderr=harness.subprocess.DEVNULL)
            theirs.close()
            ours.send(v5(v5_record()))
            ours.send(v5(v5_record(), sequence=1))
            ours.close()
            self.assertEqual(process.wait(harness.DEADLINE), 0)
        self.assertEqual(len(out.read_text().splitlines()), 2)


if __name__ == "__main__":
    harness.main()
