"""The same media files through Keras, the SavedModel and every TFLite file: is it still one model?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.bundle import Bundle
from video_understanding.errors import BundleError, MediaError
from video_understanding.evaluation.text import aligned, many, wrapped
from video_understanding.export.exam import built_in_exam
from video_understanding.export.formats import FORMATS, Format
from video_understanding.runtimes import load

REFERENCE = "keras"


@dataclass(frozen=True)
class Found:
    """What one export says, beside what Keras says.

    difference       largest difference of any probability of any window of any file
    exam_difference  the same in the built-in exam: silence, noise, a tone; black, noise, a bar; each modality missing
    changed          files whose answer names another class, with the head, what Keras says, and what this says
    """

    format: Format
    difference: float
    exam_difference: float
    changed: tuple[tuple[str, str, Any, Any], ...]
    files: int

    @property
    def shortfall(self) -> str:
        """What is wrong, in words; empty where nothing is."""
        wrong = []
        # What has its ranges from clips is not made for noise and black: there the exam is told, and is no verdict.
        counted = [self.difference] if self.format.needs_clips else [self.difference, self.exam_difference]
        largest = float(np.max(counted))  # NaN stays NaN
        if not largest <= self.format.drift:
            wrong.append(f"probabilities differ by up to {largest:.2g}, and may by {self.format.drift:g}")
        changed = len({file for file, *_ in self.changed})
        if changed > (1 - self.format.agreement) * self.files:
            wrong.append(f"{changed} of {self.files} answers name another class")
        return " and ".join(wrong)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "export": self.format.file,
            "largest_difference": _number(self.difference),
            "largest_difference_in_exam": _number(self.exam_difference),
            "tolerance": self.format.drift,
            "changed": [dict(zip(("file", "head", "keras", "export"), one, strict=True)) for one in self.changed],
            "agrees": not self.shortfall,
        }


@dataclass(frozen=True)
class Verification:
    """What all exports of a bundle say of the same files; `errors` are the files that nobody could read."""

    bundle: Bundle
    files: tuple[str, ...]
    windows: int
    found: tuple[Found, ...]
    errors: Mapping[str, str]

    @property
    def agrees(self) -> bool:
        """Whether every export stays within its tolerance."""
        return not any(found.shortfall for found in self.found)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {
            "bundle": str(self.bundle.folder),
            "agrees": self.agrees,
            "files": list(self.files),
            "windows": self.windows,
            "exports": [found.to_dict() for found in self.found],
            "errors": [{"file": file, "error": error} for file, error in self.errors.items()],
        }

    def text(self) -> str:
        """A table, what is wrong below it, and the verdict."""
        rows = [["export", "difference", "in exam", "may be", "changed", ""]]
        rows += [
            [
                found.format.file,
                f"{found.difference:.1g}",
                f"{found.exam_difference:.1g}",
                f"{found.format.drift:g}",
                f"{len({file for file, *_ in found.changed})} of {found.files}",
                "differs" if found.shortfall else "agrees",
            ]
            for found in self.found
        ]
        changes = [
            f"{found.format.file}: {head} of {file} is {told}, and {before} by Keras"
            for found in self.found
            for file, head, before, told in found.changed
        ]
        read = f"{many(len(self.files), 'file')}, {many(self.windows, 'window')}, each read and scored by every export"
        verdict = "All agree with Keras." if self.agrees else "Not all agree with Keras."
        return "\n".join(
            [
                str(self.bundle.folder),
                *wrapped(read),
                *aligned(rows),
                *(line for c in changes for line in wrapped(c)),
                verdict,
            ]
        )


@dataclass(frozen=True)
class _Told:
    """What one scorer says: of each window's heads the scores [windows,C], of each file its labels, of the exam."""

    windows: dict[str, dict[str, np.ndarray]]
    labels: dict[str, dict[str, Any]]
    exam: Mapping[str, np.ndarray]


def verify(
    bundle: Bundle, files: Sequence[str | Path], progress: Callable[[str], None] = lambda _words: None
) -> Verification:
    """Sends files through Keras and every export that the bundle has, each reading them by itself.

    `progress` is told what is looked at. Files that cannot be read are told of, and the others compared.
    """
    there = [made for made in FORMATS.values() if (bundle.folder / made.file).exists()]
    if not there:
        raise BundleError(bundle.folder, "has no exports to compare", f"Make some with: vu export {bundle.folder}")
    files = [str(file) for file in files]
    errors: dict[str, str] = {}
    progress(f"{REFERENCE}: {many(len(files), 'file')}")
    wanted = _told(bundle, REFERENCE, files, errors)
    readable = [file for file in files if file not in errors]
    found = []
    for made in there:
        progress(f"{made.file}: {many(len(readable), 'file')}")
        runtime = f"tflite:{made.name}" if made.is_tflite else made.name
        found.append(_compared(made, wanted, _told(bundle, runtime, readable, errors), readable))
    windows = sum(len(next(iter(scores.values()))) for scores in wanted.windows.values())
    return Verification(bundle, tuple(readable), windows, tuple(found), errors)


def _told(bundle: Bundle, runtime: str, files: list[str], errors: dict[str, str]) -> _Told:
    recognizer = load(bundle.folder, runtime)
    told = _Told({}, {}, recognizer.scorer(built_in_exam(bundle.spec).inputs).heads)
    for file in files:
        answers: list[Mapping[str, np.ndarray]] = []
        try:
            prediction = recognizer.predict(
                file, progress=lambda answer, answers=answers: answers.append(answer.scores)
            )
        except MediaError as error:
            errors[file] = str(error)
            continue
        told.windows[file] = {head: np.stack([scores[head] for scores in answers]) for head in bundle.labels.heads}
        told.labels[file] = {head: answer.to_dict()["label"] for head, answer in prediction.heads.items()}
    return told


def _compared(made: Format, wanted: _Told, told: _Told, files: list[str]) -> Found:
    apart = [
        np.abs(told.windows[file][head] - scores).max()
        for file in files
        for head, scores in wanted.windows[file].items()
    ]
    in_exam = [np.abs(told.exam[head] - scores).max() for head, scores in wanted.exam.items()]
    changed = tuple(
        (file, head, label, told.labels[file][head])
        for file in files
        for head, label in wanted.labels[file].items()
        if told.labels[file][head] != label
    )
    return Found(made, float(np.max([0.0, *apart])), float(np.max(in_exam)), changed, len(files))


def _number(value: float) -> float | None:
    """None for what is no number, which JSON cannot tell."""
    return value if value == value else None
