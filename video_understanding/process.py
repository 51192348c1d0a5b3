"""What a program sets for its whole process, once: how glibc frees memory, and how soon Python's threads switch.

Libraries must not: who imports this package decides for the process. `vu` calls it, and a training script may.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_KEPT_BYTES = 256 << 20
_LARGEST_KEPT_BYTES = 32 << 20  # the most that glibc takes
# A thread that comes back from decoding or from the disk, many times a clip, asks for Python's lock after so long; by
# default it waits 5 ms for one that computes, and a processor stands idle.
_SWITCH_INTERVAL_S = 1e-4


def tune_process() -> None:
    """Makes preparing clips in threads and making batches faster, at the cost of memory that is not given back."""
    keep_freed_memory()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)


def keep_freed_memory() -> None:
    """From now on, memory that one batch frees serves the next, where the allocator is glibc's.

    Fresh memory comes page by page, and each page costs more than to fill it: half the time of making a batch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
