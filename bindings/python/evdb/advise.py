"""Codecs measured on vectors, and one proposed for a store."""
from __future__ import annotations

from ctypes import POINTER, byref, c_char_p, c_size_t, c_void_p, cast, sizeof, string_at
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

from . import _abi, _vectors
from ._arguments import metric as metric_of, text, unsigned
from ._library import Handle, check, lib
from .transfer import Callbacks

Progress = Optional[Callable[[int, int], Any]]


@dataclass(frozen=True)
class CodecFigures:
    """One codec, as it was measured. `error` says why there are no figures, and is None when there are."""

    asked: str  # the codec as it was asked for
    codec: str  # the whole of it; "" where it does not suit these vectors
    error: Optional[str]
    bytes: float  # of a vector, on average
    compression_ratio: float  # float32's 4 bytes an element, divided by these
    compression_time: float  # microseconds of processor time a vector
    decompression_time: float
    accuracy_loss: float  # mean of |x - x'| / |x|
    recall_at_10: Optional[float]  # share of the 10 nearest that distances on codes find; None for fewer than 11 vectors
    training_time: float  # seconds of processor time
    trained_bytes: int  # that all vectors share


@dataclass(frozen=True)
class CodecReport:
    """What `benchmark_codecs` and `Store.advise` answer."""

    vectors: int  # looked at
    queries: int  # of these, searched for among the others
    dim: int
    metric: str
    codecs: List[CodecFigures]  # in the order asked for
    proposed: Optional[CodecFigures]  # one of them, from `Store.advise`


def _figures(native: Any) -> CodecFigures:
    recall = native.recall_at_10
    return CodecFigures(native.asked.decode(), native.codec.decode(), native.message.decode("utf-8", "replace") if native.status else None,
                        native.bytes, native.compression_ratio, native.compression_time, native.decompression_time, native.accuracy_loss,
                        None if recall < 0 or native.status else recall, native.training_time, native.trained_bytes)


def _report(address: int) -> CodecReport:
    native = _abi.CodecReport.from_address(address)
    codecs = [_figures(native.codecs[i]) for i in range(native.count)]
    at = None
    if native.proposed:
        at = (native.proposed - cast(native.codecs, c_void_p).value) // sizeof(_abi.CodecFigures)
    name = lib.evdb_metric_name(native.metric).decode()
    return CodecReport(native.vectors, native.queries, native.dim, name, codecs, None if at is None else codecs[at])


def _specs(codecs: Optional[Sequence[str]]) -> Tuple[Any, int]:
    """An array of C strings, which must be kept while the library reads it."""
    if codecs is None:
        return None, 0
    if isinstance(codecs, str):
        raise TypeError("codecs must be a sequence of str, not one")
    return (c_char_p * len(codecs))(*(text(spec, "codec") for spec in codecs)), len(codecs)


def _measure(function: Any, options: Any, codecs: Optional[Sequence[str]], progress: Progress, *before: Any) -> CodecReport:
    callbacks = Callbacks()
    specs, options.codec_count = _specs(codecs)
    options.codecs = cast(specs, c_void_p) if specs else None
    options.progress = callbacks.measured(progress)
    out = c_void_p()
    callbacks.call(function, *before, byref(options), byref(out))
    try:
        return _report(out.value or 0)
    finally:
        lib.evdb_codec_report_free(out)


def benchmark_codecs(vectors: Any, codecs: Optional[Sequence[str]] = None, *, metric: str = "cosine", sample: Optional[int] = None,
                     seed: int = 0, progress: Progress = None) -> CodecReport:
    """Measures codecs, which are trained on the same vectors: a matrix, of which at most `sample` rows (20,000 when None) are looked at.

    codecs None is every kind there is. One that does not suit these vectors has an `error`; one that does not exist raises `Invalid`.
    progress(done, all) is called between codecs; an exception it raises stops the measuring.
    """
    rows = _vectors.rows(vectors)
    if rows.stride != rows.dim * 4:
        rows = _vectors.rows(np.ascontiguousarray(rows.owner))
    options = _abi.BenchmarkOptions(sizeof(_abi.BenchmarkOptions), rows.address, rows.count, rows.dim, metric_of(metric))
    options.sample = 0 if sample is None else unsigned(sample, "sample", 1)
    options.seed = unsigned(seed, "seed", bits=64)
    return _measure(lib.evdb_codec_benchmark, options, codecs, progress)


def advise(handle: Handle, recall: float, codecs: Optional[Sequence[str]], sample: Optional[int], seed: int,
           progress: Progress) -> CodecReport:
    """See Store.advise."""
    options = _abi.AdviseOptions(sizeof(_abi.AdviseOptions), recall if recall else -1)  # 0 is the library's default, and no share
    options.sample = 0 if sample is None else unsigned(sample, "sample", 1)
    options.seed = unsigned(seed, "seed", bits=64)
    return _measure(lib.evdb_store_advise, options, codecs, progress, handle)


def sample_of(handle: Handle, dim: int, most: Optional[int]) -> np.ndarray:
    """See Store.sample."""
    out, count = c_void_p(), c_size_t()
    check(lib.evdb_store_sample, handle, 0 if most is None else unsigned(most, "most", 1), byref(out), byref(count))
    try:
        return np.frombuffer(string_at(out, count.value * dim * 4), _vectors.F32).reshape(count.value, dim)
    finally:
        lib.evdb_bytes_free(out)
