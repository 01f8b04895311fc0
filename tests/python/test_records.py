"""Writing, reading, updating, deleting and iterating over records."""
import json

import numpy as np
import pytest

import evdb
from evdb import _abi, _batch


@pytest.fixture
def st(db):
    return db.create_store("s", dim=4)


def eye(count):
    return np.eye(4, dtype=np.float32)[np.arange(count) % 4]


ID_FORMS = {
    "int64": np.array([5, -3, 2**62]), "int32": np.array([5, -3, 9], np.int32), "uint8": np.array([5, 3, 9], np.uint8),
    "reversed": np.array([9, 3, 5])[::-1], "range": range(5, 11, 2), "list": [5, -3, 2**63 - 1], "tuple": (5, -3, 9),
    "generator": (i for i in (5, 6, 7)), "numpy scalars": [np.int64(5), np.int32(6), 7],
    "str": ["a", "übung", "5"], "numpy str": np.array(["a", "bc", "d"]), "object": np.array(["a", "b", "cd"], object),
    "long": ["x" * 512, "y", "z" * 511],
}


@pytest.mark.parametrize("form", ID_FORMS)
def test_ids_come_back_as_what_they_were(st, form):
    ids = list(ID_FORMS[form]) if form == "generator" else ID_FORMS[form]
    written = st.insert(iter(ids) if form == "generator" else ids, eye(3))
    assert written.count == 3 and written.versions.tolist() == [1, 2, 3]
    plain = [str(i) if isinstance(i, str) else int(i) for i in ids]
    found = [record.id for record in st]
    assert found == sorted(plain, key=lambda i: i.encode() if isinstance(i, str) else i)
    assert set(map(type, found)) == {type(plain[0])}
    for position, id in enumerate(ids):
        record = st.get(id)
        assert record.id == plain[position] and record.version == position + 1 and id in st
        assert record.vector.dtype == np.float32 and record.vector.tolist() == eye(3)[position].tolist()


def test_an_integer_store_reads_decimals_and_a_string_store_numbers(st, db):
    st.insert([17], eye(1))
    assert st.get("17").id == 17
    strings = db.create_store("t", dim=4, id_type="string")
    strings.insert([17, "b"], eye(2))
    assert strings.get(17).id == "17" and strings.describe().id_type == "string"


@pytest.mark.parametrize("ids, error", [
    ([1, "a"], evdb.Invalid), ([1, 2**63], evdb.Invalid), (np.array([1, 2**63], np.uint64), evdb.Invalid),
    ([1, 2.5], TypeError), ([1, True], TypeError), ([1, None], TypeError), (np.array([1.0, 2.0]), TypeError),
    (np.array([[1, 2]]), evdb.Invalid), (["a", ""], evdb.Error), (["a", "x" * 513], evdb.Error),
    (["a", "b\0c"], evdb.Invalid), (["a", "\ud800"], evdb.Invalid), ([1, 1], evdb.Exists),
])
def test_ids_that_cannot_be_are_refused_whole(st, ids, error):
    with pytest.raises(error) as caught:
        st.insert(ids, eye(2))
    if isinstance(caught.value, evdb.Error) and np.ndim(ids) == 1:
        assert caught.value.item == 1
    assert st.count() == 0


def test_one_record_needs_no_lists(st):
    assert st.insert(1, [1, 0, 0, 0], {"n": 1}).count == 1
    assert st.upsert(1, (0, 1, 0, 0), {"n": 2}, if_versions=1).versions.tolist() == [2]
    st.update(1, metadata='{"n": 3}')
    assert st.get(1).metadata == {"n": 3} and st.get(1).vector.tolist() == [0, 1, 0, 0]
    st.update(1, np.float32([0, 0, 1, 0]))
    assert st.get(1).metadata == {"n": 3} and st.get(1).vector.tolist() == [0, 0, 1, 0]
    assert st.delete(1).count == 1 and 1 not in st


def test_a_missing_record_is_a_key_error(st):
    st.insert(5, [1, 2, 3, 4])
    with pytest.raises(KeyError, match="99"):
        st.get(99)
    for call in (st.delete, lambda ids: st.update(ids, metadata=[{}, {}])):
        with pytest.raises(evdb.NotFound) as caught:
            call([5, 99])
        assert caught.value.item == 1 and 5 in st


METADATA = [
    {}, {"a": None, "b": [1, 2.5, "drei"], "c": {"d": True}}, {"unicode": "größe \u4e2d\U0001f600", "quote": '"\\\n'},
    {"big": 2**60, "small": -1e-300}, {"numpy": np.float32(0.5), "array": np.arange(3)},
]


def test_metadata_comes_back_as_json_has_it(st):
    st.insert(range(5), eye(5), METADATA)
    for id, metadata in enumerate(METADATA):
        plain = {"numpy": 0.5, "array": [0, 1, 2]} if "numpy" in metadata else metadata
        assert st.get(id).metadata == plain == json.loads(st.get(id).metadata_json)


