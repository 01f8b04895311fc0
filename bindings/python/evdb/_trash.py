"""What was deleted and can come back, as include/evdb/trash.h has it."""
from __future__ import annotations

from ctypes import byref, c_void_p, cast, sizeof
from typing import Any, NamedTuple, Optional, Sequence, Union, overload

from . import _abi, _expiry, _ids
from ._arguments import unsigned
from ._ids import Id
from ._library import Handle, check, lib, output
from .errors import Invalid

_DAY = 86400.0


class Trashed(NamedTuple):
    """A deleted record that can be restored."""

    id: Id
    number: int  # a later delete has a larger one
    deleted_ms: int  # Unix time in milliseconds, like all below
    deleter: Optional[str]  # None = nobody said
    version: int
    metadata_json: str
    expires_ms: Optional[int]
    until_ms: int  # when it is removed from the trash


class Undeleted(NamedTuple):
    """What an undelete did, or would do."""

    restored: int
    existing: int  # without ids: that stay in the trash, since there is a record of their id again


class TrashPage(Sequence[Trashed]):
    """A page of the trash, the last deleted first. There may be more before `next`, unless that is None."""

    def __init__(self, items: Sequence[Trashed], next: Optional[int]) -> None:
        self._items = items
        self.next = next

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, at: int) -> Trashed: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Trashed]: ...
    def __getitem__(self, at: Union[int, slice]) -> Any:
        return self._items[at]


def milliseconds(keep: Union[bool, float, None]) -> int:
    """True is a day, a number seconds; None and False are 0, which keeps nothing."""
    if keep is None or keep is False:
        return 0
    return _expiry.milliseconds(_DAY if keep is True else keep)


def _trashed(native: Any) -> Trashed:
    deleter = None if native.deleter is None else native.deleter.decode()
    return Trashed(_ids.from_native(native.id), native.number, native.deleted_ms, deleter, native.version, native.metadata.decode(),
                   native.expires_ms or None, native.until_ms)


def page(handle: Handle, before: int, limit: Optional[int]) -> TrashPage:
    count = 0 if limit is None else unsigned(limit, "limit", 1)
    address = output(lib.evdb_trash_list, handle, unsigned(before, "before", bits=64), count)
    try:
        native = _abi.Trash.from_address(address)
        return TrashPage([_trashed(native.at[i]) for i in range(native.count)], native.next or None)
    finally:
        lib.evdb_trash_free(address)


def restore(handle: Handle, ids: Any, since_ms: Optional[int], dry_run: bool) -> Undeleted:
    if (ids is None) == (since_ms is None):
        raise Invalid("give either ids or since_ms")
    what = _abi.Undelete(sizeof(_abi.Undelete))
    if ids is not None:
        array, what.count = _ids.few(ids)
        what.ids = cast(array, c_void_p)
    else:
        what.since_ms = unsigned(since_ms, "since_ms", bits=63)
    what.flags = 1 if dry_run else 0
    report = _abi.UndeleteReport(sizeof(_abi.UndeleteReport))
    check(lib.evdb_trash_restore, handle, byref(what), byref(report))
    return Undeleted(report.restored, report.existing)
