"""A file that one process writes at a time: it appears whole or not at all, and who waited for it finds it there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from video_understanding.whole_file import whole_file


@contextmanager
def one_writer(path: Path, is_there: Callable[[], bool]) -> Iterator[BinaryIO | None]:
    """A file to write, which takes the name `path` in the end or vanishes if anything goes wrong.

    None if `path` `is_there`: another process may have written it while this one waited. The unfinished file is the
    lock as well, so that only one entry of a folder has to be made; the lock of a process that died is gone with it.
    """
    try:
        import fcntl
    except ImportError:  # without such locks two processes may do the same work twice, which harms nothing
        with whole_file(path) as own, own.open("wb") as file:
            yield file
        return
    unfinished = path.with_suffix(".unfinished")
    while not is_there():
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not _is_at(file, unfinished):
                continue  # whoever had the lock is done with this file, well or not
            if os.fstat(file.fileno()).st_size:
                file.truncate()  # of one that died here
            try:
                yield file
                file.flush()
                unfinished.replace(path)
            finally:
                if _is_at(file, unfinished):
                    unfinished.unlink()
            return
    yield None


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
