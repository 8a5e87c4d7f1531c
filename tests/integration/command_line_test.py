#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line as users and scripts rely on it: exit statuses, where output goes, what messages say."""
import csv
import io
import json
import os
import struct

import harness
from harness import CAPTURES, NFSTREAMCTL, NFSTREAMD

DNS = CAPTURES / "dns.pcap"


class Help(harness.TestCase):
    def test_version_names_the_libraries(self):
        out = self.nfstreamd("-V").stdout.lower()
        for word in ("nfstreamd", "libpcap", "ndpi", "fixbuf"):
            self.assertIn(word, out)
        self.assertIn("nfstreamctl", self.run_program(NFSTREAMCTL, "--version").stdout)

    def test_help_names_every_option_of_the_contract(self):
        out = self.nfstreamd("--help").stdout
        for option in ("--config", "--check-config", "--print-config", "--read", "--write", "--format", "--set",
                       "--list-fields", "--list-exporters", "--list-interfaces", "--version", "--help"):
            self.assertIn(option, out)
        for verb in ("collect", "status", "expire"):
            self.assertIn(verb, self.run_program(NFSTREAMCTL, "-h").stdout)

    def test_usage_errors_are_status_2_and_say_so_on_stderr(self):
        for arguments in (["--no-such-option"], ["-r"], ["--set", "metering.idle_timeout"], ["surplus"],
                          ["-r", DNS, "-w", "flows.parquet"], ["-r", DNS, "--format", "parquet"]):
            with self.subTest(arguments=arguments):
                run = self.nfstreamd(*arguments, status=2)
                self.assertEqual(run.stdout, "")
                self.assertNotEqual(run.stderr, "")
        self.run_program(NFSTREAMCTL, "no-such-verb", status=2)

    def test_lists(self):
        fields = self.nfstreamd("--list-fields").stdout
        for column in ("src_ip", "src2dst_bytes", "bidirectional_packets", "application_name"):
            self.assertIn(column, fields)
        exporters = self.nfstreamd("--list-exporters").stdout
        for exporter in ("ipfix", "csv", "json", "template_refresh", "rate_limit"):
            self.assertIn(exporter, exporters)
        self.assertIn("lo", self.nfstreamd("--list-interfaces").stdout.split())


