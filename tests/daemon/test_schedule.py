"""test_schedule.py - backups that evdbd makes by itself, at the times of a schedule; two of them on one directory share the work."""
import os
import re
import subprocess
import time

import pytest
from evdbd import BUILD, PATIENCE

NAME = re.compile(r"things-20\d{6}T\d{6}Z")


def made(server):
    return [entry for entry in server.log if entry["message"] == "backed up a store"]


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def fill(server):
    assert server.request("POST", "/api/v1/stores", {"name": "things", "metric": "euclidean"}).status == 201
    for record in range(20):
        assert server.request("POST", "/api/v1/stores/things/vectors", {"id": record, "vector": [record, 1]}).status == 201


def backups(server):
    """Name and base of each, from the files themselves; every one is checked to its end."""
    def ask(*words):
        return subprocess.run([BUILD / "evdb", *words, "-d", server.directory], capture_output=True, text=True, check=True).stdout

    names = [line.split()[0] for line in ask("backups").splitlines()[1:]]
    for name in names:
        ask("backups", "verify", name)
    return names


@pytest.mark.threaded
def test_stores_are_backed_up_and_old_backups_deleted(start):
    server = start("--backup_schedule=1s", "--backup_keep=3", "--backup_full_every=2")
    fill(server)
    assert server.request("POST", "/api/v1/stores/things/backups", {"backup": "by-hand"}).status == 201
    until(lambda: len(made(server)) >= 7)
    server.stop()
    names = backups(server)
    assert "by-hand" in names and all(NAME.fullmatch(name) for name in names if name != "by-hand")
    assert 3 <= len(names) - 1 <= 5, names  # what the oldest of the three builds on stays too
    fulls = [entry["full"] for entry in made(server)]
    assert fulls == [i % 3 == 0 for i in range(len(fulls))]
    assert any(entry["message"] == "deleted old backups" for entry in server.log)


def test_two_servers_of_one_directory_share_the_work(start):
    first, second = servers = [start("--backup_schedule=1s") for _ in range(2)]
    fill(first)
    until(lambda: sum(len(made(server)) for server in servers) >= 4)
    for server in servers:
        server.stop()
    names = [entry["backup"] for server in servers for entry in made(server)]
    assert sorted(names) == backups(first)  # each by one of them
    assert [entry for server in servers for entry in server.log if entry["level"] == "error"] == []


def test_a_time_that_was_missed_is_made_up_for_at_start(start):
    server = start()
    fill(server)
    server.stop()
    created = int(time.time()) // 10
    until(lambda: int(time.time()) // 10 > created)  # a time that is due while no server runs; the next is far
    missed = time.strftime("things-%Y%m%dT%H%M%SZ", time.gmtime(int(time.time()) // 10 * 10))
    server = start("--backup_schedule=10s")
    assert server.wait_for("backed up a store")["backup"] == missed
    server.stop()
    assert backups(server) == [missed]


def test_a_failure_is_told_and_tried_again(start):
    server = start("--backup_schedule=1s")
    (server.directory / "backups").write_text("in the way")
    fill(server)
    entry = server.wait_for("cannot back up the stores")
    assert entry["level"] == "error" and "backups" in entry["detail"]
    os.unlink(server.directory / "backups")
    server.wait_for("backed up a store")


def test_without_a_schedule_nothing_is_backed_up(start):
    server = start()
    fill(server)
    server.stop()
    assert not (server.directory / "backups").exists() and not (server.directory / "schedule.lock").exists()
