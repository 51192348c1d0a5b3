"""The other ways to read a clip: programs and packages that people take for it, as far as they are installed.

Each reader takes a file, a spec and where the window begins, and gives one frame for each of `spec.instants_s` and,
unless it knows no sound, the window's sound; ffmpeg gives nothing, for it only decodes. Each is used as its guide
teaches, with the quickest call it has for the task, and with as many threads as it takes by itself.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import video_understanding as vu
from benchmarks.clips import FOLDER
from benchmarks.report import Run

if TYPE_CHECKING:
    import av

PACKAGES = ("numpy", "av", "opencv-python-headless", "decord", "imageio-ffmpeg", "librosa", "moviepy", "torchcodec")
SOUNDLESS = ("OpenCV", "decord")  # they know no sound
_SIDE_PX = 160


class Got(NamedTuple):
    """What a reader gives: frames uint8 [T,H,W,3], and sound float32 [n], mono at the spec's rate."""

    frames: np.ndarray | None
    sound: np.ndarray | None


Reader = Callable[[Path, vu.ModelSpec, float], Got]


def reading_spec(window_s: float, frames_hz: float) -> vu.ModelSpec:
    """Windows to be read, with "stretch", because it is the one fit that all readers can do by themselves."""
    return vu.ModelSpec(window_s, vu.VideoSpec(frames_hz, _SIDE_PX, _SIDE_PX, fit="stretch"))


def start_with_ffmpeg() -> None:
    """Starts this program anew with FFmpeg where torchcodec looks for it; in the new one it does nothing.

    torchcodec brings no FFmpeg, and where libraries lie is read only when a program starts. It is given PyAV's, so
    that both decode with the very same code; where PyAV brings none, it has to find one of the machine's.
    """
    folder = str((FOLDER / "ffmpeg_libraries").resolve())
    searched = os.environ.get("LD_LIBRARY_PATH", "")
    if sys.platform != "linux" or folder in searched or importlib.util.find_spec("torchcodec") is None:
        return
    for library in Path(importlib.util.find_spec("av").origin).parents[1].glob("av.libs/lib*"):
        if found := re.match(r"(lib(?:av|sw)\w+)-[0-9a-f]+(\.so\.\d+)", library.name):
            _link(Path(folder, "".join(found.groups())), library)
    os.environ["LD_LIBRARY_PATH"] = f"{folder}:{searched}".strip(":")
    os.execv(sys.executable, sys.orig_argv)


def installed_readers(run: Run) -> dict[str, Reader]:
    """The readers that can be used here by name; to be called before anything imports av, as cv2 has to come first."""
    readers: dict[str, Reader] = {}
    for name, (modules, read) in _READERS.items():
        if run.installed(name, partial(_import, modules)):
            readers[name] = read
    if "OpenCV + librosa" in readers:
        add_ffmpeg_program()
    return readers


def _import(modules: tuple[str, ...]) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except RuntimeError as error:  # of torchcodec, whose libraries do not load
            raise ImportError(name=module) from error


def add_ffmpeg_program() -> None:
    """Where there is none: librosa opens files with sound by the program of this name alone, wherever it comes from."""
    if shutil.which("ffmpeg") is None:
        programs = (FOLDER / "programs").resolve()
        _link(programs / "ffmpeg", Path(_ffmpeg()))
        os.environ["PATH"] += f"{os.pathsep}{programs}"


def read_ours(path: Path, spec: vu.ModelSpec, start_s: float = 0.0) -> Got:
    """Our reader in the shape of the others."""
    clip = vu.read_clip(path, spec, start_s)
    return Got(clip.frames, clip.waveform)


