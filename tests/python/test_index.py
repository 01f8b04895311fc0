"""Index: the graph's life as Python sees it."""
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
