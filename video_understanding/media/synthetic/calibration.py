"""Calibration clips: frames carry their number and sound bursts have known times, so that any reader can be tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from video_understanding.errors import MediaError
from video_understanding.media.synthetic.barcode import draw_barcode, read_barcode
from video_understanding.media.synthetic.bursts import burst_onsets_s, burst_sound
from video_understanding.media.synthetic.tracks import PictureTrack, SoundTrack, write_tracks

__all__ = ["burst_onsets_s", "read_barcode", "write_calibration_clip"]


def write_calibration_clip(
    path: Path | str,
    *,
    duration_s: float = 3.0,
    frames_hz: float = 25.0,
    frame_times_s: Sequence[float] | None = None,
    width_px: int = 320,
    height_px: int = 240,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    codec_options: Mapping[str, str] | None = None,
    picture_start_s: float = 0.0,
    picture_end_s: float | None = None,
    sound_start_s: float = 0.0,
    sound_end_s: float | None = None,
    burst_times_s: Sequence[float] = (0.5, 1.5, 2.5),
    sample_rate_hz: int = 48_000,
    channels: int = 2,
    sound_codec: str = "aac",
    with_picture: bool = True,
    with_sound: bool = True,
    format: str | None = None,
) -> Path:
    """Writes a clip in which every frame and sound burst can be identified by its content; returns its path.

    All times are seconds on the file's common clock. Frame n (0, 1, 2 ...) carries n as a barcode for `read_barcode`
    and is shown from `picture_start_s + n / frames_hz` on, or, for a variable frame rate, from
    `picture_start_s + frame_times_s[n]` on. Streams end at `picture_end_s` and `sound_end_s`, which are `duration_s`
    if not given. Bursts begin at `burst_times_s`, whenever the sound starts.

    The container follows from the file extension unless `format` names one. MPEG-TS and AVI cannot store a zero point:
    there the clock begins with the first moment of the file, so let one stream start at 0 (and in AVI both). The clock
    of Matroska and WebM ticks in milliseconds. Of AV1's presets the fastest (10 and up) spoil the barcode.
    """
    picture = sound = None
    if with_picture:
        end_s = duration_s if picture_end_s is None else picture_end_s
        times_s = _frame_times_s(picture_start_s, end_s, frames_hz, frame_times_s)
        picture = PictureTrack(
            frames=_numbered_frames(len(times_s), height_px, width_px),
            times_s=times_s,
            end_s=end_s,
            height_px=height_px,
            width_px=width_px,
            frames_hz=frames_hz if frame_times_s is None else None,
            codec=codec,
            pixel_format=pixel_format,
            options=dict(codec_options or {}),
        )
    if with_sound:
        end_s = duration_s if sound_end_s is None else sound_end_s
        if end_s <= sound_start_s:
            raise MediaError("sound_end_s", f"{end_s:g} is not after the sound's start", "Give a later end.")
        mono = burst_sound(sound_start_s, end_s, burst_times_s, sample_rate_hz)  # [N]
        sound = SoundTrack(
            blocks=(
                np.repeat(mono[place : place + sample_rate_hz, None], channels, axis=1)  # [n,C]
                for place in range(0, len(mono), sample_rate_hz)
            ),
            rate_hz=sample_rate_hz,
            channels=channels,
            start_s=sound_start_s,
            codec=sound_codec,
        )
    return write_tracks(path, picture, sound, container_format=format)


def _frame_times_s(start_s: float, end_s: float, frames_hz: float, given_s: Sequence[float] | None) -> np.ndarray:
    """float64 [T]: when each frame is shown, on the clock."""
    if given_s is None:
        times_s = start_s + np.arange(int(np.ceil((end_s - start_s) * frames_hz)) + 1) / frames_hz
    else:
        times_s = start_s + np.asarray(given_s, np.float64)
    times_s = times_s[times_s < end_s - 1e-6]  # [T]
    if not len(times_s) or np.any(np.diff(times_s) <= 0):
        raise MediaError("frame times", "are none, or do not rise", "Give rising times before the picture's end.")
    return times_s


def _numbered_frames(count: int, height_px: int, width_px: int) -> Iterator[np.ndarray]:
    """uint8 [H,W,3] each: the number above, below it a smooth moving texture, so that coding is realistic."""
    rng = np.random.default_rng(7)
    clouds = rng.normal(size=(16, 20, 3)).astype(np.float32)
    clouds = cv2.resize(clouds, (width_px * 2, height_px * 2), interpolation=cv2.INTER_CUBIC)  # [2H,2W,3]
    clouds = np.clip(125 + 40 * clouds, 0, 255).astype(np.uint8)
    for number in range(count):
        turn = 2 * np.pi * number / 97
        left, top = (int((1 + wave) * side / 2) for wave, side in ((np.cos(turn), width_px), (np.sin(turn), height_px)))
        picture = clouds[top : top + height_px, left : left + width_px].copy()  # [H,W,3]
        draw_barcode(picture, number)
        yield picture
