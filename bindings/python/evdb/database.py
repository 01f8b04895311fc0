"""A database: its stores by name."""
from __future__ import annotations

import atexit
import logging
import os
import weakref
from ctypes import POINTER, byref, c_char_p, c_size_t, sizeof
from typing import Any, List, Mapping, Optional, Sequence, Union

from . import _abi, _arguments, _expiry, _trash, audit, backups, metrics, repairs
from ._arguments import text, unsigned
from ._library import DatabaseHandle, StoreHandle, check, lib, output
from .audit import AuditEntry, AuditReport
from .backups import Backup, Progress
from .errors import Invalid
from .foreign import Foreign
from .records import Problem, StoreInfo, VerifyReport, store_info_from
from .repairs import RepairReport
from .store import Store

_logger = logging.getLogger("evdb")
_logger.addHandler(logging.NullHandler())


def _warn(_: Any, message: bytes) -> None:
    _logger.warning("%s", message.decode("utf-8", "replace"))


_log = _abi.LOG(_warn)


_open: "weakref.WeakSet[Database]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for database in list(_open):
        database.close()


class Database:
    """An open database; made by `evdb.open`. Threads may share it. Closing it closes its stores."""

    def __init__(self, path: Union[str, "os.PathLike[str]"], *, create: bool = True, index_memory_max: int = 0,
                 default_codec: Optional[str] = None, sync_interval: Optional[float] = None,
                 backup_dir: Union[str, "os.PathLike[str]", None] = None) -> None:
        encoded = os.fsencode(path)
        if b"\0" in encoded:
            raise Invalid(f"path {path!r} contains a NUL")
        options = _abi.Options(size=sizeof(_abi.Options), flags=0 if create else _abi.OPEN_EXISTING, log=_log,
                                index_memory_max=unsigned(index_memory_max, "index_memory_max", bits=64))
        options.default_codec = None if default_codec is None else text(default_codec, "default_codec")
        if sync_interval is not None:
            options.sync = _abi.SYNC_INTERVAL
            options.sync_interval_ms = unsigned(max(1, round(sync_interval * 1000)), "sync_interval")
        options.backup_dir = None if backup_dir is None else os.fsencode(backup_dir)
        self._stores: "weakref.WeakSet[Store]" = weakref.WeakSet()
        self._path = os.fspath(path)
        self._raised = metrics.Raised()
        self._handle = DatabaseHandle(output(lib.evdb_open, encoded, byref(options)))
        _open.add(self)

    def __getattr__(self, name: str) -> Any:  # only reached when the attribute is not there
        if name == "_handle":
            raise Invalid("the database is closed")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<evdb.Database {self._path!r}{'' if '_handle' in self.__dict__ else ', closed'}>"

    def close(self) -> None:
        """Closes the database and its stores, behind calls that other threads are in and iterations under way."""
        for store in list(self._stores):
            store.close()
        self.__dict__.pop("_handle", None)

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def _opened(self, address: int, name: str) -> Store:
        store = Store(StoreHandle.above(address, self._handle), name, self._raised)
        self._stores.add(store)
        return store

    def foreign(self, path: Union[str, "os.PathLike[str]"], kind: str, *, name: Optional[str] = None,
                column: Optional[str] = None) -> Foreign:
        """Opens a file that another program keeps, to be read by `Store.import_foreign`. It is never changed.

        kind is "sqlite-vec": a SQLite file with vec0 tables, or with float32 blobs in ordinary ones; name is the table,
        column its vectors. Or "chroma": the directory of a persistent Chroma; name is the collection. Where there is only
        one that may be meant, both can be left out.
        """
        return Foreign(self._handle, path, kind, name, column)

    def create_store(self, name: str, dim: Optional[int] = None, metric: str = "cosine", dtype: str = "f32",
                     index: Optional[Mapping[str, int]] = None, fields: Sequence[str] = (),
                     id_type: Optional[str] = None, metric_name: Optional[str] = None, codec: Optional[str] = None,
                     ttl: Optional[float] = None, trash: Union[bool, float, None] = None, authors: bool = False) -> Store:
        """Creates a store and opens it. `Exists` when the name is taken.

        dim None takes the dimension from the first vector. metric: "cosine", "euclidean" (or "l2"), "manhattan"
        (or "l1"), "ip" (or "dot"), "hamming", or "custom" with a metric_name (`register_metric`). dtype: how elements are stored:
        "f32", "f16" (rounded), "i8" (whole numbers -128..127) or "bit" (0 and 1); what it cannot hold is refused. index: {"m", "ef_construction", "threads"}, recorded for the index to come.
        fields: metadata fields that filters will be fast on. id_type: "integer" or "string", decided by the first
        record when None. codec: how vectors are kept (`codecs`, `Store.advise`), "i8" say; "none" is no codec, None the one of `open`.
        ttl: seconds that records live which are written without an expiry of their own; None is for ever.
        trash: seconds that deleted records can be restored (`Store.undelete`), True is a day; None and False keep none.
        authors: records say who wrote them, see `Store.set_authors`.
        """
        options = _abi.StoreOptions(size=sizeof(_abi.StoreOptions))
        options.dim = 0 if dim is None else unsigned(dim, "dim", 1)
        options.metric, options.dtype = _arguments.metric(metric), _arguments.dtype(dtype)
        options.metric_name = None if metric_name is None else text(metric_name, "metric_name")
        options.ttl_ms = _expiry.milliseconds(ttl)
        options.trash_ms = _trash.milliseconds(trash)
        options.authors = 1 if authors else 0
        options.codec = None if codec is None else text(codec, "codec")
        if id_type is not None:
            if id_type not in _abi.ID_TYPES[1:]:
                raise Invalid(f"id_type must be 'integer' or 'string', not {id_type!r}")
            options.id_type = _abi.ID_TYPES.index(id_type)
        names = {"m": "m", "ef_construction": "ef_construction", "threads": "index_threads"}
        for option, value in (index or {}).items():
            if option not in names:
                raise Invalid(f"unknown index option {option!r}; there are {', '.join(names)}")
            setattr(options, names[option], unsigned(value, f"index option {option!r}"))
        if isinstance(fields, str):
            raise TypeError("fields must be a sequence of names, not one str")
        encoded = [text(field, "field") for field in fields]
        options.field_count = len(encoded)
        options.fields = (c_char_p * len(encoded))(*encoded)
        return self._opened(output(lib.evdb_store_create, self._handle, text(name, "name"), byref(options)), name)

    def register_metric(self, name: str, distance: metrics.Distance, *, graph: bool = False) -> None:
        """Lets stores that were created with metric="custom" and this metric_name be searched here, by a function of yours.

        distance(a, b) gets two float32 vectors, in a search the query first, and answers a number: smaller is nearer. It is called
        for every record a search looks at, and a call takes some microseconds, where the library's own metrics take nanoseconds.
        It may be called by several threads, and must always answer the same for the same vectors. What it raises, a search raises.

        With graph=True the store may get a graph: then most records are not looked at, and most of the nearest are found. The function
        has to be symmetric then, and is called in the background too. It stays until the database is closed; registering the name once
        more raises `Exists`.
        """
        if not callable(distance):
            raise TypeError(f"distance must be callable, not {type(distance).__name__}")
        metrics.register(self._handle, name, distance, graph, self._raised)

    def store(self, name: str) -> Store:
        """Opens a store. `NotFound` when there is none of that name."""
        return self._opened(output(lib.evdb_store_open, self._handle, text(name, "name")), name)

    def stores(self) -> List[StoreInfo]:
        """What all stores are, by name."""
        out, count = POINTER(POINTER(_abi.StoreInfo))(), c_size_t()
        check(lib.evdb_store_list, self._handle, byref(out), byref(count))
        try:
            return [store_info_from(out[i].contents) for i in range(count.value)]
        finally:
            lib.evdb_store_list_free(out, count)

    def rename_store(self, name: str, new_name: str) -> None:
        """Renames a store; open handles stay good. `NotFound`, `Exists`."""
        check(lib.evdb_store_rename, self._handle, text(name, "name"), text(new_name, "name"))

    def drop_store(self, name: str) -> None:
        """Removes a store and its files; handles that are open answer `NotFound` from then on."""
        check(lib.evdb_store_drop, self._handle, text(name, "name"))

    def backups(self) -> List[Backup]:
        """All backups in the database's folder, sorted by name (`Store.backup`)."""
        return backups.listed(self._handle)

    def verify_backup(self, backup: Union[str, "os.PathLike[str]"], *, key: Optional[bytes] = None,
                      progress: Progress = None) -> Backup:
        """Reads a backup, and all it builds on, to the end and checks everything that `restore` would.

        backup: a name in the folder, or the path of a file, which has a "/" in it. `Corrupt`, `Denied` for a wrong or missing key.
        """
        return backups.verify(self._handle, backup, key, progress)

    def delete_backup(self, name: str) -> None:
        """Removes a backup; `Invalid` while another one in the folder builds on it."""
        check(lib.evdb_backup_delete, self._handle, text(name, "name"))

    def prune_backups(self, *, keep: Optional[int] = None, since_ms: Optional[int] = None, store: Optional[str] = None,
                      dry_run: bool = False) -> List[Backup]:
        """Deletes the backups that no rule keeps; `Invalid` without a rule.

        keep: this many of the newest of each store, full ones and increments alike; since_ms: those done at this Unix time in
        milliseconds or later. What a kept one builds on stays as well. store: only backups of stores of this name. Returned are the
        deleted ones, or with dry_run those that would be; and, with their problem, those that cannot be restored and were left.
        """
        return backups.prune(self._handle, keep, since_ms, store, dry_run)

    def restore(self, backup: Union[str, "os.PathLike[str]"], name: str, *, replace: bool = False, sequence: Optional[int] = None,
                time_ms: Optional[int] = None, key: Optional[bytes] = None, progress: Progress = None) -> Store:
        """Makes a store of a backup and opens it; with replace it takes the place of the store of that name, in one step.

        All of it is checked before anything is written. sequence and time_ms (Unix time in milliseconds) choose the newest state, of
        the backup and all it builds on, that is no later. Handles to a replaced store answer `NotFound`.
        progress(phase, records) is called now and then; an exception it raises stops the restore, and nothing has changed.
        """
        backups.restore(self._handle, backup, name, replace, sequence, time_ms, key, progress)
        return self.store(name)

    def verify(self, name: Optional[str] = None) -> VerifyReport:
        """Reads everything of one store, or of all, and checks every invariant. Finding problems does not raise."""
        problems: List[Problem] = []

        def found(_: Any, store: Optional[bytes], problem: bytes) -> None:
            problems.append(Problem((store or b"").decode("utf-8", "replace"), problem.decode("utf-8", "replace")))

        report = _abi.VerifyReport()
        encoded = None if name is None else text(name, "name")
        check(lib.evdb_verify, self._handle, encoded, _abi.PROBLEM(found), None, byref(report))
        return VerifyReport(report.stores, report.records, problems)

    def audit(self, after: Optional[int] = None, *, limit: int = 100) -> List[AuditEntry]:
        """Entries of the audit log, oldest first: those behind number `after`, or the newest."""
        return audit.entries(self._handle, after, limit)

    def verify_audit(self, anchor: Optional[str] = None) -> AuditReport:
        """Checks that the audit log is what was written. Finding problems does not raise.

        anchor: the head of a report of before, which was kept elsewhere: the log must still have that entry.
        """
        return audit.verify(self._handle, anchor)

    def repair(self, name: str, *, progress: Progress = None) -> RepairReport:
        """Replaces a damaged store by every record of it that can still be read, with its version; what is lost is reported.

        Handles to it answer `NotFound` afterwards: open it anew. The damaged files are kept in `quarantine` below the database. A sound
        store is left alone. `Corrupt` when nothing tells any more what the store is. progress(phase, records) is called now and then;
        an exception it raises stops the repair, and nothing has changed.
        """
        return repairs.repair(self._handle, name, progress)
