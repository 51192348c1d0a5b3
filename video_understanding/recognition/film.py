"""What a file shows and how loud it is, at a glance: thumbnails and loudness, evenly over its time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from video_understanding.media.decode import iter_clips
from video_understanding.spec import ModelSpec, VideoSpec

_THUMBNAIL = VideoSpec(frames_hz=1, height_px=90, width_px=120, fit="pad")


@dataclass(frozen=True, eq=False)
class Film:
    """A file at a glance.

    thumbnails  the picture in the middle of each of n equal spans, uint8 [90,120,3]; None where there is none
    loudness    float32 [m], the largest sample in each of m equal spans
    """

    thumbnails: list[np.ndarray | None]
    loudness: np.ndarray


def film_of(file: str | Path, duration_s: float, spec: ModelSpec, thumbnails: int, columns: int) -> Film:
    """One pass over the file with larger pictures; a window is a few seconds, and none is kept."""
    spec = dataclasses.replace(spec, video=dataclasses.replace(_THUMBNAIL, frames_hz=spec.video.frames_hz))
    wanted_s = (np.arange(thumbnails) + 0.5) / thumbnails * duration_s
    found: list[np.ndarray | None] = [None] * thumbnails
    loudness = np.zeros(columns, np.float32)
    for clip in iter_clips(file, spec):
        instants_s = spec.instants_s(clip.start_s)  # [T]
        for number in np.flatnonzero((wanted_s >= clip.start_s) & (wanted_s < clip.end_s)):
            place = int(np.abs(instants_s - wanted_s[number]).argmin())
            if clip.frame_present[place]:
                found[number] = clip.frames[place].copy()
        times_s = clip.start_s + np.arange(len(clip.waveform)) / clip.sample_rate_hz  # [N]
        at = np.minimum((times_s / max(duration_s, 1e-3) * columns).astype(int), columns - 1)
        np.maximum.at(loudness, at, np.abs(clip.waveform))
    return Film(found, loudness)
