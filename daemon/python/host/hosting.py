# SPDX-License-Identifier: Apache-2.0
"""Plugins of nfstreamd's configuration: finds them in their files, makes instances, tells which values they give."""
import ast
import importlib
import importlib.machinery
import importlib.util
import inspect
import io
import itertools
import json
import os
import sys
import traceback
import types

import nfstreamd

from . import _engine, running
from .nfstream0 import Metrics
from .nfstream3 import Entries, _name
from .plugin import NFPlugin

METHODS = ("on_init", "on_update", "on_expire")
GENERATIONS = {"nfstream6": 6, "nfstream3": 3, "nfstream0": 0}
OWN = (NFPlugin, object)
# Attributes of flows that nfstream 6 has not.
OF_NFSTREAM3 = {"first_seen", "last_seen", "version", "total_packets", "total_bytes", "duration", "master_protocol",
                "app_protocol", "category_name", "client_info", "server_info", "j3a_client", "j3a_server"}
numbers = itertools.count(1)


class Problem(Exception):
    """What is wrong with a plugin, as the operator is told it."""


class NFStreamer:
    """Stands where scripts have the real one: packets come from the daemon."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("nfstreamd reads the packets itself: the file of a plugin makes no streamer")


class Log(io.TextIOBase):
    """Lines that are printed go into the log: standard output may carry flows."""

    def __init__(self):
        self._line = ""

    def writable(self):
        return True

    def write(self, text):
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            _engine.log(line)
        return len(text)


def start(names):
    """Once, before any plugin."""
    sys.stdout = sys.stderr = Log()
    for name in ("nfstreamd", "nfstreamd.streamer", "nfstreamd.nfstream3"):
        sys.modules[name].NFStreamer = NFStreamer
    nfstreamd.streamer.Streamer = NFStreamer
    for name in names:  # nfstream is nfstreamd
        sys.modules["nfstream" + name[len("nfstreamd"):]] = sys.modules[name]


# ---- errors ----

def explain(error):
    """One line: what it is and where in the plugin's file it came up."""
    text = "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()
    what = text[-1] if text else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"{what} ({error.filename}:{error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if not frame.filename.startswith(("<nfstreamd>/hosting", "<frozen"))]
    if not frames:
        return what
    return f"{what} ({frames[-1].filename}:{frames[-1].lineno}, in {frames[-1].name})"


# ---- what is in a file ----

class Loader(importlib.machinery.SourceFileLoader):
    """Reads the file anew each time: nothing that was compiled before is taken for it."""

    def get_code(self, name):
        return self.source_to_code(self.get_data(self.path), self.path)


