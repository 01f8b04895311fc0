"""Filters against a naive oracle: random metadata, random filters, and records that change between searches."""
import math
import random
import threading

import numpy as np
import pytest

import evdb

DIM = 8
FIELDS = ["a", "b", "c.d", "c.e", "t", "none"]
WORDS = ["", "boot", "bag", "Bag", "bägel", "\U0001f45e shoe", 'q"\\\n', "zz"]
NUMBERS = [0, 1, 2, 2.0, 2.5, -1, -0.0, 1e300, 2**53, 2**53 + 1, float(2**53), -(2**63), 2**63 - 1, 0.1]


# ---- the language, said again in Python

MISSING = object()


def at_path(metadata, path):
    for name in path.split("."):
        if not isinstance(metadata, dict) or name not in metadata:
            return MISSING
        metadata = metadata[name]
    return metadata


def kind(value):
    if value is None or isinstance(value, bool):
        return repr(value)
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def elements(value):
    return [None] if value is MISSING else value if isinstance(value, list) else [value]


def equal(value, operand):
    return any(kind(v) == kind(operand) and v == operand for v in elements(value) if not isinstance(v, (list, dict)))


def order(value, operand, holds):
    def key(v):
        return v.encode() if isinstance(v, str) else v

    return any(kind(v) == kind(operand) and holds(key(v), key(operand)) for v in elements(value))


CONDITIONS = {
    "$eq": equal,
    "$ne": lambda v, o: not equal(v, o),
    "$in": lambda v, o: any(equal(v, each) for each in o),
    "$nin": lambda v, o: not any(equal(v, each) for each in o),
    "$gt": lambda v, o: order(v, o, lambda x, y: x > y),
    "$gte": lambda v, o: order(v, o, lambda x, y: x >= y),
    "$lt": lambda v, o: order(v, o, lambda x, y: x < y),
    "$lte": lambda v, o: order(v, o, lambda x, y: x <= y),
    "$exists": lambda v, o: (v is not MISSING) == o,
    "$not": lambda v, o: not field_matches(v, o),
}


def field_matches(value, condition):
    if not isinstance(condition, dict):
        return equal(value, condition)
    return all(CONDITIONS[name](value, operand) for name, operand in condition.items())


def matches(metadata, wanted):
    def member(name, value):
        if name == "$and":
            return all(matches(metadata, each) for each in value)
        if name == "$or":
            return any(matches(metadata, each) for each in value)
        if name == "$not":
            return not matches(metadata, value)
        return field_matches(at_path(metadata, name), value)

    return all(member(name, value) for name, value in wanted.items())


# ---- chance

def scalar(chance):
    return chance.choice([chance.choice(WORDS), chance.choice(NUMBERS), chance.randrange(6), None, True, False])


def value(chance, depth=0):
    what = chance.randrange(8)
    if what == 0 and depth < 2:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if what == 1 and depth < 2:
        return {name: value(chance, depth + 1) for name in chance.sample(["d", "e", "x"], chance.randrange(3))}
    return scalar(chance)


def record(chance):
    made = {name: value(chance) for name in chance.sample(["a", "b", "c", "t", "x"], chance.randrange(6))}
    if chance.random() < 0.5:
        made["c"] = {"d": value(chance, 1), "e": scalar(chance)}
    return made


def condition(chance, depth=0):
    made = {}
    for name in chance.sample(sorted(CONDITIONS), chance.choice([1, 1, 2])):
        if name in ("$in", "$nin"):
            made[name] = [scalar(chance) for _ in range(chance.randrange(5))]
        elif name == "$exists":
            made[name] = chance.random() < 0.5
        elif name == "$not":
            if depth < 2:
                made[name] = condition(chance, depth + 1)
        elif name in ("$eq", "$ne"):
            made[name] = scalar(chance)
        else:
            made[name] = chance.choice(WORDS + NUMBERS)
    return made or scalar(chance) if depth == 0 else made or {"$eq": scalar(chance)}


def a_filter(chance, fields, depth=0):
    made = {}
    for _ in range(chance.choice([1, 1, 1, 2])):
        what = chance.randrange(8) if depth < 3 else 7
        if what in (0, 1):
            made["$and" if what else "$or"] = [a_filter(chance, fields, depth + 1) for _ in range(chance.randint(1, 3))]
        elif what == 2:
            made["$not"] = a_filter(chance, fields, depth + 1)
        else:
            made[chance.choice(fields)] = condition(chance)
    return made


@pytest.fixture
def chance(rng):
    return random.Random(int(rng.integers(2**60)))


