"""Stores whose vectors are kept with a codec."""
import numpy as np
import pytest

import evdb


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((200, 16), dtype=np.float32)


def off(store, vectors):
    """The largest relative error of what comes back."""
    got = np.stack([record.vector for record in store])
    return np.max(np.linalg.norm(got - vectors, axis=1) / np.linalg.norm(vectors, axis=1))


def test_a_store_has_a_codec_from_the_beginning(db, vectors):
    store = db.create_store("docs", codec="quantization_8bit")
    store.insert(np.arange(200), vectors)
    assert store.describe().codec == "i8" and 0 < off(store, vectors) < 0.01
    how = store.compression()
    assert (how.state, how.codec, how.in_force, how.plain_bytes, how.problem) == ("settled", "i8", "i8", 64, "")
    assert how.row_bytes < 64 and how.total >= how.done
    assert list(store.search(vectors[7], k=1).ids) == [7]
    assert db.create_store("plain").describe().codec is None
    for wrong in ({"codec": "f17"}, {"codec": "i8\0"}):
        with pytest.raises(evdb.Invalid):
            db.create_store("wrong", **wrong)
    with pytest.raises(evdb.Unsupported):
        db.create_store("wrong", codec="f16", dtype="i8")


def test_another_codec_later_writes_the_vectors_again(db, vectors):
    store = db.create_store("docs")
    store.insert(np.arange(200), vectors)
    assert store.compression().codec is None and off(store, vectors) == 0
    store.set_codec("f16", wait=True)
    assert store.compression().in_force == "f16" and 0 < off(store, vectors) < 2 ** -10
    store.set_codec("none")
    store.recode()
    assert store.compression().state == "settled" and store.describe().codec is None
    with pytest.raises(evdb.Invalid, match="f17"):
        store.set_codec("f17")
    assert db.verify().problems == []


def test_a_trained_codec_waits_for_vectors(db, vectors):
    store = db.create_store("docs", codec="pq")
    store.insert(np.arange(200), vectors)
    how = store.compression()
    assert how.state == "waiting" and how.needed > 200 and how.in_force is None and how.codec.startswith("pq")


def test_records_have_codecs_of_their_own(db, vectors):
    store = db.create_store("docs", codec="i8")
    store.insert(np.arange(200), vectors, codec="none")
    assert off(store, vectors) == 0
    store.upsert(0, vectors[0], codec="bf16")
    assert 0 < np.linalg.norm(store.get(0).vector - vectors[0]) / np.linalg.norm(vectors[0]) < 2 ** -8


def test_new_stores_have_the_codec_of_their_database(path):
    with evdb.open(path, default_codec="quantization_8bit") as db:
        assert db.create_store("a").describe().codec == "i8"
        assert db.create_store("b", codec="none").describe().codec is None
        assert db.create_store("c", dtype="bit").describe().codec is None
        assert [store.codec for store in db.stores()] == ["i8", None, None]
    with pytest.raises(evdb.Invalid, match="f17"):
        evdb.open(path, default_codec="f17")
