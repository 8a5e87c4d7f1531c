# SPDX-License-Identifier: Apache-2.0
"""Flows as they are given to readers and plugins."""
from . import _engine


class UDPS:
    """Values of plugins: any attribute."""


class NFlow(_engine.Flow):
    """A flow with the columns of nfstream 6 as attributes, those of groups that are off left out."""

    __slots__ = ()

    def __str__(self):
        pairs = zip(self.keys(), self.values())
        return "NFlow(" + ",\n      ".join(f"{name}={value}" for name, value in pairs) + ")"

    __repr__ = __str__
