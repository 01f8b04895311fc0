"""Codecs: vectors as fewer bytes, and back."""
from __future__ import annotations

from ctypes import POINTER, byref, c_size_t, c_uint32, c_void_p, cast, create_string_buffer, sizeof, string_at
from dataclasses import dataclass
from typing import Any, List, Optional, Tuple

import numpy as np

from . import _abi, _arguments, _vectors
from ._ids import address_of
from ._library import CodecHandle, Handle, check, lib, output
from .errors import Invalid

_STAGES = {1: "transform", 2: "quantiser", 3: "bytes"}
_SIZE = np.dtype(np.uintp)


@dataclass(frozen=True)
class CodecKind:
    """One kind of stage that a codec may have."""

    name: str
    aliases: Tuple[str, ...]
    parameters: str  # what may stand behind the colon; "" = nothing
    doc: str
    stage: str  # "transform", "quantiser" or "bytes"
    lossless: bool
    trained: bool


def codecs() -> List[CodecKind]:
    """All kinds of stages, in the order they are listed."""
    kinds: List[CodecKind] = []
    while True:
        address = lib.evdb_codec_kind_at(len(kinds))
        if not address:
            return kinds
        kind = cast(address, POINTER(_abi.CodecKind)).contents
        name, aliases, parameters, doc = (part.decode() for part in (kind.name, kind.aliases, kind.parameters, kind.doc))
        kinds.append(CodecKind(name, tuple(aliases.split()), parameters, doc, _STAGES[kind.stage],
                               bool(kind.flags & _abi.CODEC_LOSSLESS), bool(kind.flags & _abi.CODEC_TRAINED)))


def _packed(value: Any, dim: Optional[int], what: str) -> _vectors.Matrix:
    """Rows as the library takes them here, one behind the other."""
    rows = _vectors.rows(value, what)
    if dim is not None and rows.dim != dim:
        raise Invalid(f"{what} must have {dim} elements each, not {rows.dim}")
    return rows if rows.stride == rows.dim * 4 else _vectors.rows(np.ascontiguousarray(rows.owner))


def _owned(function: Any, *arguments: Any) -> bytes:
    """Calls a function that puts out bytes for evdb_bytes_free()."""
    out, size = c_void_p(), c_size_t()
    check(function, *arguments, byref(out), byref(size))
    try:
        return string_at(out, size.value)
    finally:
        lib.evdb_bytes_free(out)


