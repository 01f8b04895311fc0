"""ingest.py - durable inserts: evdb, while its index catches up, beside sqlite-vec, in turns in one run.

    ingest.py [--rows N|all] [--rounds N] [--out FOLDER] [FILE]

FILE: rows as NPY; fashion-mnist when there is none. evdb begins with a graph over half of the rows, 30,000 at most. Then batches
of 1, 100 and 1,000 rows go into both, one commit a batch, synced to disk: WAL and synchronous=FULL, as evdb has it. evdb is
searched between batches, every hundred rows at most, because searches are what its indexer follows: not timed, but the indexer's
threads run beside the inserts. sqlite-vec has no index. Rows a second of wall time, medians; the disk decides much of it, so only
ratios of one run tell something."""
import argparse
import importlib.util
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np

from peers import FASHION, images

BEFORE, BATCHES, EACH = 30000, (1, 100, 1000), {1: 300, 100: 6000, 1000: 10000}


class SqliteVec:
    def __init__(self, folder, base):
        import apsw
        import sqlite_vec

        self.database = apsw.Connection(str(folder / "sqlite-vec.db"))
        self.database.enable_load_extension(True)
        self.database.load_extension(sqlite_vec.loadable_path())
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute("PRAGMA synchronous=FULL")
        self.database.execute(f"CREATE VIRTUAL TABLE bench USING vec0(id INTEGER PRIMARY KEY, v FLOAT[{base.shape[1]}])")
        for at in range(0, len(base), 1000):
            self.insert(at, base[at:at + 1000])

    def insert(self, first, rows):
        with self.database:
            self.database.executemany("INSERT INTO bench(id, v) VALUES (?, ?)",
                                      ((first + i, row.tobytes()) for i, row in enumerate(rows)))

    def between(self, query):
        pass

    def end(self):
        self.database.close()


class Evdb:
    def __init__(self, folder, base):
        import evdb

        self.database = evdb.open(folder / "evdb")
        self.store = self.database.create_store("bench", dim=base.shape[1], metric="l2")
        for at in range(0, len(base), 1000):
            self.insert(at, base[at:at + 1000])
        self.catch_up()

    def insert(self, first, rows):
        self.store.insert(np.arange(first, first + len(rows)), rows)

    def between(self, query):
        self.store.search(query, 10)

    def waiting(self):
        return self.store.index.status()["waiting"]

    def catch_up(self):
        began = time.perf_counter()
        self.store.index.wait()
        return time.perf_counter() - began

    def end(self):
        self.database.close()


def ingest(into, first, rows, batch):
    """Seconds that inserting took."""
    seconds = 0
    for at in range(0, len(rows), batch):
        part = rows[at:at + batch]
        began = time.perf_counter()
        into.insert(first + at, part)
        seconds += time.perf_counter() - began
        if (at + batch) % 100 == 0:
            into.between(rows[0])
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", metavar="FILE")
    parser.add_argument("--rows", default="20000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", default="build/bench")
    options = parser.parse_args()
    missing = [module for module in ("apsw", "sqlite_vec") if not importlib.util.find_spec(module)]
    if missing or not (options.file or FASHION.exists()):
        print(f"ingest: skipped, there is no {missing[0] if missing else 'fashion-mnist, and no FILE was given'}")
        return
    rows = np.load(options.file, mmap_mode="r") if options.file else images("train-images-idx3-ubyte.gz")
    rows = np.ascontiguousarray(rows if options.rows == "all" else rows[:int(options.rows)], np.float32)
    before = min(BEFORE, len(rows) // 2)
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    name = options.file or "fashion-mnist"
    print(f"\n{name}: into {before:,} x {rows.shape[1]}, {options.rounds} rounds", flush=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        both = {name: kind(pathlib.Path(folder), rows[:before]) for name, kind in (("evdb", Evdb), ("sqlite-vec", SqliteVec))}
        print(f"{'':10}{'rows a second':>26}\n{'batch of':>10}{'evdb':>13}{'sqlite-vec':>13}{'ratio':>8}"
              f"{'not linked at the end':>24}{'until all is':>15}")
        first = before
        for batch in BATCHES:
            count = min(EACH[batch], len(rows) - before) // batch * batch
            speeds, waiting, behind = {name: [] for name in both}, [], []
            for turn in range(options.rounds if count else 0):
                # The same vectors come again under new ids: what an index makes of them is no less work.
                at = before + turn * count % max(len(rows) - before - count + 1, 1)
                for name, into in both.items():
                    speeds[name].append(count / ingest(into, first, rows[at:at + count], batch))
                    if name == "evdb":
                        waiting.append(into.waiting())
                        behind.append(into.catch_up())
                first += count
            if count:
                ours, theirs = (statistics.median(speeds[name]) for name in both)
                print(f"{batch:>10,}{ours:>13,.0f}{theirs:>13,.0f}{ours / theirs:>8.2f}"
                      f"{f'{statistics.median(waiting):,.0f} of {count:,}':>24}{statistics.median(behind):>13.1f} s", flush=True)
        for into in both.values():
            into.end()


if __name__ == "__main__":
    sys.exit(main())
