"""Predictions of files whose colours and loudness are known, with what each modality does for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tests.recognition.test_recognizer import SPEC
from tests.recognition.worlds import ColourScorer, write_colours
from video_understanding.labels import Labels
from video_understanding.prediction import Prediction, Segment
from video_understanding.recognition import Recognizer, WindowAnswer
from video_understanding.recognition.modalities_over_time import ModalitiesOverTime

Told = tuple[Path, Prediction, ModalitiesOverTime]


def write_scene(folder: Path) -> Path:
    """Eight seconds: red, then from 4 s on blue; loud until 6 s."""
    return write_colours(folder / "scene.mp4", lambda t: "red" if t < 4 else "blue", lambda t: t < 6, 8.0)


def told(
    file: Path,
    unknown_below: Mapping[str, float] | None = None,
    labels: Labels | None = None,
    several: tuple[str, ...] = (),
) -> Told:
    """What the scorer says that sees the action and hears the emotion."""
    spec = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, multi_label=several))
    scorer = ColourScorer(spec, labels) if labels else ColourScorer(spec)
    shares = ModalitiesOverTime(scorer)
    return file, Recognizer(scorer, unknown_below).predict(file, progress=shares.add), shares


def of_hours(file: Path) -> Told:
    """As if the file went on for ten hours, with four changes a minute, and windows twice a second."""
    _, prediction, shares = told(file)
    first, last = prediction.segments[0], prediction.segments[-1]
    segments = tuple(
        Segment(15.0 * place, 15.0 * (place + 1), (first if place % 2 else last).heads) for place in range(2400)
    )
    windows = shares.windows
    tokens = {"video": np.full((SPEC.frames, 4), 0.3, np.float32), "audio": np.full((SPEC.hops, 4), 0.6, np.float32)}
    many = ModalitiesOverTime(shares.scorer)
    for number in range(72_000):
        scores = {head: found[0] for head, found in windows[number * 7 % len(windows)].scores.items()}
        many.add(WindowAnswer(number / 2 - 1, number / 2 + 1, scores, dict.fromkeys(SPEC.modalities, True), tokens))
    return file, dataclasses.replace(prediction, duration_s=36_000.0, segments=segments), many
