#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-format 14 would change nothing.

usage: check_format.py [--self-test]
"""
import shutil
import subprocess
import sys

import sources


def check(root):
    names = [name for name in sources.files(root) if name.endswith(sources.CODE)]
    if not names:
        return []
    if root != sources.ROOT:
        shutil.copy(sources.ROOT / ".clang-format", root)
    run = subprocess.run(["clang-format-14", "--dry-run", "--Werror", *names], cwd=root, capture_output=True, text=True)
    return [line for line in run.stderr.splitlines() if ": error: " in line]


FAULTY = (("core/a.cpp", "int  a;\n"), ("core/b.hpp", "int f() {\n  return 1; }\n"))

if __name__ == "__main__":
    sys.exit(sources.main(check, FAULTY))
