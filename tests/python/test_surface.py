"""The calls that benchmarks make, as they make them."""
import inspect

import numpy as np
import pytest

import evdb


def test_a_benchmark_loads_and_searches(path, rng):
    base = rng.standard_normal((3000, 48), dtype=np.float32)
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    queries = base[rng.integers(0, 3000, 20)] + rng.standard_normal((20, 48), dtype=np.float32) / 50
    db = evdb.open(str(path))
    st = db.create_store("bench", dim=48, metric="cosine", index=dict({"m": 16, "ef_construction": 200}, threads=1))
    ids = np.arange(len(base), dtype=np.int64)
    for i in range(0, len(base), 1000):
        st.insert(ids[i:i + 1000], base[i:i + 1000])
    st.index.wait()
    true = np.argsort(-(queries @ base.T), axis=1)[:, :10]
    found = np.stack([st.search(q, k=10, ef=400).ids for q in queries])
    batch = st.search_batch(queries, k=10, ef=400, threads=2).ids
    for mine in (found, batch):
        assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(mine.tolist(), true.tolist())]) >= 0.99
    assert st.stats()["memory_bytes"] >= base.nbytes
    db.close()


@pytest.mark.parametrize("rows", [1, 100])
def test_a_database_benchmark_loads_and_reopens(path, rng, rows):
    base = rng.standard_normal((300, 16), dtype=np.float32)
    db = evdb.open(str(path))
    st = db.create_store("bench", dim=16, metric="cosine", fields=["c100", "c10", "c2"])
    for i in range(0, 300 if rows > 1 else 20, rows):
        part = base[i:i + rows]
        st.insert(np.arange(i, i + len(part)), part,
                  metadata=[{"c100": j % 100, "c10": j % 10, "c2": j % 2} for j in range(i, i + len(part))])
    st.index.wait()
    again = evdb.open(str(path)).store("bench")
    assert again.search(base[3], k=10, ef=512, filter=None).ids[0] == 3
    assert again.get(3).metadata == {"c100": 3, "c10": 3, "c2": 1}
    db.close()


def test_everything_public_is_typed_and_explained():
    for name in evdb.__all__:
        thing = getattr(evdb, name)
        assert thing.__doc__, name
        members = vars(thing).values() if isinstance(thing, type) else [thing]
        for member in members:
            function = member.fget if isinstance(member, property) else member
            if inspect.isfunction(function) and function.__code__.co_filename.startswith(evdb.__path__[0]):
                assert "return" in function.__annotations__ or function.__name__ == "__del__", (name, function)
