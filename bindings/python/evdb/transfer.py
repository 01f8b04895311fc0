"""Files in and out: the callbacks through which the library reads and writes them."""
from __future__ import annotations

import io
import os
from contextlib import ExitStack, contextmanager, suppress
from ctypes import byref, c_char, c_uint64, pointer, sizeof
from typing import Any, BinaryIO, Callable, Iterator, List, Optional

from . import _abi
from ._arguments import file_format, text, unsigned
from ._library import check, failure, lib
from .errors import Error, Invalid
from .foreign import Foreign
from .records import BadRecord, ImportReport


class Callbacks:
    """Callbacks for one call, and the exception one of them raised: it must not unwind the library's frames."""

    def __init__(self) -> None:
        self.raised: Optional[BaseException] = None

    def _keep(self, why: BaseException, error: Any = None) -> int:
        if self.raised is None:
            self.raised = why
        if error:
            error[0].status, error[0].item = _abi.IO, _abi.NO_ITEM
            error[0].message = str(why).encode("utf-8", "replace")[:sizeof(_abi.Error) - _abi.Error.message.offset - 1]
        return _abi.IO

    def call(self, function: Any, *arguments: Any) -> None:
        """Calls the library; an exception of a callback takes the place of the error it led to."""
        try:
            check(function, *arguments)
        except Error:
            if self.raised is None:
                raise
        if self.raised is not None:
            raise self.raised

    def source(self, stream: io.RawIOBase) -> _abi.Source:
        def read(_: Any, buffer: int, capacity: int, got: Any, error: Any) -> int:
            try:
                got[0] = stream.readinto((c_char * capacity).from_address(buffer)) or 0
                return _abi.OK
            except BaseException as why:
                return self._keep(why, error)

        def rewind(_: Any, error: Any) -> int:
            try:
                stream.seek(0)
                return _abi.OK
            except BaseException as why:
                return self._keep(why, error)

        return _abi.Source(None, _abi.READ(read), _abi.REWIND(rewind))

    def sink(self, stream: BinaryIO) -> _abi.Sink:
        def write(_: Any, address: int, count: int, error: Any) -> int:
            try:
                if count:
                    stream.write((c_char * count).from_address(address))
                return _abi.OK
            except BaseException as why:
                return self._keep(why, error)

        return _abi.Sink(None, _abi.WRITE(write))

    def progress(self, function: Optional[Callable[[str, int], Any]]) -> Any:
        def report(_: Any, phase: int, records: int) -> int:
            try:
                if function is not None:
                    function(_abi.PHASES.get(phase, "unknown"), records)
            except BaseException as why:
                self._keep(why)
            return self.raised is not None  # stops the call

        return _abi.PROGRESS(report)

    def measured(self, function: Optional[Callable[[int, int], Any]]) -> Any:
        def report(_: Any, done: int, all: int) -> int:
            try:
                if function is not None:
                    function(done, all)
            except BaseException as why:
                self._keep(why)
            return self.raised is not None

        return _abi.MEASURED(report)

    def bad(self, function: Callable[[BadRecord], Any]) -> Any:
        def report(_: Any, line: int, error: Any) -> None:
            try:
                why = failure(error[0], error[0].status)
                function(BadRecord(line, why.status, str(why)))
            except BaseException as failed:
                self._keep(failed)  # progress() stops the import at its next call

        return _abi.BAD(report)


def _format(path: str, name: Optional[str]) -> int:
    if name is None:
        name = os.path.splitext(path)[1][1:]
        if not name:
            raise Invalid(f"cannot tell the format of {path!r} from its name: pass format")
    return file_format(name)


@contextmanager
def _appearing(path: str) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when it is complete and on the disk."""
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe or a device is written to, not replaced
        with open(path, "wb") as stream:
            yield stream
        return
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def export_file(store: Any, path: Any, format: Optional[str], companion: Any,
                progress: Optional[Callable[[str, int], Any]]) -> int:
    """See Store.export_file."""
    path = os.fspath(path)
    callbacks = Callbacks()
    options = _abi.ExportOptions(size=sizeof(_abi.ExportOptions), format=_format(path, format))
    options.progress = callbacks.progress(progress)
    count = c_uint64()
    with ExitStack() as files:
        sink = callbacks.sink(files.enter_context(_appearing(path)))
        if companion is not None:
            options.companion = pointer(callbacks.sink(files.enter_context(_appearing(os.fspath(companion)))))
        callbacks.call(lib.evdb_export, store._handle, byref(sink), byref(options), byref(count))
    return count.value


def _import_options(callbacks: Callbacks, bad: List[BadRecord], upsert: bool, keep_going: bool, batch: Optional[int], resume: bool,
                    progress: Optional[Callable[[str, int], Any]],
                    on_bad: Optional[Callable[[BadRecord], Any]]) -> _abi.ImportOptions:
    options = _abi.ImportOptions(size=sizeof(_abi.ImportOptions))
    options.kind = _abi.UPSERT if upsert else _abi.INSERT
    options.keep_going = 1 if keep_going else 0
    options.batch = 0 if batch is None else unsigned(batch, "batch", 1)
    options.resume = 1 if resume else 0
    options.progress = callbacks.progress(progress)
    options.bad = callbacks.bad(bad.append if on_bad is None else on_bad)
    return options


def _run(callbacks: Callbacks, bad: List[BadRecord], function: Any, store: Any, source: Any, options: _abi.ImportOptions) -> ImportReport:
    report = _abi.ImportReport()
    try:
        callbacks.call(function, store._handle, source, byref(options), byref(report))
    except Error as why:
        why.written = report.written
        raise
    return ImportReport(report.written, report.skipped, bad, report.present)


def import_file(store: Any, path: Any, format: Optional[str], upsert: bool, keep_going: bool, batch: Optional[int],
                first_id: int, companion: Any, resume: bool, progress: Optional[Callable[[str, int], Any]],
                on_bad: Optional[Callable[[BadRecord], Any]], author: Optional[str], keep_authors: bool) -> ImportReport:
    """See Store.import_file."""
    path = os.fspath(path)
    callbacks = Callbacks()
    bad: List[BadRecord] = []
    options = _import_options(callbacks, bad, upsert, keep_going, batch, resume, progress, on_bad)
    options.format = _format(path, format)
    options.first_id = first_id
    options.author = None if author is None else text(author, "author")
    options.keep_authors = 1 if keep_authors else 0
    with ExitStack() as files:
        source = callbacks.source(files.enter_context(open(path, "rb", buffering=0)))
        if companion is not None:
            stream = files.enter_context(open(os.fspath(companion), "rb", buffering=0))
            options.companion = pointer(callbacks.source(stream))
        return _run(callbacks, bad, lib.evdb_import, store, byref(source), options)


def import_foreign(store: Any, source: Foreign, upsert: bool, keep_going: bool, batch: Optional[int], resume: bool,
                   progress: Optional[Callable[[str, int], Any]], on_bad: Optional[Callable[[BadRecord], Any]]) -> ImportReport:
    """See Store.import_foreign."""
    callbacks = Callbacks()
    bad: List[BadRecord] = []
    options = _import_options(callbacks, bad, upsert, keep_going, batch, resume, progress, on_bad)
    return _run(callbacks, bad, lib.evdb_foreign_import, store, source._handle, options)
