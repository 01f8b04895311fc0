"""Deleted records that come back: Store.set_trash, trash, undelete, empty_trash."""
import evdb
import numpy as np
import pytest


@pytest.fixture
def store():
    with evdb.open(":memory:") as db:
        yield db.create_store("docs", dim=3, trash=True)


def test_what_was_deleted_comes_back_as_it_was(store):
    vectors = np.eye(3, dtype=np.float32)
    store.insert(["a", "b", "c"], vectors, [{"n": n} for n in range(3)], expires_ms=[evdb.NEVER, 4102444800000, evdb.NEVER])
    store.delete(["a", "b"])
    assert store.undelete(["a", "b"], dry_run=True) == (2, 0)
    assert len(store) == 1
    assert store.undelete(["a", "b"]) == (2, 0)
    assert store.get("b").vector.tolist() == [0, 1, 0]
    assert store.get("b").metadata == {"n": 1}
    assert store.get("b").expires_ms == 4102444800000
    with pytest.raises(evdb.NotFound):
        store.undelete("a")


def test_the_trash_is_listed_page_by_page(store):
    store.insert(range(5), np.ones((5, 3), np.float32), [{"n": n} for n in range(5)])
    for number in range(5):
        store.delete(number)
    page = store.trash(limit=3)
    assert [record.id for record in page] == [4, 3, 2]
    assert [record.id for record in store.trash(page.next)] == [1, 0]
    assert store.trash(page.next).next is None
    first = page[0]
    assert (first.metadata_json, first.deleter, first.expires_ms) == ('{"n":4}', None, None)
    assert first.until_ms == first.deleted_ms + 86_400_000
    store.insert(4, np.ones(3, np.float32))
    assert store.undelete(since_ms=first.deleted_ms - 60_000) == (4, 1)
    assert store.empty_trash() == 1
    assert len(store.trash()) == 0


def test_a_store_keeps_what_it_was_told_to(store):
    assert store.describe().trash_ms == 86_400_000
    store.set_trash(1.5)
    assert store.describe().trash_ms == 1500
    store.insert(1, np.ones(3, np.float32))
    store.delete(1)
    store.set_trash(False)
    assert (store.describe().trash_ms, len(store.trash())) == (0, 0)
    for bad in ({}, {"ids": 1, "since_ms": 1}):
        with pytest.raises(evdb.Invalid):
            store.undelete(**bad)
    with pytest.raises(evdb.Invalid):
        store.set_trash(-1)


def test_a_backup_carries_the_setting_and_no_trash(tmp_path):
    with evdb.open(tmp_path) as db:
        store = db.create_store("docs", dim=3, trash=60)
        store.insert([1, 2], np.eye(3, dtype=np.float32)[:2])
        store.delete(1)
        store.backup("one")
        copy = db.restore("one", "copy")
        assert copy.describe().trash_ms == 60_000
        assert (len(copy), len(copy.trash()), len(store.trash())) == (1, 0, 1)
