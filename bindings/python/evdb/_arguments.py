"""Turning Python's strings, numbers and JSON into what C takes, refusing what C could not see was wrong."""
from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from ctypes import byref, c_int
from functools import lru_cache
from typing import Any, List, Optional, Sequence

import numpy as np

from ._library import check, lib
from .errors import Invalid


def text(value: str, what: str) -> bytes:
    """UTF-8 for a `const char *`, which would end silently at a NUL."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError as why:
        raise Invalid(f"{what} {value!r} is not valid Unicode: {why.reason}") from None
    if b"\0" in encoded:
        raise Invalid(f"{what} {value!r} contains a NUL")
    return encoded


def unsigned(value: int, what: str, least: int = 0, bits: int = 32) -> int:
    """An integer that fits; ctypes would cut it off silently."""
    number = operator.index(value)
    if not least <= number < 1 << bits:
        raise Invalid(f"{what} must be an integer of at least {least}, not {number}"
                      if number < least else f"{what} {number} is too large")
    return number


@lru_cache(maxsize=64)
def metric(name: str) -> int:
    """The evdb_metric of a name."""
    out = c_int()
    check(lib.evdb_metric_parse, text(name, "metric"), byref(out))
    return out.value


@lru_cache(maxsize=64)
def dtype(name: str) -> int:
    """The evdb_dtype of a name."""
    out = c_int()
    check(lib.evdb_dtype_parse, text(name, "dtype"), byref(out))
    return out.value


def foreign_kind(name: str) -> int:
    """The evdb_foreign_kind of a name."""
    out = c_int()
    check(lib.evdb_foreign_kind_parse, text(name, "kind"), byref(out))
    return out.value


def file_format(name: str) -> int:
    """The evdb_format of a name."""
    out = c_int()
    check(lib.evdb_format_parse, text(name, "format"), byref(out))
    return out.value


def _plain(value: Any) -> Any:
    """numpy's scalars and arrays inside metadata become the JSON they look like."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode


def json_text(value: Any, what: str, item: Optional[int] = None) -> bytes:
    """A mapping, or JSON text as it is. The library checks that it is a JSON object."""
    try:
        if not isinstance(value, str):
            value = _encode(value if isinstance(value, dict) else dict(value))
        return text(value, what)
    except Invalid as why:
        why.item = item
        raise
    except (TypeError, ValueError, RecursionError) as why:
        place = "" if item is None else f" {item}"
        raise Invalid(f"{what}{place} is neither a JSON object nor its text: {why}", item) from None


def metadata_texts(metadata: Any, count: int) -> Optional[List[Optional[bytes]]]:
    """One JSON text, or None, for each of count records."""
    if metadata is None:
        return None
    if isinstance(metadata, (str, Mapping)) or not isinstance(metadata, Sequence):
        raise TypeError("metadata must be a sequence with one dict, JSON text or None a record")
    if len(metadata) != count:
        raise Invalid(f"{count} ids but {len(metadata)} items of metadata")
    return [None if value is None else json_text(value, "metadata", item) for item, value in enumerate(metadata)]
