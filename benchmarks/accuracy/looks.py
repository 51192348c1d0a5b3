"""What a frozen backbone sees in every frame, worked out once for all trainings and kept on disk, clip by clip."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from video_understanding.datasets.augment.augmentation import Chain
from video_understanding.datasets.augment.colour import Colour
from video_understanding.datasets.augment.crop import Crop
from video_understanding.datasets.augment.flip import Flip
from video_understanding.datasets.cache import PreparedClips
from video_understanding.models.backbones import make_backbone
from video_understanding.spec import ModelSpec
from video_understanding.whole_file import whole_file

FOLDER = Path("build") / "accuracy" / "looks"
# Another light, another camera, nearer, from the other side: the sets must not be told by these.
CHANGES = Chain(
    (
        (Crop(area_fraction=(0.4, 1.0)), 0.9),
        (Flip(), 0.5),
        (Colour((0.6, 1.6), (0.6, 1.5), (0.3, 1.6), (-20, 20)), 0.9),
    )
)


class Looks:
    """Features of prepared clips: of the pictures as they are, then of pictures changed at random, `changed` times."""

    def __init__(self, spec: ModelSpec, changed: int = 0, folder: Path = FOLDER) -> None:
        self._spec = spec
        self._changed = changed
        self._folder = folder

    def of(self, prepared: PreparedClips) -> np.ndarray:
        """float32 [looks,windows,T,F]; zeros where a window has no picture, for there the model does not look."""
        size = self._backbone.output_shape[-1]
        found = np.zeros((1 + self._changed, len(prepared), self._spec.frames, size), np.float32)
        for row in tqdm(np.unique(prepared.row_numbers), desc="looking", unit="clip", disable=None):
            windows = np.flatnonzero(prepared.row_numbers == row)  # [W]
            if any(prepared[window].has_video for window in windows):
                for number, look in enumerate(found):
                    look[windows] = self._look(prepared, int(row), windows, number)
        return found

    def _look(self, prepared: PreparedClips, row: int, windows: np.ndarray, number: int) -> np.ndarray:
        """float16 [W,T,F] of one clip, from disk if it was worked out before."""
        name = _name(prepared, row, number)
        file = self._folder / name[:2] / f"{name}.npy"
        if not file.exists():
            seen = np.stack([self._seen(prepared, window, name, number) for window in windows])
            file.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(file) as unfinished, unfinished.open("wb") as out:
                np.save(out, seen.astype(np.float16))
        return np.load(file)

    def _seen(self, prepared: PreparedClips, window: int, name: str, number: int) -> np.ndarray:
        clip = prepared[window]
        if number:
            clip = CHANGES(clip, np.random.default_rng([int(name, 16), int(window)]))
        return self._see(tf.constant(clip.frames)).numpy()  # [T,F]

    @cached_property
    def _backbone(self) -> keras.Model:
        video = self._spec.video
        return make_backbone(self._spec.network.backbone, video.height_px, video.width_px)

    @cached_property
    def _see(self) -> tf.types.experimental.PolymorphicFunction:
        return tf.function(lambda frames: self._backbone(tf.cast(frames, tf.float32), training=False))


def _name(prepared: PreparedClips, row: int, number: int) -> str:
    spec, clip = prepared.spec, prepared.rows[row]
    depends_on = [
        spec.to_dict()["video"],
        spec.window_s,
        spec.network.backbone,
        str(clip.path.relative_to(clip.root.parent)),
        clip.path.stat().st_size,
        repr(CHANGES) if number else "",
        number,
    ]
    return hashlib.sha256(json.dumps(depends_on).encode()).hexdigest()[:24]