def test_metadata_text_keeps_its_digits_and_none_is_empty(st):
    st.insert([1, 2, 3], eye(3), ['{"n": 1.10, "big": 9223372036854775807}', None, {"x": 1}])
    assert st.get(1).metadata_json == '{"n":1.10,"big":9223372036854775807}'
    assert [st.get(i).metadata for i in (2, 3)] == [{}, {"x": 1}]


@pytest.mark.parametrize("bad", [
    {"n": float("nan")}, {"n": float("inf")}, {"n": object()}, "[1]", "{", '{"a":1}x', "nul\0", {"s": "\ud800"},
    "[" * 70 + "]" * 70, '{"a":' * 70 + "1" + "}" * 70, {"n": 2**64}, 5,
], ids=lambda bad: repr(bad)[:20])
def test_bad_metadata_is_refused_by_item(st, bad):
    with pytest.raises(evdb.Error) as caught:
        st.insert([1, 2], eye(2), [{}, bad])
    assert caught.value.status in ("INVALID", "LIMIT") and caught.value.item == 1 and st.count() == 0


def test_lengths_must_agree(st):
    with pytest.raises(evdb.Invalid, match="3 ids but 2 vectors"):
        st.insert([1, 2, 3], eye(2))
    with pytest.raises(evdb.Invalid, match="2 ids but 1 items of metadata"):
        st.insert([1, 2], eye(2), [{}])
    with pytest.raises(evdb.Invalid, match="if_versions"):
        st.upsert([1, 2], eye(2), if_versions=[1])
    with pytest.raises(TypeError, match="sequence"):
        st.insert([1, 2], eye(2), {"a": 1})


def test_vectors_of_any_layout_and_number_are_stored(st, rng):
    wide = rng.standard_normal((12, 9), dtype=np.float32)
    forms = [wide[:3, :4], wide[::4, 2:6], wide[::-4, :4], wide[:3, ::2][:, :4], np.asfortranarray(wide[:3, :4]),
             np.broadcast_to(wide[0, :4], (3, 4)), wide[:3, :4].astype(">f4"), wide[:3, :4].astype(np.float64),
             (wide[:3, :4] * 100).astype(np.int16), wide[:3, :4].astype(np.float16), wide[:3, :4].tolist(),
             np.lib.stride_tricks.sliding_window_view(wide[0], 4)[:3]]
    for form in forms:
        before = np.array(form, copy=True)
        st.upsert([1, 2, 3], form)
        np.testing.assert_array_equal([st.get(i).vector for i in (1, 2, 3)], np.asarray(form, dtype=np.float32))
        np.testing.assert_array_equal(form, before)


def test_read_only_and_unaligned_vectors_are_stored(st):
    st.insert([1], np.frombuffer(eye(1).tobytes(), np.float32).reshape(1, 4))
    block = np.frombuffer(b"x" + eye(2).tobytes(), np.uint8)[1:].view(np.float32).reshape(2, 4)
    assert not block.flags.aligned
    st.insert([2, 3], block)
    assert st.get(3).vector.tolist() == eye(2)[1].tolist()


@pytest.mark.parametrize("vectors, error", [
    ([[1, 0, 0, 0], [1, 0, 0]], Exception), (np.ones((2, 3)), evdb.Invalid), (np.ones((2, 2, 2)), evdb.Invalid),
    (np.ones(2), evdb.Invalid), ([["1", "2", "3", "4"]] * 2, TypeError), (np.ones((2, 4), complex), TypeError),
])
def test_vectors_of_the_wrong_shape_or_kind_are_refused(st, vectors, error):
    with pytest.raises(error):
        st.insert([1, 2], vectors)
    assert st.count() == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_numbers_that_are_not_finite_are_refused_by_item(st, bad):
    vectors = np.ones((3, 4))
    vectors[2, 1] = bad
    with pytest.raises(evdb.Invalid) as caught:
        st.insert([1, 2, 3], vectors)
    assert caught.value.item == 2 and st.count() == 0


def test_a_zero_vector_is_refused_under_cosine(st, db):
    with pytest.raises(evdb.Invalid) as caught:
        st.insert([1, 2], [[1, 0, 0, 0], [0, 0, 0, 0]])
    assert caught.value.item == 1
    db.create_store("l2", dim=4, metric="l2").insert([1], [[0, 0, 0, 0]])


def test_partial_writes_the_good_and_lists_the_bad(st):
    st.insert([5], eye(1))
    vectors = np.ones((4, 4), np.float32)
    vectors[2] = np.nan
    written = st.insert([4, 5, 6, 7], vectors, partial=True)
    assert written.count == 2 and written.failed == {1: "EXISTS", 2: "INVALID"}
    assert [r.id for r in st] == [4, 5, 7]
    gone = st.delete([4, 6], partial=True)
    assert gone.count == 1 and gone.failed == {1: "NOT_FOUND"}


