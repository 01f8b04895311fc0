"""test_backup.py - backups from the command line."""
import os

import pytest
from evdb_command import CORRUPT, DENIED, EXISTS, INVALID, NOT_FOUND


@pytest.fixture
def docs(evdb):
    evdb.text("create", "docs", "--dim", "2", "--metric", "l2")
    evdb.text("put", "docs", "a", "--vector", "[1,2]", "--metadata", '{"n":0.10}')
    return evdb


def test_a_store_is_backed_up_and_restored(docs):
    assert docs.json("backup", "docs", "monday")["records"] == 1
    docs.text("put", "docs", "b", "--vector", "[1,3]")
    assert docs.json("backup", "docs", "tuesday", "--base", "monday")["base"] == "monday"
    assert [one["backup"] for one in docs.json("backups")["backups"]] == ["monday", "tuesday"]
    assert "monday" in docs.text("backups") and docs.json("backups", "other") == {"backups": []}
    assert docs.json("backups", "verify", "tuesday")["entries"] == 1
    assert docs.json("restore", "tuesday", "again")["records"] == 2
    assert docs.json("scroll", "again") == docs.json("scroll", "docs")
    docs.fails(EXISTS, "restore", "tuesday", "docs")
    docs.text("restore", "tuesday", "docs", "--replace", "--sequence", "1")
    assert docs.text("count", "docs").strip() == "1"
    docs.fails(INVALID, "backups", "rm", "monday")
    docs.text("backups", "rm", "tuesday")
    docs.fails(NOT_FOUND, "restore", "tuesday", "x")


def test_a_file_is_restored_by_its_path_into_another_database(docs):
    docs.text("backup", "docs", "monday")
    file = os.path.join(docs.path("data"), "backups", "monday.backup")
    assert docs.json("restore", file, "docs", "-d", docs.path("elsewhere"))["records"] == 1
    with open(file, "r+b") as opened:
        opened.truncate(os.path.getsize(file) - 1)
    docs.fails(CORRUPT, "restore", file, "other")
    docs.fails(CORRUPT, "backups", "verify", "monday")
    assert docs.json("backups")["backups"][0]["problem"]
    docs.fails(NOT_FOUND, "restore", "./nothing", "other")


def test_a_key_file_encrypts(docs):
    docs.write("key", "00112233445566778899aabbccddeeff" * 2 + "\n")
    docs.write("other", "ff112233445566778899aabbccddeeff" * 2 + "\n")
    docs.write("none", "12345\n")
    assert docs.json("backup", "docs", "secret", "--key-file", "key")["encrypted"] is True
    docs.fails(DENIED, "restore", "secret", "again")
    docs.fails(DENIED, "restore", "secret", "again", "--key-file", "other")
    docs.fails(INVALID, "restore", "secret", "again", "--key-file", "none")
    docs.fails(NOT_FOUND, "restore", "secret", "again", "--key-file", "missing")
    docs.text("backups", "verify", "secret", "--key-file", "key")
    assert docs.json("restore", "secret", "again", "--key-file", "key")["records"] == 1


def test_old_backups_are_pruned(docs):
    for backup in ("monday", "tuesday", "wednesday"):
        docs.text("backup", "docs", backup)
    docs.fails(INVALID, "backups", "prune", "docs")
    assert docs.json("backups", "prune", "--keep", "1", "--dry-run")["count"] == 2
    docs.text("backup", "docs", "more", "--base", "tuesday")
    os.truncate(os.path.join(docs.path("data"), "backups", "wednesday.backup"), 100)
    done = docs.run("backups", "prune", "docs", "--keep", "1")
    assert done.returncode == 0 and "wednesday" in done.stderr and b"monday" in done.stdout
    assert [one["backup"] for one in docs.json("backups")["backups"]] == ["more", "tuesday", "wednesday"]


def test_a_terminal_shows_how_far_it_is_and_then_only_what_came_of_it(docs):
    text, status = docs.on_terminal("backup", "docs", "monday")
    assert status == 0 and "\r\x1b[Kwriting 1 records" in text
    assert "writing" not in text.rsplit("\r\x1b[K", 1)[1] and "monday" in text
    text, status = docs.on_terminal("restore", "monday", "again")
    assert status == 0 and "checking" in text
    text, status = docs.on_terminal("restore", "monday", "again")
    assert status == EXISTS and "already exists" in text.rsplit("\r\x1b[K", 1)[-1]
