"""test_bad_input.py - what is wrong with a request is said by status and by name, for every operation of the table."""
import json

import pytest
from rest_server import BYTES, JSON, TABLE, arguments_beside_path

TAKES_JSON = [o for o in TABLE if o["stream"] != "in"]


def target_of(o):
    return o["path"].replace("{name}", "none").replace("{id}", "1").replace("{client_id}", "none")


def names(operations):
    return [o["name"] for o in operations]


@pytest.mark.parametrize("o", TAKES_JSON, ids=names(TAKES_JSON))
def test_an_unknown_argument_is_named(daemon, o):
    daemon.ask(o["method"], target_of(o), {"unheard_of": 1}).problem(400, o["name"], "'unheard_of'")
    daemon.ask(o["method"], target_of(o) + "?unheard_of=1").problem(400, o["name"], "'unheard_of'")


@pytest.mark.parametrize("o", TAKES_JSON, ids=names(TAKES_JSON))
def test_malformed_json_is_refused_with_its_place(daemon, o):
    daemon.ask(o["method"], target_of(o), b'{\n "x": }').problem(400, "malformed JSON at line 2, column 7")
    daemon.ask(o["method"], target_of(o), b"[1]").problem(400, "must be a JSON object")


@pytest.mark.parametrize("o", TAKES_JSON, ids=names(TAKES_JSON))
def test_another_type_of_body_is_refused(daemon, o):
    for type in ("text/plain", "application/xml", "application/jsonx", None) + (() if o["raw_body"] else (BYTES,)):
        daemon.ask(o["method"], target_of(o), b"{}", type=type).problem(415, JSON)


@pytest.mark.parametrize("o", [o for o in TABLE if o["input"]["required"]], ids=lambda o: o["name"])
def test_a_missing_argument_is_named(daemon, o):
    missing = arguments_beside_path(o)
    if missing:
        daemon.ask(o["method"], target_of(o), b"" if o["stream"] == "in" else b"{}").problem(400, f"'{missing[0]}' is required")


@pytest.mark.parametrize("o", [o for o in TABLE if "{name}" in o["path"]], ids=lambda o: o["name"])
def test_a_bad_name_of_a_store_is_refused(daemon, o):
    """By whichever argument is looked at first: never an answer, never a failure of ours."""
    for name in ("Upper", "%FF", "a%20b", "..", "x" * 600, "%C3%A4"):
        reply = daemon.ask(o["method"], target_of(o).replace("/none", "/" + name))
        reply.problem(reply.status)
        assert reply.status in (400, 404), reply.body


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/stores", "/api/v1/stores/a/b", "/api/v1x"])
def test_an_unknown_path_is_not_found(daemon, path):
    daemon.ask("GET", path).problem(404)


@pytest.mark.parametrize("body,says", [
    ({"id": 1, "vector": [1, "x", 3]}, "'vector[1]' must be a number"), ({"id": 1, "vector": [1, 2, 1e39]}, "'vector[2]' is beyond"),
    ({"id": 1, "vector": [1, 2]}, "2 elements"), ({"id": 1, "vector": "AAAA"}, "3 bytes"), ({"id": 1, "vector": "?"}, "base64"),
    ({"id": 1.5, "vector": [1, 2, 3]}, "'id' must be an integer or a string"), ({"id": "", "vector": [1, 2, 3]}, "id"),
    ({"id": 1, "vector": [1, 2, 3], "metadata": []}, "'metadata' must be an object"), ({"vector": [1, 2, 3]}, "'id' is required"),
    ({"id": 1, "vector": [[1, 2, 3]]}, "'vector[0]'"), ({"id": 1, "vector": {}}, "'vector' must be an array"),
    ({"id": 1, "vector": None}, "'vector' is required"), ({"id": "x" * 513, "vector": [1, 2, 3]}, "512"),
    ({"id": 1, "vector": [1, 2, 3], "name": "other"}, "'name' is given twice"),
    (b'{"id":1,"vector":[1,2,3],"vector":[1,2,3]}', "duplicate"), (b'{"id":1,"vector":[1,2,NaN]}', "malformed"),
    (b'{"id":1,"vector":[1,2,3],"metadata":{"a":[}}', "malformed"), (b'{"id":1,"vector":[1,2,3],"metadata":{"a":1}', "malformed"),
    (b'{"id":"\xff","vector":[1,2,3]}', "malformed"), (b"\xef\xbb\xbf{}", "malformed"), (b"\0", "malformed"),
    (b'{"id":1\0,"vector":[1,2,3]}', "malformed"), (b'{"id":1,"vector":[1,2,3],"metadata":{"a":null\0}}', "not valid JSON"),
    (b'{"id":1,"vector":[' + b"1," * 100 + b"1..2]}", "'vector[100]' must be a number"),
    (json.dumps({"id": 1, "vector": [1, 2, 3], "metadata": json.loads('{"a":' * 70 + "1" + "}" * 70)}), "deep"),
], ids=range(25))
def test_a_bad_record_is_refused_and_nothing_is_written(daemon, store, body, says):
    daemon.ask("POST", store + "/vectors", body).problem(400, says)
    assert daemon.good("GET", store + "/count")["count"] == 0


