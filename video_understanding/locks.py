"""Locks on files and folders that the system releases when their process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from video_understanding.errors import VideoUnderstandingError

try:
    import fcntl
except ImportError:  # Windows: nothing is locked there, and nothing counts as abandoned
    fcntl = None

LOCK_FILE = ".lock"


class Locked(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def owned(path: Path, make: Callable[[Path], None]) -> Iterator[None]:
    """Holds the lock of the file or folder `path`, which `make` makes where it is absent; `Locked` if it is taken."""
    descriptor = _take(path, make)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_abandoned(path: Path) -> bool:
    """Whether no process holds the lock of `path`, made by `owned`; False where the system has no such locks."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def one_owner(folder: Path, work: str, error: type[VideoUnderstandingError]) -> Iterator[None]:
    """Makes the folder if need be, and refuses with `error` if another process does its `work` in it already.

    Args:
        folder: where the results go.
        work: what is done there, such as "training", for the message.
        error: the class of the refusal.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK_FILE
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(owned(lock, lambda path: path.touch()))
        except Locked:
            raise error(
                folder,
                f"is in use: process {_owner_of(lock)} does its {work} there",
                "Wait until that one has ended, or name another folder.",
            ) from None
        try:
            lock.write_text(f"{os.getpid()}\n", encoding="ascii")
            yield
        finally:
            lock.unlink(missing_ok=True)
            if is_new:
                with contextlib.suppress(OSError):  # it holds something by now
                    folder.rmdir()


def _take(path: Path, make: Callable[[Path], None]) -> int | None:
    """The descriptor that holds the lock; None where the system has no such locks."""
    while True:
        if not path.exists():
            make(path)
        if fcntl is None:
            return None
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue  # removed as abandoned, in the moment before it was locked
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise Locked(path) from None
        except OSError:  # a file system without locks
            os.close(descriptor)
            return None
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _owner_of(lock: Path) -> str:
    try:
        return lock.read_text(encoding="ascii").strip() or "another"
    except (OSError, ValueError):
        return "another"
