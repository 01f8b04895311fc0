"""test_compress.py - codecs from the command line: vectors encoded, codecs measured and proposed."""
import json
import re
import struct

import numpy as np
import pytest
from evdb_command import EXISTS, INVALID, NOT_FOUND, UNSUPPORTED, USAGE

MEASURES = {"compression_ratio", "compression_time", "decompression_time", "accuracy_loss", "recall_at_10"}


@pytest.fixture
def vectors(evdb):
    """vectors.npy: 400 of 16 elements."""
    rows = np.random.default_rng(7).standard_normal((400, 16)).astype(np.float32)
    np.save(evdb.path("vectors.npy"), rows)
    return rows


@pytest.fixture
def line(evdb):
    """Store `line` of 30 vectors that f16 holds exactly."""
    evdb.write("line.jsonl", "".join(json.dumps({"id": i, "vector": [i, i * i % 31]}) + "\n" for i in range(30)))
    evdb.text("import", "line", "line.jsonl", "--metric", "l2")
    return evdb


def lines_of(text):
    return [json.loads(one) for one in text.splitlines()]


def test_a_vector_is_encoded_and_decoded_without_a_database(evdb):
    packed = evdb.json("compress", "vector", "f16", "--vector", "[1, 0.5, -2]")
    assert (packed["algorithm"], packed["bytes"], packed["compression_ratio"]) == ("f16", 6, 2)
    wanted = {"algorithm": "f16", "dim": 3, "vector": [1, 0.5, -2]}
    assert evdb.json("decompress", packed["compressed"]) == wanted
    evdb.write("code", packed["compressed"] + "\n")
    assert evdb.json("decompress", "@code") == wanted
    assert evdb.json("decompress", "-", stdin=packed["compressed"].encode()) == wanted
    assert not evdb.path("data").exists()


def test_what_is_no_code_or_codec_is_refused(evdb):
    assert "'f17'" in evdb.fails(INVALID, "compress", "vector", "f17", "--vector", "[1]")
    assert "base64" in evdb.fails(INVALID, "decompress", "???")
    assert "cut short" in evdb.fails(INVALID, "decompress", "AAAA")
    evdb.fails(NOT_FOUND, "decompress", "@nothing")
    evdb.fails(USAGE, "decompress")


def test_codecs_are_listed(evdb):
    assert "f16" in [codec["name"] for codec in evdb.json("compress", "codecs")["codecs"]]
    assert re.search(r"^f16 +quantiser +", evdb.text("compress", "codecs"), re.M)


@pytest.mark.parametrize("name", ["vectors.npy", "vectors.fvecs", "vectors.jsonl"])
def test_codecs_are_measured_on_a_file(evdb, vectors, name):
    if name.endswith("fvecs"):
        evdb.write(name, b"".join(struct.pack("<i", 16) + row.tobytes() for row in vectors))
    if name.endswith("jsonl"):
        evdb.write(name, "".join(json.dumps({"id": i, "vector": row.tolist()}) + "\n" for i, row in enumerate(vectors)))
    text = evdb.text("compress", "bench", name, "--codec", "f32", "--codec", "bf16", "--metric", "l2", "--json")
    whole, half = lines_of(text)
    assert (whole["algorithm"], whole["accuracy_loss"], whole["recall_at_10"]) == ("f32", 0, 1)
    rounded = (vectors.view(np.uint32) + 0x7fff + (vectors.view(np.uint32) >> 16 & 1) & 0xffff0000).view(np.float32)
    error = np.mean(np.linalg.norm(vectors - rounded, axis=1) / np.linalg.norm(vectors, axis=1))
    assert half["accuracy_loss"] == pytest.approx(error, rel=1e-3) and half["compression_ratio"] == 2
    assert MEASURES <= set(half) and half["recall_at_10"] > 0.9
    assert not evdb.path("data").exists()


def test_a_table_and_a_plot_are_shown(evdb, vectors):
    text = evdb.text("compress", "bench", "vectors.npy", "--codec", "f32;bf16", "--sample", "100")
    assert re.search(r"^algorithm +compression_ratio +compression_time +decompression_time +accuracy_loss +recall_at_10$", text, re.M)
    assert re.search(r"^bf16 +2 ", text, re.M) and re.search(r"^vectors +100$", text, re.M) and "metric   cosine" in text
    plot = text.split("a f32   b bf16\nrecall_at_10\n")[1].splitlines()
    assert plot[-1].strip() == "bytes of a vector" and plot[-3].strip(" +-") == ""
    drawn = [row for row in plot[:-3] if "|" in row]
    assert len(drawn) == 14 and max(map(len, plot)) <= 80
    a, b = (next((y, row.index(mark)) for y, row in enumerate(drawn) if mark in row) for mark in "ab")
    assert a[1] > b[1] and a[0] <= b[0]  # more bytes, and nothing lost


def test_the_plot_is_as_wide_as_the_terminal(evdb, vectors):
    text, status = evdb.on_terminal("compress", "bench", "vectors.npy", "--codec", "f32;f16", env={"NO_COLOR": "1"}, columns=120)
    assert status == 0
    assert max(len(row) for row in text.splitlines() if "+-" in row) in range(115, 121)


def test_codecs_are_measured_on_a_store_or_a_vector(line):
    figures = lines_of(line.text("compress", "bench", "--store", "line", "--codec", "f16", "--json"))
    assert len(figures) == 1 and figures[0]["recall_at_10"] == 1 and figures[0]["accuracy_loss"] == 0
    assert "recall_at_10" not in lines_of(line.text("compress", "bench", "--vector", "[1,2]", "--codec", "f16", "--json"))[0]
    assert "accuracy_loss\n" in line.text("compress", "bench", "--vector", "[1,2]", "--codec", "f16;f32")


