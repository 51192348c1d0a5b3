"""The position after seeking: whether every stream can be decoded from there on, early enough for a window.

In containers with an index seeking ends at a key frame. In others (MPEG-TS, MPEG-PS, Ogg) it ends at any packet near
the target time: the next key frame may lie after the window, or after the end of the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from video_understanding.media.container import Clock, OpenMedia

if TYPE_CHECKING:
    import av

# How far apart picture and sound of one moment may lie in a file; muxers interleave within 10 s.
INTERLEAVE_S = 10.0
# Where FFmpeg computes times after seeking from a rounded number of bytes a second, unless samples are stored as such.
_TIMED_BY_BYTES = frozenset({"wav", "w64", "aiff", "au"})


class LateError(Exception):
    """Seeking ended after the data that the first window needs."""


class Landing:
    """Checks the packets after the position of a seek.

    Args:
        media: The open file.
        clocks: The clock of each stream, by its index.
        needed_s: When each stream has to begin at the latest, in seconds on the file's clock, by its index.
    """

    def __init__(self, media: OpenMedia, clocks: dict[int, Clock], needed_s: dict[int, float]) -> None:
        self._media = media
        self._clocks = clocks
        self._needed_s = needed_s
        self._first_s: float | None = None  # decoding time of the first packet, of whatever stream
        self._skipped_pictures = False
        self.awaited = set(needed_s)
        """The indices of the streams of which no packet could be decoded yet."""

    def skips(self, packet: av.Packet) -> bool:
        """Whether this packet cannot be decoded for lack of a key frame; LateError if its stream begins too late."""
        pts, index = packet.pts, packet.stream_index
        clock = self._clocks[index]
        if self._first_s is None and pts is not None:
            self._first_s = clock.time_s(pts if packet.dts is None else packet.dts)
        if index not in self.awaited:
            return False
        if packet.stream is self._media.picture and not packet.is_keyframe:
            self._skipped_pictures = True
            return True
        if pts is None or clock.time_s(pts) > self._needed_s[index]:
            raise LateError
        self.awaited.discard(index)
        return False

    def require_complete(self, start_s: float, grace_s: float) -> None:
        """LateError if packets of the window that begins at `start_s` may lie before the place where reading began.

        A stream without a packet from there on is absent from the window if its header gives an end `grace_s` or more
        before it, or if reading began so early that picture and sound cannot lie so far apart.
        """
        streams = [stream for stream in self._media.streams if stream.index in self.awaited]
        if self._first_s is None or len(streams) == len(self._needed_s):
            raise LateError
        ends_s = [stream_end_s(stream, self._clocks[stream.index]) for stream in streams]
        if all(end_s is not None and end_s + grace_s <= start_s for end_s in ends_s):
            return
        if self._skipped_pictures or self._first_s > start_s - INTERLEAVE_S:
            raise LateError


def gives_true_times(media: OpenMedia) -> bool:
    """Whether packets after a seek have the same timestamps as when the file is read from its beginning."""
    if media.sound is None:
        return True
    name, codec = media.container.format.name, media.sound.codec_context.name
    if name == "ogg":
        return codec != "flac"  # the first page is given the time of another
    return name not in _TIMED_BY_BYTES or codec.startswith("pcm_")


def stream_end_s(stream: av.stream.Stream, clock: Clock) -> float | None:
    """The end of a stream by its header, in seconds on the file's clock; None where the header has no duration."""
    if not stream.duration or stream.start_time is None:
        return None
    return clock.time_s(stream.start_time + stream.duration)
