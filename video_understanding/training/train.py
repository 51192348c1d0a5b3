"""A whole training: split, fit, calibrate, measure, and a bundle that tells all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.bundle_card import card
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.splits import split_rows
from video_understanding.errors import TrainingError
from video_understanding.evaluation import (
    MultiLabelReport,
    Report,
    Robustness,
    evaluate,
    fit_temperature,
    logits_of,
    robustness,
    unknown_threshold,
)
from video_understanding.evaluation.evaluate import evaluate_inputs, report_of_scores
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import save_model
from video_understanding.report import write_training_report
from video_understanding.spec import ModelSpec
from video_understanding.training.fit import WORK_FOLDER, Trained, begins_at_random, fit
from video_understanding.training.linear import EncodedScorer
from video_understanding.training.pictures import draw_confusion, draw_curves
from video_understanding.training.remembering import RememberingScorer
from video_understanding.training.settings import TrainingSettings
from video_understanding.whole_file import write_whole

_PACKAGES = ("video-understanding", "tensorflow", "keras", "numpy", "av", "librosa")
_MISTAKES_NEEDED = 5
FALSE_ALARMS = 0.05  # share of clips like those of the validation part that may be called unknown
_LITE0_LICENCE = {"EfficientNet-Lite0, ImageNet": "Apache-2.0"}


def train(
    manifest: Manifest,
    spec: ModelSpec,
    out: str | Path,
    settings: TrainingSettings | None = None,
    *,
    split: Split | None = None,
    weights: str | Path | None = "default",
    resume: bool = False,
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> Bundle:
    """Trains a model on labelled clips and writes its bundle into the folder `out`.

    Without a split, one is made by subject with the settings' seed. The validation part guides the training
    and calibrates the confidence; the test part is only measured. With `resume` a training that was stopped
    goes on; without it, a folder that holds a bundle or a begun training is refused.
    """
    out, settings = Path(out), settings or TrainingSettings()
    if not resume and ((out / "bundle.json").exists() or (out / "training").exists()):
        raise TrainingError(out, "already holds a training", "Go on with it by --resume, or train into another folder.")
    split = split or split_rows(manifest, seed=settings.seed)
    trained = fit(manifest, split, spec, out, settings, weights=weights, resume=resume, cache=cache, progress=progress)
    (out / WORK_FOLDER).mkdir(parents=True, exist_ok=True)
    (out / WORK_FOLDER / "split.json").write_text(split.to_json(), encoding="utf-8")
    measuring = Measuring.of(trained, settings.seed, progress)
    temperature = measuring.temperature
    reports = {part: measuring.report(part) for part in ("validation", "test")}
    reports = {part: report for part, report in reports.items() if report is not None}
    measured = {part: _without_names(report.to_dict()) for part, report in reports.items()}
    if "test" in reports:
        measured["robustness"] = measuring.robustness("test").to_dict()
    save_model(trained.model, out / KERAS_FILE)
    _draw(trained, reports, out)
    facts = _facts(trained, settings, manifest, split, measured, temperature, weights)
    facts["unknown_below"] = _unknown_below(reports.get("validation"))
    bundle = Bundle.write(out, spec, trained.model.labels, facts)
    write_whole(bundle.card_file, card(bundle))
    write_training_report(bundle, out / WORK_FOLDER, reports, trained.prepared, trained.history)
    return bundle


@dataclass(frozen=True)
class Measuring:
    """A trained model as it is measured: by a scorer with calibrated confidence, on the parts of the training's clips.

    A linear classifier is calibrated by its fit, and its clips are encoded already; of a network, the temperature of
    each head is fitted to the validation part.
    """

    trained: Trained
    scorer: Any
    temperature: dict[str, float]
    seed: int
    progress: bool | None

    @classmethod
    def of(cls, trained: Trained, seed: int, progress: bool | None) -> Measuring:
        if trained.linear is not None:
            scorer = EncodedScorer(trained.model, trained.linear.encoded)
            return cls(trained, scorer, {}, seed, progress)
        seen = RememberingScorer(KerasScorer(trained.model))
        first = cls(trained, seen, {}, seed, progress)
        temperature = _temperature(first.report("validation"))
        scorer = seen.concluding_with(KerasScorer(trained.model, temperature))
        return cls(trained, scorer, temperature, seed, progress)

    def report(self, part: str) -> Report | None:
        """How the model does on a part; None where it has no labelled clip.

        The validation part of a linear classifier is all that it learned from, each clip scored by a fit without it.
        """
        trained, linear = self.trained, self.trained.linear
        if part == "validation" and linear is not None:
            rows = trained.rows_of("train")
            scored = ~np.isnan(np.concatenate(list(linear.left_out.values()), axis=1)).all(axis=1)  # [rows]
            windows = int(scored[trained.prepared.row_numbers].sum())
            return report_of_scores(
                self.scorer, trained.prepared, rows, linear.left_out, windows=windows, seed=self.seed
            )
        rows = trained.rows_of(part)
        readable = set(trained.prepared.row_numbers.tolist())
        heads = trained.model.labels.heads
        if not any(getattr(row, head) for place, row in enumerate(rows) if place in readable for head in heads):
            return None
        if linear is None:
            return evaluate(self.scorer, trained.prepared, rows, seed=self.seed, progress=self.progress)
        return evaluate_inputs(
            self.scorer,
            trained.prepared,
            rows,
            self.scorer.inputs,
            batch_size=64,
            progress=self.progress,
            seed=self.seed,
        )

    def robustness(self, part: str) -> Robustness:
        """How the model stands the loss of a modality, and noise, on a part."""
        inputs_of = self.scorer.inputs if self.trained.linear is not None else None
        rows = self.trained.rows_of(part)
        return robustness(
            self.scorer, self.trained.prepared, rows, self.seed, progress=self.progress, inputs_of=inputs_of
        )


def _temperature(report: Report | None) -> dict[str, float]:
    """What each head's logits are divided by, so that confidence on the validation part is what it says."""
    if report is None:
        return {}
    temperatures = {}
    for head, result in report.heads.items():
        answers = result.answers
        # Without mistakes nothing tells how sure is too sure: the best temperature would be zero.
        enough = (answers.said != answers.truth).sum() >= _MISTAKES_NEEDED
        # A head with several labels decides yes or no on each class.
        decided = isinstance(result, MultiLabelReport)
        scores, truth = answers.decisions if decided else (answers.scores, answers.truth)
        temperatures[head] = float(fit_temperature(logits_of(scores), truth)) if enough else 1.0
    return temperatures


