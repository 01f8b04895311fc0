"""test_cancel.py - calls that are taken back while they run: over HTTP by leaving, in the modern version; on stdio by a notification."""
import json
import signal
import time

import pytest
from mcp_peers import MODERN, PATIENCE, Http
from test_progress import RECORDS, fill

LEGACY = ("2025-11-25", "2025-06-18")


def outcome(daemon, act, target):
    """How an act that changes or administers something has ended, once it has: the audit log tells."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        entries = [json.loads(line) for line in (daemon.server.directory / "audit.log").read_bytes().split(b"\n")[:-1]]
        ends = [e["outcome"] for e in entries if e["act"] == act and e["target"] == target and e["outcome"] != "BEGUN"]
        if ends:
            return ends[-1]
    raise AssertionError(f"{act} of {target} does not end")


def is_building(peer, name):
    until = time.monotonic() + PATIENCE
    while peer.call("index_status", store=name)["state"] != "building":
        assert time.monotonic() < until, "nothing is built"
    return True


@pytest.fixture
def admin(daemon):
    return Http(daemon)


@pytest.mark.parametrize("version", [MODERN, *LEGACY])
def test_a_client_that_leaves_its_events_cancels_in_the_modern_version_alone(daemon, admin, name, version):
    fill(admin, name)
    peer = Http(daemon, version=version)
    events = peer.begin(peer.call_of("build_index", {"store": name, "threads": 1}, progressToken=1))
    assert next(events)["method"] == "notifications/progress"
    events.leave()
    assert outcome(daemon, "build_index", name) == ("CANCELLED" if version == MODERN else "OK")
    assert (admin.call("index_status", store=name)["linked"] < RECORDS) == (version == MODERN)


@pytest.mark.parametrize("version", [MODERN, *LEGACY])
def test_so_does_one_that_leaves_before_there_are_any(daemon, admin, name, version):
    fill(admin, name)
    peer = Http(daemon, version=version)
    connection = peer.begin(peer.call_of("build_index", {"store": name, "threads": 1}), read=False)
    assert is_building(admin, name)
    connection.close()
    assert outcome(daemon, "build_index", name) == ("CANCELLED" if version == MODERN else "OK")


def test_what_others_asked_for_goes_on(daemon, admin, name):
    """One of two clients that share a server leaves."""
    other = name + "-2"
    fill(admin, name)
    fill(admin, other)
    peer = Http(daemon, version=MODERN)
    kept = peer.begin(peer.call_of("build_index", {"store": other, "threads": 1}, progressToken=2), read=False)
    left = peer.begin(peer.call_of("build_index", {"store": name, "threads": 1}, progressToken=1), read=False)
    assert is_building(admin, name) and is_building(admin, other)
    left.close()
    assert outcome(daemon, "build_index", name) == "CANCELLED"
    assert outcome(daemon, "build_index", other) == "OK"
    assert b'"isError":false' in kept.getresponse().read()
    kept.close()


def test_a_cancelled_backup_leaves_none_behind(daemon, admin, name):
    fill(admin, name, 5 * RECORDS)
    peer = Http(daemon, version=MODERN)
    ended = None
    for i in range(20):  # it may be done before that is seen
        backup = f"{name}-{i}"
        peer.begin(peer.call_of("backup_store", {"store": name, "backup": backup}), read=False).close()
        ended = outcome(daemon, "backup_store", f"{name} {backup}")
        there = backup in [b["backup"] for b in admin.call("list_backups")["backups"]]
        assert there == (ended == "OK")
        if ended == "CANCELLED":
            break
    assert ended == "CANCELLED"


# ---- on standard input and output ----


def take_back(server, id, **more):
    server.send(json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, **more}}).encode())


def building(server, name):
    """Begins to build an index, and waits until it tells of it: the request's id."""
    message = server.call_of("build_index", {"store": name, "threads": 1}, progressToken="t")
    server.send(json.dumps(message).encode())
    assert json.loads(server.receive())["method"] == "notifications/progress"
    return message["id"]


