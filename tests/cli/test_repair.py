"""test_repair.py - repairs from the command line."""
import os
from pathlib import Path

from evdb_command import CORRUPT, NOT_FOUND

PAGE, SCHEMA, RECORDS = 16384, 0, 4


def damage(evdb, page):
    file = next(Path(evdb.path("data")).glob("stores/*/rows.db"))
    with open(file, "r+b") as opened:
        opened.seek((page + 1) * PAGE - 200)
        opened.write(b"\x5a" * 64)


def test_a_damaged_store_is_repaired(evdb):
    evdb.text("create", "docs", "--dim", "2", "--metric", "l2")
    evdb.text("put", "docs", "a", "--vector", "[1,2]", "--metadata", '{"n":0.10}')
    assert not evdb.json("repair", "docs")["repaired"]
    evdb.text("sync", "docs")
    damage(evdb, SCHEMA)
    evdb.fails(CORRUPT, "count", "docs")
    reply = evdb.json("repair", "docs")
    assert reply["repaired"] and (reply["records"], reply["lost"], reply["lost_records"]) == (1, 0, [])
    assert evdb.text("count", "docs").strip() == "1"
    assert os.path.exists(os.path.join(evdb.path("data"), reply["quarantine"], "rows.db"))
    evdb.text("verify")
    evdb.fails(NOT_FOUND, "repair", "missing")


def test_what_is_lost_is_listed_and_is_the_exit_status(evdb):
    evdb.text("create", "docs", "--dim", "2", "--metric", "l2")
    evdb.text("put", "docs", "a", "--vector", "[1,2]")
    evdb.text("sync", "docs")
    damage(evdb, RECORDS)
    evdb.fails(CORRUPT, "repair", "docs")
    assert evdb.text("count", "docs").strip() == "0"
    evdb.text("verify")
