#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IPFIX over TLS and DTLS to OpenSSL's server: every record arrives, or none where one side does not accept the other."""
import csv
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import harness
from harness import CAPTURES, NFSTREAMCTL, wait_for

SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "quic", "ssh", "s_ext6")]
MANY = 300  # flows beside them
COLUMNS = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol", "src2dst_packets", "dst2src_packets", "src2dst_bytes",
           "dst2src_bytes", "src2dst_first_seen_ms", "src2dst_last_seen_ms", "application_name")
EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_CONFIG = 2, 69, 78


class Authority:
    """A CA and what it signs, by openssl(1)."""

    def __init__(self, case, name):
        self.folder = case.folder / name
        self.folder.mkdir()
        self.openssl("req", "-x509", *self.new_key("ca"), "-days", "30", "-subj", f"/CN={name}", "-out", self.path("ca.pem"))

    def path(self, name):
        return self.folder / name

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.path(f"{name}.key"))

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL, capture_output=True)

    def issue(self, name, alternatives, expired=False):
        self.openssl("req", "-new", *self.new_key(name), "-subj", f"/CN={name}", "-out", self.path("request"))
        self.path("extensions").write_text(f"subjectAltName={alternatives}\n", encoding="utf-8")
        self.openssl("x509", "-req", "-in", self.path("request"), "-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"),
                     "-CAcreateserial", "-days", -1 if expired else 30, "-extfile", self.path("extensions"), "-out",
                     self.path(f"{name}.pem"))