class World:
    """A store, and what should be in it."""

    def __init__(self, db, chance, rng, count, declared, metric="euclidean", dim=DIM):
        self.store = db.create_store("world", dim=dim, metric=metric, fields=declared)
        self.chance, self.rng, self.dim = chance, rng, dim
        self.vectors, self.metadata = {}, {}
        self.put(range(count))

    def put(self, ids):
        ids = list(ids)
        made = self.rng.normal(size=(len(ids), self.dim)).astype(np.float32)
        kept = [record(self.chance) for _ in ids]
        self.store.upsert(ids, made, kept)
        self.vectors.update(zip(ids, made))
        self.metadata.update(zip(ids, kept))

    def stir(self, changes):
        for _ in range(changes):
            id, what = self.chance.randrange(2 * len(self.vectors)), self.chance.randrange(3)
            if id not in self.vectors or what == 0:
                self.put([id])
            elif what == 1:
                self.metadata[id] = record(self.chance)
                self.store.update(id, metadata=self.metadata[id])
            elif len(self.vectors) > 20:
                self.store.delete(id)
                del self.vectors[id], self.metadata[id]

    def nearest(self, query, wanted, k):
        """Distances of the k nearest that match, and how many match."""
        ids = [id for id, metadata in self.metadata.items() if matches(metadata, wanted)]
        if not ids:
            return np.array([]), 0
        apart = np.linalg.norm(np.array([self.vectors[id] for id in ids], dtype=np.float64) - query, axis=1)
        return np.sort(apart)[:k], len(ids)

    def expect(self, wanted, k, **how):
        query = self.rng.normal(size=self.dim).astype(np.float32)
        found = self.store.search(query, k=k, filter=wanted, **how)
        apart, count = self.nearest(query, wanted, k)
        assert len(found.ids) == min(k, count), wanted
        assert self.store.count(wanted) == count
        assert len(set(found.ids)) == len(found.ids)
        for id in found.ids:
            assert matches(self.metadata[id], wanted), (wanted, self.metadata[id])
        return found, apart


@pytest.mark.parametrize("declared", [[], FIELDS], ids=["undeclared", "declared"])
def test_random_filters_find_what_the_oracle_finds_while_records_change(db, chance, rng, declared):
    world = World(db, chance, rng, 400, declared)
    filters = [a_filter(chance, FIELDS) for _ in range(60)]
    for _ in range(8):
        for wanted in chance.sample(filters, 30):
            found, apart = world.expect(wanted, chance.choice([1, 10, 1000]))
            np.testing.assert_allclose(found.distances, apart, rtol=1e-5, atol=1e-6)
        world.stir(25)
    reads = world.store.stats()["filter_reads"]
    assert (reads == 0) == bool(declared)


def test_a_range_and_a_batch_take_filters(db, chance, rng):
    world = World(db, chance, rng, 500, ["a"])
    for _ in range(20):
        wanted = a_filter(chance, FIELDS)
        queries = rng.normal(size=(7, DIM)).astype(np.float32)
        batch = world.store.search_batch(queries, k=5, threads=3, filter=wanted)
        for i, query in enumerate(queries):
            apart, count = world.nearest(query, wanted, 500)
            assert batch.counts[i] == min(5, count)
            np.testing.assert_allclose(batch.distances[i][:batch.counts[i]], apart[:5], rtol=1e-5)
            found = world.store.search_range(query, 3.0, filter=wanted, metadata=True)
            assert len(found.ids) == sum(apart <= 3.0) and found.complete
            assert all(matches(metadata, wanted) for metadata in found.metadata)
    assert not world.store.search_range([0] * DIM, 100.0, k=1, filter={}).complete


