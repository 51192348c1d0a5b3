"""Files that appear whole or not at all: written beside their place, renamed into it at the end."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from video_understanding.errors import VideoUnderstandingError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to, which takes its name at the end, or vanishes if anything goes wrong.

    Its ending is that of `path`, for programs that go by it; no two writers ever share it.
    """
    unfinished = path.with_name(f".partial.{os.getpid()}.{threading.get_ident()}.{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def refusal_told(path: Path, error: type[VideoUnderstandingError] = VideoUnderstandingError) -> Iterator[None]:
    """What the disk refuses while `path` is written becomes `error`."""
    try:
        yield
    except OSError as refused:
        raise error(path, f"cannot be written ({refused.strerror})", "Name a folder you can write to.") from refused


def write_whole(path: Path, text: str, error: type[VideoUnderstandingError] = VideoUnderstandingError) -> None:
    """Writes a text as a whole file, in UTF-8; its folder is made if need be. What the disk refuses becomes `error`.

    Names of files may hold bytes that are no UTF-8: these are written as escapes such as \\udcff, which JSON knows.
    """
    with refusal_told(path, error):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8", errors="backslashreplace")
