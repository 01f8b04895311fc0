"""storage.py - what a store takes on disk and in memory before and behind a codec, and what its searches then find.

    storage.py [--rows N|all] [--queries N] [--rounds N] [--metric l2|cosine] [--codecs 'i8 pq:96 ...'] [--effort N] [FILE...]

FILE as for peers.py; fashion-mnist when there is none. For each codec a store is filled as it is by default, given the codec, which
writes all vectors again, and its graph is built. Bytes are those of all files in the store's directory, of a database that was closed:
of the rows alone, ids, metadata and all, and with the index file. Savings are shares of what the store without a codec takes. Recall is
that of searches by the graph among the exact nearest of the vectors as they were; all stores are asked in turns, one query a call,
and the median of the rounds counts, in CPU time."""
import pathlib
import statistics
import sys
import tempfile
import time

import peer_libraries  # before numpy: it sets the number of threads  # noqa: F401
import numpy as np

from peers import K, arguments, nearest, vectors

CODECS = "none f16 i8 i4 zlib zstd zstd:1,dict i8+zstd i8:trained+zstd:1,dict pca pca:0.95+i8 pq opq rabitq"


def cpu(call):
    began = time.process_time()
    out = call()
    return time.process_time() - began, out


class Subject:
    """A store under one codec, in a database of its own."""

    def __init__(self, codec, folder, base, metric):
        self.codec, self.folder, self.times = codec, folder, []
        self.open()
        self.store = self.database.create_store("bench", metric=metric)
        for at in range(0, len(base), 1000):
            rows = base[at:at + 1000]
            self.store.insert(np.arange(at, at + len(rows)), rows)
        self.recoded = cpu(lambda: self.store.set_codec(codec, wait=True))[0]
        self.compression = self.store.compression()
        if self.compression.state != "settled":
            sys.exit(f"storage: {codec}: {self.compression}")
        self.rows_bytes = self.bytes_closed()
        self.linked = cpu(self.store.index.wait)[0]
        self.bytes = self.bytes_closed()

    def open(self):
        import evdb

        self.database = evdb.open(self.folder)

    def close(self):
        self.store.close()
        self.database.close()

    def bytes_closed(self):
        """Of all files of the store; closes and opens it."""
        self.close()
        size = sum(file.stat().st_size for file in (self.folder / "stores").rglob("*") if file.is_file())
        self.open()
        self.store = self.database.store("bench")
        return size

    def ask(self, queries, truth, effort):
        seconds, found = cpu(lambda: [self.store.search(query, K, effort).ids for query in queries])
        self.times.append(seconds)
        self.recall = sum(len(np.intersect1d(row, true)) for row, true in zip(found, truth)) / truth.size


HEADS = ("rows", "saved", "directory", "saved", "memory", "shared", "recall@10", "search us", "recode s", "link s")


def show(subjects, plain, count, queries):
    print(f"{'':22}" + "".join(f"{head:>10}" for head in HEADS) + "    (bytes a vector; times of the CPU)")
    for one in subjects:
        cells = [f"{one.rows_bytes / count:.0f}", f"{1 - one.rows_bytes / plain.rows_bytes:.1%}", f"{one.bytes / count:.0f}",
                 f"{1 - one.bytes / plain.bytes:.1%}", f"{one.store.stats()['memory_bytes'] / count:.0f}",
                 f"{one.compression.trained_bytes / 1024:.0f}K", f"{one.recall:.4f}", f"{statistics.median(one.times) / queries * 1e6:.0f}",
                 f"{one.recoded:.1f}", f"{one.linked:.1f}"]
        print(f"{one.codec:22}" + "".join(f"{cell:>10}" for cell in cells), flush=True)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--codecs", default=CODECS)
    parser.add_argument("--effort", type=int)
    options = parser.parse_args()
    found = vectors("storage", options)
    if not found:
        return
    _, base, queries, metric, _, title = found
    truth = nearest(base, queries, metric)
    print(f"\n{title}; {options.rounds} rounds", flush=True)
    names = ["none", *(name for name in options.codecs.split() if name != "none")]
    with tempfile.TemporaryDirectory() as folder:
        subjects = [Subject(name, pathlib.Path(folder) / str(i), base, metric) for i, name in enumerate(names)]
        for _ in range(options.rounds):
            for one in subjects:
                one.ask(queries, truth, options.effort)
        show(subjects, subjects[0], len(base), len(queries))
        for one in subjects:
            one.close()


if __name__ == "__main__":
    main()
