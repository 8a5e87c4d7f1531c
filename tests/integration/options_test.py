#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is told beside the flows, read by tshark, nfcapd, nfacctd and nfstreamctl."""
import json

import collectors
import harness
from harness import CAPTURES, wait_for

SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "tls12")]
# As tshark prints them.
NAMES = ("Observation Domain Id", "Metering Process Id", "FlowsExp", "Ignored Packets", "Ignored Octets", "FlowExporter",
         "Not Sent Flows", "Not Sent Packets", "Not Sent Octets", "Observation Time Milliseconds", "Template Id",
         "floKeyIndicator", "System Init Time", "Sampling Packet Interval", "Sampling interval",
         "Private Enterprise Number", "Information Element Name", "ApplicationName", "ApplicationDesc",
         "Application Category Name", "Layer 7 protocol \\(numeric\\)")


class Options(collectors.CollectorCase):
    def settings(self, port, *settings):
        return self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, "
                                         f"collectors: ['udp://127.0.0.1:{port}'], {', '.join(settings)}}}\n")

    def datagrams(self, *settings):
        with self.receiver() as received:
            self.nfstreamd("-c", self.settings(received.port, *settings), "-r", *SOME)
        return received.datagrams

    def test_tshark_decodes_all_of_them_by_name(self):
        datagrams = self.datagrams("options: true")
        self.assertEqual(self.tshark(datagrams, "-Y", "_ws.malformed || _ws.expert.severity == error"), "")
        decoded = self.tshark(datagrams, "-V")
        self.assertNotIn("No template found", decoded)
        for name in NAMES:
            self.assertRegex(decoded, rf"\b{name}: ")
        self.assertRegex(decoded, r"ApplicationName: TLS\b")
        self.assertRegex(decoded, r"FlowsExp: 0\b")
        self.assertRegex(decoded, rf"FlowsExp: {len(self.csv_of(*SOME))}\b")  # at the end

    def test_only_those_that_are_asked_for_are_sent(self):
        decoded = self.tshark(self.datagrams("options: [flow_keys]"), "-V")
        self.assertIn("floKeyIndicator: ", decoded)
        for name in ("Metering Process Id", "FlowsExp", "Ignored Packets", "Not Sent Flows", "System Init Time", "ApplicationDesc",
                     "Sampling interval", "Private Enterprise Number"):
            self.assertNotRegex(decoded, rf"\b{name}: ")
        self.assertNotIn("Options Template", self.tshark(self.datagrams("options: false"), "-V"))

    def test_nfstreamctl_prints_them_and_every_application_once(self):
        path = self.folder / "flows.ipfix"
        frames = [frame for capture in SOME for frame in harness.read_pcap(capture)[1]]
        capture = harness.write_pcap(self.folder / "some.pcap", frames + [b"\x02" * 14 + b"\x45" * 10] * 3)
        self.nfstreamd("-r", capture, "-w", path)
        lines = [json.loads(line) for line in self.run_program(harness.NFSTREAMCTL, "collect", path).stdout.splitlines()]
        told = [line for line in lines if "_options" in line]
        applications = [line["application_name"] for line in told if "applicationDescription" in line]
        self.assertGreater(len(applications), 200)
        self.assertEqual(len(applications), len(set(applications)))
        names = {line["application_id"]: line["application_name"] for line in told if "applicationDescription" in line}
        flows = [line for line in lines if "_options" not in line]
        for flow in flows:
            self.assertIn(names[flow["application_id"]], flow["application_name"].split("."))
        counts = [line["exportedFlowRecordTotalCount"] for line in told if "exportedFlowRecordTotalCount" in line]
        self.assertEqual(counts[-1], len(flows))

    def test_nfacctd_calls_flows_by_their_application(self):
        port = harness.free_port()
        output = self.folder / "flows.csv"
        path = self.write("nfacctd.conf", f"""\
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: {port}
plugins: print[a]
aggregate[a]: src_host,dst_host,class
print_output[a]: csv
print_refresh_time[a]: 1
print_output_file[a]: {output}
nfacctd_time_new: true
classifier_table_num: 1024
""")
        nfacctd = self.start("nfacctd", "-f", path)
        # it listens before its plugin takes anything, which then is lost
        wait_for(lambda: "Purging cache - END" in nfacctd.stdout() + nfacctd.stderr() or not nfacctd.running(),
                 nfacctd.describe)
        config = self.settings(port, "application_id: user5", "options_text: 24", "biflow: false",
                               "options: [sampling, applications]", "rate_limit: 500")
        self.nfstreamd("-c", config, "-r", *SOME)
        wait_for(lambda: output.exists() and output.stat().st_size > 40, nfacctd.describe, 30)
        classes = {row.split(",")[0] for row in output.read_text().splitlines()[1:]}
        nfacctd.stop(2)
        self.assertEqual(classes, {"TLS", "DNS", "HTTP"})

    def test_nfcapd_takes_the_names_and_misses_nothing(self):
        nfcapd = self.nfcapd()
        config = self.settings(nfcapd.port, "application_id: user4", "options_text: 24",
                               "options: [sampling, applications, interfaces]", "rate_limit: 500")
        self.nfstreamd("-c", config, "-r", *SOME)
        flows = self.nfdump(nfcapd)
        self.assertIn("Sequence Errors: 0, Bad Packets: 0", nfcapd.log)
        self.assertNotIn("nbar", nfcapd.log)  # it complains of records that it cannot read
        # nfdump 1.7.1 has the octets of IPFIX in the other order, and finds no name; 91 is TLS
        self.assertTrue([flow for flow in flows if flow["app ID"].startswith(("91..6", "6..91"))])


if __name__ == "__main__":
    harness.main()
