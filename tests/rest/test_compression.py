"""test_compression.py - vectors as codes, codecs measured, one proposed."""
import base64

import numpy as np
import pytest
from rest_server import BYTES

AT = "/api/v1/compression"
MEASURES = {"compression_ratio", "compression_time", "decompression_time", "accuracy_loss", "bytes", "trained_bytes", "training_time"}


def test_a_vector_goes_through_a_codec_and_back(daemon):
    for vector in ([1, -0.5, 0], base64.b64encode(np.asarray([1, -0.5, 0], "<f4").tobytes()).decode()):
        packed = daemon.good("POST", f"{AT}/compress", {"algorithm": "f16", "vector": vector})
        assert (packed["algorithm"], packed["dim"], packed["bytes"], packed["compression_ratio"]) == ("f16", 3, 6, 2)
        assert daemon.good("POST", f"{AT}/decompress", {"compressed": packed["compressed"]})["vector"] == [1, -0.5, 0]


def test_codecs_are_listed_and_each_is_known(daemon):
    for codec in daemon.good("GET", f"{AT}/codecs")["codecs"]:
        for name in [codec["name"], *codec["aliases"]]:
            reply = daemon.ask("POST", f"{AT}/compress", {"algorithm": name, "vector": [0.5] * 16})
            assert reply.status == 200 or codec["trained"], reply.body


@pytest.mark.parametrize("body, named", [
    ({"algorithm": "nothing", "vector": [1]}, "'nothing'"), ({"vector": [1]}, "'algorithm'"), ({"algorithm": "f16"}, "'vector'")])
def test_what_cannot_be_compressed_is_named(daemon, body, named):
    daemon.ask("POST", f"{AT}/compress", body).problem(400, named)


@pytest.mark.parametrize("text", ["", "AAAA", "RVZWMQ==", "?"])
def test_what_is_no_code_is_refused(daemon, text):
    daemon.ask("POST", f"{AT}/decompress", {"compressed": text}).problem(400)


def test_every_cut_and_changed_code_is_refused(daemon):
    packed = daemon.good("POST", f"{AT}/compress", {"algorithm": "f32", "vector": [1, 2]})["compressed"]
    code = base64.b64decode(packed)
    for bad in [code[:i] for i in range(len(code))] + [code[:i] + bytes([code[i] ^ 1]) + code[i + 1:] for i in range(len(code))]:
        daemon.ask("POST", f"{AT}/decompress", {"compressed": base64.b64encode(bad).decode()}).problem(400)


def test_codecs_are_measured_on_arrays_bytes_and_a_store(daemon, store):
    rows = np.random.default_rng(5).standard_normal((60, 3)).astype("<f4")
    for i, row in enumerate(rows.tolist()):
        daemon.good("POST", f"{store}/vectors", {"id": i, "vector": row})
    name = store.rsplit("/", 1)[1]
    asked = {"algorithms": ["f32", "bf16"]}
    replies = [daemon.good("POST", f"{AT}/benchmark", {**asked, "vectors": rows.tolist(), "metric": "l2"}),
               daemon.good("POST", f"{AT}/benchmark", {**asked, "store": name}),
               daemon.good("POST", f"{AT}/benchmark?dim=3&algorithms=f32;bf16&metric=euclidean", rows.tobytes(), type=BYTES)]
    for reply in replies:
        assert (reply["vectors"], reply["queries"], reply["dim"], reply["metric"]) == (60, 60, 3, "euclidean")
        whole, half = reply["results"]
        assert whole["accuracy_loss"] == 0 and whole["recall_at_10"] == 1 and whole["compression_ratio"] == 1
        assert 0 < half["accuracy_loss"] < 2 ** -8 and half["recall_at_10"] > 0.9 and half["compression_ratio"] == 2
        assert set(half) == MEASURES | {"algorithm", "codec", "recall_at_10"}
    errors = [{k: f[k] for k in ("accuracy_loss", "recall_at_10")} for f in replies[0]["results"]]
    assert errors == [{k: f[k] for k in ("accuracy_loss", "recall_at_10")} for f in replies[2]["results"]]  # the same seed


def test_one_vector_has_no_neighbours_and_trains_nothing(daemon):
    results = daemon.good("POST", f"{AT}/benchmark", {"vector": [0.1, 0.2, 0.3, 0.4]})["results"]
    assert results
    for figures in results:
        assert ("error" in figures) != (MEASURES <= set(figures)) and "recall_at_10" not in figures


@pytest.mark.parametrize("body, named, item", [
    ({}, "'vectors'", None), ({"vector": [1], "store": "x"}, "'vectors'", None), ({"vector": [1], "algorithms": ["f16", "f17"]}, "'f17'", 1),
    ({"vector": [1], "metric": "custom"}, "metric", None), ({"vector": [1], "sample": 20001}, "'sample'", None),
    ({"vectors": [[1], [1, 2]]}, "vectors[1]", 1)])
