"""test_malformed.py - what is wrong with a message is told in the words of JSON-RPC, over both transports and in both eras; nothing of it
is done, and the next message is answered as if nothing had been."""
import json
import os
import random

import pytest
from mcp_peers import META, MODERN, PREFIX, Http, Stdio, headers_of, modern

MIB = 1 << 20
PARSE_ERROR, INVALID_REQUEST, UNKNOWN_METHOD, INVALID_PARAMS, TOO_LONG = -32700, -32600, -32601, -32602, -31013
SEED = int(os.environ.get("EVDB_SEED") or random.SystemRandom().randrange(2**32))


class Raw:
    """Sends any bytes as a message, and finds out what is answered to them."""

    def __init__(self, peer, era):
        self.peer, self.modern = peer, era == "modern"
        self.headers = {"MCP_Protocol_Version": MODERN} if self.modern else {}
        self.over_http = isinstance(peer, Http)

    def message(self, message):
        return modern(message) if self.modern else message

    def replies(self, text, **headers):
        """All that is answered: none or one."""
        if self.over_http:
            reply = self.peer.ask(text, **{**self.headers, **headers})
            if reply.status == 202:
                assert reply.body == b""
                return []
            replies = [reply.json]
            assert reply.status in ((200, 400, 403, 404) if "error" in replies[0] else (200,)), reply.status
        else:
            self.peer.send(text.replace(b"\n", b" "))
            self.peer.send(b'{"jsonrpc":"2.0","id":"the next","method":"tools/list"}')
            replies = [json.loads(self.peer.receive())]
            while replies[-1].get("id") != "the next":
                replies.append(json.loads(self.peer.receive()))
            assert "tools" in replies.pop()["result"]
        for reply in replies:
            assert reply["jsonrpc"] == "2.0" and set(reply) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"})
            if "error" in reply:
                assert isinstance(reply["error"]["code"], int) and isinstance(reply["error"]["message"], str)
        assert len(replies) <= 1
        return replies

    def error(self, message):
        """Code, text and id of the error that this is answered with."""
        headers = {}
        if self.over_http and self.modern and isinstance(message, dict) and isinstance(message.get("method"), str):
            headers = headers_of(message)
        text = message if isinstance(message, bytes) else json.dumps(message).encode()
        reply, = self.replies(text, **headers)
        assert "error" in reply, reply
        return reply["error"]["code"], reply["error"]["message"], reply["id"]


@pytest.fixture(scope="module")
def piped(tmp_path_factory):
    server = Stdio(tmp_path_factory.mktemp("piped"), "--scope", "admin")
    yield server
    server.stop()


@pytest.fixture(params=["stdio", "http"])
def transport(request):
    return request.param


@pytest.fixture(params=["legacy", "modern"])
def raw(request, transport):
    """One server of each kind for all tests: each must leave it as it was."""
    peer = request.getfixturevalue("piped") if transport == "stdio" else Http(request.getfixturevalue("daemon"))
    raw = Raw(peer, request.param)
    yield raw
    assert raw.peer.result("tools/list")["tools"]


def ping(id=b"1", more=b""):
    return b'{"jsonrpc":"2.0","id":' + id + b',"method":"tools/list"' + more + b"}"


@pytest.mark.parametrize("text", [
    b"{", b"}", b"{}}", ping() + b",", ping() + ping(), ping()[:-1], ping()[:30], b"nonsense", b"'{}'", b"\xef\xbb\xbf" + ping(), b"/* */" + ping(),
    b"{jsonrpc:2.0}", b'{"jsonrpc":"2.0",}', b"[1,]", b"[", b"[" * 100000, b'{"a":' * 100000, b'{"a":[' * 3000, b'"', b'"\\', b'"\\x"', b"+1", b"01", b"1.", b".5",
    ping(b"NaN"), ping(b"Infinity"), ping(b"-Infinity"), ping(b"0x1"), ping(b"1e999"), ping(b"-"), ping(b"9223372036854775808"), ping(b"-9223372036854775809"),
    ping(b"1" * 400), ping(b"True"), ping(b"nul"), ping(b""),
], ids=lambda text: repr(text[:24]))
def test_what_is_no_json_is_a_parse_error(raw, text):
    code, message, id = raw.error(text)
    assert code == PARSE_ERROR and "JSON" in message and id is None


