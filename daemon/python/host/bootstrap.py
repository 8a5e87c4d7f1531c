# SPDX-License-Identifier: Apache-2.0
"""Makes modules of the sources that are in the host: nfstreamd's package, under that name and as nfstream."""
import importlib.abc
import importlib.util
import sys


class Embedded(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def __init__(self, files):
        self._sources = {}
        for path, text in files.items():
            parts = ["nfstreamd"] + path[:-len(".py")].split("/")
            is_package = parts[-1] == "__init__"
            self._sources[".".join(parts[:-1] if is_package else parts)] = (path, text, is_package)

    def names(self):
        return sorted(self._sources)

    def find_spec(self, name, path=None, target=None):
        if name not in self._sources:
            return None
        place, _, is_package = self._sources[name]
        return importlib.util.spec_from_loader(name, self, origin=f"<nfstreamd>/{place}", is_package=is_package)

    def get_source(self, name):
        return self._sources[name][1]

    def is_package(self, name):
        return self._sources[name][2]

    def get_code(self, name):
        place, text, _ = self._sources[name]
        return compile(text, f"<nfstreamd>/{place}", "exec")


def start(files):
    embedded = Embedded(files)
    sys.meta_path.insert(0, embedded)
    for name in embedded.names():
        importlib.import_module(name)
    hosting = importlib.import_module("nfstreamd.hosting")
    hosting.start(embedded.names())
    return hosting
