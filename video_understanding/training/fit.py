"""From labelled clips to a trained model: everything around `keras.Model.fit`, and all of it resumable."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.rows import Row
from video_understanding.datasets.targets import targets_of
from video_understanding.errors import TrainingError
from video_understanding.labels import BETWEEN, NONE, Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.losses import loss_and_accuracy
from video_understanding.spec import ModelSpec
from video_understanding.training.batches import ClipBatches, class_weights_of, yes_weights_of
from video_understanding.training.features import frame_features
from video_understanding.training.feed import EpochOrder, Feed
from video_understanding.training.fingerprints import fingerprints
from video_understanding.training.keeper import Keeper
from video_understanding.training.linear import (
    CLEARLY_BETTER,
    LinearFit,
    fit_linear,
    has_motion,
    specs_to_try,
    with_speakers,
)
from video_understanding.training.missing import windows_to_learn
from video_understanding.training.optimizer import RiseAndFall, SlowPartAdam
from video_understanding.training.progress import TrainingBar
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.tensorboard import EpochCurves
from video_understanding.whole_file import remove_abandoned

WORK_FOLDER = "training"


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the model with its best weights, how it came to them, and the clips it saw."""

    model: VideoUnderstandingModel
    history: dict[str, list[float]]
    best_epoch: int
    seconds: float
    interrupted: bool
    prepared: PreparedClips
    rows: tuple[Row, ...]
    parts: tuple[str | None, ...]
    linear: LinearFit | None = None  # where the model was solved in closed form

    def rows_of(self, part: str) -> tuple[Row, ...]:
        """All rows, those outside the part without their labels: what is measured is the part alone."""
        return tuple(
            row if own == part else dataclasses.replace(row, labels={})
            for row, own in zip(self.rows, self.parts, strict=True)
        )


