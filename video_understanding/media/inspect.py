"""What is in a media file, as far as it matters to a clip: streams, clock, rotation, silence, damage."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from video_understanding.clip import SILENCE_PEAK
from video_understanding.media.container import Clock, OpenMedia, open_media
from video_understanding.media.decode import read_clip
from video_understanding.media.picture import orientation
from video_understanding.media.sound import mono
from video_understanding.spec import ModelSpec

if TYPE_CHECKING:
    import av

# Enough to tell a steady frame rate from a changing one, and silence from a pause, in a file of any length.
_PICTURES_LOOKED_AT = 3000
_SOUND_HEARD_S = 120.0


@dataclass(frozen=True)
class PictureFacts:
    """One picture stream; sizes as stored, before turning. `used` marks the one clips are made from."""

    codec: str
    width_px: int
    height_px: int
    pixel_aspect: float
    pixel_format: str
    frames_hz: float | None
    variable_rate: bool
    rotation_degrees: int
    mirrored: bool
    start_s: float
    duration_s: float | None
    used: bool
    cover_art: bool


@dataclass(frozen=True)
class SoundFacts:
    """One sound stream; its loudest moment is that of its first two minutes, None where nothing was decoded."""

    codec: str
    rate_hz: int
    channels: int
    start_s: float
    duration_s: float | None
    peak_dbfs: float | None
    silent: bool
    used: bool


@dataclass(frozen=True)
class MediaFacts:
    """A file in a few facts. Times are seconds on the file's clock, whose zero is its first moment."""

    file: str
    container: str
    size_bytes: int
    duration_s: float | None
    pictures: tuple[PictureFacts, ...]
    sounds: tuple[SoundFacts, ...]
    clip: dict[str, Any]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def inspect_media(file: str | Path, spec: ModelSpec) -> MediaFacts:
    """The facts of a file, and what a clip made from its beginning by `spec` would be."""
    path = Path(file)
    clip = read_clip(path, spec)
    with open_media(path) as media:
        steady, turned = _look(media)
        peak = _listen(media)
        return MediaFacts(
            file=str(path),
            container=media.container.format.long_name or media.container.format.name,
            size_bytes=path.stat().st_size,
            duration_s=_duration_s(media),
            pictures=tuple(_picture(stream, media, steady, turned) for stream in media.container.streams.video),
            sounds=tuple(_sound(stream, media, peak) for stream in media.container.streams.audio),
            clip={
                "frames": len(clip.frames),
                "frames_present": int(clip.frame_present.sum()),
                "height_px": clip.frames.shape[1],
                "width_px": clip.frames.shape[2],
                "samples": len(clip.waveform),
                "sample_rate_hz": clip.sample_rate_hz,
                "sound_span_s": clip.sound_span_s,
                "modalities": clip.modalities,
            },
            notes=clip.notes,
        )


def _look(media: OpenMedia) -> tuple[bool, tuple[bool, bool, bool]]:
    """Whether the pictures come at a steady rate, and how the first one is to be turned."""
    import av

    if media.picture is None:
        return True, (False, False, False)
    ticks, turned = [], None
    try:
        for packet in media.container.demux(media.picture):
            if turned is None:
                turned = next((orientation(frame) for frame in packet.decode()), None)
            if packet.pts is not None and not packet.is_discard:
                ticks.append(packet.pts)
            if len(ticks) >= _PICTURES_LOOKED_AT:
                break
    except (av.error.FFmpegError, IndexError):  # PyAV stumbles over streams that appear on the way
        pass  # the clip's own notes tell what is damaged; the facts are of what can be read
    steps = np.diff(np.sort(ticks))  # [frames - 1]
    usual = np.median(steps) if len(steps) else 0
    odd = np.abs(steps - usual) > max(2, 0.02 * usual)
    return bool(odd.sum() <= 0.02 * len(steps)), turned or (False, False, False)


def _listen(media: OpenMedia) -> float | None:
    """The largest sample of the sound that clips are made from, or None if nothing can be decoded."""
    import av

    if media.sound is None:
        return None
    try:
        if media.picture is not None:
            media.container.seek(0, stream=media.sound)
    except av.error.FFmpegError:
        return None
    peak, heard_s = None, 0.0
    try:
        for packet in media.container.demux(media.sound):
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):
                continue
            for frame in frames:
                peak = max(peak or 0.0, float(np.abs(mono([(frame, 0)])).max(initial=0.0)))
                heard_s += frame.samples / frame.sample_rate
            if heard_s >= _SOUND_HEARD_S:
                break
    except (av.error.FFmpegError, IndexError):
        pass
    return peak


def _picture(stream: av.VideoStream, media: OpenMedia, steady: bool, turned: tuple[bool, bool, bool]) -> PictureFacts:
    from av.stream import Disposition

    used = stream is media.picture
    codec = stream.codec_context
    quarter, flip_rows, flip_columns = turned if used else (False, False, False)
    mirrored = (quarter + flip_rows + flip_columns) % 2 == 1
    rate_hz = stream.average_rate
    return PictureFacts(
        codec=codec.name if codec else "unknown",
        width_px=codec.width if codec else 0,
        height_px=codec.height if codec else 0,
        pixel_aspect=float(stream.sample_aspect_ratio or 1) if codec else 1.0,
        pixel_format=(codec.pix_fmt if codec else None) or "unknown",
        frames_hz=float(rate_hz) if rate_hz else None,
        variable_rate=used and not steady,
        rotation_degrees=_clockwise_degrees(quarter, flip_rows, flip_columns),
        mirrored=mirrored,
        start_s=_start_s(stream, media),
        duration_s=_stream_duration_s(stream),
        used=used,
        cover_art=bool(stream.disposition & Disposition.attached_pic),
    )


def _clockwise_degrees(quarter: bool, flip_rows: bool, flip_columns: bool) -> int:
    """How far the stored picture is turned to be upright, mirroring aside."""
    if quarter:
        return 90 if flip_columns else 270
    return 180 if flip_rows else 0


def _sound(stream: av.AudioStream, media: OpenMedia, peak: float | None) -> SoundFacts:
    used = stream is media.sound
    codec = stream.codec_context
    heard = used and peak is not None
    return SoundFacts(
        codec=codec.name if codec else "unknown",
        rate_hz=codec.sample_rate if codec else 0,
        channels=codec.layout.nb_channels if codec else 0,
        start_s=_start_s(stream, media),
        duration_s=_stream_duration_s(stream),
        peak_dbfs=round(20 * math.log10(peak), 1) if heard and peak > 0 else None,
        silent=heard and peak < SILENCE_PEAK,
        used=used,
    )


def _start_s(stream: av.stream.Stream, media: OpenMedia) -> float:
    return Clock(stream, media.zero_s).time_s(stream.start_time) if stream.start_time is not None else 0.0


def _stream_duration_s(stream: av.stream.Stream) -> float | None:
    return Clock(stream, zero_s=0.0).length_s(stream.duration) if stream.duration else None


def _duration_s(media: OpenMedia) -> float | None:
    duration = media.container.duration
    return duration / 1e6 if duration else None
