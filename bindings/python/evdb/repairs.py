"""Repairs: damaged stores made whole again of what can be read of them."""
from __future__ import annotations

from ctypes import byref, sizeof
from dataclasses import dataclass
from typing import Any, Callable, List, NamedTuple, Optional

from . import _abi
from ._arguments import text
from ._ids import Id, from_native
from ._library import Handle, lib
from .transfer import Callbacks

_LOST = {_abi.LOST_METADATA: "metadata", _abi.LOST_VECTOR: "vector", _abi.LOST_BOTH: "both"}


class LostRecord(NamedTuple):
    """A record that could not be salvaged; lost is "metadata", "vector" or "both"."""

    id: Id
    lost: str


@dataclass(frozen=True)
class RepairReport:
    """What Database.repair() did. A sound store is left alone: repaired is False then, and problems are 0."""

    repaired: bool
    problems: int
    records: int
    lost: List[LostRecord]
    lost_unnamed: int
    missing_changes: int
    fields_lost: bool
    sequence: int
    quarantine: Optional[str]


def repair(database: Handle, name: str, progress: Optional[Callable[[str, int], Any]]) -> RepairReport:
    """See Database.repair."""
    lost: List[LostRecord] = []

    def note(_: Any, id: Any, what: int) -> None:
        lost.append(LostRecord(from_native(id[0]), _LOST.get(what, "both")))

    callbacks, report = Callbacks(), _abi.RepairReport(size=sizeof(_abi.RepairReport))
    options = _abi.RepairOptions(size=sizeof(_abi.RepairOptions), lost=_abi.LOST(note), progress=callbacks.progress(progress))
    callbacks.call(lib.evdb_store_repair, database, text(name, "name"), byref(options), byref(report))
    return RepairReport(bool(report.repaired), report.problems, report.records, lost, report.lost_unnamed, report.missing_changes,
                        bool(report.fields_lost), report.sequence, report.quarantine.decode() or None)
