"""test_start.py - starting, health, the log, and the end by signals."""
import json
import os
import re
import signal
import socket

import pytest
from evdbd import CONFIG_FAILED, DATABASE_FAILED, LISTEN_FAILED, NotReady, Server, problem

ENDPOINTS = ("mcp", "oauth", "rest")


def test_each_endpoint_has_a_port_of_its_own_that_the_ready_line_names(server):
    assert len({server.ports[name] for name in ENDPOINTS}) == 3
    assert server.grant().status == 200  # on the OAuth port
    assert server.request("GET", "/api/v1/stores").status == 200  # on the REST port
    assert server.ask("GET", "/api/v1/stores", endpoint="oauth").status == 404
    assert server.ask("POST", "/oauth/token", endpoint="rest").status == 404


def test_one_port_serves_all(start, free_port):
    server = start(ports=("--port", str(free_port)))
    assert [server.ports[name] for name in ENDPOINTS] == [free_port] * 3
    assert server.request("GET", "/api/v1/stores").status == 200


def test_a_port_in_use_is_named_and_the_database_is_left_alone(start, server, tmp_path):
    taken = server.ports["oauth"]
    with pytest.raises(NotReady) as caught:
        start("--dev", directory=tmp_path / "other", ports=("--port", "0", "--oauth-port", str(taken)))
    assert caught.value.status == LISTEN_FAILED
    assert caught.value.log[-1]["message"] == "cannot listen" and caught.value.detail == f"port {taken} is in use"
    start(directory=tmp_path / "other")  # not by --dev: no client was made
    assert (tmp_path / "other/admin.secret").exists()


def test_an_endpoint_that_is_off_has_no_port(start):
    server = start("--rest-api-enabled=false", "--oauth-enabled=false")
    assert server.ports["rest"] is None and server.ports["oauth"] is None
    for path in ("/api/v1/stores", "/oauth/token"):
        assert server.ask("GET", path, endpoint="mcp").status == 404


def test_without_oauth_nobody_is_asked_for_a_token(start):
    server = start("--oauth-enabled=false")
    assert server.ask("GET", "/api/v1/stores").status == 200
    assert not (server.directory / "admin.secret").exists()


def test_health_is_told_on_every_port_without_a_token(server):
    for endpoint in ENDPOINTS:
        for path in ("/healthz", "/readyz"):
            assert json.loads(server.ask("GET", path, endpoint=endpoint).body) == {"status": "ok"}
            head = server.ask("HEAD", path, endpoint=endpoint)
            assert (head.status, head.body) == (200, b"")
    reply = server.ask("POST", "/readyz")
    assert problem(reply, 405) and reply.headers["allow"] == "GET, HEAD"


def test_a_server_in_memory_forgets_and_leaves_no_files(tmp_path):
    for _ in range(2):
        server = Server(tmp_path / "data", "--persistence-enabled=false", "--default-client-secret=in memory only")
        server.secret = "in memory only"
        assert json.loads(server.request("GET", "/api/v1/stores").body)["stores"] == []
        assert server.request("POST", "/api/v1/stores", {"name": "things"}).status == 201
        server.stop()
    assert list(tmp_path.iterdir()) == []


def test_the_data_directory_is_made_for_the_owner_alone(start, tmp_path):
    old = os.umask(0o022)
    try:
        server = start(directory=tmp_path / "fresh")
    finally:
        os.umask(old)
    assert server.directory.stat().st_mode & 0o777 == 0o700
    assert not [entry for entry in server.log if entry["level"] == "warning"]


def test_a_directory_that_others_may_enter_is_kept_so_and_warned_of(start, tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    server = start(directory=tmp_path / "open")
    assert server.directory.stat().st_mode & 0o777 == 0o755
    assert "open to other users" in next(entry["message"] for entry in server.log if entry["level"] == "warning")


@pytest.mark.parametrize("directory,why", [("missing/data", "No such file"), ("file", "not a directory")])
def test_a_directory_that_cannot_be_is_named(start, tmp_path, directory, why):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotReady) as caught:
        start(directory=tmp_path / directory)
    assert caught.value.status == DATABASE_FAILED
    assert str(tmp_path / directory) in caught.value.detail and why in caught.value.detail


def test_a_wrong_flag_is_a_wrong_configuration(start):
    with pytest.raises(NotReady) as caught:
        start("--prot=1")
    assert caught.value.status == CONFIG_FAILED and caught.value.detail == "evdbd: --prot: there is no such flag (see --help)"


# ---- the log

def test_the_log_is_a_json_object_a_line(start):
    server = start("--log-level=debug")
    server.request("GET", "/api/v1/stores/nothing/stats?secret=query")
    server.stop()
    for entry in server.log[:-1]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]), entry
        assert entry["level"] in ("error", "warning", "info", "debug") and entry["message"]
    assert [entry["message"] for entry in server.log if entry["level"] == "info"][1:] == ["ready", "stopping", "stopped"]


def test_a_request_is_logged_at_debug_without_what_is_secret(start):
    server = start("--log-level=debug")
    token = server.token()
    assert server.ask("GET", f"/api/v1/stores?token={token}", headers=[f"Authorization: Bearer {token}"]).status == 400
    assert server.ask("GET", "/caf%C3%A9/%FF").status == 404
    server.stop()
    told = [entry for entry in server.log if entry["message"] == "request"]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in told] == [
        ("POST", "/oauth/token", 200), ("GET", "/api/v1/stores", 400), ("GET", "/caf??/?", 404)]
    for entry in told:
        assert entry["ms"] >= 0 and entry["client"] == "127.0.0.1" and entry["port"] in server.ports.values()
    everything = json.dumps(server.log)
    assert token not in everything and server.admin()[1] not in everything and "Bearer" not in everything


def test_requests_are_not_logged_unless_asked_for(start):
    server = start()
    server.request("GET", "/api/v1/stores")
    server.stop()
    assert "request" not in [entry["message"] for entry in server.log]


# ---- signals

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(server, number):
    server.signal(number)
    assert server.end() == 0
    assert server.wait_for("stopping")["signal"] == number.name
    assert server.log[-2]["message"] == "stopped"


def test_sighup_changes_nothing(server):
    for _ in range(3):
        server.signal(signal.SIGHUP)
        assert "settings are read at start" in server.wait_for("SIGHUP changes nothing: settings are read at start")["message"]
        assert server.request("GET", "/api/v1/stores").status == 200


def test_a_second_signal_ends_it_at_once(start):
    server = start("--request-timeout=1h")
    half = server.client().send(b"POST /api/v1/stores HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n{")
    assert server.ask("GET", "/healthz").status == 200
    server.signal()
    server.wait_for("stopping")
    assert not half.closed_within(0.5)  # it is still waited for
    server.signal()
    assert server.end() == -signal.SIGTERM


def test_what_was_written_is_there_after_a_restart_and_tokens_stay_good(start):
    server = start()
    token = server.token()
    assert server.request("POST", "/api/v1/stores", {"name": "things"}).status == 201
    assert server.request("POST", "/api/v1/stores/things/vectors", {"id": 1, "vector": [1, 2]}).status == 201
    server.stop()
    again = start()
    reply = again.request("GET", "/api/v1/stores/things/count", token=token)
    assert (reply.status, json.loads(reply.body)["count"]) == (200, 1)


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
