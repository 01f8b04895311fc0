"""test_http.py - evdbd's /mcp: tokens in header and body, what HTTP refuses, and web pages that try their luck."""
import http.client
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from mcp_peers import PATIENCE, SCOPES, Daemon, Http

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
MIB = 1 << 20


@pytest.fixture(scope="module")
def clients(daemon):
    """A client for each scope."""
    return {scope: Http(daemon, scope) for scope in SCOPES}


def test_the_historic_example_works_with_its_token_in_the_message(daemon, clients, name):
    clients["admin"].call("create_store", name=name)
    example = json.loads("""{
      "jsonrpc": "2.0",
      "method": "tools/call",
      "params": {
        "name": "insert_vector",
        "arguments": {
          "store": "my_store",
          "id": "doc1",
          "vector": [1.0, 2.0, 3.0],
          "metadata": {"title": "Document 1"}
        }
      },
      "auth": {
        "type": "bearer",
        "token": "your_access_token_here"
      },
      "id": 1
    }""")
    example["params"]["arguments"]["store"] = name
    assert daemon.ask(example).status == 401
    example["auth"]["token"] = daemon.token("read write")
    reply = daemon.ask(example, Accept=None)
    assert reply.status == 200
    assert reply.json["result"]["structuredContent"] == {"id": "doc1", "version": 1}


@pytest.mark.parametrize("message", [
    PING, {**PING, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}, {**PING, "method": "tools/list"},
    {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"nonsense": 1}, [],
], ids=lambda value: str(value)[:30])
def test_no_message_is_taken_without_a_token(daemon, message):
    reply = daemon.ask(message)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="evdb", scope="read", resource_metadata="http://')
    assert reply.json["error"]["code"] == -31003 and "token" in reply.json["error"]["message"]
    assert reply.json["id"] == (message.get("id") if isinstance(message, dict) else None)


@pytest.mark.parametrize("where", ["header", "body"])
@pytest.mark.parametrize("token", ["", "nonsense", "x" * 5000], ids=["empty", "short", "long"])
def test_a_bad_token_is_told_from_none(daemon, where, token):
    if where == "header":
        reply = daemon.ask(PING, Authorization=f"Bearer {token}")
    else:
        reply = daemon.ask({**PING, "auth": {"type": "bearer", "token": token}})
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="evdb", error="invalid_token", resource_metadata="http://')


def test_a_token_in_both_places_is_one_request(tmp_path):
    server = Daemon(tmp_path, "--dev", "--quota_requests=1")
    try:
        token = server.token("read")
        both = {**PING, "auth": {"type": "bearer", "token": token}}
        assert server.ask(both, Authorization=f"Bearer {token}").status == 200
        assert server.ask({**both, "auth": {"type": "bearer", "token": token + "x"}}, Authorization=f"Bearer {token}").status in (400, 429)
    finally:
        server.stop()


def test_a_forged_or_expired_token_is_no_good(tmp_path):
    server = Daemon(tmp_path, "--dev", "--token_lifetime=1000")
    try:
        token = server.token("read")
        forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
        assert server.ask(PING, Authorization=f"Bearer {forged}").status == 401
        reply = server.ask(PING, Authorization=f"Bearer {token}")
        while reply.status == 200:  # it is good for a second
            reply = server.ask(PING, Authorization=f"Bearer {token}")
        assert reply.status == 401 and "invalid_token" in reply.headers["WWW-Authenticate"]
    finally:
        server.stop()


def test_other_forms_of_authorization_are_refused(daemon):
    assert daemon.ask(PING, Authorization="Basic YWRtaW46eA==").status == 401


