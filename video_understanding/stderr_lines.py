"""What native libraries write to stderr, past Python: unneeded log lines, filtered by their beginnings."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator

_STDERR = 2
_PIPE_BYTES = 1 << 16  # the capacity of a pipe


_redirecting = threading.RLock()
_allowed = False
_redirected = False


def allow_redirecting() -> None:
    """Makes `without_lines` effective. Only programs call it, as stderr belongs to them; libraries must not."""
    global _allowed
    _allowed = True


@contextlib.contextmanager
def without_lines(*beginnings: bytes, in_memory: bool = False) -> Iterator[None]:
    """Lines that begin in one of these ways do not reach stderr; all others come at the end. b"" begins every line.

    Whatever the process writes there meanwhile goes the same way, so keep the block short. One thread at a time
    redirects; a block within a block changes nothing. `in_memory` needs no disk and begins sooner, and holds 64 KiB:
    what does not fit is lost. Without `allow_redirecting` all lines come at once.
    """
    global _redirected
    if not _allowed:
        yield
        return
    with _redirecting:
        if _redirected:
            yield
            return
        _redirected = True
        try:
            with _redirect(beginnings, in_memory):
                yield
        finally:
            _redirected = False


@contextlib.contextmanager
def _redirect(beginnings: tuple[bytes, ...], in_memory: bool) -> Iterator[None]:
    try:
        saved = os.dup(_STDERR)
    except OSError:  # a service may have no stderr at all
        yield
        return
    with _pipe() if in_memory else _file() as (writing, read):
        os.dup2(writing, _STDERR)
        try:
            yield
        finally:
            os.dup2(saved, _STDERR)
            lines = read().splitlines(keepends=True)
            os.write(saved, b"".join(line for line in lines if not line.startswith(beginnings)))
            os.close(saved)


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """The descriptor to write to, and a function that reads it, once."""
    reading, writing = os.pipe()
    # Nothing is read meanwhile: what does not fit is lost. And a child process may hold the other end for long.
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)

    def read() -> bytes:
        os.close(writing)
        try:
            return os.read(reading, _PIPE_BYTES)
        except BlockingIOError:
            return b""

    try:
        yield writing, read
    finally:
        os.close(reading)


@contextlib.contextmanager
def _file() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """The same, on disk and so without a limit."""
    import tempfile  # not at the top: small devices use the pipe alone, and its import takes time

    with tempfile.TemporaryFile() as file:

        def read() -> bytes:
            file.seek(0)
            return file.read()

        yield file.fileno(), read
