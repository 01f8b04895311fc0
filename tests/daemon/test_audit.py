"""test_audit.py - what the server does for admins, and what it refuses, is in the audit log before anybody is answered."""
import json
import os
import subprocess

import pytest
from evdbd import BUILD

LOCAL = f"local:{os.getuid()}"


@pytest.fixture
def server(start):
    return start("--allowed-hosts=test")  # the name that this client asks for


def log_of(server):
    return [json.loads(line) for line in (server.directory / "audit.log").read_text().splitlines()]


def entries_of(log, act):
    return [(e["who"], e["via"], e["target"], e["outcome"], e["count"]) for e in log if e["act"] == act]


def verified(directory):
    done = subprocess.run([BUILD / "evdb", "audit", "verify", "-d", directory, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def mcp(server, message, *headers):
    return server.ask("POST", "/mcp", message, ["Content-Type: application/json", *headers], endpoint="mcp")


def test_acts_of_every_protocol_are_logged(server):
    rest = {"client_id": "app", "scopes": ["read"]}
    assert server.request("POST", "/api/v1/clients", rest).status == 201
    assert server.request("POST", "/api/v1/clients", rest).status == 409
    assert server.request("POST", "/api/v1/stores", {"name": "docs", "dim": 2}).status == 201
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "drop_store", "arguments": {"store": "docs"}}}
    assert mcp(server, json.dumps(call).encode(), f"Authorization: Bearer {server.token()}").status == 200
    log = log_of(server)
    assert entries_of(log, "register_client") == [(LOCAL, "start", "admin", "BEGUN", 1), (LOCAL, "start", "admin", "OK", 1),
                                                  ("admin", "rest", "app", "BEGUN", 1), ("admin", "rest", "app", "OK", 1),
                                                  ("admin", "rest", "app", "BEGUN", 1), ("admin", "rest", "app", "EXISTS", 1)]
    assert entries_of(log, "create_store") == [("admin", "rest", "docs", "BEGUN", 1), ("admin", "rest", "docs", "OK", 1)]
    assert entries_of(log, "drop_store") == [("admin", "mcp", "docs", "BEGUN", 1), ("admin", "mcp", "docs", "OK", 1)]
    assert [e["of"] for e in log if e["outcome"] != "BEGUN"] == [e["number"] for e in log if e["outcome"] == "BEGUN"]
    reply = server.request("GET", "/api/v1/audit?limit=2")
    assert reply.status == 200 and [e["act"] for e in json.loads(reply.body)["entries"]] == ["drop_store", "drop_store"]
    found = json.loads(server.request("POST", "/api/v1/audit/verify", {}).body)
    assert found["problems"] == 0 and found["entries"] == len(log) + 1
    server.stop()
    verified(server.directory)


def test_refused_requests_are_counted_by_client(server):
    made = json.loads(server.request("POST", "/api/v1/clients", {"client_id": "app", "scopes": ["read"]}).body)
    reader = server.token("app", made["client_secret"])
    for _ in range(3):
        assert server.request("GET", "/api/v1/clients", token=reader).status == 403
    assert server.request("DELETE", "/api/v1/clients/app", token=reader).status == 403
    for secret in ("guessed-1", "guessed-2"):
        assert server.grant("nobody", secret).status == 401
    assert server.ask("GET", "/api/v1/stores").status == 401
    assert mcp(server, b"{}").status == 401
    server.stop()
    log = log_of(server)
    assert sum(e["count"] for e in log if e["act"] == "refused" and e["who"] == "app") == 4  # in one minute, or in two
    assert sum(e["count"] for e in log if e["act"] == "refused" and e["who"] == "address:127.0.0.1") == 4  # "nobody" is no client
    assert all(e["outcome"] == "DENIED" for e in log if e["act"] == "refused")
    assert "guessed" not in (server.directory / "audit.log").read_text() and made["client_secret"] not in json.dumps(log)
    verified(server.directory)


def test_who_claims_to_be_many_fills_neither_memory_nor_the_log(server):
    for n in range(60):
        assert server.request("POST", "/api/v1/clients", {"client_id": f"somebody-{n}"}).status == 201
        assert server.grant(f"somebody-{n}", "a secret").status == 401
    server.stop()
    log = [e for e in log_of(server) if e["act"] == "refused"]
    assert sum(e["count"] for e in log) == 60
    assert len(log) <= 2 * 17 and any(e["who"] == "others" for e in log)


def test_an_act_that_cannot_be_logged_is_not_done(server):
    log = server.directory / "audit.log"
    log.rename(server.directory / "aside")
    log.mkdir()
    reply = server.request("POST", "/api/v1/clients", {"client_id": "app"})
    assert reply.status == 500 and "audit.log" in json.loads(reply.body)["detail"]
    assert server.request("GET", "/api/v1/clients").status == 500  # also what only reads, from elsewhere
    log.rmdir()
    (server.directory / "aside").rename(log)
    clients = json.loads(server.request("GET", "/api/v1/clients").body)["clients"]
    assert [c["client_id"] for c in clients] == ["admin"]
    assert verified(server.directory)["problems"] == 0