class Collector:
    """openssl s_server; its input is a pipe that stays open, as it ends with it."""

    def __init__(self, case, protocol, certificate="collector", address="127.0.0.1", port=None, client=True, more=()):
        self.case, self.address, self.port = case, address, port or harness.free_port()
        self.out, self.err = (case.folder / f"collector-{time.monotonic_ns()}.{end}" for end in ("ipfix", "err"))
        command = ["openssl", "s_server", *(["-dtls"] if protocol == "dtls" else []), "-accept", f"{self.at()}",
                   "-cert", case.ours.path(f"{certificate}.pem"), "-key", case.ours.path(f"{certificate}.key"),
                   "-CAfile", case.ours.path("ca.pem"), "-quiet", *more]
        if client:
            command += ["-Verify", "1", "-verify_return_error"]
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.popen = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=out, stderr=err)
        case.addCleanup(self.kill)
        wait_for(self.listens, lambda: f"{command}: {self.err.read_text()}")

    def at(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def listens(self):
        tables = [pathlib.Path("/proc/net", name).read_text(encoding="ascii") for name in ("tcp", "tcp6", "udp", "udp6")]
        return self.popen.poll() is None and any(f":{self.port:04X} " in table for table in tables)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()

    def flows(self):
        """What has arrived so far, whole messages only."""
        run = subprocess.run([NFSTREAMCTL, "collect", self.out], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             timeout=harness.DEADLINE, check=False)
        return [flow for flow in map(json.loads, run.stdout.splitlines()) if "_options" not in flow]


def as_text(flow):
    return tuple(str(flow.get(name, 0 if name.startswith("dst2src_") else "")) for name in COLUMNS)


class Secure(harness.TestCase):
    """What both need: certificates, and the settings that name them."""

    def setUp(self):
        super().setUp()
        self.ours, self.other = Authority(self, "ours"), Authority(self, "other")
        self.ours.issue("collector", "DNS:localhost,IP:127.0.0.1,IP:::1")
        self.ours.issue("probe", "DNS:probe.example")
        self.other.issue("probe", "DNS:probe.example")

    def tls(self, authority=None, certificate="probe", ca=None, more=""):
        authority, ca = authority or self.ours, ca or self.ours
        return (f"tls: {{ca: {ca.path('ca.pem')}, certificate: {authority.path(certificate + '.pem')}, "
                f"key: {authority.path(certificate + '.key')}{more}}}")


class Transports(Secure):
    def export(self, url, tls, *captures, status=0):
        rows = self.folder / "flows.csv"
        path = self.write("export.yaml", f"exporters:\n  - {{name: main, type: ipfix, collectors: ['{url}'], {tls}, "
                                         "rate_limit: 20000}\n"
                                         f"  - {{name: beside, type: csv, path: {rows}, fields: [default, base]}}\n")
        run = self.nfstreamd("-c", path, "-r", *(captures or SOME), status=status, timeout=120)
        with open(rows, newline="", encoding="utf-8") as content:
            return list(csv.DictReader(content)), run

    def check_all_arrive(self, protocol, collector, host, more=""):
        many = harness.many_flows(self.folder / "many.pcap", MANY, 2)
        rows, _ = self.export(f"{protocol}://{host}:{collector.port}", self.tls(more=more), *SOME, many)
        self.assertGreater(len(rows), MANY)
        wait_for(lambda: len(collector.flows()) >= len(rows), lambda: f"{len(collector.flows())} of {len(rows)}")
        self.assertEqual(sorted(map(as_text, collector.flows())),
                         sorted(tuple(row[name] for name in COLUMNS) for row in rows))

    def check_none_arrives(self, collector, url, tls, *texts):
        _, run = self.export(url, tls, status=EXIT_UNAVAILABLE)
        for text in texts:
            self.assertIn(text, run.stderr)
        self.assertEqual(collector.out.read_bytes(), b"")

    def test_every_record_arrives(self):
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                self.check_all_arrive(protocol, Collector(self, protocol), "127.0.0.1")

    def test_every_record_arrives_over_ipv6(self):
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                self.check_all_arrive(protocol, Collector(self, protocol, address="::1"), "[::1]")

    def test_every_record_arrives_by_a_name(self):
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                self.check_all_arrive(protocol, Collector(self, protocol), "localhost")

    def test_ipfixdump_reads_what_arrived(self):
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                collector = Collector(self, protocol)
                rows, _ = self.export(f"{protocol}://127.0.0.1:{collector.port}", self.tls())
                wait_for(lambda: len(collector.flows()) >= len(rows), "not all arrived")
                dump = self.run_program("ipfixDump", "--in", collector.out, "--rfc5610").stdout
                records = re.findall(r"^--- data record .*?(?=^---|\Z)", dump, re.MULTILINE | re.DOTALL)
                flows = [record for record in records if "octetDeltaCount" in record]
                self.assertEqual(len(flows), len(rows))
                packets = sum(int(count) for record in flows
                              for count in re.findall(r"[pP]acketDeltaCount\s*:\s*(\d+)", record))
                self.assertEqual(packets, harness.total(rows, "src2dst_packets", "dst2src_packets"))

    def test_a_collector_by_another_ca_gets_nothing(self):
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                collector = Collector(self, protocol)
                self.check_none_arrives(collector, f"{protocol}://127.0.0.1:{collector.port}", self.tls(ca=self.other),
                                        f"the certificate of {protocol}://127.0.0.1:{collector.port} is refused")

    def test_a_collector_of_another_name_gets_nothing(self):
        self.ours.issue("elsewhere", "DNS:elsewhere.example")
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                collector = Collector(self, protocol, "elsewhere")
                self.check_none_arrives(collector, f"{protocol}://localhost:{collector.port}", self.tls(),
                                        "hostname mismatch", "localhost")
                self.check_all_arrive(protocol, collector, "127.0.0.1", ", server_name: elsewhere.example")

    def test_a_collector_whose_certificate_has_expired_gets_nothing(self):
        self.ours.issue("old", "IP:127.0.0.1", expired=True)
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                collector = Collector(self, protocol, "old")
                self.check_none_arrives(collector, f"{protocol}://127.0.0.1:{collector.port}", self.tls(),
                                        "certificate has expired")

    def test_a_collector_that_refuses_our_certificate_is_an_error_and_gets_nothing(self):
        self.ours.issue("late", "DNS:probe.example", expired=True)
        for protocol in ("tls", "dtls"):
            with self.subTest(protocol):
                collector = Collector(self, protocol)
                url = f"{protocol}://127.0.0.1:{collector.port}"
                self.check_none_arrives(collector, url, self.tls(self.other), "refuses our certificate", "unknown CA")
                self.check_none_arrives(collector, url, self.tls(certificate="late"), "refuses our certificate", "expired")

    def test_without_a_certificate_there_is_no_session_to_try(self):
        path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, collectors: ['tls://127.0.0.1'], "
                                         f"tls: {{ca: {self.ours.path('ca.pem')}}}}}\n")
        run = self.nfstreamd("-t", "-c", path, "-r", SOME[0], status=EXIT_CONFIG)
        self.assertIn("tls.certificate: is missing", run.stderr)
        self.assertIn("export.yaml:2:", run.stderr)

    def test_a_check_of_the_configuration_reads_the_files_and_connects_to_nobody(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0)
            tls = self.tls(more="")
            path = self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, collectors: "
                                             f"['tls://127.0.0.1:{server.getsockname()[1]}'], {tls}}}\n")
            self.nfstreamd("-t", "-c", path, "-r", SOME[0])
            self.assertRaises(BlockingIOError, server.accept)
        os.unlink(self.ours.path("probe.key"))
        run = self.nfstreamd("-t", "-c", path, "-r", SOME[0], status=EXIT_CONFIG)
        self.assertIn(f"tls.key: cannot read {self.ours.path('probe.key')}: No such file", run.stderr)

    def test_a_plain_collector_gets_no_record_over_tls(self):
        collector, port = self.collect("tcp")
        self.export(f"tls://127.0.0.1:{port}", self.tls(), SOME[0], status=EXIT_UNAVAILABLE)
        collector.stop()
        self.assertEqual(collector.json_lines(), [])

    def test_sctp_says_what_to_do_where_the_kernel_has_none(self):
        try:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
            self.skipTest("NOT RUN: this kernel has SCTP")
        except OSError:
            pass
        _, run = self.export("sctp://127.0.0.1", "biflow: true", SOME[0], status=EXIT_UNAVAILABLE)
        self.assertIn("modprobe sctp", run.stderr)

    def test_collect_says_what_it_cannot_listen_on(self):
        run = self.run_program(NFSTREAMCTL, "collect", "--listen", "tls://127.0.0.1", status=EXIT_USAGE)
        self.assertIn("tls:// is not possible here; write udp://HOST:PORT or tcp://HOST:PORT", run.stderr)


