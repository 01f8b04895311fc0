"""evdb.Codec: what it does to matrices of numpy. tests/unit/test_codec*.c look at the codecs themselves."""
import copy
import pickle

import numpy as np
import pytest

import evdb
from test_search import METRICS

COUNT, DIM = 700, 33


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((COUNT, DIM), dtype=np.float32)


@pytest.fixture(params=[kind.name for kind in evdb.codecs()])
def codec(request, rng):
    sample = rng.standard_normal((evdb.Codec.check(request.param, DIM)[1], DIM), dtype=np.float32)
    return evdb.Codec(request.param, DIM, sample, seed=7)


def test_kinds_are_listed_with_what_they_are():
    kinds = {kind.name: kind for kind in evdb.codecs()}
    assert len(kinds) == len(evdb.codecs()) and {"f32", "f16", "zlib", "zstd"} <= kinds.keys()
    assert kinds["f32"].stage == "quantiser" and kinds["f32"].lossless and not kinds["f32"].trained
    assert kinds["zlib"].stage == "bytes" and kinds["zlib"].aliases == ("zlib_compression",) and "LEVEL" in kinds["zlib"].parameters
    assert not kinds["f16"].lossless and all(kind.doc for kind in kinds.values())


def test_vectors_go_and_come_back_in_one_call(codec, vectors):
    codes, sizes = codec.encode(vectors)
    assert codes.shape == (COUNT, codec.bound) and codes.dtype == np.uint8 and sizes.shape == (COUNT,)
    assert (sizes >= 1).all() and (sizes <= codec.bound).all()
    back = codec.decode(codes, sizes)
    assert back.shape == vectors.shape and back.dtype == np.float32 and np.isfinite(back).all()
    np.testing.assert_array_equal(codec.decode(codes[::3], sizes[::3]), back[::3])
    np.testing.assert_array_equal(codec.decode(codes[5:6], sizes[5:6].astype(np.int32))[0], back[5])


def test_the_exact_ones_are_exact(vectors):
    for spec in ("f32", "f32+zlib", "zstd:9,plain"):
        codec = evdb.Codec(spec, DIM)
        np.testing.assert_array_equal(codec.decode(*codec.encode(vectors)), vectors)


@pytest.mark.parametrize("metric", METRICS)
def test_distances_are_those_of_what_comes_back(metric, vectors):
    for spec in ("f32", "f16+zstd"):
        codec = evdb.Codec(spec, DIM)
        codes, sizes = codec.encode(vectors)
        mine = codec.distances(vectors[3], codes, metric, sizes)
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, evdb.distance(metric, vectors[3], codec.decode(codes, sizes)), rtol=1e-4, atol=1e-4)


def test_other_layouts_are_converted(vectors):
    codec = evdb.Codec("f32", DIM)
    wide = np.zeros((COUNT, 2 * DIM), np.float32)
    wide[:, :DIM] = vectors
    for same in (wide[:, :DIM], np.asfortranarray(vectors), vectors.astype(np.float64), vectors.tolist()):
        np.testing.assert_array_equal(codec.decode(*codec.encode(same)), vectors)
    codes, sizes = codec.encode(vectors[:0])
    assert codes.shape == (0, 4 * DIM) and codec.decode(codes, sizes).shape == (0, DIM)


def test_a_codec_can_be_saved_pickled_and_copied(codec, vectors):
    codes, sizes = codec.encode(vectors)
    for again in (evdb.Codec.load(codec.save()), pickle.loads(pickle.dumps(codec)), copy.deepcopy(codec)):
        assert (again.spec, again.dim, again.bound, again.trained_bytes) == (codec.spec, DIM, codec.bound, codec.trained_bytes)
        assert again.save() == codec.save()
        np.testing.assert_array_equal(again.encode(vectors)[0], codes)


def test_sealed_vectors_say_what_they_are(codec, vectors):
    data = codec.seal(vectors[9])
    assert evdb.sealed(data) == (codec.spec, DIM)
    codes, sizes = codec.encode(vectors[9:10])
    np.testing.assert_array_equal(codec.unseal(data), codec.decode(codes, sizes)[0])
    if not codec.trained_bytes:
        np.testing.assert_array_equal(evdb.unseal(data), codec.unseal(data))
    for damaged in (data[:-1], data[:9] + bytes([data[9] ^ 4]) + data[10:], b""):
        with pytest.raises(evdb.Corrupt):
            codec.unseal(damaged)
    with pytest.raises(evdb.Invalid):
        evdb.Codec("f32", DIM + 1).unseal(data)


def test_a_codec_is_checked_without_being_made():
    assert evdb.Codec.check("zlib_compression") == ("f32+zlib", 0)
    spec, sample = evdb.Codec.check("f16+zstd:dict", 8)
    assert spec == "f16+zstd:1,dict" and sample > 1
    with pytest.raises(evdb.Invalid, match=f"{sample} vectors, and there are 2"):
        evdb.Codec(spec, 8, np.eye(8, dtype=np.float32)[:2])


@pytest.mark.parametrize("make", [
    lambda: evdb.Codec("f31", 3), lambda: evdb.Codec("f32", 0), lambda: evdb.Codec("f32", 2**32), lambda: evdb.Codec("f32", 3, threads=-1),
    lambda: evdb.Codec("f32\0", 3), lambda: evdb.Codec("f32", 3, [[1, 2]]), lambda: evdb.Codec("f32", 3, [1, 2, 3]),
])
def test_codecs_that_make_no_sense_are_refused(make):
    with pytest.raises(evdb.Invalid):
        make()


def test_arguments_that_make_no_sense_are_refused(vectors):
    codec = evdb.Codec("f16+zlib", DIM)
    codes, sizes = codec.encode(vectors)
    with pytest.raises(evdb.Invalid) as caught:
        codec.encode([vectors[0], vectors[1] * np.nan])
    assert caught.value.item == 1
    for call in (lambda: codec.encode(vectors[:, 1:]), lambda: codec.encode(vectors[0]), lambda: codec.decode(codes[:, 1:], sizes),
                 lambda: codec.decode(codes.astype(np.int8), sizes), lambda: codec.decode(codes, sizes[1:]),
                 lambda: codec.decode(codes, sizes.astype(float)), lambda: codec.distances(vectors[0, 1:], codes, "l2", sizes),
                 lambda: codec.distances(vectors[0], codes, "l3", sizes), lambda: codec.seal(vectors[0, 1:])):
        with pytest.raises(evdb.Invalid):
            call()
    for wrong in (sizes * 0, sizes * 0 - 1, sizes * 0 + codec.bound + 1):
        with pytest.raises(evdb.Corrupt):
            codec.decode(codes, wrong)
    with pytest.raises(evdb.Corrupt):
        evdb.Codec.load(b"nothing")
    with pytest.raises(AttributeError):
        codec.dim = 3
