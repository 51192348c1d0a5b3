"""What lies in the folders that are to be indexed, and by what a file is known again under another name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from video_understanding.datasets.content_digest import content_digest
from video_understanding.datasets.rows import PICTURE_SUFFIXES, is_media
from video_understanding.errors import SearchError

_DIGEST_BYTES, _BLOCK_BYTES = 16, 1 << 18


def files_of(sources: Iterable[str | Path]) -> tuple[list[Path], list[Path]]:
    """All video, sound and picture files in and below the sources, and the sources themselves, absolute.

    A file that is named is taken whatever it is called.

    Raises:
        SearchError: a source does not exist.
    """
    files: dict[Path, None] = {}
    roots = []
    for source in sources:
        root = absolute(source)
        if not root.exists():
            raise SearchError(source, "does not exist", "Name files and folders that do.")
        roots.append(root)
        if not root.is_dir():
            files[root] = None
            continue
        for folder, inner, names in os.walk(root):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if not name.startswith(".") and (is_media(path) or path.suffix.lower() in PICTURE_SUFFIXES):
                    files[path] = None
    return list(files), roots


def absolute(path: str | Path) -> Path:
    """The path from the root, without "~" and "..", by which a file is named; links are not followed."""
    return Path(os.path.normpath(Path(path).expanduser().absolute()))


def is_below(path: str, roots: Sequence[Path]) -> bool:
    """Whether a file is one of the roots or lies below one of them."""
    return any(Path(path).is_relative_to(root) for root in roots)


def digest_of(path: Path) -> str:
    """Of a file's length and content; of a large one, of pieces of it."""
    return content_digest(path, _DIGEST_BYTES, _BLOCK_BYTES)
