# SPDX-License-Identifier: Apache-2.0
"""Starts runs of the engine for the streamers of all generations."""
import atexit
import copy
import os
import re
import weakref

from . import _engine
from .flow import UDPS
from .plugin import NFPlugin

INVALID_SOURCE = "Please specify a pcap file path or a valid network interface name as source."
# Flows that a meter can hold at once: no more than a file has packets, of 60 octets or more each; of large files
# not as many, as room that is not used costs time.
LEAST_FLOWS, MANY_FLOWS, MOST_FLOWS = 4096, 1 << 21, 1 << 24
SHORTEST_PACKET, OCTETS_PER_FLOW = 60, 512
# One more meter for so many octets of files: its nDPI takes its time to start. With many it is reading that counts.
OCTETS_PER_METER, MOST_METERS = 1 << 25, 8


# What still runs when the interpreter ends is ended before it: plugins need it.
open_readers = weakref.WeakSet()


@atexit.register
def close_readers():
    for reader in list(open_readers):
        reader.close()


def find_source(source):
    """(names, live) of a file, a list of files, or an interface."""
    if type(source) is list:
        if not source:
            raise ValueError("Please provide a non-empty list of sources.")
        return [_file(path, index) for index, path in enumerate(source)], False
    try:
        name = str(os.fspath(source))
    except TypeError:
        raise ValueError(INVALID_SOURCE) from None
    if os.path.isfile(name):
        return [name], False
    if name in _engine.interfaces():
        return [name], True
    raise ValueError(INVALID_SOURCE)


def _file(path, index):
    try:
        name = str(os.fspath(path))
    except TypeError:
        name = ""
    if not os.path.isfile(name):
        raise ValueError(f"Invalid pcap file path at index: {index}.")
    return name


def processors():
    return len(os.sched_getaffinity(0))


def meters_for(sources):
    """How many meters are of use to capture files with dissection."""
    octets = sum(os.path.getsize(name) for name in sources)
    return min(1 + octets // OCTETS_PER_METER, MOST_METERS)


def max_flows(sources, live):
    if live:
        return 1 << 20
    octets = sum(os.path.getsize(name) for name in sources)
    most = min(max(octets // OCTETS_PER_FLOW, MANY_FLOWS), MOST_FLOWS)
    return min(max(octets // SHORTEST_PACKET, LEAST_FLOWS), most)


def copies(plugins, meters):
    """The plugins of each meter: copies, as each of nfstream's meters has in its own process."""
    return [[_copy(plugin) for plugin in plugins] for _ in range(meters)]


def _copy(plugin):
    try:
        return copy.deepcopy(plugin)
    except Exception:  # what cannot be copied is shared
        return copy.copy(plugin)


def start(sources, live, flow_type, plugins=(), udps_type=UDPS, **options):
    """A reader of flows. Errors of the source and the filter are nfstream's."""
    defaults = {
        "generation": _engine.Generation.NFSTREAM6,
        "n_meters": 1,
        "bpf_filter": None,
        "promiscuous_mode": True,
        "snapshot_length": 65535,
        "socket_buffer_size": 0,
        "decode_tunnels": False,
        "accounting_mode": 0,
        "statistical_analysis": False,
        "splt_analysis": 0,
        "max_nflows": 0,
        "max_flows": max_flows(sources, live),
        "system_visibility_mode": 0,
        "system_visibility_poll_ms": 100,
    }
    options = {**defaults, **options}
    options["bpf_filter"] = options["bpf_filter"] or ""
    if not _engine.check_filter(options["bpf_filter"]):
        raise ValueError("Unable to compile BPF filter.")
    options.update(sources=sources, live=live, flow_type=flow_type, udps_type=udps_type, plugin_type=NFPlugin,
                   plugins=copies(plugins, options["n_meters"]))
    try:
        reader = _engine.start(options)
        open_readers.add(reader)
        return reader
    except _engine.Error as error:
        if str(error) == "bpf_filter":
            raise ValueError("Unable to compile BPF filter.") from None
        if live:
            raise ValueError("Unable to activate source.") from error
        raise ValueError(re.sub("^.*?: not a readable capture: ", "", str(error))) from None
