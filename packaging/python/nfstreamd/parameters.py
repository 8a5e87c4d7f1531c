# SPDX-License-Identifier: Apache-2.0
"""Parameters of a streamer: attributes that are checked when they are assigned."""


class Parameter:
    """`accepts` tells whether a value may be assigned; if not, ValueError has the text."""

    def __init__(self, accepts, text):
        self._accepts = accepts
        self._text = text

    def __set_name__(self, owner, name):
        self._place = "_" + name

    def __get__(self, streamer, owner=None):
        return self if streamer is None else getattr(streamer, self._place)

    def __set__(self, streamer, value):
        if not self._accepts(value):
            raise ValueError(self._text)
        setattr(streamer, self._place, self.adapt(streamer, value))

    def adapt(self, streamer, value):
        """What is kept of a value that is accepted."""
        return value


def is_bool(value):
    return isinstance(value, bool)


def is_text_or_none(value):
    return value is None or isinstance(value, str)


def is_integer(least, most=None):
    return lambda value: isinstance(value, int) and value >= least and (most is None or value <= most)
