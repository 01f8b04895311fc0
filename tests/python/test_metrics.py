"""Metrics that are functions of Python's."""
import gc
import threading
import weakref

import numpy as np
import pytest

import evdb


def weighted(a, b):
    return float(np.abs(a - b) @ np.arange(1, len(a) + 1))


def fill(db, rng, count=200, dim=6, index=None):
    st = db.create_store("s", metric="custom", metric_name="weighted", index=index)
    vectors = rng.standard_normal((count, dim), dtype=np.float32)
    st.insert(np.arange(count), vectors, metadata=[{"even": i % 2 == 0} for i in range(count)])
    return st, vectors


def nearest(q, vectors, k=10):
    return np.argsort([weighted(q, v) for v in vectors], kind="stable")[:k].tolist()


def test_every_kind_of_search_asks_the_function(db, rng):
    st, vectors = fill(db, rng)
    db.register_metric("weighted", weighted)
    queries = rng.standard_normal((3, 6), dtype=np.float32)
    found = st.search(queries[0])
    assert found.ids.tolist() == nearest(queries[0], vectors)
    assert np.allclose(found.distances, [weighted(queries[0], vectors[i]) for i in found.ids], rtol=1e-6)
    assert (found.scores == -found.distances).all()
    assert st.search_range(queries[0], float(found.distances[3])).ids.tolist() == found.ids[:4].tolist()
    assert st.search_batch(queries, threads=2).ids.tolist() == [nearest(q, vectors) for q in queries]
    assert (st.search(queries[0], filter={"even": True}).ids % 2 == 0).all()


def test_a_store_tells_its_metric_and_needs_it_for_searching_alone(path, rng):
    with evdb.open(path) as db:
        fill(db, rng)
    with evdb.open(path) as db:
        st = db.store("s")
        assert [(info.metric, info.metric_name) for info in db.stores()] == [("custom", "weighted")]
        assert st.count({"even": True}) == 100 and 7 in st and not db.verify().problems
        with pytest.raises(evdb.Unsupported, match="'weighted'"):
            st.search([0] * 6)
        db.register_metric("weighted", weighted)
        assert len(st.search([0] * 6).ids) == 10


def test_what_the_function_raises_the_search_raises(db, rng):
    st, vectors = fill(db, rng, dim=2)
    refusing = True

    def distance(a, b):
        if refusing:
            raise ZeroDivisionError("no")
        return weighted(a, b)

    db.register_metric("weighted", distance)
    for search in (st.search, lambda q: st.search_range(q, 1e9), lambda q: st.search_batch([q, q], threads=2)):
        with pytest.raises(ZeroDivisionError, match="no"):
            search([1, 2])
    refusing = False
    assert st.search(vectors[3]).ids[0] == 3


def test_a_graph_finds_most_with_fewer_calls(db, rng):
    calls = []

    def distance(a, b):
        calls.append(1)
        return weighted(a, b)

    st, vectors = fill(db, rng, count=600, dim=3, index={"m": 4, "ef_construction": 16, "threads": 1})
    db.register_metric("weighted", distance, graph=True)
    st.index.wait()
    assert st.index.status()["linked"] == 600
    calls.clear()
    queries = rng.standard_normal((5, 3), dtype=np.float32)
    found = [st.search(q, ef=40).ids.tolist() for q in queries]
    assert len(calls) < 5 * 600 / 2
    assert np.mean([len(set(mine) & set(nearest(q, vectors))) / 10 for mine, q in zip(found, queries)]) >= 0.8


@pytest.mark.parametrize("name, distance, error", [
    ("cosine", weighted, evdb.Invalid), ("No", weighted, evdb.Invalid), ("a\0b", weighted, evdb.Invalid), ("a", None, TypeError),
], ids=["taken", "pattern", "nul", "none"])
def test_a_bad_metric_is_refused(db, name, distance, error):
    with pytest.raises(error):
        db.register_metric(name, distance)


def test_a_name_is_given_once(db):
    db.register_metric("weighted", weighted)
    with pytest.raises(evdb.Exists, match="'weighted'"):
        db.register_metric("weighted", weighted)
    with pytest.raises(evdb.Invalid, match="metric_name"):
        db.create_store("t", metric="custom")
    with pytest.raises(evdb.Invalid, match="cosine"):
        db.create_store("t", metric_name="weighted")


def test_a_function_is_kept_until_the_database_is_closed_and_no_longer(path, rng):
    class Distance:
        def __call__(self, a, b):
            return weighted(a, b)

    distance = Distance()
    gone = weakref.ref(distance)
    db = evdb.open(path)
    db.register_metric("weighted", distance)
    st, vectors = fill(db, rng)
    del distance
    gc.collect()
    assert st.search(vectors[5]).ids[0] == 5
    db.close()
    del db, st
    gc.collect()
    assert gone() is None


def test_a_process_may_end_with_a_graph_being_built(run, path):
    source = """if True:
        import sys, evdb, numpy as np
        db = evdb.open(sys.argv[1])
        st = db.create_store("s", metric="custom", metric_name="own")
        st.insert(np.arange(800), np.random.default_rng(1).standard_normal((800, 4), dtype=np.float32))
        db.register_metric("own", lambda a, b: np.abs(a - b).sum(), graph=True)
        st.index.create()
        print(len(st.search([0, 0, 0, 0]).ids))
    """
    assert run(source, path) == "10\n"


def test_threads_share_a_metric(db, rng):
    st, vectors = fill(db, rng)
    db.register_metric("weighted", weighted)
    wrong = []

    def look(i):
        if st.search(vectors[i]).ids[0] != i:
            wrong.append(i)

    threads = [threading.Thread(target=look, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
