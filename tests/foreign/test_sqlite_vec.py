"""test_sqlite_vec.py - tables of SQLite files, by sqlite-vec and ordinary ones."""
import os
import random
import shutil
import sqlite3
import struct

import pytest
from evdb_command import BUSY, INVALID, NOT_FOUND, OK
from foreign_check import check, files

import evdb as binding


def test_frozen_tables_are_imported_and_their_file_is_left_alone(evdb, unpack):
    expected = unpack("sqlite-vec-0.1.9")
    os.mkdir(evdb.path("far"))
    shutil.move(evdb.path("v.db"), evdb.path("far/a ?#%db.sqlite"))
    expected["path"] = "far/a ?#%db.sqlite"
    before = files(evdb.path("far"))
    check(evdb, expected)
    assert files(evdb.path("far")) == before


def test_tables_that_are_foreign_made_now_are_imported(evdb, make):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    check(evdb, make("make_sqlite_vec", seed))


def test_what_is_meant_must_be_said_where_it_is_not_clear(evdb, unpack):
    unpack("sqlite-vec-0.1.9")
    assert "many, na med" in evdb.fails(INVALID, "import", "s", "v.db")
    assert "emb and small" in evdb.fails(INVALID, "import", "s", "v.db", "--table", "many")
    assert "vec0 tables are many, na med" in evdb.fails(NOT_FOUND, "import", "s", "v.db", "--table", "none")
    assert "nothing" in evdb.fails(NOT_FOUND, "import", "s", "v.db", "--table", "many", "--column", "nothing")
    assert "nothing" in evdb.fails(NOT_FOUND, "import", "s", "v.db", "--table", "plain", "--column", "nothing")
    assert "more than one column" in evdb.fails(INVALID, "import", "s", "v.db", "--table", "texts")
    assert "none.db" in evdb.fails(NOT_FOUND, "import", "s", "none.db")
    assert not evdb.path("data").exists()  # no database was made


def plain(path, rows, journal="delete"):
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA journal_mode={journal}")
    db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB, s)")
    db.executemany("INSERT INTO t VALUES(?,?,?)", rows)
    db.commit()
    return db


def packed(*elements):
    return struct.pack(f"<{len(elements)}f", *elements)


def test_bad_rows_refuse_the_table_or_are_left_out(evdb):
    rows = [(1, packed(1, 2), None), (2, None, None), (3, b"abc", None), (4, packed(1, 2, 3), None), (5, "[1,2]", None),
            (6, packed(1, 2), float("inf")), (7, packed(3, 4), b"\xff" * 600000), (8, packed(3, 4), "ok")]
    plain(evdb.path("x.db"), rows).close()
    assert "record 2: its vector is NULL" in evdb.fails(INVALID, "import", "s", "x.db", "--table", "t", "--column", "v")
    done = evdb.run("import", "s", "x.db", "--table", "t", "--column", "v", "--keep-going", "--json")
    assert (done.returncode, done.stdout) == (OK, b'{"written":2,"skipped":6}\n')
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == [f" skipped record {n}" for n in range(2, 8)]
    assert evdb.json("get", "s", "8")["records"][0]["metadata"] == {"s": "ok"}


def test_a_write_ahead_log_is_read_along_and_left_alone(evdb):
    os.mkdir(evdb.path("far"))
    db = plain(evdb.path("far/x.db"), [(i, packed(i, 1), i) for i in range(50)], "wal")
    assert os.path.getsize(evdb.path("far/x.db-wal")) > 0  # the rows are in it
    before = files(evdb.path("far"))
    words = ["import", "s", "far/x.db", "--table", "t", "--column", "v"]
    assert evdb.json(*words) == {"written": 50, "skipped": 0}
    shutil.copytree(evdb.path("far"), evdb.path("gone"))  # as a crash leaves it
    os.remove(evdb.path("gone/x.db-shm"))
    names = sorted(os.listdir(evdb.path("gone")))
    assert "open and close it once" in evdb.fails(BUSY, "import", "other", "gone/x.db", "--table", "t", "--column", "v")
    assert sorted(os.listdir(evdb.path("gone"))) == names
    assert files(evdb.path("far")) == before
    db.close()
    before = files(evdb.path("far"))
    assert evdb.json(*words, "--resume") == {"written": 0, "skipped": 0, "present": 50}
    assert files(evdb.path("far")) == before


def test_files_that_are_none_and_damaged_ones_are_refused(evdb, unpack):
    evdb.write("text.db", "hello")
    assert "not a SQLite file" in evdb.fails(INVALID, "import", "s", "text.db")
    evdb.write("empty.db", "")
    assert "not a SQLite file" in evdb.fails(INVALID, "import", "s", "empty.db")
    unpack("sqlite-vec-0.1.9")
    whole = evdb.path("v.db").read_bytes()
    rng = random.Random(7)
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(rng.randrange(1, 40)):
            broken[rng.randrange(100, len(broken))] = rng.randrange(256)
        evdb.write("broken.db", bytes(broken[:rng.choice([len(whole), rng.randrange(len(whole))])]))
        done = evdb.run("import", "s", "broken.db", "--table", "many", "--column", "emb", "--keep-going")
        assert done.returncode in (OK, INVALID, NOT_FOUND), (done.returncode, done.stderr)
        evdb.run("rm-store", "s")


def test_views_and_tables_of_other_modules_are_refused(evdb):
    db = plain(evdb.path("x.db"), [(1, packed(1, 2), None)])
    db.execute("CREATE VIEW w AS SELECT * FROM t")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(v)")
    db.commit()
    db.close()
    assert "is a view" in evdb.fails(INVALID, "import", "s", "x.db", "--table", "w")
    assert "another kind" in evdb.fails(INVALID, "import", "s", "x.db", "--table", "f")
    assert "there is no vec0 table" in evdb.fails(INVALID, "import", "s", "x.db")


def test_options_belong_to_the_formats_they_are_of(evdb):
    evdb.write("in.jsonl", '{"id":1,"vector":[1]}')
    assert "no tables" in evdb.fails(INVALID, "import", "s", "in.jsonl", "--table", "t")
    plain(evdb.path("x.db"), [(1, packed(1, 2), None)]).close()
    assert "companion" in evdb.fails(INVALID, "import", "s", "x.db", "--companion", "in.jsonl")


def test_python_describes_and_imports(evdb, unpack, tmp_path):
    expected = unpack("sqlite-vec-0.1.9")
    wanted = expected["stores"][0]
    with binding.open(tmp_path / "db") as db:
        with db.foreign(tmp_path / "v.db", "sqlite-vec", name="many", column="emb") as source:
            assert (source.records, source.dim, source.metric, source.dtype) == (51, 5, "cosine", "f32")
            store = db.create_store("s", dim=source.dim, metric=source.metric)
            assert store.import_foreign(source, batch=7).written == 51
            assert store.import_foreign(source, resume=True).present == 51
            with pytest.raises(binding.Exists):
                store.import_foreign(source)
        assert {record.id: record.metadata for record in store} == {r["id"]: r["metadata"] for r in wanted["records"]}
        with pytest.raises(binding.Invalid):
            store.import_foreign(source)
        with pytest.raises(binding.NotFound):
            db.foreign(tmp_path / "none.db", "sqlite-vec")
        with pytest.raises(binding.Invalid):
            db.foreign(tmp_path / "v.db", "sqlite")
