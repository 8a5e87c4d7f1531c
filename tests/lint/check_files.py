#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every source says its licence first, every folder of code or tests has a README.

usage: check_files.py [--self-test]
"""
import sys

import sources

LICENCE = "SPDX-License-Identifier: Apache-2.0"
LICENSED = sources.CODE + (".py", ".sh", ".cmake", "CMakeLists.txt")
# unit and regression mirror other folders, a role has the folders of every role: their own README speaks for what is below
COVERED = ("tests/unit/", "tests/golden/", "tests/fuzz/corpus/", "packaging/ansible/roles/nfstreamd/")
PLACES = ("core", "config", "exporters", "daemon", "systemd", "packaging", "tests")


def check(root):
    violations = []
    names = sources.files(root)
    for name in names:
        if name.endswith(LICENSED):
            first = (root / name).read_text(encoding="utf-8").splitlines()[:2]
            if not any(LICENCE in line for line in first):
                violations.append(f"{name}:1: no line '{LICENCE}'")
    folders = {"/".join(name.split("/")[:-1]) for name in names if name.split("/")[0] in PLACES and "/" in name}
    for folder in sorted(folders):
        if f"{folder}/README.md" not in names and not folder.startswith(COVERED):
            example = next(name for name in names if name.startswith(folder + "/"))
            violations.append(f"{folder}/: no README.md (beside {example})")
    return violations


FAULTY = (
    ("README.hpp", "#pragma once\n"),
    ("core/flow/a.yaml", "no README.md beside it\n"),
    ("packaging/ansible/roles/other/tasks/main.yml", "no README.md beside it\n"),
    ("packaging/a.cmake", "# first\n# second\n# " + LICENCE + "\n"),
)

if __name__ == "__main__":
    sys.exit(sources.main(check, FAULTY))
