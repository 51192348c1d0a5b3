"""The files that reading is measured on: made once, from a seed, as the encoders write them by default."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    import av

_SOUND_HZ = 44_100
MINUTES_IN_HOUR = 60
FOLDER = Path("build/bench")


@dataclass(frozen=True)
class Material:
    """What one file holds; `options` are the picture encoder's."""

    name: str
    seconds: int
    height_px: int
    width_px: int
    frames_hz: int
    picture_codec: str
    sound_codec: str
    bits_per_s: int | None = None
    """None leaves it to the encoder's default quality."""
    options: dict[str, str] = field(default_factory=dict)


# By default x264 writes B-frames, groups of 250 frames, and as many bits as its quality 23 takes.
TEN_SECONDS = Material("ten_seconds.mp4", 10, 360, 640, 30, "libx264", "aac")
THREE_SECONDS = Material("three_seconds.mp4", 3, 240, 320, 25, "libx264", "aac")
# Groups of about a second, and not of one exactly: else every instant would fall on a key frame, by luck.
MINUTE = Material("minute.mp4", 60, 360, 640, 30, "libx264", "aac", options={"g": "29"})
VP9 = Material("vp9.webm", 10, 360, 640, 30, "libvpx-vp9", "libopus", 1_000_000, {"deadline": "good", "cpu-used": "5"})


def made(material: Material, folder: Path) -> Path:
    """The file, written now unless it was before."""
    return made_alike([material], folder)[0]


def made_alike(materials: Sequence[Material], folder: Path) -> list[Path]:
    """The files of materials that show the same in other codecs: what is missing is drawn once for all of them."""
    paths = [folder / material.name for material in materials]
    missing = [material for material, path in zip(materials, paths, strict=True) if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = [folder / f"unfinished_{material.name}" for material in missing]
        _write(missing, unfinished)
        for material, path in zip(missing, unfinished, strict=True):
            path.replace(folder / material.name)
    return paths


def made_soundless(path: Path) -> Path:
    """The same pictures without the sound, to compare with readers that know no sound."""
    import av

    soundless = path.with_name(f"soundless_{path.name}")
    if not soundless.exists():
        unfinished = path.with_name(f"unfinished_{path.name}")
        with av.open(path) as source, av.open(unfinished, "w") as target:
            stream = target.add_stream_from_template(source.streams.video[0], opaque=True)  # AV1 has other encoders
            for packet in source.demux(video=0):
                if packet.dts is not None:  # the last, empty one says that it was the last
                    packet.stream = stream
                    target.mux(packet)
        unfinished.replace(soundless)
    return soundless


def made_hour(minute: Path, folder: Path) -> Path:
    """An hour: the minute's packets sixty times over, so that nothing has to be encoded."""
    return made_longer(minute, MINUTES_IN_HOUR, folder / "hour.mp4")


def made_longer(piece: Path, times: int, path: Path, piece_s: int = MINUTE.seconds) -> Path:
    """The packets of a file of `piece_s` seconds so many times over."""
    if not path.exists():
        unfinished = path.with_name(f"unfinished_{path.name}")
        _repeat(piece, piece_s, times, unfinished)
        unfinished.replace(path)
    return path


def _write(materials: Sequence[Material], paths: Sequence[Path]) -> None:
    alike = materials[0]
    scenes = _pictures(alike)
    with ExitStack() as stack:
        writers = [stack.enter_context(_Writer(*both)) for both in zip(materials, paths, strict=True)]
        names = ", ".join(material.name for material in materials)
        for second in tqdm(range(alike.seconds), desc=f"making {names}", unit="s", disable=None):
            for number in range(second * alike.frames_hz, (second + 1) * alike.frames_hz):
                picture = next(scenes)  # [H,W,3]
                for writer in writers:
                    writer.add_picture(picture, number)
            for writer in writers:
                writer.add_sound(second)


class _Writer:
    """Writes one file, picture by picture and second by second of sound."""

    def __init__(self, material: Material, path: Path) -> None:
        import av

        self._frames_hz = material.frames_hz
        self._sound_hz = 48_000 if material.sound_codec == "libopus" else _SOUND_HZ
        self._container = av.open(path, "w")
        picture = self._container.add_stream(material.picture_codec, rate=material.frames_hz, options=material.options)
        picture.width, picture.height, picture.pix_fmt = material.width_px, material.height_px, "yuv420p"
        if material.bits_per_s:
            picture.bit_rate = material.bits_per_s
        sound = self._container.add_stream(material.sound_codec, rate=self._sound_hz, layout="stereo")
        sound.bit_rate = 128_000
        self._picture, self._sound = picture, sound

    def add_picture(self, picture: np.ndarray, number: int) -> None:
        import av

        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, self._frames_hz)
        self._container.mux(self._picture.encode(frame))

    def add_sound(self, second: int) -> None:
        self._container.mux(self._sound.encode(_sound(second, self._sound_hz)))

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self._container.mux(self._picture.encode(None))
        self._container.mux(self._sound.encode(None))
        self._container.close()


