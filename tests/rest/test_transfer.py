"""test_transfer.py - stores as files: out over HTTP, in over HTTP, and the same bits."""
import json

import numpy as np
import pytest
from rest_server import BYTES, JSON

VECTORS = np.random.default_rng(11).standard_normal((300, 3), dtype=np.float32)
VECTORS[0] = [1e-45, -0.0, 3.4028235e38]
NAMES = [f"ä{i:03d}" for i in range(300)]


@pytest.fixture
def full(daemon, store):
    records = [{"id": name, "vector": vector.astype(float).tolist(), "metadata": {"n": i, "text": 'quo"te\n\u2028'}}
               for i, (name, vector) in enumerate(zip(NAMES, VECTORS))]
    daemon.good("POST", store + "/vectors/batch", {"records": records})
    return store


def create(daemon, name, **options):
    daemon.good("POST", "/api/v1/stores", {"name": name, "metric": "euclidean", **options})
    return f"/api/v1/stores/{name}"


@pytest.mark.parametrize("format,type", [("jsonl", "application/x-ndjson"), ("json", JSON), ("npy", BYTES), ("fvecs", BYTES)])
def test_an_export_imported_again_is_exported_the_same(daemon, full, format, type):
    out = daemon.ask("GET", f"{full}/export?format={format}")
    assert out.status == 200 and out.headers["Content-Type"] == type
    assert out.headers["Content-Disposition"] == f'attachment; filename="{full.rsplit("/", 1)[1]}.{format}"'
    copy = create(daemon, f"copy-{format}", dim=3)
    assert daemon.good("POST", f"{copy}/import?format={format}", out.body, type=type) == {
        "written": 300, "skipped": 0, "problems": []}
    back = daemon.ask("GET", f"{copy}/export?format={format}")
    if format == "json":  # the document begins with a description of its store
        assert json.loads(back.body)["vectors"] == json.loads(out.body)["vectors"]
    else:
        assert back.body == out.body
    raw = daemon.ask("GET", f"{copy}/export?format=fvecs").body
    assert np.frombuffer(raw, np.float32).reshape(-1, 4)[:, 1:].tobytes() == VECTORS.tobytes()


def test_an_export_is_jsonl_unless_asked_otherwise(daemon, full):
    assert daemon.ask("GET", full + "/export").body == daemon.ask("GET", full + "/export?format=jsonl").body
    head = daemon.ask("HEAD", full + "/export")
    assert head.status == 200 and int(head.headers["Content-Length"]) > 10000 and head.body == b""


def test_an_empty_store_goes_out_and_in(daemon, store):
    assert daemon.ask("GET", store + "/export").body == b""
    assert daemon.good("POST", store + "/import?format=jsonl", b"", type=None)["written"] == 0
    document = daemon.ask("GET", store + "/export?format=json").body
    assert daemon.good("POST", store + "/import?format=json", document)["written"] == 0


def test_curl_need_not_name_the_type_of_what_is_imported(daemon, store):
    line = b'{"id":1,"vector":[1,2,3]}\n'
    for type in ("application/x-www-form-urlencoded", "text/plain", JSON, None):
        assert daemon.good("POST", store + "/import?format=jsonl&upsert=true", line, type=type)["written"] == 1


def test_rows_are_numbered_from_the_first_id(daemon, store):
    fvecs = np.hstack([np.full((2, 1), 3, "<i4").view("<f4"), np.ones((2, 3), "<f4")]).tobytes()
    daemon.good("POST", store + "/import?format=fvecs&first_id=-5", fvecs, type=BYTES)
    assert [r["id"] for r in daemon.good("GET", store + "/vectors")["records"]] == [-5, -4]


LINES = [b'{"id":1,"vector":[1,2,3]}', b'{"id":2,"vector":[1,2]}', b"", b"nonsense", b'{"id":1,"vector":[3,2,1]}',
         b'{"id":3,"vector":[1,2,3]}']


def test_a_bad_line_refuses_the_whole_file(daemon, store):
    daemon.ask("POST", store + "/import?format=jsonl", b"\n".join(LINES)).problem(400, "line 2", item=2)
    assert daemon.good("GET", store + "/count")["count"] == 0


def test_bad_lines_are_left_out_and_listed_when_asked(daemon, store):
    reply = daemon.good("POST", store + "/import?format=jsonl&keep_going=true", b"\n".join(LINES))
    assert (reply["written"], reply["skipped"]) == (2, 3)
    assert [problem["line"] for problem in reply["problems"]] == [2, 4, 5]
    assert all(problem["message"] for problem in reply["problems"])


def test_the_list_of_bad_lines_is_cut_but_counted(daemon, store):
    reply = daemon.good("POST", store + "/import?format=jsonl&keep_going=true", b"?\n" * 1500)
    assert reply["skipped"] == 1500 and len(reply["problems"]) == 1000


def test_what_exists_is_refused_unless_it_may_be_replaced(daemon, docs):
    line = b'{"id":"a","vector":[7,7,7]}'
    daemon.ask("POST", docs + "/import?format=jsonl", line).problem(409, "'a'", item=1)
    assert daemon.good("POST", docs + "/import?format=jsonl&upsert=true", line)["written"] == 1
    assert daemon.good("GET", docs + "/vectors/a")["vector"] == [7, 7, 7]


def test_an_import_that_was_broken_off_is_resumed(daemon, store):
    lines = [b'{"id":%d,"vector":[%d,2,3]}' % (i, i) for i in range(5)]
    daemon.good("POST", store + "/import?format=jsonl", b"\n".join(lines[:3]))
    assert daemon.good("POST", store + "/import?format=jsonl&resume=true", b"\n".join(lines)) == {
        "written": 2, "skipped": 0, "present": 3, "problems": []}
    daemon.ask("POST", store + "/import?format=jsonl&resume=true", b'{"id":3,"vector":[9,2,3]}').problem(409, "another vector", item=1)


def test_a_store_that_is_not_there_is_not_made(daemon):
    daemon.ask("POST", "/api/v1/stores/nowhere/import?format=jsonl", b"").problem(404, "'nowhere'")
    daemon.ask("GET", "/api/v1/stores/nowhere/export").problem(404, "'nowhere'")
    daemon.ask("GET", "/api/v1/stores/nowhere").problem(404)


def test_formats_and_arguments_are_checked(daemon, store):
    daemon.ask("POST", store + "/import", b"{}").problem(400, "'format' is required")
    daemon.ask("POST", store + "/import?format=csv", b"{}").problem(400, "'csv'")
    daemon.ask("GET", store + "/export?format=csv").problem(400, "'csv'")
    daemon.ask("GET", store + "/export?frmat=json").problem(400, "'frmat'")
    daemon.ask("POST", store + "/import?format=npy", b"garbage", type=BYTES).problem(400)
