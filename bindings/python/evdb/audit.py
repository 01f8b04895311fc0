"""The audit log: who did what to a database, and whether that is still what was written."""
from __future__ import annotations

from ctypes import POINTER, byref, c_size_t, c_void_p, cast, sizeof
from dataclasses import dataclass
from typing import Any, List, Optional

from . import _abi
from ._arguments import text, unsigned
from ._library import Handle, check, lib


@dataclass(frozen=True)
class AuditEntry:
    """One entry; outcome is "BEGUN", "OK" or the code of an error, and of the number of the entry whose outcome it is, or 0."""

    number: int
    time_ms: int
    who: str
    via: str
    act: str
    target: str
    of: int
    count: int
    outcome: str


@dataclass(frozen=True)
class AuditReport:
    """What Database.verify_audit() found; head is the last entry's, to be kept elsewhere as an anchor, None while there is none."""

    entries: int
    problems: List[str]
    head: Optional[str]


def _entry(e: Any) -> AuditEntry:
    outcome = "BEGUN" if e.outcome == _abi.AUDIT_BEGUN else lib.evdb_status_name(e.outcome).decode()
    who, via, act, target = (field.decode("utf-8", "replace") for field in (e.who, e.via, e.act, e.target))
    return AuditEntry(e.number, e.time_ms, who, via, act, target, e.of, e.count, outcome)


def entries(database: Handle, after: Optional[int], limit: int) -> List[AuditEntry]:
    """See Database.audit."""
    query = _abi.AuditQuery(size=sizeof(_abi.AuditQuery), after=0 if after is None else unsigned(after, "after", bits=64),
                            limit=unsigned(limit, "limit", bits=32), newest=after is None)
    out, count = c_void_p(), c_size_t()
    check(lib.evdb_audit_list, database, byref(query), byref(out), byref(count))
    try:
        return [_entry(e) for e in cast(out, POINTER(_abi.AuditEntry))[:count.value]]
    finally:
        lib.evdb_audit_list_free(out)


def verify(database: Handle, anchor: Optional[str]) -> AuditReport:
    """See Database.verify_audit."""
    problems: List[str] = []
    found = _abi.TEXT(lambda _, problem: problems.append(problem.decode("utf-8", "replace")))
    report = _abi.AuditReport(size=sizeof(_abi.AuditReport))
    check(lib.evdb_audit_verify, database, None if anchor is None else text(anchor, "anchor"), found, None, byref(report))
    return AuditReport(report.entries, problems, report.head.decode() or None)
