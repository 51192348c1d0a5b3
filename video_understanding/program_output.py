"""Output of the programs: escaped for terminals, and an error of the system is one line, not a traceback."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from video_understanding.errors import VideoUnderstandingError
from video_understanding.safe_text import visible


@contextmanager
def safe_output() -> Iterator[None]:
    """Inside the block, control characters printed to stdout become visible escapes; at its end all is flushed.

    What cannot be flushed (a full disk, a reader that went away) is dropped: it was an error inside the block already,
    and would be one more when the interpreter ends.
    """
    before = sys.stdout
    sys.stdout = _SafeStream(before)
    try:
        yield
    finally:
        sys.stdout = before
        try:
            before.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), before.fileno())


def refusal(error: OSError | UnicodeEncodeError) -> VideoUnderstandingError:
    """An error of the system, such as a full disk or a read-only folder, as an error of one line.

    The same for a name that is not UTF-8 where a library accepts no other.
    """
    if isinstance(error, UnicodeEncodeError):
        cause = "is not UTF-8, and the libraries that this needs accept no other names"
        return VideoUnderstandingError(repr(error.object[:200]), cause, "Rename the file or folder.")
    cure = {
        errno.ENOSPC: "Make room, and do it again.",
        errno.EROFS: "Give a path that can be written.",
        errno.EACCES: "Give a path that you may read and write.",
    }.get(error.errno, "Check that the path exists and its permissions.")
    return VideoUnderstandingError(error.filename or "disk", f"cannot be used ({error.strerror})", cure)


class _SafeStream:
    """A stream of text that shows control characters instead of passing them on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with _named():
            self._stream.write(visible(text))
        return len(text)

    def flush(self) -> None:
        with _named():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _named() -> Iterator[None]:
    """Names the stream in errors of the system, which do not name it."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or "standard output"
        raise
