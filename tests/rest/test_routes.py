"""test_routes.py - each operation by its path, as users of HTTP know it."""
import base64
import struct

import pytest
from rest_server import BYTES, TABLE


def test_stores_are_created_described_renamed_and_dropped(daemon):
    reply = daemon.ask("POST", "/api/v1/stores", {"name": "shelf", "dim": 3})
    assert reply.status == 201 and reply.headers["Location"] == "/api/v1/stores/shelf"
    assert daemon.good("GET", reply.headers["Location"]) == reply.json
    assert "shelf" in [store["name"] for store in daemon.good("GET", "/api/v1/stores")["stores"]]
    assert daemon.good("POST", "/api/v1/stores/shelf/rename", {"new_name": "rack"}) == {"name": "rack"}
    daemon.ask("GET", "/api/v1/stores/shelf").problem(404, "'shelf'")
    assert daemon.good("DELETE", "/api/v1/stores/rack") == {"dropped": "rack"}
    daemon.ask("DELETE", "/api/v1/stores/rack").problem(404, "'rack'")


def test_a_store_of_a_custom_metric_does_all_but_search(daemon):
    created = daemon.good("POST", "/api/v1/stores", {"name": "own", "metric": "custom", "metric_name": "weighted"})
    here = "/api/v1/stores/own"
    assert (created["metric"], created["metric_name"]) == ("custom", "weighted")
    assert created in daemon.good("GET", "/api/v1/stores")["stores"]
    daemon.good("POST", here + "/vectors", {"id": 1, "vector": [1, 2], "metadata": {"n": 1}})
    assert daemon.good("GET", here + "/vectors/1")["vector"] == [1, 2]
    assert daemon.good("GET", here + '/count?filter={"n":1}') == {"count": 1}
    daemon.ask("POST", here + "/search", {"vector": [1, 2]}).problem(501, "'weighted'")
    daemon.ask("POST", here + "/index/build", {}).problem(501, "'weighted'")
    daemon.ask("POST", "/api/v1/stores", {"name": "other", "metric": "custom"}).problem(400, "metric_name")
    daemon.ask("POST", "/api/v1/stores", {"name": "other", "metric_name": "weighted"}).problem(400, "cosine")
    assert daemon.good("DELETE", here) == {"dropped": "own"}


@pytest.mark.parametrize("dtype, given, kept, bad", [
    ("f16", [0.1, 1, 3], [0.099975586, 1, 3], [1, 2, 1e5]), ("i8", [-128, 0, 127], [-128, 0, 127], [1, 2, 0.5]),
    ("bit", [1, 0, 1], [1, 0, 1], [1, 0, 2])])
def test_elements_are_kept_as_the_store_says(daemon, dtype, given, kept, bad):
    stores, here = "/api/v1/stores", f"/api/v1/stores/of-{dtype}"
    made = daemon.ask("POST", stores, {"name": f"of-{dtype}", "dtype": dtype, "metric": "hamming"}).json
    assert (made["dtype"], made["metric"]) == (dtype, "hamming") and daemon.good("GET", here)["dtype"] == dtype
    daemon.good("POST", here + "/vectors", {"id": 1, "vector": given})
    assert daemon.good("GET", here + "/vectors/1")["vector"] == kept
    daemon.ask("POST", here + "/vectors", {"id": 2, "vector": bad}).problem(400, f"element 2 of the vector is {bad[2]:g}, but {dtype}")
    assert daemon.good("POST", here + "/search", {"vector": given})["results"][0]["distance"] == 0


def test_records_are_inserted_replaced_updated_fetched_and_deleted(daemon, store):
    reply = daemon.ask("POST", store + "/vectors", {"id": "a b", "vector": [1, 2, 3], "metadata": {"n": 1}})
    assert reply.status == 201 and reply.headers["Location"] == store + "/vectors/a%20b"
    here = reply.headers["Location"]
    assert daemon.good("GET", here) == {"id": "a b", "version": 1, "vector": [1, 2, 3], "metadata": {"n": 1}}
    daemon.ask("POST", store + "/vectors", {"id": "a b", "vector": [1, 2, 3]}).problem(409, "'a b'")
    assert daemon.good("PUT", here, {"vector": [4, 5, 6]}) == {"id": "a b", "version": 2}
    assert daemon.good("PATCH", here, {"metadata": {"n": 2}, "if_version": 2})["version"] == 3
    assert daemon.good("GET", here + "?vectors=false") == {"id": "a b", "version": 3, "metadata": {"n": 2}}
    daemon.ask("PATCH", here, {"metadata": {}, "if_version": 2}).problem(412, "version 3, not 2")
    daemon.ask("DELETE", here + "?if_version=2").problem(412, "version 3, not 2")
    assert daemon.good("DELETE", here + "?if_version=3") == {"id": "a b"}
    daemon.ask("GET", here).problem(404, "'a b'")


