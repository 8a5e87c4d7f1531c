# SPDX-License-Identifier: Apache-2.0
"""The programs that are compared: how each is run over a capture with the same timeouts, and what its own records
add up to. The totals of nfstreamd are read from its IPFIX by flow_sink, in small runs by nfstreamctl, too."""
import contextlib
import json
import re
import shutil
import socket
import subprocess

import measuring

IDLE_S, ACTIVE_S = 30, 300
TIMEOUTS = [f"metering.idle_timeout={IDLE_S}", f"metering.active_timeout={ACTIVE_S}"]
FLOWS = ["metering.n_dissections=0"]
STATISTICS = [*FLOWS, "metering.statistical_analysis=true", "metering.splt_analysis=20"]
DISSECTION = ["metering.n_dissections=20"]
COLLECT_UP_TO = 10_000  # records: nfstreamctl tells all of each, which takes its time
BOTH_WAYS = re.compile(rb'"bidirectional_packets":(\d+),"bidirectional_bytes":(\d+)')


def with_settings(settings):
    return [word for setting in settings for word in ("--set", setting)]


class NoOp:
    """libpcap reads, nothing else."""

    def __init__(self, inputs):
        self.tool = inputs.tool("noop")

    def run(self, capture):
        return measuring.run([self.tool, capture])


class Ours:
    """nfstreamd to an IPFIX file."""
    reference = ("metered_packets", "metered_octets")

    def __init__(self, build, folder, inputs, *settings):
        self.build, self.out, self.settings = build, folder / "ours.ipfix", settings
        self.sink_tool = inputs.tool("flow_sink")

    def run(self, capture, *settings):
        return measuring.run([self.build / "nfstreamd", "-r", capture, "-w", self.out,
                              *with_settings([*TIMEOUTS, *self.settings, *settings])])

    def totals(self):
        """Of the file that the last run has left; the file goes."""
        run = subprocess.run([self.sink_tool, self.out], check=True, capture_output=True, text=True)
        found = json.loads(run.stdout)
        found["octets"] = found["frame_octets"]
        if found["records"] < COLLECT_UP_TO and self.collected() != [found["records"], found["packets"], found["octets"]]:
            found["unreadable"] += 1
        self.out.unlink()
        return found

    def collected(self):
        """Records, packets, octets as nfstreamctl reads them."""
        run = subprocess.run([self.build / "nfstreamctl", "collect", self.out], check=True, capture_output=True)
        flows = [list(map(int, flow)) for flow in BOTH_WAYS.findall(run.stdout)]
        return [len(flows), *map(sum, zip(*flows))]


class Sink:
    """flow_sink on a free port of this host."""

    def __init__(self, tool):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen([tool, str(self.port)], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()  # ready

    def totals(self):
        self.process.terminate()
        said = self.process.stdout.read()
        self.process.wait()
        return json.loads(said)


class OursOverUdp(Ours):
    """nfstreamd to a collector over UDP; what the exporting thread takes is measured apart."""

    def __init__(self, build, folder, inputs, *settings):
        super().__init__(build, folder, inputs, *settings)
        self.configuration, self.said = folder / "udp.yaml", {}

    def run(self, capture, *settings):
        sink = Sink(self.sink_tool)
        self.configuration.write_text("exporters:\n  - {name: bench, type: ipfix, "
                                      f"collectors: ['udp://127.0.0.1:{sink.port}']}}\n", encoding="utf-8")
        usage = measuring.run([self.build / "nfstreamd", "-c", self.configuration, "-r", capture,
                               *with_settings([*TIMEOUTS, *self.settings, *settings])], threads=True)
        self.said = sink.totals()
        return usage

    def totals(self):
        return self.said | {"octets": self.said["frame_octets"]}


class Softflowd:
    reference = ("ip_packets", "ip_octets")

    def __init__(self, inputs):
        self.sink_tool, self.said = inputs.tool("flow_sink"), {}

    def run(self, capture):
        sink = Sink(self.sink_tool)
        idle = [word for name in ("tcp", "tcp.rst", "tcp.fin", "udp", "icmp", "general")
                for word in ("-t", f"{name}={IDLE_S}")]
        usage = measuring.run(["softflowd", "-d", "-r", capture, "-n", f"127.0.0.1:{sink.port}", "-v", "10", "-6", "-a",
                               "-m", "4000000", "-c", "none", "-p", "none", "-t", f"maxlife={ACTIVE_S}", *idle])
        self.said = sink.totals()
        return usage

    def totals(self):
        return self.said


class Nfpcapd:
    reference = ("ip_packets", "ip_octets")

    def __init__(self, folder):
        self.out = folder / "nfpcapd"

    def run(self, capture):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        return measuring.run(["nfpcapd", "-r", capture, "-w", self.out, "-e", f"{ACTIVE_S},{IDLE_S}", "-t", "3600"])

    def totals(self):
        said = subprocess.run(["nfdump", "-R", self.out, "-I"], check=True, capture_output=True, text=True).stdout
        shutil.rmtree(self.out)
        found = dict(re.findall(r"^(Flows|Packets|Bytes): (\d+)$", said, re.MULTILINE))
        return {"records": int(found["Flows"]), "packets": int(found["Packets"]), "octets": int(found["Bytes"])}


class Argus:
    reference = ("packets", "octets")

    def __init__(self, folder):
        self.out = folder / "argus.out"

    def run(self, capture):
        self.out.unlink(missing_ok=True)
        return measuring.run(["argus", "-r", capture, "-w", self.out, "-S", ACTIVE_S])

    def totals(self):
        found = None
        if shutil.which("racount"):
            said = subprocess.run(["racount", "-r", self.out], check=True, capture_output=True, text=True).stdout
            found = re.search(r"sum\s+(\d+)\s+(\d+)\s+\d+\s+\d+\s+(\d+)", said)
        self.out.unlink()
        return dict(zip(("records", "packets", "octets"), map(int, found.groups()))) if found else {}


class NdpiReader:
    reference = ("ip_packets", "ip_wire_octets")

    def __init__(self, folder):
        self.out, self.said = folder / "ndpiReader.out", ""

    def run(self, capture):
        usage = measuring.run(["ndpiReader", "-i", capture], output=self.out)
        self.said = usage.stdout
        self.out.unlink()
        return usage

    def totals(self):
        found = [re.search(rf"{name}:\s+(\d+)", self.said) for name in ("Unique flows", "IP packets", "IP bytes")]
        with contextlib.suppress(TypeError):
            return dict(zip(("records", "packets", "octets"), (int(match[1]) for match in found)))
        return {}


def peers(inputs, folder):
    """Those that are installed, by name."""
    known = {"softflowd": lambda: Softflowd(inputs), "nfpcapd": lambda: Nfpcapd(folder),
             "argus": lambda: Argus(folder), "ndpiReader": lambda: NdpiReader(folder)}
    needs = {"nfpcapd": ("nfpcapd", "nfdump")}
    return {name: make() for name, make in known.items() if all(map(shutil.which, needs.get(name, (name,))))}
