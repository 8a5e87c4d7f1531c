# SPDX-License-Identifier: Apache-2.0
"""What the tests of the package share: captures of the golden tests, captures made here, a folder of one's own."""
import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
import harness  # noqa: E402

BUILD = harness.BUILD
CAPTURES = harness.CAPTURES
EXPECTED = ROOT / "tests" / "golden" / "expected"
main = harness.main


# A sanitizer's runtime is this interpreter's, and of those that are started for a test; no other program's.
PRELOAD = os.environ.pop("LD_PRELOAD", "")


def python(*arguments):
    """The command of another interpreter."""
    return [*(["env", f"LD_PRELOAD={PRELOAD}"] if PRELOAD else []), sys.executable, *arguments]


def some(things):
    """All of them, or in a build with a sanitizer, where each takes longer, every fourth."""
    return things[::4] if harness.SANITIZED else things


def capture(name):
    return str(CAPTURES / f"{name}.pcap")


class TestCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def write(self, name, frames, **timing):
        harness.write_pcap(self.folder / name, frames, **timing)
        return str(self.folder / name)

    def packets(self, sizes, name="made.pcap", **timing):
        """One UDP flow of packets with these sizes on the link."""
        headers = len(harness.udp_frame("10.0.0.1", 1, "10.0.0.2", 2, b""))
        return self.write(name, [harness.udp_frame("10.0.0.1", 40000, "10.0.0.2", 9999, b"x" * (size - headers))
                                 for size in sizes], **timing)