@pytest.mark.parametrize("bad", [
    b"\xff", b"\xfe\xff", b"\x80", b"\xc3", b"\xc0\x80", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\x00",
    b"\x01", b"\x1f", b"\\ud800", b"\\udc00", b"\\udc00\\ud800", b"\\ud800\\u0041", b"\\ud8", b"\\u0000", b"\\uzzzz", b"\\U0041",
], ids=repr)
@pytest.mark.parametrize("where", [
    b'{"jsonrpc":"2.0","id":"%s","method":"tools/list"}', b'{"jsonrpc":"2.0","id":1,"method":"%s"}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s"}}', b'{"jsonrpc":"2.0","id":1,"method":"tools/list","%s":1}',
], ids=["id", "method", "name", "member"])
def test_text_that_is_no_unicode_is_a_parse_error(raw, where, bad):
    code, _, id = raw.error(where.replace(b"%s", b"a" + bad + b"z"))
    assert code == PARSE_ERROR and id is None


@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80", b"\x00", b"\x01", b"\\ud800", b"\\u0000"], ids=repr)
def test_metadata_that_is_no_unicode_is_told_to_the_model(raw, bad, name):
    raw.peer.call("create_store", name=name)
    text = json.dumps(raw.message({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "insert_vector", "arguments": {
        "store": name, "id": 1, "vector": [1], "metadata": {"title": "%s"}}}})).encode().replace(b"%s", b"a" + bad + b"z")
    reply, = raw.replies(text, **({"Mcp_Method": "tools/call", "Mcp_Name": "insert_vector"} if raw.modern and raw.over_http else {}))
    if "error" in reply:
        assert reply["error"]["code"] == PARSE_ERROR and reply["id"] is None
    else:
        assert reply["result"]["isError"] is True and "metadata" in reply["result"]["content"][0]["text"]
    assert raw.peer.call("count_records", store=name) == {"count": 0}


@pytest.mark.parametrize("twice", [
    b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}', b'{"jsonrpc":"2.0","id":1,"id":1,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"tools/list"}', b'{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_stores"},"params":{"name":"verify"}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_stores","name":"verify"}}',
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count_records","arguments":{"store":"a","store":"b"}}}',
], ids=lambda text: repr(text[15:60]))
def test_a_member_that_is_there_twice_is_a_parse_error(raw, twice):
    code, message, id = raw.error(twice)
    assert code == PARSE_ERROR and "duplicate" in message and id is None


@pytest.mark.parametrize("id", [b"null", b"1.5", b"1.0", b"1e3", b"0.0", b"-0.0", b"{}", b"[]", b"[1]", b'{"a":1}', b"true", b"false", b"[" + b"1," * 50 + b"1]"])
@pytest.mark.parametrize("method", ["tools/list", "tools/call", "no/such/method", "notifications/cancelled"])
def test_an_id_is_a_string_or_an_integer(raw, id, method):
    code, message, got = raw.error(b'{"jsonrpc":"2.0","id":%s,"method":"%s"}' % (id, method.encode()))
    assert code == INVALID_REQUEST and "'id'" in message and got is None


@pytest.mark.parametrize("id", [0, -1, 2**53 + 1, 2**63 - 1, -2**63, "", " ", "null", "1", "\u20ac\U0001f600", "x" * 100000, '"\\/\b\f\n\r\t\x7f\u2028'], ids=lambda id: repr(id)[:24])
def test_an_id_that_is_one_comes_back_bit_for_bit(raw, id):
    message = raw.message({"jsonrpc": "2.0", "id": id, "method": "no/such/method"})
    assert raw.error(message) == (UNKNOWN_METHOD, "there is no method 'no/such/method'", id)


