"""A model on tables or folders of labelled clips: which of them are new to it, and how it answers on these."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.training_clips import TrainingClips
from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation.evaluate import evaluate
from video_understanding.evaluation.report import Report
from video_understanding.evaluation.text import many
from video_understanding.labels import HEADS, Labels
from video_understanding.scorer import Scorer


def load_labelled(
    data: Sequence[str | Path],
    labels: Labels,
    folder: Path | None,
    *,
    heads: Sequence[str] | None = None,
    with_seen: bool = False,
) -> tuple[Manifest, list[str]]:
    """The labelled clips to measure a model of these heads on, and notes on those that it was trained with.

    Args:
        data: Tables or folders of labelled clips.
        labels: The heads of the model.
        folder: The model's bundle, where a list of hashes says which clips it was trained with; None if there is none.
        heads: The columns that hold labels; those of the model's heads if None.
        with_seen: Whether clips that the model was trained with count.

    Raises:
        VideoUnderstandingError: No clip is new to the model.
    """
    manifest = load_manifest(*data, heads=heads, candidates=(*labels, *HEADS))
    known = None if folder is None else TrainingClips.read(folder)
    if known is None:
        return manifest, []
    parts = known.parts_of(manifest.rows)
    train, validation = parts.count("train"), parts.count("validation")
    if not train + validation:
        return manifest, []
    words = f"{many(train, 'clip')} of {len(parts)} taught this model"
    words += f", and {validation} more chose its best epoch" if validation else ""
    if with_seen:
        return manifest, [f"{words}: the numbers are better than on clips that are new to it."]
    if train + validation == len(parts):
        raise VideoUnderstandingError(
            manifest.name, f"has no clip that is new to the model: {words}", "Give other clips, or use --with-seen."
        )
    rest = [row for row, part in zip(manifest.rows, parts, strict=True) if part is None]
    return manifest.with_rows(rest), [f"{words}: left out (--with-seen keeps them)."]


def evaluate_data(
    scorer: Scorer,
    data: Sequence[str | Path],
    folder: Path | None,
    *,
    heads: Sequence[str] | None = None,
    without: str | None = None,
    with_seen: bool = False,
    progress: bool | None = None,
) -> Report:
    """`evaluate` on tables or folders of labelled clips, which are read and cached; see `load_labelled`."""
    manifest, notes = load_labelled(data, scorer.labels, folder, heads=heads, with_seen=with_seen)
    prepared = ClipCache().prepare(manifest.rows, scorer.spec, progress=progress)
    report = evaluate(scorer, prepared, manifest.rows, without=without, progress=progress)
    return dataclasses.replace(report, notes=(*notes, *report.notes))
