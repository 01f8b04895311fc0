"""Searches, compared with numpy's exact answer in double precision."""
import numpy as np
import pytest

import evdb

COUNT, DIM = 700, 33
METRICS = ["cosine", "euclidean", "manhattan", "ip"]


def exact(metric, vectors, query):
    a, b = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "cosine":
        return 1 - a @ b / (np.linalg.norm(a, axis=1) * np.linalg.norm(b))
    if metric == "euclidean":
        return np.sqrt(((a - b) ** 2).sum(1))
    if metric == "manhattan":
        return np.abs(a - b).sum(1)
    return -(a @ b)


def score(metric, distances):
    return {"cosine": 1 - distances, "ip": -distances}.get(metric, 1 / (1 + distances))


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((COUNT, DIM), dtype=np.float32)


@pytest.fixture(params=METRICS)
def metric(request):
    return request.param


@pytest.fixture
def st(db, metric, vectors):
    store = db.create_store("s", dim=DIM, metric=metric)
    store.insert(np.arange(COUNT) * 3, vectors, [{"row": row} for row in range(COUNT)])
    return store


def agree(metric, vectors, query, ids, distances):
    """The same neighbours at the same distances, but for ties of float32."""
    true = exact(metric, vectors, query)
    tolerance = 2e-5 * max(1, np.abs(true).max())
    np.testing.assert_allclose(distances, np.sort(true)[:len(ids)], atol=tolerance)
    np.testing.assert_allclose(distances, true[ids // 3], atol=tolerance)
    assert len(set(ids.tolist())) == len(ids) and (np.diff(distances) >= 0).all()


def test_search_finds_what_numpy_finds(st, metric, vectors, rng):
    for query in rng.standard_normal((20, DIM), dtype=np.float32):
        result = st.search(query, k=10, ef=64)
        assert result.ids.dtype == np.int64 and result.distances.dtype == np.float32
        assert result.complete is True and result.stop == "complete" and len(result) == 10
        agree(metric, vectors, query, result.ids, result.distances)
        np.testing.assert_allclose(result.scores, score(metric, result.distances), rtol=1e-5, atol=1e-6)


def test_batches_find_the_same_on_any_number_of_threads(st, metric, vectors, rng):
    queries = rng.standard_normal((40, DIM), dtype=np.float32)
    ones = [st.search(query, k=7) for query in queries]
    for threads in (1, 2, 5):
        batch = st.search_batch(queries, k=7, ef=64, threads=threads)
        assert batch.ids.shape == batch.distances.shape == batch.scores.shape == (40, 7) and batch.complete is True
        assert batch.counts.tolist() == [7] * 40 and batch.metadata is None and len(batch) == 40
        for row, one in enumerate(ones):
            agree(metric, vectors, queries[row], batch.ids[row], batch.distances[row])
            np.testing.assert_allclose(batch.distances[row], one.distances, rtol=1e-5, atol=1e-5)


def test_range_search_finds_all_within_the_radius(st, metric, vectors):
    query = -vectors[5]
    true = np.sort(exact(metric, vectors, query))
    radius = (true[50] + true[51]) / 2
    result = st.search_range(query, radius)
    assert len(result) == 51 and result.complete
    agree(metric, vectors, query, result.ids, result.distances)
    cut = st.search_range(query, radius, k=20)
    assert cut.ids.tolist() == result.ids[:20].tolist() and cut.complete is False and cut.stop == "limit"
    assert len(st.search_range(query, true[0] - 1 if metric == "ip" else true[0] / 2)) == 0
    with pytest.raises(evdb.Invalid, match="radius"):
        st.search_range(query, float("nan"))


def test_metadata_comes_with_hits_when_asked(st, vectors):
    result = st.search(vectors[9], k=5, metadata=True)
    assert [m["row"] * 3 for m in result.metadata] == result.ids.tolist()
    hits = list(result)
    assert [hit.id for hit in hits] == result.ids.tolist() and hits[0].metadata["row"] * 3 == hits[0].id
    assert hits[1].distance == result.distances[1] and hits[1].score == result.scores[1]
    plain = st.search(vectors[9], k=5)
    assert plain.metadata is None and next(iter(plain)).metadata is None
    batch = st.search_batch(vectors[:3], k=4, metadata=True)
    assert [[m["row"] * 3 for m in row] for row in batch.metadata] == batch.ids.tolist()


def test_arrays_of_a_result_outlive_it(st, vectors):
    result = st.search(vectors[0], k=50)
    ids, distances = result.ids, result.distances
    del result
    before = ids.tolist(), distances.tolist()
    for query in vectors[:50]:
        st.search(query, k=50)
    assert (ids.tolist(), distances.tolist()) == before
    result = st.search(vectors[0], k=50)
    st.close()
    assert result.ids.tolist() == before[0]


@pytest.fixture
def small(db):
    store = db.create_store("small", dim=2, metric="l2")
    store.insert([10, 20, 30], [[1, 0], [2, 0], [3, 0]])
    return store


def test_queries_of_any_layout_and_number_mean_the_same(small):
    wide = np.array([[2.1, 9, 0.0, 9]], np.float32)
    columns = np.array([[2.1, 0], [0, 0]], np.float32)
    for query in ([2.1, 0], (2.1, 0), np.array([2.1, 0]), wide[0, ::2], wide[0, ::2].astype(">f4"), columns[:1].T[:, 0],
                  np.array([0, 2.1], np.float32)[::-1], memoryview(np.array([2.1, 0], np.float32)),
                  np.array([2.1, 0], np.float16)):
        assert small.search(query, k=2).ids.tolist() == [20, 30]
    assert small.search([2, 0], k=1).ids.tolist() == [20]
    queries = np.array([[1, 9, 0], [0, 0, 9], [3, 9, 0], [0, 0, 9]], np.float32)
    assert small.search_batch(queries[::2, ::2], k=1).ids.tolist() == [[10], [30]]
    assert small.search_batch(np.broadcast_to(np.float32([1, 0]), (3, 2)), k=1).ids.tolist() == [[10]] * 3
    strided = np.array([[1, 0, 9], [3, 0, 9]], np.float32)[:, :2]
    assert small.search_batch(strided, k=1).ids.tolist() == [[10], [30]]
    assert small.search_batch(strided[1:], k=1).ids.tolist() == [[30]]


def test_rows_with_fewer_neighbours_are_filled_up(small, db):
    batch = small.search_batch([[1, 0], [3, 0]], k=5)
    assert batch.ids.tolist() == [[10, 20, 30, -1, -1], [30, 20, 10, -1, -1]] and batch.counts.tolist() == [3, 3]
    assert batch.distances[0].tolist() == [0, 1, 2, np.inf, np.inf] and batch.scores[0, 4] == -np.inf
    assert small.search([1, 0], k=5).ids.tolist() == [10, 20, 30]
    empty = db.create_store("empty", dim=2)
    assert len(empty.search([1, 0])) == 0 and empty.search([1, 0]).ids.tolist() == []
    batch = empty.search_batch([[1, 0]], k=3)
    assert batch.distances.tolist() == [[np.inf] * 3] and batch.counts.tolist() == [0]
    assert small.search_batch(np.empty((0, 2), np.float32), k=3).ids.shape == (0, 3)


def test_string_ids_come_back_as_str(db):
    st = db.create_store("strings", dim=2, metric="l2")
    st.insert(["a", "übung"], [[1, 0], [2, 0]])
    assert st.search([2, 0]).ids.tolist() == ["übung", "a"]
    batch = st.search_batch([[1, 0], [2, 0]], k=3)
    assert batch.ids.tolist() == [["a", "übung", None], ["übung", "a", None]]
    assert [hit.id for hit in st.search([1, 0], k=1)] == ["a"]


def test_equal_distances_come_in_the_order_they_were_written(db):
    st = db.create_store("ties", dim=2, metric="l2")
    st.insert([9, 3, 7], [[1, 0]] * 3)
    assert st.search([0, 0]).ids.tolist() == [9, 3, 7]


def test_a_search_sees_what_was_just_written_and_deleted(small):
    assert small.search([5, 0], k=1).ids.tolist() == [30]
    small.insert(50, [5, 0])
    assert small.search([5, 0], k=1).ids.tolist() == [50]
    small.upsert(50, [-5, 0])
    assert small.search([5, 0], k=1).ids.tolist() == [30]
    small.delete(30)
    assert small.search([5, 0], k=9).ids.tolist() == [20, 10, 50]


@pytest.mark.parametrize("k", [0, -1, 10001, 2**32, 2**70])
def test_a_k_out_of_range_is_refused(small, k):
    for call in (small.search, small.search_batch):
        with pytest.raises(evdb.Error) as caught:
            call([1, 0] if call == small.search else [[1, 0]], k=k)
        assert caught.value.status in ("INVALID", "LIMIT")


def test_options_of_the_wrong_kind_are_refused(small):
    for options in ({"k": 2.0}, {"k": "2"}, {"k": None, "ef": 2.5}):
        with pytest.raises(TypeError):
            small.search([1, 0], **options)
    for threads in (0, -1, 65):
        with pytest.raises(evdb.Error):
            small.search_batch([[1, 0]], threads=threads)
    assert small.search([1, 0], k=np.int64(2), ef=np.int32(9)).ids.tolist() == [10, 20]


@pytest.mark.parametrize("query, error", [
    ([1], evdb.Invalid), ([1, 2, 3], evdb.Invalid), ([[1, 2]], evdb.Invalid), ([], evdb.Invalid), (1.5, evdb.Invalid),
    ([1, np.nan], evdb.Invalid), ([np.inf, 1], evdb.Invalid), ([1, 1e39], evdb.Invalid), (["1", "2"], TypeError),
    (None, TypeError), ([1j, 2], TypeError),
])
def test_bad_queries_are_refused(small, query, error):
    for call in (small.search, lambda q: small.search_range(q, 1.0)):
        with pytest.raises(error):
            call(query)


def test_a_bad_query_of_a_batch_is_named(small):
    with pytest.raises(evdb.Invalid) as caught:
        small.search_batch([[1, 0], [2, 0], [np.nan, 0]])
    assert caught.value.item == 2
    with pytest.raises(evdb.Invalid, match="shape"):
        small.search_batch([1, 0])


def test_a_zero_query_has_no_direction(db):
    st = db.create_store("c", dim=2)
    st.insert(1, [1, 0])
    with pytest.raises(evdb.Invalid):
        st.search([0, 0])


def test_a_filter_that_is_none_is_refused(small):
    with pytest.raises(evdb.Invalid, match=r"\$near.*c100"):
        small.search([1, 0], filter={"c100": {"$near": 0}})
    with pytest.raises(evdb.Invalid):
        small.search([1, 0], filter={"x": float("nan")})


def test_a_graph_finds_what_numpy_finds_under_every_metric(db, metric, rng):
    vectors = rng.standard_normal((3000, 6)).astype(np.float32) @ rng.standard_normal((6, DIM)).astype(np.float32)
    vectors *= np.exp(0.5 * rng.standard_normal((3000, 1))).astype(np.float32)
    store = db.create_store("g", dim=DIM, metric=metric)
    store.insert(np.arange(3000), vectors)
    store.index.wait()
    assert store.index.status()["linked"] == 3000 and store.index.status()["waiting"] == 0
    found = 0
    for query in vectors[:50] + 0.1 * rng.standard_normal((50, DIM)).astype(np.float32):
        kth = np.sort(exact(metric, vectors, query))[9]
        found += sum(exact(metric, vectors, query)[store.search(query, k=10, ef=100).ids] <= kth + 1e-5 * abs(kth))
    assert found >= 0.95 * 500
