"""test_memory.py - what an agent remembers: for how long, who said so, and changes of single members, over both transports."""
import concurrent.futures
import time

import pytest
from evdbd import DEV_CLIENT
from mcp_peers import Http


def author_of(peer):
    return DEV_CLIENT if isinstance(peer, Http) else "local:"


def test_memory_is_written_for_a_while(peer, store):
    now = int(time.time() * 1000)
    peer.call("insert_vector", store=store, id=10, vector=[1, 1], ttl=3600)
    peer.call("upsert_vector", store=store, id=11, vector=[1, 1], ttl_ms=3600000)
    peer.call("write_batch", store=store, records=[{"id": 12, "vector": [1, 1], "ttl": 3600}, {"id": 13, "vector": [1, 1]}])
    peer.call("insert_vector", store=store, id=14, vector=[1, 1], expires_ms=1)
    reply = peer.call("get_records", store=store, ids=[10, 11, 12, 13, 14])
    expires = {record["id"]: record.get("expires_ms") for record in reply["records"]}
    assert reply["missing"] == [14] and expires.pop(13) is None
    assert all(abs(at - now - 3600000) < 600000 for at in expires.values()) and set(expires) == {10, 11, 12}
    peer.call("update_vector", store=store, id=10, expires_ms=1)
    assert peer.call("count_records", store=store) == {"count": 6}
    assert 10 not in [hit["id"] for hit in peer.call("search_vectors", store=store, vector=[1, 1])["results"]]


def test_memory_says_who_wrote_it(peer, name):
    assert peer.call("create_store", name=name, metric="euclidean", authors=True)["authors"] is True
    peer.call("insert_vector", store=name, id=1, vector=[1, 0], metadata={"text": "met Ann"})
    record, = peer.call("get_records", store=name, ids=[1])["records"]
    assert record["author"].startswith(author_of(peer)) and record["written_ms"] > 0
    hit, = peer.call("search_vectors", store=name, vector=[1, 0])["results"]
    assert (hit["author"], hit["written_ms"]) == (record["author"], record["written_ms"])
    for forged in ({"author": "boss"}, {"written_ms": 5}):
        assert peer.fails("insert_vector", store=name, id=2, vector=[1, 0], **forged)[0] == "INVALID"
        assert peer.fails("write_batch", store=name, records=[{"id": 2, "vector": [1, 0], **forged}])[0] == "INVALID"
    assert "authors" not in peer.call("set_authors", store=name, authors=False)


@pytest.mark.parametrize("replace", [False, True])
def test_members_of_metadata_change_without_the_vector(peer, store, replace):
    reply = peer.call("update_metadata", store=store, id=1, metadata={"done": True, "gone": None}, replace=replace)
    wanted = {"done": True, "gone": None} if replace else {"n": 1, "done": True}
    record, = peer.call("get_records", store=store, ids=[1])["records"]
    assert reply == {"id": 1, "version": record["version"], "metadata": wanted}
    assert record["metadata"] == wanted and record["vector"] == [1, 0]
    assert peer.fails("update_metadata", store=store, id=1, metadata={}, if_version=1)[0] == "CONFLICT"


def test_members_that_processes_change_at_once_are_all_there(stdio):
    peers = [stdio("--scope", "write") for _ in range(3)]
    peers[0].call("create_store", name="shared", metric="euclidean", authors=True)
    peers[0].call("insert_vector", store="shared", id=1, vector=[1, 0], metadata={"n": 1})

    def work(number):
        for i in range(20):
            peers[number].call("update_metadata", store="shared", id=1, metadata={f"p{number}-{i}": i})

    with concurrent.futures.ThreadPoolExecutor(len(peers)) as pool:
        list(pool.map(work, range(len(peers))))
    record, = peers[0].call("get_records", store="shared", ids=[1])["records"]
    assert record["metadata"] == {"n": 1, **{f"p{number}-{i}": i for number in range(3) for i in range(20)}}
    assert record["version"] == 61