def fit(
    manifest: Manifest,
    split: Split,
    spec: ModelSpec,
    folder: Path,
    settings: TrainingSettings,
    *,
    weights: str | Path | None = "default",
    resume: bool = False,
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> Trained:
    """Trains a model of the spec on the split's train part, guided by its validation part.

    Everything needed to go on lies in `folder`/training after every epoch; with `resume` it does go on, and
    ends with the very weights of a training that was never stopped. Ctrl-C ends the training early, and what is
    given back is the best model so far.
    """
    began_s = time.monotonic()
    rows, parts = manifest.rows, tuple(split.part_of_rows())
    if spec.network.classifier == "linear":  # chosen by leaving groups out, so that no part has to guide it
        parts = tuple("train" if part == "validation" else part for part in parts)
    labels = labels_to_learn(manifest, parts, spec.network.multi_label)
    prepared = (cache or ClipCache()).prepare(rows, spec, progress=progress)
    if spec.network.classifier == "linear":
        return _fit_linear(
            manifest, parts, labels, prepared, spec, settings, weights, cache or ClipCache(), progress, began_s
        )
    train, validation = (windows_of(prepared, rows, parts, part, labels) for part in ("train", "validation"))
    if not len(train):
        raise TrainingError(manifest.name, "has no readable clip to learn from", "Run `vu check` on it.")
    train = windows_to_learn(prepared, train)

    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    model = VideoUnderstandingModel(spec, labels, weights=weights, seed=settings.seed)
    frozen = spec.network.unfrozen_blocks == 0 and "video" in spec.modalities
    features = frame_features(model, prepared, progress) if frozen else None

    def batches(numbers: np.ndarray, epoch: int, learning: bool) -> ClipBatches:
        return ClipBatches(prepared, rows, labels, numbers, settings, learning=learning, features=features, epoch=epoch)

    steps = len(batches(train, 0, True))
    targets = targets_of([rows[place] for place in prepared.row_numbers[train]], labels)
    _compile(model, settings, targets, steps, slow_backbone=not begins_at_random(spec, weights))
    work = folder / WORK_FOLDER
    work.mkdir(parents=True, exist_ok=True)
    remove_abandoned(work)
    recipe = _recipe(spec, labels, split, settings, weights)
    keeper = Keeper(work, settings.patience, recipe, fingerprints(prepared))
    if resume:
        keeper.restore(model)
    interrupted = False
    if not keeper.finished:
        first = keeper.epochs_done
        try:
            _without_memory_dump(
                model,
                batches(train, first, True),
                batches(validation, 0, False) if len(validation) else None,
                settings,
                first,
                [keeper, TrainingBar(settings.epochs, steps, first, progress), EpochCurves(work / "tensorboard")],
            )
        except KeyboardInterrupt:
            if keeper.best_epoch < 0:
                raise  # nothing was learned yet that could be kept
            interrupted = True
    keeper.restore_best(model)
    return Trained(
        model,
        keeper.history,
        keeper.best_epoch,
        time.monotonic() - began_s,
        interrupted,
        prepared,
        tuple(rows),
        parts,
    )


def _fit_linear(
    manifest: Manifest,
    parts: tuple[str | None, ...],
    labels: Labels,
    prepared: PreparedClips,
    spec: ModelSpec,
    settings: TrainingSettings,
    weights: str | Path | None,
    cache: ClipCache,
    progress: bool | None,
    began_s: float,
) -> Trained:
    """The closed form in place of epochs: nothing to resume but the encoding, which the cache keeps."""
    rows, found, losses = manifest.rows, None, {}
    for tried in specs_to_try(spec, settings.close_up and "video" in spec.modalities and has_motion(prepared)):
        clips = prepared if tried == spec else cache.prepare(rows, tried, progress=progress)
        windows = windows_of(clips, rows, parts, "train", labels)
        if not len(windows):
            raise TrainingError(manifest.name, "has no readable clip to learn from", "Run `vu check` on it.")
        learned = np.unique(clips.row_numbers[windows_to_learn(clips, windows)])
        own = fit_linear(
            clips, rows, learned, tried, labels, views=settings.views, weights=weights, cache=cache, progress=progress
        )
        losses["whole frames" if tried.video.zoom == 1 else f"close-up, zoom {tried.video.zoom}"] = own.loss
        found = own if found is None or own.loss < found.loss - CLEARLY_BETTER else found
    found = dataclasses.replace(with_speakers(found), tried=losses)
    seconds = time.monotonic() - began_s
    return Trained(found.model, {}, -1, seconds, False, found.encoded.prepared, tuple(rows), parts, found)


def _without_memory_dump(
    model: VideoUnderstandingModel,
    train: ClipBatches,
    validation: ClipBatches | None,
    settings: TrainingSettings,
    first_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    learned = Feed(train)
    judged = None if validation is None else Feed(validation)
    model.train_function = model.train_function or learned.steps(model.train_step)
    if judged is not None:
        model.test_function = model.test_function or judged.steps(model.test_step)
    try:
        model.fit(
            learned,
            validation_data=judged,
            epochs=settings.epochs,
            initial_epoch=first_epoch,
            callbacks=[EpochOrder(train), *callbacks],
            shuffle=False,  # the batches come in an order of their own
            verbose=0,
        )
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise TrainingError(
            "training",
            f"does not fit into memory with {settings.batch_size} clips at a time",
            "Lower batch_size, or take a smaller preset.",
        ) from error


def begins_at_random(spec: ModelSpec, weights: str | Path | None) -> bool:
    """Whether the spec's backbone has learned nothing yet."""
    return (
        weights is None or "video" not in spec.modalities or (spec.network.backbone == "small" and weights == "default")
    )


def _compile(
    model: VideoUnderstandingModel,
    settings: TrainingSettings,
    targets: dict[str, np.ndarray],
    steps: int,
    slow_backbone: bool,
) -> None:
    losses, metrics = {}, {}
    for head, rows in targets.items():
        several = head in model.spec.network.multi_label
        weights_of = yes_weights_of if several else class_weights_of
        weights = weights_of(rows) if settings.balance == "weights" else None
        losses[head], accuracy = loss_and_accuracy(several, weights, settings.label_smoothing, settings.focal_gamma)
        metrics[head] = [accuracy]
    optimizer = SlowPartAdam(
        RiseAndFall(settings.learning_rate, steps, steps * settings.epochs),
        weight_decay=settings.weight_decay,
        clipnorm=1.0,
    )
    if slow_backbone:
        optimizer.slow_down(model.encoders["video"].backbone.trainable_variables, settings.backbone_rate)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, loss=losses, metrics=metrics)
    # Creates the means of the losses, for which TensorFlow would otherwise trace the whole training step twice.
    one = {head: rows[:1] for head, rows in targets.items()}  # [1,C+1]
    model.compute_loss(y=one, y_pred={head: rows[:, :-1] for head, rows in one.items()})


def labels_to_learn(manifest: Manifest, parts: Sequence[str | None], multi_label: Sequence[str] = ()) -> Labels:
    """The heads whose labels differ in the train part; others cannot be learned.

    In the heads of `multi_label` a clip may show several classes or "none"; in others that is refused.
    """
    rows = [row for row, part in zip(manifest.rows, parts, strict=True) if part == "train"]
    unknown = [head for head in multi_label if head not in manifest.heads]
    if unknown:
        raise TrainingError(
            manifest.name,
            f"has no label of the multi-label head {unknown[0]}",
            f"It is labelled for: {', '.join(manifest.heads) or 'nothing'}; name other columns with --heads.",
        )
    for head in manifest.heads:
        if head not in multi_label:
            _require_single(manifest, head)
    # "none" is a class to a manifest in which no clip shows several.
    labels = {
        head: tuple(name for name in names if name != NONE or head not in multi_label)
        for head, names in manifest.labels.items()
    }
    shown_in = {
        head: {frozenset(Labels(labels).classes_of(head, row.labels[head])) for row in rows if head in row.labels}
        for head in labels
    }
    names = {head: labels[head] for head, seen in shown_in.items() if len(seen) >= 2}
    if names:
        return Labels(names)
    alone = [f"only one {head}, {BETWEEN.join(sorted(*seen)) or NONE!r}" for head, seen in shown_in.items() if seen]
    raise TrainingError(
        manifest.name,
        f"has {' and '.join(alone) or 'no labelled clips'} to learn from",
        "A model learns to tell classes apart: label clips of two or more, or check the split.",
    )


def _require_single(manifest: Manifest, head: str) -> None:
    several = [row for row in manifest.rows if head in row.labels and len(manifest.classes_of(row, head)) != 1]
    if several:
        raise TrainingError(
            several[0].origin or several[0].path,
            f"{head} {several[0].labels[head]!r} is not one class, in {len(several)} clip(s) like this",
            f"Train with --multi-label {head} (multi_label in the spec's network), or give each clip one {head}.",
        )


def windows_of(
    prepared: PreparedClips, rows: Sequence[Row], parts: Sequence[str | None], part: str, labels: Labels
) -> np.ndarray:
    """int [w]: the windows of the part's rows that are labelled for any head to learn."""
    wanted = [own == part and not labels.keys().isdisjoint(row.labels) for row, own in zip(rows, parts, strict=True)]
    return np.flatnonzero(np.array(wanted, bool)[prepared.row_numbers])


def _recipe(
    spec: ModelSpec, labels: Labels, split: Split, settings: TrainingSettings, weights: str | Path | None
) -> dict[str, Any]:
    return {
        "spec": spec.to_dict(),
        "labels": {head: list(labels.names(head)) for head in labels.heads},
        "split": split.hash,
        "settings": settings.to_dict(),
        "weights": str(weights),
    }
