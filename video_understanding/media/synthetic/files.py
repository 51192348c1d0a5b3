"""Writes scenes as real media files: one scene, or a long file that changes from scene to scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from video_understanding.errors import MediaError
from video_understanding.media.synthetic.halves import Halves
from video_understanding.media.synthetic.scene import Scene
from video_understanding.media.synthetic.tracks import PictureTrack, SoundTrack, without_first, write_tracks
from video_understanding.media.synthetic.two_cues import TwoCues

FADE_S = 0.005  # at the seams of a timeline, where the sound would click otherwise
# x264's macroblock tree reads past its rows with AVX-512: the same frames gave different files from run to run.
QUICK = {"preset": "veryfast", "crf": "21", "mbtree": "0"}
AnyScene = Scene | TwoCues | Halves
Part = tuple[AnyScene, float]


def write_scene(
    path: Path | str,
    scene: AnyScene,
    *,
    duration_s: float = 2.0,
    frames_hz: float = 12.5,
    width_px: int = 160,
    height_px: int = 120,
    sound_rate_hz: int = 16_000,
    picture_start_s: float = 0.0,
    sound_start_s: float = 0.0,
    with_picture: bool = True,
    with_sound: bool = True,
) -> Path:
    """Writes one scene (H.264 and AAC); returns the path.

    A stream that starts late lacks its beginning; what it does hold stays in time with the other.
    """
    picture = sound = None
    parts = [(scene, float(duration_s))]
    _check_parts(path, parts)
    if with_picture:
        picture = _picture(parts, frames_hz, width_px, height_px, picture_start_s)
    if with_sound:
        sound = _sound(parts, sound_rate_hz, sound_start_s)
    return write_tracks(path, picture, sound)


def write_timeline(
    path: Path | str,
    parts: Sequence[Part],
    *,
    frames_hz: float = 12.5,
    width_px: int = 160,
    height_px: int = 120,
    sound_rate_hz: int = 16_000,
) -> Path:
    """Writes scenes one after the other into one file: (scene, seconds) each; returns the path.

    Scene n begins where the seconds of those before it end. The parts are drawn as they are written, so that hours
    need no more memory than minutes.
    """
    parts = [(scene, float(duration_s)) for scene, duration_s in parts]
    _check_parts(path, parts)
    return write_tracks(path, _picture(parts, frames_hz, width_px, height_px, 0.0), _sound(parts, sound_rate_hz, 0.0))


def _check_parts(path: Path | str, parts: Sequence[Part]) -> None:
    if not parts or any(not duration_s > 0 for _, duration_s in parts):
        raise MediaError(path, "would last no time", "Give one scene or more, each with seconds above zero.")


def _borders_s(parts: Sequence[Part]) -> np.ndarray:
    """float64 [P+1]: where each part begins, and the last one ends."""
    return np.concatenate([[0.0], np.cumsum([duration_s for _, duration_s in parts])])


def _picture(parts: Sequence[Part], frames_hz: float, width_px: int, height_px: int, start_s: float) -> PictureTrack:
    borders_s = _borders_s(parts)
    count = int(np.ceil((borders_s[-1] - start_s) * frames_hz - 1e-6))
    if count < 1:
        raise MediaError("picture_start_s", f"{start_s:g} leaves no picture", "Start before the scene ends.")
    times_s = start_s + np.arange(count) / frames_hz  # [T]

    def frames() -> Iterator[np.ndarray]:
        for (scene, _), begin_s, end_s in zip(parts, borders_s, borders_s[1:], strict=False):
            inside = times_s[(times_s >= begin_s - 1e-9) & (times_s < end_s - 1e-9)]
            yield from scene.frames(inside - begin_s, height_px=height_px, width_px=width_px)

    return PictureTrack(
        frames=frames(),
        times_s=times_s,
        end_s=float(borders_s[-1]),
        height_px=height_px,
        width_px=width_px,
        frames_hz=frames_hz,
        options=QUICK,
    )


def _sound(parts: Sequence[Part], rate_hz: int, start_s: float) -> SoundTrack:
    borders = np.round(_borders_s(parts) * rate_hz).astype(int)  # [P+1] samples
    skipped = round(start_s * rate_hz)
    if skipped >= borders[-1]:
        raise MediaError("sound_start_s", f"{start_s:g} leaves no sound", "Start before the scene ends.")

    def blocks() -> Iterator[np.ndarray]:
        for (scene, _), samples in zip(parts, np.diff(borders), strict=True):
            sound = scene.waveform(samples / rate_hz, rate_hz)  # [n]
            fade = min(round(FADE_S * rate_hz), len(sound) // 2)
            slope = np.linspace(0, 1, fade, dtype=np.float32)
            sound[:fade] *= slope
            sound[len(sound) - fade :] *= slope[::-1]
            yield sound[:, None]  # [n,1]

    return SoundTrack(blocks=without_first(blocks(), skipped), rate_hz=rate_hz, channels=1, start_s=start_s)