def _pictures(material: Material) -> Iterator[np.ndarray]:
    """uint8 RGB [H,W,3]: a camera that pans slowly over a scene in which soft-edged things move, with its grain.

    Slow enough, and between the pixels as well, that two thirds of the frames become B-frames: so it is
    in the clips of data sets, and how much of a file can be skipped depends on it.
    """
    rng = np.random.default_rng(7)
    height, width = material.height_px, material.width_px
    ground = _texture(rng, 2 * height, 2 * width)
    things = [_texture(rng, height // 3 + 1, width // 5 + 1) for _ in range(3)]
    rows, columns = np.mgrid[-1 : 1 : things[0].shape[0] * 1j, -1 : 1 : things[0].shape[1] * 1j]  # [h,w] each
    outline = np.clip(4 - 4 * np.hypot(rows, columns), 0, 1)[..., None].astype(np.float32)  # [h,w,1]
    grain = rng.normal(0, 2, (32, height, width, 1)).astype(np.float32)
    number = 0
    while True:
        moment_s = number / material.frames_hz
        y, x = (side / 2 * (1 + 0.9 * math.sin(moment_s / slow)) for side, slow in ((height, 11), (width, 7)))
        picture = _between(ground, y, x, height, width)  # [H,W,3]
        for index, thing in enumerate(things):
            thing_height, thing_width = thing.shape[0] - 1, thing.shape[1] - 1
            top = int((height - thing_height) / 2 * (1 + math.sin(moment_s * (0.3 + 0.1 * index) + index)))
            left = int((width - thing_width) / 2 * (1 + math.cos(moment_s * (0.5 - 0.1 * index) + 2 * index)))
            place = picture[top : top + thing_height, left : left + thing_width]
            soft = outline[:-1, :-1]
            place[:] = place * (1 - soft) + thing[:-1, :-1] * soft
        picture += grain[rng.integers(len(grain))]
        yield np.clip(picture, 0, 255).astype(np.uint8)
        number += 1


def _between(picture: np.ndarray, y: float, x: float, height: int, width: int) -> np.ndarray:
    """float32 [height,width,3] out of a larger picture, from a corner that may lie between its pixels."""
    top, left = int(y), int(x)
    down, right = np.float32(y - top), np.float32(x - left)
    part = picture[top : top + height + 1, left : left + width + 1]
    part = part[:-1] * (1 - down) + part[1:] * down
    return part[:, :-1] * (1 - right) + part[:, 1:] * right


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """float32 [h,w,3] with detail of every size, the coarse stronger than the fine, as in real scenes."""
    picture = np.full((height, width, 3), 128, np.float32)
    for cell in (4, 8, 16, 32, 64):
        coarse = rng.normal(0, 1, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        rows, columns = np.arange(height) / cell, np.arange(width) / cell
        y, x = rows.astype(int), columns.astype(int)
        down, right = (rows - y)[:, None, None], (columns - x)[None, :, None]
        upper = coarse[y][:, x] * (1 - right) + coarse[y][:, x + 1] * right  # [h,w,3]
        lower = coarse[y + 1][:, x] * (1 - right) + coarse[y + 1][:, x + 1] * right
        picture += (upper * (1 - down) + lower * down).astype(np.float32) * 2.5 * cell**0.6
    return picture


def _sound(second: int, rate_hz: int) -> av.AudioFrame:
    """A second of chords that swell, over hiss."""
    import av

    rng = np.random.default_rng([8, second])
    moments_s = second + np.arange(rate_hz) / rate_hz  # [n]
    notes = sum(np.sin(2 * math.pi * hz * moments_s) for hz in (220 + 20 * (second % 5), 330, 440.5, 1760)) / 8
    swell = 0.6 + 0.4 * np.sin(2 * math.pi * 0.5 * moments_s)
    channels = (notes * swell)[:, None] + rng.normal(0, 0.02, (rate_hz, 2))  # [n,2]
    packed = (np.clip(channels, -1, 1) * 32767).astype(np.int16).reshape(1, -1)  # [1, 2 n]
    frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, second * rate_hz, Fraction(1, rate_hz)
    return frame


def _repeat(piece: Path, piece_s: int, times: int, path: Path) -> None:
    import av

    with av.open(path, "w") as target:
        streams, reached = {}, {}
        for number in tqdm(range(times), desc=f"making {path.name}", unit="piece", disable=None):
            with av.open(piece) as source:
                if not streams:
                    streams = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
                for packet in source.demux():
                    index = packet.stream.index
                    if packet.dts is None:
                        continue
                    shift = round(number * piece_s / packet.time_base)
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    # Sound comes in blocks that do not fill a piece evenly: the overhang gives way.
                    if packet.dts >= reached.get(index, packet.dts):
                        reached[index] = packet.dts + packet.duration
                        packet.stream = streams[index]
                        target.mux(packet)


if __name__ == "__main__":
    # A process of its own: the peers bring codec libraries that get in the way of PyAV's encoders.
    for every in (TEN_SECONDS, THREE_SECONDS, MINUTE, VP9):
        made_soundless(made(every, FOLDER))
