"""Invariants of every change of the sound: zero where the file has none, and samples within [-1, 1]."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from video_understanding.clip import Clip


def sounding(clip: Clip) -> slice:
    """The samples of the window in which the file has sound of its own; empty without any."""
    if clip.sound_span_s is None:
        return slice(0, 0)
    # A sample belongs to the span if the span has begun by its instant, within a billionth of a second.
    begin, end = (math.ceil((moment - clip.start_s - 1e-9) * clip.sample_rate_hz) for moment in clip.sound_span_s)
    return slice(min(max(begin, 0), len(clip.waveform)), min(max(end, 0), len(clip.waveform)))


def with_sound(clip: Clip, waveform: np.ndarray) -> Clip:
    """The clip with another waveform, float32 [N], set to zero where the file has no sound."""
    span = sounding(clip)
    masked = np.zeros_like(clip.waveform)  # [N]
    np.clip(waveform[span], -1.0, 1.0, out=masked[span])
    return dataclasses.replace(clip, waveform=masked)