def test_limits_are_named(daemon, store):
    daemon.ask("POST", store + "/search", {"vector": [0] * 65537}).problem(413, "65537", "65536")
    daemon.ask("POST", store + "/search", {"vector": [1, 2, 3], "k": 10001}).problem(400, "'k' must be 1..10000, not 10001")
    daemon.ask("POST", store + "/vectors/get", {"ids": list(range(10001))}).problem(413, "10001")
    daemon.ask("POST", store + "/vectors/get", b'{"ids":[' + b"[]," * (1 << 20) + b"[]]}").problem(413, "1048576 values")
    daemon.ask("POST", store + "/search/batch", {"vectors": [[1, 2, 3]] * 101, "k": 10000}).problem(413, "101 queries")


def test_a_body_over_the_limit_is_refused(start):
    daemon = start("--dev", "--max_body=100000")
    daemon.good("POST", "/api/v1/stores", {"name": "s"})
    daemon.ask("POST", "/api/v1/stores/s/vectors", b" " * 100001).problem(413, "larger")
    assert daemon.good("GET", "/api/v1/stores/s/count") == {"count": 0}


@pytest.mark.parametrize("query,says", [("k=x", "'k' must be an integer"), ("k=", "'k'"), ("k", "'k'"), ("k=1&k=2", "twice"),
                                        ("k=%zz", "'k' is malformed"), ("x%FF=1", "argument"), ("a" * 100 + "=1", "too long"),
                                        ("metadata=2", "true or false"), ("radius=inf", "'radius'"), ("filter={", "malformed JSON")])
def test_a_bad_query_is_refused(daemon, docs, query, says):
    daemon.ask("POST", f"{docs}/search?{query}", {"vector": [1, 2, 3]}).problem(400, says)


def test_what_path_and_query_said_the_body_does_not_say_again(daemon, docs):
    daemon.ask("POST", docs + "/search?k=2", {"vector": [1, 2, 3], "k": 2}).problem(400, "'k' is given twice")
    daemon.ask("POST", docs + "/search", {"vector": [1, 2, 3], "store": "other"}).problem(400, "'store' is given twice")
    daemon.ask("POST", docs + "/search?k=2", b"\0" * 11, type=BYTES).problem(400, "11 bytes")
    daemon.ask("POST", docs + "/search?vector=[1,2,3]", bytes(12), type=BYTES)


def test_errors_can_be_read_by_programs(daemon, docs):
    body = daemon.ask("POST", docs + "/vectors", {"id": "a", "vector": [1, 2, 3]}).problem(409, "'a'")
    assert body["code"] == "EXISTS" and body["title"] == "already exists"
    assert daemon.ask("GET", "/api/v1/nothing").problem(404)["code"] == "NOT_FOUND"
    assert daemon.ask("PUT", docs).problem(405)["code"] == "INVALID"
