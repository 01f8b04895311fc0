"""test_cancel.py - calls that are taken back while they run: over HTTP by leaving, in the modern version; on stdio by a notification."""
import json
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
