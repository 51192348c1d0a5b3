"""A whole training: split, fit, calibrate, measure, and a bundle that tells all of it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from video_understanding import DISTRIBUTION, __version__
from video_understanding.bundle import BUNDLE_FILE, KERAS_FILE, SAVED_MODEL_FOLDER, SPEAKER_FILE, WORDS_FILE, Bundle
from video_understanding.bundle_card import card
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.splits import split_rows
from video_understanding.datasets.training_clips import TrainingClips
from video_understanding.errors import TrainingError
from video_understanding.evaluation import MultiLabelReport, Report, unknown_threshold
from video_understanding.evaluation.data_study import DataStudy
from video_understanding.locks import one_owner
from video_understanding.models.listeners.weights import LICENCES
from video_understanding.models.load import save_model
from video_understanding.progress import one_bar
from video_understanding.report import write_training_report
from video_understanding.spec import ModelSpec
from video_understanding.training.fit import WORK_FOLDER, Trained, begins_at_random, fit
from video_understanding.training.linear import blocks_of
from video_understanding.training.measuring import CONDITIONS, Measuring
from video_understanding.training.origin import Origin
from video_understanding.training.pictures import draw_confusion, draw_curves
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.study import study_clips
from video_understanding.training.warned import (
    warn_of_no_words,
    warn_of_skipped,
    warn_of_torn_sources,
    warn_of_unused_sentences,
)
from video_understanding.training.words.learn import learn_words
from video_understanding.training.words.tags import TAGS, with_tags
from video_understanding.whole_file import remove_abandoned, write_whole
from video_understanding.words.words_file import write_words

_PACKAGES = ("tensorflow", "keras", "numpy", "av", "librosa")
_MEASUREMENTS = 3 + CONDITIONS  # for the temperature, validation, test, and each condition of robustness
FALSE_ALARMS = 0.1  # share of clips like those of the validation part that may be called unknown
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
    overwrite: bool = False,
    cache: ClipCache | None = None,
    progress: bool | None = None,
) -> Bundle:
    """Trains a model on labelled clips and writes its bundle into the folder `out`.

    Without a split, one is made by subject with the settings' seed. The validation part guides the training
    and calibrates the confidence; the test part is only measured. With `resume` a training that was stopped
    goes on; without it, a folder that holds a bundle or a begun training is refused, unless `overwrite`: then what it
    holds of a bundle is removed first. One that another process trains into is refused in any case.

    Where clips have sentences (a column `text`), a closed form learns words, too, so that clips can be found by them;
    of clips without any label the head `tags` is learned, the words used most.
    """
    out, settings = Path(out), settings or TrainingSettings()
    if not manifest.heads and any(row.texts for row in manifest.rows):
        manifest = with_tags(manifest)
        network = dataclasses.replace(spec.network, multi_label=(TAGS,))
        spec = dataclasses.replace(spec, network=network)
    with one_owner(out, "training", TrainingError):
        remove_abandoned(out)
        if overwrite and not resume:
            _remove_bundle(out)
        return _train(manifest, spec, out, settings, split, weights, resume, cache, progress)


def _train(
    manifest: Manifest,
    spec: ModelSpec,
    out: Path,
    settings: TrainingSettings,
    split: Split | None,
    weights: str | Path | None,
    resume: bool,
    cache: ClipCache | None,
    progress: bool | None,
) -> Bundle:
    if not resume and ((out / "bundle.json").exists() or (out / "training").exists()):
        raise TrainingError(out, "already holds a training", "Use --resume, --overwrite or another folder.")
    split, cache = split or split_rows(manifest, seed=settings.seed), cache or ClipCache()
    parts = split.part_of_rows()
    warnings = warn_of_torn_sources(manifest.rows, parts) + warn_of_unused_sentences(manifest.rows, spec)
    warnings += warn_of_skipped(cache.prepare(manifest.rows, spec, progress=progress))
    trained = fit(manifest, split, spec, out, settings, weights=weights, resume=resume, cache=cache, progress=progress)
    (out / WORK_FOLDER).mkdir(parents=True, exist_ok=True)
    write_whole(out / WORK_FOLDER / "split.json", split.to_json())
    Origin.of(manifest, spec, settings).write(out)
    with one_bar("Evaluating", _MEASUREMENTS, progress):
        measuring = Measuring.of(trained, settings.seed, progress)
        reports = {part: measuring.report(part) for part in ("validation", "test")}
        reports = {part: report for part, report in reports.items() if report is not None}
        measured = {part: _without_names(report.to_dict()) for part, report in reports.items()}
        if "test" in reports:
            measured["robustness"] = measuring.robustness("test").to_dict()
    study = _study(trained)
    save_model(trained.model, out / KERAS_FILE)
    (out / SPEAKER_FILE).unlink(missing_ok=True)  # of a training before this one
    if trained.linear is not None and trained.linear.speakers.weights is not None:
        trained.linear.speakers.weights.write(out)
    (out / WORDS_FILE).unlink(missing_ok=True)
    words = None
    if trained.linear is not None:
        try:
            words = learn_words(trained.linear.encoded, trained.rows, trained.parts, settings.seed, progress)
        except TrainingError as error:  # too few sentences; labels beside them can be learned all the same
            if set(manifest.heads) == {TAGS}:
                raise
            warnings += warn_of_no_words(error)
    if words is not None:
        write_words(words.space, out)
    _draw(trained, reports, out)
    facts = _facts(trained, settings, manifest, split, measured, measuring.temperature, weights)
    facts["unknown_below"] = _unknown_below(reports.get("validation"))
    facts["warnings"] = warnings or None
    facts["words"] = None if words is None else dict(words.facts)
    readable = set(trained.prepared.row_numbers.tolist())
    learned = [part if place in readable else None for place, part in enumerate(trained.parts)]
    TrainingClips.of(manifest.rows, learned, split.hash).write(out)
    bundle = Bundle.write(out, trained.model.spec, trained.model.labels, facts)
    write_whole(bundle.card_file, card(bundle))
    write_training_report(bundle, out / WORK_FOLDER, reports, trained.prepared, trained.history, study)
    return bundle


def _remove_bundle(folder: Path) -> None:
    """What a training and its exports have left in a folder; other files stay."""
    for name in (WORK_FOLDER, SAVED_MODEL_FOLDER):
        shutil.rmtree(folder / name, ignore_errors=True)
    names = (BUNDLE_FILE, KERAS_FILE, SPEAKER_FILE, WORDS_FILE)
    for file in (*(folder / name for name in names), *folder.glob("*.tflite")):
        file.unlink(missing_ok=True)


def _study(trained: Trained) -> DataStudy | None:
    """Of the clips learned from in closed form; of those of a network None."""
    linear = trained.linear
    if linear is None:
        return None
    labels, blocks = trained.model.labels, blocks_of(trained.model)
    return study_clips(linear.pooled, linear.solved.targets, linear.rows, labels, blocks, linear.solved.left_out)


def _unknown_below(report: Report | None) -> dict[str, float]:
    """Below which confidence a head says "unknown"; one that may say several classes, or none, never does.

    Nor does a head with too few validation clips to choose a threshold.
    """
    if report is None:
        return {}
    thresholds = {
        head: unknown_threshold(result.answers.confidence, FALSE_ALARMS)
        for head, result in report.heads.items()
        if not isinstance(result, MultiLabelReport)
    }
    return {head: below for head, below in thresholds.items() if below > 0}


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
    versions = {DISTRIBUTION: __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions,
        "split_hash": split.hash,
        "parameters": trained.model.count_params(),
        "training": {
            "settings": settings.to_dict(),
            "seed": settings.seed,
            **_course(trained),
            "seconds": round(trained.seconds, 1),
            "interrupted": trained.interrupted,
            "clips": sum(trained.parts[row] == "train" for row in set(trained.prepared.row_numbers.tolist())),
            "parameters": trained.model.count_params(),
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
        head: {
            " + ".join(own): {name: round(share, 3) for name, (share, _) in form.about.items() if share}
            for own, form in sets.items()
        }
        for head, sets in trained.linear.solved.form.forms.items()
    }
    tried = {name: round(loss, 3) for name, loss in trained.linear.tried.items()}
    helps = dict(trained.linear.speakers.helps)
    return {
        "closed_form": forms,
        **({"speaker_normalisation": helps} if helps else {}),
        "log_loss_left_out": tried,
        "closed_form_seconds": round(trained.linear.seconds, 2),
    }


def _licences(spec: ModelSpec, weights: str | Path | None) -> dict[str, str] | None:
    """Of the weights that its encoders began with: none where all were random, None where one is unknown."""
    heard = {} if weights is None else LICENCES.get(spec.network.listener, {})
    if begins_at_random(spec, weights):
        return dict(heard)
    if spec.network.backbone == "efficientnet_lite0" and weights in ("default", "imagenet"):
        return {**_LITE0_LICENCE, **heard}
    return None


def _without_names(report: dict[str, Any]) -> dict[str, Any]:
    """The report without what names people and files: a bundle is passed on, its clips are not."""
    private = ("mistakes", "subjects")
    heads = {
        head: {name: value for name, value in result.items() if name not in private}
        for head, result in report["heads"].items()
    }
    return {**report, "notes": [], "heads": heads}  # notes name clips that could not be read