def _unknown_below(report: Report | None) -> dict[str, float]:
    """Below which confidence a head says "unknown"; a head that may say several classes, or none, never does."""
    if report is None:
        return {}
    return {
        head: unknown_threshold(result.answers.confidence, FALSE_ALARMS)
        for head, result in report.heads.items()
        if not isinstance(result, MultiLabelReport)
    }


def _draw(trained: Trained, reports: Mapping[str, Report], out: Path) -> None:
    if trained.history:
        draw_curves(trained.history, out / "curves.png")
    for part, report in reports.items():
        for head, result in report.heads.items():
            if isinstance(result, MultiLabelReport):
                continue  # nothing is taken for another where several may be said
            draw_confusion(
                result.answers.classes, result.confusion, f"{head}, {part}", out / f"confusion_{head}_{part}.png"
            )


def _facts(
    trained: Trained,
    settings: TrainingSettings,
    manifest: Manifest,
    split: Split,
    measured: Mapping[str, Any],
    temperature: Mapping[str, float],
    weights: str | Path | None,
) -> dict[str, Any]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions,
        "split_hash": split.hash,
        "training": {
            "settings": settings.to_dict(),
            "seed": settings.seed,
            **_course(trained),
            "seconds": round(trained.seconds, 1),
            "interrupted": trained.interrupted,
        },
        "metrics": dict(measured),
        "temperature": dict(temperature),
        "data": [{"name": manifest.name, "clips": len(manifest), "licence": None}],
        "licences": _licences(trained.model.spec, weights),
    }


def _course(trained: Trained) -> dict[str, Any]:
    """How the weights were found: in how many epochs, or by which closed forms."""
    if trained.linear is None:
        return {"epochs": len(trained.history["loss"]), "best_epoch": trained.best_epoch + 1}
    forms = {
        head: {" + ".join(own): {name: round(share, 3) for name, (share, _) in form.about.items()} for own, form in sets.items()}
        for head, sets in trained.linear.form.forms.items()
    }
    return {"closed_form": forms, "closed_form_seconds": round(trained.linear.seconds, 2)}


def _licences(spec: ModelSpec, weights: str | Path | None) -> dict[str, str] | None:
    """Of the weights that the backbone began with: none where it began with random ones, None where unknown."""
    if begins_at_random(spec, weights):
        return {}
    return (
        _LITE0_LICENCE if spec.network.backbone == "efficientnet_lite0" and weights in ("default", "imagenet") else None
    )


def _without_names(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what names people and files: a bundle is passed on, its clips are not."""
    private = ("mistakes", "subjects")
    heads = {
        head: {name: value for name, value in result.items() if name not in private}
        for head, result in report["heads"].items()
    }
    return {**report, "notes": [], "heads": heads}  # notes name clips that could not be read
