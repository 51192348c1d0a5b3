"""Opening a media file: which of its streams are the picture and the sound, and where its clock begins."""

from __future__ import annotations

import errno
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.errors import MediaError

if TYPE_CHECKING:
    import av

# Playlists that name other files or addresses are not clips, and following them would read files not given.
_NOT_MEDIA = {"hls", "dash", "concat", "sdp", "tty", "ffmetadata", "lavfi", "image2"}
# A path has one of the two slashes; Windows has drives of one letter.
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+([^/].*)")
# 8K is 33 million pixels; a damaged header may claim a thousand times as many.
MAX_PIXELS = 8192 * 8192
# The clock of these has 33 bits and 90,000 ticks a second: it begins anew every 26.5 hours, be it within a recording.
_CLOCKS_THAT_WRAP = {"mpegts", "mpeg"}
# Pictures in the track of a motion photo that holds the photo itself.
_PHOTOS = 4
# On opening a file, FFmpeg probes it: it decodes the first frames to find each stream's parameters, which takes up to a
# tenth of the time of reading a clip. In these files the index holds all that planning needs (H.264 in Matroska leaves
# decoding times out).
_NO_PROBE_NEEDED = {"ftyp": frozenset({"h264", "vp9"}), "EBML": frozenset({"vp9"})}
# A fragmented file has thousands of boxes; the first ones are enough.
_MAX_BOXES = 100


@dataclass(eq=False)
class OpenMedia:
    """An open file with the streams a clip is made from, either of which may be None.

    `zero_s` is where the file's clock begins on the container's own clock: when the first of the two
    streams starts. `notes` describes in words what was skipped.
    """

    path: Path
    container: av.container.InputContainer
    picture: av.VideoStream | None
    sound: av.AudioStream | None
    zero_s: float
    notes: list[str]

    @property
    def streams(self) -> list[av.VideoStream | av.AudioStream]:
        return [stream for stream in (self.picture, self.sound) if stream is not None]

    @property
    def announced_s(self) -> float | None:
        """The duration in the file's header, in seconds; None where the header has none."""
        return self.container.duration / 1e6 if self.container.duration else None

    def pixel_aspect(self) -> float:
        """The width of a stored pixel over its height; some files store it in the coded frames only.

        Without probing it is available once a frame is decoded.
        """
        stream = self.picture
        return float(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio or 1)


class Clock:
    """Turns the ticks of one stream into seconds on the file's clock."""

    def __init__(self, stream: av.stream.Stream, zero_s: float) -> None:
        # Read once: a stream makes a new fraction of its time base each time.
        tick_s = stream.time_base
        self._numerator, self._denominator = tick_s.numerator, tick_s.denominator
        self._zero_s = zero_s
        self.tick_s = float(tick_s)

    def length_s(self, ticks: int) -> float:
        """A duration in seconds, rounded once."""
        return ticks * self._numerator / self._denominator

    def time_s(self, ticks: int) -> float:
        """A timestamp in seconds on the file's clock."""
        return ticks * self._numerator / self._denominator - self._zero_s


@contextmanager
def open_media(path: str | Path, probe: bool = True) -> Iterator[OpenMedia]:
    """The file, opened for reading, or a MediaError with its cause and what to try.

    Without `probe`, no frame is decoded where reading does not need it: then the pixel format is not known yet.
    """
    import av

    path = Path(path)
    _require_file(path)
    options = {"protocol_whitelist": "file", "max_pixels": str(MAX_PIXELS)}
    if not probe:
        options["codec_whitelist"] = _decoders_without(_not_probed(path))
    try:
        # The prefix keeps a file called "http:x.mp4" a file; the whitelist keeps its contents from pointing elsewhere.
        container = av.open(f"file:{path}", metadata_errors="replace", options=options)
    except (av.error.FFmpegError, ValueError, OverflowError) as error:
        raise _cannot_open(path, error) from error
    try:
        if set(container.format.name.split(",")) & _NOT_MEDIA:
            raise MediaError(path, f"is a {container.format.name} text, not a clip", "Give the media file itself.")
        yield _choose_streams(path, container)
    finally:
        container.close()