def call(tool, **arguments):
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def test_nothing_of_a_batch_is_done(raw, name):
    create = raw.message(call("create_store", name=name))
    for batch in [], [create], [create, create], [[create]], [1, create], [None], [create, {"jsonrpc": "2.0", "method": "notifications/initialized"}]:
        code, message, id = raw.error(batch)
        assert code == INVALID_REQUEST and "batch" in message and id is None
    assert raw.peer.fails("describe_store", store=name)[0] == "NOT_FOUND"


@pytest.mark.parametrize("tool", ["", " ", "insert", "insert_vector ", "Insert_Vector", "insert_vector/", "load_vectors", "register_client", "get_record", "evdb/insert_vector", "../verify",
                                  "\u0438\u043d", "x" * 500, "a\tb", '"'], ids=lambda name: repr(name)[:24])
def test_an_unknown_tool_is_named(raw, tool):
    code, message, id = raw.error(raw.message(call(tool, store="s", id=1, vector=[1])))
    assert code == INVALID_PARAMS and f"'{tool[:100]}" in message and id == 1


@pytest.mark.parametrize("levels", [40, 125, 127, 2000, 100000])
def test_depth_has_an_end_and_a_message(raw, levels, name):
    """Wherever it is deep: in what a tool takes, in what is ignored, and where nothing should be."""
    raw.peer.call("create_store", name=name)
    deep = b"[" * levels + b"]" * levels
    objects = b'{"a":' * levels + b"1" + b"}" * levels
    for inside in (b'"name":"insert_vector","arguments":{"store":"%s","id":1,"vector":%s}', b'"name":"insert_vector","arguments":{"store":"%s","id":1,"vector":[1],"metadata":{"a":%s}}',
                   b'"name":"search_vectors","arguments":{"store":"%s","vector":[1],"filter":{"a":%s}}', b'"name":"count_records","other":"%s","arguments":%s', b'"name":"%s","_meta":{"deep":%s}'):
        for value in deep, objects:
            text = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{' + inside.replace(b"%s", name.encode(), 1).replace(b"%s", value, 1) + b"}}"
            reply, = raw.replies(text)
            if "error" in reply:
                assert reply["error"]["code"] in (PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS, -32020)
            else:  # a message, or a record with deep metadata, which may be there
                assert reply["result"]["isError"] or levels <= 63
    raw.peer.call("drop_store", store=name)


# 33 MiB

@pytest.mark.parametrize("what", ["a string", "a vector", "metadata", "ids"])
def test_arguments_of_33_mib_are_refused_before_they_are_read(raw, what, name):
    raw.peer.call("create_store", name=name)
    large = {"a string": {"store": "s" * 33 * MIB, "id": 1, "vector": [1]}, "a vector": {"store": name, "id": 1, "vector": "@"},
             "metadata": {"store": name, "id": 1, "vector": [1], "metadata": {"a": "b" * 33 * MIB}}, "ids": {"store": name, "ids": "@"}}[what]
    message = raw.message(call("delete_records" if what == "ids" else "insert_vector", **large))
    text = json.dumps(message).encode().replace(b'"@"', b"[" + b"1," * (17 * MIB) + b"1]")
    assert len(text) > 33 * MIB
    if raw.over_http:
        assert raw.peer.ask(text, **headers_of(message)).status == 413
    else:
        raw.peer.send(text)
        reply = json.loads(raw.peer.receive())
        assert reply["error"]["code"] == TOO_LONG and "32 MiB" in reply["error"]["message"] and reply["id"] is None
    assert raw.peer.call("count_records", store=name) == {"count": 0}


def test_arguments_of_31_mib_are_looked_at(raw, name):
    raw.peer.call("create_store", name=name)
    message = raw.message(call("insert_vector", store=name, id=1, vector=[1], metadata={"a": "b" * 31 * MIB}))
    reply, = raw.replies(json.dumps(message).encode(), **(headers_of(message) if raw.modern and raw.over_http else {}))
    assert reply["result"]["isError"] is True and reply["result"]["_meta"]["evdb/status"] in ("LIMIT", "INVALID")
    assert "metadata" in reply["result"]["content"][0]["text"]


# Headers that say something else

@pytest.mark.parametrize("headers", [
    {"Mcp_Name": "describe_store"}, {"Mcp_Name": None}, {"Mcp_Method": "tools/list"}, {"Mcp_Method": None}, {"MCP_Protocol_Version": "2025-11-25"},
    {"MCP_Protocol_Version": "2025-06-18"}, {"MCP_Protocol_Version": None}, {"Mcp_Name": "create_store, create_store"}, {"Mcp_Name": '"create_store"'},
    {"Mcp_Name": "create_store\x0b"}, {"Mcp_Name": "create_store" * 200}, {"Mcp_Name": "=?base64?" + "A" * 4000 + "?="}, {"Mcp_Name": "=?base64?Y3JlYXRlX3N0b3Jl"},
], ids=lambda value: str(value)[:50])
def test_nothing_is_done_when_the_headers_say_something_else(daemon, name, headers):
    client, message = Http(daemon), modern(call("create_store", name=name))
    reply = client.ask(message, **{**headers_of(message), **headers})
    assert reply.status == 400 and reply.json["error"]["code"] == -32020 and reply.json["id"] == 1
    assert client.fails("describe_store", store=name)[0] == "NOT_FOUND"


@pytest.mark.parametrize("version", ["2025-11-25", "2025-06-18", None])
def test_a_message_of_the_legacy_era_needs_no_headers_and_they_harm_it_not(daemon, version):
    reply = Http(daemon).ask(call("list_stores"), MCP_Protocol_Version=version, Mcp_Method="something/else", Mcp_Name="something")
    assert reply.status == 200 and reply.json["result"]["isError"] is False


# Anything at all

MESSAGES = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}},
            {"jsonrpc": "2.0", "id": "s", "method": "tools/list", "params": {"cursor": None}}, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
            call("create_store", name="m", metric="euclidean"), call("insert_vector", store="m", id="\u20ac", vector=[0.5, -1e-3], metadata={"a": [1, {"b": None}]}),
            call("search_vectors", store="m", vector=[1, 2], k=3, filter={"a": {"$gt": 1}}), call("write_batch", store="m", records=[{"id": 1, "vector": [1, 2]}]),
            {"jsonrpc": "2.0", "id": 5, "result": {}}, {"jsonrpc": "2.0", "id": 2, "method": "server/discover", "params": {"_meta": META}},
            {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"_meta": {**META, PREFIX + "protocolVersion": "2030-01-01"}}}]
