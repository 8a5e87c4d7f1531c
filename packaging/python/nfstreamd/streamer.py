# SPDX-License-Identifier: Apache-2.0
"""nfstream 6's NFStreamer, and the Streamer of nfstream 0.x."""
import json
import threading
from collections.abc import Iterable

from . import running
from .flow import NFlow
from .nfstream0 import Streamer
from .nfstream3 import ARGUMENTS as ARGUMENTS_OF_NFSTREAM3
from .parameters import Parameter, is_bool, is_integer, is_text_or_none
from .plugin import NFPlugin
from .tables import Pseudonyms, data_frame

__all__ = ["NFStreamer", "Streamer"]

MOST_MILLISECONDS = 2**64 - 1


def is_timeout(value):
    return isinstance(value, int) and 0 <= value * 1000 <= MOST_MILLISECONDS


def is_plugins(value):
    if value is None or isinstance(value, NFPlugin):
        return True
    return isinstance(value, Iterable) and all(isinstance(plugin, NFPlugin) for plugin in value)


class Source(Parameter):
    def adapt(self, streamer, value):
        streamer._sources, streamer._live = running.find_source(value)
        return streamer._sources if type(value) is list else streamer._sources[0]


class Plugins(Parameter):
    def adapt(self, streamer, value):
        if value is None:
            return ()
        return (value,) if isinstance(value, NFPlugin) else value


class Sequence(Parameter):
    def adapt(self, streamer, value):
        if value > 255:
            print("[WARNING]: The specified splt_analysis parameter is higher than 255. "
                  "High values can impact the performance of the tool.")
        return value


class Meters(Parameter):
    """0: as many as are of use, which is told when it is read."""

    def __get__(self, streamer, owner=None):
        return super().__get__(streamer, owner) or self._of_use(streamer)

    @staticmethod
    def _most(streamer):
        return max(running.processors() - (1 if streamer._live else 0), 1)

    def _of_use(self, streamer):
        """Of files one, unless there is much to dissect: each reads all packets. Plugins wait for one another."""
        most = self._most(streamer)
        if streamer._live:
            return most
        if streamer.n_dissections == 0 or streamer.udps or streamer.max_nflows > 0:
            return 1
        return min(most, running.meters_for(streamer._sources))

    def adapt(self, streamer, value):
        most = self._most(streamer)
        if value > most:
            print(f"WARNING: n_meters set to :{most} in order to avoid contention.")
        return min(value, most)


class Visibility(Parameter):
    def adapt(self, streamer, value):
        if value > 0 and not streamer._live and type(streamer.source) is not list:
            print("WARNING: system_visibility_mode switched to 0 in offline capture "
                  "(available only for live capture)")
            return 0
        return value


