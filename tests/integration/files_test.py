#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CSV and JSON files as their readers meet them: pandas, zcat, zstd, logrotate, a look while they are written."""
import contextlib
import csv
import gzip
import hashlib
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import harness
from harness import CAPTURES, NFSTREAMD, wait_for

TRAFFIC = harness.ROOT / "tests" / "integration" / "traffic.py"
PORT = 7777
SOME = [CAPTURES / f"{name}.pcap" for name in ("dns", "ftp", "http", "icmp", "quic", "ssh", "tls12")]
STAMPED = re.compile(r"flows-(\d{8}T\d{6}Z)(_\d+)?\.csv$")

# What a column is in a data frame; all others are whole numbers.
OBJECTS = {"src_ip", "src_mac", "src_oui", "dst_ip", "dst_mac", "dst_oui", "splt_direction", "splt_ps", "splt_piat_ms",
           "application_name", "application_category_name", "requested_server_name", "client_fingerprint",
           "server_fingerprint", "user_agent", "content_type"}
FLOATS = ("_mean_ps", "_stddev_ps", "_mean_piat_ms", "_stddev_piat_ms")

# Prints how pandas reads the file: the type of each column, sums of numbers, the lists of SPLT.
PANDAS = """
import ast, json, sys
import pandas
path = sys.argv[1]
frame = pandas.read_json(path, lines=True, convert_dates=False) if ".json" in path else pandas.read_csv(path)
numbers = frame.select_dtypes("number")
print(json.dumps({
    "types": {column: str(kind) for column, kind in frame.dtypes.items()},
    "sums": {column: float(value) for column, value in numbers.sum().items()},
    "splt_ps": [ast.literal_eval(value) if isinstance(value, str) else value for value in frame.splt_ps],
    "names": [None if value != value else value for value in frame.requested_server_name],
}))
"""


