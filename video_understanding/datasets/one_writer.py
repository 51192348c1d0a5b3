"""A file that one process writes at a time: it appears whole or not at all, and processes that waited reuse it."""

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
    while True:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            own = os.fstat(file.fileno())
            if not _is_at(own, unfinished):
                continue  # the process that held the lock is done with this file, successfully or not
            if is_there():
                unfinished.unlink()
                yield None
                return
            if own.st_size:
                file.truncate()  # of one that died here
            try:
                yield file
                file.flush()
                unfinished.replace(path)
            except BaseException:
                if _is_at(own, unfinished):
                    unfinished.unlink()
                raise
            return


def _is_at(own: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(own, path.stat())
    except FileNotFoundError:
        return False
