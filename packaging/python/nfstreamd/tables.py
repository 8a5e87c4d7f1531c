# SPDX-License-Identifier: Apache-2.0
"""Flows as tables: pandas, and pseudonyms of columns."""
import hashlib
import io
import secrets


class Pseudonyms:
    """nfstream's: BLAKE2b of the value's text, with a key that is made for one table."""

    def __init__(self, columns):
        self.columns = list(columns)
        self.key = secrets.token_bytes(64)

    def __call__(self, value):
        return hashlib.blake2b(str(value).encode(), digest_size=64, key=self.key).hexdigest()

    def warn(self, known):
        for column in self.columns:
            if not known(column):
                print("WARNING: NFlow do not have {} attribute. Skipping anonymization.")


def data_frame(reader, columns_to_anonymize):
    """All flows of a reader; None when there are none."""
    import pandas

    pseudonyms = Pseudonyms(columns_to_anonymize)
    arrays, numeric, place, flows, rows = reader.columns(pseudonyms.columns, pseudonyms.key, pseudonyms)
    if rows == 0:
        return None
    for name in numeric:
        arrays[name] = _as_read(arrays[name].tolist())
    names = list(arrays)
    values = _plugin_values(flows) if flows is not None else {}
    pseudonyms.warn(lambda column: column in arrays or column in values)
    for name in values:
        if name in pseudonyms.columns:
            values[name] = [None if value is None else pseudonyms(value) for value in values[name]]
        values[name] = _as_read(values[name])
    table = {name: arrays[name] for name in names[:place]}
    table.update(values)
    table.update((name, arrays[name]) for name in names[place:])
    _apply_changes(table, flows, pseudonyms)
    return pandas.DataFrame(table, copy=False)


def _plugin_values(flows):
    """Columns of flow.udps in the order in which they came up; None where a flow has no such value."""
    values = {}
    for row, flow in enumerate(flows):
        for name, value in vars(flow.udps).items() if flow is not None else ():
            values.setdefault(f"udps.{name}", [None] * len(flows))[row] = value
    return values


def _apply_changes(table, flows, pseudonyms):
    """What plugins have written over attributes of flows."""
    changed = {}
    for row, flow in enumerate(flows or ()):
        for name, value in (flow.changes() or {}).items() if flow is not None else ():
            if name in table:
                hide = name in pseudonyms.columns and value is not None
                changed.setdefault(name, []).append((row, pseudonyms(value) if hide else value))
    for name, values in changed.items():
        column = list(table[name])
        for row, value in values:
            column[row] = value
        table[name] = _as_read([None if value != value else value for value in column])


def _as_read(values):
    """An array with what pandas reads of these values in a CSV file."""
    import numpy

    kinds = set(map(type, values))
    if kinds == {int}:
        try:
            return numpy.array(values, dtype=numpy.int64)
        except OverflowError:
            pass
    if kinds == {float}:
        return numpy.array(values, dtype=numpy.float64)
    if kinds == {bool}:
        return numpy.array(values, dtype=bool)
    if kinds == {list}:
        return numpy.array([str(value) for value in values], dtype=object)
    return _read(values)


def _read(values):
    import pandas

    text = io.StringIO()
    text.write("column\n")
    for value in values:
        if value is None:
            text.write("\n")
        elif isinstance(value, (int, float)):
            text.write(f"{value}\n")
        else:
            quoted = str(value).replace('"', '""')
            text.write(f'"{quoted}"\n')
    text.seek(0)
    return pandas.read_csv(text, skip_blank_lines=False)["column"].to_numpy()