class NFStreamer:
    """Flows of capture files or of a network interface.

    >>> from nfstreamd import NFStreamer
    >>> for flow in NFStreamer(source="capture.pcap"):
    ...     print(flow)
    >>> frame = NFStreamer(source="capture.pcap", statistical_analysis=True).to_pandas()

    Attributes may be assigned anew before the next iteration. With an argument that nfstream 3 alone
    has (plugins, dissect, snaplen, max_tcp_dissections, max_udp_dissections) it is nfstream 3's.
    """

    source = Source(lambda value: True, running.INVALID_SOURCE)
    decode_tunnels = Parameter(
        is_bool, "Please specify a valid decode_tunnels parameter (possible values: True, False).")
    bpf_filter = Parameter(is_text_or_none, "Please specify a valid bpf_filter format.")
    promiscuous_mode = Parameter(
        is_bool, "Please specify a valid promiscuous_mode parameter (possible values: True, False).")
    snapshot_length = Parameter(
        is_integer(1), "Please specify a valid snapshot_length parameter (positive integer).")
    socket_buffer_size = Parameter(
        is_integer(0, 2**31 - 1),
        "Please specify a valid socket_buffer_size parameter (positive integer <= 2^31-1).")
    idle_timeout = Parameter(
        is_timeout, "Please specify a valid idle_timeout parameter (positive integer in seconds).")
    active_timeout = Parameter(
        is_timeout, "Please specify a valid active_timeout parameter (positive integer in seconds).")
    accounting_mode = Parameter(
        is_integer(0, 3), "Please specify a valid accounting_mode parameter (possible values: 0, 1, 2, 3).")
    udps = Plugins(is_plugins, "User defined plugins must inherit from NFPlugin type.")
    n_dissections = Parameter(
        is_integer(0, 255), "Please specify a valid n_dissections parameter (possible values in : [0,...,255]).")
    statistical_analysis = Parameter(
        is_bool, "Please specify a valid statistical_analysis parameter (possible values: True, False).")
    splt_analysis = Sequence(
        is_integer(0, 65535), "Please specify a valid splt_analysis parameter (possible values in : [0,...,65535])")
    n_meters = Meters(
        is_integer(0), "Please specify a valid n_meters parameter (>=1 or 0 for auto scaling).")
    max_nflows = Parameter(is_integer(0), "Please specify a valid max_nflows parameter (>=0).")
    performance_report = Parameter(
        is_integer(0),
        "Please specify a valid performance_report parameter (>=1 for reporting interval (seconds)"
        " or 0 to disable). [Available only for Live capture]")
    system_visibility_mode = Visibility(
        is_integer(0, 1),
        "Please specify a valid system_visibility_mode parameter\n0: disable\n1: process information\n"
        "[Available only for live capture on the system generating the traffic]")
    system_visibility_poll_ms = Parameter(
        is_integer(0), "Please specify a valid system_visibility_poll_ms parameter (positive integer in milliseconds)")

    def __new__(cls, *args, **kwargs):
        if cls is NFStreamer and ARGUMENTS_OF_NFSTREAM3 & kwargs.keys():
            from .nfstream3 import NFStreamer as NFStreamer3
            return NFStreamer3(*args, **kwargs)
        return super().__new__(cls)

    def __init__(self, source=None, decode_tunnels=True, bpf_filter=None, promiscuous_mode=True,
                 snapshot_length=1536, socket_buffer_size=0, idle_timeout=120, active_timeout=1800,
                 accounting_mode=0, udps=None, n_dissections=20, statistical_analysis=False, splt_analysis=0,
                 n_meters=0, max_nflows=0, performance_report=0, system_visibility_mode=0,
                 system_visibility_poll_ms=100):
        self.source = source
        self.decode_tunnels = decode_tunnels
        self.bpf_filter = bpf_filter
        self.promiscuous_mode = promiscuous_mode
        self.snapshot_length = snapshot_length
        self.socket_buffer_size = socket_buffer_size
        self.idle_timeout = idle_timeout
        self.active_timeout = active_timeout
        self.accounting_mode = accounting_mode
        self.udps = udps
        self.n_dissections = n_dissections
        self.statistical_analysis = statistical_analysis
        self.splt_analysis = splt_analysis
        self.n_meters = n_meters
        self.max_nflows = max_nflows
        self.performance_report = performance_report
        self.system_visibility_mode = system_visibility_mode
        self.system_visibility_poll_ms = system_visibility_poll_ms

    def _start(self):
        return running.start(
            self._sources, self._live, NFlow, plugins=self.udps,
            decode_tunnels=self.decode_tunnels, bpf_filter=self.bpf_filter,
            promiscuous_mode=self.promiscuous_mode, snapshot_length=min(self.snapshot_length, 262144),
            socket_buffer_size=self.socket_buffer_size, idle_timeout=self.idle_timeout,
            active_timeout=self.active_timeout, accounting_mode=self.accounting_mode,
            n_dissections=(self.n_dissections,) * 3, statistical_analysis=self.statistical_analysis,
            splt_analysis=self.splt_analysis, n_meters=self.n_meters, max_nflows=self.max_nflows,
            system_visibility_mode=self.system_visibility_mode,
            system_visibility_poll_ms=self.system_visibility_poll_ms)

    def __iter__(self):
        reader = self._start()
        return self._reporting(reader) if self._live and self.performance_report > 0 else reader

    def _reporting(self, reader):
        with Report(reader, self.performance_report) as report:
            for flow in reader:
                report.flows += 1
                yield flow

    def to_csv(self, path=None, columns_to_anonymize=(), flows_per_file=0, rotate_files=0):
        """Writes all flows; returns how many there are."""
        for name, value in (("flows_per_file", flows_per_file), ("rotate_files", rotate_files)):
            if not isinstance(value, int) or value < 0:
                raise ValueError(f"Please specify a valid {name} parameter (>= 0).")
        if path is None:
            path = self._sources[0] + ".csv"
        pseudonyms = Pseudonyms(columns_to_anonymize)
        reader = self._start()
        with Report(reader, self.performance_report if self._live else 0):
            total = reader.csv(str(path), pseudonyms.columns, pseudonyms.key, pseudonyms, flows_per_file,
                               rotate_files if flows_per_file > 0 else 0)
        names = set(reader.names())
        if total > 0:
            pseudonyms.warn(lambda column: column in names or column.startswith("udps."))
        return total

    def to_pandas(self, columns_to_anonymize=()):
        """All flows as a DataFrame, as pandas would read nfstream's CSV; None when there are none."""
        import pandas  # noqa: F401  before the capture begins: it takes its time

        reader = self._start()
        with Report(reader, self.performance_report if self._live else 0):
            return data_frame(reader, columns_to_anonymize)


class Report:
    """Prints nfstream's line of counters every so many seconds; 0: never."""

    def __init__(self, reader, interval):
        self._reader = reader
        self._interval = interval
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.flows = 0

    def __enter__(self):
        if self._interval > 0:
            self._thread.start()
        return self

    def __exit__(self, *reason):
        self._ended.set()
        if self._interval > 0:
            self._thread.join()

    def _run(self):
        while not self._ended.wait(self._interval):
            packets, ignored, dropped, by_meter, flows = self._reader.totals()
            print(json.dumps({"flows_expired": flows,
                              "packets_processed": packets,
                              "packets_ignored": ignored,
                              "packets_dropped_filtered_by_kernel": dropped,
                              "meters_packets_processing_balance": by_meter}), flush=True)
