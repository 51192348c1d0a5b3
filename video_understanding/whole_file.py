"""Files that appear whole or not at all (atomic writes): written beside their path, renamed at the end."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from video_understanding.errors import VideoUnderstandingError
from video_understanding.locks import is_abandoned, owned

_UNFINISHED = ".partial."


@contextlib.contextmanager
def whole_file(path: Path, durable: bool = False) -> Iterator[Path]:
    """A temporary path beside `path` to write to, renamed to it at the end, or removed if anything goes wrong.

    It has the extension of `path`, on which some programs depend; no two writers ever share it. A `durable` file is on
    the disk before it is renamed, so that a loss of power leaves the old one or the new one, and not half of it.
    """
    unfinished = path.with_name(f"{_UNFINISHED}{os.getpid()}.{threading.get_ident()}.{path.name}")
    try:
        with owned(unfinished, lambda place: place.touch()):
            yield unfinished
            if durable:
                _to_disk(unfinished)
            unfinished.replace(path)
            if durable and os.name == "posix":
                _to_disk(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def unfinished_folder(parent: Path, name: str) -> Iterator[Path]:
    """A temporary folder in `parent` for unfinished work, named after `name`; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{name}.", dir=parent))
    try:
        with owned(folder, lambda place: place.mkdir()):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(folder: Path) -> None:
    """Removes what killed processes left unfinished in the folder; files of running ones are locked, and stay."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        if is_abandoned(path):
            with contextlib.suppress(OSError):  # another process may remove it at the same time
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextlib.contextmanager
def disk_errors_as(path: Path, error: type[VideoUnderstandingError] = VideoUnderstandingError) -> Iterator[None]:
    """Errors of the system while `path` is written are raised as `error`."""
    try:
        yield
    except OSError as refused:
        raise error(path, f"cannot be written ({refused.strerror})", "Name a folder you can write to.") from refused


def write_whole(
    path: Path, text: str, error: type[VideoUnderstandingError] = VideoUnderstandingError, durable: bool = False
) -> None:
    """Writes a text as a whole file, in UTF-8; its folder is made if needed. Errors are raised as `error`.

    File names may hold bytes that are not UTF-8: they are written as escapes such as \\udcff, valid in JSON, too.
    """
    with disk_errors_as(path, error):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, durable) as unfinished:
            unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
