"""Ids on their way in and out: Python and numpy integers, and strings."""
from __future__ import annotations

from ctypes import POINTER, addressof, c_char_p, c_int64, c_void_p, cast, sizeof
from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple, Union

import numpy as np

from . import _abi
from .errors import Invalid

Id = Union[int, str]

INT64 = np.dtype(np.int64)
# An evdb_id as numpy sees it, so that thousands are filled in without a Python loop.
_ID = np.dtype([("number", np.int64), ("text", np.uintp), ("length", np.uintp)])


@dataclass(frozen=True)
class Ids:
    """The ids of one call. `numbers` and `ids` are the two ways evdb_batch takes them: one is an address, one is 0."""

    count: int
    numbers: int
    ids: int
    owners: Any  # what the addresses point into

    def numbers_from(self, start: int) -> int:
        return self.numbers and self.numbers + start * 8

    def ids_from(self, start: int) -> int:
        return self.ids and self.ids + start * sizeof(_abi.Id)


def address_of(array: np.ndarray) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _encoded(value: str, item: int) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as why:
        raise Invalid(f"id {value!r} is not valid Unicode: {why.reason}", item) from None


def is_one(ids: Any) -> bool:
    """Whether this is a single id rather than many."""
    return isinstance(ids, (str, int, np.integer)) or (isinstance(ids, np.ndarray) and ids.ndim == 0)


def one(value: Any) -> _abi.Id:
    """A single id, by value."""
    if type(value) is not int:
        if isinstance(value, str):
            encoded = _encoded(value, 0)
            return _abi.Id(0, encoded, len(encoded))
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"an id is an int or a str, not {type(value).__name__}")
        value = int(value)
    if not -(2**63) <= value < 2**63:
        raise Invalid(f"id {value} does not fit into 64 bits")
    return _abi.Id(value, None, 0)


def few(ids: Any) -> Tuple[Any, int]:
    """An evdb_id array and how many there are, for calls that take that alone."""
    values = [ids] if is_one(ids) else list(ids)
    return (_abi.Id * max(len(values), 1))(*(one(value) for value in values)), len(values)


def many(values: Any) -> Ids:
    """All ids of a call: any sequence of ints and strs, or a numpy array of integers or strings."""
    if is_one(values):
        values = [values]
    if isinstance(values, range):
        values = np.arange(values.start, values.stop, values.step, dtype=INT64) if len(values) else []
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise Invalid(f"ids must be one-dimensional, not of shape {values.shape}")
        if values.dtype.kind in "iu":
            return _from_numbers(values)
        values = values.tolist()
    elif not isinstance(values, (list, tuple)):
        values = list(values)
    kinds = set(map(type, values))
    if kinds == {str}:
        return _from_texts([_encoded(value, item) for item, value in enumerate(values)])
    if kinds <= {int}:
        try:
            return _from_numbers(np.array(values, dtype=INT64))
        except OverflowError:
            pass  # the general way names the id at fault
    return _from_mixed(values)


def _from_numbers(array: np.ndarray) -> Ids:
    if array.dtype.kind == "u" and array.itemsize == 8 and len(array) and array.max() >= 1 << 63:
        item = int(np.argmax(array >= 1 << 63))
        raise Invalid(f"id {array[item]} does not fit into 64 bits", item)
    array = np.ascontiguousarray(array, dtype=INT64)
    return Ids(len(array), address_of(array), 0, array)


def _from_texts(texts: List[bytes]) -> Ids:
    # Each text is followed by a NUL: an empty one has length 0, which makes the library look for the end.
    block = b"\0".join(texts) + b"\0"
    lengths = np.fromiter(map(len, texts), dtype=np.uintp, count=len(texts))
    ids = np.zeros(len(texts), dtype=_ID)
    ids["length"] = lengths
    ids["text"] = cast(c_char_p(block), c_void_p).value
    ids["text"][1:] += np.cumsum(lengths[:-1] + np.uintp(1))
    return Ids(len(texts), 0, address_of(ids), (block, ids))


def _from_mixed(values: Sequence[Any]) -> Ids:
    ids = (_abi.Id * len(values))()
    for item, value in enumerate(values):
        try:
            ids[item] = one(value)
        except Invalid as why:
            why.item = item
            raise
    return Ids(len(values), 0, addressof(ids), ids)


def from_native(native: _abi.Id) -> Id:
    """One id as the library returned it."""
    id: Id = native.number if native.text is None else native.text.decode()
    return id


def column(result: _abi.Result) -> np.ndarray:
    """The ids of a result, copied: int64, or objects (str) of a string store."""
    if result.numbers and result.count:
        return np.array((c_int64 * result.count).from_address(result.numbers), dtype=INT64)
    if result.numbers:
        return np.empty(0, dtype=INT64)
    out = np.empty(result.count, dtype=object)
    if result.count:
        natives = cast(result.ids, POINTER(_abi.Id))
        out[:] = [from_native(natives[i]) for i in range(result.count)]
    return out
