"""test_locked.py - a followed store that another process keeps locked holds up nobody who listens to others, nor do many take what others need."""
import fcntl
import json
import os

import pytest
from listeners import http_listen, listen, wait_until
from mcp_peers import MODERN, Http

# Where SQLite's locks of a write-ahead log are, in its -shm file: with all of them a store is neither written nor read.
FIRST, LOCKS = 120, 8


@pytest.fixture
def locked(daemon, name):
    """Locks a store from outside, and lets it go again. Closing any descriptor of the file would let the lock go, too."""
    opened = []

    def lock(store):
        (file,) = [f for f in (daemon.server.directory / "stores").glob("*/rows.db-shm") if is_of(f, store)]
        opened.append(file.open("r+b"))
        fcntl.lockf(opened[0], fcntl.LOCK_EX, LOCKS, FIRST)
        return lambda: fcntl.lockf(opened[0], fcntl.LOCK_UN, LOCKS, FIRST)

    def is_of(file, store):
        return file.parent.name == json.loads(daemon.server.request("GET", f"/api/v1/stores/{store}").body)["uuid"]

    yield lock
    for file in opened:
        file.close()


def test_a_locked_store_holds_up_nobody_who_listens_to_another(daemon, name, locked):
    client, other = Http(daemon, version=MODERN), name + "-other"
    for store in (name, other):
        client.call("create_store", name=store, dim=2)
    follower = http_listen(client, listen(1, resourceSubscriptions=[f"evdb://stores/{name}"]))
    follower.next()
    unlock = locked(name)
    _, text, _ = client.refuses("tools/call", {"name": "describe_store", "arguments": {"store": name}})  # behind all the time that SQLite waits
    assert "rows.db" in text
    second = http_listen(client, listen(2, resourceSubscriptions=[f"evdb://stores/{other}"]))
    second.next()
    unlock()
    client.call("insert_vector", store=other, id=1, vector=[1, 2])
    second.updated(f"evdb://stores/{other}")
    client.call("insert_vector", store=name, id=1, vector=[1, 2])
    follower.updated(f"evdb://stores/{name}")
    for stream in (follower, second):
        stream.leave()


def test_many_followed_stores_leave_descriptors_for_others(daemon, name):
    client, count = Http(daemon, version=MODERN), 160
    names = [f"{name}-{i}" for i in range(count)]
    for store in names:
        client.call("create_store", name=store, dim=2)
    streams = [http_listen(client, listen(at, resourceSubscriptions=[f"evdb://stores/{store}" for store in names[at:at + 80]])) for at in (0, 80)]
    for stream in streams:
        stream.next()
    wait_until(lambda: len(os.listdir(f"/proc/{daemon.server.process.pid}/fd")) < 6 * count)  # seven each, if all were kept open
    for at in (0, count - 1):
        client.call("insert_vector", store=names[at], id=1, vector=[1, 2])
        streams[at // 80].updated(f"evdb://stores/{names[at]}")
    for stream in streams:
        stream.leave()
    for store in names:
        client.call("drop_store", store=store)
