"""Databases and the stores in them."""
import gc
import os
import pickle
import sys
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

import evdb


def test_a_store_is_described_as_it_was_created(db):
    st = db.create_store("docs", dim=384, metric="cosine", dtype="f32",
                         index={"m": 16, "ef_construction": 200, "threads": 1}, fields=["lang", "größe"])
    info = st.describe()
    assert (info.name, info.dim, info.metric, info.dtype, info.id_type) == ("docs", 384, "cosine", "f32", "undecided")
    assert info.index == {"m": 16, "ef_construction": 200, "threads": 1} and info.fields == ("lang", "größe")
    assert abs(datetime.now(timezone.utc) - info.created) < timedelta(minutes=5)
    assert db.stores() == [info]


@pytest.mark.parametrize("dtype", ["f16", "i8", "bit"])
def test_elements_are_stored_as_the_store_says(db, rng, tmp_path, dtype):
    st = db.create_store("a", dtype=dtype, metric="hamming")
    vectors = rng.integers(0, 2, (100, 19)).astype(np.float32) if dtype == "bit" else rng.integers(-9, 9, (100, 19)) / (16 if dtype == "f16" else 1)
    st.insert(np.arange(100), vectors)
    assert st.describe().dtype == dtype and st.get(7).vector.tolist() == vectors[7].tolist()
    found = st.search(vectors[7], k=3)
    differ = np.sort((vectors != vectors[7]).sum(axis=1))
    assert found.distances.tolist() == differ[:3].tolist()
    with pytest.raises(evdb.Invalid, match=f"element 0 of the vector is .*, but {dtype} holds"):
        st.insert(100, np.full(19, 1e6))
    for file in ("out.json", "out.npy"):
        st.export_file(tmp_path / file)
        other = db.create_store(file[4:], dtype=dtype, metric="hamming")
        assert other.import_file(tmp_path / file).written == 100
        assert sorted(r.vector.tobytes() for r in other) == sorted(r.vector.tobytes() for r in st)


@pytest.mark.parametrize("given, named", [("l2", "euclidean"), ("l1", "manhattan"), ("dot", "ip")])
def test_metrics_have_their_other_names(db, given, named):
    assert db.create_store("m", dim=2, metric=given).describe().metric == named


def test_stores_are_listed_by_name_renamed_and_dropped(db):
    for name in ("b", "c", "a"):
        db.create_store(name, dim=2)
    assert [info.name for info in db.stores()] == ["a", "b", "c"]
    held = db.store("c")
    db.rename_store("c", "z")
    held.insert(1, [1, 2])
    assert db.store("z").count() == 1 and held.describe().name == "z"
    db.drop_store("z")
    assert [info.name for info in db.stores()] == ["a", "b"]
    with pytest.raises(evdb.NotFound):
        held.get(1)


def test_a_database_is_found_again(path):
    with evdb.open(path) as db:
        db.create_store("kept", dim=2).insert(7, [3, 4], {"a": 1})
    with evdb.open(path, create=False) as db, db.store("kept") as st:
        record = st.get(7)
        assert record.vector.tolist() == [3, 4] and record.metadata == {"a": 1}


def test_memory_is_a_database_too():
    with evdb.open(":memory:") as db:
        st = db.create_store("s")
        st.insert([1, 2], [[1, 0], [0, 1]])
        assert st.search([1, 0.1], k=1).ids.tolist() == [1] and st.describe().dim == 2
    assert not os.path.exists(":memory:")


def test_what_is_not_there_is_not_found_by_name(db, tmp_path):
    with pytest.raises(evdb.NotFound, match="nowhere") as caught:
        db.store("nowhere")
    assert isinstance(caught.value, KeyError) and caught.value.status == "NOT_FOUND"
    for call in (lambda: db.rename_store("nowhere", "x"), lambda: db.drop_store("nowhere"),
                 lambda: evdb.open(tmp_path / "no" / "where"), lambda: evdb.open(tmp_path / "no", create=False)):
        with pytest.raises(evdb.NotFound):
            call()


def test_names_that_are_taken_or_bad_are_refused(db):
    db.create_store("taken", dim=2)
    db.create_store("other", dim=2)
    with pytest.raises(evdb.Exists, match="taken"):
        db.create_store("taken", dim=2)
    with pytest.raises(evdb.Exists):
        db.rename_store("other", "taken")
    for name in ("", "Upper", "with space", "-dash", "a" * 65, "nul\0byte", "ä", "\ud800"):
        with pytest.raises(evdb.Invalid):
            db.create_store(name, dim=2)
    with pytest.raises(TypeError):
        db.create_store(b"bytes", dim=2)


@pytest.mark.parametrize("bad", [
    {"dim": 0}, {"dim": -1}, {"dim": 65537}, {"dim": 2**40}, {"metric": "taxicab"}, {"dtype": "f64"},
    {"id_type": "float"}, {"index": {"links": 4}}, {"index": {"m": 1}}, {"index": {"m": -1}}, {"fields": [""]},
])
def test_options_that_make_no_store_are_refused(db, bad):
    with pytest.raises(evdb.Error) as caught:
        db.create_store("bad", **{"dim": 4, **bad})
    assert caught.value.status in ("INVALID", "LIMIT") and db.stores() == []


