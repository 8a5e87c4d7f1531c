# SPDX-License-Identifier: Apache-2.0
"""Reads Prometheus' text format 0.0.4, strictly: whatever the format or its naming rules forbid is an error."""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
UNITS_THAT_ARE_NOT_BASE = ("milliseconds", "microseconds", "ms", "us", "ns", "octets", "bits", "percent", "kilobytes")


class Family:
    def __init__(self, name, kind, text):
        self.name, self.kind, self.help = name, kind, text
        self.samples = {}  # tuple of (label, value) in order -> number

    def value(self, **labels):
        """The number of the one series that has these labels, and perhaps others."""
        found = self.values(**labels)
        if len(found) != 1:
            raise AssertionError(f"{self.name}{labels}: {len(found)} series of {list(self.samples)}")
        return found[0]

    def values(self, **labels):
        return [number for series, number in self.samples.items() if labels.items() <= dict(series).items()]


def _labels(text):
    found, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise AssertionError(f"no label: {text[at:]!r}")
        value = re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] == "n" else escaped[1], match[2])
        found.append((match[1], value))
        at = match.end()
    return tuple(found)


def _family_of(name, families):
    for ending in ("", "_bucket", "_sum", "_count"):
        base = name[:len(name) - len(ending)] if ending and name.endswith(ending) else name
        if base in families and (not ending or families[base].kind in ("histogram", "summary")):
            return families[base]
    raise AssertionError(f"{name} has no TYPE before it")


def parse(text):
    """Name -> Family; an AssertionError says what is wrong."""
    assert text.endswith("\n"), "the last line has no end"
    families, helps, open_family = {}, {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name, _, sentence = line[7:].partition(" ")
            assert NAME.fullmatch(name) and name not in helps and sentence, line
            helps[name] = sentence
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            assert NAME.fullmatch(name) and name not in families and kind in TYPES, line
            assert name in helps, f"no HELP of {name}"
            open_family = families[name] = Family(name, kind, helps[name])
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            family = _family_of(match[1], families)
            assert family is open_family, f"{match[1]} is not together with its family"
            series = (("__name__", match[1]),) * (match[1] != family.name) + _labels(match[2] or "")
            names = [name for name, _ in series]
            assert len(set(names)) == len(names), f"a label twice: {line}"
            assert series not in family.samples, f"twice: {line}"
            number = float(match[3])
            assert family.kind != "counter" or (number >= 0 and math.isfinite(number)), line
            family.samples[series] = number
    assert families, "no metric at all"
    for family in families.values():
        assert family.samples, f"{family.name} has no sample"
        assert (family.kind == "counter") == family.name.endswith("_total"), f"{family.name} is a {family.kind}"
        for unit in UNITS_THAT_ARE_NOT_BASE:
            assert unit not in family.name.split("_"), f"{family.name} is not in a base unit"
        if family.kind == "histogram":
            _check_histogram(family)
    return families


def _check_histogram(family):
    buckets = {}
    for series, number in family.samples.items():
        labels = dict(series)
        if labels["__name__"].endswith("_bucket"):
            rest = tuple(sorted((k, v) for k, v in labels.items() if k not in ("le", "__name__")))
            buckets.setdefault(rest, []).append((float(labels["le"].replace("+Inf", "inf")), number))
    assert buckets, f"{family.name} has no bucket"
    for found in buckets.values():
        assert found == sorted(found) and [n for _, n in found] == sorted(n for _, n in found), f"{family.name}: {found}"
        assert math.isinf(found[-1][0]), f"{family.name} has no bucket +Inf"
