"""Files that other programs keep, as sources of records."""
from __future__ import annotations

import os
from ctypes import byref, sizeof
from typing import Any, Optional

from . import _abi
from ._arguments import foreign_kind, text
from ._library import ForeignHandle, Handle, check, lib, output
from .errors import Invalid


class Foreign:
    """An open source, made by `Database.foreign`; one thread at a time. `Store.import_foreign` reads it.

    What the file says of its vectors: `records` and `dim` (0 when it does not say), `metric` and `dtype` (None then).
    """

    def __init__(self, database: Handle, path: Any, kind: str, name: Optional[str], column: Optional[str]) -> None:
        encoded = os.fsencode(path)
        if b"\0" in encoded:
            raise Invalid(f"path {path!r} contains a NUL")
        options = _abi.ForeignOptions(size=sizeof(_abi.ForeignOptions), kind=foreign_kind(kind))
        options.name = None if name is None else text(name, "name")
        options.column = None if column is None else text(column, "column")
        self._handle = ForeignHandle.above(output(lib.evdb_foreign_open, database, encoded, byref(options)), database)
        info = _abi.ForeignInfo(size=sizeof(_abi.ForeignInfo))
        check(lib.evdb_foreign_describe, self._handle, byref(info))
        self.records: int = info.records
        self.dim: int = info.dim
        self.metric: Optional[str] = lib.evdb_metric_name(info.metric).decode() if info.metric else None
        self.dtype: Optional[str] = lib.evdb_dtype_name(info.dtype).decode() if info.dtype else None

    def __getattr__(self, name: str) -> Any:  # only reached when the attribute is not there
        if name == "_handle":
            raise Invalid("the source is closed")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def close(self) -> None:
        """Lets go of the file; closing twice is fine."""
        self.__dict__.pop("_handle", None)

    def __enter__(self) -> "Foreign":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
