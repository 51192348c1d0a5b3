"""Shift and speed: picture and sound moved together on one clock, so that they stay synchronous.

Frames can only be moved in whole steps, so each place gets the frame whose instant is nearest;
its time in `frame_times_s` is moved exactly, as the sound is. What comes from outside the window
is absent: the nearest frame is held, the sound is zero.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment.augmentation import (
    Augmentation,
    Parameters,
    Range,
    drawn_by_ratio,
    drawn_uniformly,
    require_range,
)
from video_understanding.datasets.augment.sound import with_sound

SINC_TAPS = 24  # samples that make one resampled sample
SINC_CUTOFF = 0.95  # of half the sample rate; true to 0.5 dB up to 6 kHz of 8, mirrored sound below -50 dB to 7.2
SINC_PHASES = 512  # fractional positions between two samples, each with a filter of its own
# The distance in samples of each tap from the fractional position, [taps, phases + 1],
# and Kaiser's window over it, centred at that position.
SINC_DISTANCE = np.arange(1 - SINC_TAPS // 2, SINC_TAPS // 2 + 1)[:, None] - np.linspace(0.0, 1.0, SINC_PHASES + 1)
SINC_WINDOW = np.i0(6.0 * np.sqrt(1.0 - np.square(SINC_DISTANCE / (SINC_TAPS / 2))))


@dataclass(frozen=True)
class TimeShift(Augmentation):
    """Moves all that happens later (above zero) or earlier (below), in seconds."""

    shift_s: Range = (-0.3, 0.3)

    def __post_init__(self) -> None:
        require_range(self, "shift_s")

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {"shift_s": drawn_uniformly(self.shift_s, generator)}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        moved_samples = round(parameters["shift_s"] * clip.sample_rate_hz)
        shifted = np.zeros_like(clip.waveform)  # [N]
        if abs(moved_samples) < len(shifted):
            begin, end = max(moved_samples, 0), len(shifted) + min(moved_samples, 0)
            shifted[begin:end] = clip.waveform[begin - moved_samples : end - moved_samples]
        return _moved(clip, shifted, shift_s=moved_samples / clip.sample_rate_hz, factor=1.0)


@dataclass(frozen=True)
class Speed(Augmentation):
    """Plays the clip faster (above one) or slower, about the middle of the window; the pitch follows."""

    factor: Range = (0.9, 1.1)

    def __post_init__(self) -> None:
        require_range(self, "factor", 0.25, 4.0)

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {"factor": drawn_by_ratio(self.factor, generator)}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        factor = parameters["factor"]
        waveform = clip.waveform
        if clip.has_audio:
            middle = len(waveform) / 2
            waveform = _resampled(waveform, middle + factor * (np.arange(len(waveform)) - middle), factor)  # [N]
        return _moved(clip, waveform, shift_s=0.0, factor=factor)


def _moved(clip: Clip, waveform: np.ndarray, shift_s: float, factor: float) -> Clip:
    """The clip whose content at time t is that of middle + factor * (t - shift - middle).

    `waveform`, float32 [N], has been moved already; picture, times and presence are moved here.
    """
    count, middle_s = len(clip.frames), clip.start_s + clip.duration_s / 2
    place = np.arange(count) + 0.5  # [T], each instant in steps from the window's begin
    shift_steps = shift_s * count / clip.duration_s if clip.duration_s else 0.0
    source = np.floor(count / 2 + factor * (place - shift_steps - count / 2)).astype(np.intp)  # [T]
    held = np.clip(source, 0, count - 1)

    def arrival_s(moment_s: np.ndarray | float) -> np.ndarray | float:
        return middle_s + shift_s + (moment_s - middle_s) / factor

    span = clip.sound_span_s
    if span is not None:
        begin_s, end_s = (min(max(arrival_s(moment), clip.start_s), clip.end_s) for moment in span)
        span = (begin_s, end_s) if begin_s < end_s else None
    moved = dataclasses.replace(
        clip,
        frames=clip.frames[held],  # [T,H,W,3]
        frame_times_s=arrival_s(clip.frame_times_s[held]),
        frame_present=clip.frame_present[held] & (source == held),
        sound_span_s=span,
    )
    return with_sound(moved, waveform)


def _resampled(waveform: np.ndarray, positions: np.ndarray, factor: float) -> np.ndarray:
    """float32 [N]: the waveform read at fractional `positions` [N], which lie `factor` samples apart."""
    filters = _sinc_filters(cutoff=SINC_CUTOFF * min(1.0, 1.0 / factor))  # [SINC_TAPS, SINC_PHASES + 1]
    before = np.floor(positions).astype(np.int64)
    phase = np.rint((positions - before) * SINC_PHASES).astype(np.int64)
    # Outside the waveform there is silence: padding on both sides avoids a test for each sample.
    room = SINC_TAPS + max(0, math.ceil(-positions[0]), math.ceil(positions[-1]) - len(waveform) + 1)
    source = np.pad(waveform, room)
    index = before + (room + 1 - SINC_TAPS // 2)
    resampled = np.zeros(len(positions), np.float32)
    for taps in filters:
        resampled += taps.take(phase) * source.take(index)
        index += 1
    return resampled


def _sinc_filters(cutoff: float) -> np.ndarray:
    """float32 [SINC_TAPS, SINC_PHASES + 1]: a windowed sinc for each phase; `cutoff` 1 is half the sample rate."""
    filters = np.sinc(cutoff * SINC_DISTANCE) * SINC_WINDOW
    return (filters / filters.sum(axis=0)).astype(np.float32)  # each passes a steady level unchanged
