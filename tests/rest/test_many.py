"""test_many.py - many records in one request: batch, bulk, searches, scroll."""
import base64
import json

import numpy as np
import pytest
from rest_server import BYTES


def packed(vectors, ids=None):
    return (b"" if ids is None else np.asarray(ids, "<i8").tobytes()) + np.asarray(vectors, "<f4").tobytes()


def records_of(daemon, store, **query):
    """Everything in a store, by scrolling."""
    found, after = [], ""
    while True:
        page = daemon.good("GET", f"{store}/vectors?after={after}" + "".join(f"&{k}={v}" for k, v in query.items()))
        found += page["records"]
        if "next" not in page:
            return found
        after = page["next"]


def test_a_batch_of_each_mode(daemon, store):
    def batch(mode, *records):
        return daemon.good("POST", store + "/vectors/batch", {"mode": mode, "records": records})

    assert batch("insert", {"id": "a", "vector": [1, 2, 3]}, {"id": "b", "vector": [4, 5, 6], "metadata": {"n": 1}})["written"] == 2
    assert batch("upsert", {"id": "b", "vector": [7, 8, 9]}, {"id": "c", "vector": [0, 0, 1]})["written"] == 2
    assert batch("update", {"id": "a", "metadata": {"n": 2}, "if_version": 1})["items"] == [
        {"index": 0, "id": "a", "status": "OK", "version": 5}]
    assert batch("delete", {"id": "c"})["written"] == 1
    assert records_of(daemon, store) == [
        {"id": "a", "version": 5, "vector": [1, 2, 3], "metadata": {"n": 2}},
        {"id": "b", "version": 3, "vector": [7, 8, 9], "metadata": {}}]


def test_a_batch_is_all_or_nothing_unless_it_is_partial(daemon, docs):
    records = [{"id": "d", "vector": [1, 1, 1]}, {"id": "a", "vector": [1, 1, 1]}, {"id": "e", "vector": [1, 1]}]
    daemon.ask("POST", docs + "/vectors/batch", {"records": records}).problem(400, "'records[2]'", item=2)
    daemon.ask("POST", docs + "/vectors/batch", {"records": records[:2]}).problem(409, "'a'", item=1)
    assert daemon.good("GET", docs + "/count")["count"] == 3
    reply = daemon.good("POST", docs + "/vectors/batch", {"records": records, "partial": True})
    assert [item["status"] for item in reply["items"]] == ["OK", "EXISTS", "INVALID"]
    assert (reply["written"], reply["failed"]) == (1, 2)
    assert daemon.good("GET", docs + "/count")["count"] == 4


def test_a_batch_has_a_limit_that_is_named(daemon, store):
    records = [{"id": i, "vector": [0, 0, i]} for i in range(10001)]
    daemon.ask("POST", store + "/vectors/batch", {"records": records}).problem(413, "10001", "10000")
    assert daemon.good("POST", store + "/vectors/batch", {"records": records[:10000]})["written"] == 10000
    assert daemon.good("GET", store + "/count")["count"] == 10000


@pytest.mark.parametrize("how", ["body", "base64", "arrays", "base64 rows"])
def test_vectors_are_loaded_bit_for_bit(daemon, store, how):
    vectors = np.random.default_rng(3).standard_normal((500, 3), dtype=np.float32)
    vectors[7] = [1e-45, -0.0, 3.4028235e38]
    if how == "body":
        reply = daemon.good("POST", store + "/vectors/bulk?first_id=100", packed(vectors), type=BYTES)
    else:
        spelled = {"base64": base64.b64encode(packed(vectors)).decode(), "arrays": vectors.astype(float).tolist(),
                   "base64 rows": [base64.b64encode(packed(row)).decode() for row in vectors]}[how]
        reply = daemon.good("POST", store + "/vectors/bulk", {"vectors": spelled, "first_id": 100})
    assert reply == {"written": 500}
    found = records_of(daemon, store, limit=190)
    assert [record["id"] for record in found] == list(range(100, 600))
    assert np.array([record["vector"] for record in found], np.float32).tobytes() == packed(vectors)


def test_packed_vectors_bring_their_ids(daemon, store):
    ids, vectors = [7, -9, 1 << 62], np.eye(3)
    target = store + "/vectors/bulk?packed_ids=true"
    assert daemon.good("POST", target, packed(vectors, ids), type=BYTES) == {"written": 3}
    daemon.ask("POST", target, packed(vectors, ids), type=BYTES).problem(409, "7", item=0)
    assert daemon.good("POST", target + "&mode=upsert", packed(2 * vectors, ids), type=BYTES) == {"written": 3}
    assert [(record["id"], record["vector"]) for record in records_of(daemon, store)] == [
        (-9, [0, 2, 0]), (7, [2, 0, 0]), (1 << 62, [0, 0, 2])]
    assert daemon.good("POST", store + "/vectors/bulk", {"vectors": np.eye(3).tolist(), "ids": [1, 2, 3]}) == {"written": 3}


