"""Memory that one batch gives back serves the next, instead of going to the system and having to be asked for again."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT_BYTES = 256 << 20
_LARGEST_KEPT_BYTES = 32 << 20  # the most that glibc takes


def keep_freed_memory() -> None:
    """From now on, where the allocator is glibc's.

    Fresh memory comes page by page, and each page costs more than to fill it: half the time of making a batch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