def test_two_tokens_must_be_one(daemon):
    one, other = daemon.token("read"), daemon.token("write")
    message = {**PING, "auth": {"type": "bearer", "token": one}}
    assert daemon.ask(message, Authorization=f"Bearer {one}").status == 200
    assert daemon.ask(message, Authorization=f"bearer  {one}").status == 200
    reply = daemon.ask(message, Authorization=f"Bearer {other}")
    assert reply.status == 400 and "different tokens" in reply.json["error"]["message"] and reply.json["id"] == 1
    assert daemon.ask(message, Authorization="Bearer nonsense").status == 401


def test_every_tool_is_listed_to_everyone_and_refused_with_the_scope_it_needs(clients):
    for scope, client in clients.items():
        granted = SCOPES[:SCOPES.index(scope) + 1]
        tools = client.tools()
        assert tools == clients["admin"].tools()
        for name, tool in tools.items():
            needed = tool["_meta"]["evdb/scope"]
            reply = client.ask({**PING, "method": "tools/call", "params": {"name": name, "arguments": {"zz": 1}}})
            if needed in granted:
                assert reply.status == 200 and "'zz'" in reply.json["result"]["content"][0]["text"]
                continue
            assert reply.status == 403 and reply.json["error"]["code"] == -31003
            assert reply.headers["WWW-Authenticate"].startswith(f'Bearer realm="evdb", error="insufficient_scope", scope="{needed}", ')


def test_without_oauth_everyone_may_do_everything(tmp_path):
    server = Daemon(tmp_path, "--oauth_enabled=false")
    try:
        create = {**PING, "method": "tools/call", "params": {"name": "create_store", "arguments": {"name": "s"}}}
        assert server.ask(create).json["result"]["structuredContent"]["name"] == "s"
        assert server.ask({**PING, "auth": {"type": "bearer", "token": "whatever"}}).status == 200
    finally:
        server.stop()


# What HTTP decides

@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
def test_only_post_is_a_method(clients, method):
    reply = clients["read"].ask(b"", method=method)
    assert reply.status == 405 and reply.headers["Allow"] == "POST"


@pytest.mark.parametrize("type, status", [
    ("application/json", 200), ("application/json; charset=utf-8", 200), ("Application/JSON", 200), ("text/plain", 415),
    ("application/jsonp", 415), ("application/octet-stream", 415), (None, 415),
])
def test_a_message_is_json_and_says_so(clients, type, status):
    assert clients["read"].ask(PING, Content_Type=type).status == status


@pytest.mark.parametrize("accept, status", [
    ("application/json, text/event-stream", 200), ("text/event-stream,application/json;q=0.1", 200), ("*/*", 200), ("application/*", 200),
    (None, 200), ("text/event-stream", 406), ("application/json;q=0", 406), ("text/html, image/*", 406), ("", 406),
])
def test_an_answer_is_json_and_must_be_acceptable(clients, accept, status):
    assert clients["read"].ask(PING, Accept=accept).status == status


@pytest.mark.parametrize("version, status", [
    ("2025-11-25", 200), ("2025-06-18", 200), (None, 200), ("2025-03-26", 400), ("1900-01-01", 400), ("x" * 300, 400), ("", 400),
], ids=lambda value: str(value)[:24])
def test_a_version_that_is_not_known_is_refused(clients, version, status):
    reply = clients["read"].ask(PING, MCP_Protocol_Version=version)
    assert reply.status == status
    if status == 400:
        assert "2025-11-25" in reply.json["error"]["message"] and reply.json["id"] == 1


def test_a_version_that_is_not_known_is_refused_whatever_the_message_says(clients):
    message = {**PING, "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": "2025-11-25"}}}
    assert clients["read"].ask(message, MCP_Protocol_Version="2025-06-18").status == 200
    reply = clients["read"].ask(message, MCP_Protocol_Version="1900-01-01")
    assert reply.status == 400 and reply.json["error"]["data"]["requested"] == "1900-01-01"


def test_errors_of_the_protocol_are_answers_to_http(clients):
    for message, code in ((b"{", -32700), ([], -32600), ({**PING, "method": "x"}, -32601), ({**PING, "method": "tools/call"}, -32602)):
        reply = clients["read"].ask(message)
        assert reply.status == 200 and reply.json["error"]["code"] == code


