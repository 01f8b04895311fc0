"""test_chroma.py - collections in the directories of persistent Chromas."""
import random
import sqlite3

import pytest
from evdb_command import INVALID, NOT_FOUND, OK
from foreign_check import check, files

import evdb as binding


@pytest.mark.parametrize("name", ["chroma-0.5.23", "chroma-1.5.9"])
def test_frozen_collections_are_imported_and_their_directory_is_left_alone(evdb, unpack, name):
    expected = unpack(name)
    before = files(evdb.path("c"))
    check(evdb, expected)
    assert files(evdb.path("c")) == before


def test_collections_that_are_foreign_made_now_are_imported(evdb, make):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    check(evdb, make("make_chroma", seed))


def test_a_directory_is_taken_for_a_chroma_and_a_collection_must_be_said(evdb, unpack):
    unpack("chroma-1.5.9")
    assert "angles, few, squares" in evdb.fails(INVALID, "import", "s", "c")
    assert "there are angles, few, squares" in evdb.fails(NOT_FOUND, "import", "s", "c", "--collection", "none")
    assert "no tables" in evdb.fails(INVALID, "import", "s", "c", "--table", "few")
    assert "column" in evdb.fails(INVALID, "import", "s", "c", "--collection", "few", "--column", "x")
    with sqlite3.connect(evdb.path("c/chroma.sqlite3")) as db:
        identity = db.execute("SELECT id FROM collections WHERE name='few'").fetchone()[0]
    db.close()
    assert evdb.json("import", "s", "c", "--collection", identity)["skipped"] == 0
    assert not evdb.json("verify")["problems"]
    evdb.path("empty").mkdir()
    assert "chroma.sqlite3" in evdb.fails(NOT_FOUND, "import", "t", "empty")


def test_python_imports_a_collection(evdb, unpack, tmp_path):
    wanted = unpack("chroma-1.5.9")["stores"][0]
    with binding.open(tmp_path / "db") as db, db.foreign(tmp_path / "c", "chroma", name="squares") as source:
        assert (source.records, source.dim, source.metric) == (len(wanted["records"]), 5, "euclidean")
        store = db.create_store("s", metric=source.metric)
        assert store.import_foreign(source).written == source.records
        assert {record.id for record in store} == {record["id"] for record in wanted["records"]}


@pytest.mark.parametrize("sql, says", [
    ("DROP TABLE embeddings_queue", "no table embeddings_queue"),
    ("ALTER TABLE embeddings RENAME TO e; CREATE VIEW embeddings AS SELECT * FROM e", "no table embeddings"),
    ("UPDATE segments SET id='../../../../../../../../etc/' || rowid WHERE scope='VECTOR'", "no UUID"),
    ("UPDATE segments SET id=replace(id, '-', '/') WHERE scope='VECTOR'", "no UUID"),
    ("UPDATE segments SET type='urn:chroma:segment/vector/spann' WHERE scope='VECTOR'", "spann"),
    ("DELETE FROM segments WHERE scope='METADATA'", "lacks a segment"),
    ("UPDATE embeddings_queue SET encoding='INT32'", "INT32"),
    ("UPDATE embeddings_queue SET vector=x'00'", "1 bytes"),
    ("DELETE FROM embeddings_queue", "nowhere"),
    ("UPDATE max_seq_id SET seq_id=0", "has not applied"),
    ("UPDATE embedding_metadata SET float_value=9e999, int_value=NULL, string_value=NULL, bool_value=NULL", "not finite"),
])
def test_databases_of_another_layout_are_refused(evdb, unpack, sql, says):
    unpack("chroma-1.5.9")
    db = sqlite3.connect(evdb.path("c/chroma.sqlite3"))
    db.executescript(sql)
    db.close()
    done = evdb.run("import", "s", "c", "--collection", "squares")
    assert done.returncode != OK and says in done.stderr, done.stderr
    assert not evdb.path("data").exists() or evdb.json("ls") == {"stores": []}


@pytest.mark.parametrize("name", ["header.bin", "data_level0.bin", "length.bin", "index_metadata.pickle"])
def test_damaged_index_files_are_refused_or_read_as_they_are(evdb, unpack, name):
    unpack("chroma-0.5.23")
    db = sqlite3.connect(evdb.path("c/chroma.sqlite3"))
    segment = db.execute("SELECT s.id FROM segments s JOIN collections c ON s.collection=c.id WHERE scope='VECTOR' AND c.name='angles'").fetchone()[0]
    db.close()
    path = evdb.path(f"c/{segment}/{name}")
    whole = path.read_bytes()
    rng = random.Random(name)
    path.write_bytes(whole[:20])
    evdb.fails(INVALID, "import", "s", "c", "--collection", "angles")
    for _ in range(25):
        broken = bytearray(whole)
        for _ in range(rng.randrange(1, 20)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        path.write_bytes(broken[:rng.choice([len(whole), rng.randrange(len(whole))])])
        done = evdb.run("import", "s", "c", "--collection", "angles", "--keep-going")
        assert done.returncode in (OK, INVALID, 11), (done.returncode, done.stderr)
        evdb.run("rm-store", "s")
    path.unlink()
    assert evdb.run("import", "s", "c", "--collection", "angles").returncode != OK
