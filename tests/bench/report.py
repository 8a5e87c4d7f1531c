# SPDX-License-Identifier: Apache-2.0
"""Results kept in a file, and as tables of Markdown."""
import json
import os
import pathlib
import platform
import re

import cases

README = pathlib.Path(__file__).resolve().parent / "README.md"


class Results(dict):
    """By the case's name; each run adds to what is there."""

    def __init__(self, path):
        super().__init__(json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})
        self.path = path

    def add(self, found):
        self.update(found)
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self, indent=1, sort_keys=True), encoding="utf-8")
        part.rename(self.path)


def table(head, rows):
    """Markdown whose columns line up as text, too; the first column is of words, the others of numbers."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [head, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])], *rows]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)


def _shown(result, measure):
    value = (result or {}).get(measure)
    if value is None:
        return "not measured"
    if measure == "peak":
        return f"{value / 2**20:.0f} MiB"
    if measure == "rate":
        return f"{value / 1e6:.2f} M"
    if measure == "dropped":
        return f"{value:,} at {result['sent'] / result['seconds'] / 1e6:.2f} M/s"
    if measure == "shed_share":
        return f"{100 * value:.2f} %" if value else "0"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def aims(results):
    rows = [[aim.what, aim.best, aim.target, _shown(results.get(aim.case), aim.measure)] for aim in cases.AIMS]
    return table(["what; ratios are of CPU time, to the no-op reader", "best peer known", "target", "measured now"], rows)


def measured(results):
    order = {name: place for place, name in enumerate(("bulk", "bulk.pcapng", "mix", "mix.pcapng", "manyflows"))}
    names = sorted((name for name in results if "cpu" in results[name]),
                   key=lambda name: (order.get(name.split("/")[0], 9), not name.endswith(cases.NO_OP), name))
    rows = []
    for name in names:
        result = results[name]
        peak, records = result.get("peak"), result.get("records")
        rows.append([name, f"{result['cpu']:.2f}", _shown(result, "ratio"), f"{result['ns']:.0f}",
                     f"{peak / 2**20:.0f}" if peak else "", f"{records:,}" if records else "", result.get("sums", "")])
    return table(["case", "CPU s", "x no-op", "ns/packet", "peak MiB", "records", "sums of the records, pstat's"], rows)


def replace_region(name, text):
    """The text between the marks of region NAME in the README."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = README.read_text(encoding="utf-8")
    changed, count = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", page,
                             flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{README} has no region {name}")
    README.write_text(changed, encoding="utf-8")


def _processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def update_readme(results, inputs):
    if not results:
        raise SystemExit("nothing has been measured yet")
    results = {name: result for name, result in results.items() if "@" not in name}  # of another build
    rounds = sorted({result["rounds"] for result in results.values() if "rounds" in result})
    where = (f"Measured on {os.cpu_count()} processors ({_processor()}), {'/'.join(map(str, rounds))} rounds; mix made of "
             f"{len(inputs.captures())} captures.")
    replace_region("table", f"{where}\n\n{aims(results)}\n\n{measured(results)}")
