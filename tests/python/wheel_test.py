#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pip wheel packaging/python` of the build under test, installed into an environment of its own."""
import os
import shutil
import subprocess
import sys
import unittest

import support

PROGRAM = """
import nfstreamd, sys
from nfstreamd import NFStreamer
from nfstreamd.plugins import SPLT
assert nfstreamd.__file__.startswith(sys.prefix), nfstreamd.__file__
frame = NFStreamer(source=sys.argv[1], udps=SPLT(sequence_length=3, accounting_mode=0)).to_pandas()
print(nfstreamd.__version__, frame["udps.splt_ps"].tolist())
"""


@unittest.skipUnless(shutil.which("cmake"), "NOT RUN: needs cmake")
class Wheel(support.TestCase):
    def run_in(self, *command):
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment.update(NFSTREAMD_BUILD_DIR=str(support.BUILD), PIP_NO_INDEX="1", PIP_DISABLE_PIP_VERSION_CHECK="1")
        run = subprocess.run(list(map(str, command)), env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=200)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout

    def test_a_wheel_of_this_build_works_where_nothing_else_of_ours_is(self):
        # the folder of the sources stays as it is
        package = self.folder / "packaging" / "python"
        shutil.copytree(support.ROOT / "packaging" / "python", package)
        (self.folder / "CMakeLists.txt").symlink_to(support.ROOT / "CMakeLists.txt")
        self.run_in(sys.executable, "-m", "pip", "wheel", package, "--no-build-isolation", "--no-deps",
                    "--wheel-dir", self.folder / "wheels")
        wheel, = (self.folder / "wheels").glob("nfstreamd-*.whl")
        # numpy and pandas are the system's
        self.run_in(sys.executable, "-m", "venv", "--system-site-packages", self.folder / "venv")
        python = self.folder / "venv" / "bin" / "python"
        self.run_in(python, "-m", "pip", "install", "--no-deps", wheel)
        shown = self.run_in(python, "-c", PROGRAM, support.capture("facebook"))
        self.assertIn("['[74, 74, 66]', '[74, 74, 66]']", shown)


if __name__ == "__main__":
    support.main()
