"""The model in the box: what `vu train` makes of all four sets at once, measured in folds, exported and described.

    python -m benchmarks.accuracy.box [--out FOLDER]

Every set is labelled for one head only, and every set was recorded in its own way: what the model reaches on each is
measured in folds by subject, with the classes of all sets against each other. Encoded clips are cached.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.accuracy.__main__ import CONDITIONS
from benchmarks.accuracy.card import box_card
from benchmarks.accuracy.sets import DATA, PROJECT, SETS, joined
from benchmarks.accuracy.strangers import strangers
from video_understanding.bundle import KERAS_FILE, SPEAKER_FILE, Bundle
from video_understanding.datasets.frozen_split import Split
from video_understanding.datasets.grouping import clip_ids
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.training_clips import TRAINING_CLIPS_FILE
from video_understanding.evaluation import Answers, CrossvalSummary, HeadReport
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import load_model, save_model
from video_understanding.presets import DEFAULT, preset
from video_understanding.training.crossval import crossval
from video_understanding.training.train import FALSE_ALARMS, train
from video_understanding.whole_file import whole_file, write_whole

NAME = "four_sets"
OF = ("ucf", "fights", "javanese", "ravdess")
LABELS = Labels(
    action=("archery", "basketball_dunk", "fight", "no_fight", "surfing"),
    emotion=("angry", "fearful", "happy", "neutral", "sad", "surprised"),
)
_WEIGHT_BITS = 8  # of a weight's fraction that are kept: a rounding by a thousandth at most


def main() -> None:
    """Measures, trains on all clips, and writes the bundle."""
    options = _options()
    if not all(SETS[name].place.is_dir() for name in OF):
        print(f"The sets are not in {DATA}: nothing is trained.")
        return
    manifest, spec = joined(OF, LABELS), preset(DEFAULT)
    with tempfile.TemporaryDirectory() as folder:
        measured = crossval(manifest, spec, folder)
        print(measured.text())
        whole = Path(folder) / "whole"
        bundle = train(manifest, spec, whole, split=all_learned(manifest))
        model = load_model(bundle)
        facts = {name: value for name, value in bundle.facts.items() if name not in ("data", "licences")}
        rounded(model)
        options.out.mkdir(parents=True, exist_ok=True)
        save_model(model, options.out / KERAS_FILE)
        for name in (TRAINING_CLIPS_FILE, SPEAKER_FILE):  # by content, without names; the second weights
            if (whole / name).exists():
                (options.out / name).write_bytes((whole / name).read_bytes())
    packed(options.out / KERAS_FILE)
    bundle = Bundle.write(options.out, bundle.spec, LABELS, {**facts, **described(manifest), **results(measured)})
    exported(bundle)


def all_learned(manifest: Manifest) -> Split:
    """The split that learns from every clip: what the model reaches is measured in folds beforehand."""
    everything = tuple(range(len(manifest)))
    return Split({"train": everything, "validation": (), "test": ()}, clip_ids(manifest.rows), 0, ())


def results(measured: CrossvalSummary) -> dict[str, Any]:
    """The facts that the folds give."""
    return {
        "metrics": {"crossval": _without_names(measured.to_dict())},
        "by_set": by_set(measured),
        "calibration_error": {
            head: round(result.pooled.calibration_error, 4) for head, result in measured.heads.items()
        },
        "unknown_false_alarms": FALSE_ALARMS,
    }


def by_set(measured: CrossvalSummary) -> dict[str, dict[str, Any]]:
    """For each set the mean UAR over its folds, also with one modality, and how far its subjects lie apart, unnamed."""
    found = {}
    for name in OF:
        own = SETS[name]
        folds = {
            asked: _folds_of(measured.robustness.reports[condition].heads[own.head].answers, own.folder)
            for asked, condition in CONDITIONS.items()
        }
        pooled = HeadReport.of(_of(measured.together.heads[own.head].answers, own.folder))
        spread = vars(pooled.subjects.accuracy)
        found[name] = {
            "head": own.head,
            "clips": pooled.clips,
            "uar": {asked: float(np.mean(values)) for asked, values in folds.items() if asked in _modalities(name)},
            "subjects": len(pooled.subjects.subjects),
            "accuracy_of_subjects": {key: spread[key] for key in ("min", "median", "max")},
        }
    return found


def _modalities(name: str) -> tuple[str, ...]:
    """What the clips of a set have: speech of RAVDESS comes without pictures, and half of the fights without sound."""
    return {"ravdess": ("both",), "fights": ("both", "video")}.get(name, tuple(CONDITIONS))


def _folds_of(answers: Answers, folder: str) -> list[float]:
    """The UAR of a set's clips in each fold."""
    return [HeadReport.of(_of(answers, folder, fold)).uar for fold in sorted({row.fold for row in answers.rows})]


def _of(answers: Answers, folder: str, fold: int | None = None) -> Answers:
    own = np.array([row.root.name == folder and fold in (None, row.fold) for row in answers.rows])  # [K]
    rows = tuple(row for row, mine in zip(answers.rows, own, strict=True) if mine)
    return Answers(answers.classes, rows, answers.truth[own], answers.scores[own])


def described(manifest: Manifest) -> dict[str, Any]:
    """The facts on where the model comes from."""
    clips = {name: sum(SETS[name].folder in str(row.root) for row in manifest) for name in OF}
    return {
        "name": NAME,
        "data": [{"name": SETS[name].folder, "clips": clips[name], "licence": SETS[name].terms} for name in OF],
        "licences": {
            "EfficientNet-Lite0, ImageNet": "Apache-2.0",
            "audio encoder separable, distilled from YAMNet (AudioSet)": "Apache-2.0 of the teacher",
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

    clips, truth = read_clips([SETS[name].place for name in OF], bundle.spec, bundle.labels)
    report = export_bundle(bundle, ["int8"], clips, truth, model=load_model(bundle))
    print(report.text())
    bundle = report.bundle.with_facts(strangers=strangers(bundle.folder))
    write_whole(bundle.card_file, box_card(bundle))


def _without_names(summary: dict[str, Any]) -> dict[str, Any]:
    summary.pop("doubtful_labels", None)
    for result in summary["heads"].values():
        for name in ("mistakes", "subjects"):
            result["pooled"].pop(name, None)
    return summary


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PROJECT / "saved_models" / NAME, help="folder of the bundle")
    return parser.parse_args()


if __name__ == "__main__":
    main()
