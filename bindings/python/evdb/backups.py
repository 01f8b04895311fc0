"""Backups: a store as one file in the database's folder, and stores made of it again."""
from __future__ import annotations

import os
from ctypes import POINTER, byref, c_size_t, sizeof
from typing import Any, Callable, List, NamedTuple, Optional, Union

from . import _abi
from ._arguments import text, unsigned
from ._library import Handle, check, lib
from .errors import Invalid
from .transfer import Callbacks

Progress = Optional[Callable[[str, int], Any]]


class Backup(NamedTuple):
    """What a backup is. `base` is the id of the backup that this one is an increment of, None when it is full.

    `problem` says why a file in a list cannot be used, None when both its ends are sound.
    """

    name: str
    store: str
    id: str
    base: Optional[str]
    base_sequence: int
    sequence: int
    records: int
    entries: int
    raw_bytes: int
    file_bytes: int
    created_ms: int
    finished_ms: int
    encrypted: bool
    problem: Optional[str]


def _backup_from(info: _abi.BackupInfo) -> Backup:
    def plain(value: bytes) -> str:
        return value.decode("utf-8", "replace")

    return Backup(plain(info.name), plain(info.store), plain(info.id), plain(info.base) or None, info.base_sequence, info.sequence,
                  info.records, info.entries, info.raw_bytes, info.file_bytes, info.created_ms, info.finished_ms,
                  bool(info.encrypted), plain(info.problem) or None)


def _key(key: Optional[bytes]) -> Optional[bytes]:
    if key is not None and (not isinstance(key, bytes) or len(key) != _abi.BACKUP_KEY_BYTES):
        raise Invalid(f"key must be {_abi.BACKUP_KEY_BYTES} bytes")
    return key


def _place(backup: Union[str, "os.PathLike[str]"]) -> bytes:
    encoded = os.fsencode(backup)
    if b"\0" in encoded:
        raise Invalid(f"backup {backup!r} contains a NUL")
    return encoded


def create(store: Handle, name: str, base: Optional[str], key: Optional[bytes], progress: Progress) -> Backup:
    """See Store.backup."""
    callbacks, made = Callbacks(), _abi.BackupInfo(size=sizeof(_abi.BackupInfo))
    options = _abi.BackupOptions(size=sizeof(_abi.BackupOptions), key=_key(key), progress=callbacks.progress(progress))
    options.base_name = None if base is None else text(base, "base")
    callbacks.call(lib.evdb_backup_create, store, text(name, "name"), byref(options), byref(made))
    return _backup_from(made)


def _list(function: Any, *arguments: Any) -> List[Backup]:
    out, count = POINTER(POINTER(_abi.BackupInfo))(), c_size_t()
    check(function, *arguments, byref(out), byref(count))
    try:
        return [_backup_from(out[i].contents) for i in range(count.value)]
    finally:
        lib.evdb_backup_list_free(out, count)


def listed(database: Handle) -> List[Backup]:
    """See Database.backups."""
    return _list(lib.evdb_backup_list, database)


def holding(store: Handle, ids: Any, count: int, key: Optional[bytes]) -> List[Backup]:
    """See Store.find_backups."""
    return _list(lib.evdb_backup_find, store, ids, count, _key(key))


def prune(database: Handle, keep: Optional[int], since_ms: Optional[int], store: Optional[str], dry_run: bool) -> List[Backup]:
    """See Database.prune_backups."""
    options = _abi.PruneOptions(size=sizeof(_abi.PruneOptions), dry_run=1 if dry_run else 0)
    options.store = None if store is None else text(store, "store")
    options.keep = 0 if keep is None else unsigned(keep, "keep", 1, bits=32)
    options.since_ms = 0 if since_ms is None else unsigned(since_ms, "since_ms", 1, bits=63)
    return _list(lib.evdb_backup_prune, database, byref(options))


def verify(database: Handle, backup: Union[str, "os.PathLike[str]"], key: Optional[bytes], progress: Progress) -> Backup:
    """See Database.verify_backup."""
    callbacks, found = Callbacks(), _abi.BackupInfo(size=sizeof(_abi.BackupInfo))
    options = _abi.RestoreOptions(size=sizeof(_abi.RestoreOptions), key=_key(key), progress=callbacks.progress(progress))
    callbacks.call(lib.evdb_backup_verify, database, _place(backup), byref(options), byref(found))
    return _backup_from(found)


def restore(database: Handle, backup: Union[str, "os.PathLike[str]"], name: str, replace: bool, sequence: Optional[int],
            time_ms: Optional[int], key: Optional[bytes], progress: Progress) -> None:
    """See Database.restore."""
    callbacks = Callbacks()
    options = _abi.RestoreOptions(size=sizeof(_abi.RestoreOptions), key=_key(key), replace=1 if replace else 0,
                                  progress=callbacks.progress(progress))
    options.sequence = 0 if sequence is None else unsigned(sequence, "sequence", 1, bits=63)
    options.time_ms = 0 if time_ms is None else unsigned(time_ms, "time_ms", 1, bits=63)
    callbacks.call(lib.evdb_backup_restore, database, _place(backup), text(name, "name"), byref(options), None)
