"""Small undamaged files to start from: every container and codec that people bring, a few seconds each."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SECONDS = 6  # long enough that a window in the middle is reached by seeking
_FRAMES_HZ = 10
_HEIGHT_PX, _WIDTH_PX = 64, 96

_QUICK_H264 = {"preset": "veryfast", "bf": "2", "g": "15", "x264-params": "scenecut=0"}
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}

# name: (picture codec, its options, sound codec, sound rate in Hz, container options)
_RECIPES: dict[str, tuple[str | None, dict[str, str], str | None, int, dict[str, str]]] = {
    "h264_aac.mp4": ("libx264", _QUICK_H264, "aac", 44100, {}),
    "h264_fragments.mp4": ("libx264", _QUICK_H264, "aac", 44100, _FRAGMENTS),
    "h264_index_first.mp4": ("libx264", _QUICK_H264, None, 0, {"movflags": "faststart"}),
    "h264_pcm.mov": ("libx264", _QUICK_H264, "pcm_s16le", 16000, {}),
    "h264_opus.mkv": ("libx264", _QUICK_H264, "libopus", 48000, {}),
    "h264_aac.ts": ("libx264", _QUICK_H264, "aac", 44100, {}),
    "hevc_open_groups.mp4": ("libx265", {"x265-params": "log-level=none:keyint=15:open-gop=1"}, "aac", 48000, {}),
    "av1_opus.mp4": ("libsvtav1", {"preset": "12", "g": "20"}, "libopus", 48000, {}),
    "vp9_opus.webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "20"}, "libopus", 48000, {}),
    "vp8_opus.webm": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "g": "20"}, "libopus", 48000, {}),
    "mpeg4_mp3.avi": ("mpeg4", {"g": "12"}, "libmp3lame", 22050, {}),
    "mpeg4_b_frames.avi": ("mpeg4", {"g": "12", "bf": "2"}, "libmp3lame", 44100, {}),
    "mpeg2_mp2.mpg": ("mpeg2video", {"g": "12", "bf": "2"}, "mp2", 44100, {}),
    "mpeg2_mp2.ts": ("mpeg2video", {"g": "12", "bf": "2"}, "mp2", 44100, {}),
    "mjpeg_pcm.avi": ("mjpeg", {}, "pcm_s16le", 8000, {}),
    "flv1_mp3.flv": ("flv", {"g": "12"}, "libmp3lame", 44100, {}),
    "sound.flac": (None, {}, "flac", 16000, {}),
    "sound.wav": (None, {}, "pcm_s16le", 8000, {}),
    "sound.mp3": (None, {}, "libmp3lame", 44100, {}),
    "sound.m4a": (None, {}, "aac", 44100, {}),
    "sound.ogg": (None, {}, "libopus", 48000, {}),
}


def make_seeds(folder: Path) -> list[Path]:
    """Writes one file per recipe into the folder, unless it is there already."""
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder tells its life story otherwise
    folder.mkdir(parents=True, exist_ok=True)
    for name in _RECIPES:
        if not (folder / name).exists():
            _write(folder / name)
    return [folder / name for name in _RECIPES]


def _write(path: Path) -> None:
    picture_codec, picture_options, sound_codec, rate_hz, container_options = _RECIPES[path.name]
    unfinished = path.with_name(f"unfinished_{path.name}")
    with av.open(unfinished, "w", options=container_options) as container:
        picture = sound = None
        if picture_codec:
            # MPEG-1/2 knows only the rates of television; ten a second is every third of thirty.
            rate = 30 if picture_codec == "mpeg2video" else _FRAMES_HZ
            picture = container.add_stream(picture_codec, rate=rate, options=picture_options)
            picture.width, picture.height = _WIDTH_PX, _HEIGHT_PX
            picture.pix_fmt = "yuvj420p" if picture_codec == "mjpeg" else "yuv420p"
            picture.codec_context.thread_count = 1
        if sound_codec:
            sound = container.add_stream(sound_codec, rate=rate_hz, layout="stereo" if rate_hz > 30000 else "mono")
            sound.bit_rate = 32_000
        for second in range(SECONDS):  # by turns, as a camera would
            if picture:
                for frame in _frames(second, int(picture.codec_context.rate)):
                    container.mux(picture.encode(frame))
            if sound:
                container.mux(sound.encode(_sound(second, rate_hz, sound.codec_context)))
        for stream in (picture, sound):
            if stream:
                container.mux(stream.encode(None))
    unfinished.replace(path)


def _frames(second: int, rate_hz: int) -> list[av.VideoFrame]:
    """A bright square on its way over a grainy pattern: most bytes of a file should be picture."""
    grain = np.random.default_rng(second)
    frames = []
    rows, columns = np.mgrid[:_HEIGHT_PX, :_WIDTH_PX]  # [H,W] each
    for number in range(second * rate_hz, (second + 1) * rate_hz):
        pattern = np.stack([rows * 3, columns * 2, rows * columns // 32], axis=-1)  # [H,W,3]
        pixels = (pattern + grain.integers(0, 40, pattern.shape)).astype(np.uint8)
        left = round(number / rate_hz * 20) % (_WIDTH_PX - 16)
        pixels[20:36, left : left + 16] = 255
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, rate_hz)
        frames.append(frame)
    return frames


def _sound(second: int, rate_hz: int, codec: av.AudioCodecContext) -> av.AudioFrame:
    """One second of two notes, in the form the encoder takes after PyAV's own conversion."""
    moments = second * rate_hz + np.arange(rate_hz)  # [n]
    mono = np.sin(2 * math.pi * 440 / rate_hz * moments) * 0.4 + np.sin(2 * math.pi * 1234 / rate_hz * moments) * 0.2
    packed = np.repeat((mono * 32767).astype(np.int16), codec.layout.nb_channels)[None]  # [1, n * channels]
    frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=codec.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, second * rate_hz, Fraction(1, rate_hz)
    return frame
