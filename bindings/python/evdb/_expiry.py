"""When records expire: seconds from now, or Unix times in milliseconds, as evdb_batch.expires has them."""
from __future__ import annotations

import time
from typing import Any, Optional

import numpy as np

from .errors import Invalid

NEVER = 2**63 - 1  # an expires_ms: the record has no expiry, whatever is usual in the store
_MOST = 100 * 365.25 * 86400  # seconds


def milliseconds(ttl: Any) -> int:
    """A number of seconds as a store's ttl_ms; None is 0, for ever."""
    if ttl is None:
        return 0
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float, np.integer, np.floating)) or not 0 < ttl <= _MOST:
        raise Invalid(f"ttl is a number of seconds above 0, not {ttl!r}")
    return max(1, int(ttl * 1000))


def times(ttl: Any, expires_ms: Any, count: int) -> Optional[np.ndarray]:
    """`count` times of one for all or one each; None when neither was given."""
    if ttl is None and expires_ms is None:
        return None
    if ttl is not None and expires_ms is not None:
        raise Invalid("give ttl or expires_ms, not both")
    if ttl is None:
        given = np.asarray(expires_ms)
        if given.dtype.kind not in "iu":
            raise Invalid("expires_ms is Unix time in whole milliseconds")
        out = given.astype(np.int64)
    else:
        given = np.asarray(ttl)
        if given.dtype.kind not in "iuf" or not bool(np.all((given > 0) & (given <= _MOST))):
            raise Invalid("ttl is a number of seconds above 0")
        out = (time.time() * 1000 + given.astype(np.float64) * 1000).astype(np.int64)
    if out.ndim and out.shape != (count,):
        raise Invalid(f"{count} ids but expiries of the shape {out.shape}")
    return np.ascontiguousarray(np.broadcast_to(out, (count,)))
