"""Threads, other processes, forks."""
import copy
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import evdb


def test_threads_share_a_store(db, rng):
    st = db.create_store("s", dim=8)
    vectors = rng.standard_normal((400, 8), dtype=np.float32)

    def insert(part):
        for i in range(part, 400, 4):
            st.insert(i, vectors[i], {"part": part})
            assert st.get(i).metadata == {"part": part}
            assert i in st.search(vectors[i], k=3).ids

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(insert, range(4)))
    assert st.count() == 400 and sorted(c.sequence for c in st.changes()) == list(range(1, 401))
    for i in range(400):
        assert st.get(i).vector.tobytes() == vectors[i].tobytes()
    assert db.verify().problems == []


def test_closing_while_others_search_is_safe(path, rng):
    db = evdb.open(path)
    st = db.create_store("s", dim=64)
    st.insert(np.arange(5000), rng.standard_normal((5000, 64), dtype=np.float32))
    query = rng.standard_normal(64, dtype=np.float32)
    searched, refused = threading.Barrier(4), []

    def search():
        st.search(query)
        searched.wait()
        try:
            while True:
                assert len(st.search(query, k=5).ids) == 5
        except evdb.Invalid as why:
            refused.append(str(why))

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    searched.wait()
    db.close()
    for thread in threads:
        thread.join()
    assert refused == ["the store is closed"] * 3


WRITER = """
import sys, evdb, numpy as np
with evdb.open(sys.argv[1]) as db:
    st = db.store("s")
    for line in sys.stdin:
        i = int(line)
        st.insert(i, np.full(4, i + 1, np.float32), {"i": i})
        print(i, flush=True)
"""


def test_another_process_s_writes_are_seen_at_the_next_call(db, path, tree):
    st = db.create_store("s", dim=4, metric="l2")
    environment = dict(os.environ, PYTHONPATH=str(tree / "bindings" / "python"))
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], env=environment, text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as writer:
        after = 0
        for i in range(30):
            writer.stdin.write(f"{i}\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == f"{i}\n"
            assert st.get(i).metadata == {"i": i} and st.count() == 2 * i + 1
            assert st.search([i + 1] * 4, k=1).ids.tolist() == [i]
            st.insert(1000 + i, [-1, -1, -1, -i])
            page = st.changes(after)
            assert [(c.kind, c.id) for c in page] == [("put", i), ("put", 1000 + i)]
            after = page.last
        writer.stdin.close()
        assert writer.wait() == 0
    assert db.verify().problems == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_is_told_that_the_handle_is_its_parent_s(run, path):
    source = """
import os, sys, evdb
db = evdb.open(sys.argv[1])
st = db.create_store("s", dim=2)
st.insert(1, [1, 2])
st.search([1, 2])
cut = st.records()
child = os.fork()
if child == 0:
    told = 0
    for call in (lambda: st.get(1), lambda: st.search([1, 2]), lambda: st.insert(2, [1, 2]), lambda: next(cut),
                 lambda: db.stores(), lambda: db.store("s")):
        try:
            call()
        except evdb.Forked:
            told += 1
    del cut
    db.close()
    with evdb.open(sys.argv[1]) as mine:
        mine.store("s").insert(3, [5, 6])
    os._exit(told)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), [r.id for r in st], [p.text for p in db.verify().problems])
st.insert(4, [1, 2])
db.close()
"""
    assert run(source, path).strip() == "6 [1, 3] []"


def test_two_handles_of_one_process_share_a_store(path):
    with evdb.open(path) as one, evdb.open(path) as two:
        a, b = one.create_store("s", dim=2), two.store("s")
        a.insert(1, [1, 2])
        b.insert(2, [3, 4])
        assert len(a) == len(b) == 2 and a.search([3, 4], k=1).ids.tolist() == [2]
        one.close()
        assert b.get(1).id == 1


def test_the_process_may_end_with_everything_open(run, path):
    source = """
import sys, threading, evdb
db = evdb.open(sys.argv[1])
st = db.create_store("s", dim=2)
st.insert([1, 2], [[1, 2], [3, 4]])
result, records = st.search([1, 2]), iter(st)
next(records)
held = [st._handle, db._handle, sys]
held.append(held)
def search():
    try:
        while True:
            st.search([1, 2])
    except evdb.Invalid:
        pass
threading.Thread(target=search, daemon=True).start()
print("done")
"""
    assert run(source, path) == "done\n"
    with evdb.open(path) as db:
        assert db.verify().problems == [] and db.store("s").count() == 2


@pytest.mark.parametrize("copied", [copy.deepcopy, pickle.dumps])
def test_what_is_open_cannot_be_copied_elsewhere(db, copied):
    store = db.create_store("s", dim=4)
    store.insert([1, 2], [[1, 0, 0, 0], [0, 1, 0, 0]])
    for thing in store, store.search([1, 0, 0, 0]):
        with pytest.raises(TypeError, match="pickled"):
            copied(thing)  # a second owner would release it a second time
    assert copied(store.get(1))
