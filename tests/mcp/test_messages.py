"""test_messages.py - JSON-RPC and the protocol's methods, over both transports: what is answered, and how what is wrong is refused."""
import json

import pytest

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
NUMBERS = list(range(100))  # long enough to be left as text when the message is read


@pytest.mark.parametrize("asked, answered", [
    ("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"), ("2099-01-01", "2025-11-25"), ("", "2025-11-25"),
])
def test_initialize_settles_on_a_version(peer, asked, answered):
    result = peer.result("initialize", {"protocolVersion": asked, "capabilities": {"roots": {}},
                                        "clientInfo": {"name": "test", "version": "1"}})
    assert result["protocolVersion"] == answered
    assert result["capabilities"] == {"tools": {}, "resources": {"subscribe": True, "listChanged": True}, "prompts": {}, "completions": {}}
    assert result["serverInfo"]["name"] == "evdb" and result["serverInfo"]["version"]
    assert "stores" in result["instructions"]
    assert peer.silent(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')


def test_ping_is_answered_with_nothing(peer):
    assert peer.result("ping") == {}
    assert peer.result("ping", {"_meta": {"progressToken": 1, "unknown": [1, {"x": None}]}, "more": True}) == {}


def test_ids_come_back_as_they_were(peer):
    for given in (0, -1, 2**53 + 1, 2**63 - 1, "", "a\u00e9\U0001f600\"\\\n", "\u0001" + "0", "x" * 1000):
        reply = json.loads(peer.exchange(json.dumps({**PING, "id": given}).encode()))
        assert reply == {"jsonrpc": "2.0", "id": given, "result": {}}


@pytest.mark.parametrize("message", [
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": "late"}},
    {"jsonrpc": "2.0", "method": "no/such/notification"}, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": [1]},
    {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": "1"}, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": {}}},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "what?"}},
], ids=lambda value: str(value)[18:50])
def test_notifications_and_responses_are_not_answered(peer, message):
    assert peer.silent(json.dumps(message).encode())


def test_a_call_without_an_id_does_nothing(peer, store):
    call = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "drop_store", "arguments": {"store": store}}}
    assert peer.silent(json.dumps(call).encode())
    assert peer.call("count_records", store=store) == {"count": 3}


@pytest.mark.parametrize("text", [
    b"garbage", b"{", b'{"jsonrpc":"2.0","id":1,"method":"ping"', b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', b"{}}",
    b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}', b'{"a":' * 3000, b'{"jsonrpc":"2.0","id":1e999,"method":"ping"}', b"\x00",
    b'{"jsonrpc":"2.0","id":99999999999999999999,"method":"ping"}', b"'{}'",
], ids=lambda text: repr(text[:20]))
def test_malformed_json_is_a_parse_error(peer, text):
    code, message, id = peer.error(text)
    assert code == -32700 and id is None and "malformed JSON" in message


@pytest.mark.parametrize("message, says, id", [
    ([PING, PING], "batches", None), ([], "batches", None), (1, "must be a JSON object", None), ("ping", "must be a JSON object", None),
    (None, "must be a JSON object", None), ({}, "'jsonrpc'", None),
    ({**PING, "jsonrpc": "1.0"}, "'jsonrpc'", 1), ({**PING, "jsonrpc": 2.0}, "'jsonrpc'", 1),
    ({**PING, "id": None}, "'id'", None), ({**PING, "id": 1.5}, "'id'", None), ({**PING, "id": [1]}, "'id'", None),
    ({**PING, "id": NUMBERS}, "'id'", None), ({**PING, "id": True}, "'id'", None),
    ({"jsonrpc": "2.0", "id": 5}, "'method'", 5), ({**PING, "method": 7}, "'method'", 1), ({**PING, "method": NUMBERS}, "'method'", 1),
    ({**PING, "params": 5}, "'params'", 1), ({**PING, "params": "x"}, "'params'", 1),
    ({**PING, "auth": "token"}, "'auth'", 1), ({**PING, "auth": {"type": "basic", "token": "x"}}, "'auth'", 1),
    ({**PING, "auth": {"type": "bearer", "token": NUMBERS}}, "'auth'", 1),
], ids=lambda value: str(value)[:24])
def test_a_wrong_shape_is_an_invalid_request(peer, message, says, id):
    code, text, got = peer.error(message)
    assert code == -32600 and says in text and got == id


def test_a_message_nested_too_deep_is_an_invalid_request(peer):
    deep = {**PING, "params": json.loads("[" * 500 + "]" * 500)}
    code, message, id = peer.error({**deep, "params": {"_meta": deep["params"]}})
    assert code == -32600 and "deep" in message and id == 1


@pytest.mark.parametrize("method", ["no/such/list", "", "tools/call/", "Ping", "x" * 10000], ids=lambda value: value[:24])
def test_an_unknown_method_is_named(peer, method):
    code, message, id = peer.error({**PING, "method": method})
    assert code == -32601 and method[:100] in message and id == 1


@pytest.mark.parametrize("params, says", [
    (None, "params.name"), ({}, "params.name"), ({"name": 5}, "params.name"), ({"name": NUMBERS}, "params.name"),
    ({"name": "no_such_tool"}, "'no_such_tool'"), ({"name": "list_stores", "arguments": [1]}, "arguments"),
    ({"name": "list_stores", "arguments": "x"}, "arguments"), ({"name": "list_stores", "arguments": NUMBERS}, "arguments"),
    ([1, 2], "'params'"), (NUMBERS, "'params'"),
], ids=lambda value: str(value)[:24])
def test_a_call_of_nothing_is_invalid_parameters(peer, params, says):
    code, message, id = peer.error({**CALL, "params": params})
    assert code == -32602 and says in message and id == 1


@pytest.mark.parametrize("method, params, says", [
    ("initialize", None, "protocolVersion"), ("initialize", {"protocolVersion": 20251125}, "protocolVersion"),
    ("tools/list", {"cursor": "next"}, "cursor"),
], ids=str)
def test_parameters_of_other_methods_are_looked_at(peer, method, params, says):
    code, message, _ = peer.error({**PING, "method": method, "params": params})
    assert code == -32602 and says in message


def test_null_stands_for_what_is_left_out(peer):
    assert peer.request("tools/list", {"cursor": None})["result"]["tools"]
    assert peer.error({**PING, "method": "no", "params": None, "auth": None})[0] == -32601
    assert peer.request("tools/call", {"name": "list_stores", "arguments": None})["result"]["isError"] is False