def _module(path):
    if "/" not in path and not path.endswith(".py"):
        return importlib.import_module(path)
    if not os.path.isfile(path):
        raise Problem(f"there is no file {path}")
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.append(folder)
    stem = os.path.splitext(os.path.basename(path))[0]
    name = f"nfstreamd_plugin_{next(numbers)}_{stem}"
    spec = importlib.util.spec_from_file_location(name, path, loader=Loader(name, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _is_plugin(thing):
    return any(callable(getattr(thing, method, None)) for method in METHODS)


def _find(module, path, target):
    of_file = {name: thing for name, thing in vars(module).items()
               if inspect.isclass(thing) and issubclass(thing, NFPlugin) and thing.__module__ == module.__name__}
    if not target:
        if len(of_file) == 1:
            return next(iter(of_file.values()))
        if not of_file:
            raise Problem(f"{path} has no class that derives from NFPlugin; another plugin is named by `class`")
        raise Problem(f"{path} has several plugins, {', '.join(of_file)}: name one by `class`")
    if not hasattr(module, target):
        raise Problem(f"{path} has no {target}; it has {', '.join(of_file) or 'no class that derives from NFPlugin'}")
    found = getattr(module, target)
    if not isinstance(found, types.FunctionType) and not _is_plugin(found):
        raise Problem(f"{target} in {path} is no plugin: it has none of {', '.join(METHODS)}")
    return found


# ---- what its code says ----

class Code:
    """What the classes of a plugin name: values that they give flows, and settings that they read."""

    def __init__(self, cls):
        self.values, self.deleted, self.attributes = [], set(), []
        self.is_of_3 = self.has_udps = False
        self.names = {"name", "volatile", "user_data"} if cls is None else set()
        self.is_closed = True  # no attribute is read by a name that is not known here
        for one in reversed(cls.__mro__ if cls is not None else ()):
            if one in OWN:
                continue
            self.names |= set(vars(one))
            tree = _tree(one)
            if tree is None:
                self.is_closed = False
                continue
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self._function(node)
        self.is_of_3 = (self.is_of_3 or bool(self.attributes)) and not self.has_udps
        self.values = [name for name in dict.fromkeys(self.values)
                       if name not in self.deleted and not name.startswith("_")]
        self.attributes = [name for name in dict.fromkeys(self.attributes) if not name.startswith("_")]

    def _function(self, function):
        parameters = [argument.arg for argument in function.args.posonlyargs + function.args.args]
        flow = parameters[-1] if function.name in METHODS and len(parameters) > 1 else None
        if function.name == "on_init" and len(parameters) == 2:
            flow = None  # nfstream 3: the packet alone
        udps, constants = {"udps"}, {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and _is_udps(node.value, udps):
                udps |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                if isinstance(node.iter, (ast.Tuple, ast.List)):
                    constants[node.target.id] = [item.value for item in node.iter.elts if isinstance(item, ast.Constant)]
        nodes = [node for node in ast.walk(function) if hasattr(node, "lineno")]
        for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self.names.add(node.value)  # of getattr() and the like
            if isinstance(node, ast.Name) and node.id in ("vars", "getattr", "hasattr"):
                self.is_closed = self.is_closed and node.id == "hasattr"
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                self.is_of_3 = self.is_of_3 or _is_attribute_of(node.value, flow)
            if isinstance(node, ast.Call):
                self._call(node, udps, constants)
            if not isinstance(node, ast.Attribute):
                continue
            self.names.add(node.attr)
            if node.attr == "__dict__":
                self.is_closed = False
            self.has_udps = self.has_udps or node.attr == "udps"
            is_set = isinstance(node.ctx, ast.Store)
            if _is_udps(node.value, udps):
                if is_set:
                    self.values.append(node.attr)
                elif isinstance(node.ctx, ast.Del):
                    self.deleted.add(node.attr)
            elif _is_attribute_of(node, flow):
                self.is_of_3 = self.is_of_3 or node.attr in OF_NFSTREAM3
                if is_set and node.attr not in ("udps", "expiration_id"):
                    self.attributes.append(node.attr)

    def _call(self, node, udps, constants):
        if not isinstance(node.func, ast.Name) or node.func.id != "setattr" or len(node.args) != 3:
            return
        if _is_udps(node.args[0], udps):
            name = node.args[1]
            names = constants.get(name.id, []) if isinstance(name, ast.Name) else [getattr(name, "value", None)]
            self.values += [one for one in names if isinstance(one, str)]


def _tree(cls):
    """The class as it is written; None where that is not known."""
    module = sys.modules.get(cls.__module__)
    try:
        tree = ast.parse(module.__loader__.get_source(cls.__module__))
    except (AttributeError, ImportError, OSError, SyntaxError, TypeError):
        return None
    for name in cls.__qualname__.split("."):
        found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
        if not found:
            return None
        tree = found[-1]
    return tree


def _is_attribute_of(node, name):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _is_udps(node, names):
    return (isinstance(node, ast.Attribute) and node.attr == "udps") or (isinstance(node, ast.Name) and node.id in names)


# ---- plugins of older generations ----

class HostedEntries(Entries):
    """nfstream 3's, of which a volatile value stays until the flow leaves: other plugins may read it to the end."""

    def on_expire(self, entry):
        for _, plugin in self._plugins:
            plugin.on_expire(entry)


class HostedMetrics(Metrics):
    """nfstream 0.x's; without a cleanup."""


def _takes_packet_alone(cls):
    if cls.on_init is NFPlugin.on_init:
        return False
    parameters = [one for one in inspect.signature(cls.on_init).parameters.values()
                  if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.VAR_POSITIONAL)]
    return len(parameters) == 2 and parameters[-1].kind != inspect.Parameter.VAR_POSITIONAL


class Hosted:
    """A plugin of the configuration."""

    def __init__(self, name, path, target, generation, settings):
        self._settings = json.loads(settings)
        if not isinstance(self._settings, dict):
            raise Problem("settings: a map of names and values is wanted")
        self._module = _module(path)
        found = _find(self._module, path, target)
        self._function = found if isinstance(found, types.FunctionType) else None
        self._pattern = None if self._function or inspect.isclass(found) else found
        self._class = None if self._function else found if inspect.isclass(found) else type(found)
        code = Code(self._class)
        self.generation = GENERATIONS[generation] if generation else self._guess(code)
        self.volatile = False
        self._check(name, code)
        self._first = self._make()
        if self.generation == 0:
            names = [name]
        elif self.generation == 3:
            plugin = self._plugin_of(self._first)
            self.volatile = bool(getattr(plugin, "volatile", False))
            names = list(dict.fromkeys([_name(plugin)] + code.attributes))
        else:
            names = code.values
        self.names = names

    def _guess(self, code):
        if self._function:
            return 0
        return 3 if _takes_packet_alone(self._class) or code.is_of_3 else 6

    def _check(self, name, code):
        if self._function:
            if self.generation != 0:
                raise Problem(f"{self._function.__name__} is a function, as nfstream0 has plugins")
            if self._settings:
                raise Problem("settings: a function takes none")
            self._metrics = {name: self._function}
            return
        if self.generation == 0:
            raise Problem(f"{self._class.__name__} is a class; plugins of nfstream0 are functions")
        if self.generation == 3:
            code.names |= {"name", "volatile", "user_data"}
        takes_any = not issubclass(self._class, NFPlugin) or self._class.__init__ is not NFPlugin.__init__
        if takes_any or not code.is_closed:
            return
        own = {one for one in code.names if not one.startswith("__")}
        for key in self._settings:
            if key not in own:
                known = self._settings_read(code)
                raise Problem(f'settings: {self._class.__name__} does not read "{key}"' +
                              (f"; it reads {', '.join(known)}" if known else ""))

    def _settings_read(self, code):
        """Attributes of `self` that the class reads and has not got itself."""
        found = []
        for one in self._class.__mro__:
            if one in OWN:
                continue
            for node in ast.walk(_tree(one)):
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                    if not hasattr(self._class, node.attr) and node.attr not in found:
                        found.append(node.attr)
        return found

    def _make(self):
        if self._function:
            return HostedMetrics(self._metrics)
        if self._pattern is None:
            plugin = self._class(**self._settings)
        else:
            plugin = running._copy(self._pattern)
            for key, value in self._settings.items():
                setattr(plugin, key, value)
        return HostedEntries([plugin]) if self.generation == 3 else plugin

    def _plugin_of(self, made):
        return made._plugins[0][1]

    def make(self):
        """An instance of its own for a meter; the one that was made to look at it is the first's."""
        made, self._first = self._first, None
        return made if made is not None else self._make()

    def close(self):
        """No more instances will be made."""
        made, self._first = self._first, None
        if isinstance(self._module.__loader__, Loader):
            sys.modules.pop(self._module.__name__, None)
        clean_up(made)


def clean_up(plugin):
    if hasattr(plugin, "cleanup"):
        plugin.cleanup()


def at_end():
    """The process ends; the interpreter is left as it is, as threads of libraries may run in it."""
    import atexit

    atexit._run_exitfuncs()
