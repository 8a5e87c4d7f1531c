# SPDX-License-Identifier: Apache-2.0
"""What is measured: cases named INPUT/WHAT, and the table of aims that is read off them."""
import dataclasses

import programs

NO_OP = "no-op"


@dataclasses.dataclass
class Case:
    name: str
    capture: str         # of Inputs.path
    program: object
    two_meters: bool = False  # beside each run one with two meters, wall time of both compared
    slow: bool = False        # only when named in full

    def run(self, path, base):
        """One round: a sample, ratios to the no-op reader's processor time BASE."""
        usage = self.program.run(path)
        sample = {"cpu": usage.cpu, "wall": usage.wall, "peak": usage.peak, "ratio": usage.cpu / base}
        exporting = [seconds for name, seconds in usage.threads.items() if name.startswith("export")]
        if sum(exporting) > 0:  # in a short run it may be less than the kernel counts
            sample["rate"] = self.program.said["records"] / sum(exporting)
        if self.two_meters:
            both = self.program.run(path, "capture.n_meters=2")
            sample["speedup"] = usage.wall / both.wall
        return sample

    def check(self, facts):
        """Records of the last run, and how their sums compare to pstat's; True, False, or None of a peer."""
        totals = self.program.totals()
        if not totals:
            return {"records": None, "sums": "not said"}
        said = []
        for what, key in zip(("packets", "octets"), self.program.reference):
            if totals[what] != facts[key]:
                said.append(f"{what} {100 * totals[what] / facts[key]:.2f} %")
        found = {"records": totals["records"], "sums": ", ".join(said) or "equal"}
        if isinstance(self.program, programs.Ours):
            found["right"] = not said and totals["lost"] == 0 and totals["unreadable"] == 0
        return found


def all_cases(inputs, folder, build, against=None):
    cases = []
    for suffix, binaries in (("", build), *((("@against", against),) if against else ())):
        def ours(name, *settings, capture=None, **options):
            program = programs.Ours(binaries, folder, inputs, *settings)
            cases.append(Case(name + suffix, capture or name.split("/")[0], program, **options))
        for name in ("bulk", "mix", "manyflows"):
            ours(f"{name}/flows", *programs.FLOWS)
            ours(f"{name}/libpcap", *programs.FLOWS, capture=f"{name}.pcapng")
        for name in ("mix", "manyflows"):
            ours(f"{name}/statistics", *programs.STATISTICS)
            ours(f"{name}/dissection", *programs.DISSECTION)
            ours(f"{name}/two-meters", *programs.FLOWS, two_meters=True)
        ours("mix/two-meters-dissection", *programs.DISSECTION, two_meters=True)
        over_udp = programs.OursOverUdp(binaries, folder, inputs, *programs.FLOWS)
        cases.append(Case("manyflows/udp" + suffix, "manyflows", over_udp))
    for peer, program in programs.peers(inputs, folder).items():
        for name in ("bulk", "mix", "manyflows"):
            if peer != "ndpiReader" or name != "bulk":
                cases.append(Case(f"{name}/{peer}", name, program, slow=f"{name}/{peer}" == "manyflows/ndpiReader"))
    return cases


@dataclasses.dataclass
class Aim:
    what: str
    best: str    # of the peers, when they were measured for the design
    target: str
    case: str
    measure: str = "ratio"


AIMS = (
    Aim("bulk, no dissection", "2.8 (yaf)", "0.8", "bulk/flows"),
    Aim("mix, no dissection", "3.9 (yaf)", "1.0", "mix/flows"),
    Aim("manyflows, no dissection", "11.5 (ipfixprobe, which splits flows)", "2.6", "manyflows/flows"),
    Aim("mix, statistics and SPLT 20", "85 (nfstream)", "1.2", "mix/statistics"),
    Aim("manyflows, statistics and SPLT 20", "", "4.5", "manyflows/statistics"),
    Aim("mix by libpcap's reader (pcapng)", "", "2.0", "mix/libpcap"),
    Aim("manyflows by libpcap's reader", "", "3.5", "manyflows/libpcap"),
    Aim("bulk by libpcap's reader", "", "1.8", "bulk/libpcap"),
    Aim("mix, n_dissections 20", "26 (ndpiReader)", "7", "mix/dissection"),
    Aim("manyflows, n_dissections 20", "219 (ndpiReader)", "35", "manyflows/dissection"),
    Aim("peak memory, manyflows, n_dissections 20", "3732 MiB (nfstream)", "1024 MiB", "manyflows/dissection", "peak"),
    Aim("peak memory, manyflows, no dissection", "261 MiB (yaf)", "160 MiB", "manyflows/flows", "peak"),
    Aim("two meters, times one: mix, n_dissections 20", "", "1.8", "mix/two-meters-dissection", "speedup"),
    Aim("two meters, times one: mix, no dissection", "", "1.8", "mix/two-meters", "speedup"),
    Aim("two meters, times one: manyflows, no dissection", "", "1.8", "manyflows/two-meters", "speedup"),
    Aim("records exported over UDP, a second and core", "1.37 M (libfixbuf and sendmmsg)", "3 M", "manyflows/udp", "rate"),
    Aim("live, manyflows at top rate, no dissection: ring drops", "0.12 to 42 % of 0.69 M/s", "0", "live/manyflows/0/top",
        "dropped"),
    Aim("the same: packets or dissection shed", "", "0", "live/manyflows/0/top", "shed_share"),
    Aim("live, manyflows at 0.4 M/s, n_dissections 20: ring drops", "", "0", "live/manyflows/20/400000", "dropped"),
    Aim("the same: flows whose dissection was shed", "", "0", "live/manyflows/20/400000", "shed_share"),
    Aim("live, manyflows at top rate, n_dissections 20: ring drops", "", "0", "live/manyflows/20/top", "dropped"),
    Aim("the same: flows whose dissection was shed", "", "reported", "live/manyflows/20/top", "shed_share"),
)