class Files(harness.TestCase):
    def test_json_lines_on_stdout_are_the_default(self):
        flows = [json.loads(line) for line in self.nfstreamd("-r", DNS).stdout.splitlines()]
        self.assertGreater(len(flows), 0)
        rows = self.csv_of(DNS)
        self.assertEqual([flow["src_ip"] for flow in flows], [row["src_ip"] for row in rows])
        self.assertEqual([flow["src2dst_packets"] for flow in flows], [int(row["src2dst_packets"]) for row in rows])

    def test_the_suffix_chooses_the_format_and_format_overrides_it(self):
        self.nfstreamd("-r", DNS, "-w", self.folder / "a.csv")
        self.nfstreamd("-r", DNS, "-w", self.folder / "a.json")
        self.nfstreamd("-r", DNS, "-w", self.folder / "a.ipfix")
        self.nfstreamd("-r", DNS, "-w", self.folder / "a.txt", "--format", "csv")
        text = (self.folder / "a.csv").read_text()
        self.assertTrue(text.startswith("id,expiration_id,src_ip,"), text[:80])
        self.assertEqual(text, (self.folder / "a.txt").read_text())
        for line in (self.folder / "a.json").read_text().splitlines():
            json.loads(line)
        version = struct.unpack(">H", (self.folder / "a.ipfix").read_bytes()[:2])[0]
        self.assertEqual(version, 10)

    def test_a_dash_writes_to_stdout(self):
        out = self.nfstreamd("-r", DNS, "-w", "-", "--format", "csv").stdout
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(rows, self.csv_of(DNS))

    def test_several_files_are_one_run_in_order(self):
        one, two = self.csv_of(CAPTURES / "ntp.pcap"), self.csv_of(CAPTURES / "sip.pcap")
        both = self.csv_of(CAPTURES / "ntp.pcap", CAPTURES / "sip.pcap")
        self.assertEqual(harness.total(both, "bidirectional_packets"),
                         harness.total(one + two, "bidirectional_packets"))

    def test_the_same_run_twice_gives_the_same_bytes(self):
        outs = [self.nfstreamd("-r", CAPTURES / "http.pcap", "-w", "-", "--format", "csv").stdout for _ in range(2)]
        self.assertEqual(*outs)

    def test_no_password_is_in_any_output(self):
        capture = CAPTURES / "ftp.pcap"
        self.assertIn(b"PASS ftp@example.com", capture.read_bytes())
        groups = {line.split()[1] for line in self.nfstreamd("--list-fields").stdout.splitlines()[1:]}
        self.assertIn("l7_details", groups)
        settings = ["metering.l7_details=true", "metering.statistical_analysis=true", "metering.splt_analysis=10",
                    "private_enterprise_number=32473"]
        fields = "default,details,base,l7_details"
        for suffix, more in (("csv", [f"exporters.write.fields=[{fields}]"]),
                             ("json", [f"exporters.write.fields=[{fields}]"]), ("ipfix", [])):
            with self.subTest(suffix=suffix):
                out = self.folder / f"all.{suffix}"
                self.nfstreamd("-r", capture, "-w", out, *(word for s in settings + more for word in ("--set", s)))
                written = out.read_bytes()
                self.assertIn(b"FTP_CONTROL", written)
                self.assertIn(b"Clear-Text Credentials", written)  # nDPI saw them
                self.assertNotIn(b"ftp@example", written)

    def test_rules_of_ndpi_name_flows(self):
        rules = self.write("rules.txt", 'tcp:53@Transfer\nhost:"t.example.org"@Texts\n')
        names = {(row["protocol"], row["requested_server_name"], row["application_name"])
                 for row in self.csv_of(DNS, settings=[f"ndpi.protocols_file={rules}"])}
        # a port of one's own decides at once, without a look at what is said there
        self.assertEqual(names, {("6", "", "Transfer"), ("17", "t.example.org", "DNS.Texts"),
                                 ("17", "www.example.org", "DNS")})

    def test_a_filter_and_a_timeout_by_set(self):
        rows = self.csv_of(DNS, settings=["capture.bpf_filter=tcp port 80"])
        self.assertEqual(rows, [])
        frames = [harness.udp_frame("10.0.0.1", 1000, "10.0.0.2", 2000)] * 3
        path = harness.write_pcap(self.folder / "slow.pcap", frames, gap_us=10_000_000)
        self.assertEqual(len(self.csv_of(path)), 1)
        self.assertEqual(len(self.csv_of(path, settings=["metering.idle_timeout=5"])), 3)

    def test_a_file_that_ends_inside_a_packet_is_metered_with_a_warning(self):
        whole = DNS.read_bytes()
        cut = self.folder / "cut.pcap"
        cut.write_bytes(whole[:-10])
        run = self.nfstreamd("-r", cut, "-w", self.folder / "cut.csv")
        self.assertIn("cut.pcap", run.stderr)
        with open(self.folder / "cut.csv", newline="", encoding="utf-8") as text:
            rows = list(csv.DictReader(text))
        all_packets = harness.total(self.csv_of(DNS), "bidirectional_packets")
        self.assertEqual(harness.total(rows, "bidirectional_packets"), all_packets - 1)

    def test_no_capture_and_no_file_are_status_1(self):
        text = self.write("text.pcap", "this is no capture\n" * 10)
        self.assertIn("text.pcap", self.nfstreamd("-r", text, status=1).stderr)
        self.assertIn("absent.pcap", self.nfstreamd("-r", self.folder / "absent.pcap", status=1).stderr)

    def test_an_output_that_cannot_be_written_is_status_1(self):
        run = self.nfstreamd("-r", DNS, "-w", self.folder / "no" / "folder" / "a.csv", status=1)
        self.assertIn("a.csv", run.stderr)
        if os.path.exists("/dev/full"):
            self.nfstreamd("-r", DNS, "-w", "/dev/full", "--format", "csv", status=1)

    def test_an_unknown_link_type_is_a_warning_and_status_0(self):
        path = harness.write_pcap(self.folder / "odd.pcap", [b"\0" * 64] * 3, link_type=147)
        run = self.nfstreamd("-r", path)
        self.assertEqual(run.stdout, "")
        self.assertRegex(run.stderr, r"147|USER0")

    def test_an_empty_capture_makes_a_header_alone(self):
        path = harness.write_pcap(self.folder / "empty.pcap", [])
        self.nfstreamd("-r", path, "-w", self.folder / "empty.csv")
        self.assertEqual(len((self.folder / "empty.csv").read_text().splitlines()), 1)
        self.assertEqual(self.nfstreamd("-r", path).stdout, "")


