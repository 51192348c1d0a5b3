"""Which window of a file is explained: the one that the model is surest of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_understanding.clip import Clip
from video_understanding.evaluation.text import many
from video_understanding.features.prepare import prepare
from video_understanding.media.decode import iter_clips
from video_understanding.scorer import Scorer

_FILLED = 0.5  # share of a window from which it counts as one of the file's


def surest_window(scorer: Scorer, file: str | Path) -> tuple[Clip, str]:
    """The surest of the windows that follow each other through the file, and in words how it was chosen.

    How sure a window is, is the mean over the heads of their highest probability. One that the file hardly fills, as
    the last one may be, or in which there is nothing at all, is taken only where there is no better one. Constant
    memory, however long the file is.
    """
    surest, most, count = None, (-1, -np.inf), 0
    for clip in iter_clips(file, scorer.spec):
        inputs = prepare([clip], scorer.spec)
        rank = (0, 0.0)
        if inputs.presence.any():
            scores = scorer(inputs)
            sure = float(np.mean([scores[head].max() for head in scores.heads]))
            rank = (2 if _share_filled(clip) >= _FILLED else 1, sure)
        if rank > most:
            surest, most = clip, rank
        count += 1
    chosen = "the only window" if count == 1 else f"the surest of {many(count, 'window')}"
    return surest, chosen


def _share_filled(clip: Clip) -> float:
    """The share of the window in which the file has a picture, or sound, whichever is more."""
    begin_s, end_s = clip.sound_span_s or (0.0, 0.0)
    return max(float(clip.frame_present.mean()), (end_s - begin_s) / clip.duration_s)
