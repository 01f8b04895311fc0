"""evdb: a vector database in a directory.

    import evdb, numpy as np
    with evdb.open("data") as db:
        st = db.create_store("docs", dim=3)
        st.insert([1, 2], np.eye(3, dtype=np.float32)[:2], metadata=[{"lang": "en"}, {"lang": "de"}])
        print(st.search([1, 0.1, 0], k=1).ids)      # [1]

Everything here is a thin layer over libevdb; include/evdb/*.h is its manual. bindings/python/README.md tells the
rest: finding the library, threads, forks, copies.
"""
from __future__ import annotations

import os
from typing import Optional, Union

from ._expiry import NEVER
from ._library import lib as _lib
from ._trash import Trashed, TrashPage, Undeleted
from .advise import CodecFigures, CodecReport, benchmark_codecs
from .audit import AuditEntry, AuditReport
from .backups import Backup
from .codecs import Codec, CodecKind, Compression, codecs, sealed, unseal
from .database import Database
from .distances import distance, score
from .errors import (
    Busy, Cancelled, Conflict, Corrupt, Denied, Error, Exists, Forked, Full, Gone, Internal, Invalid, Io, Limit, Newer,
    NoMemory, NotFound, Remote, Throttled, Unsupported,
)
from .foreign import Foreign
from .records import BadRecord, Change, Changes, ImportReport, Problem, Record, StoreInfo, VerifyReport, Written
from .repairs import LostRecord, RepairReport
from .results import BatchResult, Hit, SearchResult
from .store import Index, Store

__version__ = "0.1.0"

__all__ = [
    "AuditEntry", "AuditReport", "Backup", "BadRecord", "BatchResult", "Busy", "Cancelled", "Change", "Changes", "Codec",
    "CodecFigures", "CodecKind", "CodecReport", "Compression", "Conflict", "Corrupt", "Database", "Denied", "Error", "Exists", "Foreign",
    "Forked", "Full", "Gone",
    "Hit", "ImportReport", "Index", "Internal", "Invalid", "Io", "Limit", "LostRecord", "NEVER", "Newer", "NoMemory", "NotFound",
    "Problem", "Record", "Remote", "RepairReport", "SearchResult", "Store", "StoreInfo", "Throttled", "TrashPage", "Trashed", "Undeleted",
    "Unsupported", "VerifyReport",
    "Written", "benchmark_codecs", "codecs", "distance", "kernel", "library_version", "open", "score", "sealed",
    "unseal",
]


def open(path: Union[str, "os.PathLike[str]"], *, create: bool = True, index_memory_max: int = 0,
         default_codec: Optional[str] = None, sync_interval: Optional[float] = None,
         backup_dir: Union[str, "os.PathLike[str]", None] = None) -> Database:
    """Opens the database in a directory, creating it when there is none (`NotFound` with create=False).

    ":memory:" is a private database that vanishes when it is closed. index_memory_max: bytes that the graph of each store may
    take in this process (0 = no bound; `Index.estimate`); what is in no graph is scanned. default_codec: of stores that are
    created here without a codec, where they can have one. sync_interval: seconds after which writes are on the disk at the latest;
    when the power fails the last ones may be lost (None = each write is on the disk when its call returns). backup_dir: the folder of
    backups, relative = below path; "backups" when None.
    """
    return Database(path, create=create, index_memory_max=index_memory_max, default_codec=default_codec,
                    sync_interval=sync_interval, backup_dir=backup_dir)


def library_version() -> str:
    """Version of the libevdb that is loaded; `__version__` is this module's."""
    version: str = _lib.evdb_version().decode()
    return version


def kernel() -> str:
    """Instruction set that distances are computed with: "scalar", "avx2", ..."""
    name: str = _lib.evdb_version_kernel().decode()
    return name
