"""The audit log as Python reads it."""
from ctypes import Structure, byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p, sizeof

import pytest

import evdb
from evdb._library import check, lib


class Act(Structure):
    """evdb_audit_act: Python does not write entries, but for this test."""

    _fields_ = [("size", c_size_t), ("who", c_char_p), ("via", c_char_p), ("act", c_char_p), ("target", c_char_p), ("of", c_uint64),
                ("count", c_uint64), ("outcome", c_int32), ("reserved", c_uint32)]


lib.evdb_audit_append.argtypes = [c_void_p, c_void_p, c_void_p, c_void_p]  # or pointers would be passed as int


@pytest.fixture
def filled(tmp_path):
    with evdb.open(tmp_path / "db") as db:
        for i in range(5):
            act = Act(size=sizeof(Act), who=b"me", via=b"test", act=b"drop_store", target=f"docs-{i}".encode(), outcome=-1 if i % 2 else 2)
            check(lib.evdb_audit_append, db._handle, byref(act), None)
        yield db, tmp_path / "db" / "audit.log"


def test_entries_are_listed(filled):
    db, _ = filled
    entries = db.audit()
    assert [e.number for e in entries] == [1, 2, 3, 4, 5]
    assert entries[1].outcome == "BEGUN" and entries[2].outcome == "NOT_FOUND"
    assert (entries[4].who, entries[4].via, entries[4].act, entries[4].target, entries[4].of, entries[4].count) == \
        ("me", "test", "drop_store", "docs-4", 0, 1)
    assert [e.number for e in db.audit(limit=2)] == [4, 5]
    assert [e.number for e in db.audit(0, limit=2)] == [1, 2]
    assert [e.number for e in db.audit(3)] == [4, 5]
    with pytest.raises(evdb.Invalid):
        db.audit(limit=20000)


def test_a_log_that_was_changed_is_told(filled):
    db, log = filled
    report = db.verify_audit()
    assert report.entries == 5 and report.problems == [] and report.head.startswith("5:")
    assert db.verify_audit(report.head).problems == []
    lines = log.read_bytes().splitlines(True)
    log.write_bytes(b"".join(lines[:2] + lines[3:]))
    assert any("entry 4" in problem for problem in db.verify_audit().problems)
    log.write_bytes(b"".join(lines[:4]))
    assert len(db.verify_audit(report.head).problems) == 2
    with pytest.raises(evdb.Invalid):
        db.verify_audit("5")


def test_a_new_database_has_no_log(tmp_path):
    with evdb.open(tmp_path / "new") as db:
        assert db.audit() == [] and db.verify_audit() == evdb.AuditReport(0, [], None)
