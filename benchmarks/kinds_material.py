"""The files of many kinds that reading is measured on, and numbered ones that tell whether the right pictures come.

    python -m benchmarks.kinds_material

A process of its own, for the peers bring codec libraries that get in the way of PyAV's encoders.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import material
from benchmarks.material import Material

_X265_QUIET = {"x265-params": "log-level=error"}
_VP9_OPTIONS = {"deadline": "good", "cpu-used": "5", "row-mt": "1"}

_SMALL_SIZE, _MIDDLE_SIZE, _LARGE_SIZE = (3, 240, 320, 25), (10, 360, 640, 30), (3, 1080, 1920, 25)
SMALL = {
    "H.264": material.THREE_SECONDS,
    "HEVC": Material(
        "hevc_240.mp4", *_SMALL_SIZE, "libx265", "aac", options={"preset": "veryfast", **_X265_QUIET}
    ),
    "VP9": Material("vp9_240.webm", *_SMALL_SIZE, "libvpx-vp9", "libopus", 500_000, _VP9_OPTIONS),
    "AV1": Material("av1_240.mp4", *_SMALL_SIZE, "libsvtav1", "aac", options={"preset": "10"}),
}  # fmt: skip
MIDDLE = {
    "H.264": material.TEN_SECONDS,
    "H.264, no B-frames": Material("no_b_frames.mp4", *_MIDDLE_SIZE, "libx264", "aac", options={"bf": "0"}),
    "HEVC": Material(
        "hevc.mp4", *_MIDDLE_SIZE, "libx265", "aac", options={"preset": "veryfast", **_X265_QUIET}
    ),
    "VP9": material.VP9,
    "MPEG-4": Material("mpeg4.mp4", *_MIDDLE_SIZE, "mpeg4", "aac", 1_500_000),
}  # fmt: skip
# The quick presets of these encoders, for the sake of the time that making takes; all but VP9's leave B-frames in.
LARGE = {
    "H.264": Material("h264_1080.mp4", *_LARGE_SIZE, "libx264", "aac", options={"preset": "veryfast"}),
    "HEVC": Material(
        "hevc_1080.mp4", *_LARGE_SIZE, "libx265", "aac", options={"preset": "superfast", **_X265_QUIET}
    ),
    "VP9": Material("vp9_1080.webm", *_LARGE_SIZE, "libvpx-vp9", "libopus", 4_000_000, _VP9_OPTIONS),
    "AV1": Material("av1_1080.mp4", *_LARGE_SIZE, "libsvtav1", "aac", options={"preset": "11"}),
}  # fmt: skip

LONG_MINUTES = 10
NUMBERED_S = 12.0
_NUMBERED_HZ, _LATE_S = 25.0, 0.28


@dataclass(frozen=True)
class Numbered:
    """A file in which every picture says its number; `frame_times_s` is when each is shown, on the file's clock."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_uneven: bool = False
    start_s: float = 0.0

    @property
    def path(self) -> Path:
        return material.FOLDER / "numbered" / self.name

    def frame_times_s(self) -> np.ndarray:
        """float64 [n]"""
        if not self.is_uneven:
            return self.start_s + np.arange(int(NUMBERED_S * _NUMBERED_HZ)) / _NUMBERED_HZ
        gaps_s = np.random.default_rng(9).choice([0.02, 0.03, 0.04, 0.08, 0.2], int(NUMBERED_S / 0.02))
        times_s = np.concatenate([[0.0], np.cumsum(gaps_s)])
        return times_s[times_s < NUMBERED_S - 0.2]


NUMBERED = {
    "H.264, no B-frames": Numbered("no_b_frames.mp4", {"codec_options": {"bf": "0"}}),
    "H.264, B-frames": Numbered("h264.mp4"),
    "H.264, 1 s groups": Numbered("groups.mp4", {"codec_options": {"g": "24"}}),
    "HEVC": Numbered("hevc.mp4", {"codec": "libx265", "codec_options": _X265_QUIET}),
    "VP9": Numbered("vp9.webm", {"codec": "libvpx-vp9", "sound_codec": "libopus", "codec_options": _VP9_OPTIONS}),
    "AV1": Numbered("av1.mp4", {"codec": "libsvtav1", "codec_options": {"preset": "8"}}),
    "MPEG-4": Numbered("mpeg4.mp4", {"codec": "mpeg4"}),
    "H.264, uneven times": Numbered("uneven.mp4", is_uneven=True),
    "VP9, uneven times": Numbered(
        "uneven.webm", {"codec": "libvpx-vp9", "sound_codec": "libopus", "codec_options": _VP9_OPTIONS}, is_uneven=True
    ),
    "H.264, picture late": Numbered("late.mp4", start_s=_LATE_S),
    "H.264, transport stream": Numbered("clock.ts"),
}


def long_file(kind: str) -> Path:
    """Ten minutes of a kind: a shorter file's packets over and over, so that nothing long has to be encoded."""
    if kind == "H.264, 1 s groups":
        minute = material.made(material.MINUTE, material.FOLDER)
        return material.made_longer(minute, LONG_MINUTES, material.FOLDER / "ten_minutes.mp4")
    piece = MIDDLE[kind]
    path = material.FOLDER / f"ten_minutes_{piece.name}"
    times = LONG_MINUTES * 60 // piece.seconds
    return material.made_longer(material.made(piece, material.FOLDER), times, path, piece.seconds)


def main() -> None:
    os.environ["SVT_LOG"] = "1"  # errors only, of what it tells about itself
    for alike in (SMALL, MIDDLE, LARGE):
        material.made_alike(list(alike.values()), material.FOLDER)
    for numbered in NUMBERED.values():
        _make_numbered(numbered)


def _make_numbered(numbered: Numbered) -> None:
    from video_understanding.media.synthetic.calibration import write_calibration_clip

    if not numbered.path.exists():
        times_s = {"frame_times_s": numbered.frame_times_s()} if numbered.is_uneven else {}
        write_calibration_clip(
            numbered.path,
            duration_s=NUMBERED_S,
            frames_hz=_NUMBERED_HZ,
            picture_start_s=numbered.start_s,
            **times_s,
            **numbered.settings,
        )


if __name__ == "__main__":
    main()
