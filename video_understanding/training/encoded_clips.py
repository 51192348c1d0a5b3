"""Prepared clips encoded by the frozen encoders of a model: once for each view, and cached for every training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from video_understanding.clip import Clip
from video_understanding.datasets.augment import Augmentation, Chain, Colour, Crop, Flip
from video_understanding.datasets.cache import PreparedClips
from video_understanding.modality import Modality, modalities_of
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.encoders import Encoder
from video_understanding.progress import Bar
from video_understanding.spec import ModelSpec
from video_understanding.whole_file import whole_file

# Raised whenever the same weights would make other tokens of the same prepared clip; its folder has the number.
ENCODING = 1
_MIRRORED = Chain(((Flip(), 1.0),))
_NEARER = Chain(
    (
        (Crop(area_fraction=(0.5, 1.0)), 0.9),
        (Flip(), 0.5),
        (Colour((0.7, 1.4), (0.7, 1.4), (0.5, 1.5), (-10, 10)), 0.9),
    )
)


@dataclass(frozen=True)
class FrozenEncoder:
    """One modality's encoder, as far as it is never trained.

    encode    clips [w] -> tokens float32 [w,n,D]
    shape     (n,D) of the tokens of one window
    pooling   by which of `POOLINGS` they become one vector
    identity  names the weights and settings that the tokens depend on
    views     augmentations of a clip, the first of them None: the clip as it is
    """

    modality: str
    encode: Callable[[Sequence[Clip]], np.ndarray]
    shape: tuple[int, int]
    pooling: str
    identity: str
    views: tuple[Augmentation | None, ...]


def frozen_encoders(model: VideoUnderstandingModel, views: int) -> list[FrozenEncoder]:
    """The encoders of a model in which all are frozen, with `views` views of the frames and one of other modalities.

    Random changes to the sound (gain, noise, masks) made linear classifiers worse on all measured sets.
    """
    changes = (None, _MIRRORED, *[_NEARER] * (views - 2))[:views]
    return [
        _frozen(one, model.encoders[one.name], model.spec, changes if one.name == "video" else (None,))
        for one in modalities_of(model.spec.modalities)
    ]


def _frozen(
    modality: Modality, encoder: Encoder, spec: ModelSpec, views: tuple[Augmentation | None, ...]
) -> FrozenEncoder:
    compute = tf.function(encoder.encode_pieces, reduce_retracing=True)

    def encode(clips: Sequence[Clip]) -> np.ndarray:
        pieces = modality.cut(np.stack([modality.prepared(clip, spec) for clip in clips]), spec)  # [w*P,...]
        new = np.ones(len(pieces), bool)  # a piece that is the same as the one before, as in pictures, is encoded once
        new[1:] = (pieces[1:] != pieces[:-1]).any(axis=tuple(range(1, pieces.ndim)))
        tokens = compute(tf.constant(pieces[new])).numpy()[np.cumsum(new) - 1]  # [w*P,D] or [w*P,K,D]
        return tokens.reshape(len(clips), *encoder.token_shape)

    identity = _identity(encoder.backbone, encoder.settings)
    return FrozenEncoder(modality.name, encode, encoder.token_shape, encoder.pooling, identity, views)


class EncodedClips:
    """Tokens of prepared clips by modality and view, from the cache folder or encoded now.

    Files are named by all they depend on: the prepared clip (and so the version of the reader), the encoder's weights
    and the view. They may be deleted at any time.
    """

    def __init__(self, prepared: PreparedClips, encoders: Sequence[FrozenEncoder], folder: Path) -> None:
        self.prepared = prepared
        self.encoders = {encoder.modality: encoder for encoder in encoders}
        self._folder = folder / f"tokens_{ENCODING}"
        self._last: dict[str, tuple[int, np.ndarray]] = {}  # modality -> a row and its tokens in the first view

    def of_rows(
        self, rows: Sequence[int] | np.ndarray, modality: str, view: int, progress: bool | None = None
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Each row that has the modality, and the tokens float16 [w,n,D] of its windows that have it."""
        many = len(self.encoders[modality].views)
        name = f"Encoding {modality}" + (f", view {view + 1} of {many}" if many > 1 else "")
        with Bar(len(rows), name, "clip", shown=progress, leave=False) as bar:
            for row in rows:
                windows = self.numbers_of(int(row), modality)
                if len(windows):
                    yield int(row), self._tokens(int(row), windows, modality, view)
                bar.update(1)

    def of_windows(self, numbers: np.ndarray, modality: str) -> np.ndarray:
        """float32 [B,n,D]: the tokens of windows as they are, zeros where the modality is missing."""
        found = np.zeros((len(numbers), *self.encoders[modality].shape), np.float32)
        for place, number in enumerate(numbers):
            row = int(self.prepared.row_numbers[number])
            windows = self.numbers_of(row, modality)
            if number in windows:
                if self._last.get(modality, (-1,))[0] != row:
                    self._last[modality] = row, self._tokens(row, windows, modality, 0)
                found[place] = self._last[modality][1][np.searchsorted(windows, number)]
        return found

    def numbers_of(self, row: int, modality: str) -> np.ndarray:
        """int [w]: the numbers of a row's windows that have the modality."""
        windows = np.flatnonzero(self.prepared.row_numbers == row)
        return windows[self.prepared.presence(windows, (modality,))[:, 0]]

    def _tokens(self, row: int, windows: np.ndarray, modality: str, view: int) -> np.ndarray:
        encoder = self.encoders[modality]
        change = encoder.views[view]
        depends_on = (self.prepared.name_of(row), windows.tolist(), encoder.identity, repr(change), view)
        name = hashlib.sha256(repr(depends_on).encode()).hexdigest()[:40]
        file = self._folder / name[0] / f"{name}.npy"
        try:
            return np.load(file)
        except (OSError, ValueError, EOFError):  # not there, or not whole
            pass
        clips = [self.prepared[window] for window in windows]
        if change is not None:
            chance = np.random.default_rng(int(name[:16], 16))
            clips = [change(clip, chance) for clip in clips]
        tokens = encoder.encode(clips).astype(np.float16)
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as unfinished, unfinished.open("wb") as out:
            np.save(out, tokens)
        return tokens


def _identity(network: keras.Model, settings: str) -> str:
    """A hash of a network's weights and of the settings around it."""
    digest = hashlib.sha256(settings.encode())
    for weight in network.get_weights():
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()[:24]
