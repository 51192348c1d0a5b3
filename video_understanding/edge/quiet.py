"""Native libraries that tell of their doings on stderr, made quiet: what is for information is dropped."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_STDERR = 2
_ENOUGH_BYTES = 1 << 16  # what a pipe holds


@contextlib.contextmanager
def without_information() -> Iterator[None]:
    """Lines that begin with "INFO: " do not reach stderr; all others come at the end.

    Whatever the process writes there meanwhile goes the same way, so keep the block short.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # a service may have no stderr at all
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # nobody reads meanwhile: what does not fit is lost, and nothing waits for ever
    os.dup2(writing, _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(writing)
        lines = os.read(reading, _ENOUGH_BYTES).splitlines(keepends=True)
        os.close(reading)
        os.write(kept, b"".join(line for line in lines if not line.startswith(b"INFO: ")))
        os.close(kept)
