# SPDX-License-Identifier: Apache-2.0
"""NFStreamer and NFEntry as nfstream 3 had them."""
from collections import namedtuple

from . import _engine, running
from .plugin import NFPlugin

# Arguments that no other generation has.
ARGUMENTS = {"snaplen", "plugins", "dissect", "max_tcp_dissections", "max_udp_dissections"}
# Attributes that an entry has while it lives.
VOLATILE = ("ip_src", "ip_dst")


class NFEntry(_engine.Flow):
    """A flow with nfstream 3's attributes, and those that plugins and users give it."""

    __slots__ = ()

    def _pairs(self):
        return [(name, value) for name, value in zip(self.keys(), self.values()) if name not in VOLATILE]

    def __str__(self):
        return "NFEntry(\n    " + ",\n    ".join(f"{name}={value!r}" for name, value in self._pairs()) + "\n)"

    __repr__ = __str__

    def to_namedtuple(self):
        pairs = self._pairs()
        return namedtuple("NFEntry", [name for name, _ in pairs])(*(value for _, value in pairs))


class Entries:
    """Runs plugins of nfstream 3: what on_init returns is the entry's attribute with the plugin's name."""

    def __init__(self, plugins):
        self._plugins = [(_name(plugin), plugin) for plugin in plugins]

    def on_init(self, packet, entry):
        for name, plugin in self._plugins:
            is_empty = type(plugin).on_init is NFPlugin.on_init
            setattr(entry, name, 0 if is_empty else plugin.on_init(packet))

    def on_update(self, packet, entry):
        for _, plugin in self._plugins:
            plugin.on_update(packet, entry)

    def on_expire(self, entry):
        for _, plugin in self._plugins:
            plugin.on_expire(entry)
        for name, plugin in self._plugins:
            if plugin.volatile and name in (entry.changes() or ()):
                delattr(entry, name)

    def cleanup(self):
        for _, plugin in self._plugins:
            plugin.cleanup()


def _name(plugin):
    return getattr(plugin, "name", None) or type(plugin).__name__


class NFStreamer:
    """nfstream 3's streamer, by its parameters and defaults."""

    def __init__(self, source=None, snaplen=65535, idle_timeout=30, active_timeout=300, plugins=(), dissect=True,
                 max_tcp_dissections=10, max_udp_dissections=16):
        plugins = list(plugins)
        if not all(isinstance(plugin, NFPlugin) for plugin in plugins):
            raise TypeError("plugins: each must be an NFPlugin")
        names = [_name(plugin) for plugin in plugins]
        if len(set(names)) != len(names):
            raise ValueError("plugins: two have the same name")
        self._sources, self._live = running.find_source(source)
        self._plugins = [Entries(plugins)] if plugins else []
        self._options = {
            "generation": _engine.Generation.NFSTREAM3,
            "snapshot_length": snaplen,
            "idle_timeout": max(idle_timeout, 0),
            "active_timeout": max(active_timeout, 0),
            "n_dissections": (max_tcp_dissections, max_udp_dissections, 1) if dissect else (0, 0, 0),
        }

    def __iter__(self):
        return running.start(self._sources, self._live, NFEntry, plugins=self._plugins, udps_type=None,
                             **self._options)

    def to_pandas(self):
        """All entries as a DataFrame; None when there are none."""
        import pandas

        rows = [dict(entry._pairs()) for entry in self]
        return pandas.DataFrame(rows) if rows else None
