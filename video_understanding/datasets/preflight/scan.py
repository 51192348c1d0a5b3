"""Reads every clip of a manifest once, at low resolution: its facts, its damage, and its two fingerprints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from video_understanding.datasets.at_once import at_once
from video_understanding.datasets.preflight.similarity import PictureFingerprint, SoundFingerprint
from video_understanding.datasets.rows import Row
from video_understanding.datasets.windows import MOST_WINDOWS
from video_understanding.errors import MediaError
from video_understanding.media.container import OpenMedia, open_media
from video_understanding.media.decode import iter_clips
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, VideoSpec

# Enough to distinguish two clips, and little enough for thousands of them to stay in memory.
SMALL = ModelSpec(
    window_s=4.0,
    video=VideoSpec(frames_hz=4.0, height_px=32, width_px=32, fit="stretch"),
    audio=AudioSpec(sample_rate_hz=8_000, log_mel=LogMelSpec(high_hz=3_800.0)),
)
# As much of a row as becomes training windows; damage further on is not searched for.
READ_S = MOST_WINDOWS * SMALL.window_s


@dataclass(frozen=True)
class Facts:
    """Technical facts of a file from its headers, and the duration of the row's span. None: absent or not given."""

    container: str
    picture_codec: str | None
    sound_codec: str | None
    size_px: tuple[int, int] | None  # width, height
    frames_hz: float | None
    duration_s: float | None


@dataclass(frozen=True, eq=False)
class Scanned:
    """The result of reading one row: either an error, or facts and fingerprints.

    silent     whether its sound track holds nothing but digital silence
    notes      what is damaged, in words
    """

    row: Row
    error: MediaError | None = None
    facts: Facts | None = None
    silent: bool = False
    notes: tuple[str, ...] = ()
    sound: SoundFingerprint | None = field(default=None, repr=False)
    picture: PictureFingerprint | None = field(default=None, repr=False)


def scan_rows(rows: Sequence[Row], workers: int | None = None, progress: bool | None = None) -> list[Scanned]:
    """Every row read, in the order of the rows; `workers` at a time (as many as there are processors by default)."""
    scanned = dict(at_once(scan_row, rows, "Reading clips", workers, progress))
    return [scanned[place] for place in range(len(rows))]


def scan_row(row: Row) -> Scanned:
    """Reads the first half minute of one row; the error of an unreadable file is returned, not raised."""
    start_s = row.start_s or 0.0
    end_s = min(start_s + READ_S, np.inf if row.end_s is None else row.end_s)
    try:
        with open_media(row.path) as media:
            facts = _facts(media, row)
        clips = list(iter_clips(row.path, SMALL, start=start_s, end=end_s))
    except MediaError as error:
        return Scanned(row, error=error)
    waveform = np.concatenate([clip.waveform for clip in clips])  # [N]
    frames = np.concatenate([clip.frames for clip in clips])  # [T,H,W,3]
    present = np.concatenate([clip.frame_present for clip in clips])  # [T]
    has_audio = any(clip.has_audio for clip in clips)
    silent = all(clip.is_silent for clip in clips)
    sound_end_s = max((clip.sound_span_s[1] for clip in clips if clip.sound_span_s), default=start_s)
    samples = round((sound_end_s - start_s) * SMALL.audio.sample_rate_hz)
    return Scanned(
        row,
        facts=facts,
        silent=has_audio and silent,
        # The last notes, for counts of damage grow from clip to clip.
        notes=next((clip.notes for clip in reversed(clips) if clip.notes), ()),
        sound=None if silent else SoundFingerprint.of(waveform[:samples], SMALL.audio.sample_rate_hz),
        picture=PictureFingerprint.of(frames, present) if present.any() else None,
    )


def _facts(media: OpenMedia, row: Row) -> Facts:
    picture, sound = media.picture, media.sound
    length_s = media.container.duration / 1e6 if media.container.duration else None
    if row.end_s is not None:
        length_s = row.end_s - (row.start_s or 0.0)
    elif length_s is not None:
        length_s -= row.start_s or 0.0
    names = media.container.format.name.split(",")
    ending = row.path.suffix[1:].lower()
    rate_hz = picture.average_rate if picture is not None else None
    return Facts(
        container=ending if ending in names else names[0],
        picture_codec=picture.codec_context.codec.canonical_name if picture is not None else None,
        sound_codec=sound.codec_context.codec.canonical_name if sound is not None else None,
        size_px=(picture.codec_context.width, picture.codec_context.height) if picture is not None else None,
        frames_hz=float(rate_hz) if rate_hz else None,
        duration_s=length_s,
    )
