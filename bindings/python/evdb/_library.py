"""Finding and loading libevdb, calling it, and owning its handles."""
from __future__ import annotations

import atexit
import ctypes
import os
from ctypes import byref
from pathlib import Path
from typing import Any, Dict, List, NoReturn, Optional

from . import _abi, errors

SONAME = "libevdb.so.0"


def _candidates() -> List[str]:
    """Where the library may be, best first: $EVDB_LIBRARY alone, else installed, else built in the source tree."""
    chosen = os.environ.get("EVDB_LIBRARY")
    if chosen:
        return [chosen]
    tree = Path(__file__).resolve().parents[3] / "build" / "libevdb.so"
    return [SONAME, str(tree)]


def _load() -> ctypes.CDLL:
    refusals = []
    for name in _candidates():
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in _abi.PROTOTYPES.items():
                prototype = getattr(library, function)
                prototype.restype, prototype.argtypes = result, arguments
            return library
        except (OSError, AttributeError) as refusal:  # not there, not loadable, or lacking a function
            refusals.append(f"{name} ({refusal})")
    raise ImportError("libevdb cannot be loaded; set EVDB_LIBRARY to its path. Tried: " + "; ".join(refusals))


lib = _load()


def failure(error: _abi.Error, status: int) -> errors.Error:
    """The exception for a call that answered `status` and filled in `error`."""
    item: Optional[int] = None if error.item == _abi.NO_ITEM else error.item
    return errors.from_status(lib.evdb_status_name(status).decode(), error.message.decode("utf-8", "replace"), item)


def check(function: Any, *arguments: Any) -> None:
    """Calls a function that takes an evdb_error* last; raises unless it answers EVDB_OK."""
    error = _abi.Error()
    status = function(*arguments, byref(error))
    if status:
        del arguments  # a traceback that somebody keeps must not keep a handle open
        raise failure(error, status)


def output(function: Any, *arguments: Any) -> int:
    """Calls a function that takes `T **out, evdb_error *err` last and returns the pointer it put out (0 for NULL)."""
    outcome = _abi.Outcome()
    status = function(*arguments, byref(outcome), byref(outcome, _abi.ERROR_AT))
    if status:
        del arguments
        raise failure(outcome.error, status)
    return outcome.out or 0


_beneath: Dict[int, Any] = {}  # id() of a handle: what must be let go after it, the handle beneath or what its library calls
_running = [True]  # emptied when the interpreter ends


@atexit.register
def _ending(running: List[bool] = _running) -> None:
    """From here on modules are taken apart in any order: what is still open is left to the operating system."""
    running.clear()


def _no_copies(handle: int, protocol: int) -> NoReturn:
    """In place of __reduce_ex__: a copy, in this process or another, would release what it does not own."""
    raise TypeError("an open database, store, iteration or search result can be neither pickled nor copied deeply")


class Handle(int):
    """The address of something native, released when nobody uses it any more.

    A ctypes call keeps its arguments alive, so a handle dropped by close() while other threads are inside the library
    with it is released behind the last of them.

    It is an int without attributes because Python's cycle collector leaves such objects alone. It finalises
    all objects of a cycle in any order, and would close a database before its stores; this way they are let go one
    after the other, by reference count.
    """

    __slots__ = ()
    __reduce_ex__ = _no_copies
    release: Any = None

    @classmethod
    def above(cls, address: int, beneath: "Handle") -> "Handle":
        """A handle that keeps another one open."""
        handle = cls(address)
        _beneath[id(handle)] = beneath
        return handle

    def __del__(self, beneath: Dict[int, Any] = _beneath, running: List[bool] = _running) -> None:
        if running:
            self.release(self)
            beneath.pop(id(self), None)


class DatabaseHandle(Handle):
    __slots__ = ()
    release = staticmethod(lib.evdb_close)

    def keep(self, called: Any) -> None:
        """Keeps something that the library may call until the database is closed."""
        _beneath.setdefault(id(self), []).append(called)


class StoreHandle(Handle):
    __slots__ = ()
    release = staticmethod(lib.evdb_store_close)


class CursorHandle(Handle):
    __slots__ = ()
    release = staticmethod(lib.evdb_cursor_close)


class CodecHandle(Handle):
    __slots__ = ()
    release = staticmethod(lib.evdb_codec_free)


class ForeignHandle(Handle):
    __slots__ = ()
    release = staticmethod(lib.evdb_foreign_close)


class ResultHandle(int):
    """The address of a search result: as a Handle, but nothing lies beneath it."""

    __slots__ = ()
    __reduce_ex__ = _no_copies

    def __del__(self, free: Any = lib.evdb_result_free) -> None:
        free(self)
