#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Flow records enriched from files: in every format, by filters, and with files that change while it runs."""
import os
import signal
import subprocess
import sys

import harness
import mmdb
from harness import NFSTREAMCTL, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
PORT = 7779
PEN = 32473  # RFC 5612: for examples
HERE, THERE, ELSEWHERE, PRIVATE = "198.51.100.7", "203.0.113.9", "192.0.2.1", "10.0.0.1"


class EnrichmentCase(harness.TestCase):
    def setUp(self):
        super().setUp()
        if "libmaxminddb not built in" in self.nfstreamd("--version").stdout:
            self.skipTest("NOT RUN: built without libmaxminddb")

    def replace(self, name, octets):
        """As an update does it: by renaming a new file over the old one."""
        fresh = self.folder / f"{name}.new"
        fresh.write_bytes(octets)
        os.rename(fresh, self.folder / name)
        return self.folder / name


class Enrichment(EnrichmentCase):
    def files(self):
        """Settings of a full set of files."""
        asn = self.replace("asn.mmdb", mmdb.systems({"198.51.100.0/24": (64500, "Here Inc."),
                                                     "203.0.113.0/24": (64501, "There, \"Ltd\"")}))
        country = self.replace("country.mmdb", mmdb.countries({"198.51.100.0/24": "DE", "203.0.113.0/24": "FR"}))
        networks = self.write("networks.csv", "prefix,label\n10.0.0.0/8,inside\n203.0.113.8/29,branch\n")
        vendors = self.write("oui.csv", "Registry,Assignment,Organization Name,Organization Address\n"
                                        "MA-L,020000,Local Works,Somewhere\n")
        return [f"enrichment.asn={asn}", f"enrichment.country={country}", f"enrichment.networks={networks}",
                f"enrichment.mac_vendors={vendors}"]

    def capture(self):
        pairs = [(HERE, THERE), (PRIVATE, HERE), (THERE, PRIVATE), (ELSEWHERE, ELSEWHERE)]
        return harness.write_pcap(self.folder / "a.pcap", (harness.udp_frame(source, 1000 + n, destination, 9)
                                                           for n, (source, destination) in enumerate(pairs)))

    def test_every_column_of_a_file_run(self):
        rows = self.csv_of(self.capture(), settings=[*self.files(), "exporters.write.fields=[src_port, enrichment]"])
        end = ("asn", "as_organization", "country", "label", "mac_vendor")
        found = {row["src_port"]: tuple(tuple(row[f"{side}_{name}"] for name in end) for side in ("src", "dst"))
                 for row in rows}
        here, there = ("64500", "Here Inc.", "DE", "", "Local Works"), ("64501", 'There, "Ltd"', "FR", "branch",
                                                                        "Local Works")
        private, unknown = ("", "", "", "inside", "Local Works"), ("", "", "", "", "Local Works")
        self.assertEqual(found, {"1000": (here, there), "1001": (private, here), "1002": (there, private),
                                 "1003": (unknown, unknown)})

    def test_without_files_there_are_no_fields_and_no_change(self):
        plain = self.csv_of(self.capture())
        self.assertEqual(plain, self.csv_of(self.capture(), settings=self.files()))
        run = self.nfstreamd("-r", self.capture(), "-w", self.folder / "x.csv", "--set",
                             "exporters.write.fields=[src_asn]", status=78)
        self.assertIn("needs enrichment.asn", run.stderr)

    def test_a_filter_by_country_and_by_system(self):
        for condition, ports in (('src_country == "DE"', ["1000"]), ("dst_country == DE or src_country in [FR]",
                                                                     ["1001", "1002"]),
                                 ("src_asn > 64500", ["1002"]), ("dst_label != inside and src_label == inside",
                                                                 ["1001"])):
            rows = self.csv_of(self.capture(), settings=[*self.files(), f"exporters.write.filter='{condition}'"])
            self.assertEqual(sorted(row["src_port"] for row in rows), ports, condition)

    def test_ipfix_has_them_without_being_asked_and_another_reader_knows_the_elements(self):
        out = self.folder / "a.ipfix"
        settings = [word for setting in [*self.files(), f"private_enterprise_number={PEN}"]
                    for word in ("--set", setting)]
        self.nfstreamd("-r", self.capture(), "-w", out, *settings)
        collector = self.start(NFSTREAMCTL, "collect", "--private-enterprise-number", PEN, out)
        self.assertEqual(collector.wait(), 0, collector.describe())
        flow = next(flow for flow in collector.json_lines() if flow["src_port"] == 1000)
        self.assertEqual((flow["src_asn"], flow["src_as_organization"], flow["src_country"], flow["dst_label"],
                          flow["dst_mac_vendor"]), (64500, "Here Inc.", "DE", "branch", "Local Works"))
        # a reader that shares nothing with us, and knows the elements by their numbers
        fields = ("cflow.srcas", "cflow.dstas", "cflow.pie.ntop.src_ip_country", "cflow.pie.ntop.dst_ip_country")
        words = [word for field in fields for word in ("-e", field)]
        datagrams = self.datagrams(out)
        run = subprocess.run(["tshark", "-r", datagrams, "-d", "udp.port==4739,cflow", "-T", "fields", *words],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        columns = zip(*(line.split("\t") for line in run.stdout.splitlines() if line.strip()))
        values = [",".join(column).split(",") for column in columns]
        self.assertEqual([sorted(column) for column in values[:2]], [["0", "0", "64500", "64501"],
                                                                     ["0", "0", "64500", "64501"]], run.stdout)
        for column in values[2:]:
            self.assertLessEqual({"DE", "FR"}, set(column), run.stdout)

    def datagrams(self, messages):
        """A capture of the IPFIX messages of a file as UDP datagrams, all in one."""
        octets = messages.read_bytes()
        frames, at = [], 0
        while at < len(octets):
            length = int.from_bytes(octets[at + 2:at + 4], "big")
            frames.append(harness.udp_frame(HERE, 4739, THERE, 4739, octets[at:at + length]))
            at += length
        return harness.write_pcap(self.folder / "ipfix.pcap", frames)

    def test_files_that_cannot_be_used_are_all_named(self):
        settings = self.files()
        (self.folder / "asn.mmdb").write_bytes((self.folder / "asn.mmdb").read_bytes()[:500])
        self.replace("country.mmdb", mmdb.systems({"10.0.0.0/8": (1, "x")}))
        self.write("networks.csv", "10.0.0.0/8,a\n10.0.0.1/8,b\n")
        (self.folder / "oui.csv").unlink()
        run = self.nfstreamd("-t", "-c", self.write("live.yaml", "capture: [{interface: lo}]\n"),
                             *(word for setting in settings for word in ("--set", setting)), status=78)
        for line in ("asn.mmdb: enrichment.asn: is no MMDB file, or a damaged one: ",
                     "country.mmdb: enrichment.country: its records have no country.iso_code: it is of type Test-ASN",
                     "networks.csv:2: enrichment.networks: \"10.0.0.1/8\" has bits behind its length",
                     "oui.csv: enrichment.mac_vendors: there is no such file"):
            self.assertIn(f"{self.folder}/{line}", run.stderr)


@harness.needs_root("live capture")
class Reload(EnrichmentCase):
    def configuration(self, port, settings):
        enrichment = "".join(f"  {setting.split('.', 1)[1].replace('=', ': ', 1)}\n" for setting in settings)
        return (f"capture:\n  - interface: lo\n    n_meters: 1\n    bpf_filter: udp dst port {PORT}\n"
                f"metering:\n  idle_timeout: 600\n  n_dissections: 0\nexporters:\n  - {{name: main, type: ipfix, "
                f"collectors: ['udp://127.0.0.1:{port}'], flush_interval: 100ms}}\nprivate_enterprise_number: {PEN}\n"
                f"control: {{socket: {self.folder}/control.sock}}\n" +
                (f"enrichment:\n{enrichment}" if enrichment else ""))

    def reload(self, daemon, outcome="applied"):
        before = self.status(daemon)["reload"][outcome]
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"][outcome] == before + 1, daemon.describe)

    def flow_from(self, daemon, collector, source_port):
        """The record of a new flow, sent and expired."""
        before = self.status(daemon)["interfaces"][0]["metered"]["packets"]
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, source_port)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["metered"]["packets"] == before + 1, daemon.describe)
        self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "expire")
        return wait_for(lambda: next((flow for flow in collector.json_lines() if flow["src_port"] == source_port),
                                     None), daemon.describe)

    def test_files_that_change_are_taken_over_between_two_records_and_bad_ones_are_not(self):
        self.probe = harness.Namespace(self)
        port = harness.free_port()
        collector = self.start(NFSTREAMCTL, "collect", "--private-enterprise-number", PEN, "--listen",
                               f"udp://127.0.0.1:{port}", namespace=self.probe)
        wait_for(lambda: collector.listens(port), collector.describe)
        asn = self.replace("asn.mmdb", mmdb.systems({"127.0.0.0/8": (64500, "Before")}, build_epoch=1_600_000_000))
        networks = self.write("networks.csv", "127.0.0.0/8,old\n")
        settings = [f"enrichment.asn={asn}", f"enrichment.networks={networks}"]
        daemon = self.daemon(self.configuration(port, settings), namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        flow = self.flow_from(daemon, collector, 50001)
        self.assertEqual((flow["src_asn"], flow["src_as_organization"], flow["src_label"]), (64500, "Before", "old"))
        connects = self.status(daemon)["exporters"][0]["connects"]

        # other content under the same path
        self.replace("asn.mmdb", mmdb.systems({"127.0.0.0/8": (64999, "After")}))
        networks.write_text("127.0.0.0/8,new\n", encoding="utf-8")
        self.reload(daemon)
        self.assertIn("enrichment ~1", daemon.stderr())
        flow = self.flow_from(daemon, collector, 50002)
        self.assertEqual((flow["src_asn"], flow["src_as_organization"], flow["src_label"]), (64999, "After", "new"))
        status = self.status(daemon)
        self.assertEqual(status["exporters"][0]["connects"], connects)  # the exporter was not touched
        self.assertEqual([(row["key"], row["path"], row["type"], row["built"]) for row in status["enrichment"]],
                         [("asn", str(asn), "Test-ASN", "2023-11-14T22:13:20Z"), ("networks", str(networks), "CSV", "")])
        self.assertEqual(status["interfaces"][0]["enrichment"], {"lookups": 4, "hits": 2, "damaged": 0})
        shown = self.run_program(NFSTREAMCTL, "--socket", daemon.socket, "status").stdout
        self.assertIn(f"asn from {asn}: Test-ASN of 2023-11-14T22:13:20Z", shown)

        # the same content again is no change
        self.reload(daemon)
        self.assertEqual(daemon.stderr().count("enrichment ~1"), 1)

        # what cannot be used leaves the old ones; so does a file that is cut short in place
        os.truncate(asn, 300)
        networks.write_text("127.0.0.0/8,new\n127.0.0.1/8,bad\n", encoding="utf-8")
        self.reload(daemon, "rejected")
        self.assertIn("asn.mmdb: enrichment.asn: is no MMDB file", daemon.stderr())
        self.assertIn("networks.csv:2: enrichment.networks: ", daemon.stderr())
        flow = self.flow_from(daemon, collector, 50003)
        self.assertEqual((flow["src_asn"], flow["src_label"]), (64999, "new"))

        # off, and the fields are gone
        self.write("nfstreamd.yaml", self.configuration(port, []))
        self.reload(daemon)
        self.assertNotIn("src_asn", self.flow_from(daemon, collector, 50004))
        self.assertEqual(self.status(daemon)["enrichment"], [])
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
