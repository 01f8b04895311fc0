"""codecs.py - evdb's codecs beside those of faiss, at equal bytes, in turns in one run.

    codecs.py [--rows N|all] [--queries N] [--rounds N] [--metric l2|cosine] [--only SQ8,...] [FILE...]

FILE as for peers.py; fashion-mnist when there is none. Both are trained on the same vectors, on one thread. Then each encodes and
decodes in turns, by the functions beneath the Python of either: all vectors in one call, and some of them one a call. The median of
the rounds counts, in CPU time. Errors are of what is decoded: |x - x'| / |x|, and its square an element. Recall is that of the
nearest by the codecs' own distances among the exact nearest. Most of the time of all rows is faiss's training of OPQ: minutes. Under cosine vectors have unit length and are ranked by inner product.
Speeds and ratios are evdb's in multiples of faiss's."""
import statistics
import time

import peer_libraries  # before numpy: it sets the number of threads  # noqa: F401
import numpy as np

from peers import K, arguments, nearest, vectors

ONE_BY_ONE = 2000  # vectors that are also done one a call


def parts_of(dim):
    """Sub-vectors that faiss takes too: of 8 elements, else of the next number that divides."""
    return dim // next(size for size in (8, 7, 6, 5, 4, 3, 2, 1) if dim % size == 0)


def pairs(dim):
    """Name: evdb's codec, faiss's."""
    m = parts_of(dim)
    return {
        "f16": ("f16", "SQfp16"), "bf16": ("bf16", "SQbf16"), "SQ8": ("i8:trained", "SQ8"), "SQ4": ("i4:trained", "SQ4"),
        "PQ": (f"pq:{m}", f"PQ{m}x8np"), "PQ4": (f"pq:{2 * m},4" if dim % (2 * m) == 0 else f"pq:{m},4",
                                                 f"PQ{2 * m if dim % (2 * m) == 0 else m}x4np"),
        "OPQ": (f"opq:{m}", f"OPQ{m},PQ{m}x8np"), "RaBitQ": ("rabitq", f"RR{dim},RaBitQ"),
    }


def cpu(call):
    began = time.process_time()
    out = call()
    return time.process_time() - began, out


class Evdb:
    name = "evdb"

    def __init__(self, spec, base, metric):
        import evdb
        from evdb._library import lib

        self.lib, self.spec, self.metric = lib, spec, "l2" if metric == "l2" else "ip"
        self.train, self.codec = cpu(lambda: evdb.Codec(spec, base.shape[1], base, seed=1))
        self.bytes, self.shared = self.codec.bound, self.codec.trained_bytes

    def encode(self, base):
        return self.codec.encode(base)[0]

    def decode(self, codes):
        return self.codec.decode(codes)

    def encode_by(self, step, base, codes):
        call, handle, x, dim, out = self.lib.evdb_codec_encode, self.codec._handle, base.ctypes.data, base.shape[1] * 4, codes.ctypes.data
        places = [(x + i * dim, out + i * self.bytes) for i in range(0, len(base), step)]
        return cpu(lambda: [call(handle, at, step, to, None, None) for at, to in places])[0] / len(base)

    def decode_by(self, step, codes, back):
        call, handle, x, dim, out = self.lib.evdb_codec_decode, self.codec._handle, codes.ctypes.data, back.shape[1] * 4, back.ctypes.data
        places = [(x + i * self.bytes, out + i * dim) for i in range(0, len(codes), step)]
        return cpu(lambda: [call(handle, at, None, step, to, None) for at, to in places])[0] / len(codes)

    def nearest(self, base, codes, queries):
        found = np.empty((len(queries), K), np.int64)
        for i, query in enumerate(queries):
            distances = self.codec.distances(query, codes, self.metric)
            found[i] = np.argpartition(distances, K - 1)[:K]
        return found


class Faiss:
    name = "faiss"

    def __init__(self, spec, base, metric):
        import faiss

        faiss.omp_set_num_threads(1)
        self.faiss, self.spec = faiss, spec
        self.index = faiss.index_factory(base.shape[1], spec, faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT)
        self.train = cpu(lambda: self.index.train(base))[0]
        self.bytes, self.shared = self.index.sa_code_size(), faiss.serialize_index(self.index).size

    def encode(self, base):
        return self.index.sa_encode(base)

    def decode(self, codes):
        return self.index.sa_decode(codes)

    def encode_by(self, step, base, codes):
        call, at = self.index.sa_encode_c, self.faiss.swig_ptr
        places = [(at(base[i]), at(codes[i])) for i in range(0, len(base), step)]
        return cpu(lambda: [call(step, x, out) for x, out in places])[0] / len(base)

    def decode_by(self, step, codes, back):
        call, at = self.index.sa_decode_c, self.faiss.swig_ptr
        places = [(at(codes[i]), at(back[i])) for i in range(0, len(codes), step)]
        return cpu(lambda: [call(step, x, out) for x, out in places])[0] / len(codes)

    def nearest(self, base, codes, queries):
        self.index.add(base)
        found = self.index.search(queries, K)[1]
        self.index.reset()
        return found


