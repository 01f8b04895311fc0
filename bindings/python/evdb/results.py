"""What searches return."""
from __future__ import annotations

import json
from ctypes import byref, c_char_p, c_float, c_size_t, sizeof, string_at
from functools import lru_cache
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from . import _abi, _ids
from ._arguments import unsigned
from ._ids import INT64, Id
from ._library import ResultHandle
from ._vectors import F32
from .errors import Invalid

Metadata = Dict[str, Any]


class Hit(NamedTuple):
    """One neighbour."""

    id: Id
    distance: float
    score: float
    metadata: Optional[Metadata]


def _share(accuracy: float) -> float:
    """Zero would be taken for "not given"."""
    if not accuracy:
        raise Invalid("accuracy is 0, but must be 0.5..0.999")
    return accuracy


def build_options(k: Optional[int], ef: Optional[int], threads: int, metadata: bool, filter: Optional[bytes],
                  accuracy: Optional[float] = None) -> Any:
    """A pointer to evdb_search_options. Nothing changes it once it is made, so all threads may use it."""
    return byref(_abi.SearchOptions(
        sizeof(_abi.SearchOptions), 0 if k is None else unsigned(k, "k", 1), 0 if ef is None else unsigned(ef, "ef"),
        unsigned(threads, "threads", 1), _abi.SEARCH_METADATA if metadata else 0, filter,
        0.0 if accuracy is None else _share(accuracy)))


# Making the struct costs as much as the whole rest of a call, and programs repeat the same few.
usual_options = lru_cache(maxsize=256, typed=True)(build_options)


class SearchResult:
    """The neighbours of one query, nearest first (equal distances: earlier written first).

    The library's own result is kept, and freed with this object; each column is copied out when it is first asked
    for. The arrays are read-only.
    """

    __slots__ = ("_handle", "_ids", "_distances", "_scores", "_metadata", "__weakref__")

    def __init__(self, handle: ResultHandle) -> None:
        self._handle = handle
        self._ids: Optional[np.ndarray] = None
        self._distances: Optional[np.ndarray] = None
        self._scores: Optional[np.ndarray] = None
        self._metadata: Optional[List[Metadata]] = None

    @property
    def ids(self) -> np.ndarray:
        """int64, or objects (str) in a store with string ids."""
        if self._ids is None:
            native = _abi.Result.from_address(self._handle)
            if native.numbers:
                self._ids = np.frombuffer(string_at(native.numbers, native.count * 8), INT64)
            else:
                self._ids = _ids.column(native)
        return self._ids

    @property
    def distances(self) -> np.ndarray:
        """float32, smaller is nearer."""
        if self._distances is None:
            native = _abi.Result.from_address(self._handle)
            self._distances = np.frombuffer(string_at(native.distances, native.count * 4), F32)
        return self._distances

    @property
    def scores(self) -> np.ndarray:
        """float32, larger is better."""
        if self._scores is None:
            native = _abi.Result.from_address(self._handle)
            self._scores = np.frombuffer(string_at(native.scores, native.count * 4), F32)
        return self._scores

    @property
    def metadata(self) -> Optional[List[Metadata]]:
        """One dict a neighbour when the search was asked for metadata, else None."""
        if self._metadata is None:
            native = _abi.Result.from_address(self._handle)
            if native.metadata:
                self._metadata = _metadata_column(native)
        return self._metadata

    @property
    def authors(self) -> Optional[List[Optional[str]]]:
        """Who wrote each neighbour's record last, None = not known; None when metadata was not asked for, or no record says it."""
        native = _abi.Result.from_address(self._handle)
        if not native.authors:
            return None
        return [None if name is None else name.decode() for name in (c_char_p * native.count).from_address(native.authors)]

    @property
    def complete(self) -> bool:
        """Whether these are all that qualify (up to k): nothing stopped the search early."""
        return bool(_abi.Result.from_address(self._handle).complete)

    @property
    def stop(self) -> str:
        """Why the search ended: "complete", or "limit" when a range search met more than it might return."""
        return _abi.STOPS.get(_abi.Result.from_address(self._handle).stop, "unknown")

    def __len__(self) -> int:
        count: int = _abi.Result.from_address(self._handle).count
        return count

    def __iter__(self) -> Iterator[Hit]:
        metadata: Sequence[Optional[Metadata]] = self.metadata or [None] * len(self)
        return map(Hit, self.ids.tolist(), self.distances.tolist(), self.scores.tolist(), metadata)

    def __repr__(self) -> str:
        return f"<evdb.SearchResult of {len(self)}, {self.stop}>"


class BatchResult:
    """The neighbours of many queries, in arrays of shape (queries, k): row i belongs to query i.

    A query that found fewer than k fills up its row: distance inf, score -inf, id -1 (None in a store with
    string ids). -1 may be a real id too; `counts` says how many of each row are neighbours.
    `metadata`, when asked for, is a list of lists without such filling.
    """

    ids: np.ndarray
    distances: np.ndarray
    scores: np.ndarray
    counts: np.ndarray
    metadata: Optional[List[List[Metadata]]]
    complete: bool
    stop: str

    def __init__(self, handle: ResultHandle, k: int) -> None:
        native = _abi.Result.from_address(handle)
        offsets = np.array((c_size_t * (native.queries + 1)).from_address(native.offsets), dtype=INT64)
        self.counts = np.diff(offsets)
        ids = _ids.column(native)
        self.ids = _padded(ids, self.counts, k, -1 if ids.dtype == INT64 else None)
        self.distances = _padded(_floats(native.distances, native.count), self.counts, k, np.inf)
        self.scores = _padded(_floats(native.scores, native.count), self.counts, k, -np.inf)
        self.metadata = None
        if native.metadata:
            flat = _metadata_column(native)
            self.metadata = [flat[start:stop] for start, stop in zip(offsets[:-1], offsets[1:])]
        self.complete = bool(native.complete)
        self.stop = _abi.STOPS.get(native.stop, "unknown")

    def __len__(self) -> int:
        return len(self.counts)

    def __repr__(self) -> str:
        return f"<evdb.BatchResult of {len(self)} queries, {self.stop}>"


def _floats(address: int, count: int) -> np.ndarray:
    if not count:
        return np.empty(0, F32)
    return np.array((c_float * count).from_address(address), dtype=F32)


def _padded(flat: np.ndarray, counts: np.ndarray, k: int, filling: Any) -> np.ndarray:
    if len(flat) == len(counts) * k:
        return flat.reshape(len(counts), k)
    out = np.full((len(counts), k), filling, dtype=flat.dtype)
    out[np.arange(k) < counts[:, None]] = flat
    return out


def _metadata_column(native: _abi.Result) -> List[Metadata]:
    return [json.loads(text) for text in (c_char_p * native.count).from_address(native.metadata)]
