# SPDX-License-Identifier: Apache-2.0
"""Collectors of others, and the configurations of exporters/collectors/ that feed them: nfcapd, nfacctd, tshark, ipfixDump;
and a plain receiver. What each stored comes back as dictionaries of text, to be compared with the CSV of the same run."""
import collections
import contextlib
import csv
import json
import pathlib
import re
import signal
import socket
import threading
import time

import harness
from harness import CAPTURES, wait_for

PAGES = harness.ROOT / "exporters" / "collectors"
EVERY = sorted(CAPTURES.glob("*.pcap"))


def blocks(page, language="yaml"):
    """The fenced blocks of a page that are in this language, or are this file."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```", text, re.S | re.M)


def replaced(text, *pairs):
    """The text with every first of the pairs replaced; one that is not there is a failure."""
    for old, new in pairs:
        if old not in text:
            raise AssertionError(f"{old} is not in {text}")
        text = text.replace(old, new)
    return text


def ours(page, port, index=0):
    """Our configuration on the page, with a port of this machine."""
    return re.sub(r"//[\w.]+:\d+", f"//127.0.0.1:{port}", blocks(page)[index])


def directions(row):
    """A flow of the CSV as one or two of one direction each, with the names of the direction from source to destination."""
    yield row
    if int(row["dst2src_packets"]) == 0:
        return
    back = dict(row)
    for one, other in (("src_ip", "dst_ip"), ("src_port", "dst_port"), ("src_mac", "dst_mac")):
        back[one], back[other] = row[other], row[one]
    for name in row:
        if name.startswith("dst2src_"):
            back[name.replace("dst2src", "src2dst")] = row[name]
    back["icmp_type_code"] = str(256 * int(row["dst2src_icmp_type"]) + int(row["dst2src_icmp_code"]))
    yield back


class CollectorCase(harness.TestCase):
    def export(self, exporters, *captures, settings=(), fields="default, base, details"):
        """One run over the captures to these exporters and a CSV file beside them; the CSV's rows."""
        rows = self.folder / f"beside-{time.monotonic_ns()}.csv"
        path = self.write("export.yaml", exporters + f"  - {{name: beside, type: csv, path: {rows}, fields: [{fields}]}}\n")
        self.nfstreamd("-c", path, "-r", *captures, *(word for s in settings for word in ("--set", s)))
        return self.csv_rows(rows)

    def csv_rows(self, path):
        with open(path, newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))

    def check_same(self, stored, expected):
        """Dictionaries of text, in any order; the names that count are those of `expected`."""
        self.assertGreater(len(expected), 0)
        names = list(expected[0])
        def counted(flows):
            return collections.Counter(tuple(flow.get(name) for name in names) for flow in flows)
        read, sent = counted(stored), counted(expected)
        missing, others = list((sent - read).elements()), list((read - sent).elements())
        wrong = []
        for flow in missing[:3]:  # each with the one that is most like it
            like = max(others, key=lambda other: sum(map(str.__eq__, map(str, flow), map(str, other))), default=())
            wrong.append([(name, f"sent {one}", f"read {other}") for name, one, other in zip(names, flow, like)
                          if one != other] or flow)
        self.assertEqual((len(missing), len(others), wrong), (0, 0, []), f"{len(stored)} stored of {len(expected)}")

    def nfcapd(self, namespace=None):
        """A running nfcapd with its `port`."""
        spool, port = self.folder / f"nfcapd-{time.monotonic_ns()}", harness.free_port()
        spool.mkdir()
        process = self.start("nfcapd", "-w", spool, "-b", "127.0.0.1", "-p", port, "-t", "60", "-B", "8388608",
                             namespace=namespace)
        process.spool, process.port = spool, port
        wait_for(lambda: process.listens(port) or not process.running(), process.describe)
        return process

    def nfdump(self, nfcapd):
        """Ends nfcapd; the flows of its files, all that nfdump shows of them."""
        wait_for(lambda: nfcapd.has_read(nfcapd.port), nfcapd.describe)
        self.assertEqual(nfcapd.stop(), 0, nfcapd.describe())
        nfcapd.log = nfcapd.stdout() + nfcapd.stderr()
        flows = []
        for file in nfcapd.spool.glob("nfcapd.2*"):
            for line in self.run_program("nfdump", "-q", "-6", "-r", file, "-o", "raw").stdout.splitlines():
                if line.startswith("Flow Record"):
                    flows.append({})
                name, equals, value = line.partition("=")
                if equals:
                    flows[-1][name.strip()] = value.strip()
        return flows

    def nfacctd(self, configuration, primitives=""):
        """A running nfacctd with its `port`; the configuration is as its page has it."""
        port, out = harness.free_port(), self.folder / f"nfacctd-{time.monotonic_ns()}.json"
        list_of = self.write("primitives.lst", primitives)
        text = replaced(configuration, ("nfacctd_port: 4739", f"nfacctd_port: {port}\nnfacctd_ip: 127.0.0.1"),
                        ("/etc/pmacct/primitives.lst", str(list_of)), ("/var/lib/pmacct/flows.json", str(out)),
                        ("print_refresh_time[flows]: 60", "print_refresh_time[flows]: 1"))
        process = self.start("nfacctd", "-f", self.write("nfacctd.conf", text))
        process.port, process.json = port, out
        # it listens before its plugin takes anything, which then is lost
        wait_for(lambda: "Purging cache - END" in process.stdout() + process.stderr() or not process.running(),
                 process.describe)
        return process

    def printed(self, nfacctd):
        """Ends nfacctd; the lines that it printed, all values as text."""
        wait_for(lambda: nfacctd.has_read(nfacctd.port), nfacctd.describe)
        nfacctd.stop(signal.SIGINT)  # it prints what it has
        wait_for(lambda: nfacctd.json.exists() and nfacctd.json.read_text(), nfacctd.describe)
        return [{name: str(value) for name, value in json.loads(line).items()}
                for line in nfacctd.json.read_text().splitlines()]

    @contextlib.contextmanager
    def receiver(self):
        """A port that takes datagrams: `port` and, when the block has ended, all `datagrams`."""
        class Receiver:
            datagrams = []
        received = Receiver()
        received.datagrams = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            taken.bind(("127.0.0.1", 0))
            taken.settimeout(0.2)
            received.port = taken.getsockname()[1]
            done = threading.Event()

            def read():
                while True:
                    try:
                        received.datagrams.append(taken.recv(65535))
                    except TimeoutError:
                        if done.is_set():
                            return
            reader = threading.Thread(target=read)
            reader.start()
            try:
                yield received
            finally:
                done.set()
                reader.join()

    def tshark(self, datagrams, *arguments, port=4739):
        """What tshark prints of them, in UTC."""
        frames = [harness.udp_frame("192.0.2.1", 50000, "192.0.2.2", port, datagram) for datagram in datagrams]
        path = harness.write_pcap(self.folder / "export.pcap", frames)
        # it knows templates of 60 fields, if nobody tells it otherwise
        return self.run_program("tshark", "-r", path, "-d", f"udp.port=={port},cflow", "-o",
                                "cflow.max_template_fields:256", *arguments).stdout