def test_records_are_fetched_counted_and_deleted_by_the_list(daemon, docs):
    assert daemon.good("GET", docs + "/count") == {"count": 3}
    got = daemon.good("POST", docs + "/vectors/get", {"ids": ["c", "zz", "a"], "vectors": False})
    assert [record["id"] for record in got["records"]] == ["c", "a"] and got["missing"] == ["zz"]
    assert daemon.good("POST", docs + "/vectors/delete", {"ids": ["a", "zz"]}) == {"deleted": 1, "missing": ["zz"]}
    assert daemon.good("GET", docs + "/stats")["records"] == 2


def test_metadata_comes_back_as_it_was_written(daemon, store):
    daemon.good("POST", store + "/vectors", b'{"id":1,"vector":[1,2,3],"metadata":{"price":0.10,"n":1.50E+2}}')
    assert b'{"price":0.10,"n":1.50E+2}' in daemon.ask("GET", store + "/vectors/1").body


@pytest.mark.parametrize("query", ["", "?k=2", "?k=2&metadata=false"])
def test_a_vector_to_search_for_comes_in_three_spellings(daemon, docs, query):
    packed = struct.pack("<3f", 1, 2, 3.25)
    as_numbers = daemon.good("POST", docs + "/search" + query, {"vector": [1, 2, 3.25]})
    assert [hit["id"] for hit in as_numbers["results"]][:2] == ["a", "b"] and as_numbers["complete"]
    assert ("metadata" in as_numbers["results"][0]) == ("metadata" not in query)
    assert daemon.good("POST", docs + "/search" + query, {"vector": base64.b64encode(packed).decode()}) == as_numbers
    assert daemon.good("POST", docs + "/search" + query, packed, type=BYTES) == as_numbers


def test_a_search_within_a_radius_says_when_there_are_more(daemon, docs):
    near = daemon.good("POST", docs + "/search?radius=2", {"vector": [1, 2, 3]})
    assert [hit["id"] for hit in near["results"]] == ["a", "b"] and near["complete"]
    one = daemon.good("POST", docs + "/search?radius=2&k=1", {"vector": [1, 2, 3]})
    assert len(one["results"]) == 1 and not one["complete"] and one["stop"] == "limit"


def test_changes_sync_and_verify(daemon, docs):
    changes = daemon.good("GET", docs + "/changes?after=1&limit=1")
    assert [(change["kind"], change["id"]) for change in changes["changes"]] == [("put", "b")] and changes["last"] == 2
    name = docs.rsplit("/", 1)[1]
    assert daemon.good("POST", docs + "/sync") == {"synced": name}
    assert daemon.good("POST", "/api/v1/verify", {"store": name})["problems"] == 0


def test_ids_are_integers_or_text_in_a_path_as_elsewhere(daemon, store):
    daemon.good("PUT", store + "/vectors/-7", {"vector": [1, 2, 3]})
    assert daemon.good("GET", store)["id_type"] == "integer"
    assert daemon.good("GET", store + "/vectors/-7")["id"] == -7
    daemon.ask("GET", store + "/vectors/007").problem(400, "'007'")


def test_head_is_get_without_the_body(daemon, docs):
    whole, head = daemon.ask("GET", docs + "/stats"), daemon.ask("HEAD", docs + "/stats")
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == str(len(whole.body))
    assert daemon.ask("HEAD", docs + "x/stats").status == 404


def test_a_slash_at_the_end_means_nothing(daemon, docs):
    assert daemon.good("GET", docs + "/") == daemon.good("GET", docs)
    assert daemon.good("GET", docs + "/vectors/a/") == daemon.good("GET", docs + "/vectors/a")
    daemon.ask("GET", docs + "//").problem(404)


@pytest.mark.parametrize("path", sorted({o["path"] for o in TABLE}))
def test_a_path_tells_its_methods(daemon, path):
    methods = {o["method"] for o in TABLE if o["path"] == path}
    target = path.replace("{name}", "none").replace("{id}", "1").replace("{client_id}", "none")
    options = daemon.ask("OPTIONS", target)
    assert options.status == 204 and options.body == b""
    allowed = set(options.headers["Allow"].split(", "))
    assert methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()) <= allowed
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "BREW"} - allowed:
        refused = daemon.ask(method, target)
        refused.problem(405)
        assert refused.headers["Allow"] == options.headers["Allow"]
