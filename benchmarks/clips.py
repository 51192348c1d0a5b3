"""The files that reading is measured on: made once, from a seed, with what their encoders do by default.

    python -m benchmarks.clips [kinds]

A process of its own, for some peers bring codec libraries that get in the way of PyAV's encoders.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path("build/bench")
_HEVC = {"codec": "libx265", "options": {"preset": "veryfast", "x265-params": "log-level=error"}}
_VP9 = {"codec": "libvpx-vp9", "sound_codec": "libopus"}
_VP9_OPTIONS = {"deadline": "good", "cpu-used": "5", "row-mt": "1"}
_SMALL, _MIDDLE, _LARGE = (240, 320, 25), (360, 640, 30), (1080, 1920, 25)  # height and width in pixels, frames_hz


@dataclass(frozen=True)
class BenchClip:
    """What one file holds; `options` are the video encoder's."""

    name: str
    seconds: int
    height_px: int
    width_px: int
    frames_hz: int
    codec: str = "libx264"
    sound_codec: str = "aac"
    options: dict[str, str] = field(default_factory=dict)
    piece: BenchClip | None = None  # whose packets fill it, over and over, so that nothing long has to be encoded

    @property
    def path(self) -> Path:
        return FOLDER / self.name

    @property
    def soundless(self) -> Path:
        """The same without sound, to compare with readers that know none."""
        return FOLDER / f"soundless_{self.name}"


# By default x264 writes B-frames, groups of 250 frames, and as many bits as its quality 23 takes.
TEN_SECONDS = BenchClip("ten_seconds.mp4", 10, *_MIDDLE)
THREE_SECONDS = BenchClip("three_seconds.mp4", 3, *_SMALL)
# Groups of about a second, and not of one exactly: else every instant would fall on a key frame, by luck.
MINUTE = BenchClip("minute.mp4", 60, *_MIDDLE, options={"g": "29"})
VP9 = BenchClip("vp9.webm", 10, *_MIDDLE, **_VP9, options={**_VP9_OPTIONS, "b": "1000000"})
TEN_MINUTES, HOUR = (
    BenchClip(f"{name}.mp4", s, *_MIDDLE, piece=MINUTE) for name, s in (("10_min", 600), ("hour", 3600))
)
_TEN_SECONDS_HEVC = BenchClip("hevc.mp4", 10, *_MIDDLE, **_HEVC)
# The quick presets of slow encoders, for the sake of the time that making takes; all but VP9's leave B-frames in.
KINDS = {
    "H.264, 240p, 3 s": THREE_SECONDS,
    "HEVC, 240p, 3 s": BenchClip("hevc_240.mp4", 3, *_SMALL, **_HEVC),
    "VP9, 240p, 3 s": BenchClip("vp9_240.webm", 3, *_SMALL, **_VP9, options={**_VP9_OPTIONS, "b": "500000"}),
    "AV1, 240p, 3 s": BenchClip("av1_240.mp4", 3, *_SMALL, "libsvtav1", options={"preset": "10"}),
    "H.264, 360p, 10 s": TEN_SECONDS,
    "H.264, no B-frames, 360p, 10 s": BenchClip("no_b_frames.mp4", 10, *_MIDDLE, options={"bf": "0"}),
    "VP9, 360p, 10 s": VP9,
    "MPEG-4, 360p, 10 s": BenchClip("mpeg4.mp4", 10, *_MIDDLE, "mpeg4", options={"b": "1500000"}),
    "H.264, 1080p, 3 s": BenchClip("h264_1080.mp4", 3, *_LARGE, options={"preset": "veryfast"}),
    "HEVC, 1080p, 3 s": BenchClip("hevc_1080.mp4", 3, *_LARGE, **_HEVC),
    "VP9, 1080p, 3 s": BenchClip("vp9_1080.webm", 3, *_LARGE, **_VP9, options={**_VP9_OPTIONS, "b": "4000000"}),
    "AV1, 1080p, 3 s": BenchClip("av1_1080.mp4", 3, *_LARGE, "libsvtav1", options={"preset": "11"}),
    "H.264, 360p, 3 s of 10 s": TEN_SECONDS,
    "H.264, 1 s groups, 360p, 3 s of 10 min": TEN_MINUTES,
    "HEVC, 360p, 3 s of 10 min": BenchClip("10_min_hevc.mp4", 600, *_MIDDLE, piece=_TEN_SECONDS_HEVC),
    "VP9, 360p, 3 s of 10 min": BenchClip("10_min_vp9.webm", 600, *_MIDDLE, piece=VP9),
}
# Files in which every frame shows its number: the settings of `write_calibration_clip`.
_NUMBERED_S, _NUMBERED_HZ = 12.0, 25.0
_NUMBERED_VP9 = {**_VP9, "codec_options": _VP9_OPTIONS}
_GAPS_S = np.random.default_rng(9).choice([0.02, 0.03, 0.04, 0.08, 0.2], 200)
_UNEVEN = {"frame_times_s": np.cumsum(_GAPS_S) - _GAPS_S[0]}
NUMBERED: dict[str, dict[str, Any]] = {
    "H.264, no B-frames": {"codec_options": {"bf": "0"}},
    "H.264, B-frames": {},
    "H.264, 1 s groups": {"codec_options": {"g": "24"}},
    "HEVC": {"codec": "libx265", "codec_options": _HEVC["options"]},
    "VP9": _NUMBERED_VP9,
    "AV1": {"codec": "libsvtav1", "codec_options": {"preset": "8"}},
    "MPEG-4": {"codec": "mpeg4"},
    "H.264, uneven times": _UNEVEN,
    "VP9, uneven times": _NUMBERED_VP9 | _UNEVEN,
    "H.264, picture late": {"picture_start_s": 0.28},
    "H.264, transport stream": {},
}


