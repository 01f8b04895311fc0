"""Backups: what comes back is what was there; keys, increments, errors of the caller's own functions."""
import os

import numpy as np
import pytest

import evdb


@pytest.fixture
def filled(db, rng):
    store = db.create_store("docs", dim=8, metric="l2")
    store.insert([f"id-{i}" for i in range(100)], rng.standard_normal((100, 8), dtype=np.float32), metadata=[{"n": i} for i in range(100)])
    return store


def everything(store):
    return [(r.id, r.version, r.vector.tobytes(), r.metadata) for r in store]


def test_a_restored_store_equals_the_original(db, filled):
    made = filled.backup("monday")
    assert (made.name, made.store, made.records, made.base, made.encrypted, made.problem) == ("monday", "docs", 100, None, False, None)
    assert db.backups() == [made] and db.verify_backup("monday") == made
    assert everything(db.restore("monday", "again")) == everything(filled)
    with pytest.raises(evdb.Exists):
        db.restore("monday", "docs")
    with pytest.raises(evdb.Exists):
        filled.backup("monday")
    db.delete_backup("monday")
    assert db.backups() == []
    with pytest.raises(evdb.NotFound):
        db.restore("monday", "third")


def test_increments_go_back_to_any_of_their_states(db, filled, rng):
    monday = filled.backup("monday")
    filled.delete([f"id-{i}" for i in range(10)])
    tuesday = filled.backup("tuesday", base="monday")
    assert tuesday.base == monday.id and tuesday.entries == 10
    filled.upsert("new", rng.standard_normal(8, dtype=np.float32))
    now = everything(filled)
    filled.backup("wednesday", base="tuesday")
    assert everything(db.restore("wednesday", "now")) == now
    assert db.restore("wednesday", "then", sequence=tuesday.sequence).count() == 90
    back = db.restore("wednesday", "docs", replace=True, sequence=monday.sequence)
    assert back.count() == 100
    with pytest.raises(evdb.NotFound):
        filled.count()
    with pytest.raises(evdb.Invalid):
        db.delete_backup("monday")


def test_a_key_is_needed_again(db, filled):
    key = bytes(range(32))
    assert filled.backup("secret", key=key).encrypted
    for wrong in (None, bytes(32)):
        with pytest.raises(evdb.Denied):
            db.restore("secret", "x", key=wrong)
    with pytest.raises(evdb.Invalid):
        db.verify_backup("secret", key=b"short")
    assert everything(db.restore("secret", "x", key=key)) == everything(filled)


def test_what_progress_raises_stops_it(db, filled):
    class Enough(Exception):
        pass

    def stop(phase, records):
        raise Enough

    with pytest.raises(Enough):
        filled.backup("half", progress=stop)
    assert db.backups() == []
    filled.backup("whole")
    with pytest.raises(Enough):
        db.restore("whole", "half", progress=stop)
    with pytest.raises(evdb.NotFound):
        db.store("half")


def test_files_elsewhere_are_restored_by_their_path(path, tmp_path, rng):
    with evdb.open(path, backup_dir=tmp_path / "kept") as db:
        store = db.create_store("s", dim=2)
        store.insert(1, [1, 2])
        store.backup("b")
    assert sorted(os.listdir(tmp_path / "kept")) == [".lock", "b.backup"]
    with evdb.open(":memory:") as db:
        assert db.restore(tmp_path / "kept" / "b.backup", "s").get(1).vector.tolist() == [1, 2]
        with pytest.raises(evdb.Unsupported):
            db.store("s").backup("c")


def test_what_no_rule_keeps_is_pruned(db, filled):
    with pytest.raises(evdb.Invalid):
        db.prune_backups()
    made = [filled.backup(name) for name in ("a", "b", "c")]
    assert [b.name for b in db.prune_backups(keep=1, dry_run=True)] == ["a", "b"]
    assert db.prune_backups(since_ms=made[0].finished_ms) == [] == db.prune_backups(keep=1, store="none")
    assert [b.name for b in db.prune_backups(keep=2)] == ["a"]
    assert [b.name for b in db.backups()] == ["b", "c"]