@harness.needs_root("live capture")
class Restarts(Secure):
    """A live probe whose collector is killed and started again."""

    def begin(self, protocol, port):
        daemon = self.daemon(
            "capture:\n  - interface: lo\n    n_meters: 1\n    bpf_filter: udp dst port 7777\nmetering:\n  idle_timeout: 600\n"
            f"exporters:\n  - {{name: main, type: ipfix, collectors: ['{protocol}://127.0.0.1:{port}'], "
            f"flush_interval: 100ms, retry_interval: 1s, {self.tls()}}}\ncontrol: {{socket: {self.folder}/control.sock}}\n")
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def flow(self, daemon, source):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind(("127.0.0.1", source))
            sender.sendto(b"x", ("127.0.0.1", 7777))
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] > 0, daemon.describe)
        self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "expire")
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0, daemon.describe)

    def check_restart(self, protocol):
        collector = Collector(self, protocol)
        daemon = self.begin(protocol, collector.port)
        self.flow(daemon, 45001)
        wait_for(lambda: [flow["src_port"] for flow in collector.flows()] == [45001], daemon.describe, 3 * harness.DEADLINE)
        collector.kill()
        source = 45100

        def noticed():
            nonlocal source
            source += 1
            self.flow(daemon, source)
            return self.status(daemon)["exporters"][0]["failures"] > 0
        wait_for(noticed, daemon.describe, 3 * harness.DEADLINE)
        self.assertNotEqual(self.status(daemon)["exporters"][0]["last_error"], "")
        again = Collector(self, protocol, port=collector.port)
        self.flow(daemon, 45999)
        wait_for(lambda: 45999 in [flow["src_port"] for flow in again.flows()], daemon.describe, 4 * harness.DEADLINE)
        self.assertEqual(daemon.stop(signal.SIGTERM), 0, daemon.describe())

    def test_tls_killed_and_started_again_is_connected_again(self):
        self.check_restart("tls")

    def test_dtls_killed_and_started_again_is_connected_again(self):
        self.check_restart("dtls")


if __name__ == "__main__":
    harness.main()