class Codec:
    """A codec: "i8", "pca:128+i8+zstd", "opq:48". include/evdb/codec.h tells what there is and what it costs.

        codec = evdb.Codec("i8", 784)
        codes, sizes = codec.encode(vectors)
        codec.decode(codes, sizes)

    It never changes, and any number of threads may use it. It can be pickled and copied.
    """

    def __init__(self, spec: str, dim: int, sample: Any = None, *, seed: int = 0, threads: int = 1) -> None:
        """Makes a codec of vectors with dim elements. Some are trained on a sample, a matrix of vectors: `check` tells on how many."""
        rows = None if sample is None else _packed(sample, dim, "sample")
        options = _abi.CodecOptions(
            sizeof(_abi.CodecOptions), _arguments.text(spec, "spec"), _arguments.unsigned(dim, "dim"),
            _arguments.unsigned(threads, "threads"), rows and rows.address, rows.count if rows else 0,
            _arguments.unsigned(seed, "seed", bits=64))
        self._take(CodecHandle(output(lib.evdb_codec_create, byref(options))))

    def _take(self, handle: CodecHandle) -> None:
        self._handle = handle
        self._spec: str = lib.evdb_codec_spec(handle).decode()
        self._dim: int = lib.evdb_codec_dim(handle)
        self._bound: int = lib.evdb_codec_bound(handle)

    @property
    def spec(self) -> str:
        """The whole codec as text."""
        return self._spec

    @property
    def dim(self) -> int:
        """Elements of a vector."""
        return self._dim

    @property
    def bound(self) -> int:
        """Most bytes that one vector takes; all take that many unless there is a byte codec."""
        return self._bound

    @property
    def trained_bytes(self) -> int:
        """Bytes of trained parameters, which all vectors share."""
        size: int = lib.evdb_codec_trained_bytes(self._handle)
        return size

    @staticmethod
    def check(spec: str, dim: int = 0) -> Tuple[str, int]:
        """The whole of a codec as text, and how many vectors it must be given to train on. dim 0 = not known yet."""
        whole, sample = create_string_buffer(_abi.CODEC_SPEC_MAX + 1), c_size_t()
        check(lib.evdb_codec_check, _arguments.text(spec, "spec"), _arguments.unsigned(dim, "dim"), whole, byref(sample))
        return whole.value.decode(), sample.value

    @classmethod
    def load(cls, data: bytes) -> "Codec":
        """A codec of `save()`."""
        codec = cls.__new__(cls)
        codec._take(CodecHandle(output(lib.evdb_codec_load, bytes(data), len(data), None)))
        return codec

    def save(self) -> bytes:
        """The codec with what it has learned."""
        return _owned(lib.evdb_codec_save, self._handle)

    def __reduce__(self) -> Tuple[Any, Tuple[bytes]]:
        return Codec.load, (self.save(),)

    def __repr__(self) -> str:
        return f"<evdb.Codec {self.spec} of {self.dim} elements>"

    def encode(self, vectors: Any) -> Tuple[np.ndarray, np.ndarray]:
        """Encodes a matrix of vectors: (count, bound) bytes, and how many of each row count. They all do unless there is a byte codec."""
        rows = _packed(vectors, self._dim, "vectors")
        codes, sizes = np.zeros((rows.count, self._bound), np.uint8), np.empty(rows.count, _SIZE)
        check(lib.evdb_codec_encode, self._handle, rows.address, rows.count, address_of(codes), address_of(sizes))
        return codes, sizes

    def _codes(self, codes: Any, sizes: Any) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        codes = np.ascontiguousarray(codes)
        if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != self._bound:
            raise Invalid(f"codes must be bytes of the shape (count, {self._bound}), not {codes.dtype} of {codes.shape}")
        if sizes is None:
            return codes, None
        sizes = np.ascontiguousarray(sizes)
        if sizes.dtype.kind not in "iu" or sizes.shape != codes.shape[:1]:
            raise Invalid(f"sizes must be an integer for each of {len(codes)} codes")
        return codes, sizes.astype(_SIZE, copy=False)

    def decode(self, codes: Any, sizes: Any = None) -> np.ndarray:
        """The vectors again. sizes: as encode() gave them; needed where there is a byte codec."""
        codes, sizes = self._codes(codes, sizes)
        out = np.empty((len(codes), self._dim), _vectors.F32)
        check(lib.evdb_codec_decode, self._handle, address_of(codes), None if sizes is None else address_of(sizes), len(codes),
              address_of(out))
        return out

    def distances(self, query: Any, codes: Any, metric: str, sizes: Any = None) -> np.ndarray:
        """Distances from a query to encoded vectors, as far as possible without decoding them."""
        asked = _vectors.one(query, "query")
        if len(asked) != self._dim * 4:
            raise Invalid(f"query must have {self._dim} elements, not {len(asked) >> 2}")
        codes, sizes = self._codes(codes, sizes)
        out = np.empty(len(codes), _vectors.F32)
        check(lib.evdb_codec_distances, self._handle, _arguments.metric(metric), asked, address_of(codes),
              None if sizes is None else address_of(sizes), len(codes), address_of(out))
        return out

    def seal(self, vector: Any) -> bytes:
        """One vector as bytes that say what they are: codec, dimension, checksum."""
        given = _vectors.one(vector)
        if len(given) != self._dim * 4:
            raise Invalid(f"vector must have {self._dim} elements, not {len(given) >> 2}")
        return _owned(lib.evdb_codec_seal, self._handle, given)

    def unseal(self, data: bytes) -> np.ndarray:
        """The vector in bytes that this codec sealed. `Invalid` where it was another one."""
        return _unseal(self._handle, data)


def sealed(data: bytes) -> Tuple[str, int]:
    """The codec, as text, and the dimension of a vector that was sealed."""
    spec, dim = create_string_buffer(_abi.CODEC_SPEC_MAX + 1), c_uint32()
    check(lib.evdb_codec_sealed, bytes(data), len(data), spec, byref(dim))
    return spec.value.decode(), dim.value


def unseal(data: bytes) -> np.ndarray:
    """The vector in bytes of any codec that is not trained; else `Codec.unseal`."""
    return _unseal(None, data)


@dataclass(frozen=True)
class Compression:
    """How the vectors of a store are kept (`Store.compression`); include/evdb/compress.h tells more."""

    state: str  # "settled", "waiting" for vectors to train on, "training" or "recoding"
    codec: Optional[str]  # that the store shall have; None = none
    in_force: Optional[str]  # that vectors written now are kept with
    needed: int  # vectors that training waits for
    done: int  # places of vectors that have been looked at, ...
    total: int  # ... of so many
    vector_bytes: int  # that one takes on disk, at most
    row_bytes: int  # that one takes in memory
    plain_bytes: int  # that it would take as float32
    trained_bytes: int  # that all share
    loss: float  # mean of |x - x'| / |x| where it was trained; 0 = it was not
    loss_now: float  # of vectors written lately by this process; 0 = not known
    version: int  # how often a codec was chosen or trained
    problem: str  # why training or writing again failed last, or cannot begin; "" = neither


def compression_of(handle: Handle) -> Compression:
    """See Store.compression."""
    native = _abi.Compression(sizeof(_abi.Compression))
    check(lib.evdb_store_get_compression, handle, byref(native))
    counts = {name: getattr(native, name) for name, _ in _abi.Compression._fields_[5:-1]}
    return Compression(lib.evdb_compression_state_name(native.state).decode(), native.codec.decode() or None,
                       native.in_force.decode() or None, problem=native.problem.decode("utf-8", "replace"), **counts)


def _unseal(handle: Optional[CodecHandle], data: bytes) -> np.ndarray:
    out = np.empty(sealed(data)[1], _vectors.F32)
    check(lib.evdb_codec_unseal, handle, bytes(data), len(data), address_of(out))
    return out
