"""The states of a training on disk: the last two epochs, each in one file with a checksum."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from video_understanding.errors import TrainingError
from video_understanding.whole_file import whole_file

NEWEST, BEFORE = "state.npz", "state_before.npz"
_DIGEST_BYTES = 32  # BLAKE2b of all bytes before it; readers of ZIP archives skip what stands behind the archive


def write_state(folder: Path, values: Mapping[str, np.ndarray]) -> None:
    """Writes the newest state; the one that was the newest is kept as the one before."""
    content = io.BytesIO()
    np.savez(content, **values)
    newest = folder / NEWEST
    with whole_file(newest, durable=True) as unfinished:
        unfinished.write_bytes(content.getvalue() + _digest(content.getvalue()))
        if newest.exists():
            newest.replace(folder / BEFORE)


def read_state(folder: Path) -> tuple[dict[str, np.ndarray], list[Path]] | None:
    """The newest state that is whole, and the files of newer ones that are not; None where there is none at all.

    Raises:
        TrainingError: there are files, and none of them is whole.
    """
    damaged: list[Path] = []
    for file in (folder / NEWEST, folder / BEFORE):
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise TrainingError(file, f"cannot be read ({error.strerror})", "Look at its permissions.") from error
        content, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if digest == _digest(content):
            with np.load(io.BytesIO(content)) as kept:
                return dict(kept), damaged
        damaged.append(file)
    if damaged:
        raise TrainingError(
            damaged[0],
            "is damaged or of an older program, and no other state is whole",
            "Delete the folder it lies in, and train anew.",
        )
    return None


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
