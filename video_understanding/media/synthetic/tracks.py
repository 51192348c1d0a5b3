"""Puts pictures and sound onto one clock and encodes them into a media file, renamed into place when complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.errors import MediaError
from video_understanding.whole_file import whole_file

CLOCK_HZ = 60_000  # whole ticks for 24, 25, 30, 29.97 frames a second, and below the 65,535 that MPEG-4 allows
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
MP4_FAMILY = frozenset({"mp4", "mov"})
MARKS_LEAD_IN = MP4_FAMILY | {"matroska", "webm"}  # containers that tell players to skip an encoder's lead-in
FORMATS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".ts": "mpegts",
    ".avi": "avi",
}


@dataclass(frozen=True)
class PictureTrack:
    """Frames to be written: uint8 [H,W,3] each, one for every time of `times_s`, the last one shown until `end_s`.

    `frames_hz` is the constant rate of the times, or None where they have none.
    """

    frames: Iterable[np.ndarray]
    times_s: np.ndarray  # float64 [T]
    end_s: float
    height_px: int
    width_px: int
    frames_hz: float | None
    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SoundTrack:
    """Sound to be written: blocks float32 [n,C] in [-1, 1], one after the other from `start_s` on."""

    blocks: Iterable[np.ndarray]
    rate_hz: int
    channels: int
    start_s: float = 0.0
    codec: str = "aac"
    options: dict[str, str] = field(default_factory=dict)


def write_tracks(
    path: Path | str, picture: PictureTrack | None, sound: SoundTrack | None, *, container_format: str | None = None
) -> Path:
    """Encodes one file; it gets its own name only when it is complete."""
    import av

    path = Path(path)
    container_format = container_format or FORMATS.get(path.suffix.lower())
    if container_format is None:
        raise MediaError(path, f"{path.suffix!r} is not a known file extension", f"Use one of: {', '.join(FORMATS)}.")
    if picture is None and sound is None:
        raise MediaError(path, "would have neither picture nor sound", "Leave at least one of them on.")
    if container_format == "avi" and not _fits_avi(picture, sound):
        raise MediaError(path, "AVI supports no late start and no uneven frame times", "Write .mp4 or .mkv instead.")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # A fine clock for the edit list, which holds the delay of a stream; by default its ticks are milliseconds.
        options = {"movie_timescale": str(CLOCK_HZ)} if container_format in MP4_FAMILY else {}
        with (
            whole_file(path) as unfinished,
            av.open(str(unfinished), "w", format=container_format, container_options=options) as container,
        ):
            writers: list[Iterator[tuple[float, Any]]] = []
            if picture is not None:
                writers.append(_picture_packets(container, picture))
            if sound is not None:
                writers.append(_sound_packets(container, sound))
            for packet in _in_order(writers):
                container.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(path, f"cannot be written ({error})", "Choose codecs that this container can hold.") from error
    return path


def _fits_avi(picture: PictureTrack | None, sound: SoundTrack | None) -> bool:
    even = picture is None or (picture.frames_hz is not None and picture.times_s[0] == 0)
    return even and (sound is None or sound.start_s == 0)


def _picture_packets(container: Any, track: PictureTrack) -> Iterator[tuple[float, Any]]:
    import av

    ticks = np.round(np.asarray(track.times_s) * CLOCK_HZ).astype(np.int64)  # [T]
    ends = np.append(ticks[1:], max(round(track.end_s * CLOCK_HZ), ticks[-1] + 1))  # [T]
    rate = Fraction(track.frames_hz or 30).limit_denominator(1001)
    stream = container.add_stream(track.codec, rate=rate, options={"threads": "1", **track.options})
    stream.width, stream.height, stream.pix_fmt = track.width_px, track.height_px, track.pixel_format
    # Encoders count frames where they can (MPEG-2 supports nothing else); the times are set on the packets.
    counted = track.frames_hz is not None
    stream.codec_context.time_base = 1 / rate if counted else Fraction(1, CLOCK_HZ)
    stream.time_base = Fraction(1, CLOCK_HZ)
    first = 0 if counted else ticks[0]
    place_of = {}  # encoder's own time -> place among the frames

    def stamped(packets: list[Any]) -> Iterator[tuple[float, Any]]:
        for packet in packets:
            place = place_of.pop(packet.pts)
            behind = round((packet.pts - packet.dts) * packet.time_base * CLOCK_HZ)
            packet.time_base = Fraction(1, CLOCK_HZ)
            packet.pts = int(ticks[place])
            packet.dts = packet.pts - behind
            packet.duration = int(ends[place] - ticks[place])
            yield packet.dts / CLOCK_HZ, packet

    for place, pixels in enumerate(track.frames):  # pixels: [H,W,3]
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = place if counted else int(ticks[place] - first)
        frame.time_base = stream.codec_context.time_base
        place_of[frame.pts] = place
        yield from stamped(stream.encode(frame))
    yield from stamped(stream.encode(None))


def _sound_packets(container: Any, track: SoundTrack) -> Iterator[tuple[float, Any]]:
    import av

    layout = LAYOUTS.get(track.channels)
    if layout is None:
        raise MediaError("channels", f"is {track.channels!r}", f"Use one of: {', '.join(map(str, LAYOUTS))}.")
    stream = container.add_stream(track.codec, rate=track.rate_hz, layout=layout, options=track.options)
    start = round(track.start_s * track.rate_hz)
    # An encoder first outputs a little silence of its own (priming samples). Where the container cannot mark it to be
    # skipped (the MP4 family cannot for a late sound), it replaces the sound's first milliseconds, so that the rest
    # stays in time.
    kind = container.format.name
    marked = kind in MARKS_LEAD_IN and not (kind in MP4_FAMILY and start > 0)
    lead_in = 0 if marked else _lead_in_samples(track, layout)
    start += lead_in

    def stamped(packets: list[Any]) -> Iterator[tuple[float, Any]]:
        for packet in packets:
            packet.pts += start
            packet.dts = packet.pts
            yield float(packet.pts * packet.time_base), packet

    written = 0
    for block in without_first(track.blocks, lead_in):  # [n,C]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = track.rate_hz, written, Fraction(1, track.rate_hz)
        written += len(block)
        yield from stamped(stream.encode(frame))
    yield from stamped(stream.encode(None))


def _lead_in_samples(track: SoundTrack, layout: str) -> int:
    """How many priming samples the encoder puts before the sound; only the time of its first packet shows it."""
    import av

    encoder = av.CodecContext.create(track.codec, "w")
    encoder.sample_rate, encoder.layout, encoder.options = track.rate_hz, layout, track.options
    encoder.format = encoder.codec.audio_formats[0]
    silence = np.zeros((track.channels, track.rate_hz // 4), np.float32)  # [C,n]
    frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = track.rate_hz, 0, Fraction(1, track.rate_hz)
    first = encoder.encode(frame)[0]
    return max(-first.pts, 0)


def without_first(blocks: Iterable[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    """The blocks float [n,C] without their first samples in all."""
    for block in blocks:
        rest = block[samples:]  # [n,C]
        samples -= len(block) - len(rest)
        if len(rest):
            yield rest


def _in_order(writers: list[Iterator[tuple[float, Any]]]) -> Iterator[Any]:
    """Packets of all tracks, earliest first, drawn only as far as needed: a long file is never held in memory."""
    # Every track must have made its first packet, and so its stream, before the container's head is written.
    heads = [(next(writer, None), writer) for writer in writers]
    while heads := [(head, writer) for head, writer in heads if head is not None]:
        place = min(range(len(heads)), key=lambda index: heads[index][0][0])
        (_, packet), writer = heads[place]
        yield packet
        heads[place] = (next(writer, None), writer)
