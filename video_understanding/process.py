"""Settings of the whole process, for programs: how glibc frees memory, and how soon Python's threads switch.

Libraries must not set them: the importing program decides. `vu` calls it, and a training script may.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
_TRIM_BYTES = 256 << 20
_MMAP_BYTES = 32 << 20  # the largest value that glibc accepts
# A thread that returns from decoding or from the disk, many times a clip, requests the GIL after this time; by default
# it waits 5 ms for a computing thread, and a core is idle.
_SWITCH_INTERVAL_S = 1e-4


def tune_process() -> None:
    """Speeds up preparing clips in threads and making batches; freed memory is not returned to the system."""
    keep_freed_memory()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)


def keep_freed_memory() -> None:
    """From now on, memory that one batch frees is reused by the next, where the allocator is glibc's.

    Fresh memory is mapped page by page, and each fault costs more than filling it: half the time of making a batch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
        mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)
