"""Vectors on their way in: the caller's own memory wherever it already is float32."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._ids import address_of
from .errors import Invalid

F32 = np.dtype(np.float32)


def _as_f32(value: Any, what: str) -> np.ndarray:
    """An array of float32; other numbers are converted, anything else is refused."""
    array = np.asarray(value)
    if array.dtype == F32:
        return array
    if array.dtype.kind not in "fiu" and array.size:
        raise TypeError(f"{what} must be numbers, not {array.dtype}")
    with np.errstate(over="ignore"):  # becomes an infinity, which the library refuses by item
        return array.astype(F32)


def one(value: Any, what: str = "vector") -> bytes:
    """A single vector, copied: below some thousand elements that is cheaper than asking numpy for the address."""
    array = _as_f32(value, what)
    if array.ndim != 1:
        raise Invalid(f"{what} must have one dimension, not the shape {array.shape}")
    return array.tobytes()


@dataclass(frozen=True)
class Matrix:
    """Rows in memory: row i begins at address + i * stride."""

    count: int
    dim: int
    address: int
    stride: int
    owner: np.ndarray  # keeps the memory alive

    def address_from(self, row: int) -> int:
        return self.address + row * self.stride


def rows(value: Any, what: str = "vectors") -> Matrix:
    """A matrix of row vectors. Copied only when it is not float32, or its rows are not packed or overlap."""
    array = _as_f32(value, what)
    if array.ndim != 2:
        raise Invalid(f"{what} must have the shape (count, dim), not {array.shape}")
    count, dim = array.shape
    # A stride of 0 is "packed" to the library, and numpy may say anything about one row.
    if dim and (array.strides[1] != 4 and dim > 1 or array.strides[0] < dim * 4 and count > 1):
        array = np.ascontiguousarray(array)
    stride = array.strides[0] if count > 1 else dim * 4
    return Matrix(count, dim, address_of(array), stride, array)