def test_a_version_that_moved_on_is_a_conflict(st):
    versions = st.insert([1, 2], eye(2)).versions
    st.upsert(2, eye(1)[0])
    with pytest.raises(evdb.Conflict) as caught:
        st.update([1, 2], metadata=[{"a": 1}, {"a": 2}], if_versions=versions)
    assert caught.value.item == 1 and st.get(1).metadata == {}
    with pytest.raises(evdb.Conflict):
        st.delete(2, if_versions=versions[1])
    assert st.delete([1, 2], if_versions=[versions[0], 0]).count == 2


def test_nothing_is_written_successfully(st):
    assert st.insert([], np.empty((0, 4), np.float32)).count == 0
    assert st.delete([]).count == 0


def test_a_large_call_is_several_commits(st):
    count = 2 * _abi.BATCH_MAX + 5
    vectors = np.ones((count, 4), np.float32)
    written = st.insert(np.arange(count), vectors)
    assert written.count == count == len(st) and written.versions.tolist() == list(range(1, count + 1))
    with pytest.raises(evdb.Exists) as caught:
        st.insert(np.arange(count)[::-1] + count - 5, vectors)
    assert (caught.value.item, caught.value.written) == (2 * _abi.BATCH_MAX, 2 * _abi.BATCH_MAX)
    assert len(st) == count + 2 * _abi.BATCH_MAX


def test_a_large_call_of_strings_is_several_commits(st):
    ids = [f"id-{i}" for i in range(_abi.BATCH_MAX + 7)]
    st.insert(ids, np.ones((len(ids), 4), np.float32), [{"i": i} for i in range(len(ids))])
    assert st.get(ids[-1]).metadata == {"i": len(ids) - 1} and len(st) == len(ids)
    assert st.delete(ids).count == len(ids)


def test_commits_respect_the_limit_of_bytes(monkeypatch):
    monkeypatch.setattr(_abi, "BATCH_BYTES_MAX", 100)
    rows = np.ones((7, 4), np.float32)
    assert _batch.Batch(_abi.INSERT, range(7), rows, None, None, False).spans() == [(0, 6), (6, 7)]
    texts = ["{}", '{"a":"%s"}' % ("x" * 200), None, "{}", "{}", "{}", "{}"]
    spans = _batch.Batch(_abi.INSERT, range(7), rows, texts, None, False).spans()
    assert spans == [(0, 1), (1, 2), (2, 7)]


def test_iteration_takes_what_it_is_asked_for(st):
    st.insert([3, 1, 2], eye(3), [{"n": i} for i in (3, 1, 2)])
    assert [(r.id, r.metadata["n"]) for r in st] == [(1, 1), (2, 2), (3, 3)]
    assert [r.vector for r in st.records(vectors=False)] == [None] * 3
    assert [r.id for r in st.records(after=1)] == [2, 3] and list(st.records(after=3)) == []


def test_iteration_sees_each_lasting_record_once_while_others_change(st):
    st.insert(np.arange(0, 3000, 2), np.ones((1500, 4), np.float32))
    seen = []
    for record in st.records(vectors=False):
        seen.append(record.id)
        if len(seen) % 100 == 0:
            st.delete(int(record.id))
            st.insert(int(record.id) + 1, [1, 2, 3, 4])
    assert [i for i in seen if i % 2 == 0] == list(range(0, 3000, 2)) and len(set(seen)) == len(seen)


def test_changes_follow_every_write(st):
    st.insert([1, 2], eye(2))
    st.update(1, metadata={"a": 1})
    st.delete(2)
    page = st.changes()
    assert [tuple(c) for c in page] == [(1, "put", 1), (2, "put", 2), (3, "update", 1), (4, "delete", 2)]
    assert page.last == 4 and st.changes(4).last == 4 and len(st.changes(4)) == 0
    assert [c.sequence for c in st.changes(1, limit=2)] == [2, 3]
    assert st.stats()["sequence"] == 4
    st.trim_changes(3)
    with pytest.raises(evdb.Gone):
        st.changes(0)
    assert st.changes(page.last - 1)[0].kind == "delete"
    with pytest.raises(evdb.Invalid):
        st.changes(-1)


def test_stats_count_what_is_there(st, rng):
    st.insert(np.arange(100), rng.standard_normal((100, 4), dtype=np.float32))
    st.search([1, 0, 0, 0])
    stats = st.stats()
    assert stats["records"] == 100 == stats["loaded_sequence"] and stats["memory_bytes"] >= 100 * 16
    assert stats["disk_bytes"] >= 100 * 16


def test_members_of_metadata_change_one_by_one(st):
    st.insert(1, [1, 2, 3, 4], '{"n":1.50,"lang":"en","o":{"a":1,"b":2}}')
    record = st.update_metadata(1, {"lang": None, "o": {"b": 3}})
    assert (record.id, record.vector, record.version) == (1, None, 2)
    assert record.metadata_json == '{"n":1.50,"o":{"a":1,"b":3}}' == st.get(1).metadata_json
    with pytest.raises(evdb.Conflict):
        st.update_metadata(1, {}, if_version=1)
    with pytest.raises(evdb.NotFound):
        st.update_metadata(2, {})
    with pytest.raises(evdb.Invalid):
        st.update_metadata(1, "[]")
