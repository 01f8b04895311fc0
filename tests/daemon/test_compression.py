"""test_compression.py - a server whose new stores are compressed: each codec by the name that settings know, from the first vector to
a restart.

What it costs is told beside each codec: the share of the ten nearest that a search finds, the most that a vector's length is off, and
how much of the space of a server without compression its directory may take."""
import base64
import json
import time

import numpy as np
import pytest
from evdbd import PATIENCE, Server

ROWS, DIM, LATENT, QUERIES, K = 1500, 128, 20, 20, 10
STORE = "/api/v1/stores/things"

# setting: the whole codec, recall, error, space
CODECS = {
    "quantization_8bit": ("i8", 0.97, 0.01, 0.5),
    "quantization_4bit": ("i4", 0.85, 0.15, 0.42),
    "pca_compression": ("pca+f32", 0.97, 0.01, 0.75),
    "zlib_compression": ("f32+zlib", 1, 0, 0.65),
    "lz4_compression": ("f32+zstd", 1, 0, 0.65),
    "product_quantization": ("pq", 0.75, 0.4, 0.5),
    "zstd": ("f32+zstd", 1, 0, 0.65),
    "i8+zstd": ("i8+zstd", 0.97, 0.01, 0.5),
}
WAYS = ("file", "environment", "flags")


@pytest.fixture(scope="module")
def vectors():
    """Of fewer degrees of freedom than elements, as embeddings are, and in steps, as measured values are. The last are queries."""
    seeded = np.random.default_rng(20261130)
    degrees = seeded.standard_normal((ROWS + QUERIES, LATENT)) @ seeded.standard_normal((LATENT, DIM)) / np.sqrt(LATENT)
    return (np.round(degrees * 32) / 32).astype("<f4")


@pytest.fixture(scope="module")
def truth(vectors):
    """The ten nearest of each query, exactly."""
    rows, queries = vectors[:ROWS].astype(np.float64), vectors[ROWS:].astype(np.float64)
    squares = ((queries[:, None] - rows[None]) ** 2).sum(axis=2)
    return [set(row) for row in np.argsort(squares, axis=1, kind="stable")[:, :K].tolist()]


def good(server, method, path, body=None):
    reply = server.request(method, path, body)
    assert reply.status in (200, 201), reply.text
    return json.loads(reply.body)


def packed(rows):
    return base64.b64encode(rows.tobytes()).decode()


def fill(server, vectors):
    good(server, "POST", "/api/v1/stores", {"name": "things", "metric": "euclidean"})
    for at in range(0, ROWS, 500):
        written = good(server, "POST", f"{STORE}/vectors/bulk", {"vectors": packed(vectors[at:at + 500]), "dim": DIM, "first_id": at})
        assert written["written"] == 500


def settled(server):
    """The compression's status once all vectors are as they shall be; asking for it is all that a client does for that."""
    until = time.monotonic() + PATIENCE
    while True:
        status = good(server, "GET", f"{STORE}/compression")
        assert status["problem"] == "" and time.monotonic() < until, status
        if status["state"] == "settled" and status["in_force"] == status["codec"]:
            return status


def recall(server, vectors, truth):
    found = good(server, "POST", f"{STORE}/search/batch", {"vectors": packed(vectors[ROWS:]), "dim": DIM, "k": K})["results"]
    return sum(len({hit["id"] for hit in result} & true) for result, true in zip(found, truth)) / (QUERIES * K)


def error(server, vectors):
    """The most of some records, relative to their vectors' length."""
    ids = list(range(0, ROWS, 50))
    got = good(server, "POST", f"{STORE}/vectors/get", {"ids": ids})["records"]
    back = np.asarray([record["vector"] for record in got], np.float32)
    return float(np.max(np.linalg.norm(back - vectors[ids], axis=1) / np.linalg.norm(vectors[ids], axis=1)))


def size(server):
    """Without the room that each store keeps for when the disk is full, however much is in it."""
    return sum(file.stat().st_size for file in (server.directory / "stores").rglob("*") if file.is_file() and not file.name.endswith("-reserve"))


@pytest.fixture(scope="module")
def plain_size(vectors, tmp_path_factory):
    """Bytes of the stores of a server without compression."""
    server = Server(tmp_path_factory.mktemp("plain") / "data")
    fill(server, vectors)
    assert good(server, "GET", f"{STORE}/compression")["codec"] == "none"
    server.stop()
    return size(server)


def settings(way, name, tmp_path):
    """Compression with that codec, in one of the ways that settings come."""
    if way == "file":
        path = tmp_path / "evdbd.conf"
        path.write_text(f'compression_enabled = true\ncompression_algorithm = "{name}"\n')
        return ["--config", path], ()
    if way == "environment":
        return [], {"EVDB_COMPRESSION_ENABLED": "true", "EVDB_COMPRESSION_ALGORITHM": name}
    return ["--compression-enabled=true", f"--compression-algorithm={name}"], ()


@pytest.mark.parametrize("name, way", [(name, WAYS[i % len(WAYS)]) for i, name in enumerate(CODECS)])
def test_a_compressed_server_keeps_finds_and_shrinks(start, tmp_path, vectors, truth, plain_size, name, way):
    whole, least_recall, most_error, most_space = CODECS[name]
    flags, env = settings(way, name, tmp_path)
    server = start(*flags, env=env)
    fill(server, vectors)
    for again in (False, True):
        status = settled(server)
        assert (status["codec"], status["done"]) == (whole, status["total"])
        assert recall(server, vectors, truth) >= least_recall
        assert error(server, vectors) <= most_error
        assert good(server, "POST", "/api/v1/verify")["problems"] == 0
        server.stop()
        assert size(server) <= most_space * plain_size
        if not again:
            server = start(*flags, env=env)


@pytest.mark.parametrize("name", ["f16", "pca_compression"])
def test_a_store_that_was_there_shrinks_when_it_gets_a_codec(start, vectors, truth, plain_size, name):
    server = start()
    fill(server, vectors)
    good(server, "PUT", f"{STORE}/compression", {"codec": name})
    settled(server)
    assert recall(server, vectors, truth) >= 0.97
    server.stop()
    assert size(server) <= 0.75 * plain_size


def test_one_store_may_do_without(start, vectors):
    server = start("--compression-enabled=true", "--compression-algorithm=quantization_4bit")
    good(server, "POST", "/api/v1/stores", {"name": "things", "codec": "none"})
    good(server, "POST", f"{STORE}/vectors", {"id": 1, "vector": vectors[0].tolist()})
    assert good(server, "GET", f"{STORE}/vectors/1")["vector"] == vectors[0].tolist()
