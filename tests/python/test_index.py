"""Index: the graph's life as Python sees it."""
import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import evdb


@pytest.fixture
def store(path, rng):
    with evdb.open(path) as db:
        st = db.create_store("s", dim=16, metric="l2")
        st.insert(np.arange(2000), rng.standard_normal((2000, 16), dtype=np.float32))
        yield st


def test_an_index_is_built_dropped_and_built_again(store):
    assert store.index.status()["state"] == "none"
    store.index.wait()
    status = store.index.status()
    assert (status["state"], status["progress"], status["linked"], status["problem"]) == ("ready", 1.0, 2000, "")
    assert status["saved_sequence"] == store.stats()["sequence"] and status["disk_bytes"] > 2000 * 64
    store.index.drop()
    assert (store.index.status()["state"], store.index.status()["disk_bytes"]) == ("disabled", 0)
    store.index.create()
    while store.index.status()["state"] != "ready":
        pass
    store.index.rebuild(threads=1)
    assert store.index.status()["linked"] == 2000


def test_a_paused_index_says_so_until_it_is_resumed(store):
    store.index.pause()
    assert store.index.status()["state"] == "paused"
    store.index.cancel()
    store.index.resume()
    assert store.index.status()["state"] == "none"


def test_a_graph_beyond_the_bound_is_not_built(path, rng):
    bytes = evdb.Index.estimate(16, 2000)
    assert bytes > evdb.Index.estimate(16, 2000, m=8) > 2000 * 16
    with evdb.open(path, index_memory_max=bytes - 1) as db:
        st = db.create_store("s", dim=16, metric="l2")
        st.insert(np.arange(2000), rng.standard_normal((2000, 16), dtype=np.float32))
        with pytest.raises(evdb.Limit, match="index_memory_max"):
            st.index.wait()
        assert len(st.search(np.zeros(16), k=5)) == 5


DATA = Path(os.environ.get("EVDB_TEST_DATA", Path(evdb.__file__).resolve().parents[4] / "shared" / "data"))


def real(name):
    packed = DATA / f"{name}.f16.npy.zst"
    if not packed.exists() or not shutil.which("zstd"):
        pytest.skip(f"{packed} is not there, or zstd is not")
    return np.load(io.BytesIO(subprocess.run(["zstd", "-dc", packed], capture_output=True, check=True).stdout)).astype(np.float32)


@pytest.mark.parametrize("name", ["minilm-384.base50k", "glove-100.base"])
def test_an_accuracy_is_reached_on_real_data(path, name):
    base, queries = real(name)[:10000], real(name.split(".")[0] + ".query")
    with evdb.open(path) as db:
        st = db.create_store("s", dim=base.shape[1], metric="cosine", index={"ef_construction": 64})
        for i in range(0, len(base), 5000):
            st.insert(np.arange(i, i + 5000), base[i:i + 5000])
        st.index.wait()
        near = queries @ (base / np.linalg.norm(base, axis=1, keepdims=True)).T
        bounds = -np.partition(-near, 9, axis=1)[:, 9:10]
        for accuracy in (0.9, 0.95, 0.99):
            ids = st.search_batch(queries, k=10, accuracy=accuracy).ids
            assert np.mean(np.take_along_axis(near, ids, 1) >= bounds - 1e-6) >= accuracy - 0.01


def test_accuracy_and_effort_exclude_each_other(store):
    for given in ({"accuracy": 0.9, "ef": 100}, {"accuracy": 0}, {"accuracy": 1}):
        with pytest.raises(evdb.Invalid):
            store.search(np.zeros(16), **given)
