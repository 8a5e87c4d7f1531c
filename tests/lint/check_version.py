#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The version is that of CMakeLists.txt wherever else it is written.

usage: check_version.py [--self-test | --release]
  --release  the changelog has the version, and a tag of HEAD names it
"""
import re
import subprocess
import sys

import sources

HERE = re.compile(r"^project\(nfstreamd VERSION (\d+\.\d+\.\d+)", re.M)
# Where it is written besides: the first match counts.
THERE = (
    ("packaging/rpm/nfstreamd.spec", re.compile(r"^Version:\s+(\S+)", re.M)),
    ("packaging/rpm/nfstreamd.spec", re.compile(r"^\* .* - (\S+)-\d+$", re.M)),
    ("packaging/debian/changelog", re.compile(r"^nfstreamd \((\d+[.]\d+[.]\d+)", re.M)),
    ("packaging/CHANGELOG.md", re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", re.M)),
)


def version_of(root):
    found = HERE.search((root / "CMakeLists.txt").read_text(encoding="utf-8"))
    return found.group(1) if found else None


def check(root):
    if root != sources.ROOT and not (root / "CMakeLists.txt").exists():
        (root / "CMakeLists.txt").write_text("project(nfstreamd VERSION 1.2.3)\n", encoding="utf-8")
    version = version_of(root)
    if not version:
        return ["CMakeLists.txt:1: no project(nfstreamd VERSION ...)"]
    violations = []
    for name, pattern in THERE:
        if not (root / name).exists():
            continue
        text = (root / name).read_text(encoding="utf-8")
        found = pattern.search(text)
        if not found and "## [Unreleased]" in text:
            continue  # before the first release
        if not found:
            violations.append(f"{name}:1: no version")
        elif found.group(1) != version:
            line = text.count("\n", 0, found.start()) + 1
            violations.append(f"{name}:{line}: {found.group(1)}, but CMakeLists.txt has {version}")
    return violations


def tags():
    """Of HEAD; of an unpacked archive, none."""
    if not (sources.ROOT / ".git").exists():
        return []
    run = subprocess.run(["git", "-c", f"safe.directory={sources.ROOT}", "-C", sources.ROOT, "tag", "--points-at", "HEAD"],
                         capture_output=True, text=True, check=True)
    return run.stdout.split()


def release():
    version = version_of(sources.ROOT)
    violations = check(sources.ROOT)
    violations += [f"tag {tag}: the version is {version}" for tag in tags() if tag.startswith("v") and tag != f"v{version}"]
    changelog = (sources.ROOT / "packaging" / "CHANGELOG.md").read_text(encoding="utf-8")
    if f"## [{version}] - " not in changelog:
        violations.append(f"packaging/CHANGELOG.md: no section of {version}")
    if re.search(r"^## \[Unreleased\]\n+(?!## )", changelog, re.M):
        violations.append("packaging/CHANGELOG.md: what is unreleased belongs into that section")
    print("\n".join(violations) if violations else f"{version}: ready")
    return 1 if violations else 0


FAULTY = (
    ("CMakeLists.txt", "project(nfstreamd)\n"),
    ("packaging/rpm/nfstreamd.spec", "Version: 1.2.4\n\n* Thu Nov 26 2026 a <a@b> - 1.2.3-1\n"),
    ("packaging/rpm/nfstreamd.spec", "Version: 1.2.3\n\n* Thu Nov 26 2026 a <a@b> - 1.2.2-1\n"),
    ("packaging/debian/changelog", "nfstreamd (1.2.2-1) unstable; urgency=medium\n"),
    ("packaging/CHANGELOG.md", "# Changelog\n"),
    ("packaging/CHANGELOG.md", "## [Unreleased]\n\n## [1.2.2] - 2026-11-26\n"),
)

if __name__ == "__main__":
    sys.exit(release() if sys.argv[1:] == ["--release"] else sources.main(check, FAULTY))