def test_a_directory_with_something_else_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("not a database")
    with pytest.raises(evdb.Invalid):
        evdb.open(tmp_path)
    assert os.listdir(tmp_path) == ["letter.txt"]


def test_closed_handles_refuse(path):
    db = evdb.open(path)
    st = db.create_store("s", dim=2)
    db.close()
    db.close()
    for call in (db.stores, st.count, lambda: st.search([1, 2]), lambda: st.insert(1, [1, 2]), lambda: list(st)):
        with pytest.raises(evdb.Invalid, match="closed"):
            call()
    assert "closed" in repr(db) and "closed" in repr(st)
    with pytest.raises(AttributeError, match="nonsense"):
        st.nonsense


def test_a_closed_store_is_released_though_its_index_was_asked_for(path):
    with evdb.open(path) as db, db.create_store("s", dim=2) as st:
        st.index.status()
        handle = st._handle
        st.close()
        assert sys.getrefcount(handle) <= 2  # here, and as the argument
        with pytest.raises(evdb.Invalid, match="closed"):
            st.index.status()


def test_a_caught_error_does_not_keep_the_database_open(path):
    db = evdb.open(path)
    kept = []
    for call in (lambda: db.store("none"), lambda: db.create_store("Bad")):
        try:
            call()
        except evdb.Error as why:
            kept.append(why)
    handle = db._handle
    db.close()
    others = [one for one in gc.get_referrers(handle) if isinstance(one, (tuple, dict, list))]
    assert len(kept) == 2 and others == []


def test_verify_finds_a_sound_database_sound(db):
    db.create_store("a", dim=2).insert(np.arange(10), np.ones((10, 2), np.float32))
    db.create_store("b", dim=2)
    report = db.verify()
    assert (report.stores, report.records, report.problems) == (2, 10, [])
    assert db.verify("a").records == 10
    with pytest.raises(evdb.NotFound):
        db.verify("c")


@pytest.fixture
def damage(path, rng):
    """Makes a database of 200 vectors in which a bit of one record has flipped; returns what was written."""

    def make(id):
        vectors = rng.standard_normal((200, 512), dtype=np.float32)
        with evdb.open(path) as db:
            st = db.create_store("s", dim=512)
            st.insert(np.arange(200), vectors)
            st.sync()
        rows, = path.glob("stores/*/rows.db")
        content = bytearray(rows.read_bytes())
        at = content.index(vectors[id].tobytes()[:64])
        content[at + 5] ^= 1
        rows.write_bytes(content)
        return vectors

    return make


def test_damage_is_raised_and_verified_never_returned(damage, path):
    vectors = damage(131)
    with evdb.open(path) as db:
        st = db.store("s")
        for call in (lambda: st.get(131), lambda: list(st), lambda: st.search(vectors[0])):
            with pytest.raises(evdb.Corrupt):
                call()
        assert [problem.store for problem in db.verify().problems][:1] == ["s"]
        assert [r.id for r in st.records(vectors=False)] == list(range(200))
        for id in (0, 50, 199):
            np.testing.assert_array_equal(st.get(id).vector, vectors[id])


@pytest.mark.parametrize("id", [131, 0, 199])
def test_what_is_not_damaged_can_be_read_past_the_damage(damage, path, run, id):
    vectors = damage(id)
    source = ("import sys, evdb\nfor r in evdb.open(sys.argv[1]).store('s').records(skip_damaged=True):\n"
              " print(r.id, r.vector.tobytes().hex())")
    records = dict(line.split() for line in run(source, path).splitlines())
    assert str(id) not in records and len(records) > 100
    for other, vector in records.items():
        assert vector == vectors[int(other)].tobytes().hex()


def test_the_garbage_collector_may_find_everything_at_once(run, path):
    source = """
import gc, sys, evdb
class Witness:
    def __del__(self):
        print(self.store.get(1).id, self.result.ids.tolist(), next(self.records).id)
for round in range(3):
    gc.disable()
    witness = Witness()
    db = evdb.open(sys.argv[1])
    witness.store = store = db.store("s") if round else db.create_store("s", dim=2)
    store.upsert([1, 2], [[1, 2], [3, 4]])
    witness.result, witness.records = store.search([1, 2], k=1), iter(store)
    witness.itself = db.witness = witness
    del witness, db, store
    gc.collect()
"""
    assert run(source, path) == "1 [1] 1\n" * 3


def test_errors_survive_pickling():
    error = pickle.loads(pickle.dumps(evdb.NotFound("no record 5", 5)))
    assert type(error) is evdb.NotFound and (str(error), error.item, error.status) == ("no record 5", 5, "NOT_FOUND")
