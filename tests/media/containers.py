"""Small files of every container and codec that can be written here, to be read with several strategies."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

HEIGHT_PX, WIDTH_PX = 48, 64
FRAMES_HZ = 25


def beats(duration_s: float, rate_hz: int) -> np.ndarray:
    """float32 [n] in [-1, 1]: a tone that swells, with bursts of noise at which codecs change their block size."""
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz  # [n]
    noise = np.random.default_rng(0).normal(size=len(times_s)) * (np.sin(2 * np.pi * 3.7 * times_s) > 0.9)
    tone = np.sin(2 * np.pi * 330 * times_s) * (1 + np.sin(5 * times_s)) / 2
    return np.clip(0.5 * tone + 0.2 * noise, -1, 1).astype(np.float32)


def write(
    path: Path,
    duration_s: float,
    *,
    picture: str | None = None,
    picture_options: dict[str, str] | None = None,
    sound: str | None = None,
    rate_hz: int = 48_000,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Writes pictures that drift and the sound of `beats`, packets of both in the order of their decoding times."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        packets = []
        if picture:
            packets.append(_pictures(container, picture, picture_options or {}, duration_s))
        if sound == "libvorbis":
            packets.append(_vorbis(container, duration_s, rate_hz))
        elif sound:
            packets.append(_sound(container, sound, duration_s, rate_hz))
        heads = [[next(row), row] for row in packets]
        while heads:
            first = min(heads, key=lambda head: head[0].dts * head[0].time_base)
            container.mux(first[0])
            first[0] = next(first[1], None)
            heads = [head for head in heads if head[0] is not None]
    return path


def write_ogg_vorbis(path: Path, duration_s: float, rate_hz: int) -> Path:
    """The sound of `beats` in Ogg Vorbis, by libsndfile: FFmpeg's own encoder never changes the block size."""
    path.write_bytes(_ogg_vorbis(duration_s, rate_hz))
    return path


def _ogg_vorbis(duration_s: float, rate_hz: int) -> bytes:
    sound, written = beats(duration_s, rate_hz), io.BytesIO()
    with soundfile.SoundFile(written, "w", rate_hz, 1, format="OGG", subtype="VORBIS") as file:
        for begin in range(0, len(sound), rate_hz):  # in one piece, libsndfile's encoder runs out of stack
            file.write(sound[begin : begin + rate_hz])
    return written.getvalue()


def _vorbis(container: Any, duration_s: float, rate_hz: int) -> Iterator[Any]:
    """The packets of an Ogg Vorbis file, each with the time at which it truly begins."""
    with av.open(io.BytesIO(_ogg_vorbis(duration_s, rate_hz))) as source:
        stream = container.add_stream_from_template(source.streams.audio[0])
        samples = 0
        for packet in list(source.demux(audio=0)):
            if packet.size:
                frames = packet.decode()
                packet.pts = packet.dts = samples
                packet.stream = stream
                samples += sum(frame.samples for frame in frames)
                yield packet


def _pictures(container: Any, codec: str, options: dict[str, str], duration_s: float) -> Iterator[Any]:
    steady = {"mbtree": "0"} if codec == "libx264" else {}  # the same pictures become the same packets, then
    stream = container.add_stream(codec, rate=FRAMES_HZ, options={"threads": "1", **steady, **options})
    stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    pattern = np.random.default_rng(1).integers(0, 255, (HEIGHT_PX // 4, WIDTH_PX // 4, 3)).astype(np.uint8)
    pattern = pattern.repeat(4, 0).repeat(4, 1)  # [H,W,3]
    for number in range(round(duration_s * FRAMES_HZ)):
        frame = av.VideoFrame.from_ndarray(np.roll(pattern, number, axis=1), format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FRAMES_HZ)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _sound(container: Any, codec: str, duration_s: float, rate_hz: int) -> Iterator[Any]:
    # Else the decoder makes up noise, which depends on all that it decoded before.
    options = {"aac_pns": "0"} if codec == "aac" else {}
    stream = container.add_stream(codec, rate=rate_hz, layout="mono", options=options)
    samples = beats(duration_s, rate_hz)
    for begin in range(0, len(samples), rate_hz):
        frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + rate_hz], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, begin, Fraction(1, rate_hz)
        yield from stream.encode(frame)
    yield from stream.encode(None)
