"""The other ways to read a clip: ffmpeg, OpenCV, decord and plain PyAV, as far as they are installed.

Each reader takes a file, a spec and where the window begins, and gives uint8 [T,H,W,3] with one picture for
each of `spec.instants_s`; ffmpeg gives nothing, for it only decodes. Each works as it does unless told otherwise.
"""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.spec import ModelSpec

if TYPE_CHECKING:
    import av

Reader = Callable[[Path, ModelSpec, float], np.ndarray | None]


def available_peers() -> tuple[dict[str, Reader], list[str]]:
    """The readers that can be used here by name, and the names of those that cannot."""
    peers, absent = {}, []
    for name, (module, read) in _PEERS.items():
        try:
            importlib.import_module(module)
        except (ImportError, OSError, RuntimeError):  # not installed, or a library that does not load
            absent.append(name)
        else:
            peers[name] = read
    return peers, absent


def read_ffmpeg(path: Path, spec: ModelSpec, start_s: float) -> None:
    """Decodes picture and sound of the whole file into nothing: what the cheapest honest reader used to cost."""
    import imageio_ffmpeg

    program = imageio_ffmpeg.get_ffmpeg_exe()
    window = ["-ss", f"{start_s}", "-t", f"{spec.window_s}"] if start_s else []
    subprocess.run([program, "-nostdin", "-v", "error", *window, "-i", str(path), "-f", "null", "-"], check=True)


def read_opencv(path: Path, spec: ModelSpec, start_s: float) -> np.ndarray:
    """Goes through the pictures one by one, and turns only the wanted ones into pixels."""
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    wanted = _numbers(spec, start_s, capture.get(cv2.CAP_PROP_FPS))
    frames = np.empty(spec.frames_shape, np.uint8)  # [T,H,W,3]
    number = -1
    for place, want in enumerate(wanted):
        while number < want:
            capture.grab()
            number += 1
        _, picture = capture.retrieve()
        size = (spec.video.width_px, spec.video.height_px)
        frames[place] = cv2.cvtColor(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    capture.release()
    return frames


def read_decord(path: Path, spec: ModelSpec, start_s: float) -> np.ndarray:
    """Its own way to fetch a set of pictures, scaled while decoding."""
    import decord

    reader = decord.VideoReader(str(path), width=spec.video.width_px, height=spec.video.height_px, ctx=decord.cpu(0))
    return reader.get_batch(_numbers(spec, start_s, reader.get_avg_fps())).asnumpy()  # [T,H,W,3]


def read_pyav(path: Path, spec: ModelSpec, start_s: float) -> np.ndarray:
    """Decodes everything up to the window's end and picks by time, as PyAV's documentation teaches."""
    import av

    instants_s = spec.instants_s(start_s)
    shown: list[av.VideoFrame] = []
    sound: list[np.ndarray] = []
    before = None
    resampler = av.AudioResampler("flt", "mono", spec.audio.sample_rate_hz)
    with av.open(path) as container:
        for frame in container.decode(video=0, audio=0):
            if isinstance(frame, av.AudioFrame):
                sound += [part.to_ndarray() for part in resampler.resample(frame)]
                continue
            while len(shown) < spec.frames and before is not None and frame.time > instants_s[len(shown)]:
                shown.append(_scaled(before, spec))
            before = frame
        shown += [_scaled(before, spec)] * (spec.frames - len(shown))
    np.concatenate(sound, axis=1)
    return np.stack(shown)  # [T,H,W,3]


def _scaled(frame: av.VideoFrame, spec: ModelSpec) -> np.ndarray:
    return frame.reformat(spec.video.width_px, spec.video.height_px, "rgb24").to_ndarray()  # [H,W,3]


def _numbers(spec: ModelSpec, start_s: float, frames_hz: float) -> list[int]:
    """Which pictures of a file with a steady rate are shown at the instants."""
    return [int(instant_s * frames_hz + 1e-6) for instant_s in spec.instants_s(start_s)]


PICTURES_ONLY = ("OpenCV", "decord")
_PEERS: dict[str, tuple[str, Reader]] = {
    "ffmpeg": ("imageio_ffmpeg", read_ffmpeg),
    "OpenCV": ("cv2", read_opencv),
    "decord": ("decord", read_decord),
    "plain PyAV": ("av", read_pyav),
}