@pytest.mark.parametrize("query,body,status,says", [
    ("", b"", 400, "'vectors' is required"), ("", b"1234567890123", 400, "13 bytes"),
    ("?packed_ids=true", bytes(12), 400, "an int64 id and 3 float32"), ("?dim=4", bytes(16), 400, "3 elements"),
    ("?packed_ids=true&first_id=1", bytes(20), 400, "exclude"), ("?mode=delete", bytes(12), 400, "'delete'"),
    ("?packed_ids=yes", bytes(20), 400, "'packed_ids' must be true or false"), ("", bytes(12 * 10001), 413, "at most 10000"),
    ("", b"\0\0\xc0\x7f" * 3, 400, "not a number"),
], ids=range(9))
def test_packed_vectors_that_do_not_fit_are_refused(daemon, store, query, body, status, says):
    reply = daemon.ask("POST", store + "/vectors/bulk" + query, body, type=BYTES)
    assert reply.json["status"] == status and says in reply.json["detail"], reply.body
    assert daemon.good("GET", store + "/count")["count"] == 0


def test_a_store_without_vectors_must_be_told_the_dimension(daemon):
    daemon.good("POST", "/api/v1/stores", {"name": "undecided", "metric": "l2"})
    target, rows = "/api/v1/stores/undecided/vectors/bulk", packed(np.arange(12))
    daemon.ask("POST", target, rows, type=BYTES).problem(400, "'dim'")
    daemon.ask("POST", target + "?dim=5", rows, type=BYTES).problem(400, "48 bytes")
    assert daemon.good("POST", target + "?dim=4", rows, type=BYTES) == {"written": 3}
    assert daemon.good("GET", "/api/v1/stores/undecided")["dim"] == 4


@pytest.mark.parametrize("how", ["body", "base64", "arrays"])
def test_each_query_of_a_batch_finds_what_it_finds_alone(daemon, store, how):
    vectors = np.random.default_rng(5).standard_normal((200, 3), dtype=np.float32)
    daemon.good("POST", store + "/vectors/bulk", packed(vectors), type=BYTES)
    queries = vectors[:20] + np.float32(0.25)
    if how == "body":
        reply = daemon.good("POST", store + "/search/batch?k=4", packed(queries), type=BYTES)
    else:
        spelled = base64.b64encode(packed(queries)).decode() if how == "base64" else queries.astype(float).tolist()
        reply = daemon.good("POST", store + "/search/batch", {"vectors": spelled, "k": 4})
    assert reply["complete"] and len(reply["results"]) == 20
    for query, hits in zip(queries, reply["results"]):
        alone = daemon.good("POST", store + "/search?k=4", packed(query), type=BYTES)["results"]
        assert [hit["id"] for hit in hits] == [hit["id"] for hit in alone]
        assert np.allclose([hit["distance"] for hit in hits], [hit["distance"] for hit in alone], rtol=1e-4)


def test_a_scroll_goes_on_where_it_was_and_ends(daemon, docs):
    first = daemon.good("GET", docs + "/vectors?limit=2&vectors=false")
    assert [record["id"] for record in first["records"]] == ["a", "b"] and first["next"] == "b"
    daemon.good("DELETE", docs + "/vectors/b")  # what one continues behind need not be there
    second = daemon.good("GET", docs + "/vectors?limit=2&after=b")
    assert [record["id"] for record in second["records"]] == ["c"] and "next" not in second
    daemon.ask("GET", docs + "/vectors?limit=0").problem(400, "'limit'")
    daemon.ask("GET", docs + "/vectors?limit=2&limit=3").problem(400, "'limit' is given twice")
    daemon.ask("GET", docs + "/vectors?limits=2").problem(400, "'limits'")


def test_a_page_of_large_vectors_is_shorter_than_asked_for_and_says_so(daemon):
    daemon.good("POST", "/api/v1/stores", {"name": "wide", "dim": 65536, "metric": "l2"})
    rows = packed(np.ones((70, 65536), np.float32))
    assert daemon.good("POST", "/api/v1/stores/wide/vectors/bulk", rows, type=BYTES)["written"] == 70
    page = daemon.good("GET", "/api/v1/stores/wide/vectors?limit=70")
    assert len(page["records"]) == 64 and page["next"] == 63
    assert "next" not in daemon.good("GET", "/api/v1/stores/wide/vectors?limit=70&vectors=false")
    daemon.ask("POST", "/api/v1/stores/wide/vectors/get", {"ids": list(range(70))}).problem(413, "ask for fewer records")


def test_text_that_looks_like_a_part_of_the_binder_is_text(daemon, store):
    """Inside, what is cut out of a request is stood for by a control character and a number."""
    body = json.dumps({"id": "\x010", "vector": [1.5] * 3, "metadata": {"x": "\x011", "y": [1.25] * 30}})
    daemon.good("POST", store + "/vectors", body)
    (record,) = records_of(daemon, store)
    assert record["id"] == "\x010" and record["metadata"] == {"x": "\x011", "y": [1.25] * 30}
