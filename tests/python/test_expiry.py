"""Records that are gone from a time on. Times are of the machine's clock: in the past, or far enough in the future."""
import json
import time

import evdb
import pytest

HOUR = 3600


@pytest.fixture
def db(tmp_path):
    with evdb.open(str(tmp_path / "db")) as database:
        yield database


def now_ms():
    return time.time() * 1000


def test_what_has_expired_is_never_returned(db):
    store = db.create_store("s", 2, "euclidean")
    store.insert([1, 2, 3], [[1, 0], [2, 0], [3, 0]], [{"n": 1}, {"n": 2}, {"n": 3}], expires_ms=[1, evdb.NEVER, int(now_ms()) + 10**6])
    assert len(store) == 2 and store.stats()["records"] == 2
    assert sorted(store.search([0, 0], 5).ids) == [2, 3]
    assert sorted(store.search([0, 0], 5, filter={"n": {"$gte": 1}}).ids) == [2, 3]
    assert store.count({"n": {"$gte": 1}}) == 2
    assert [record.id for record in store] == [2, 3]
    assert 1 not in store
    with pytest.raises(evdb.NotFound):
        store.update(1, metadata={})
    store.insert(1, [1, 0])
    assert store.get(1).metadata == {} and store.get(1).expires_ms is None


def test_expiries_are_kept_by_updates_and_replaced_by_upserts(db):
    store = db.create_store("s", 1, "euclidean", ttl=HOUR)
    assert store.describe().ttl_ms == HOUR * 1000
    store.insert("a", [1])
    first = store.get("a").expires_ms
    assert now_ms() < first <= now_ms() + HOUR * 1000
    store.update("a", metadata={"x": 1})
    assert store.get("a").expires_ms == first
    store.update("a", ttl=2 * HOUR)
    assert store.get("a").expires_ms > first + HOUR * 500
    assert store.get("a").metadata == {"x": 1}
    store.upsert("a", [2], ttl=10)
    assert store.get("a").expires_ms < first
    store.set_ttl(None)
    store.upsert("a", [2])
    assert store.get("a").expires_ms is None
    store.update("a", expires_ms=1)
    assert "a" not in store


def test_exports_carry_expiries(db, tmp_path):
    store = db.create_store("s", 1, "euclidean", ttl=HOUR)
    store.insert([1, 2, 3], [[1], [2], [3]], expires_ms=[evdb.NEVER, 2**45, 1])
    for format in ("json", "jsonl"):
        path = tmp_path / f"out.{format}"
        assert store.export_file(path) == 2
        again = db.create_store(f"again-{format}", 1, "euclidean", ttl=5)
        again.import_file(path)
        assert [(record.id, record.expires_ms) for record in again] == [(1, None), (2, 2**45)]
    assert json.loads((tmp_path / "out.json").read_text())["store"]["ttl_ms"] == HOUR * 1000
    store.export_file(tmp_path / "v.npy", companion=tmp_path / "v.jsonl")
    pair = db.create_store("pair", 1, "euclidean")
    pair.import_file(tmp_path / "v.npy", companion=tmp_path / "v.jsonl")
    assert [(record.id, record.expires_ms) for record in pair] == [(1, None), (2, 2**45)]
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"id":1,"vector":[1],"expires_ms":-5}\n')
    with pytest.raises(evdb.Invalid, match="expires_ms"):
        pair.import_file(bad, upsert=True)


def test_what_is_forgotten_is_in_no_file(db, tmp_path):
    store = db.create_store("s", 1, "euclidean")
    store.insert(["a", "b", "canary"], [[1], [2], [3]], [{}, {}, {"text": "canary"}])
    store.sync()

    def files_with(text):
        return [path for path in tmp_path.rglob("*") if path.is_file() and text in path.read_bytes()]

    assert files_with(b"canary")
    assert store.forget("canary") == 1
    assert not files_with(b"canary")
    assert store.forget(["canary", "b"]) == 1
    assert [record.id for record in store] == ["a"]
    with pytest.raises(evdb.Gone):
        store.changes()


def test_backups_are_found_by_the_records_in_them(db):
    store = db.create_store("s", 1, "euclidean")
    store.insert(["a", "b"], [[1], [2]])
    store.backup("open")
    store.backup("closed", key=bytes(range(32)))
    assert [(b.name, b.problem) for b in store.find_backups(["z", "b"], key=bytes(range(32)))] == [("closed", None), ("open", None)]
    locked, = store.find_backups("z")
    assert locked.name == "closed" and "key" in locked.problem


def test_senseless_times_are_refused(db):
    store = db.create_store("s", 1)
    for given in ({"ttl": 0}, {"ttl": -1}, {"ttl": float("nan")}, {"ttl": 1, "expires_ms": 5}, {"expires_ms": -5}, {"expires_ms": 1.5},
                  {"ttl": [1, 2]}):
        with pytest.raises(evdb.Invalid):
            store.insert(1, [1], **given)
    for ttl in (0, -1, "x", 1e15):
        with pytest.raises(evdb.Invalid):
            store.set_ttl(ttl)
    assert len(store) == 0


def test_what_expires_while_a_store_is_open_is_swept(db):
    store = db.create_store("s", 1, "euclidean")
    store.insert(list(range(300)), [[i] for i in range(300)], ttl=0.05)
    store.insert(1000, [0])
    while len(store) > 1:
        assert len(store.search([0], 300).ids) >= 1
    assert list(store.search([0], 300).ids) == [1000]
    after = 301
    while store.changes(after).last < 601:
        pass
    assert {change.kind for change in store.changes(after)} == {"delete"}
    assert not db.verify().problems