def _not_probed(path: Path) -> frozenset[str]:
    """The decoders that FFmpeg does not need while it opens this file."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError:
        return frozenset()  # FFmpeg fails in the same way, and its error is reported
    kind = "ftyp" if head[4:] == b"ftyp" else "EBML" if head[:4] == b"\x1aE\xdf\xa3" else None
    return _NO_PROBE_NEEDED.get(kind, frozenset())


@cache
def _decoders_without(names: frozenset[str]) -> str:
    """The whitelist of decoders while FFmpeg opens a file, in its syntax: all others, separated by commas."""
    import av

    return ",".join(sorted(av.codecs_available - names))


def is_shorter_than_announced(path: Path) -> bool:
    """Whether an AVI or WAV file is shorter than the length in its header."""
    with path.open("rb") as file:
        head = file.read(8)
    return head[:4] == b"RIFF" and int.from_bytes(head[4:], "little") + len(head) > path.stat().st_size


def _choose_streams(path: Path, container: av.container.InputContainer) -> OpenMedia:
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails
    notes: list[str] = []
    pictures = [stream for stream in container.streams.video if not stream.disposition & still]
    sounds = list(container.streams.audio)
    for kind, streams in (("picture", pictures), ("sound", sounds)):
        if any(stream.codec_context is None for stream in streams):
            notes.append(f"its {kind} is in a format that cannot be decoded")
    # A track with a frame count in its header is preferred to one without, a video to the few large pictures
    # of a motion photo, the default track to others.
    picture = max(
        (stream for stream in pictures if stream.codec_context is not None),
        key=lambda stream: (
            stream.frames > 0,
            _is_film(stream),
            bool(stream.disposition & Disposition.default),
            stream.codec_context.width * stream.codec_context.height,
            -stream.index,
        ),
        default=None,
    )
    sound = max(
        (stream for stream in sounds if stream.codec_context is not None),
        key=lambda stream: (stream.frames > 0, bool(stream.disposition & Disposition.default), -stream.index),
        default=None,
    )
    for stream in (picture, sound):
        if stream is not None:
            # Clips are read many at a time, one thread each: threads inside one would only cost.
            stream.codec_context.thread_count = 1
    if picture is not None:
        picture.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    size_bytes = path.stat().st_size
    if "mp4" in container.format.name and any(end > size_bytes for _, end in _boxes(path)):
        notes.append("ends before its last part is complete: cut off, whole tracks may be missing")
    if picture is None and sound is None:
        raise MediaError(
            path,
            "; ".join(notes) or "holds neither picture nor sound",
            "Convert it with `ffmpeg -i in -c:v libx264 -c:a aac out.mp4` where it still plays.",
        )
    return OpenMedia(path, container, picture, sound, _zero_s(container.format.name, picture, sound), notes)


def _is_film(stream: av.VideoStream) -> bool:
    """Whether a track holds more frames than a photo stored as a track, by its header."""
    return stream.frames == 0 or stream.frames > _PHOTOS


def _zero_s(format_name: str, picture: av.VideoStream | None, sound: av.AudioStream | None) -> float:
    streams = [stream for stream in (picture, sound) if stream is not None and stream.start_time is not None]
    first_s = min((Clock(stream, zero_s=0.0).time_s(stream.start_time) for stream in streams), default=0.0)
    # Times below zero are priming samples that decoders drop, not moments of the clip. FFmpeg gives negative
    # times, too, where a clock of 33 bits is about to begin anew.
    return first_s if format_name in _CLOCKS_THAT_WRAP else max(0.0, first_s)


def _require_file(path: Path) -> None:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:  # ValueError: a zero byte within the name
        raise _not_there(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise MediaError(path, "is a folder", "Give a media file, or each file in the folder.")
    if not stat.S_ISREG(status.st_mode):
        # Opening a pipe would wait for a writer, and reading needs to go back and forth.
        raise MediaError(path, "is a pipe or a device, not a file", "Write what comes from there into a file first.")
    if status.st_size == 0:
        raise MediaError(path, "is empty (0 bytes)", "Copy or download it again.")


def _not_there(path: Path, error: Exception) -> MediaError:
    address = address_of(path)
    if address is not None:
        return MediaError(address, "is an address, and only files are read", "Download it, and give the file.")
    if getattr(error, "errno", None) == errno.ELOOP:
        return MediaError(path, "is a link that leads back to itself", "Give the file that it should lead to.")
    if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
        return MediaError(path, "does not exist", "Check the spelling, and which folder the path starts at.")
    # A name too long, a folder that may not be entered.
    return MediaError(path, f"cannot be read ({error.strerror or error})", "Check its name and permissions.")


def address_of(path: Path) -> str | None:
    """The address, such as "https://example.org/a.mp4", that became this path; None for a path that is none."""
    found = _ADDRESS.fullmatch(str(path))
    return f"{found[1]}://{found[2]}" if found else None


def _cannot_open(path: Path, error: Exception) -> MediaError:
    if isinstance(error, PermissionError):
        return MediaError(path, "may not be read (no permission)", "Check the file's permissions.")
    with path.open("rb") as file:
        head = file.read(4096)
    if head[4:8] == b"ftyp" and not _has_box(path, b"moov"):
        return MediaError(
            path,
            "has lost its index (no moov box): the recording or the copy was cut off",
            "Copy it again from its source; without the index its frames cannot be found.",
        )
    if head and all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head):
        return MediaError(path, "holds text, not media", "Give the media file itself.")
    return MediaError(
        path,
        "is not a media file that can be opened, or its header is damaged",
        "Check whether it plays elsewhere; if so, convert it with `ffmpeg -i in -c:v libx264 -c:a aac out.mp4`.",
    )


def _has_box(path: Path, name: bytes) -> bool:
    return any(found == name for found, _ in _boxes(path))


def _boxes(path: Path) -> Iterator[tuple[bytes, int]]:
    """(name, where it should end) of the first top-level boxes of an MP4 file; a broken length ends the list."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        for _ in range(_MAX_BOXES):
            file.seek(at)
            header = file.read(16)
            if len(header) < 8:
                return
            length = int.from_bytes(header[:4], "big")
            if length == 1 and len(header) == 16:  # the true length follows, in eight bytes
                length = int.from_bytes(header[8:16], "big")
            if length < 8:
                return
            at += length
            yield header[4:8], at
            if at > size_bytes:
                return
