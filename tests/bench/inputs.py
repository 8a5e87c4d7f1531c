# SPDX-License-Identifier: Apache-2.0
"""The captures that are read: made once by the programs of inputs/ and kept, with what pstat says of each."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "captures"
SHARED = ROOT.parent / "shared" / "corpus" / "ndpi" / "captures"
MADE = ("c_", "s_", "t_")  # golden captures that no network has seen

FULL = {"bulk": 10_000_000, "manyflows": 2_000_000, "mix": 2_880_000}  # packets, flows, packets
SMALL = {"bulk": 20_000, "manyflows": 4_000, "mix": 20_000}


class Inputs:
    def __init__(self, folder, build, corpus=None, sizes=None):
        self.folder, self.tools = pathlib.Path(folder), pathlib.Path(build) / "tests" / "bench" / "inputs"
        self.sizes = sizes or FULL
        self.corpus = corpus or (SHARED if SHARED.is_dir() else GOLDEN)
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.tool("pstat").exists():
            sys.exit(f"{self.tool('pstat')} is missing: cmake --build --preset release builds it")

    def tool(self, name):
        return self.tools / name

    def path(self, name):
        """The capture NAME: bulk, mix or manyflows, or one of them with .pcapng behind."""
        stem, _, suffix = name.partition(".")
        path = self.folder / f"{stem}-{self.sizes[stem]}.{suffix or 'pcap'}"
        if not path.exists():
            print(f"making {path}", file=sys.stderr)
            self._make(stem, suffix, path)
        return path

    def manyflows(self, flows, live):
        """FLOWS flows of five packets each, of which LIVE are held at once."""
        path = self.folder / f"manyflows-{flows}-{live}.pcap"
        if not path.exists():
            print(f"making {path}", file=sys.stderr)
            self._write(path, self.tool("manyflows"), "OUT", flows, live)
        return path

    def facts(self, name):
        """What pstat says of the capture NAME."""
        path = self.path(name.partition(".")[0])
        said = path.with_suffix(".json")
        if not said.exists():
            run = subprocess.run([self.tool("pstat"), path], check=True, capture_output=True, text=True)
            said.write_text(run.stdout, encoding="utf-8")
        return json.loads(said.read_text(encoding="utf-8"))

    def corpus_name(self):
        captures = len(self.captures())
        return f"{captures} captures of {'tests/golden' if self.corpus == GOLDEN else self.corpus}"

    def captures(self):
        return sorted(path for path in self.corpus.iterdir()
                      if path.is_file() and not (self.corpus == GOLDEN and path.name.startswith(MADE)))

    def _make(self, stem, suffix, path):
        size = self.sizes[stem]
        if suffix == "pcapng":
            self._write(path, self.tool("to_pcapng"), self.path(stem), "OUT")
        elif stem == "mix":
            self._write(path, self.tool("mix"), "OUT", size, *self.captures())
        else:
            self._write(path, self.tool(stem), "OUT", size)

    @staticmethod
    def _write(path, *command):
        """Runs a maker; a file under its own name is a whole one."""
        part = path.with_suffix(".part")
        subprocess.run([str(part if word == "OUT" else word) for word in command], check=True)
        part.rename(path)
