# SPDX-License-Identifier: Apache-2.0
"""Streamer and its flows as nfstream 0.x had them."""
import json

from . import _engine, running


class Flow(_engine.Flow):
    """A flow with nfstream 0.x's attributes; what users count is in `metrics`."""

    __slots__ = ()

    def __getattr__(self, name):
        if name == "metrics":
            return {}
        raise AttributeError(f"'Flow' object has no attribute '{name}'")

    def __str__(self):
        columns = dict(zip(self.keys(), self.values()))
        columns.pop("metrics", None)
        return json.dumps({**self.metrics, **columns})


class Metrics:
    """Runs the callbacks of user_metrics on each packet; each returns the flow."""

    def __init__(self, callbacks):
        self._callbacks = callbacks

    def on_init(self, packet, flow):
        flow.metrics = {**flow.metrics, **dict.fromkeys(self._callbacks, 0)}
        self.on_update(packet, flow)

    def on_update(self, packet, flow):
        for callback in self._callbacks.values():
            flow = callback(packet, flow)


class Streamer:
    """nfstream 0.x's streamer. When `capacity` flows are there, one that has been silent longest is dropped."""

    def __init__(self, source=None, capacity=128000, active_timeout=120, inactive_timeout=60, user_metrics=None):
        if not isinstance(capacity, int) or capacity < 1:
            raise ValueError("capacity: at least one flow")
        self._sources, self._live = running.find_source(source)
        self._plugins = [Metrics(dict(user_metrics))] if user_metrics else []
        self._options = {
            "generation": _engine.Generation.NFSTREAM0,
            "max_flows": capacity,
            "idle_timeout": inactive_timeout,
            "active_timeout": active_timeout,
            "n_dissections": (20, 20, 20),
        }

    def __iter__(self):
        for flow in running.start(self._sources, self._live, Flow, plugins=self._plugins, udps_type=None,
                                  **self._options):
            if flow.was_evicted():
                print("WARNING: Streamer capacity limit reached: lru flow entry dropped.")
            else:
                yield flow
