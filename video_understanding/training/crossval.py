"""Cross-validation: the same training on every fold, each clip measured by a model that never saw its subject."""

from __future__ import annotations

from pathlib import Path

from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.splits import make_folds
from video_understanding.evaluation import CrossvalSummary, crossval_summary
from video_understanding.spec import ModelSpec
from video_understanding.training.fit import fit
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import Measuring


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
    reports, robust = [], []
    for number, split in enumerate(make_folds(manifest, folds=folds, seed=settings.seed), start=1):
        place = Path(folder) / f"fold_{number}"
        trained = fit(
            manifest, split, spec, place, settings, weights=weights, resume=resume, cache=cache, progress=progress
        )
        measuring = Measuring.of(trained, settings.seed, progress)
        reports.append(measuring.report("test"))
        robust.append(measuring.robustness("test"))
    return crossval_summary(reports, settings.seed, robust)