def read_ffmpeg(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """Decodes picture and sound of the window into nothing: what the cheapest honest reader used to cost."""
    window = ["-ss", f"{start_s}", "-t", f"{spec.window_s}"] if start_s else []
    subprocess.run([_ffmpeg(), "-nostdin", "-v", "error", *window, "-i", str(path), "-f", "null", "-"], check=True)
    return Got(None, None)


def read_opencv(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """Goes through the frames one by one, and turns only the wanted ones into pixels."""
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    wanted = _numbers(spec, start_s, capture.get(cv2.CAP_PROP_FPS))
    frames = np.empty(spec.frames_shape, np.uint8)  # [T,H,W,3]
    number = -1
    if start_s:
        capture.set(cv2.CAP_PROP_POS_FRAMES, wanted[0])
        number = wanted[0] - 1
    for place, want in enumerate(wanted):
        while number < want:
            capture.grab()
            number += 1
        frame = cv2.resize(capture.retrieve()[1], _size(spec), interpolation=cv2.INTER_AREA)
        frames[place] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    capture.release()
    return Got(frames, None)


def read_decord(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """Its own way to fetch a set of frames, scaled while decoding."""
    import decord

    width, height = _size(spec)
    reader = decord.VideoReader(str(path), width=width, height=height, ctx=decord.cpu(0))
    return Got(reader.get_batch(_numbers(spec, start_s, reader.get_avg_fps())).asnumpy(), None)  # [T,H,W,3]


def read_pyav(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """Decodes everything from the key frame before the window to its end and picks by time, as PyAV's guide teaches."""
    import av

    instants_s, end_s = spec.instants_s(start_s), start_s + spec.window_s
    shown: list[av.VideoFrame] = []
    before, sound, through = None, _Sound(spec, start_s), set()
    with _opened(path, start_s) as container:
        for frame in container.decode(video=0, audio=0):
            if isinstance(frame, av.AudioFrame):
                sound.add(frame)
            else:
                while len(shown) < spec.frames and before is not None and frame.time > instants_s[len(shown)]:
                    shown.append(before.reformat(*_size(spec), "rgb24").to_ndarray())
                before = frame
            if frame.time >= end_s:
                through.add(type(frame))
                if len(through) == 2:
                    break
        shown += [before.reformat(*_size(spec), "rgb24").to_ndarray()] * (spec.frames - len(shown))
    return Got(np.stack(shown), sound.joined())  # [T,H,W,3], [n]


def read_opencv_and_pyav(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """OpenCV for the frames, and PyAV for the sound, which is decoded in a pass of its own."""
    frames, sound = read_opencv(path, spec, start_s).frames, _Sound(spec, start_s)
    with _opened(path, start_s) as container:
        for frame in container.decode(audio=0):
            if frame.time >= start_s + spec.window_s:
                break
            sound.add(frame)
    return Got(frames, sound.joined())  # [T,H,W,3], [n]


def read_opencv_and_librosa(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """As most tutorials do it: OpenCV for the frames, `librosa.load` for the sound."""
    import librosa

    with warnings.catch_warnings(action="ignore"):  # that it needs a program for such files
        rate_hz = spec.audio.sample_rate_hz
        sound, _ = librosa.load(path, sr=rate_hz, mono=True, offset=start_s, duration=spec.window_s)  # [n]
    return Got(read_opencv(path, spec, start_s).frames, sound)


def read_moviepy(path: Path, spec: vu.ModelSpec, start_s: float) -> Got:
    """Frames at their times and the sound of the span, both from the ffmpeg program through a pipe."""
    from moviepy import VideoFileClip

    with warnings.catch_warnings(action="ignore"), VideoFileClip(str(path), target_resolution=_size(spec)) as clip:
        frames = np.stack([clip.get_frame(instant_s) for instant_s in spec.instants_s(start_s)])  # [T,H,W,3]
        span = clip.audio.subclipped(start_s, min(start_s + spec.window_s, clip.duration))
        return Got(frames, span.to_soundarray(fps=spec.audio.sample_rate_hz).mean(axis=1))  # of [n,2]


def read_torchcodec(path: Path, spec: vu.ModelSpec, start_s: float, seek_mode: str = "exact") -> Got:
    """The frames played at the instants, scaled by its decoder, and the samples of the window."""
    from torchcodec.decoders import AudioDecoder, VideoDecoder
    from torchcodec.transforms import Resize

    resize = [Resize(_size(spec)[::-1])]
    decoder = VideoDecoder(path, dimension_order="NHWC", seek_mode=seek_mode, transforms=resize)
    # Before its first and after its last frame it gives an error, not a frame.
    first_s, last_s = decoder.metadata.begin_stream_seconds, decoder.metadata.end_stream_seconds - 1e-3
    frames = decoder.get_frames_played_at(np.clip(spec.instants_s(start_s), first_s, last_s).tolist()).data
    sounds = AudioDecoder(path, sample_rate=spec.audio.sample_rate_hz, num_channels=1)
    sound = sounds.get_samples_played_in_range(start_s, start_s + spec.window_s).data  # [1,n]
    return Got(frames.numpy(), sound[0].numpy())


class _Sound:
    """The window's sound out of PyAV's frames, mono at the spec's rate."""

    def __init__(self, spec: vu.ModelSpec, start_s: float) -> None:
        import av

        self._start_s, self._many, self._rate_hz = start_s, spec.samples, spec.audio.sample_rate_hz
        self._resampler = av.AudioResampler("flt", "mono", self._rate_hz)
        self._first_s: float | None = None
        self._parts: list[np.ndarray] = []  # [1,n] each

    def add(self, frame: av.AudioFrame) -> None:
        if frame.time + frame.samples / frame.sample_rate > self._start_s:
            self._first_s = frame.time if self._first_s is None else self._first_s
            self._parts += [part.to_ndarray() for part in self._resampler.resample(frame)]

    def joined(self) -> np.ndarray:
        """float32 [n]"""
        self._parts += [part.to_ndarray() for part in self._resampler.resample(None)]
        before = max(0, round((self._start_s - self._first_s) * self._rate_hz))
        return np.concatenate(self._parts, axis=1)[0, before : before + self._many]


def _opened(path: Path, start_s: float) -> av.container.InputContainer:
    import av

    container = av.open(path)
    if start_s:
        container.seek(round(start_s * av.time_base))
    return container


def _size(spec: vu.ModelSpec) -> tuple[int, int]:
    return spec.video.width_px, spec.video.height_px


def _numbers(spec: vu.ModelSpec, start_s: float, frames_hz: float) -> list[int]:
    """Which frames of a file with a steady rate are shown at the instants."""
    return [int(instant_s * frames_hz + 1e-6) for instant_s in spec.instants_s(start_s)]


def _ffmpeg() -> str:
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


def _link(name: Path, target: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    name.unlink(missing_ok=True)
    name.symlink_to(target.resolve())


# In the order of their import: OpenCV has to come before PyAV.
_READERS: dict[str, tuple[tuple[str, ...], Reader]] = {
    "ffmpeg": (("imageio_ffmpeg",), read_ffmpeg),
    "OpenCV": (("cv2",), read_opencv),
    "decord": (("decord",), read_decord),
    "plain PyAV": (("av",), read_pyav),
    "OpenCV + PyAV": (("cv2", "av"), read_opencv_and_pyav),
    "OpenCV + librosa": (("cv2", "librosa", "imageio_ffmpeg"), read_opencv_and_librosa),
    "moviepy": (("moviepy",), read_moviepy),
    "torchcodec": (("torchcodec.decoders",), read_torchcodec),
    "torchcodec, approx.": (("torchcodec.decoders",), partial(read_torchcodec, seek_mode="approximate")),
}
