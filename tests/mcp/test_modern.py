"""test_modern.py - version 2026-07-28, which has no beginning: what each request must carry, what results carry, and headers that say it again."""
import json

import pytest
from mcp_peers import META, MODERN, PREFIX, Http, headers_of, modern

VERSIONS = ["2026-07-28", "2025-11-25", "2025-06-18"]
LIST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "list_stores", "arguments": {}}}


def without(key):
    return {k: v for k, v in META.items() if k != PREFIX + key}


def test_discover_tells_versions_and_abilities(modern_peer):
    result = modern_peer.result("server/discover")
    assert result["supportedVersions"] == VERSIONS
    assert "tools" in result["capabilities"] and "stores" in result["instructions"]
    assert result["ttlMs"] > 0 and result["cacheScope"] == "public"


def test_tools_are_those_of_the_legacy_versions_and_may_be_kept(peer, modern_peer):
    legacy, result = peer.result("tools/list"), modern_peer.result("tools/list")
    assert result["tools"] == legacy["tools"]
    assert result["ttlMs"] > 0 and result["cacheScope"] == "public"
    assert set(legacy) == {"tools"}


def test_tools_do_the_same(modern_peer, name):
    modern_peer.call("create_store", name=name, metric="euclidean")
    modern_peer.call("insert_vector", store=name, id="a", vector=[1, 2])
    found = modern_peer.call("search_vectors", store=name, vector=[1, 2], k=1)
    assert found["results"][0]["id"] == "a"
    assert modern_peer.fails("describe_store", store="no-such-store")[0] == "NOT_FOUND"


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe", "no/such/method"])
def test_methods_of_the_other_era_are_unknown(stdio, method):
    code, message, id = stdio().error(modern({**LIST, "method": method}))
    assert code == -32601 and method in message and id == 7


@pytest.mark.parametrize("meta, names", [
    (without("protocolVersion"), "protocolVersion"), (without("clientCapabilities"), "clientCapabilities"),
    ({**META, PREFIX + "protocolVersion": 5}, "protocolVersion"), ({**META, PREFIX + "clientCapabilities": []}, "clientCapabilities"),
    ({}, "protocolVersion"), (None, "protocolVersion"),
], ids=["no version", "no capabilities", "a number", "an array", "nothing", "no _meta"])
def test_a_request_that_lacks_what_each_must_carry_is_refused(daemon, stdio, meta, names):
    message = {"jsonrpc": "2.0", "id": 9, "method": "server/discover", "params": {} if meta is None else {"_meta": meta}}
    code, text, id = stdio().error(message)
    assert code == -32602 and names in text and id == 9
    reply = Http(daemon).ask(message, **headers_of(message))
    assert reply.status == 400 and reply.json["error"]["code"] == -32602 and reply.json["id"] == 9


def test_only_what_must_be_carried_is_asked_for(stdio):
    assert json.loads(stdio().exchange(json.dumps({**LIST, "params": {"_meta": without("clientInfo")}}).encode()))["result"]["tools"]


@pytest.mark.parametrize("version", ["v999.0.0", "2027-01-01", "", "2025-03-26", "x" * 300], ids=lambda value: value[:12])
def test_a_version_to_come_is_answered_with_ours(daemon, stdio, version):
    message = {**LIST, "params": {"_meta": {**META, PREFIX + "protocolVersion": version}}}
    error = json.loads(stdio().exchange(json.dumps(message).encode()))["error"]
    assert error["code"] == -32022 and error["data"] == {"supported": VERSIONS, "requested": version}
    reply = Http(daemon).ask(message, **{**headers_of(message), "MCP_Protocol_Version": version})
    assert reply.status == 400 and reply.json["error"]["data"] == {"supported": VERSIONS, "requested": version}


def test_both_eras_are_served_side_by_side(stdio):
    server = stdio()
    assert "resultType" not in server.result("tools/list")
    assert json.loads(server.exchange(json.dumps(modern(LIST)).encode()))["result"]["resultType"] == "complete"
    assert server.result("ping") == {}


