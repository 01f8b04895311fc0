"""Records, changes, and what is said about stores: the plain values the binding returns."""
from __future__ import annotations

import json
from ctypes import string_at
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from . import _abi, _ids
from ._ids import Id
from ._library import lib
from ._vectors import F32


class Record:
    """A record as it was stored. `vector` is read-only, and None when it was not asked for."""

    __slots__ = ("id", "vector", "version", "metadata_json", "expires_ms", "author", "written_ms", "_metadata")

    def __init__(self, id: Id, vector: Optional[np.ndarray], version: int, metadata_json: str,
                 expires_ms: Optional[int] = None, author: Optional[str] = None, written_ms: Optional[int] = None) -> None:
        self.id = id
        self.vector = vector
        self.version = version  # change sequence of the last write
        self.metadata_json = metadata_json  # as stored: numbers keep all their digits
        self.expires_ms = expires_ms  # Unix time in milliseconds from which it is gone; None = never
        self.author = author  # who wrote it last; None = that is not known: `Store.set_authors`
        self.written_ms = written_ms  # when that was, Unix time in milliseconds; None = that is not known
        self._metadata: Optional[Dict[str, Any]] = None

    @property
    def metadata(self) -> Dict[str, Any]:
        if self._metadata is None:
            self._metadata = json.loads(self.metadata_json)
        return self._metadata

    def __repr__(self) -> str:
        return f"Record(id={self.id!r}, version={self.version}, metadata={self.metadata_json})"


def record_from(native: _abi.Record) -> Record:
    vector = np.frombuffer(string_at(native.vector, native.dim * 4), F32) if native.vector else None
    return Record(_ids.from_native(native.id), vector, native.version, native.metadata.decode(), native.expires_ms or None,
                  _name(native.author), native.written_ms or None)


class Change(NamedTuple):
    """One entry of the change feed. `kind` is "put", "update" (of metadata alone) or "delete"."""

    sequence: int
    kind: str
    id: Id


class Changes(Sequence[Change]):
    """A page of the change feed, oldest first: a sequence of `Change`.

    Continue behind `last`; reading after anything below `horizon` raises `Gone`.
    """

    def __init__(self, native: _abi.Changes) -> None:
        self._items = [
            Change(native.at[i].sequence, _abi.CHANGE_KINDS.get(native.at[i].kind, "unknown"),
                   _ids.from_native(native.at[i].id))
            for i in range(native.count)
        ]
        self.last: int = native.last
        self.horizon: int = native.horizon

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

    def __repr__(self) -> str:
        return f"<evdb.Changes of {len(self)}, last {self.last}>"


@dataclass(frozen=True)
class Written:
    """What a write did."""

    count: int  # records changed
    versions: np.ndarray  # uint64, one an item: its new version
    failed: Dict[int, str] = field(default_factory=dict)  # with partial=True: item -> status name


@dataclass(frozen=True)
class ImportReport:
    """What an import did."""

    written: int
    skipped: int
    bad: List["BadRecord"]
    present: int = 0  # with resume: records that were in the store already


class BadRecord(NamedTuple):
    """A record that an import with keep_going left out; `line` counts from 1."""

    line: int
    status: str
    message: str


class Problem(NamedTuple):
    """Something verify() found wrong."""

    store: str
    text: str


@dataclass(frozen=True)
class VerifyReport:
    """What verify() looked at and found; sound when `problems` is empty."""

    stores: int
    records: int
    problems: List[Problem]


@dataclass(frozen=True)
class StoreInfo:
    """What a store is. Of a damaged store only name and uuid are known: metric is None then."""

    name: str
    uuid: str
    dim: int  # 0 = no vector yet
    metric: Optional[str]
    dtype: Optional[str]
    id_type: str  # "integer", "string" or "undecided"
    index: Dict[str, int]
    fields: Tuple[str, ...]
    format: int
    created: datetime
    metric_name: Optional[str] = None  # with metric "custom": `Database.register_metric`
    codec: Optional[str] = None  # that its vectors are kept with: `Store.set_codec`
    ttl_ms: int = 0  # milliseconds that records live which are written without an expiry; 0 = for ever: `Store.set_ttl`
    trash_ms: int = 0  # milliseconds that deleted records can be restored; 0 = not at all: `Store.set_trash`
    authors: bool = False  # records say who wrote them: `Store.set_authors`


def _name(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode()


def store_info_from(native: _abi.StoreInfo) -> StoreInfo:
    return StoreInfo(
        name=native.name.decode(),
        uuid=native.uuid.decode(),
        dim=native.dim,
        metric=_name(lib.evdb_metric_name(native.metric)),
        dtype=_name(lib.evdb_dtype_name(native.dtype)),
        id_type=_abi.ID_TYPES[native.id_type],
        index={"m": native.m, "ef_construction": native.ef_construction, "threads": native.index_threads},
        fields=tuple(native.fields[i].decode() for i in range(native.field_count)),
        format=native.format,
        created=datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=native.created_ms),
        metric_name=_name(native.metric_name),
        codec=_name(native.codec),
        ttl_ms=native.ttl_ms,
        trash_ms=native.trash_ms,
        authors=bool(native.authors),
    )
