"""Cross-validation: the same training on every fold, each clip measured by a model that never saw its subject."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.splits import make_folds
from video_understanding.errors import TrainingError
from video_understanding.evaluation import CrossvalSummary, crossval_summary
from video_understanding.evaluation.data_study import DataStudy
from video_understanding.locks import one_owner
from video_understanding.progress import one_bar
from video_understanding.spec import ModelSpec
from video_understanding.training.baselines import SIMPLE, SimpleFeatures, head_targets
from video_understanding.training.fit import Trained, fit
from video_understanding.training.linear import blocks_of
from video_understanding.training.measuring import CONDITIONS, Measuring
from video_understanding.training.pooled_clips import pooled_clips
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.study import study_clips
from video_understanding.training.warned import warn_of_skipped, warn_of_torn_sources

_MEASUREMENTS = 4 + CONDITIONS  # for the temperature, the test, its speakers known, each condition of robustness


def crossval(
    manifest: Manifest,
    spec: ModelSpec,
    folder: str | Path,
    settings: TrainingSettings | None = None,
    *,
    folds: int = 5,
    weights: str | Path | None = "default",
    resume: bool = False,
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> CrossvalSummary:
    """Trains one model for each fold (those of the fold column, if the data have one) and measures it on that fold.

    Confidence is calibrated on each fold's validation part, as in any training. What is needed to go on lies in
    `folder`; with `resume` the folds that are done are not trained again.
    """
    settings = settings or TrainingSettings()
    with one_owner(Path(folder), "training", TrainingError):
        return _crossval(manifest, spec, Path(folder), settings, folds, weights, resume, cache or ClipCache(), progress)


def _crossval(
    manifest: Manifest,
    spec: ModelSpec,
    folder: Path,
    settings: TrainingSettings,
    folds: int,
    weights: str | Path | None,
    resume: bool,
    cache: ClipCache,
    progress: bool | None,
) -> CrossvalSummary:
    splits = make_folds(manifest, folds=folds, seed=settings.seed)
    fold_of = {row: number for number, split in enumerate(splits) for row in split.parts["test"]}
    warnings = warn_of_torn_sources(manifest.rows, [fold_of[row] for row in range(len(manifest))])
    prepared = cache.prepare(manifest.rows, spec, progress=progress)
    warnings += warn_of_skipped(prepared)
    simple_features = SimpleFeatures.of(prepared)
    reports, robust, simple, known = [], [], [], []
    for number, split in enumerate(splits, start=1):
        place = folder / f"fold_{number}"
        trained = fit(
            manifest, split, spec, place, settings, weights=weights, resume=resume, cache=cache, progress=progress
        )
        with one_bar(f"Evaluating fold {number}", _MEASUREMENTS, progress):
            measuring = Measuring.of(trained, settings.seed, progress)
            reports.append(measuring.report("test"))
            robust.append(measuring.robustness("test"))
            known.append(measuring.known_speakers("test"))
        simple.append(measuring.simple_baseline(simple_features))
    # A fold whose model is not adapted answers as it does without.
    names = dict.fromkeys(name for own in known for name in own)
    adapted = {name: [own.get(name, report) for own, report in zip(known, reports, strict=True)] for name in names}
    found = crossval_summary(reports, settings.seed, robust, {SIMPLE: simple}, adapted)
    study = None if trained.linear is None else _study(trained, found)
    return dataclasses.replace(found, warnings=tuple(warnings), study=study)


def _study(trained: Trained, found: CrossvalSummary) -> DataStudy:
    """The study of all clips, whose tokens any fold's training has; all of them learned from is what the folds are."""
    encoded, labels = trained.linear.encoded, trained.model.labels
    readable = set(encoded.prepared.row_numbers.tolist())
    places = [place for place in sorted(readable) if not labels.keys().isdisjoint(trained.rows[place].labels)]
    rows = [trained.rows[place] for place in places]
    targets = head_targets(rows, labels, trained.model.spec.network.multi_label)
    left_out = {head: np.full(own.truth.shape, np.nan) for head, own in targets.items()}
    number_of = {row.place: number for number, row in enumerate(rows)}
    for head, result in found.together.heads.items():
        for row, scores in zip(result.answers.rows, result.answers.scores, strict=True):
            left_out[head][number_of[row.place]] = scores
    pooled = {name: pooled_clips(encoded, places, name) for name in trained.model.spec.modalities}
    return study_clips(pooled, targets, rows, labels, blocks_of(trained.model), left_out)
