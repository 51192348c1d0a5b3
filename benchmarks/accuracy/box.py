"""The model in the box: trained on all four sets at once, measured by folds, calibrated, exported, described.

    python -m benchmarks.accuracy.box [--out FOLDER] [--fold N]

Every set tells one head and nothing of the other, and every set was recorded in its own way. So that the model does
not name the recorder instead of what happens, a sense is often taken away while it learns, pictures come in other
light, nearer and mirrored, sound comes louder, fainter and with noise, and clips of the other sets teach each head to
be unsure. What is done is kept in build/accuracy/box; `--fold` does one part alone: 0 is the model that learns from
all folds.
"""

from __future__ import annotations

import argparse
import os
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.accuracy.card import box_card
from benchmarks.accuracy.pieces import FOLDER, WITHOUT, Pieces, Recipe, of_folds
from benchmarks.accuracy.sets import DATA, PROJECT, SETS, SPEC, joined
from benchmarks.accuracy.strangers import strangers
from video_understanding import DISTRIBUTION, __version__
from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.datasets.training_clips import TrainingClips
from video_understanding.evaluation import (
    Answers,
    HeadReport,
    Report,
    calibration_error,
    crossval_summary,
    fit_temperature,
    join_answers,
    logits_of,
    tempered,
    unknown_threshold,
)
from video_understanding.evaluation.report import Overall
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import load_model, save_model
from video_understanding.whole_file import whole_file, write_whole

NAME = "four_sets"
LABELS = Labels(
    action=("archery", "basketball_dunk", "fight", "no_fight", "surfing"),
    emotion=("angry", "fearful", "happy", "neutral", "sad", "surprised"),
)
RECIPE = Recipe(
    network={"dropout": 0.3},
    training={"epochs": 25, "patience": 25, "batch_size": 32, "weight_decay": 1e-2, "unsure": 0.3},
)
SEED = 0
FALSE_ALARMS = 0.1  # share of clips of known classes that may be called unknown
_WEIGHT_BITS = 8  # of a weight's fraction that are kept: a rounding by a thousandth at most


def main() -> None:
    """Trains and measures, then writes the bundle."""
    options = _options()
    if not all(own.place.is_dir() for own in SETS.values()):
        print(f"The sets are not in {DATA}: nothing is trained.")
        return
    manifest = joined(list(SETS), LABELS)
    pieces = Pieces(manifest, SPEC, "both", FOLDER / "box")
    folds = frozenset(pieces.folds)
    if options.fold in (None, 0):
        model = pieces.model("box", RECIPE, SEED)
    told = {
        fold: pieces.answers("box", RECIPE, folds - {fold}, SEED)
        for fold in pieces.folds
        if options.fold in (None, fold)
    }
    if options.fold is None:
        out = options.out
        out.mkdir(parents=True, exist_ok=True)
        facts = {**measured(told), **described(manifest), "parameters": model.count_params()}
        rounded(model)
        save_model(model, out / KERAS_FILE)
        packed(out / KERAS_FILE)
        bundle = Bundle.write(out, model.spec, LABELS, facts)
        TrainingClips.of(manifest.rows, ["train"] * len(manifest), NAME).write(out)
        exported(bundle)


def measured(told: Mapping[int, Mapping[str, Mapping[str, Answers]]]) -> dict[str, Any]:
    """The facts that the folds' answers give: results, a temperature for each head, and when a head says "unknown"."""
    plain = {head: [of_folds(told[fold]["both"][head], frozenset({fold})) for fold in told] for head in LABELS.heads}
    temperature = {head: _temperature(parts) for head, parts in plain.items()}
    cross = {head: _calibrated(parts) for head, parts in plain.items()}
    unknown = {}
    for head, parts in plain.items():
        confidence = np.concatenate([tempered(logits_of(part.scores), temperature[head]).max(axis=1) for part in parts])
        unknown[head] = round(unknown_threshold(confidence, FALSE_ALARMS), 4)
    whole = crossval_summary([_report({head: cross[head][place] for head in cross}) for place in range(len(told))])
    robust = {
        f"{name} alone" if without else "both senses": {
            head: _shares(parts) for head, parts in _asked(told, name).items()
        }
        for name, without in WITHOUT.items()
    }
    return {
        "temperature": {head: round(value, 4) for head, value in temperature.items()},
        "unknown_below": unknown,
        "metrics": {"crossval": _without_names(whole.to_dict()), "robustness": robust},
        "by_set": _by_set(told),
        "calibration_error": {
            head: round(calibration_error(joint.scores, joint.truth), 4)
            for head, joint in ((head, join_answers(parts)) for head, parts in cross.items())
        },
        "unknown_false_alarms": FALSE_ALARMS,
    }