def test_what_cannot_be_measured_is_named(daemon, body, named, item):
    daemon.ask("POST", f"{AT}/benchmark", body).problem(400, named, item=item)


def test_a_codec_is_proposed(daemon, store):
    daemon.ask("POST", f"{store}/compression/advise", {}).problem(400, "11")
    for i in range(40):
        daemon.good("POST", f"{store}/vectors", {"id": i, "vector": [i, i * i % 41, 7 * i % 40]})
    reply = daemon.good("POST", f"{store}/compression/advise", {"recall": 1, "algorithms": ["f32", "f16"]})
    assert (reply["proposed"], reply["compression_ratio"], reply["recall_at_10"], reply["recall"]) == ("f16", 2, 1, 1)
    reply = daemon.good("POST", f"{store}/compression/advise")
    assert reply["proposed"] in [figures["codec"] for figures in reply["results"]] and reply["recall_at_10"] >= 0.95
    daemon.ask("POST", f"{store}/compression/advise", {"recall": 2}).problem(400, "recall")
    daemon.ask("POST", "/api/v1/stores/nobody/compression/advise").problem(404, "'nobody'")


# ---- the codec of a store

def test_a_store_is_made_with_a_codec(daemon):
    for name, asked in (("codec", "i8"), ("compression_algorithm", "quantization_8bit"), ("algorithm", "i8"), ("compression", "i8")):
        made = daemon.good("POST", "/api/v1/stores", {"name": f"made-by-{name.replace('_', '-')}", name: asked})
        assert made["codec"] == "i8"
    daemon.ask("POST", "/api/v1/stores", {"name": "twice", "codec": "i8", "algorithm": "i8"}).problem(400, "twice")
    daemon.ask("POST", "/api/v1/stores", {"name": "twice", "codec": "i9"}).problem(400, "'i9'")


def test_a_store_gets_another_codec(daemon, docs):
    status = daemon.good("GET", f"{docs}/compression")
    assert (status["codec"], status["state"], status["vector_bytes"], status["compression_ratio"]) == ("none", "settled", 12, 1)
    status = daemon.good("PUT", f"{docs}/compression", {"algorithm": "f16", "wait": True})
    assert (status["codec"], status["in_force"], status["state"], status["compression_ratio"]) == ("f16", "f16", "settled", 2)
    assert daemon.good("GET", docs)["codec"] == "f16"
    stats = daemon.good("GET", f"{docs}/stats")
    assert (stats["codec"], stats["compression_state"], stats["compression_ratio"]) == ("f16", "settled", 2)
    assert daemon.good("GET", f"{docs}/vectors/a")["vector"] == [1, 2, 3]
    daemon.ask("PUT", f"{docs}/compression", {"codec": "i9"}).problem(400, "'i9'")
    daemon.ask("PUT", f"{docs}/compression", {}).problem(400, "'codec'")
    assert daemon.good("PUT", f"{docs}/compression", {"codec": "none", "wait": True})["in_force"] == "none"


def test_a_record_has_a_codec_of_its_own(daemon, docs):
    reply = daemon.ask("POST", f"{docs}/vectors/compressed", {"id": "z", "vector": [0.1, 1, 2], "algorithm": "bf16", "metadata": {"n": 1}})
    assert reply.status == 201 and reply.headers["Location"].endswith("/vectors/z")
    record = daemon.good("GET", f"{docs}/vectors/z")
    assert record["vector"] == pytest.approx([0.1, 1, 2], rel=2 ** -8) and record["vector"][0] != 0.1 and record["metadata"] == {"n": 1}
    daemon.ask("POST", f"{docs}/vectors/compressed", {"id": "z", "vector": [0.1, 1, 2], "algorithm": "bf16"}).problem(409, "'z'")
    daemon.ask("POST", f"{docs}/vectors/compressed", {"id": "y", "vector": [0.1, 1, 2]}).problem(400, "'codec'")


def test_new_stores_have_the_codec_of_the_settings(start):
    server = start("--compression_enabled=true", "--compression_algorithm=quantization_8bit", "--dev")
    assert server.good("POST", "/api/v1/stores", {"name": "a"})["codec"] == "i8"
    assert server.good("POST", "/api/v1/stores", {"name": "b", "codec": "f16"})["codec"] == "f16"
    assert "codec" not in server.good("POST", "/api/v1/stores", {"name": "c", "codec": "none"})
    assert "codec" not in server.good("POST", "/api/v1/stores", {"name": "d", "dtype": "i8"})  # which can have none
