"""Distances and scores of vectors that the caller holds."""
from __future__ import annotations

from ctypes import byref, c_float
from typing import Any, Union

import numpy as np

from . import _arguments, _vectors
from ._ids import address_of
from ._library import check, lib
from .errors import Invalid


def distance(metric: str, a: Any, b: Any) -> Union[float, np.ndarray]:
    """The distance from vector a to vector b, or to each row of a matrix b (an array then).

    Smaller is nearer: cosine 1 - similarity, euclidean the root, manhattan the sum, ip the negative product.
    """
    kind, query, other = _arguments.metric(metric), _vectors.one(a, "a"), np.asarray(b)
    dim = len(query) >> 2
    if other.shape[-1:] != (dim,):
        raise Invalid(f"a has {dim} elements but b has the shape {other.shape}")
    if other.ndim == 1:
        out = c_float()
        check(lib.evdb_distance, kind, query, _vectors.one(other, "b"), dim, byref(out))
        return out.value
    rows = _vectors.rows(other, "b")
    outs = np.empty(rows.count, _vectors.F32)
    check(lib.evdb_distance_batch, kind, query, rows.address, rows.count, rows.stride, dim, address_of(outs))
    return outs


def score(metric: str, distance: float) -> float:
    """The score that belongs to a distance; larger is better."""
    value: float = lib.evdb_distance_score(_arguments.metric(metric), distance)
    return value