def test_notifications_are_accepted(clients):
    reply = clients["read"].ask({"jsonrpc": "2.0", "method": "notifications/initialized"}, MCP_Protocol_Version="2025-11-25")
    assert reply.status == 202 and reply.body == b""


def test_other_paths_and_ports_are_not_mcp(daemon):
    token = f"Bearer {daemon.token('read')}"
    assert daemon.ask(PING, path="/mcp/", Authorization=token).status == 404
    assert daemon.ask(PING, path="/", Authorization=token).status == 404
    connection = http.client.HTTPConnection("127.0.0.1", daemon.ports["rest"], timeout=PATIENCE)
    connection.request("POST", "/mcp", json.dumps(PING), {"Content-Type": "application/json", "Authorization": token})
    assert connection.getresponse().status == 404
    connection.close()


def test_a_large_message_needs_its_token_in_the_header(daemon, clients):
    large = {**PING, "params": {"_meta": {"x": "y" * (3 * MIB)}}}
    assert clients["read"].ask(large).status == 200
    reply = daemon.ask({**large, "auth": {"type": "bearer", "token": clients["read"].token}})
    assert reply.status == 413 and b"Authorization header" in reply.body
    assert clients["read"].ask(b"[" * (33 * MIB)).status == 413


# Web pages

@pytest.mark.parametrize("origin, status", [
    ("http://localhost", 200), ("http://localhost:5173", 200), ("https://127.0.0.1:9", 200), ("http://[::1]:80", 200),
    ("http://evil.example", 403), ("https://localhost.evil.example", 403), ("http://127.0.0.1.evil.example", 403), ("null", 403),
    ("file://", 403), ("http://10.0.0.1", 403), ("http://", 403), ("http://[::1", 403), ("localhost", 403), ("", 403),
    ("http://127.0.0.1:80@evil.example", 403), ("http://localhost:80/@evil.example", 403), ("http://localhost http://evil.example", 403),
])
def test_only_pages_of_loopback_may_call(clients, origin, status):
    assert clients["read"].ask(PING, Origin=origin).status == status


@pytest.mark.parametrize("host, status", [
    ("localhost:8080", 200), ("LOCALHOST", 200), ("127.0.0.1", 200), ("[::1]:8080", 200), ("192.168.7.7:8080", 200),
    ("evil.example:8080", 403), ("localhost.evil.example", 403), ("127.0.0.1.nip.example", 403),
])
def test_a_name_that_could_be_rebound_is_not_answered_to(clients, host, status):
    assert clients["read"].ask(PING, Host=host).status == status


def test_configured_names_are_hosts_and_origins(tmp_path):
    server = Daemon(tmp_path, "--oauth_enabled=false", "--allowed_hosts=db.example, app.example")
    try:
        assert server.ask(PING, Host="db.example:8080").status == 200
        assert server.ask(PING, Host="DB.example", Origin="https://app.example").status == 200
        assert server.ask(PING, Host="b.example").status == 403
        assert server.ask(PING, Origin="https://x.app.example").status == 403
    finally:
        server.stop()


# Many at once

def test_requests_in_a_row_on_one_connection_are_answered_in_order(daemon, clients):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.ports["mcp"], timeout=PATIENCE)
    for i in range(50):
        connection.request("POST", "/mcp", json.dumps({**PING, "id": i}),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {clients['read'].token}"})
        assert json.loads(connection.getresponse().read())["id"] == i
    connection.close()


def test_clients_at_once_lose_none_of_each_others_writes(daemon, clients, name):
    clients["admin"].call("create_store", name=name)

    def write(n):
        client = Http(daemon, "write")
        for i in range(25):
            client.call("insert_vector", store=name, id=n * 1000 + i, vector=[n + 1, i])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert clients["read"].call("count_records", store=name) == {"count": 200}