def test_what_cannot_be_measured_is_named(evdb, vectors):
    assert "'f17'" in evdb.fails(INVALID, "compress", "bench", "vectors.npy", "--codec", "f17")
    assert "none.npy" in evdb.fails(NOT_FOUND, "compress", "bench", "none.npy")
    assert "--format" in evdb.fails(INVALID, "compress", "bench", "vectors")
    assert "exclude" in evdb.fails(USAGE, "compress", "bench", "vectors.npy", "--store", "line")
    assert "'store'" in evdb.fails(INVALID, "compress", "bench")
    evdb.fails(NOT_FOUND, "compress", "bench", "--store", "line")
    np.save(evdb.path("bad.npy"), np.array([[1, np.nan]], dtype=np.float32))
    evdb.fails(INVALID, "compress", "bench", "bad.npy")
    np.save(evdb.path("empty.npy"), np.zeros((0, 4), dtype=np.float32))
    assert "no vectors" in evdb.fails(INVALID, "compress", "bench", "empty.npy")


def test_a_codec_is_proposed(line):
    reply = line.json("advise", "line", "--recall", "1", "--codec", "f32;f16")
    assert (reply["proposed"], reply["compression_ratio"], reply["recall_at_10"], reply["vectors"]) == ("f16", 2, 1, 30)
    text = line.text("advise", "line", "--recall", "1", "--codec", "f32;f16")
    assert re.search(r"^proposed +f16$", text, re.M) and re.search(r"^f32 +1 ", text, re.M) and "bytes of a vector" in text
    assert line.json("advise", "line")["recall_at_10"] >= 0.95
    assert "recall" in line.fails(INVALID, "advise", "line", "--recall", "1.5")
    line.text("create", "few")
    assert "11" in line.fails(INVALID, "advise", "few")


# The codec of a store.

def test_a_store_has_a_codec_from_the_beginning(evdb):
    assert evdb.json("create", "docs", "--codec", "quantization_8bit")["codec"] == "i8"
    assert "codec" not in evdb.json("create", "plain") and "codec" not in evdb.json("create", "none", "--codec", "none")
    assert [store.get("codec") for store in evdb.json("ls")["stores"]] == ["i8", None, None]
    evdb.text("put", "docs", "a", "--vector", "[0.5, -1, 0.25]")
    assert evdb.json("get", "docs", "a")["records"][0]["vector"] == pytest.approx([0.5, -1, 0.25], abs=0.01)
    assert "'f17'" in evdb.fails(INVALID, "create", "more", "--codec", "f17")
    assert "i8" in evdb.fails(UNSUPPORTED, "create", "more", "--codec", "f16", "--dtype", "i8")


def test_another_codec_later_writes_the_vectors_again(line):
    before = line.json("compress", "status", "line")
    assert (before["codec"], before["state"], before["plain_bytes"], before["compression_ratio"]) == ("none", "settled", 8, 1)
    after = line.json("compress", "set", "line", "quantization_8bit")
    assert (after["codec"], after["in_force"], after["state"], after["done"]) == ("i8", "i8", "settled", after["total"])
    assert line.json("stats", "line")["codec"] == "i8"
    assert line.json("get", "line", "3")["records"][0]["vector"] == pytest.approx([3, 9], abs=0.05)
    assert line.json("compress", "set", "line", "none")["codec"] == "none"
    assert line.json("verify", "line")["problems"] == 0
    assert line.json("compress", "set", "line", "f16", "--no-wait")["codec"] == "f16"
    assert re.search(r"^codec +f16$", line.text("compress", "status", "line"), re.M)


def test_a_trained_codec_waits_for_vectors(line):
    status = line.json("compress", "set", "line", "pq:1")
    assert status["state"] == "waiting" and status["needed"] > 30 and status["in_force"] == "none"
    assert line.json("stats", "line")["compression_state"] == "waiting"


def test_a_record_has_a_codec_of_its_own(line):
    assert line.json("compress", "insert", "line", "99", "--vector", "[0.1, 7]", "--codec", "bf16")["id"] == 99
    vector = line.json("get", "line", "99")["records"][0]["vector"]
    assert vector == pytest.approx([0.1, 7], rel=2 ** -8) and vector[0] != pytest.approx(0.1, rel=1e-6)
    line.fails(EXISTS, "compress", "insert", "line", "99", "--vector", "[0.1, 7]", "--codec", "bf16")
    assert "'f17'" in line.fails(INVALID, "compress", "insert", "line", "98", "--vector", "[0.1, 7]", "--codec", "f17")


def test_an_import_takes_the_codec_along_and_insists_on_it(line):
    line.text("compress", "set", "line", "f16")
    line.text("export", "line", "line.json")
    line.text("import", "copy", "line.json")
    assert line.json("describe", "copy")["codec"] == "f16"
    line.text("import", "copy", "line.json", "--upsert", "--codec", "f16")
    line.text("create", "small", "--codec", "i8", "--metric", "l2")
    line.text("import", "small", "line.jsonl", "--codec", "quantization_8bit")
    assert "codec" in line.fails(INVALID, "import", "small", "line.jsonl", "--upsert", "--codec", "f16")
    assert "codec" in line.fails(INVALID, "import", "small", "line.jsonl", "--upsert", "--codec", "none")
    line.text("import", "plain", "line.jsonl", "--codec", "none", "--metric", "l2")
    line.text("import", "plain", "line.jsonl", "--upsert", "--codec", "none")
