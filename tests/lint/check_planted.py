#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every bug of tests/fuzz/planted can be planted in the sources as they are."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def applies(text):
    return subprocess.run(["patch", "--dry-run", "--force", "--strip=1", "--fuzz=0", "--reject-file=-"], cwd=ROOT, input=text,
                          capture_output=True, text=True)


def main():
    bugs = sorted((ROOT / "tests" / "fuzz" / "planted").glob("*.patch"))
    if not bugs:
        sys.exit("check_planted: there is no bug to plant")
    faults = 0
    for bug in bugs:
        tried = applies(bug.read_text(encoding="utf-8"))
        if tried.returncode != 0:
            faults += 1
            print(f"{bug.relative_to(ROOT)}: does not apply, make it again\n{tried.stdout}{tried.stderr}")
    if applies(bugs[0].read_text(encoding="utf-8").replace("\n ", "\n other ")).returncode == 0:
        sys.exit("check_planted: a patch of other sources applies, too")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
