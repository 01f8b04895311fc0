"""Databases that earlier versions wrote, one a format: a newer evdb opens each, finds all of it, and writes to it."""
import pathlib
import random
import tarfile

import evdb
import numpy
import pytest

FIXTURES = sorted(pathlib.Path(__file__).parent.glob("format*.tar.gz"))
STORES = ("floats", "halves", "bytes", "bits")
CODED = "coded"  # with codec f16, from format 2 on


def written():
    """The vectors of each store, as their maker drew them: a number of each kind for each element."""
    rng = random.Random(1)

    def draw(kind):
        return (rng.uniform(-1, 1), rng.randrange(-8, 8) / 8, rng.randrange(-128, 128), rng.randrange(2))[kind]

    vectors = {name: [[draw(kind) for _ in range(12)] for _ in range(30)] for kind, name in enumerate(STORES)}
    return {**vectors, CODED: [[draw(1) for _ in range(12)] for _ in range(30)]}


@pytest.fixture(params=FIXTURES, ids=lambda path: path.name.split(".")[0])
def database(request, tmp_path):
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path)
    with evdb.open(str(tmp_path)) as db:
        yield db


@pytest.fixture
def stores(request):
    return STORES if request.node.callspec.id == "format1" else (*STORES, CODED)


def make_id(name, number):
    return f"b{number}" if name == "bits" else number


def test_every_record_is_there_as_it_was_written(database, stores):
    vectors = written()
    assert sorted(info.name for info in database.stores()) == sorted(stores)
    for name in stores:
        store = database.store(name)
        assert len(store) == 29
        for number in range(1, 30):
            record = store.get(make_id(name, number))
            assert record.metadata == {"n": number, "store": name}
            assert (record.author, record.written_ms) == (None, None)  # nobody knows who wrote it
            assert record.vector.tolist() == numpy.float32(vectors[name][number]).tolist()


def test_what_expires_still_does(database, stores, request):
    expires = 4102444800000 if request.node.callspec.id == "format3" else None  # from format 3 on
    for name in stores:
        assert [database.store(name).get(make_id(name, number)).expires_ms for number in (28, 29)] == [None, expires]


def test_it_is_searched_written_and_found_sound(database, stores):
    for name in stores:
        store = database.store(name)
        vector = store.get(make_id(name, 7)).vector
        if name != "bytes":  # there a longer vector has the larger inner product
            assert make_id(name, 7) in store.search(vector, 3).ids
        store.insert(make_id(name, 1000), vector, {"new": True})
        assert len(store.search(vector, 30).ids) == 30
    assert not database.verify().problems


def test_authors_can_be_turned_on(database, stores):
    for name in stores:
        store = database.store(name)
        assert not store.describe().authors
        store.set_authors(True)
        store.update_metadata(make_id(name, 1), {"more": True}, author="ann")
        assert [store.get(make_id(name, number)).author for number in (1, 2)] == ["ann", None]
    assert database.verify().problems == []
