"""Records that say who wrote them, and when."""
import time

import pytest

import evdb


def test_whoever_wrote_last_is_the_author(db):
    store = db.create_store("s", 1, "euclidean", authors=True)
    assert store.describe().authors
    before = int(time.time() * 1000) - 60000
    store.insert([1, 2], [[1], [2]], author="ann")
    record = store.get(1)
    assert record.author == "ann" and record.written_ms > before
    assert [r.author for r in store.records(vectors=False)] == ["ann", "ann"]
    store.update(1, metadata={"a": 1}, author="bob")
    assert store.update_metadata(2, {"b": 1}, author="cid").author == "cid"
    found = store.search([1], k=2, metadata=True)
    assert found.authors == ["bob", "cid"] and store.search([1], k=2).authors is None
    store.upsert(1, [1])
    assert store.get(1).author is None and store.get(1).written_ms > before
    with pytest.raises(evdb.Invalid):
        store.upsert(1, [1], author="")


def test_authors_are_off_unless_they_are_turned_on(db):
    store = db.create_store("s", 1, "euclidean")
    store.insert(1, [1], author="ann")
    store.set_authors(True)
    store.insert(2, [2], author="bob")
    store.set_authors(False)
    assert not store.describe().authors
    assert (store.get(1).author, store.get(1).written_ms, store.get(2).author) == (None, None, "bob")
    assert store.search([2], k=2, metadata=True).authors == ["bob", None]


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_a_file_carries_authors_and_is_believed_on_demand(db, tmp_path, format):
    store = db.create_store("s", 1, "euclidean", authors=True)
    store.insert(1, [1], author="ann")
    path = tmp_path / f"out.{format}"
    store.export_file(path)
    kept, own = (db.create_store(name, 1, "euclidean", authors=True) for name in ("kept", "own"))
    kept.import_file(path, keep_authors=True, author="eve")
    own.import_file(path, author="eve")
    assert (kept.get(1).author, kept.get(1).written_ms) == ("ann", store.get(1).written_ms)
    assert own.get(1).author == "eve"
