"""Repairs: what was salvaged comes back as it was, what is lost is told."""
from pathlib import Path

import numpy as np
import pytest

import evdb

PAGE, SCHEMA, RECORDS = 16384, 0, 4


def damage(directory, page):
    file = next(Path(directory).glob("stores/*/rows.db"))
    with open(file, "r+b") as opened:
        opened.seek((page + 1) * PAGE - 200)
        opened.write(b"\x5a" * 64)


@pytest.fixture
def filled(tmp_path, rng):
    with evdb.open(tmp_path / "db") as db:
        store = db.create_store("docs", dim=4, metric="l2")
        store.insert([f"id-{i}" for i in range(20)], rng.standard_normal((20, 4), dtype=np.float32), metadata=[{"n": i} for i in range(20)])
        was = [(r.id, r.version, r.vector.tobytes(), r.metadata) for r in store]
        assert not db.repair("docs").repaired
        store.sync()
    return tmp_path / "db", was


def test_a_store_that_does_not_open_comes_back_whole(filled):
    path, was = filled
    damage(path, SCHEMA)
    with evdb.open(path) as db:
        with pytest.raises(evdb.Corrupt):
            db.store("docs")
        report = db.repair("docs")
        assert report.repaired and report.problems and report.records == 20 and report.lost == [] and report.lost_unnamed == 0
        assert (path / report.quarantine / "rows.db").exists()
        assert [(r.id, r.version, r.vector.tobytes(), r.metadata) for r in db.store("docs")] == was
        assert db.verify().problems == []


def test_what_is_lost_is_told(filled):
    path, was = filled
    damage(path, RECORDS)
    with evdb.open(path) as db:
        report = db.repair("docs")
        assert report.records == 0 and report.lost == [evdb.LostRecord(id, "metadata") for id, *_ in was]

        def stop(phase, records):
            raise KeyError(phase)

        assert not db.repair("docs", progress=stop).repaired  # sound: nothing is written, and nobody asked
        with pytest.raises(evdb.NotFound):
            db.repair("missing")
