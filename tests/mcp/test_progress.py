"""test_progress.py - what a client hears of a call that takes long: notifications with its token, and the reply behind them."""
import json

import pytest
from mcp_peers import MODERN, Http

RECORDS = 20_000
MANY = (60_000, 120_000, 240_000, 400_000)  # what takes longer than 0.1 s is the machine's, and the last is near what a message may have


def rows(count, dim=8):
    return "".join(json.dumps({"id": i, "vector": [(i * 7919 * (j + 1)) % 1009 for j in range(dim)]}) + "\n" for i in range(count))


def fill(peer, name, count=RECORDS):
    """A new store with so many records."""
    peer.call("create_store", name=name, metric="euclidean")
    assert peer.call("import_store", store=name, format="jsonl", data=rows(count))["written"] == count


def followed(peer, tool, token, /, **arguments):
    """Calls it with that token; what came before the reply, which must be one that succeeded, and its answer."""
    *before, reply = peer.begin(peer.call_of(tool, arguments, progressToken=token))
    assert reply["result"]["isError"] is False, reply
    return before, reply["result"]["structuredContent"]


def check(notifications, token):
    """Each is a notification with the token, and the numbers grow; the last number, and the last total."""
    last, total = -1, None
    for n in notifications:
        assert set(n) == {"jsonrpc", "method", "params"} and n["jsonrpc"] == "2.0" and n["method"] == "notifications/progress"
        params = n["params"]
        assert params["progressToken"] == token and type(params["progressToken"]) is type(token)
        assert params["progress"] > last and params["message"]
        last, total = params["progress"], params.get("total")
        assert total is None or total >= last
    return last, total


@pytest.mark.parametrize("token", ["a token\u00e9\n", 7])
def test_an_import_tells_how_far_it_has_come(each_peer, name, token):
    each_peer.call("create_store", name=name, metric="euclidean")
    for count in MANY:
        told, answer = followed(each_peer, "import_store", token, store=name, format="jsonl", data=rows(count), upsert=True)
        if told:
            break
    assert answer["written"] == count
    last, total = check(told, token)
    assert 0 < last <= 2 * count and total in (None, 2 * count)


def test_building_an_index_tells_how_far_it_has_come(each_peer, name):
    fill(each_peer, name)
    for tool in ("build_index", "rebuild_index"):
        told, answer = followed(each_peer, tool, "t", store=name)
        last, total = check(told, "t")
        assert 0 < last <= total == RECORDS
        assert answer["state"] == "ready"


def test_other_operations_tell_it_too(peer, name):
    """They may be done before there is anything to tell: a number of records that takes them 0.1 s is the machine's."""
    fill(peer, name)
    calls = [("backup_store", {"store": name, "backup": name}), ("verify_backup", {"backup": name}),
             ("restore_store", {"backup": name, "store": name + "-2"}), ("export_store", {"store": name}),
             ("benchmark_compression", {"store": name}), ("advise_compression", {"store": name}), ("repair_store", {"store": name})]
    told = {}
    for tool, arguments in calls:
        told[tool], _ = followed(peer, tool, tool, **arguments)
        check(told[tool], tool)
    last, total = check(told["advise_compression"], "advise_compression")
    assert 0 < last <= total


def test_there_is_none_without_a_token_or_with_one_that_is_none(each_peer, name):
    fill(each_peer, name, RECORDS // 4)
    for meta in ({}, {"progressToken": None}, {"progressToken": 1.5}, {"progressToken": {"a": 1}}, {"progressToken": [1, 2, 3]}):
        replies = list(each_peer.begin(each_peer.call_of("rebuild_index", {"store": name}, **meta)))
        assert len(replies) == 1 and replies[0]["result"]["isError"] is False


def test_what_takes_no_time_has_none(each_peer):
    assert followed(each_peer, "list_stores", "t")[0] == []


@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
def test_the_stream_begins_when_there_is_something_to_tell(daemon, name, version):
    peer = Http(daemon, version=version)
    fill(peer, name)
    long, short, bad = ("rebuild_index", {"store": name}), ("describe_store", {"store": name}), ("no_such_tool", {})
    events = peer.begin(peer.call_of(*long, progressToken=1))
    assert events.response.status == 200 and events.type == "text/event-stream"
    assert events.response.headers["Cache-Control"] == "no-store" and events.response.headers["X-Accel-Buffering"] == "no"
    assert list(events)[-1]["result"]["isError"] is False
    for call in (short, bad):
        events = peer.begin(peer.call_of(*call, progressToken=1))
        assert events.type == "application/json" and len(list(events)) == 1
    events = Http(daemon, "read", version).begin(peer.call_of(*long, progressToken=1))
    assert events.response.status == 403 and "insufficient_scope" in events.response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
def test_a_client_that_takes_json_alone_gets_that(daemon, name, version):
    peer = Http(daemon, version=version)
    fill(peer, name)
    for accept in ("application/json", "application/json, text/event-stream;q=0"):
        events = peer.begin(peer.call_of("rebuild_index", {"store": name}, progressToken=1), Accept=accept)
        assert events.type == "application/json" and next(events)["result"]["isError"] is False


def test_a_failure_behind_the_first_notification_is_the_last_event(daemon, name):
    peer = Http(daemon)
    fill(peer, name)
    for count in MANY:
        arguments = {"store": name, "format": "jsonl", "data": rows(count) + "no json\n", "upsert": True}
        *before, reply = peer.begin(peer.call_of("import_store", arguments, progressToken=1))
        if before:
            break
    check(before, 1)
    assert before and reply["result"]["isError"] is True and reply["result"]["_meta"]["evdb/status"] == "INVALID"
    assert peer.call("count_records", store=name)["count"] == RECORDS
