"""test_resources.py - stores and records as resources: what is listed, what a URI leads to, who may read it, in every version of the protocol."""
import json
import re
import random
import struct
from urllib.parse import quote

import pytest
from mcp_peers import Http, headers_of, modern

INVALID_PARAMS, NOT_FOUND, DENIED = -32602, -32002, -31003
NASTY = ["a/b", "..", ".", "a b", "%", "%2F", "é", "日本", "?x=1#y", "a&b=c;d", "{id}", "\"", "\\", "007", "-0", "+1", "1.0", "1e3", "\x7f", "~", "x" * 512,
         "99999999999999999999", "\U0001f600" * 128, "\u0001"]


def uri_of(store, id=None):
    dotted = id in (".", "..")
    part = "" if id is None else "/records/" + (quote(str(id), safe="") if not dotted else id.replace(".", "%2E"))
    return f"evdb://stores/{store}{part}"


def read(peer, uri):
    """What a resource says; there is one content, and it says whose it is."""
    result = peer.result("resources/read", {"uri": uri})
    (content,) = result["contents"]
    assert set(content) == {"uri", "mimeType", "text"} and content["uri"] == uri and content["mimeType"] == "application/json"
    if peer.modern:
        assert result["ttlMs"] == 0 and result["cacheScope"] == "private"
    else:
        assert set(result) == {"contents"}
    return json.loads(content["text"])


def missing(peer, uri):
    """The message of a URI that leads nowhere; the code is that of the version."""
    code, message, data = peer.refuses("resources/read", {"uri": uri})
    assert code == (INVALID_PARAMS if peer.modern else NOT_FOUND) and data == {"uri": uri}
    return message


def listed(peer):
    """All pages of the list."""
    found, params = [], {}
    while True:
        result = peer.result("resources/list", params)
        found += result["resources"]
        if "nextCursor" not in result:
            return found
        params = {"cursor": result["nextCursor"]}


def test_what_can_be_done_is_told(each_peer):
    if each_peer.modern:
        capabilities = each_peer.result("server/discover")["capabilities"]
    else:
        capabilities = each_peer.result("initialize", {"protocolVersion": each_peer.version, "capabilities": {}})["capabilities"]
    assert {"tools", "resources", "prompts", "completions"} <= set(capabilities)


def test_a_store_is_listed_and_read(each_peer, name):
    each_peer.call("create_store", name=name, metric="euclidean")
    entry = {r["name"]: r for r in listed(each_peer)}[name]
    assert entry == {"uri": uri_of(name), "name": name, "title": f"Store {name}", "description": "No vectors yet; metric euclidean.",
                     "mimeType": "application/json"}
    each_peer.call("insert_vector", store=name, id=1, vector=[1, 2, 3])
    assert {r["name"]: r for r in listed(each_peer)}[name]["description"] == "Vectors of 3 elements, f32; metric euclidean."
    assert read(each_peer, entry["uri"]) == each_peer.call("describe_store", store=name)


def test_templates_lead_to_stores_and_records(each_peer, name):
    result = each_peer.result("resources/templates/list")
    templates = {t["name"]: t for t in result["resourceTemplates"]}
    assert {t["uriTemplate"] for t in templates.values()} == {"evdb://stores/{name}", "evdb://stores/{name}/records/{id}"}
    for template in templates.values():
        assert set(template) == {"uriTemplate", "name", "title", "description", "mimeType"}
    if each_peer.modern:
        assert result["ttlMs"] > 0 and result["cacheScope"] == "public"
    each_peer.call("create_store", name=name)
    each_peer.call("insert_vector", store=name, id="a", vector=[1, 2], metadata={"n": 1})
    uri = templates["record"]["uriTemplate"].replace("{name}", name).replace("{id}", "a")
    assert read(each_peer, uri) == each_peer.call("get_records", store=name, ids=["a"])["records"][0]


def test_ids_of_any_spelling_lead_to_their_record(each_peer, name):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    ids = [*NASTY, *("".join(chr(chance.choice([chance.randrange(1, 128), chance.randrange(160, 0xd800)])) for _ in range(chance.randrange(1, 60)))
                     for _ in range(20))]
    each_peer.call("create_store", name=name)
    each_peer.call("write_batch", store=name, mode="upsert", records=[{"id": id, "vector": [1, i]} for i, id in enumerate(ids)])
    for id in ids:
        assert read(each_peer, uri_of(name, id))["id"] == id


def test_an_integer_is_its_text_where_ids_are_strings_and_a_number_where_they_are_integers(each_peer, name):
    for kind, id in ("string", "42"), ("integer", 42):
        store = f"{name}-{kind}"
        each_peer.call("create_store", name=store, id_type=kind)
        each_peer.call("insert_vector", store=store, id=id, vector=[1, 2])
        assert read(each_peer, uri_of(store, 42))["id"] == id
        missing(each_peer, uri_of(store, "042"))


