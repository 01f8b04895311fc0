"""Writing many records through evdb_batch_write."""
from __future__ import annotations

from ctypes import addressof, byref, c_char_p, c_size_t, sizeof
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from . import _abi, _expiry, _ids, _vectors
from ._arguments import metadata_texts, text
from ._ids import Ids, address_of
from ._library import check, lib
from ._vectors import Matrix
from .errors import Error, Invalid
from .records import Written


class Batch:
    """The checked arguments of one write, ready to be sent in one or more commits."""

    def __init__(self, kind: int, ids: Any, vectors: Any, metadata: Any, if_versions: Any, partial: bool,
                 codec: Optional[str] = None, ttl: Any = None, expires_ms: Any = None, author: Optional[str] = None) -> None:
        if _ids.is_one(ids):  # one record: its vector, metadata and version come bare
            vectors = None if vectors is None else [vectors]
            metadata = None if metadata is None else [metadata]
            if_versions = None if if_versions is None else [if_versions]
        self.kind = kind
        self.partial = partial
        self.codec = None if codec is None else text(codec, "codec")
        self.author = None if author is None else text(author, "author")
        self.ids: Ids = _ids.many(ids)
        count = self.ids.count
        self.rows: Optional[Matrix] = None if vectors is None else _vectors.rows(vectors)
        if self.rows is not None and self.rows.count != count:
            raise Invalid(f"{count} ids but {self.rows.count} vectors")
        self.texts = metadata_texts(metadata, count)
        self.pointers = None if self.texts is None else (c_char_p * count)(*self.texts)
        self.if_versions: Optional[np.ndarray] = None
        if if_versions is not None:
            self.if_versions = np.ascontiguousarray(if_versions, dtype=np.uint64)
            if self.if_versions.shape != (count,):
                raise Invalid(f"{count} ids but if_versions of the shape {self.if_versions.shape}")
        self.expires = _expiry.times(ttl, expires_ms, count)
        self.versions = np.zeros(count, dtype=np.uint64)
        self.statuses = np.zeros(count if partial else 0, dtype=np.int32)

    def spans(self) -> List[Tuple[int, int]]:
        """Cuts the items into commits that respect the library's limits; at least one, so that it can answer."""
        count, row_bytes, texts = self.ids.count, self.rows.dim * 4 if self.rows else 0, self.texts
        if count * row_bytes + sum(len(one) + 1 for one in texts or () if one) <= _abi.BATCH_BYTES_MAX:
            starts = range(0, max(count, 1), _abi.BATCH_MAX)
            return [(start, min(start + _abi.BATCH_MAX, count)) for start in starts]
        spans, start, held = [], 0, 0
        for item in range(count):
            one = texts[item] if texts else None
            size = row_bytes + (len(one) + 1 if one else 0)
            if item - start == _abi.BATCH_MAX or (item > start and held + size > _abi.BATCH_BYTES_MAX):
                spans.append((start, item))
                start, held = item, 0
            held += size
        spans.append((start, count))
        return spans

    def native(self, start: int, stop: int) -> _abi.Batch:
        """The evdb_batch of items start..stop, pointing into this object."""
        batch = _abi.Batch(size=sizeof(_abi.Batch), kind=self.kind, count=stop - start)
        batch.flags = _abi.BATCH_PARTIAL if self.partial else 0
        batch.codec = self.codec
        batch.author = self.author
        batch.numbers = self.ids.numbers_from(start)
        batch.ids = self.ids.ids_from(start)
        if self.rows is not None:
            batch.vectors = self.rows.address_from(start)
            batch.stride, batch.dtype, batch.dim = self.rows.stride, _abi.F32, self.rows.dim
        if self.pointers is not None:
            batch.metadata = addressof(self.pointers) + start * sizeof(c_char_p)
        if self.if_versions is not None:
            batch.if_versions = address_of(self.if_versions) + start * 8
        if self.expires is not None:
            batch.expires = address_of(self.expires) + start * 8
        batch.versions = address_of(self.versions) + start * 8
        if self.partial:
            batch.statuses = address_of(self.statuses) + start * 4
        return batch

    def failed(self) -> Dict[int, str]:
        return {int(item): lib.evdb_status_name(int(self.statuses[item])).decode()
                for item in np.flatnonzero(self.statuses)}


def write(store: Any, batch: Batch) -> Written:
    """Sends a batch to the store. An error speaks of the caller's items, whatever commit they went into."""
    total = 0
    for start, stop in batch.spans():
        count = c_size_t()
        try:
            check(lib.evdb_batch_write, store._handle, byref(batch.native(start, stop)), byref(count))
        except Error as why:
            why.written = total
            if why.item is not None:
                why.item += start
            raise
        total += count.value
    return Written(total, batch.versions, batch.failed())
