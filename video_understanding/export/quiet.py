"""TensorFlow's converter at work without a word: it tells of every step on stderr, past Python."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

from video_understanding.stderr_lines import without_lines


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing written to stderr in the block is seen, and no warning; what goes wrong is told by exceptions."""
    with warnings.catch_warnings(), without_lines(b""):
        warnings.simplefilter("ignore")
        yield
