#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ansible-lint's production profile finds nothing in the role. Exit status 125: NOT RUN, it is missing."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import sources

if not shutil.which("ansible-lint"):
    print("NOT RUN: ansible-lint is missing (packages ansible, ansible-lint)", file=sys.stderr)
    sys.exit(125)
with tempfile.TemporaryDirectory() as home:  # it keeps a cache
    run = subprocess.run(["ansible-lint", "--offline", "--nocolor", "--profile", "production", "roles/nfstreamd", "example.yml"],
                         cwd=sources.ROOT / "packaging" / "ansible", capture_output=True, text=True, timeout=200,
                         env={**os.environ, "HOME": home, "LC_ALL": "C.UTF-8"})
print(run.stdout + run.stderr)
read = re.search(r"0 failure\(s\), 0 warning\(s\) on (\d+) files", run.stdout + run.stderr)
if run.returncode != 0 or not read or int(read.group(1)) < 8:
    sys.exit("ansible-lint found a fault, or not the role")
