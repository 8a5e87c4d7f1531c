#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A generated page is what its tables print.

usage: check_page.py PRINT_PAGE PAGE FILE TARGET
"""
import difflib
import itertools
import pathlib
import subprocess
import sys

printer, page, file, target = sys.argv[1:]
run = subprocess.run([printer, page], capture_output=True, text=True)
if run.returncode != 0 or not run.stdout:
    sys.exit(f"{printer} {page}: status {run.returncode}, {len(run.stdout)} characters")
path = pathlib.Path(file)
written = path.read_text(encoding="utf-8") if path.exists() else ""
if written != run.stdout:
    lines = difflib.unified_diff(written.splitlines(), run.stdout.splitlines(), file, "what the tables print", n=0,
                                 lineterm="")
    print("\n".join(line[:200] for line in itertools.islice(lines, 20)))
    sys.exit(f"{file} is not what the tables print: build the target {target} and read the diff")