def test_a_long_vector_arrives_bit_for_bit(each_peer, name):
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    vector = [chance.uniform(-1, 1) * 10 ** chance.randint(-30, 30) for _ in range(4096)]
    each_peer.call("create_store", name=name)
    each_peer.call("insert_vector", store=name, id="long", vector=vector)
    assert struct.pack("<4096f", *read(each_peer, uri_of(name, "long"))["vector"]) == struct.pack("<4096f", *vector)


@pytest.mark.parametrize("tail", [
    "none", "none/records/1", "STORE/records/9", "STORE/records/", "STORE/", "STORE/records", "STORE/records/1/", "STORE/records/1/2", "", "/", "//records/1",
    "..", "../STORE", "STORE/..", "STORE/../STORE", "STORE/records/..", "STORE/records/../../other", "STORE/records/%2E%2E", "%2e%2e", "..%2fetc%2fpasswd",
    "STORE%00", "STORE/records/%00", "STORE/records/1%", "STORE/records/%4", "STORE/records/%zz", "STORE/records/%ff%fe", "STORE/records/a b", "STORE/records/é",
    "STORE?x", "STORE#y", "STORE/records/1?x=2", "STORE/records/" + "x" * 513, "STORE/records/" + "%41" * 600, "x" * 100, "STORE/vectors/1", "UPPER", "a%20b",
    "STORE/records/" + "y" * 100000,
])
def test_what_is_no_resource_is_told_with_its_uri(each_peer, name, tail):
    each_peer.call("create_store", name=name)
    each_peer.call("insert_vector", store=name, id=1, vector=[1, 2])
    head_is_too_large = each_peer.modern and isinstance(each_peer, Http) and len(tail) > 10000  # the URI stands there, too
    if not head_is_too_large:
        missing(each_peer, "evdb://stores/" + tail.replace("STORE", name))
    assert read(each_peer, uri_of(name, 1))["id"] == 1


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "evdb:stores/x", "EVDB://stores/x", "http://stores/x", "evdb://backups/x", "evdb://stores", "", "x", "evdb://"])
def test_other_schemes_and_places_are_no_resources(each_peer, uri):
    if uri or not (each_peer.modern and isinstance(each_peer, Http)):  # an empty header is none
        missing(each_peer, uri)


@pytest.mark.parametrize("params", [None, {}, {"uri": 5}, {"uri": None}, {"uri": [1.0, 2.0, 3.0, 4.0, 5.0]}, {"uri": {}}, {"url": "evdb://stores/x"}], ids=str)
def test_reading_needs_a_uri(stdio, params):
    code, message, data = stdio().refuses("resources/read", params)
    assert code == INVALID_PARAMS and "'params.uri'" in message and data is None


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "Pg", "not base64!", "PmE=", "PmE\n", 5, [], {}, True, "Pg" * 5000, "Pj4", "AD5h"], ids=lambda c: repr(c)[:20])
@pytest.mark.parametrize("method", ["resources/list", "resources/templates/list", "prompts/list", "tools/list"])
def test_a_cursor_that_nobody_gave_is_refused(stdio, method, cursor):
    if (method, cursor) == ("resources/list", "Pj4"):
        return  # behind the name '>': a place like any other
    code, message, _ = stdio().refuses(method, {"cursor": cursor})
    assert code == INVALID_PARAMS and "cursor" in message


def test_a_long_list_comes_in_pages(stdio):
    peer = stdio()
    names = sorted(f"s{i}" for i in range(205))
    for store in names:
        peer.call("create_store", name=store)
    first = peer.result("resources/list")
    assert [r["name"] for r in first["resources"]] == names[:100]
    peer.call("drop_store", store=names[99])  # a cursor holds good without the store that it names
    second = peer.result("resources/list", {"cursor": first["nextCursor"]})
    assert [r["name"] for r in second["resources"]] == names[100:200]
    third = peer.result("resources/list", {"cursor": second["nextCursor"]})
    assert [r["name"] for r in third["resources"]] == names[200:] and "nextCursor" not in third
    for store in names[101:]:
        peer.call("drop_store", store=store)
    assert len(peer.result("resources/list")["resources"]) == 100 and "nextCursor" not in peer.result("resources/list")


@pytest.fixture
def team(daemon):
    """A client that may read the stores whose names begin with team-, and one that may do everything."""
    admin = Http(daemon)
    for store in "team-a", "team-b", "other":
        admin.call("create_store", name=store)
        admin.call("insert_vector", store=store, id="alpha", vector=[1, 2])
    name = "team-reader"
    server = daemon.server
    client = server.request("POST", "/api/v1/clients", {"client_id": name, "scopes": ["read:team-*"]}, admin.token)
    secret = json.loads(client.body)["client_secret"]
    reader = Http(daemon)
    reader.token = server.token(name, secret)
    yield reader
    server.request("DELETE", f"/api/v1/clients/{name}", token=admin.token)
    for store in "team-a", "team-b", "other":
        admin.call("drop_store", store=store)


