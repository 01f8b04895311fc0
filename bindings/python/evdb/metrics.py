"""Metrics written in Python: functions that the library calls for each distance."""
from __future__ import annotations

from ctypes import byref, sizeof, string_at
from typing import Any, Callable, List

import numpy as np

from . import _abi
from ._arguments import text
from ._library import DatabaseHandle, check, lib

Distance = Callable[[np.ndarray, np.ndarray], float]
_NAN = float("nan")


class Raised(List[BaseException]):
    """What a function raised: it must not unwind the library's frames, so that the next search to end raises it."""

    def again(self) -> None:
        for why in self[:1]:
            self.clear()
            raise why


def register(handle: DatabaseHandle, name: str, distance: Distance, graph: bool, raised: Raised) -> None:
    """Registers `distance` with a database; it is kept until that is closed."""
    def call(a: int, b: int, dim: int, _: Any) -> float:
        try:
            size = dim * 4
            return float(distance(np.frombuffer(string_at(a, size), np.float32), np.frombuffer(string_at(b, size), np.float32)))
        except BaseException as why:
            if not raised:
                raised.append(why)
            return _NAN

    options = _abi.MetricOptions(sizeof(_abi.MetricOptions), _abi.DISTANCE(call), None, _abi.METRIC_GRAPH if graph else 0)
    check(lib.evdb_metric_register, handle, text(name, "name"), byref(options))
    handle.keep(options)
