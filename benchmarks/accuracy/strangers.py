"""Clips that show none of a model's classes: how often it says so."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.accuracy.sets import DATA
from video_understanding.datasets.rows import is_media
from video_understanding.errors import VideoUnderstandingError
from video_understanding.media.synthetic import make_dataset
from video_understanding.prediction import UNKNOWN
from video_understanding.runtimes import load

DRAWN = 24  # clips of the synthetic set


def strangers(folder: Path) -> dict[str, dict[str, Any]]:
    """What kind of clips -> how many, and for each head the share that the bundle in `folder` calls unknown.

    Drawn scenes (shapes that move, a drawn face, a made-up voice), and the shelf of odd files, which show test cards,
    animals, a cartoon and the like, as far as they can be read.
    """
    with tempfile.TemporaryDirectory() as work:
        make_dataset(Path(work), seed=0, clips=DRAWN)
        found = {"drawn scenes": _unknown(folder, sorted((Path(work) / "media").iterdir()))}
    if (DATA / "hard").is_dir():
        found["odd files from elsewhere"] = _unknown(folder, sorted(filter(is_media, (DATA / "hard").iterdir())))
    return found


def _unknown(folder: Path, files: Iterable[Path]) -> dict[str, Any]:
    recognizer = load(folder)
    said: dict[str, list[bool]] = {}
    clips = 0
    for file in files:
        try:
            prediction = recognizer.predict(file, stride_s=recognizer.spec.window_s)
        except VideoUnderstandingError:
            continue  # broken on purpose
        clips += 1
        for head, answer in prediction.heads.items():
            said.setdefault(head, []).append(answer.label == UNKNOWN)
    return {"clips": clips, **{head: sum(unknown) / len(unknown) for head, unknown in said.items()}}