def described(manifest: Any) -> dict[str, Any]:
    """The facts on where the model comes from."""
    clips = {name: sum(own.folder in str(row.root) for row in manifest) for name, own in SETS.items()}
    return {
        "name": NAME,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            DISTRIBUTION: __version__,
            **{name: version(name) for name in ("tensorflow", "keras", "numpy", "av")},
        },
        "training": {"settings": dict(RECIPE.training), "seed": SEED, "folds": len({row.fold for row in manifest})},
        "data": [{"name": own.folder, "clips": clips[name], "licence": own.terms} for name, own in SETS.items()],
        "licences": {
            "EfficientNet-Lite0, ImageNet": "Apache-2.0",
            "listener separable, taught by YAMNet (AudioSet)": "Apache-2.0 of the teacher; it heard the sets below",
        },
        "terms": "research, non-commercial",
    }


def rounded(model: VideoUnderstandingModel) -> None:
    """Rounds every weight by a thousandth at most, so that the file can be packed to half its size."""
    for weight in model.weights:
        if "float" in weight.dtype:
            fraction, power = np.frexp(weight.numpy())
            steps = 2.0 ** (_WEIGHT_BITS + 1)
            weight.assign(np.ldexp(np.round(fraction * steps) / steps, power).astype(np.float32))


def packed(file: Path) -> None:
    """Writes the archive anew, compressed: Keras stores its weights as they are."""
    with zipfile.ZipFile(file) as loose:
        members = {name: loose.read(name) for name in loose.namelist()}
    with whole_file(file) as unfinished, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, content in members.items():
            out.writestr(name, content)


def exported(bundle: Bundle) -> None:
    """The int8 file beside the Keras model, and the card; larger exports are made by `vu export` in a minute."""
    from video_understanding.export.calibration import read_clips
    from video_understanding.export.make import export_bundle

    # Of sets whose clips have pictures; all rows of a set that the model does not know count as not labelled.
    places = [own.place for own in SETS.values()]
    clips, truth = read_clips(places, bundle.spec, bundle.labels)
    report = export_bundle(bundle, ["int8"], clips, truth, model=load_model(bundle))
    print(report.text())
    bundle = report.bundle.with_facts(strangers=strangers(bundle.folder))
    write_whole(bundle.card_file, box_card(bundle))


def _temperature(parts: list[Answers]) -> float:
    joint = join_answers(parts)
    return fit_temperature(logits_of(joint.scores), joint.truth)


def _calibrated(parts: list[Answers]) -> list[Answers]:
    """The answers of each fold at the temperature of the other folds: it is measured on what did not set it."""
    found = []
    for place, part in enumerate(parts):
        others = [other for number, other in enumerate(parts) if number != place] or parts
        scores = tempered(logits_of(part.scores), _temperature(others))
        found.append(Answers(part.classes, part.rows, part.truth, scores))
    return found


def _report(answers: Mapping[str, Answers]) -> Report:
    heads = {head: HeadReport.of(own) for head, own in answers.items()}
    uar, accuracy = (float(np.mean([getattr(own, name) for own in heads.values()])) for name in ("uar", "accuracy"))
    clips = sum(own.clips for own in heads.values())
    return Report(heads, Overall(uar, accuracy, len(heads), clips), clips)


def _asked(told: Mapping[int, Mapping[str, Mapping[str, Answers]]], name: str) -> dict[str, list[Answers]]:
    return {head: [of_folds(told[fold][name][head], frozenset({fold})) for fold in told] for head in LABELS.heads}


def _shares(parts: list[Answers]) -> dict[str, float]:
    report = HeadReport.of(join_answers(parts))
    return {"clips": report.clips, "accuracy": report.accuracy, "uar": report.uar}


def _by_set(told: Mapping[int, Mapping[str, Mapping[str, Answers]]]) -> dict[str, dict[str, Any]]:
    """For each set the mean UAR over its folds, also with one sense, and how far its subjects lie apart, unnamed."""
    found = {}
    for name, own in SETS.items():
        folds = {
            asked: [_of_set(part, own.folder) for part in _asked(told, asked)[own.head]]
            for asked in ("both", *own.senses)
        }
        subjects = HeadReport.of(join_answers(folds["both"])).subjects
        spread = vars(subjects.accuracy)
        found[name] = {
            "head": own.head,
            "clips": sum(map(len, folds["both"])),
            "uar": {
                asked: float(np.mean([HeadReport.of(fold).uar for fold in parts])) for asked, parts in folds.items()
            },
            "subjects": len(subjects.subjects),
            "accuracy_of_subjects": {key: spread[key] for key in ("min", "median", "max")},
        }
    return found


def _of_set(answers: Answers, folder: str) -> Answers:
    own = np.array([row.root.name == folder for row in answers.rows])  # [K]
    rows = tuple(row for row, mine in zip(answers.rows, own, strict=True) if mine)
    return Answers(answers.classes, rows, answers.truth[own], answers.scores[own])


def _without_names(summary: dict[str, Any]) -> dict[str, Any]:
    for result in summary["heads"].values():
        for name in ("mistakes", "subjects"):
            result["pooled"].pop(name, None)
    return summary


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PROJECT / "saved_models" / NAME, help="folder of the bundle")
    parser.add_argument("--fold", type=int, metavar="N", help="this fold alone (0: none left out), and no bundle")
    return parser.parse_args()


if __name__ == "__main__":
    main()
