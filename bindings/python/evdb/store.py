"""A store: its records, searches and change feed."""
from __future__ import annotations

import os
from ctypes import byref, c_uint64, sizeof
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np

from . import _abi, _expiry, _ids, _trash, _vectors, backups, transfer
from ._arguments import json_text, text, unsigned
from ._batch import Batch, write
from ._ids import Id
from ._library import CursorHandle, Handle, ResultHandle, check, failure, lib, output
from ._trash import TrashPage, Undeleted
from .advise import CodecReport, Progress, advise, sample_of
from .backups import Backup
from .codecs import Compression, compression_of
from .errors import Invalid, NotFound
from .foreign import Foreign
from .metrics import Raised
from .records import (
    BadRecord, Changes, ImportReport, Record, StoreInfo, Written, record_from, store_info_from,
)
from .results import BatchResult, SearchResult, build_options, usual_options

Ids = Union[Id, Sequence[Id], np.ndarray]
Filter = Union[Mapping[str, Any], str, None]

_search = lib.evdb_search
_ResultHandle, _ndarray, _F32, _Outcome, _ERROR_AT = ResultHandle, np.ndarray, _vectors.F32, _abi.Outcome, _abi.ERROR_AT


class Index:
    """The store's graph, which makes searches fast. It is built by itself once that is worth it; nobody has to ask."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def wait(self, threads: int = 0) -> None:
        """Links everything written so far, on that many threads (0 = the store's), and returns when nothing is left to do."""
        check(lib.evdb_index_build, self._handle, threads)

    @staticmethod
    def estimate(dim: int, count: int, m: int = 0) -> int:
        """Bytes that a graph of `count` vectors takes, without the vectors; m is that of `create_store` (0 = 16)."""
        out = c_uint64()
        check(lib.evdb_index_estimate, unsigned(dim, "dim"), unsigned(count, "count", bits=64), unsigned(m, "m"), byref(out))
        return out.value

    def rebuild(self, threads: int = 0) -> None:
        """Like `wait`, from scratch."""
        check(lib.evdb_index_rebuild, self._handle, threads)

    def create(self) -> None:
        """Lets there be a graph, also after `drop`, and begins to build it in the background."""
        check(lib.evdb_index_create, self._handle)

    def drop(self) -> None:
        """Removes graph and file, in all processes; searches scan until `create`, `wait` or `rebuild`."""
        check(lib.evdb_index_drop, self._handle)

    def pause(self) -> None:
        """Keeps all processes from building in the background until `resume`."""
        check(lib.evdb_index_pause, self._handle)

    def resume(self) -> None:
        """Undoes `pause`."""
        check(lib.evdb_index_resume, self._handle)

    def cancel(self) -> None:
        """Ends the build under way, in whichever process; a `wait` for it raises `Cancelled`. What was linked stays in use."""
        check(lib.evdb_index_cancel, self._handle)

    def status(self) -> Dict[str, Any]:
        """state ("none", "building", "refining", "saving", "ready", "paused", "disabled"), progress (0 to 1), linked and waiting (vectors in the
        graph, and scanned exactly meanwhile), total, memory_bytes, disk_bytes, saved_sequence and problem."""
        status = _abi.IndexStatus(sizeof(_abi.IndexStatus))
        check(lib.evdb_index_get_status, self._handle, byref(status))
        out = {name: getattr(status, name) for name, _ in status._fields_[1:]}
        return {**out, "state": lib.evdb_index_state_name(status.state).decode(), "problem": status.problem.decode(errors="replace")}


class Store:
    """An open store; made by `Database.create_store` and `Database.store`.

    Any number of threads may use one Store at the same time: calls into the library run without Python's global
    lock. After a fork the child gets `Forked` and has to open the database again.
    """

    def __init__(self, handle: Handle, name: str, raised: Raised) -> None:
        self._handle = handle
        self._name = name
        self._raised = raised

    def __getattr__(self, name: str) -> Any:  # only reached when the attribute is not there
        if name == "_handle":
            raise Invalid("the store is closed")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<evdb.Store {self._name!r}{'' if '_handle' in self.__dict__ else ', closed'}>"

    @property
    def index(self) -> Index:
        """The store's graph."""
        return Index(self._handle)  # a new one each time: one kept here would keep the handle open beyond close()

    def close(self) -> None:
        """Closes the handle, behind calls that other threads are in and iterations that are under way."""
        self.__dict__.pop("_handle", None)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    # Writing. `ids` is one id or a sequence of them; with one id, the other arguments are bare too.

    def insert(self, ids: Ids, vectors: Any, metadata: Any = None, *, partial: bool = False, codec: Optional[str] = None,
               ttl: Any = None, expires_ms: Any = None, author: Optional[str] = None) -> Written:
        """Adds n records: n ids, vectors of shape (n, dim), and n dicts or JSON texts (or None for {}).

        Durable when it returns. Up to 10,000 records and 256 MiB a call are one commit, all or nothing: the first
        bad item fails the call and is the error's `item` (`Exists` for an id that is there). A larger call
        becomes several commits in order; when one of them fails the earlier ones stay, and the error's `written`
        says how many records that is. With partial=True good items are written and `Written.failed` lists the others.

        float32 vectors are taken from where they are, also every other row or a column range of a larger array;
        other numbers are converted. codec: these vectors are kept with it, whatever the store's is; "none" keeps them as they are.

        ttl: seconds from now until the records are gone, for all or one each; expires_ms the same as Unix time in milliseconds, NEVER
        for records that stay where others do not. Without either the store's own ttl holds.

        author: who writes, which the records keep where the store's `authors` are on (`set_authors`).
        """
        return write(self, Batch(_abi.INSERT, ids, vectors, metadata, None, partial, codec, ttl, expires_ms, author))

    def upsert(self, ids: Ids, vectors: Any, metadata: Any = None, *, if_versions: Any = None,
               partial: bool = False, codec: Optional[str] = None, ttl: Any = None, expires_ms: Any = None,
               author: Optional[str] = None) -> Written:
        """Adds records, or replaces them whole. Otherwise like `insert`.

        if_versions has the version each record must have now (0 = any), else it fails with `Conflict`.
        """
        return write(self, Batch(_abi.UPSERT, ids, vectors, metadata, if_versions, partial, codec, ttl, expires_ms, author))

    def update(self, ids: Ids, vectors: Any = None, metadata: Any = None, *, if_versions: Any = None,
               partial: bool = False, ttl: Any = None, expires_ms: Any = None, author: Optional[str] = None) -> Written:
        """Changes records that exist (`NotFound`). vectors None keeps the vectors, metadata None the metadata; without ttl or
        expires_ms they expire when they would have."""
        return write(self, Batch(_abi.UPDATE, ids, vectors, metadata, if_versions, partial, None, ttl, expires_ms, author))

    def update_metadata(self, id: Id, patch: Mapping[str, Any], *, if_version: int = 0, author: Optional[str] = None) -> Record:
        """Changes single members of a record's metadata, and nothing else (RFC 7396): a member of `patch` takes the place of that of its
        name, None takes it away, a dict is merged into a dict. Merges at once are all there afterwards. The record as it is then, without
        its vector. `update` replaces all of the metadata."""
        address = output(lib.evdb_record_merge, self._handle, _ids.one(id), json_text(patch, "patch"),
                         None if author is None else text(author, "author"), unsigned(if_version, "if_version", bits=64))
        try:
            return record_from(_abi.Record.from_address(address))
        finally:
            lib.evdb_record_free(address)

    def delete(self, ids: Ids, *, if_versions: Any = None, partial: bool = False) -> Written:
        """Deletes records. `NotFound` (and nothing deleted) when one is missing, unless partial. Where the store's trash is on (`set_trash`),
        `undelete` brings them back."""
        return write(self, Batch(_abi.DELETE, ids, None, None, if_versions, partial))

    def forget(self, ids: Ids) -> int:
        """Deletes records and erases them, so that no file of the store holds a byte of them or of any deleted before; how many were
        there. Writes the store anew (include/evdb/forget.h tells what that takes); at most 10,000 ids."""
        array, count = _ids.few(ids)
        report = _abi.ForgetReport(sizeof(_abi.ForgetReport))
        check(lib.evdb_store_forget, self._handle, array, count, byref(report))
        return int(report.forgotten)

    # Reading.

    def get(self, id: Id) -> Record:
        """The record with that id; `NotFound`, which is a KeyError, when there is none."""
        address = output(lib.evdb_record_get, self._handle, _ids.one(id))
        try:
            return record_from(_abi.Record.from_address(address))
        finally:
            lib.evdb_record_free(address)

    def __contains__(self, id: Id) -> bool:
        try:
            self.get(id)
        except NotFound:
            return False
        return True

    def count(self, filter: Filter = None) -> int:
        """Live records, in constant time; or those whose metadata matches, which loads the store like a search."""
        out = c_uint64()
        check(lib.evdb_filter_count, self._handle, None if filter is None else json_text(filter, "filter"), byref(out))
        return out.value

    def __len__(self) -> int:
        return self.count()

    def __iter__(self) -> Iterator[Record]:
        return self.records()

    def records(self, *, vectors: bool = True, after: Optional[Id] = None,
                skip_damaged: bool = False) -> Iterator[Record]:
        """Every record in order of id, from behind `after` on; without vectors it is much cheaper.

        No transaction is held: a record that exists all the while comes exactly once, one written or deleted
        meanwhile may or may not come. A damaged record raises `Corrupt`; with skip_damaged it is left out
        (`Database.verify` names it). The iterator belongs to one thread at a time and keeps its store open.
        """
        flags = 0 if vectors else _abi.CURSOR_NO_VECTORS
        options = _abi.CursorOptions(sizeof(_abi.CursorOptions), flags)
        if skip_damaged:
            options.flags |= _abi.CURSOR_SKIP_DAMAGED
        if after is not None:
            options.has_after, options.after = 1, _ids.one(after)
        address = output(lib.evdb_cursor_open, self._handle, byref(options))
        return _iterate(CursorHandle.above(address, self._handle), skip_damaged)

    def changes(self, after: int = 0, limit: Optional[int] = None) -> Changes:
        """What happened after a sequence number, oldest first: at most `limit` changes (10,000 when None).

        Continue with `changes(page.last)`; an empty page means that nothing more has happened yet. `Gone` when some
        were trimmed.
        """
        count = 0 if limit is None else unsigned(limit, "limit", 1)
        address = output(lib.evdb_changes_read, self._handle, unsigned(after, "after", bits=64), count)
        try:
            return Changes(_abi.Changes.from_address(address))
        finally:
            lib.evdb_changes_free(address)

    def trim_changes(self, through: int) -> None:
        """Forgets changes with a sequence up to `through` (the newest is always kept)."""
        check(lib.evdb_changes_trim, self._handle, unsigned(through, "through", bits=64))

    # Searching.

    def search(self, q: Any, k: int = 10, ef: Optional[int] = None, filter: Filter = None,
               metadata: bool = False, accuracy: Optional[float] = None) -> SearchResult:
        """The k nearest to q, a vector of dim numbers. Sees every write committed before.

        ef is the effort of a graph search (an exact scan ignores it). accuracy, instead of it, is the share of the k nearest that
        shall be found, 0.5 to 0.999: the effort for it is found out by the first such search, which takes its time. filter is a JSON
        object or its text (include/evdb/filter.h is the language): only records whose metadata matches are found. metadata=True
        fetches the metadata of each hit too.
        """
        if type(q) is _ndarray and q.dtype == _F32 and q.ndim == 1:
            query = q.tobytes()
        else:
            query = _vectors.one(q, "q")
        if filter is None:
            options = usual_options(k, ef, 1, metadata, None, accuracy)
        else:
            options = build_options(k, ef, 1, metadata, json_text(filter, "filter"), accuracy)
        outcome = _Outcome()
        status = _search(self._handle, query, len(query) >> 2, options, byref(outcome), byref(outcome, _ERROR_AT))
        if status:
            raise failure(outcome.error, status)
        result = SearchResult(_ResultHandle(outcome.out))
        if self._raised:
            self._raised.again()
        return result

    def search_range(self, q: Any, radius: float, k: Optional[int] = None, filter: Filter = None,
                     metadata: bool = False) -> SearchResult:
        """Every record with distance <= radius, nearest first, at most k of them (10,000 when None).

        `complete` is False, and `stop` "limit", when more lie within the radius.
        """
        query = _vectors.one(q, "q")
        options = build_options(k, None, 1, metadata, None if filter is None else json_text(filter, "filter"))
        address = output(lib.evdb_search_range, self._handle, query, len(query) >> 2, radius, options)
        result = SearchResult(ResultHandle(address))
        self._raised.again()
        return result

    def search_batch(self, Q: Any, k: int = 10, ef: Optional[int] = None, threads: int = 1, filter: Filter = None,
                     metadata: bool = False, accuracy: Optional[float] = None) -> BatchResult:
        """The k nearest to each row of Q, on `threads` threads.

        All or nothing: an error's `item` is the query at fault.
        """
        k = unsigned(k, "k", 1)
        rows = _vectors.rows(Q, "Q")
        options = build_options(k, ef, threads, metadata, None if filter is None else json_text(filter, "filter"), accuracy)
        address = output(lib.evdb_search_batch, self._handle, rows.address, rows.count, rows.stride, rows.dim, options)
        result = BatchResult(ResultHandle(address), k)
        self._raised.again()
        return result

    # About the store.

    def stats(self) -> Dict[str, Any]:
        """records, sequence, changes_horizon, memory_bytes, disk_bytes, loaded_sequence, filter_reads, and what is known of recent searches by
        the graph: recall, the share of the nearest that they found, and recall_samples, how many were compared with a scan."""
        out = _abi.StoreStats(sizeof(_abi.StoreStats))
        check(lib.evdb_store_get_stats, self._handle, byref(out))
        return {field[0]: getattr(out, field[0]) for field in _abi.StoreStats._fields_[1:-1]}

    def describe(self) -> StoreInfo:
        """What the store is: name, dimension, metric and so on."""
        address = output(lib.evdb_store_describe, self._handle)
        try:
            return store_info_from(_abi.StoreInfo.from_address(address))
        finally:
            lib.evdb_store_info_free(address)

    def sync(self) -> None:
        """Moves everything written so far into the main files. Commits are durable without it."""
        check(lib.evdb_store_sync, self._handle)

    def set_ttl(self, ttl: Optional[float]) -> None:
        """Lets records that are written from now on without an expiry of their own live that many seconds; None is for ever."""
        check(lib.evdb_store_set_ttl, self._handle, _expiry.milliseconds(ttl))

    def set_authors(self, on: bool) -> None:
        """Lets records that are written from now on say who wrote them, and when, or not: `author` of writes, `Record.author`."""
        check(lib.evdb_store_set_authors, self._handle, 1 if on else 0)

    # The trash.

    def set_trash(self, keep: Union[bool, float, None] = True) -> None:
        """Keeps deleted records that many seconds, True is a day, so that `undelete` brings them back. None or False turns the trash off
        and empties it."""
        check(lib.evdb_store_set_trash, self._handle, _trash.milliseconds(keep))

    def trash(self, before: int = 0, limit: Optional[int] = None) -> TrashPage:
        """Deleted records that can be restored, the last deleted first: at most `limit` (1,000 when None). Continue with
        `trash(page.next)` while that is not None."""
        return _trash.page(self._handle, before, limit)

    def undelete(self, ids: Optional[Ids] = None, *, since_ms: Optional[int] = None, dry_run: bool = False) -> Undeleted:
        """Brings deleted records back as they were: these ids, all or none (`NotFound`, `Exists`), or all that were deleted since a Unix
        time in milliseconds but for those of which there is a record again. dry_run only tells how many."""
        return _trash.restore(self._handle, ids, since_ms, dry_run)

    def empty_trash(self) -> int:
        """Removes what is in the trash for good; how many records that were."""
        removed = c_uint64()
        check(lib.evdb_trash_empty, self._handle, byref(removed))
        return removed.value

    # Codecs.

    def set_codec(self, spec: str, *, wait: bool = False) -> None:
        """Keeps the vectors with another codec, "none" with none. They are written again in the background, or before this returns with
        wait=True. What a codec has rounded away does not come back. One that is trained waits for vectors enough."""
        check(lib.evdb_store_set_codec, self._handle, text(spec, "spec"))
        if wait:
            self.recode()

    def recode(self) -> None:
        """Does now what is left of that to be done."""
        check(lib.evdb_store_recode, self._handle)

    def compression(self) -> Compression:
        """How vectors are kept, and how far a change of that is."""
        return compression_of(self._handle)

    def sample(self, most: Optional[int] = None) -> np.ndarray:
        """An even sample of the store's vectors, in order of id: at most that many (20,000 when None) and 256 MiB."""
        return sample_of(self._handle, self.describe().dim, most)

    def advise(self, recall: float = 0.95, *, codecs: Optional[Sequence[str]] = None, sample: Optional[int] = None, seed: int = 0,
               progress: Progress = None) -> CodecReport:
        """Measures codecs on a sample of the store, as `benchmark_codecs` does, under its metric.

        `proposed` is the one that keeps the store in the fewest bytes among those that find at least that share of the 10 nearest, None
        when none does. codecs None is a list of candidates for the store's dimension.
        """
        return advise(self._handle, recall, codecs, sample, seed, progress)

    # Files.

    def backup(self, name: str, *, base: Optional[str] = None, key: Optional[bytes] = None,
               progress: Optional[Callable[[str, int], Any]] = None) -> Backup:
        """Writes the store to a backup in the database's folder, while it is in use (`Database.restore`).

        With base, an earlier backup, only what changed since: `Gone` when those changes were trimmed. key: 32 bytes to encrypt it
        with. progress(phase, records) is called now and then; an exception it raises stops the backup.
        """
        return backups.create(self._handle, name, base, key, progress)

    def find_backups(self, ids: Ids, *, key: Optional[bytes] = None) -> List[Backup]:
        """Backups in the database's folder that hold one of these records, of this store or one that had its name: what `forget` does
        not reach. One that cannot be looked through, for want of its key perhaps, is listed with the reason as its `problem`."""
        array, count = _ids.few(ids)
        return backups.holding(self._handle, array, count, key)

    def export_file(self, path: Union[str, "os.PathLike[str]"], format: Optional[str] = None, *,
                    companion: Union[str, "os.PathLike[str]", None] = None,
                    progress: Optional[Callable[[str, int], Any]] = None) -> int:
        """Writes every record to a file in order of id and returns how many.

        format is "json", "jsonl", "npy", "fvecs" or "bvecs", taken from the file's name when None. npy, fvecs and bvecs
        have vectors only, bvecs those of whole numbers from 0 to 255; ids and metadata go to the companion file (JSONL).
        The files appear whole or not at all.
        progress(phase, records) is called now and then; an exception it raises stops the export.
        """
        return transfer.export_file(self, path, format, companion, progress)

    def import_file(self, path: Union[str, "os.PathLike[str]"], format: Optional[str] = None, *, upsert: bool = False,
                    keep_going: bool = False, batch: Optional[int] = None, first_id: int = 0,
                    companion: Union[str, "os.PathLike[str]", None] = None, resume: bool = False,
                    progress: Optional[Callable[[str, int], Any]] = None,
                    on_bad: Optional[Callable[[BadRecord], Any]] = None, author: Optional[str] = None,
                    keep_authors: bool = False) -> ImportReport:
        """Inserts (or upserts) every record of a file, `batch` (1,000 when None) a commit.

        All of the file is checked before anything is written: a bad record raises with `item`, its 1-based line.
        With keep_going bad records are left out, and reported to on_bad, or in the report's `bad` when that is None.
        npy, fvecs and bvecs take ids and metadata from the companion file, or number rows from first_id. progress as
        for `export_file`. An import that was broken off while it wrote is finished by the same call with resume: records
        that are there already with the same vector and metadata are passed over, and counted in the report's `present`.
        author is who writes; with keep_authors records of json and jsonl keep the author and time that they name.
        """
        return transfer.import_file(self, path, format, upsert, keep_going, batch, first_id, companion, resume, progress,
                                    on_bad, author, keep_authors)

    def import_foreign(self, source: Foreign, *, upsert: bool = False, keep_going: bool = False, batch: Optional[int] = None,
                       resume: bool = False, progress: Optional[Callable[[str, int], Any]] = None,
                       on_bad: Optional[Callable[[BadRecord], Any]] = None) -> ImportReport:
        """As `import_file`, from a file of another program that `Database.foreign` has opened."""
        return transfer.import_foreign(self, source, upsert, keep_going, batch, resume, progress, on_bad)


def _iterate(cursor: Handle, skip_damaged: bool) -> Iterator[Record]:
    while True:
        outcome = _abi.Outcome()
        status = lib.evdb_cursor_next(cursor, byref(outcome), byref(outcome, _abi.ERROR_AT))
        if status == _abi.CORRUPT and skip_damaged:
            continue
        if status:
            del cursor
            raise failure(outcome.error, status)
        if not outcome.out:
            return
        yield record_from(_abi.Record.from_address(outcome.out))
