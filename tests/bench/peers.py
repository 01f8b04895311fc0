"""peers.py - evdb beside other libraries, in turns in one run.

    peers.py [--rows N|all] [--queries N] [--rounds N] [--metric l2|cosine] [--batch] [--only NAME,...] [FILE...]

FILE: an HDF5 file with `train` and `test`, or two NPY files, base and queries; fashion-mnist when there is none. Each library
builds on one thread in a process of its own. Then all are asked in turns, one after the other, effort by effort; the median of
the rounds counts. Speeds are queries per CPU-second: others on the machine disturb them little, and only the ratios of one run
tell something. Prints a table and draws build/bench/peers-NAME.svg."""
import argparse
import gzip
import importlib.util
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from peer_libraries import EFFORTS, K, LIBRARIES, MODULES
from peer_plot import svg

RECALLS = (0.90, 0.95, 0.99)
ENOUGH = 0.997  # dearer efforts tell nothing
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")
# What evdb has to reach, in multiples of hnswlib: speed at recall 0.95 and 0.99 at least, bytes a vector and build CPU at most.
FLOORS = {"fashion-mnist": (3.0, 4.0, 0.75, 0.75), "minilm": (4.0, 4.0, 0.65, 0.75), "glove": (3.5, 3.0, 0.9, 0.75)}
FLOOR = (3.0, 3.0, 0.9, 0.75)


def images(name):
    with gzip.open(FASHION / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)


def load(files):
    """The name of the data, its base, its queries, and the metric it was made for, if it says."""
    if not files:
        return "fashion-mnist", images("train-images-idx3-ubyte.gz"), images("t10k-images-idx3-ubyte.gz"), "l2"
    name = pathlib.Path(files[0]).name.split(".")[0]
    if len(files) == 2:
        return name, *(np.load(file, mmap_mode="r") for file in files), None
    if not importlib.util.find_spec("h5py"):
        sys.exit(f"peers: {files[0]}: reading HDF5 needs the module h5py")
    import h5py

    with h5py.File(files[0]) as file:
        metric = {"euclidean": "l2", "angular": "cosine"}.get(file.attrs.get("distance"))
        return name, file["train"][:], file["test"][:], metric


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-30))


def nearest(base, queries, metric):
    """The exact K nearest of each query."""
    squares = np.einsum("ij,ij->i", base, base) if metric == "l2" else 0
    out = np.empty((len(queries), K), np.int64)
    for at in range(0, len(queries), 100):
        distances = squares - 2 * queries[at:at + 100] @ base.T
        best = np.argpartition(distances, K - 1, 1)[:, :K]
        out[at:at + 100] = np.take_along_axis(best, np.argsort(np.take_along_axis(distances, best, 1), 1), 1)
    return out