def numbered_path(name: str) -> Path:
    """Where a numbered file lies."""
    ending = ".webm" if "VP9" in name else ".ts" if "stream" in name else ".mp4"
    return FOLDER / "numbered" / (re.sub(r"\W+", "_", name) + ending)


def numbered_times_s(name: str) -> np.ndarray:
    """float64 [n]: when each of its frames is shown, on the file's clock."""
    times_s = NUMBERED[name].get("frame_times_s", np.arange(int(_NUMBERED_S * _NUMBERED_HZ)) / _NUMBERED_HZ)
    return NUMBERED[name].get("picture_start_s", 0.0) + times_s


def make_clips(*names: str) -> None:
    """Makes the files that are not there yet: those of most sections, and with "kinds" those of many kinds."""
    subprocess.run([sys.executable, "-m", "benchmarks.clips", *names], check=True)


def write_clip(clip: BenchClip) -> Path:
    """The file, written now unless it was before."""
    from video_understanding.media.synthetic.tracks import PictureTrack, SoundTrack, write_tracks

    if clip.path.exists():
        return clip.path
    print(f"making {clip.path}", flush=True)
    if clip.piece:
        _repeat(clip)
        return clip.path
    times_s = np.arange(clip.seconds * clip.frames_hz) / clip.frames_hz  # [T]
    size, options = (clip.height_px, clip.width_px), {"threads": "0", **clip.options}
    frames = islice(_frames(clip), len(times_s))
    picture = PictureTrack(frames, times_s, clip.seconds, *size, clip.frames_hz, clip.codec, options=options)
    rate_hz = 48_000 if clip.sound_codec == "libopus" else 44_100
    blocks = (_sound(second, rate_hz) for second in range(clip.seconds))
    sound = SoundTrack(blocks, rate_hz, 2, codec=clip.sound_codec, options={"b": "128000"})
    return write_tracks(clip.path, picture, sound)