def brute(vectors, alive, query, k):
    apart = np.linalg.norm(vectors[alive] - query, axis=1)
    return set(np.flatnonzero(alive)[np.argsort(apart)[:k]].tolist())


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_graph_finds_what_matches_few_and_many_near_and_far(db, rng, metric):
    count, dim, k = 8000, 16, 10
    vectors = rng.normal(size=(2 * count, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)  # both metrics order alike
    u = rng.random(2 * count)
    near = np.argsort(np.argsort(-(vectors @ vectors[0]))) / (2 * count)
    store = db.create_store("g", dim=dim, metric=metric, fields=["near"])

    def metadata(ids):
        return [{"u": float(u[i]), "near": float(near[i])} for i in ids]

    store.insert(list(range(count)), vectors[:count], metadata(range(count)))
    store.index.wait()
    assert store.index.status()["linked"] == count
    alive = np.arange(2 * count) < count
    bad = looked = 0
    for step in range(3):
        for field, values in (("u", u), ("near", near)):
            for share in (0.002, 0.01, 0.1, 0.5, 0.95):
                for wanted, mask in (({field: {"$lt": share}}, values < share), ({field: {"$gte": 1 - share}}, values >= 1 - share)):
                    mask = mask & alive
                    for query in vectors[rng.integers(0, 2 * count, 6)]:
                        found = store.search(query, k=k, filter=wanted).ids.tolist()
                        expected = brute(vectors, mask, query, k)
                        assert len(found) == len(set(found)) == len(expected)
                        assert mask[found].all()
                        bad += len(expected - set(found))
                        looked += len(expected)
        changed = rng.choice(count, 900, replace=False)
        fresh = rng.choice(np.arange(count, 2 * count), 900, replace=False)
        store.delete(np.flatnonzero(alive & np.isin(np.arange(2 * count), changed)).tolist())
        alive[changed] = False
        store.upsert(fresh.tolist(), vectors[fresh], metadata(fresh))
        alive[fresh] = True
        moved = np.flatnonzero(alive)[:300]
        u[moved] = rng.random(len(moved))
        store.update(moved.tolist(), metadata=metadata(moved))
        if step == 0:
            store.index.wait()
    assert bad / looked < 0.02


def test_a_filter_is_found_again_however_it_is_written(db):
    store = db.create_store("s", dim=2)
    store.insert([1, 2, 3], [[1, 0], [0, 1], [1, 1]], [{"n": 1}, {"n": 2}, {"n": 2, "m": None}])
    for _ in range(3):
        for text in ('{"n":{"$gte":2},"m":null}', ' {"m": null, "n": {"$gte": 2}}'):
            assert sorted(store.search([1, 0], filter=text).ids) == [2, 3]
    assert store.stats()["filter_reads"] == 3
    for i in range(200):  # more than are kept
        assert list(store.search([1, 0], filter={"n": {"$lt": 2}, "i": {"$ne": i}}).ids) == [1]
    assert sorted(store.search([1, 0], filter={"n": 2}).ids) == [2, 3]


def test_an_index_that_is_saved_and_mapped_again_keeps_its_filters(path, rng):
    vectors = rng.normal(size=(6000, DIM)).astype(np.float32)
    with evdb.open(path) as db:
        store = db.create_store("s", dim=DIM, metric="euclidean")
        store.insert(list(range(6000)), vectors, [{"n": i % 100} for i in range(6000)])
        before = store.search(vectors[7], k=20, filter={"n": 7}).ids.tolist()
        store.index.wait()  # saves, and numbers rows anew
        assert store.search(vectors[7], k=20, filter={"n": 7}).ids.tolist() == before
        assert store.stats()["filter_reads"] == 6000
        store.trim_changes(5000)
        assert store.search(vectors[7], k=20, filter={"n": 7}).ids.tolist() == before
    with evdb.open(path) as db:
        assert db.store("s").search(vectors[7], k=20, filter={"n": 7}).ids.tolist() == before


def test_changes_trimmed_away_are_read_from_the_records(db, chance, rng):
    world = World(db, chance, rng, 300, [])
    wanted = {"a": {"$exists": True}}
    world.expect(wanted, 300)
    world.stir(50)
    world.store.trim_changes(world.store.stats()["sequence"])
    world.stir(5)
    world.expect(wanted, 300)


def test_filters_agree_with_their_records_while_others_write(db, rng):
    """Each record says whether it matches; a search must never return one that says no in the same state."""
    store = db.create_store("s", dim=4, metric="euclidean", fields=["even"])
    vectors = rng.normal(size=(600, 4)).astype(np.float32)
    store.insert(list(range(600)), vectors, [{"even": i % 2 == 0, "also": i % 2 == 0} for i in range(600)])
    stop, wrong = threading.Event(), []

    def write(seed):
        own = random.Random(seed)
        while not stop.is_set():
            i, even = own.randrange(600), own.random() < 0.5
            metadata = {"even": even, "also": even}
            if own.random() < 0.5:
                store.upsert(i, vectors[i], metadata)
            else:
                store.update(i, metadata=metadata)

    def search(name, even):
        for i in range(150):
            found = store.search(vectors[i], k=600, filter={name: even}, metadata=True)
            if any(metadata[name] is not even for metadata in found.metadata):
                wrong.append(i)

    def count():
        for i in range(150):
            found = store.search(vectors[i], k=600, filter={"$or": [{"even": True}, {"even": False}]})
            if len(set(found.ids.tolist())) != 600:
                wrong.append(i)

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    searchers = [threading.Thread(target=search, args=pair) for pair in (("even", True), ("also", False), ("even", False))]
    searchers.append(threading.Thread(target=count))
    for thread in writers + searchers:
        thread.start()
    for thread in searchers:
        thread.join()
    stop.set()
    for thread in writers:
        thread.join()
    assert not wrong


def test_numbers_are_compared_exactly(db):
    store = db.create_store("s", dim=1, metric="euclidean")
    numbers = sorted(n for n in NUMBERS if not (isinstance(n, float) and math.isnan(n)))
    store.insert(list(range(len(numbers))), [[i] for i in range(len(numbers))], [{"n": n} for n in numbers])
    for operand in NUMBERS:
        for name in ("$eq", "$lt", "$lte", "$gt", "$gte"):
            found = store.search([0], k=100, filter={"n": {name: operand}}).ids.tolist()
            assert sorted(found) == [i for i, n in enumerate(numbers) if matches({"n": n}, {"n": {name: operand}})]