PIECES = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"1e400", b"\\u0000", b"\\ud800", b"\xff", b"\x00", b'"id":{}', b'"params":[]', b'"method":1', b"9" * 30, b"[" * 200, b'"_meta":{"', b" " * 50]


def changed(chance, text):
    """The text with a few changes."""
    for _ in range(chance.randrange(1, 4)):
        at, length = chance.randrange(len(text) + 1), chance.randrange(1, 12)
        text = chance.choice([lambda: text[:at] + text[at + length:], lambda: text[:at] + chance.choice(PIECES) + text[at:],
                              lambda: text[:at] + text[at:at + length] * 2 + text[at + length:], lambda: text[:at] + bytes([chance.randrange(256)]) + text[at + 1:],
                              lambda: text[:at], lambda: text[:at] + text[at + length:at + 2 * length] + text[at:at + length] + text[at + 2 * length:]])()
    return text


def test_messages_with_changes_are_answered_soundly(raw):
    print("seed", SEED)
    chance = random.Random(SEED)
    for _ in range(400):
        message = chance.choice(MESSAGES)
        text = changed(chance, json.dumps(raw.message(message) if "method" in message else message, ensure_ascii=False).encode())
        if text.strip(b" \t\r\n"):
            raw.replies(text, **({"Mcp_Method": message.get("method", "none")} if raw.over_http and raw.modern else {}))


def test_the_server_is_the_one_that_was_started(daemon):
    """Whatever the tests of this file, and of others, have sent to it."""
    assert daemon.server.process.poll() is None
    assert not [entry for entry in daemon.server.log if entry.get("level") in ("error", "fatal")]
