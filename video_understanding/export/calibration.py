"""The user's own clips, of which a spread is taken to set the ranges of eight bits and to try exports on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.manifest import load_manifest
from video_understanding.datasets.rows import Row
from video_understanding.datasets.targets import targets_of
from video_understanding.errors import ExportError
from video_understanding.export.formats import Format
from video_understanding.features.prepare import from_prepared
from video_understanding.labels import Labels
from video_understanding.scorer import ModelInputs
from video_understanding.spec import ModelSpec

MOST_TRIED = 150
MOST_CALIBRATED = 75  # more change the ranges little
FEW = 40


def read_clips(
    data: Sequence[str | Path], spec: ModelSpec, labels: Labels, progress: bool | None = None
) -> tuple[ModelInputs, dict[str, np.ndarray]]:
    """Clips from any data sets, all classes alike, and head -> truth float32 [n,C+1].

    A truth row has a one for each class shown, and in the last place whether there is a label that the model knows.
    """
    manifest = load_manifest(*data, candidates=labels.heads)
    prepared = ClipCache().prepare(manifest.rows, spec, progress=progress)
    if not len(prepared):
        reason = prepared.set_aside[0].reason if prepared.set_aside else "there is none"
        raise ExportError(", ".join(map(str, data)), f"has no clip that can be read ({reason})", "Give other clips.")
    numbers = _spread(prepared, manifest.rows, manifest.heads)
    rows = [manifest.rows[prepared.row_numbers[number]] for number in numbers]
    return from_prepared(prepared, numbers), targets_of(rows, labels)


def calibration_part(clips: ModelInputs, wanted: Format) -> ModelInputs:
    """Half of the clips, so that others are left to try the result on; refused where a modality is never there.

    Few clips are taken all: ranges that miss something do more harm than a trial on clips that are known.
    """
    many = min(len(clips), max(len(clips) // 2, FEW), MOST_CALIBRATED)
    some = np.sort(np.random.default_rng(0).permutation(len(clips))[:many])
    chosen = clips.some(some)
    for modality, there in zip(chosen.arrays, chosen.presence.any(axis=0), strict=True):
        if not there:
            raise ExportError(
                f"format {wanted.name}",
                f"cannot be made: none of the {len(chosen)} clips to calibrate with has {modality}",
                f"Give clips that have {modality}, too, or leave {wanted.name} out.",
            )
    return chosen


def _spread(prepared: PreparedClips, rows: Sequence[Row], heads: Sequence[str]) -> list[int]:
    """Numbers of windows: at first one of each class, then another, until there are enough."""
    groups: dict[tuple, list[int]] = {}
    for number in np.random.default_rng(0).permutation(len(prepared)):
        labels = rows[prepared.row_numbers[number]].labels
        groups.setdefault(tuple(map(labels.get, heads)), []).append(int(number))
    in_turn = zip_longest(*(groups[labels] for labels in sorted(groups, key=str)))
    return [number for turn in in_turn for number in turn if number is not None][:MOST_TRIED]