class Peer:
    """A library in its process. Idle, it waits for a line and costs nothing."""

    def __init__(self, name, folder, metric):
        self.name = name
        self.points = {}  # effort -> (recall, [seconds of each round])
        command = [sys.executable, pathlib.Path(__file__).with_name("peer_libraries.py"), name, folder, metric]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.built = self.hear()

    def hear(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def wants(self, effort):
        return self.built and not any(recall >= ENOUGH and at < effort for at, (recall, _) in self.points.items())

    def run(self, effort, batch):
        self.process.stdin.write(json.dumps({"effort": effort, "batch": batch}) + "\n")
        self.process.stdin.flush()
        answer = self.hear()
        if not answer:
            self.built = None
            return
        self.points.setdefault(effort, (answer["recall"], []))[1].append(answer["seconds"])

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def curve(self, queries):
        return [(recall, queries / statistics.median(seconds)) for recall, seconds in self.points.values()]


def speed_at(curve, wanted):
    """Queries a second at a recall: between the two nearest points of those that no other beats, on a logarithmic scale."""
    front = []
    for recall, speed in sorted(curve, reverse=True):
        if not front or speed > front[-1][1]:
            front.append((recall, speed))
    front.reverse()
    if not front or front[-1][0] < wanted:
        return None
    if front[0][0] >= wanted:
        return front[0][1]
    for (r0, s0), (r1, s1) in zip(front, front[1:]):
        if r0 < wanted <= r1:
            share = (wanted - r0) / (r1 - r0)
            return math.exp((1 - share) * math.log(s0) + share * math.log(s1))
    return None


def measure(names, folder, metric, options):
    peers = []
    for name in names:
        if not importlib.util.find_spec(MODULES[name]):
            print(f"  {name}: skipped, not installed")
            continue
        peer = Peer(name, str(folder), metric)
        print(f"  {name}: " + (f"built in {peer.built['build']:.1f} CPU-seconds" if peer.built else "failed"), flush=True)
        peers.append(peer)
    for _ in range(options.rounds):
        for effort in EFFORTS:
            for peer in peers:
                if peer.wants(effort):
                    peer.run(effort, options.batch)
    for peer in peers:
        peer.end()
    return [peer for peer in peers if peer.built]


def table(peers, queries):
    """One row a library: its figures, and what they are in multiples of hnswlib's."""
    rows = {peer.name: [*(speed_at(peer.curve(queries), recall) for recall in RECALLS), peer.built["bytes"], peer.built["build"]]
            for peer in peers}
    norm = rows.get("hnswlib", [None] * 5)
    print(f"\n{'':12}{'queries per CPU-second at recall':>34}{'bytes per':>12}{'build':>9}    {'in multiples of hnswlib':>32}")
    print(f"{'':12}" + "".join(f"{recall:>11.2f}" for recall in RECALLS) + f"{'vector':>13}{'CPU s':>9}    " +
          "".join(f"{word:>8}" for word in ("0.90", "0.95", "0.99", "bytes", "build")))
    for name, row in rows.items():
        cells = [f"{'-' if value is None else format(value, ',.0f'):>{width}}" for value, width in zip(row[:4], (11, 11, 11, 13))]
        ratios = [value / other if value is not None and other else None for value, other in zip(row, norm)]
        print(f"{name:12}" + "".join(cells) + f"{row[4]:>9.1f}    " +
              "".join(f"{'-' if ratio is None else format(ratio, '.2f'):>8}" for ratio in ratios))
    return rows


def judge(name, rows):
    if not {"evdb", "hnswlib"} <= rows.keys():
        return
    floor = next((floor for part, floor in FLOORS.items() if part in name.lower()), FLOOR)
    print(f"\nfloors of evdb on {name}, in multiples of hnswlib:")
    kinds = (("speed at 0.95", 1, True), ("speed at 0.99", 2, True), ("bytes per vector", 3, False), ("build CPU", 4, False))
    for (what, column, at_least), limit in zip(kinds, floor):
        own, other = rows["evdb"][column], rows["hnswlib"][column]
        if own is None or other is None:
            print(f"  {what:18} - of {limit:g}")
            continue
        held = own / other >= limit if at_least else own / other <= limit
        print(f"  {what:18} {own / other:5.2f}, {'at least' if at_least else 'at most'} {limit:g}: {'held' if held else 'MISSED'}")


def arguments(doc):
    """What every comparison takes."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("--rows", default="20000")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--metric", choices=("l2", "cosine"))
    return parser


def vectors(who, options):
    """Name, base, queries and metric of what the arguments name, how many rows there are, and the line that says so; None without any."""
    if not options.files and not FASHION.exists():
        print(f"{who}: skipped, there is no fashion-mnist on this machine and no FILE was given")
        return None
    name, base, queries, metric = load(options.files)
    metric = options.metric or metric or "l2"
    if base.ndim != 2 or queries.ndim != 2 or base.shape[1] != queries.shape[1]:
        sys.exit(f"{who}: base {base.shape} and queries {queries.shape} have to be rows of the same length")
    whole = len(base)
    rows = whole if options.rows == "all" else min(whole, int(options.rows))
    base, queries = (np.ascontiguousarray(part, np.float32) for part in (base[:rows], queries[:options.queries]))
    if metric == "cosine":
        base, queries = unit(base), unit(queries)
    return name, base, queries, metric, whole, f"{name}, {rows:,} x {base.shape[1]}, {metric}; {len(queries):,} queries"


def main():
    parser = arguments(__doc__)
    parser.add_argument("--batch", action="store_true", help="one call for all queries, instead of one a query")
    parser.add_argument("--only", default=",".join(LIBRARIES))
    parser.add_argument("--out", default="build/bench")
    options = parser.parse_args()
    found = vectors("peers", options)
    if not found:
        return
    name, base, queries, metric, whole, title = found
    rows = len(base)
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    title += " in one call" if options.batch else ""
    print(f"\n{title}; {options.rounds} rounds", flush=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        folder = pathlib.Path(folder)
        for part, array in (("base", base), ("query", queries), ("truth", nearest(base, queries, metric))):
            np.save(folder / f"{part}.npy", array)
        del base
        peers = measure(options.only.split(","), folder, metric, options)
    figures = table(peers, len(queries))
    if rows == whole:
        judge(name, figures)
    else:
        print(f"\nThe floors are those of all {whole:,} rows: --rows all (make: ROWS=all)")
    plot = out / f"peers-{name}.svg"
    plot.write_text(svg(title, {peer.name: peer.curve(len(queries)) for peer in peers}))
    print(f"\n{plot}")


if __name__ == "__main__":
    main()
