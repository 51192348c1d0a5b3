"""The moments of a file: one vector of the common space for each window, and when it is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from video_understanding.errors import MediaError
from video_understanding.media.decode import iter_clips
from video_understanding.recognition.answers import WindowScorer
from video_understanding.recognition.length import FileLength
from video_understanding.recognition.recognizer import Recognizer
from video_understanding.recognition.strides import Stride
from video_understanding.words.words_scorer import WordsScorer

_AT_ONCE = 8  # windows encoded together
_LEAST_S = 0.001  # of a moment: a picture lasts no time at all


@dataclass(frozen=True, eq=False)
class Moments:
    """What is to be found in a file.

    values      float32 [n,D], of length 1
    spans_s     float64 [n,2], begin and end of each
    duration_s  of the file
    """

    values: np.ndarray
    spans_s: np.ndarray
    duration_s: float


def moments_of(file: str | Path, model: Recognizer) -> Moments:
    """The moments of a file of any length, windows that overlap by half, from one pass over it.

    Raises:
        MediaError: the file cannot be read, or has nothing that words were learned from.
    """
    spec = model.spec
    windows = WindowScorer(WordsScorer(model.scorer, model.words))
    length, values, spans_s = FileLength(), [], []
    clips = iter_clips(file, spec, Stride.of(spec, _half(spec.window_s, spec.frames, spec.hops)).seconds)
    while several := list(islice(clips, _AT_ONCE)):
        for clip in several:
            length.look_at(clip)
        own, middles_s = windows.embed(several)
        told = own.any(axis=1)
        values.append(own[told])
        spans_s.append(middles_s[told, None] + np.array([-0.5, 0.5]) * spec.window_s)
    found, spans = np.concatenate(values), np.concatenate(spans_s)
    if not len(found):
        wanted = " or ".join(model.words.clips)
        raise MediaError(file, f"has no {wanted}, from which the model learned words", "Leave it out.")
    duration_s = length.seconds()
    spans[:, 1] = np.maximum(np.minimum(spans[:, 1], duration_s), spans[:, 0] + _LEAST_S)
    return Moments(found, spans, duration_s)


def _half(window_s: float, frames: int, hops: int) -> float:
    """Half a window where both modalities can be cut there, else a whole one."""
    return window_s / 2 if frames % 2 == 0 and hops % 2 == 0 else window_s