class Configuration(harness.TestCase):
    GOOD = "capture:\n  - interface: lo\nmetering:\n  idle_timeout: 7s\nexporters:\n  - {name: a, type: json, path: /dev/null}\n"

    def test_a_good_file_passes_and_prints_itself_round(self):
        path = self.write("good.yaml", self.GOOD)
        self.nfstreamd("-t", "-c", path)
        printed = self.nfstreamd("--print-config", "-c", path).stdout
        self.assertRegex(printed, r"idle_timeout: 7s?\b")
        again = self.write("printed.yaml", printed)
        self.nfstreamd("-t", "-c", again)
        self.assertEqual(self.nfstreamd("--print-config", "-c", again).stdout, printed)

    def test_set_overrides_the_file(self):
        path = self.write("good.yaml", self.GOOD)
        printed = self.nfstreamd("--print-config", "-c", path, "--set", "metering.idle_timeout=9").stdout
        self.assertRegex(printed, r"idle_timeout: 9s?\b")
        self.nfstreamd("-t", "-c", path, "--set", "metering.idel_timeout=9", status=78)

    def test_all_errors_at_once_each_with_its_place(self):
        path = self.write("bad.yaml", "capture:\n  - interface: lo\n    snapshot_lenght: 96\nmetering:\n"
                                      "  idle_timeout: soon\n  accounting_mode: 9\nexporters:\n"
                                      "  - {name: a, type: carrier_pigeon}\n")
        run = self.nfstreamd("-t", "-c", path, status=78)
        self.assertEqual(run.stdout, "")
        for place, words in (("3:5", "snapshot_lenght"), ("5:17", "idle_timeout"), ("6:20", "accounting_mode"),
                             ("8:", "carrier_pigeon")):
            lines = [line for line in run.stderr.splitlines() if f"bad.yaml:{place}" in line]
            self.assertTrue(any(words in line for line in lines), f"{place} {words}:\n{run.stderr}")

    def test_rules_of_ndpi_are_checked_with_the_line(self):
        protocols = self.write("protocols.txt", "tcp:81@HTTP\nhost:\"\"@Nothing\nudp:70000@Far\n")
        categories = self.write("categories.txt", "example.org 5\n")
        path = self.write("rules.yaml", f"capture: [{{interface: lo}}]\nndpi: {{protocols_file: {protocols}, "
                                        f"categories_file: {categories}}}\n")
        run = self.nfstreamd("-t", "-c", path, status=78)
        for place in (f"{protocols}:2: ndpi.protocols_file: ", f"{protocols}:3: ndpi.protocols_file: ",
                      f"{categories}:1: ndpi.categories_file: "):
            self.assertIn(place, run.stderr)
        protocols.unlink()
        self.assertIn(f"{protocols}: ndpi.protocols_file: there is no such file",
                      self.nfstreamd("-t", "-c", path, status=78).stderr)

    def test_a_file_that_is_no_yaml_or_not_there_is_status_78(self):
        self.assertIn("broken.yaml:2", self.nfstreamd("-t", "-c", self.write("broken.yaml", "a: [1,\n b: }\n"),
                                                      status=78).stderr)
        self.assertIn("absent.yaml", self.nfstreamd("-t", "-c", self.folder / "absent.yaml", status=78).stderr)

    def test_drop_ins_and_environment(self):
        path = self.write("good.yaml", self.GOOD)
        (self.folder / "conf.d").mkdir()
        (self.folder / "conf.d" / "10-name.yaml").write_text("instance: ${PROBE_NAME}\n")
        environment = dict(os.environ, PROBE_NAME="cellar")
        self.assertIn("cellar", self.nfstreamd("--print-config", "-c", path, env=environment).stdout)
        environment.pop("PROBE_NAME")
        self.assertIn("PROBE_NAME", self.nfstreamd("-t", "-c", path, env=environment, status=78).stderr)


class LiveStart(harness.TestCase):
    def configuration(self, interface, more=""):
        return self.write("live.yaml", f"capture:\n  - interface: {interface}\n{more}exporters:\n"
                                       "  - {name: a, type: json, path: /dev/null}\n"
                                       f"control: {{socket: {self.folder}/control.sock}}\n")

    @harness.needs_root("opening an interface")
    def test_a_missing_required_interface_is_status_69(self):
        run = self.nfstreamd("-c", self.configuration("nfsabsent0", "    required: true\n"), status=69)
        self.assertIn("nfsabsent0", run.stderr)

    def test_without_the_capability_it_is_status_77(self):
        command = [NFSTREAMD, "-c", self.configuration("lo")]
        if os.geteuid() == 0:
            command = ["setpriv", "--bounding-set=-net_raw,-net_admin", "--inh-caps=-net_raw,-net_admin", *command]
        run = self.run_program(*command, status=77)
        self.assertIn("lo", run.stderr)


if __name__ == "__main__":
    harness.main()