def python_with_pandas():
    """Debian's interpreter has it when the first one in PATH is another."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import pandas"], capture_output=True).returncode == 0:
            return python
    raise AssertionError("python3-pandas is missing: packaging/install-dependencies installs it")


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def readable(path):
    """What is in the file by now, as text: a compressed one up to its last flush, whether or not it has ended."""
    program = {".gz": ["gzip", "-dc"], ".zst": ["zstd", "-dcq"]}.get(path.suffix)
    if not program:
        return path.read_text()
    return subprocess.run([*program, str(path)], capture_output=True, text=True).stdout


class Readers(harness.TestCase):
    def test_pandas_reads_every_column_with_its_type(self):
        settings = ["metering.statistical_analysis=true", "metering.splt_analysis=10"]
        plain = self.csv_of(*SOME, settings=settings)
        python = python_with_pandas()
        for name in ("flows.csv", "flows.csv.gz", "flows.json", "flows.json.gz"):
            with self.subTest(name):
                path = self.folder / name
                self.nfstreamd("-r", *SOME, "-w", path, *(word for s in settings for word in ("--set", s)))
                read = json.loads(self.run_program(python, "-c", PANDAS, path).stdout)
                self.assertEqual(list(read["types"]), list(plain[0]))
                for column, kind in read["types"].items():
                    wanted = ("object" if column in OBJECTS else "float64" if column.endswith(FLOATS) else "int64")
                    self.assertEqual(kind, wanted, column)
                for column, total in read["sums"].items():
                    self.assertAlmostEqual(total, sum(float(row[column]) for row in plain), msg=column)
                self.assertEqual(read["splt_ps"], [json.loads(row["splt_ps"]) for row in plain])
                self.assertEqual([name or None for name in read["names"]],
                                 [row["requested_server_name"] or None for row in plain])

    def test_floats_are_the_shortest_text_that_reads_back(self):
        for row in self.csv_of(*SOME, settings=["metering.statistical_analysis=true"]):
            for column, text in row.items():
                if column.endswith(FLOATS):
                    self.assertEqual(text, repr(float(text)), column)

    def test_the_suffix_compresses_csv_and_json(self):
        for kind in ("csv", "json"):
            plain = self.folder / f"a.{kind}"
            self.nfstreamd("-r", *SOME, "-w", plain)
            for suffix, program in ((".gz", ["zcat"]), (".zst", ["zstd", "-dcq"])):
                path = self.folder / f"a.{kind}{suffix}"
                self.nfstreamd("-r", *SOME, "-w", path)
                # a status of 0: the stream has its end
                self.assertEqual(self.run_program(*program, path).stdout, plain.read_text())
                self.assertLess(path.stat().st_size, plain.stat().st_size / 2)
        self.nfstreamd("-r", SOME[0], "-w", self.folder / "a.ipfix.gz", status=2)

    def test_pseudonyms_are_those_of_hashlib(self):
        key = bytes(range(100, 164))
        secret = self.write("secret", key.hex() + "\n")
        config = self.write("export.yaml", f"exporters:\n  - {{name: hidden, type: csv, path: {self.folder}/h.csv,\n"
                            f"     columns_to_anonymize: [src_ip, dst_port, requested_server_name, user_agent],\n"
                            f"     anonymization_key: !file {secret}}}\n"
                            f"  - {{name: clear, type: csv, path: {self.folder}/c.csv}}\n")
        self.nfstreamd("-c", config, "-r", *SOME)
        hidden, clear = (rows_of((self.folder / name).read_text()) for name in ("h.csv", "c.csv"))
        self.assertGreater(len(clear), 5)
        self.assertEqual(len(hidden), len(clear))
        for have, row in zip(hidden, clear):
            for column, value in row.items():
                if column in ("src_ip", "dst_port", "requested_server_name", "user_agent"):
                    value = hashlib.blake2b(value.encode(), key=key, digest_size=64).hexdigest()
                self.assertEqual(have[column], value, column)
        self.assertNotIn(key.hex(), self.nfstreamd("-c", config, "-r", SOME[0], "--print-config").stdout)

    def test_without_a_key_pseudonyms_differ_from_run_to_run_and_join_within_one(self):
        runs = [self.csv_of(SOME[0], settings=["exporters.write.columns_to_anonymize=[src_ip]"]) for _ in range(2)]
        first, second = ({row["src_ip"] for row in run} for run in runs)
        self.assertEqual(len(first), len({row["src_ip"] for row in self.csv_of(SOME[0])}))
        self.assertTrue(all(len(value) == 128 for value in first))
        self.assertFalse(first & second)


class Rotation(harness.TestCase):
    FLOWS = 3000

    def setUp(self):
        super().setUp()
        self.capture = harness.many_flows(self.folder / "many.pcap", self.FLOWS)

    def run_with(self, path, *settings):
        return self.nfstreamd("-r", self.capture, "-w", path,
                              *(word for s in settings for word in ("--set", f"exporters.write.{s}")))

    def made(self):
        return sorted(path.name for path in self.folder.iterdir() if path.name.startswith("flows"))

    def test_files_have_exactly_n_flows_and_nfstreams_names(self):
        whole = [row["id"] for row in self.csv_of(self.capture)]
        for suffix in (".csv", ".csv.gz", ".csv.zst", ".json"):
            with self.subTest(suffix):
                out = self.folder / "out"
                out.mkdir()
                self.run_with(out / f"flows{suffix}", "flows_per_file=700")
                self.assertEqual(sorted(path.name for path in out.iterdir()),
                                 [f"flows.{index}{suffix}" for index in range(5)])
                ids = []
                for index in range(5):
                    text = readable(out / f"flows.{index}{suffix}")
                    rows = ([json.loads(line) for line in text.splitlines()] if suffix == ".json" else rows_of(text))
                    self.assertEqual(len(rows), 700 if index < 4 else 200)
                    ids += [str(row["id"]) for row in rows]
                self.assertEqual(ids, whole)
                shutil.rmtree(out)

    def test_rotate_files_replaces_the_oldest(self):
        self.run_with(self.folder / "flows.csv", "flows_per_file=700", "rotate_files=2")
        self.assertEqual(self.made(), ["flows.0.csv", "flows.1.csv"])
        first, second = (rows_of((self.folder / name).read_text()) for name in self.made())
        self.assertEqual((len(first), first[0]["id"]), (200, "2800"))
        self.assertEqual((len(second), second[0]["id"]), (700, "2100"))

    def test_without_flows_there_is_no_file(self):
        empty = harness.write_pcap(self.folder / "empty.pcap", [])
        for setting in ("flows_per_file=700", "rotate.size=1MiB"):
            self.nfstreamd("-r", empty, "-w", self.folder / "flows.csv", "--set", f"exporters.write.{setting}")
            self.assertEqual(self.made(), [])

    def test_no_reader_ever_sees_an_incomplete_file_under_its_final_name(self):
        seen, faults, stop = set(), [], threading.Event()

        def watch():
            while not stop.is_set():
                for path in set(self.folder.glob("flows.*.csv")) - seen:
                    seen.add(path)
                    text = path.read_text()
                    if text.count("\n") != 101 or not text.endswith("\n"):
                        faults.append((path.name, text.count("\n")))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            self.run_with(self.folder / "flows.csv", "flows_per_file=100", "queue_records=64")
        finally:
            stop.set()
            watcher.join()
        self.assertEqual(faults, [])
        self.assertEqual(len(self.made()), 30)

    def test_rotation_by_size_keeps_every_flow_and_the_newest_files_only(self):
        self.run_with(self.folder / "flows.csv", "rotate.size=64KiB")
        texts = [(self.folder / name).read_text() for name in self.made()]
        self.assertGreater(len(texts), 5)
        self.assertLessEqual(max(map(len, texts)), 65536)
        self.assertEqual(sorted(int(row["id"]) for text in texts for row in rows_of(text)), list(range(self.FLOWS)))
        before = set(self.made())
        keep = self.write("flows-2026.csv", "not ours")
        self.run_with(self.folder / "flows.csv", "rotate.size=64KiB", "rotate.keep=3")
        pieces = [name for name in self.made() if STAMPED.match(name)]
        self.assertEqual(len(pieces), 3)
        self.assertTrue(keep.exists())
        self.assertFalse(before & set(pieces))

    def test_a_size_and_a_unit_that_make_no_sense_are_errors_with_their_place(self):
        config = self.write("bad.yaml", f"exporters:\n  - type: csv\n    path: {self.folder}/flows.csv\n"
                            "    rotate_files: 2\n    rotate: {every: soon}\n")
        self.assertIn("rotate.every", self.nfstreamd("-t", "-c", config, "-r", self.capture, status=78).stderr)
        config.write_text(config.read_text().replace("soon", "1h"))
        self.assertIn("bad.yaml:4:19: exporters[0]: rotate_files",
                      self.nfstreamd("-t", "-c", config, "-r", self.capture, status=78).stderr)


@harness.needs_root("live capture")
class Live(harness.TestCase):
    def setUp(self):
        super().setUp()
        self.probe = harness.Namespace(self)
        self.out = self.folder / "out"
        self.out.mkdir()

    def configuration(self, path, settings="", flush="50ms"):
        return (f"capture:\n  - interface: lo\n    bpf_filter: udp dst port {PORT}\nmetering: {{idle_timeout: 1}}\n"
                f"exporters:\n  - {{name: file, type: csv, path: {path}, flush_interval: {flush}{settings}}}\n"
                f"control: {{socket: {self.folder}/control.sock}}\n")

    def begin(self, configuration):
        daemon = self.daemon(configuration, namespace=self.probe)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["up"], daemon.describe)
        return daemon

    def send(self, *sources):
        self.probe.run(sys.executable, "-B", TRAFFIC, "send", "127.0.0.1", PORT, *sources)

    def reload(self, daemon, configuration):
        before = self.status(daemon)["reload"]["applied"]
        self.write("nfstreamd.yaml", configuration)
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.status(daemon)["reload"]["applied"] == before + 1, daemon.describe)

    def exporter(self, daemon):
        return self.status(daemon)["exporters"][0]

    def ports(self, *paths):
        return sorted(int(row["src_port"]) for path in paths for row in rows_of(readable(path)))

    def wait_for_ports(self, daemon, path, wanted):
        wait_for(lambda: path.exists() and self.ports(path) == wanted, lambda: f"{self.ports(path)}\n{daemon.describe()}")

    def test_a_file_can_be_read_while_it_is_written(self):
        for suffix in ("", ".gz", ".zst"):
            with self.subTest(suffix):
                path = self.out / f"flows.csv{suffix}"
                daemon = self.begin(self.configuration(path))
                self.send(41001)
                self.wait_for_ports(daemon, path, [41001])
                self.send(41002)
                self.wait_for_ports(daemon, path, [41001, 41002])
                self.assertEqual(self.exporter(daemon)["records"], 2)
                if suffix:  # nothing has pretended to be the end
                    tool = {".gz": "gzip", ".zst": "zstd"}[suffix]
                    self.assertNotEqual(subprocess.run([tool, "-tq", str(path)], capture_output=True).returncode, 0)
                self.assertEqual(daemon.stop(), 0, daemon.describe())
                if suffix:
                    self.run_program(tool, "-tq", path)

    def test_time_ends_a_file_on_a_silent_link_at_full_seconds(self):
        path = self.out / "flows.csv"
        daemon = self.begin(self.configuration(path, ", rotate: {every: 2s, keep: 2}"))
        sources = [42001, 42002, 42003]
        for index, source in enumerate(sources):
            self.send(source)
            wait_for(lambda: self.is_in_a_piece(source), daemon.describe)
        wait_for(lambda: len(self.pieces()) == 2, daemon.describe)  # so many are kept
        pieces = self.pieces()
        self.assertEqual(self.ports(*pieces), sources[-2:])
        for piece in pieces:
            stamp = STAMPED.match(piece.name).group(1)
            self.assertEqual(int(stamp[-3:-1]) % 2, 0, stamp)
            self.assertLessEqual(abs(piece.stat().st_mtime - time.mktime(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
                                     + time.timezone), 3)
        time_was = len(pieces)
        header = path.read_text()
        self.assertEqual(rows_of(header), [])
        self.assertTrue(header.startswith("id,"))
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(len(self.pieces()), time_was)
        self.assertFalse(path.exists())  # it had no flows

    def is_in_a_piece(self, source):
        for piece in self.pieces():
            with contextlib.suppress(FileNotFoundError):  # the oldest may be removed under our eyes
                if source in self.ports(piece):
                    return True
        return False

    def pieces(self):
        return sorted(path for path in self.out.iterdir() if STAMPED.match(path.name))

    def test_a_reload_goes_on_in_the_same_file(self):
        path = self.out / "flows.csv"
        daemon = self.begin(self.configuration(path, ", rotate: {every: 24h}"))
        self.send(43001)
        self.wait_for_ports(daemon, path, [43001])
        self.reload(daemon, self.configuration(path, ", rotate: {every: 24h}", flush="60ms"))
        self.send(43002)
        self.wait_for_ports(daemon, path, [43001, 43002])
        self.assertEqual(self.pieces(), [])
        self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(self.ports(path), [43001, 43002])

    def test_a_reload_begins_a_new_compressed_file_and_keeps_the_former(self):
        path = self.out / "flows.csv.gz"
        daemon = self.begin(self.configuration(path))
        self.send(43001)
        self.wait_for_ports(daemon, path, [43001])
        self.reload(daemon, self.configuration(path, flush="60ms"))
        self.send(43002)
        self.wait_for_ports(daemon, path, [43002])
        former = [name for name in self.out.iterdir() if name != path]
        self.assertEqual(len(former), 1)
        with gzip.open(former[0], "rt") as text:  # complete
            self.assertEqual([row["src_port"] for row in csv.DictReader(text)], ["43001"])
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_restart_keeps_what_was_written(self):
        path = self.out / "flows.csv"
        for source in (44001, 44002):
            daemon = self.begin(self.configuration(path, ", rotate: {every: 24h}"))
            self.send(source)
            self.wait_for_ports(daemon, path, [source])
            self.assertEqual(daemon.stop(), 0, daemon.describe())
        self.assertEqual(self.ports(path), [44002])
        self.assertEqual(self.ports(*self.pieces()), [44001])

    def test_a_file_that_is_moved_away_ends_and_nothing_is_lost(self):
        path, moved = self.out / "flows.csv", self.out / "moved"
        daemon = self.begin(self.configuration(path))
        self.send(45001)
        self.wait_for_ports(daemon, path, [45001])
        path.rename(moved)  # as logrotate does
        wait_for(path.exists, daemon.describe)
        self.send(45002)
        self.wait_for_ports(daemon, path, [45002])
        self.assertEqual(self.ports(moved), [45001])
        self.assertEqual(daemon.stop(), 0, daemon.describe())

    def test_a_folder_that_is_gone_is_said_and_counted_and_what_came_meanwhile_is_written(self):
        path = self.out / "flows.csv"
        daemon = self.begin(self.configuration(path, ", rotate: {every: 24h}"))
        self.send(46001)
        self.wait_for_ports(daemon, path, [46001])
        shutil.rmtree(self.out)
        wait_for(lambda: self.exporter(daemon)["failures"] > 0, daemon.describe)
        self.assertIn(str(path), daemon.stderr())
        self.send(46002)
        wait_for(lambda: self.status(daemon)["interfaces"][0]["flows_active"] == 0, daemon.describe)
        self.out.mkdir()
        self.wait_for_ports(daemon, path, [46002])
        self.assertEqual(daemon.stop(), 0, daemon.describe())


if __name__ == "__main__":
    harness.main()
