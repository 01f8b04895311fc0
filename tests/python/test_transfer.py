"""Export to files and import from them."""
import json
import os

import numpy as np
import pytest

import evdb


@pytest.fixture
def vectors(rng):
    return rng.standard_normal((300, 5), dtype=np.float32)


@pytest.fixture
def st(db, vectors):
    store = db.create_store("from", dim=5)
    store.insert(np.arange(300), vectors, [{"row": row, "text": "größe"} for row in range(300)])
    return store


def same(a, b):
    left, right = list(a), list(b)
    assert [(r.id, r.metadata_json, r.vector.tobytes()) for r in left] == [
        (r.id, r.metadata_json, r.vector.tobytes()) for r in right]
    return len(left)


@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson"])
def test_what_is_exported_is_imported_bit_for_bit(st, db, tmp_path, suffix):
    file = tmp_path / f"records.{suffix}"
    assert st.export_file(file) == 300
    other = db.create_store("to", dim=5)
    report = other.import_file(file, batch=70)
    assert (report.written, report.skipped, report.bad) == (300, 0, [])
    assert same(st, other) == 300 and os.listdir(tmp_path).count(file.name) == 1


@pytest.mark.parametrize("suffix", ["npy", "fvecs"])
def test_vectors_travel_with_a_companion(st, db, tmp_path, vectors, suffix):
    file, companion = tmp_path / f"v.{suffix}", tmp_path / "ids.jsonl"
    assert st.export_file(str(file), companion=companion) == 300
    if suffix == "npy":
        np.testing.assert_array_equal(np.load(file), vectors)
    other = db.create_store("to", dim=5)
    other.import_file(file, companion=companion)
    assert same(st, other) == 300
    numbered = db.create_store("numbered", dim=5)
    numbered.import_file(file, first_id=1000)
    assert numbered.get(1299).vector.tobytes() == vectors[299].tobytes()


def test_bytes_travel_as_bvecs(db, tmp_path):
    st = db.create_store("s", dim=3, metric="euclidean")
    st.insert([1, 2], [[0, 1, 255], [3, 2, 1]])
    st.export_file(tmp_path / "v.bvecs", companion=tmp_path / "ids.jsonl")
    assert (tmp_path / "v.bvecs").read_bytes() == b"\3\0\0\0\0\1\xff\3\0\0\0\3\2\1"
    other = db.create_store("t", dim=3, metric="euclidean")
    other.import_file(tmp_path / "v.bvecs", companion=tmp_path / "ids.jsonl")
    assert same(st, other) == 2


def test_string_ids_travel(db, tmp_path):
    st = db.create_store("s", dim=2)
    st.insert(["a", "ü"], [[1, 2], [3, 4]])
    st.export_file(tmp_path / "s.jsonl")
    other = db.create_store("t", dim=2)
    other.import_file(tmp_path / "s.jsonl")
    assert same(st, other) == 2


def test_numpy_saves_what_evdb_imports(db, tmp_path, vectors):
    np.save(tmp_path / "v.npy", vectors)
    st = db.create_store("to")
    assert st.import_file(tmp_path / "v.npy").written == 300 and st.describe().dim == 5


def lines(path, count, bad):
    with open(path, "w") as file:
        for i in range(count):
            vector = [1.0, float(i)] if i + 1 not in bad else [1.0]
            file.write(json.dumps({"id": i, "vector": vector}) + "\n")


def test_a_bad_line_is_reported_before_anything_is_written(db, tmp_path):
    lines(tmp_path / "x.jsonl", 3000, {2500})
    st = db.create_store("s", dim=2)
    with pytest.raises(evdb.Invalid) as caught:
        st.import_file(tmp_path / "x.jsonl")
    assert caught.value.item == 2500 and caught.value.written == 0 and st.count() == 0


def test_keep_going_leaves_bad_lines_out(db, tmp_path):
    lines(tmp_path / "x.jsonl", 100, {7, 50})
    st = db.create_store("s", dim=2)
    report = st.import_file(tmp_path / "x.jsonl", keep_going=True)
    assert (report.written, report.skipped) == (98, 2) and [bad.line for bad in report.bad] == [7, 50]
    assert report.bad[0].status == "INVALID" and report.bad[0].message
    told = []
    report = db.create_store("t", dim=2).import_file(tmp_path / "x.jsonl", keep_going=True, on_bad=told.append)
    assert [bad.line for bad in told] == [7, 50] and report.bad == []


def test_import_inserts_unless_told_to_upsert(st, tmp_path):
    st.export_file(tmp_path / "x.jsonl")
    with pytest.raises(evdb.Exists):
        st.import_file(tmp_path / "x.jsonl")
    assert st.import_file(tmp_path / "x.jsonl", upsert=True).written == 300 and st.count() == 300


def test_an_import_that_was_broken_off_is_resumed(st, db, tmp_path):
    file = tmp_path / "x.jsonl"
    st.export_file(file)
    other = db.create_store("to", dim=5)
    other.import_file(file)
    other.delete([7, 8])
    report = other.import_file(file, resume=True)
    assert (report.written, report.skipped, report.present) == (2, 0, 298) and same(st, other) == 300
    assert report == evdb.ImportReport(2, 0, [], 298)


def test_progress_tells_the_phases_and_may_stop(st, db, tmp_path):
    told = []
    file = tmp_path / "x.jsonl"
    st.export_file(file, progress=lambda phase, records: told.append(phase))
    other = db.create_store("to", dim=5)
    told.clear()
    other.import_file(file, batch=50, progress=lambda phase, records: told.append(phase))
    assert "write" in told

    class Enough(Exception):
        pass

    def stop(phase, records):
        raise Enough

    third = db.create_store("third", dim=5)
    with pytest.raises(Enough):
        third.import_file(file, batch=50, progress=stop)
    with pytest.raises(Enough):
        st.export_file(tmp_path / "y.jsonl", progress=stop)
    assert not (tmp_path / "y.jsonl").exists() and third.count() < 300


def test_an_exception_while_reporting_a_bad_line_arrives(db, tmp_path):
    lines(tmp_path / "x.jsonl", 10, {3})

    def refuse(bad):
        raise LookupError(bad.line)

    with pytest.raises(LookupError, match="3"):
        db.create_store("s", dim=2).import_file(tmp_path / "x.jsonl", keep_going=True, on_bad=refuse)


def test_files_that_cannot_be_are_refused(st, tmp_path):
    with pytest.raises(FileNotFoundError):
        st.import_file(tmp_path / "none.jsonl")
    with pytest.raises(FileNotFoundError):
        st.export_file(tmp_path / "none" / "x.jsonl")
    (tmp_path / "nameless").write_text("")
    with pytest.raises(evdb.Invalid, match="format"):
        st.import_file(tmp_path / "nameless")
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(evdb.Invalid):
            st.export_file(tmp_path / name)
    with pytest.raises(evdb.Error):
        (tmp_path / "torn.npy").write_bytes(b"\x93NUMPY\x01\x00")
        st.import_file(tmp_path / "torn.npy")
    assert st.export_file(tmp_path / "nameless", format="json") == 300


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_device_is_reported(st):
    with pytest.raises(OSError):
        st.export_file("/dev/full", format="jsonl")
