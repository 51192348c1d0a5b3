"""Damages copies of media files in known ways, so that reading can be tested on typical faults."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.errors import MediaError
from video_understanding.media.synthetic.tracks import CLOCK_HZ, FORMATS, MP4_FAMILY
from video_understanding.whole_file import whole_file


def damage(path: Path | str, kind: str, seed: int, out: Path | str) -> Path:
    """Writes a copy of the file at `path`, damaged in the way `kind`, to `out`; returns `out`.

    bit_flips        single bits of the media data flipped, about one in 3,000 bytes; the file's index is whole
    cut_short        the index comes first and is whole, the second half of the media data is missing
    missing_picture  no picture stream at all
    missing_sound    no sound stream at all
    not_media        text, under the same name
    short_sound      the sound stream ends half way, the picture goes on
    silent_sound     the sound stream is there and holds digital silence
    truncated        the last third of the file is missing, and with it an MP4's index
    zero_bytes       an empty file
    zeroed_block     a stretch of the media data, a tenth of it, overwritten with zeros

    `seed` decides where bits flip and where the zeroed stretch lies.
    """
    import av

    path, out = Path(path), Path(out)
    if kind not in DAMAGES:
        raise MediaError("kind", f"{kind!r} is not a known damage", f"Use one of: {', '.join(DAMAGES)}.")
    if not path.is_file():
        raise MediaError(path, "is not there", "Give a media file to copy.")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(out) as unfinished:
            DAMAGES[kind](path, unfinished, np.random.default_rng(seed))
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(path, f"cannot be damaged by {kind} ({error})", "Give a whole MP4 file.") from error
    return out


def _truncated(source: Path, out: Path, _: np.random.Generator) -> None:
    content = source.read_bytes()
    out.write_bytes(content[: len(content) * 2 // 3])


def _zero_bytes(_source: Path, out: Path, _: np.random.Generator) -> None:
    out.write_bytes(b"")


def _not_media(_source: Path, out: Path, _: np.random.Generator) -> None:
    out.write_text("<html><body>The video you asked for has moved.</body></html>\n" * 40, encoding="utf-8")


def _bit_flips(source: Path, out: Path, rng: np.random.Generator) -> None:
    content = np.frombuffer(source.read_bytes(), np.uint8).copy()  # [bytes]
    first, end = _media_data(content.tobytes())
    places = rng.integers(first, end, max((end - first) // 3_000, 5))
    np.bitwise_xor.at(content, places, np.uint8(1) << rng.integers(0, 8, len(places), np.uint8))
    out.write_bytes(content.tobytes())


def _zeroed_block(source: Path, out: Path, rng: np.random.Generator) -> None:
    content = bytearray(source.read_bytes())
    first, end = _media_data(bytes(content))
    length = (end - first) // 10
    begin = int(rng.integers(first + length, end - 2 * length))
    content[begin : begin + length] = bytes(length)
    out.write_bytes(content)


def _cut_short(source: Path, out: Path, _: np.random.Generator) -> None:
    _copy_packets(source, out, index_first=True)
    content = out.read_bytes()
    first, end = _media_data(content)
    out.write_bytes(content[: (first + end) // 2])


def _without(kind: str, source: Path, out: Path, _: np.random.Generator) -> None:
    _copy_packets(source, out, left_out=kind)


def _short_sound(source: Path, out: Path, _: np.random.Generator) -> None:
    _copy_packets(source, out, sound_until=0.5)


def _silent_sound(source: Path, out: Path, _: np.random.Generator) -> None:
    """The picture's packets as they are, the sound decoded, silenced and coded anew as AAC."""
    import av

    with av.open(str(source)) as given, _open_like(source, out) as made:
        copies = {stream: made.add_stream_from_template(stream) for stream in given.streams.video}
        sound = _sound_of(source, given)
        silent = made.add_stream("aac", rate=sound.codec_context.sample_rate, layout=sound.codec_context.layout.name)
        for packet in given.demux([*copies, sound]):
            if packet.stream in copies and packet.size:
                packet.stream = copies[packet.stream]
                made.mux(packet)
            elif packet.stream is sound:
                for frame in packet.decode():
                    for plane in frame.planes:
                        plane.update(bytes(plane.buffer_size))
                    made.mux(silent.encode(frame))
        made.mux(silent.encode(None))


def _copy_packets(
    source: Path, out: Path, *, left_out: str = "", sound_until: float = 1.0, index_first: bool = False
) -> None:
    """Copies the file packet by packet: without one kind of stream, or without the sound after a share of its time."""
    import av

    with av.open(str(source)) as given, _open_like(source, out, index_first) as made:
        kept = [stream for stream in given.streams if stream.type in ("video", "audio") and stream.type != left_out]
        if not kept:
            raise MediaError(source, f"holds nothing but {left_out}", "Damage a file with picture and sound.")
        copies = {stream: made.add_stream_from_template(stream) for stream in kept}
        until_s = sound_until * (given.duration or 0) / av.time_base
        for packet in given.demux(kept):
            if not packet.size:
                continue  # the empty packet at the demuxer's end
            if packet.stream.type == "audio" and sound_until < 1 and packet.pts * packet.time_base >= until_s:
                continue
            packet.stream = copies[packet.stream]
            made.mux(packet)


def _open_like(source: Path, out: Path, index_first: bool = False) -> Any:
    """A container of the source's format to write to; the temporary name of `out` does not have its extension."""
    import av

    container_format = FORMATS.get(source.suffix.lower())
    if container_format is None:
        cause = f"{source.suffix!r} is not a known file extension"
        raise MediaError(source, cause, f"Use one of: {', '.join(FORMATS)}.")
    options = {"movie_timescale": str(CLOCK_HZ)} if container_format in MP4_FAMILY else {}
    if index_first:
        options["movflags"] = "faststart"
    return av.open(str(out), "w", format=container_format, container_options=options)


def _sound_of(source: Path, container: Any) -> Any:
    if not container.streams.audio:
        raise MediaError(source, "has no sound that could be silenced", "Damage a file with sound.")
    return container.streams.audio[0]


def _media_data(content: bytes) -> tuple[int, int]:
    """Where the coded pictures and sound lie: (first byte, end), in an MP4 exactly, elsewhere all but the head."""
    place = 0
    while place + 8 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4], "big"), content[place + 4 : place + 8]
        if kind == b"mdat" and length > 8:
            return place + 8, min(place + length, len(content))
        if length < 8 or not kind.isalnum():
            break
        place += length
    return min(4_096, len(content) // 4), len(content)


DAMAGES: dict[str, Callable[[Path, Path, np.random.Generator], None]] = {
    "bit_flips": _bit_flips,
    "cut_short": _cut_short,
    "missing_picture": partial(_without, "video"),
    "missing_sound": partial(_without, "audio"),
    "not_media": _not_media,
    "short_sound": _short_sound,
    "silent_sound": _silent_sound,
    "truncated": _truncated,
    "zero_bytes": _zero_bytes,
    "zeroed_block": _zeroed_block,
}