def test_a_client_of_some_stores_sees_these_alone(team):
    assert [r["name"] for r in listed(team)] == ["team-a", "team-b"]
    assert read(team, "evdb://stores/team-a")["name"] == "team-a"
    assert read(team, "evdb://stores/team-b/records/alpha")["id"] == "alpha"
    for store, path in ("other", ""), ("other", "/records/alpha"), ("other", "/records/none"), ("none", ""):
        uri = f"evdb://stores/{store}{path}"
        reply = team.ask({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": uri}})
        assert reply.status == 403 and reply.json["error"]["code"] == DENIED
        assert 'error="insufficient_scope"' in reply.headers["WWW-Authenticate"] and f'scope="read:{store}"' in reply.headers["WWW-Authenticate"]


def test_a_client_of_some_stores_is_told_the_scopes_that_it_can_have(team):
    def needed(tool, /, **arguments):
        reply = team.ask({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
        scopes = re.search('scope="([^"]*)"', reply.headers["WWW-Authenticate"])[1]
        assert reply.status == 403 and f"'{scopes}'" in reply.json["error"]["message"]
        return scopes
    assert needed("insert_vector", store="team-a", id=1, vector=[1, 2]) == "write:team-a"
    assert needed("rename_store", store="team-a", new_name="mine") == "write:team-a write:mine"  # all that the call needs, at once
    assert needed("search_vectors", store="other", vector=[1, 2]) == "read:other"
    assert needed("backup_store", store="team-a", backup="x") == "admin"  # which is for all stores
    for no_name in "team-*", 'a" b', "a b", "A", "a" * 65, "\u00e4", "", ["team-a"], 1, None:
        assert needed("insert_vector", store=no_name, id=1, vector=[1, 2]) == "write"


def test_a_subscription_that_is_refused_names_all_that_it_needs(team):
    def needed(*stores):
        message = modern({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
                          "params": {"notifications": {"resourceSubscriptions": [f"evdb://stores/{store}" for store in stores]}}})
        reply = team.ask(message, **headers_of(message))
        assert reply.status == 403 and reply.json["error"]["code"] == DENIED
        return re.search('scope="([^"]*)"', reply.headers["WWW-Authenticate"])[1]
    assert needed("team-a", "other", "none", "other/records/1", "..", "team-b", "oth") == "read:other read:none read:oth"
    many = [f"{i}" + "x" * 60 for i in range(50)]
    assert needed(*many) == " ".join(f"read:{store}" for store in many[:2])  # as many as a header has room for


def test_a_scope_that_was_named_lets_the_call_through(daemon):
    admin, name = Http(daemon), "stepping-up"
    admin.call("create_store", name="step")
    secret = json.loads(daemon.server.request("POST", "/api/v1/clients", {"client_id": name, "scopes": ["write"]}, admin.token).body)["client_secret"]
    client, message = Http(daemon), {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "drop_store", "arguments": {"store": "step"}}}
    client.token = daemon.server.token(name, secret, "read:step")
    scopes = re.search('scope="([^"]*)"', client.ask(message).headers["WWW-Authenticate"])[1]
    client.token = daemon.server.token(name, secret, f"read:step {scopes}")
    assert client.ask(message).json["result"]["isError"] is False
    daemon.server.request("DELETE", f"/api/v1/clients/{name}", token=admin.token)


def test_a_client_of_some_stores_completes_and_is_told_of_these_alone(team):
    def complete(ref, argument, value, /, **known):
        return team.result("completion/complete", {"ref": ref, "argument": {"name": argument, "value": value},
                                                   "context": {"arguments": known}})["completion"]["values"]
    record = {"type": "ref/resource", "uri": "evdb://stores/{name}/records/{id}"}
    assert complete(record, "name", "") == ["team-a", "team-b"] and complete(record, "name", "o") == []
    assert complete({"type": "ref/prompt", "name": "recall"}, "store", "") == ["team-a", "team-b"]
    assert complete(record, "id", "a", name="team-a") == ["alpha"]
    assert complete(record, "id", "a", name="other") == [] == complete(record, "id", "a", name="none")
    assert complete(record, "id", "a", name="team-a", store="other") == []
    def messages(store):
        return team.result("prompts/get", {"name": "recall", "arguments": {"store": store}})["messages"]
    assert len(messages("team-a")) == 2
    assert len(messages("other")) == len(messages("none")) == 1
    assert "There is no store" not in messages("none")[0]["content"]["text"] + messages("other")[0]["content"]["text"]
