"""TensorFlow's converter at work without a word: it tells of every step on stderr, past Python."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator

_STDERR = 2


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing written to stderr in the block is seen, and no warning; what goes wrong is told by exceptions."""
    with warnings.catch_warnings(), tempfile.TemporaryFile() as unread:
        warnings.simplefilter("ignore")
        try:
            kept = os.dup(_STDERR)
        except OSError:  # a service may have no stderr at all
            yield
            return
        os.dup2(unread.fileno(), _STDERR)
        try:
            yield
        finally:
            os.dup2(kept, _STDERR)
            os.close(kept)