# Headers

@pytest.fixture
def client(daemon):
    return Http(daemon, "read")


@pytest.mark.parametrize("headers", [
    {"MCP_Protocol_Version": None}, {"MCP_Protocol_Version": "2025-11-25"}, {"Mcp_Method": None}, {"Mcp_Method": "tools/list"},
    {"Mcp_Method": "TOOLS/CALL"}, {"Mcp_Method": ""}, {"Mcp_Name": None}, {"Mcp_Name": "drop_store"}, {"Mcp_Name": "LIST_STORES"},
    {"Mcp_Name": "=?base64?bGlzdF9zdG9yZXM?="}, {"Mcp_Name": "=?base64?!?="}, {"Mcp_Name": "=?base64??="}, {"Mcp_Name": "=?BASE64?bGlzdF9zdG9yZXM=?="},
    {"Mcp_Method": "=?base64?dG9vbHMvY2FsbA==?="}, {"MCP_Protocol_Version": "=?base64?MjAyNi0wNy0yOA==?="},
], ids=str)
def test_headers_that_do_not_say_what_the_message_says_are_a_mismatch(client, headers):
    message = modern(CALL)
    reply = client.ask(message, **{**headers_of(message), **headers})
    assert reply.status == 400 and reply.json["error"]["code"] == -32020 and reply.json["id"] == 7


@pytest.mark.parametrize("headers", [
    {"Mcp_Name": "  list_stores \t"}, {"Mcp_Method": " tools/call "}, {"Mcp_Name": "=?base64?bGlzdF9zdG9yZXM=?="}, {"Mcp_Name": None, "mcp_name": "list_stores"},
    {"MCP_Protocol_Version": MODERN + " "}, {"Mcp_Param_Other": "x"},
], ids=str)
def test_spelling_of_headers_is_free_where_http_says_so(client, headers):
    message = modern(CALL)
    assert client.ask(message, **{**headers_of(message), **headers}).status == 200


def test_a_name_that_no_header_can_hold_is_encoded(client):
    message = modern({**CALL, "params": {"name": "gr\u00f6\u00dfe\n", "arguments": {}}})
    reply = client.ask(message, **headers_of(message))
    assert reply.status == 200 and reply.json["error"]["code"] == -32602


def test_a_header_given_twice_is_refused(client):
    message = modern(CALL)
    reply = client.ask(message, **{**headers_of(message), "mcp_name": "list_stores"})
    assert reply.status == 400


@pytest.mark.parametrize("message, status, code", [
    ({**LIST, "method": "no/such/method"}, 404, -32601), ({**LIST, "method": "ping"}, 404, -32601), ({**LIST, "method": "initialize"}, 404, -32601),
    ({**CALL, "params": {"name": "no_such_tool"}}, 200, -32602),
])
def test_status_tells_what_a_client_must_know_before_it_reads(client, message, status, code):
    message = modern(message)
    reply = client.ask(message, **headers_of(message))
    assert reply.status == status and reply.json["error"]["code"] == code and reply.json["id"] == 7


@pytest.mark.parametrize("body, code", [(b"{", -32700), (b"[]", -32600), (b'{"jsonrpc":"2.0","id":null,"method":"x"}', -32600)])
def test_what_is_no_message_is_a_bad_request(client, body, code):
    reply = client.ask(body, MCP_Protocol_Version=MODERN)
    assert reply.status == 400 and reply.json["error"]["code"] == code


def test_a_notification_is_accepted(client):
    assert client.ask({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}, MCP_Protocol_Version=MODERN).status == 202
    assert client.ask(modern({"jsonrpc": "2.0", "method": "notifications/x"})).status == 202


def test_the_scope_that_is_missing_is_named(client):
    message = modern({**CALL, "params": {"name": "create_store", "arguments": {"name": "x"}}})
    reply = client.ask(message, **headers_of(message))
    assert reply.status == 403 and 'error="insufficient_scope", scope="write"' in reply.headers["WWW-Authenticate"]
