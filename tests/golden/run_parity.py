#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares nfstreamd with the records nfstream made of a corpus of captures.

usage: run_parity.py NFSTREAMD CORPUS

CORPUS holds compare.py, which does the work. Exit status 125 where there is no corpus: skipped.
"""
import os
import subprocess
import sys


def main():
    nfstreamd, corpus = sys.argv[1:3]
    compare = os.path.join(corpus, "compare.py")
    if not os.path.exists(compare):
        print(f"skipped: there is no corpus at {corpus} (-DNFSTREAMD_PARITY_CORPUS says where it is)")
        return 125
    run = subprocess.run([sys.executable, compare, nfstreamd], stdout=subprocess.PIPE, text=True)
    print(run.stdout, end="")
    figure = run.stdout.splitlines()[-1] if run.stdout.strip() else ""
    # a corpus of nothing compares equal
    if run.returncode == 0 and (not figure or figure.startswith("0/0 ")):
        print("the corpus has no capture")
        return 1
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
