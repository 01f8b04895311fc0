"""test_full_disk.py - evdbd on a disk that fills up: 507 for what needs room, everything else goes on, and nothing is lost.

The disk is a file system in memory that is mounted for the test, where that is allowed."""
import json
import os
import subprocess

import pytest
from evdbd import problem

DIM, SIZE = 512, "10m"
STORE = "/api/v1/stores/s"


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "small", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def full(disk, start):
    """A server whose store has filled its disk; what is left somebody else has taken."""
    server = start(directory=disk / "data")
    assert server.request("POST", "/api/v1/stores", {"name": "s", "dim": DIM, "metric": "l2"}).status == 201
    (disk / "filler").write_bytes(bytes(3 << 20))
    there = set()
    while (reply := put(server, len(there))).status in (200, 201):
        there.add(len(there))
    refused(reply)
    with open(disk / "filler", "ab", buffering=0) as filler:
        size = 4096
        while size:
            try:
                filler.write(b"\0" * size)
            except OSError:
                size //= 2
    return server, there


def vector(n):
    return [float(n)] + [float((n * 31 + i * 7) % 101) for i in range(DIM - 1)]


def put(server, n, client=None):
    return server.request("PUT", f"{STORE}/vectors/{n}", {"vector": vector(n), "metadata": {"n": n}}, client=client)


def delete(server, n):
    return server.request("DELETE", f"{STORE}/vectors/{n}")


def refused(reply):
    body = problem(reply, 507)
    assert body["code"] == "FULL" and "no space left" in body["detail"]


def search(server, n):
    reply = server.request("POST", f"{STORE}/search", {"vector": vector(n), "k": 1})
    assert reply.status == 200, reply.text
    return json.loads(reply.body)["results"][0]["id"]


def holds(server, there, up_to):
    for n in range(up_to):
        assert server.request("GET", f"{STORE}/vectors/{n}").status == (200 if n in there else 404), n


def test_a_full_disk_refuses_writes_and_nothing_else(full, disk, start, rng):
    server, there = full
    most = len(there) + 1
    assert most > 300
    order = rng.sample(sorted(there), len(there))
    assert search(server, order[0]) == order[0]
    for n in order[: most // 2]:
        assert delete(server, n).status in (200, 204)
        there.remove(n)
    assert search(server, order[-1]) == order[-1]
    again = 0
    for n in order[: most // 2]:  # in the room that came free
        reply = put(server, n)
        if reply.status == 507:
            break
        there.add(n)
        again += 1
    assert again > most // 8
    holds(server, there, most)

    os.unlink(disk / "filler")  # somebody makes room
    for n in range(most, most + 100):
        assert put(server, n).status in (200, 201)
        there.add(n)
    holds(server, there, most + 100)
    server.stop()
    holds(start(directory=disk / "data"), there, most + 100)


def test_a_server_starts_on_a_full_disk(full, disk, start):
    server, there = full
    most = len(there)
    server.signal(9)
    server.end()
    server = start(directory=disk / "data")
    holds(server, there, most)
    server.stop()
    server = start(directory=disk / "data")
    for n in range(most):
        assert delete(server, n).status in (200, 204)
    assert put(server, 1).status in (200, 201)
    holds(server, {1}, most)
