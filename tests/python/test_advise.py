"""Codecs measured on vectors, and one proposed for a store."""
import gc
import weakref

import numpy as np
import pytest

import evdb


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((300, 12), dtype=np.float32)


def rounded(x):
    """To bf16."""
    bits = x.view(np.uint32)
    return (bits + 0x7fff + (bits >> 16 & 1) & np.uint32(0xffff0000)).view(np.float32)


def test_figures_are_what_numpy_says(vectors):
    report = evdb.benchmark_codecs(vectors, ["f32", "bf16"], metric="l2", seed=3)
    assert (report.vectors, report.queries, report.dim, report.metric, report.proposed) == (300, 200, 12, "euclidean", None)
    whole, half = report.codecs
    assert (whole.asked, whole.codec, whole.error, whole.accuracy_loss, whole.recall_at_10) == ("f32", "f32", None, 0, 1)
    assert (half.bytes, half.compression_ratio, half.trained_bytes) == (24, 2, 0)
    lost = np.linalg.norm(vectors - rounded(vectors), axis=1) / np.linalg.norm(vectors, axis=1)
    assert half.accuracy_loss == pytest.approx(lost.mean(), rel=1e-3)
    assert half.compression_time > 0 and half.decompression_time > 0 and half.training_time >= 0
    again = evdb.benchmark_codecs(vectors, ["bf16"], metric="l2", seed=3).codecs[0]
    assert (again.accuracy_loss, again.recall_at_10) == (half.accuracy_loss, half.recall_at_10)


def test_recall_is_what_numpy_says(rng):
    x = np.round(rng.standard_normal((60, 8)).astype(np.float32), 3)  # all of them are queries
    found = evdb.benchmark_codecs(x, ["bf16"], metric="l2").codecs[0].recall_at_10

    def nearest(of):
        distances = ((x[:, None] - of[None]) ** 2).sum(-1)
        np.fill_diagonal(distances, np.inf)
        return np.argsort(distances, axis=1, kind="stable")[:, :10]

    share = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(nearest(x), nearest(rounded(x)))])
    assert found == pytest.approx(share, abs=0.01)


def test_any_matrix_is_taken(vectors):
    wanted = evdb.benchmark_codecs(np.ascontiguousarray(vectors[::2, :5]), ["bf16"]).codecs[0].accuracy_loss
    assert evdb.benchmark_codecs(vectors[::2, :5], ["bf16"]).codecs[0].accuracy_loss == wanted
    assert evdb.benchmark_codecs([[1, 2], [3, 4]], ["f16"]).codecs[0].recall_at_10 is None
    assert evdb.benchmark_codecs(vectors, ["f16"], sample=50).vectors == 50


def test_without_a_list_every_kind_is_measured(vectors):
    names = [figures.codec for figures in evdb.benchmark_codecs(vectors).codecs]
    assert {"f32", "f16", "bf16"} <= set(names) and len(names) == len(set(names))
    few = evdb.benchmark_codecs(vectors[:1]).codecs
    assert all(figures.error is None or figures.bytes == 0 for figures in few)


def test_what_cannot_be_measured_is_named(vectors):
    with pytest.raises(evdb.Invalid, match="f17") as why:
        evdb.benchmark_codecs(vectors, ["f16", "f17"])
    assert why.value.item == 1
    bad = vectors.copy()
    bad[7, 1] = np.nan
    with pytest.raises(evdb.Invalid) as why:
        evdb.benchmark_codecs(bad, ["f16"])
    assert why.value.item == 7
    for wrong in ({"codecs": "f16"}, {"codecs": [1]}):
        with pytest.raises(TypeError):
            evdb.benchmark_codecs(vectors, **wrong)
    for wrong in ({"metric": "custom"}, {"metric": "nothing"}, {"sample": 0}, {"seed": -1}, {"codecs": ["f16"] * 65}):
        with pytest.raises((evdb.Invalid, evdb.Limit)):
            evdb.benchmark_codecs(vectors, **wrong)


def test_progress_counts_and_stops(vectors):
    seen = []
    evdb.benchmark_codecs(vectors, ["f32", "f16"], progress=lambda done, all: seen.append((done, all)))
    assert seen == [(0, 2), (1, 2), (2, 2)]

    def stop(done, all):
        if done:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        evdb.benchmark_codecs(vectors, ["f32", "f16"], progress=stop)


def test_a_codec_is_proposed(db):
    store = db.create_store("docs", metric="l2")
    x = np.array([[i, i * i % 31] for i in range(30)], dtype=np.float32)
    store.insert(np.arange(30), x)
    report = store.advise(1, codecs=["f32", "f16"])
    assert report.proposed is report.codecs[1] and report.proposed.codec == "f16" and report.metric == "euclidean"
    assert store.advise().proposed.recall_at_10 >= 0.95
    assert store.advise(codecs=["f32"], sample=20).vectors == 20
    for wrong in (0, -1, 1.5, float("nan")):
        with pytest.raises(evdb.Invalid, match="recall"):
            store.advise(wrong)
    with pytest.raises(evdb.Invalid, match="11"):
        db.create_store("few").advise()


def test_a_sample_is_spread_over_the_store(db):
    store = db.create_store("line", dim=1, metric="l2")
    assert store.sample().shape == (0, 1)
    store.insert(np.arange(100), np.arange(100, dtype=np.float32)[:, None])
    assert np.array_equal(store.sample()[:, 0], np.arange(100))
    assert np.array_equal(store.sample(10)[:, 0], np.arange(0, 100, 10))
    store.close()
    with pytest.raises(evdb.Invalid):
        store.sample()


def test_nothing_is_kept_alive(vectors):
    class Array(np.ndarray):
        pass

    x = vectors.view(Array)
    gone = weakref.ref(x)
    evdb.benchmark_codecs(x, ["f16"])
    del x
    gc.collect()
    assert gone() is None
