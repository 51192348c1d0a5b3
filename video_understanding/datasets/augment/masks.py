"""Masks that hide time spans, frequency bands or frames, so that no single cue decides alone.

What is hidden is still in the file: presence and times stay as they are.
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
from video_understanding.errors import VideoUnderstandingError

FADE_S = 0.005  # a sound that ends abruptly clicks, and the click would reveal the mask
BAND_EDGE_HZ = 50.0  # a sharper edge rings for longer than a log-mel window


@dataclass(frozen=True)
class TimeMask(Augmentation):
    """Silences `masks` spans of the sound, each `width_s` seconds of zeros."""

    width_s: Range = (0.05, 0.4)
    masks: int = 2

    def __post_init__(self) -> None:
        require_range(self, "width_s", 0.0)
        if self.masks != int(self.masks) or self.masks < 1:
            raise VideoUnderstandingError("TimeMask.masks", f"is {self.masks!r}", "Give a whole number from 1 up.")

    def draw(self, clip: Clip, generator: np.random.Generator, /) -> Parameters:
        spans = []
        for _ in range(int(self.masks)):
            width_s = min(drawn_uniformly(self.width_s, generator), clip.duration_s)
            begin_s = drawn_uniformly((0.0, clip.duration_s - width_s), generator)
            spans.append([begin_s, begin_s + width_s])
        return {"spans_s": spans}  # seconds from the window's begin

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_audio:
            return clip
        waveform = clip.waveform.copy()
        for begin_s, end_s in parameters["spans_s"]:
            corners = np.array([begin_s - FADE_S, begin_s, end_s, end_s + FADE_S]) * clip.sample_rate_hz
            touched = slice(max(0, math.floor(corners[0])), min(len(waveform), math.ceil(corners[3])))
            samples = np.arange(touched.start, touched.stop)
            waveform[touched] *= np.interp(samples, corners, [1.0, 0.0, 0.0, 1.0]).astype(np.float32)
        return with_sound(clip, waveform)


@dataclass(frozen=True)
class BandMask(Augmentation):
    """Takes a band of `width_octaves` out of the sound, somewhere in `between_hz`, low as often as high."""

    width_octaves: Range = (0.25, 1.0)
    between_hz: Range = (125.0, 7500.0)

    def __post_init__(self) -> None:
        require_range(self, "width_octaves", 0.0, 10.0)
        require_range(self, "between_hz", 1.0)

    def draw(self, clip: Clip, generator: np.random.Generator, /) -> Parameters:
        lowest_hz = min(self.between_hz[0], clip.sample_rate_hz / 2)
        highest_hz = min(self.between_hz[1], clip.sample_rate_hz / 2)
        ratio = min(2.0 ** drawn_uniformly(self.width_octaves, generator), highest_hz / lowest_hz)
        low_hz = drawn_by_ratio((lowest_hz, highest_hz / ratio), generator)
        return {"low_hz": low_hz, "high_hz": low_hz * ratio}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_audio:
            return clip
        low_hz, high_hz = parameters["low_hz"], parameters["high_hz"]
        spectrum = np.fft.rfft(clip.waveform)  # complex64 [N//2 + 1]
        bin_hz = clip.sample_rate_hz / len(clip.waveform)
        first, last = math.floor((low_hz - BAND_EDGE_HZ) / bin_hz), math.ceil((high_hz + BAND_EDGE_HZ) / bin_hz)
        touched = slice(max(0, first), min(last, len(spectrum)))
        bins_hz = np.arange(touched.start, touched.stop) * bin_hz
        corners_hz = [low_hz - BAND_EDGE_HZ, low_hz, high_hz, high_hz + BAND_EDGE_HZ]
        spectrum[touched] *= np.interp(bins_hz, corners_hz, [1.0, 0.0, 0.0, 1.0]).astype(np.float32)
        return with_sound(clip, np.fft.irfft(spectrum, len(clip.waveform)))  # float32 [N]


@dataclass(frozen=True)
class FrameMask(Augmentation):
    """Blackens frames that follow each other, `width_fraction` of the clip, at least one and never all."""

    width_fraction: Range = (0.05, 0.25)

    def __post_init__(self) -> None:
        require_range(self, "width_fraction", 0.0, 1.0)

    def draw(self, clip: Clip, generator: np.random.Generator, /) -> Parameters:
        count = len(clip.frames)
        width = min(max(1, round(drawn_uniformly(self.width_fraction, generator) * count)), count - 1)
        return {"first_frame": int(generator.integers(count - width + 1)), "frames": width}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_video:
            return clip
        frames = clip.frames.copy()  # [T,H,W,3]
        first = parameters["first_frame"]
        frames[first : first + parameters["frames"]] = 0
        return dataclasses.replace(clip, frames=frames)
