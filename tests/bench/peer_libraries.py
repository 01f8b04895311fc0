"""peer_libraries.py - evdb and other libraries behind one face, each in a process of its own.

    peer_libraries.py NAME FOLDER METRIC     builds NAME's index over FOLDER/base.npy on one thread, then serves

Lines of JSON on standard output and input: first what building took, then for each line {"effort": e, "batch": bool} the CPU
seconds of one pass over FOLDER/query.npy and its recall against FOLDER/truth.npy.

Degree 32 at the bottom (M = 16) and construction effort 200 for all. Under cosine, base and queries have unit length, and
libraries without that metric use the inner product."""
import ctypes
import gc
import json
import os
import pathlib
import re
import sys
import time

os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
import numpy as np

K, M, CONSTRUCTION = 10, 16, 200
EFFORTS = [10, 14, 20, 30, 45, 65, 100, 150, 230, 350, 520, 800]


class Evdb:
    """The durable store, SQLite and all: rows are inserted by the thousand, and its graph is waited for."""

    def __init__(self, base, metric, folder):
        import evdb

        self.database = evdb.open(folder / "evdb")
        self.store = self.database.create_store(
            "bench", dim=base.shape[1], metric=metric, index={"m": M, "ef_construction": CONSTRUCTION, "threads": 1})
        for at in range(0, len(base), 1000):
            rows = base[at:at + 1000]
            self.store.insert(np.arange(at, at + len(rows)), rows)
        self.store.index.wait()

    def one(self, query, effort):
        return self.store.search(query, K, effort).ids

    def batch(self, queries, effort):
        return self.store.search_batch(queries, K, effort).ids


class Hnswlib:
    def __init__(self, base, metric, folder):
        import hnswlib

        self.index = hnswlib.Index(space="l2" if metric == "l2" else "ip", dim=base.shape[1])
        self.index.init_index(max_elements=len(base), M=M, ef_construction=CONSTRUCTION, random_seed=1)
        self.index.add_items(base, num_threads=1)

    def one(self, query, effort):
        self.index.set_ef(effort)
        return self.index.knn_query(query, k=K, num_threads=1)[0][0]

    def batch(self, queries, effort):
        self.index.set_ef(effort)
        return self.index.knn_query(queries, k=K, num_threads=1)[0]


class Usearch:
    def __init__(self, base, metric, folder):
        from usearch.index import Index

        self.index = Index(ndim=base.shape[1], metric="l2sq" if metric == "l2" else "ip", dtype="f32", connectivity=M,
                           expansion_add=CONSTRUCTION, enable_key_lookups=False)
        self.index.add(np.arange(len(base)), base, threads=1)

    def one(self, query, effort):
        self.index.expansion_search = effort
        return self.index.search(query, K, threads=1).keys

    batch = one


class Faiss:
    def __init__(self, base, metric, folder):
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = faiss.IndexHNSWFlat(base.shape[1], M, faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = CONSTRUCTION
        self.index.add(base)

    def one(self, query, effort):
        self.index.hnsw.efSearch = effort
        return self.index.search(query[None], K)[1][0]

    def batch(self, queries, effort):
        self.index.hnsw.efSearch = effort
        return self.index.search(queries, K)[1]


class SymphonyQG:
    """It cannot be changed once it is built: what a graph costs that need not."""

    def __init__(self, base, metric, folder):
        from rabitqlib import SymqgIndex

        self.index = SymqgIndex(base.shape[1], 2 * M, "l2" if metric == "l2" else "ip")
        self.index.build(base, CONSTRUCTION, num_threads=1)

    def one(self, query, effort):
        return self.index.search(query[None], K, effort, num_threads=1)[0][0]

    def batch(self, queries, effort):
        return self.index.search(queries, K, effort, num_threads=1)[0]


LIBRARIES = {"evdb": Evdb, "hnswlib": Hnswlib, "symphonyqg": SymphonyQG, "faiss": Faiss, "usearch": Usearch}
MODULES = {"evdb": "evdb", "hnswlib": "hnswlib", "symphonyqg": "rabitqlib", "faiss": "faiss", "usearch": "usearch"}


def resident():
    """Bytes that are this process's alone: anonymous, or of a file and changed. What malloc holds without need is given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    os.sync()  # pages of a file just written count as changed until they are on disk
    total = 0
    for mapping in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", pathlib.Path("/proc/self/smaps").read_text()):
        kb = dict(re.findall(r"(?m)^(Anonymous|Private_Dirty): +(\d+) kB", mapping))
        total += max(map(int, kb.values()), default=0) * 1024
    return total


def recall(found, truth):
    return sum(len(np.intersect1d(row[:K], true[:K])) for row, true in zip(found, truth)) / (K * len(truth))


def tell(**what):
    print(json.dumps(what), flush=True)


def main(name, folder, metric):
    folder = pathlib.Path(folder)
    # Mapped: the rows a library is given are no memory of its own, only what it makes of them.
    base, queries, truth = (np.asarray(np.load(folder / f"{part}.npy", mmap_mode="r")) for part in ("base", "query", "truth"))
    __import__(MODULES[name])
    before, began = resident(), time.process_time()
    library = LIBRARIES[name](base, metric, folder)
    build = time.process_time() - began
    for query in queries:
        library.one(query, EFFORTS[0])
    tell(build=build, bytes=(resident() - before) / len(base))
    for line in sys.stdin:
        asked = json.loads(line)
        effort = asked["effort"]
        began = time.process_time()
        found = library.batch(queries, effort) if asked["batch"] else [library.one(query, effort) for query in queries]
        tell(seconds=time.process_time() - began, recall=recall(found, truth))


if __name__ == "__main__":
    main(*sys.argv[1:])
