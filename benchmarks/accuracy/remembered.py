"""What a frozen part of the model makes of each clip, worked out once for all trainings and kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from video_understanding.clip import Clip
from video_understanding.datasets.augment.augmentation import Chain
from video_understanding.datasets.cache import PreparedClips
from video_understanding.whole_file import whole_file

FOLDER = Path("build") / "accuracy" / "remembered"


class Part(Protocol):
    """A frozen part of the model: the eye or the ear.

    about    what it makes of a clip depends on this, beside the clip
    shape    of what it makes of a window
    changes  what befalls clips, so that a training does not learn one look by heart
    """

    about: list[object]
    shape: tuple[int, ...]
    changes: Chain

    def notices(self, clip: Clip) -> bool:
        """Whether there is anything for it in a window."""

    def __call__(self, clips: Sequence[Clip]) -> np.ndarray:
        """float [W,*shape] of W windows."""


class Remembered:
    """What a part makes of prepared clips as they are, then of clips changed at random, `changed` times."""

    def __init__(self, part: Part, changed: int, folder: Path = FOLDER) -> None:
        self._part = part
        self._changed = changed
        self._folder = folder

    def of(self, prepared: PreparedClips) -> np.ndarray:
        """float16 [looks,windows,*shape]; zeros where a clip has nothing for the part, for there no model looks."""
        found = np.zeros((1 + self._changed, len(prepared), *self._part.shape), np.float16)
        for row in tqdm(np.unique(prepared.row_numbers), desc="remembering", unit="clip", disable=None):
            windows = np.flatnonzero(prepared.row_numbers == row)  # [W]
            if any(self._part.notices(prepared[window]) for window in windows):
                for number, look in enumerate(found):
                    look[windows] = self._look(prepared, int(row), windows, number)
        return found

    def _look(self, prepared: PreparedClips, row: int, windows: np.ndarray, number: int) -> np.ndarray:
        """float16 [W,*shape] of one clip, from disk if it was worked out before."""
        name = self._name(prepared, row, number)
        file = self._folder / name[:2] / f"{name}.npy"
        if not file.exists():
            clips = [prepared[window] for window in windows]
            if number:
                chance = np.random.default_rng(int(name, 16))
                clips = [self._part.changes(clip, chance) for clip in clips]
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as unfinished, unfinished.open("wb") as out:
                np.save(out, self._part(clips).astype(np.float16))
        return np.load(file)

    def _name(self, prepared: PreparedClips, row: int, number: int) -> str:
        clip = prepared.rows[row]
        depends_on = [
            *self._part.about,
            prepared.spec.window_s,
            str(clip.path.relative_to(clip.root.parent)),
            clip.path.stat().st_size,
            repr(self._part.changes) if number else "",
            number,
        ]
        return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:24]