def replies(server, id):
    """The ids of replies up to that of this request."""
    ids = []
    while not ids or ids[-1] != id:
        message = json.loads(server.receive())
        if "id" in message:
            ids.append(message["id"])
        else:
            assert message["method"] == "notifications/progress"
    return ids


def ask_behind(server, method="tools/list"):
    message = server.message(method)
    server.send(json.dumps(message).encode())
    return message["id"]


@pytest.fixture(params=[MODERN, *LEGACY])
def filled(request, stdio, name):
    """`evdb mcp` with a store to build an index of."""
    server = stdio("--scope", "admin", version=request.param)
    fill(server, name)
    return server


def test_what_is_taken_back_ends_without_a_reply(filled, name):
    id = building(filled, name)
    take_back(filled, id, reason="no more wanted")
    behind = ask_behind(filled)
    assert replies(filled, behind) == [behind]
    assert filled.call("index_status", store=name)["linked"] < RECORDS


def test_what_waits_can_be_taken_back_before_it_has_begun(filled, name):
    first = building(filled, name)
    for store in ("unwanted", "wanted"):
        message = filled.call_of("create_store", {"name": store})
        filled.send(json.dumps(message).encode())
        if store == "unwanted":
            take_back(filled, message["id"])
    assert replies(filled, message["id"]) == [first, message["id"]]
    assert sorted(s["name"] for s in filled.call("list_stores")["stores"]) == sorted([name, "wanted"])


def test_what_is_not_there_to_be_taken_back_changes_nothing(filled, name):
    done = filled.message("tools/list")
    assert json.loads(filled.exchange(json.dumps(done).encode()))["id"] == done["id"]
    id = building(filled, name)
    take_back(filled, done["id"])
    for params in ({"requestId": str(id)}, {"requestId": id + 1}, {"requestId": None}, {"requestId": [id]}, {}, None):
        message = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
        filled.send(json.dumps({**message, "params": params} if params is not None else message).encode())
    assert replies(filled, id) == [id]
    assert filled.call("index_status", store=name)["linked"] == RECORDS


@pytest.mark.parametrize("version", LEGACY)
def test_a_ping_gets_through_while_a_call_takes_long(stdio, name, version):
    server = stdio("--scope", "admin", version=version)
    fill(server, name)
    long = building(server, name)
    ping = ask_behind(server, "ping")
    assert replies(server, long) == [ping, long]


def test_what_was_asked_is_answered_after_the_end_of_the_input(filled, name):
    id = building(filled, name)
    behind = ask_behind(filled)
    out, err = filled.end()
    ids = [message["id"] for message in map(json.loads, out.splitlines()) if "id" in message]
    assert ids == [id, behind] and err == ""


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it(stdio, which):
    server = stdio()
    assert server.request("ping")["result"] == {}
    server.process.send_signal(which)
    assert server.process.wait(PATIENCE) == 0
    assert server.process.stdout.read() == b"" and server.process.stderr.read() == b""


def test_a_signal_takes_back_what_is_under_way(filled, name, tmp_path):
    id = building(filled, name)
    behind = ask_behind(filled)
    filled.process.send_signal(signal.SIGTERM)
    assert filled.process.wait(PATIENCE) == 0
    ids = [message.get("id") for message in map(json.loads, filled.process.stdout.read().splitlines())]
    assert id not in ids and behind not in ids and filled.process.stderr.read() == b""
    assert '"CANCELLED"' in (tmp_path / "data/audit.log").read_text()


def test_so_does_one_behind_the_end_of_the_input(filled, name, tmp_path):
    """As clients end a server: they close its input, and send a signal to what has not ended then."""
    building(filled, name)
    ask_behind(filled)
    filled.process.stdin.close()
    told = [filled.receive() for _ in range(3)]  # a tenth of a second each: the end has been read
    filled.process.send_signal(signal.SIGTERM)
    assert filled.process.wait(PATIENCE) == 0 and len(told) == 3
    assert filled.process.stderr.read() == b"" and '"CANCELLED"' in (tmp_path / "data/audit.log").read_text()
