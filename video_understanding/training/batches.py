"""Batches for `fit`: which windows, in which order, changed how; all of it follows from the seed and the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment import (
    default_augmentation,
    drawn_pairs,
    mixed_clip,
    mixed_inputs,
    mixed_targets,
    sound_augmentation,
)
from video_understanding.datasets.cache import PreparedClips
from video_understanding.datasets.rows import Row
from video_understanding.datasets.targets import targets_of
from video_understanding.features.prepare import from_prepared, prepare, presence_of
from video_understanding.labels import Labels
from video_understanding.modality import MODALITIES
from video_understanding.scorer import ModelInputs
from video_understanding.training.settings import TrainingSettings

_ORDER, _CHANGES = 0, 1  # streams of random numbers
_MOST_WEIGHT = 10.0


class ClipBatches(keras.utils.PyDataset):
    """(inputs, targets) of prepared clips, for any number of epochs.

    `numbers` are the windows to use. When `learning`, their order and their changes are drawn anew for each
    epoch, from the seed and the epoch alone: a training that is resumed sees what it would have seen. With
    `features` float32 [windows,T,F] of a frozen backbone the model gets these instead of frames; no frame is read then,
    and the sound alone is changed, without being moved against the frames.
    """

    def __init__(
        self,
        prepared: PreparedClips,
        rows: Sequence[Row],
        labels: Labels,
        numbers: np.ndarray,
        settings: TrainingSettings,
        *,
        learning: bool,
        features: np.ndarray | None = None,
        epoch: int = 0,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False)
        self._prepared = prepared
        self._settings = settings
        self._numbers = np.asarray(numbers)
        self._learning = learning
        self._features = features
        self._others = None if features is None else [name for name in prepared.spec.modalities if name != "video"]
        self._augmentation = default_augmentation() if features is None else sound_augmentation()
        self._changes = learning and (settings.augment or settings.mixup > 0)
        self._targets = targets_of([rows[place] for place in prepared.row_numbers], labels)  # {head: [windows,C+1]}
        self._chances = self._draw_chances() if settings.balance == "sampling" else None
        if learning and settings.unsure:
            self._targets = {head: _with_unsure(rows, settings.unsure) for head, rows in self._targets.items()}
        self.begin(epoch)

    def begin(self, epoch: int) -> None:
        """Takes the order and the changes of this epoch."""
        self._epoch = epoch
        # In an order that mixes data sets: a loss is averaged over batches, and one without labels for a head has none.
        self._order = np.random.default_rng(_ORDER).permutation(self._numbers)
        if self._learning:
            chance = np.random.default_rng([self._settings.seed, _ORDER, epoch])
            if self._chances is None:
                self._order = chance.permutation(self._numbers)
            else:
                self._order = chance.choice(self._numbers, len(self._numbers), p=self._chances)

    def on_epoch_end(self) -> None:
        """Goes on to the next epoch's order and changes."""
        self.begin(self._epoch + 1)

    def __len__(self) -> int:
        return math.ceil(len(self._order) / self._settings.batch_size)

    def __getitem__(self, place: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        size = self._settings.batch_size
        numbers = self._order[place * size : (place + 1) * size]  # [B]
        targets = {head: rows[numbers] for head, rows in self._targets.items()}  # [B,C+1] each
        if not self._changes:
            return self._as_they_are(numbers), targets
        chance = np.random.default_rng([self._settings.seed, _CHANGES, self._epoch, place])
        clips = [self._prepared[number] for number in numbers]
        if self._settings.augment:
            clips = [self._augmentation(clip, chance) for clip in clips]
        if self._features is None:
            return self._of_clips(clips, targets, chance)
        inputs = self._named(prepare(clips, self._prepared.spec, self._others), numbers)
        inputs["presence"] = presence_of(clips, self._prepared.spec).astype(np.float32)
        if self._settings.mixup:
            pairs = drawn_pairs(len(numbers), self._settings.mixup, chance)
            return mixed_inputs(inputs, *pairs, self._prepared.spec.modalities), mixed_targets(targets, *pairs)
        return inputs, targets

    def _of_clips(
        self, clips: list[Clip], targets: dict[str, np.ndarray], chance: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The clips, mixed in pairs if the settings say so."""
        if self._settings.mixup:
            partners, shares = drawn_pairs(len(clips), self._settings.mixup, chance)
            others = [clips[partner] for partner in partners]
            clips = [mixed_clip(*pair) for pair in zip(clips, others, shares, strict=True)]
            targets = mixed_targets(targets, partners, shares)
        return self._named(prepare(clips, self._prepared.spec)), targets

    def _as_they_are(self, numbers: np.ndarray) -> dict[str, np.ndarray]:
        inputs = self._named(from_prepared(self._prepared, numbers, self._others), numbers)
        if self._features is not None:
            inputs["presence"] = self._prepared.presence(numbers).astype(np.float32)
        return inputs

    def _named(self, inputs: ModelInputs, numbers: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """The model's inputs by name, with the features [B,T,F] of these windows in place of frames."""
        named = {MODALITIES[name].input: array for name, array in inputs.arrays.items()}
        if self._features is not None:
            named["video_features"] = self._features[numbers]
        return {**named, "presence": inputs.presence.astype(np.float32)}

    def _draw_chances(self) -> np.ndarray:
        """[windows used]: how likely each is drawn, so that every class of a head comes equally often.

        Clips that show none of the classes count as one more class. Of classes that come together, the common
        one comes more often than that.
        """
        chances = np.zeros(len(self._numbers))
        for rows in self._targets.values():
            used = rows[self._numbers]  # [w,C+1]
            shown = np.where(used[:, :-1].any(axis=1, keepdims=True), 0, used[:, -1:])  # [w,1]
            shown = np.concatenate([used[:, :-1], shown], axis=1)  # [w,C+1], in the last place those with no class
            chances += (shown / np.maximum(shown.sum(axis=0), 1)).sum(axis=1)
        return chances / chances.sum()


def _with_unsure(targets: np.ndarray, weight: float) -> np.ndarray:
    """Targets [rows,C+1] in which rows without a label count `weight`, with all classes alike."""
    unlabelled = targets[:, -1] == 0  # [rows]
    classes = targets.shape[1] - 1
    return np.where(unlabelled[:, None], np.float32([1 / classes] * classes + [weight]), targets)


def class_weights_of(targets: np.ndarray) -> list[float]:
    """[C]: weights under which every class of targets [rows,C+1] counts alike, and a mean row counts one."""
    counts = targets[:, :-1].sum(axis=0)  # [C]
    there = counts > 0
    weights = np.where(there, counts.sum() / np.maximum(counts, 1) / there.sum(), 0.0)
    return weights.tolist()


def yes_weights_of(targets: np.ndarray) -> list[float]:
    """[C]: weights under which the clips that show a class count as much for it as those that do not.

    None is below 1, and none above `_MOST_WEIGHT`: a handful of clips must not shout down all others.
    """
    labelled = targets[targets[:, -1] > 0, :-1]  # [k,C]
    yes = labelled.sum(axis=0)  # [C]
    return np.clip((len(labelled) - yes) / np.maximum(yes, 1), 1.0, _MOST_WEIGHT).tolist()