def _frames(clip: BenchClip) -> Iterator[np.ndarray]:
    """uint8 RGB [H,W,3]: a camera that pans slowly over a scene in which soft-edged things move, with its grain.

    Slow enough, and between the pixels as well, that two thirds of the frames become B-frames: so it is
    in the clips of data sets, and how much of a file can be skipped depends on it.
    """
    import cv2

    rng = np.random.default_rng(7)
    height, width = clip.height_px, clip.width_px
    ground = _texture(rng, 2 * height, 2 * width)
    h, w = height // 3, width // 5
    things = [_texture(rng, h, w) for _ in range(3)]
    rows, columns = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]  # [h,w] each
    soft = np.clip(4 - 4 * np.hypot(rows, columns), 0, 1)[..., None].astype(np.float32)  # [h,w,1]
    grain = rng.normal(0, 2, (32, height, width, 1)).astype(np.float32)
    number = 0
    while True:
        s = number / clip.frames_hz
        y, x = (side + 0.45 * side * math.sin(s / slow) for side, slow in ((height, 11), (width, 7)))
        picture = cv2.getRectSubPix(ground, (width, height), (x, y))  # [H,W,3]
        for index, thing in enumerate(things):
            top = int((height - h) / 2 * (1 + math.sin(s * (0.3 + 0.1 * index) + index)))
            left = int((width - w) / 2 * (1 + math.cos(s * (0.5 - 0.1 * index) + 2 * index)))
            place = picture[top : top + h, left : left + w]
            place[:] = place * (1 - soft) + thing * soft
        picture += grain[rng.integers(len(grain))]
        yield np.clip(picture, 0, 255).astype(np.uint8)
        number += 1


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """float32 [h,w,3] with detail of every size, the coarse stronger than the fine, as in real scenes."""
    import cv2

    picture = np.full((height, width, 3), 128, np.float32)
    for cell in (4, 8, 16, 32, 64):
        coarse = rng.normal(0, 2.5 * cell**0.6, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        picture += cv2.resize(coarse, None, fx=cell, fy=cell)[:height, :width]
    return picture


def _sound(second: int, rate_hz: int) -> np.ndarray:
    """float32 [n,2]: a second of chords that swell, over hiss."""
    moments_s = second + np.arange(rate_hz) / rate_hz  # [n]
    notes = sum(np.sin(2 * math.pi * hz * moments_s) for hz in (220 + 20 * (second % 5), 330, 440.5, 1760)) / 8
    swell = 0.6 + 0.4 * np.sin(2 * math.pi * 0.5 * moments_s)
    hiss = np.random.default_rng([8, second]).normal(0, 0.02, (rate_hz, 2))
    return np.clip((notes * swell)[:, None] + hiss, -1, 1).astype(np.float32)


@contextmanager
def _writing(path: Path) -> Iterator[Any]:
    """A container of PyAV's that appears under its name once it is complete."""
    import av

    from video_understanding.media.synthetic.tracks import FORMATS
    from video_understanding.whole_file import whole_file

    with whole_file(path) as unfinished, av.open(str(unfinished), "w", format=FORMATS[path.suffix]) as container:
        yield container


def _write_soundless(clip: BenchClip) -> None:
    import av

    with av.open(clip.path) as source, _writing(clip.soundless) as target:
        stream = target.add_stream_from_template(source.streams.video[0], opaque=True)  # AV1 has other encoders
        for packet in source.demux(video=0):
            if packet.dts is not None:  # the last, empty one says that it was the last
                packet.stream = stream
                target.mux(packet)


def _repeat(clip: BenchClip) -> None:
    """Writes the packets of its piece over and over."""
    import av

    piece = write_clip(clip.piece)
    with _writing(clip.path) as target:
        streams, reached = {}, {}
        for begin_s in range(0, clip.seconds, clip.piece.seconds):
            with av.open(piece) as source:
                streams = streams or {s.index: target.add_stream_from_template(s) for s in source.streams}
                for packet in source.demux():
                    if packet.dts is None:
                        continue
                    index, shift = packet.stream.index, round(begin_s / packet.time_base)
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    # Sound comes in blocks that do not fill a piece evenly: the overhang gives way.
                    if packet.dts >= reached.get(index, packet.dts):
                        reached[index] = packet.dts + packet.duration
                        packet.stream = streams[index]
                        target.mux(packet)


def main() -> None:
    kinds = "kinds" in sys.argv
    for clip in (TEN_SECONDS, THREE_SECONDS, MINUTE, VP9, TEN_MINUTES, HOUR, *(KINDS.values() if kinds else ())):
        write_clip(clip)
        if clip is not HOUR and not clip.soundless.exists():
            _write_soundless(clip)
    from video_understanding.media.synthetic.calibration import write_calibration_clip

    for name, settings in NUMBERED.items() if kinds else ():
        if not numbered_path(name).exists():
            form = {"duration_s": _NUMBERED_S, "frames_hz": _NUMBERED_HZ}
            write_calibration_clip(numbered_path(name), **form | settings)


if __name__ == "__main__":
    main()
