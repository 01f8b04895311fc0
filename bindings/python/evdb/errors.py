"""What evdb raises: `Error`, and one subclass for every status of evdb/status.def.

The class is the status name in camel case (`EVDB_NOT_FOUND` is `NotFound`); classes that have an obvious
relative among Python's own exceptions derive from it too, so `except KeyError` catches a missing record.
"""
from __future__ import annotations

from typing import Dict, Optional, Type


class Error(Exception):
    """Any failure reported by evdb.

    `status` is the stable name of the kind of failure ("NOT_FOUND"), `item` the 0-based item of the call (or the
    1-based line of the file) it is about, or None. `written` counts the records that an insert, upsert,
    update or delete of more than one commit had already made durable when it failed.
    """

    status: str = "INTERNAL"

    def __init__(self, message: str = "", item: Optional[int] = None) -> None:
        super().__init__(message)
        self.item = item
        self.written = 0

    def __str__(self) -> str:  # KeyError would print the repr
        return str(self.args[0]) if self.args else ""


class Invalid(Error, ValueError):
    """An argument is not acceptable; also any use of a handle that was closed."""

    status = "INVALID"


class NotFound(Error, KeyError):
    """There is no such record, store or database."""

    status = "NOT_FOUND"


class Exists(Error):
    """A record or store of that name is already there."""

    status = "EXISTS"


class Denied(Error):
    """The operating system refuses access."""

    status = "DENIED"


class NoMemory(Error, MemoryError):
    """Memory ran out."""

    status = "NO_MEMORY"


class Io(Error):
    """Reading or writing failed."""

    status = "IO"


class Corrupt(Error):
    """Stored data is damaged; it is reported, never returned."""

    status = "CORRUPT"


class Busy(Error):
    """Somebody else holds what the call needs; try again."""

    status = "BUSY"


class Limit(Error):
    """A documented limit is exceeded."""

    status = "LIMIT"


class Unsupported(Error, NotImplementedError):
    """This build of the library cannot do that."""

    status = "UNSUPPORTED"


class Internal(Error):
    """A bug in evdb."""

    status = "INTERNAL"


class Throttled(Error):
    """Too many requests."""

    status = "THROTTLED"


class Full(Error):
    """No space is left on the device."""

    status = "FULL"


class Conflict(Error):
    """The record has another version than the caller expected; nothing changed."""

    status = "CONFLICT"


class Newer(Error):
    """The database was written by a newer evdb."""

    status = "NEWER"


class Forked(Error):
    """The handle belongs to the parent process: open the database again after a fork."""

    status = "FORKED"


class Gone(Error):
    """The changes asked for are no longer kept: start over from the records."""

    status = "GONE"


class Cancelled(Error):
    """The caller stopped the operation."""

    status = "CANCELLED"


class Remote(Error):
    """A service elsewhere, such as a bucket of backups, failed."""

    status = "REMOTE"


BY_STATUS: Dict[str, Type[Error]] = {
    kind.status: kind
    for kind in (
        Invalid, NotFound, Exists, Denied, NoMemory, Io, Corrupt, Busy, Limit, Unsupported, Internal, Throttled,
        Full, Conflict, Newer, Forked, Gone, Cancelled, Remote,
    )
}


def from_status(status: str, message: str, item: Optional[int] = None) -> Error:
    """The exception for a status name; a status newer than this module is a plain `Error`."""
    error = BY_STATUS.get(status, Error)(message, item)
    if error.status != status:
        error.status = status
    return error
