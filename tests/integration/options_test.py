#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is told beside the flows, read by tshark, nfcapd, nfacctd and nfstreamctl."""
import json
import pathlib
import re
import socket
import threading

import harness
from harness import CAPTURES, wait_for

SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "http", "tls12")]
ALL = ("PrivateEnterpriseNumber", "FlowKeyIndicator", "System Init Time Milliseconds", "Sampling Packet Interval",
       "Exported Octet Total Count", "Ignored Packet Total Count", "Not Sent Flow Total Count", "ApplicationName")


class Options(harness.TestCase):
    def settings(self, port, *settings):
        return self.write("export.yaml", "exporters:\n  - {name: main, type: ipfix, "
                                         f"collectors: ['udp://127.0.0.1:{port}'], {', '.join(settings)}}}\n")

    def datagrams(self, *settings):
        received = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(0.2)
            done = threading.Event()

            def read():
                while True:
                    try:
                        received.append(receiver.recv(65535))
                    except TimeoutError:
                        if done.is_set():
                            return
            reader = threading.Thread(target=read)
            reader.start()
            try:
                path = self.settings(receiver.getsockname()[1], *settings)
                self.nfstreamd("-c", path, "-r", *SOME)
            finally:
                done.set()
                reader.join()
        return received

    def tshark(self, datagrams, *arguments):
        frames = [harness.udp_frame("192.0.2.1", 50000, "192.0.2.2", 4739, datagram) for datagram in datagrams]
        path = harness.write_pcap(self.folder / "export.pcap", frames)
        return self.run_program("tshark", "-r", path, "-d", "udp.port==4739,cflow", *arguments).stdout

    def test_tshark_decodes_all_of_them_by_name(self):
        datagrams = self.datagrams("options: true")
        self.assertEqual(self.tshark(datagrams, "-Y", "_ws.malformed || _ws.expert.severity == error"), "")
        decoded = self.tshark(datagrams, "-V")
        self.assertNotIn("No template found", decoded)
        print(decoded)


if __name__ == "__main__":
    harness.main()