def measure(spec, library, base, queries, truth, metric):
    one = library(spec, base, metric)
    one.codes = one.encode(base)
    back = one.decode(one.codes)
    errors = np.linalg.norm(base - back, axis=1)
    one.error = float(np.mean(errors / np.maximum(np.linalg.norm(base, axis=1), np.float32(1e-30))))
    one.square = float(np.mean(errors.astype(np.float64) ** 2) / base.shape[1])
    found = one.nearest(base, one.codes, queries)
    one.recall = sum(len(np.intersect1d(row, true)) for row, true in zip(found, truth)) / truth.size
    one.times = {"encode": [], "decode": [], "encode one": [], "decode one": []}
    return one


def rounds(both, base, count):
    """Into memory that has been written to before: fresh pages cost as much as fast codecs, and now and then far more."""
    few, back = min(ONE_BY_ONE, len(base)), np.ones_like(base)
    for _ in range(count):
        for one in both:
            one.times["encode"].append(one.encode_by(len(base), base, one.codes))
            one.times["decode"].append(one.decode_by(len(base), one.codes, back))
            one.times["encode one"].append(one.encode_by(1, base[:few], one.codes[:few]))
            one.times["decode one"].append(one.decode_by(1, one.codes[:few], back[:few]))
    for one in both:
        one.times = {what: statistics.median(seconds) * 1e6 for what, seconds in one.times.items()}


HEADS = ("bytes", "shared", "train s", "error", "MSE", "recall", "encode", "decode", "encode 1", "decode 1")


def show(name, both):
    for one in both:
        cells = [f"{one.bytes:8}", f"{one.shared / 1024:7.0f}K", f"{one.train:8.2f}", f"{one.error:8.5f}", f"{one.square:8.3g}",
                 f"{one.recall:8.4f}", *(f"{micros:8.3f}" for micros in one.times.values())]
        print(f"{name:8}{one.name:6} {one.spec:18}" + "".join(f"{cell:>9}" for cell in cells), flush=True)
    if len(both) < 2:
        return
    mine, other = both
    pairs_of = [(mine.bytes, other.bytes), (0, 0), (other.train, mine.train), (mine.error, other.error), (mine.square, other.square),
                (mine.recall, other.recall), *((other.times[what], mine.times[what]) for what in mine.times)]
    ratio = [a / b if b else None for a, b in pairs_of]
    print(f"{'':8}{'ratio':25}" + "".join(f"{'' if value is None else format(value, '.3f'):>9}" for value in ratio))
    missed = [head for head, value, good in zip(HEADS[3:], ratio[3:], (-1, -1, 1, 1, 1, 1, 1))
              if value is not None and (value > 1.01 if good < 0 else value < (0.99 if head == "recall" else 1))]
    print(f"{'':33} {'held' if not missed else 'MISSED: ' + ', '.join(missed)}", flush=True)


def run(names, base, queries, truth, metric, count):
    import evdb

    print(f"{'':14} {'':18}" + "".join(f"{head:>9}" for head in HEADS) + "    (times: CPU microseconds a vector)", flush=True)
    for name, (mine, other) in pairs(base.shape[1]).items():
        if names and name not in names:
            continue
        both = []
        for library, spec in ((Evdb, mine), (Faiss, other)):
            try:
                both.append(measure(spec, library, base, queries, truth, metric))
            except (evdb.Invalid, ImportError, RuntimeError) as why:
                print(f"{name:8}{library.name:6} {spec:18} skipped: {str(why).splitlines()[0][:90]}", flush=True)
                if library is Evdb:
                    break
        rounds(both, base, count)
        show(name, both)


def main():
    parser = arguments(__doc__)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    found = vectors("codecs", options)
    if not found:
        return
    _, base, queries, metric, _, title = found
    print(f"\n{title}; {options.rounds} rounds; evdb in multiples of faiss:", flush=True)
    run(set(filter(None, options.only.split(","))), base, queries, nearest(base, queries, metric), metric, options.rounds)


if __name__ == "__main__":
    main()
