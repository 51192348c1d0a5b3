"""Labelled clips as `fit` takes them, for those who train with Keras by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.splits import split_rows
from video_understanding.labels import Labels
from video_understanding.presets import preset
from video_understanding.spec import ModelSpec
from video_understanding.training.batches import ClipBatches
from video_understanding.training.fit import labels_to_learn, windows_of
from video_understanding.training.settings import TrainingSettings


@dataclass(frozen=True, eq=False)
class Dataset:
    """The parts of a split as batches for `keras.Model.fit`; a part without clips is None.

    train        in another order and changed at random in each epoch
    validation, test   as they are
    """

    train: ClipBatches
    validation: ClipBatches | None
    test: ClipBatches | None
    spec: ModelSpec
    labels: Labels
    manifest: Manifest
    split: Split
    prepared: PreparedClips


def load_dataset(
    *data: str | Path,
    heads: Sequence[str] | None = None,
    spec: ModelSpec | None = None,
    settings: TrainingSettings | None = None,
    split: Split | None = None,
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> Dataset:
    """Reads the manifests, splits by subject, prepares every clip once, and gives batches.

    `heads` names the columns that hold labels, as in `load_manifest`. Without a spec it is that of the preset "tiny".
    The settings say the batch size, the seed and how the training part is changed.

        data = load_dataset("clips.csv")
        model = VideoUnderstandingModel(data.spec, data.labels)
        model.compile(optimizer="adamw")
        model.fit(data.train, validation_data=data.validation, epochs=20)
    """
    spec, settings = spec or preset("tiny"), settings or TrainingSettings()
    manifest = load_manifest(*data, heads=heads)
    split = split or split_rows(manifest, seed=settings.seed)
    parts = split.part_of_rows()
    labels = labels_to_learn(manifest, parts, spec.network.multi_label)
    prepared = (cache or ClipCache()).prepare(manifest.rows, spec, progress=progress)

    def batches(part: str) -> ClipBatches | None:
        numbers = windows_of(prepared, manifest.rows, parts, part, labels)
        if not len(numbers):
            return None
        return ClipBatches(prepared, manifest.rows, labels, numbers, settings, learning=part == "train")

    return Dataset(batches("train"), batches("validation"), batches("test"), spec, labels, manifest, split, prepared)
