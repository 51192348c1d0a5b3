"""The frames of one stream at given instants, from its packets: planned where possible, else all are decoded."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.media.container import Clock
from video_understanding.media.plan import PicturePlan

if TYPE_CHECKING:
    from collections.abc import Callable

    import av

# Decoders with an option to skip non-reference frames that skip nothing else.
_SKIPPING = frozenset({"h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video"})
# Decoders that give one frame for each packet, with the packet's own timestamp.
_ONE_FOR_ONE = _SKIPPING | {"vp9", "libdav1d", "av1", "h263", "mjpeg", "prores", "dnxhd", "ffv1", "png", "rawvideo"}
# Timestamps that jump further ahead at once are damaged: following them would give days of empty windows.
LEAP_S = 3600.0
# How many frames a decoder may return before one that is displayed earlier.
_DISORDER = 4


class UnplannableError(Exception):
    """The file's timestamps or frames contradict its headers: only decoding everything gives the result.

    `damaged`: a frame cannot be decoded correctly. `open_groups`: the cause may be an open GOP instead, whose
    frames refer to the GOP before it and lack it when decoding begins there.
    """

    def __init__(self, *, damaged: bool = False, open_groups: bool = False) -> None:
        super().__init__()
        self.damaged = damaged
        self.open_groups = open_groups


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame of the clip: uint8 RGB [H,W,3] and the start of its display time, in seconds."""

    pixels: np.ndarray
    time_s: float


def can_plan(stream: av.VideoStream, format_name: str) -> bool:
    """Whether the timestamps of packets are those of frames in this stream."""
    # AVI stores no timestamps: with B-frames they are guesses that a decoder then corrects.
    guessed = format_name == "avi" and stream.codec_context.has_b_frames
    return stream.codec_context.name in _ONE_FOR_ONE and not guessed


class _Pictures:
    """What both strategies share: `shown` maps an instant's number to its frame."""

    def __init__(self, stream: av.VideoStream, zero_s: float, make: Callable[[av.VideoFrame], np.ndarray]) -> None:
        self._stream = stream
        self._clock = Clock(stream, zero_s)
        self._make = make
        rate_hz = stream.average_rate
        self._usual_duration_s = float(1 / rate_hz) if rate_hz else 0.0
        self._last_s = float("-inf")
        self._last_duration_s = 0.0
        self.shown: dict[int, Shown] = {}
        self.damaged = 0

    @property
    def end_s(self) -> float:
        """The end of the display time of the last frame so far, in seconds."""
        return self._last_s + self._last_duration_s

    def _note_time(self, time_s: float, duration_ticks: int | None) -> None:
        if time_s >= self._last_s:
            self._last_s = time_s
            duration_s = self._clock.length_s(duration_ticks) if duration_ticks else self._usual_duration_s
            self._last_duration_s = min(LEAP_S, duration_s)


class PlannedPictures(_Pictures):
    """Decodes only what the wanted frames need; raises UnplannableError when anything contradicts the plan.

    If `strict`, the decoder reports errors that it would otherwise conceal with made-up pixels.
    """

    def __init__(
        self,
        stream: av.VideoStream,
        zero_s: float,
        make: Callable[[av.VideoFrame], np.ndarray],
        instants_s: Iterable[float],
        strict: bool,
    ) -> None:
        super().__init__(stream, zero_s, make)
        if strict:
            stream.codec_context.options = {**stream.codec_context.options, "err_detect": "explode"}
        self._plan = PicturePlan(instants_s)
        self._decoder = stream.codec_context
        self._skips = self._decoder.name in _SKIPPING
        self._expected: dict[int, list[int]] = {}  # timestamp -> the instants at which this frame is displayed
        self._newest_dts: float = float("-inf")
        self._latest_out: int | None = None
        self._started = False

    def complete(self, before: float) -> bool:
        """Whether every instant with a smaller number has its frame, if there is one."""
        if self._plan.next_place < before or self._plan.first_waiting < before:
            return False
        return all(places[0] >= before for places in self._expected.values())

    def add(self, packet: av.Packet) -> None:
        pts, dts = packet.pts, packet.dts
        if pts is None or (dts is not None and not self._newest_dts <= dts <= pts):
            raise UnplannableError
        decode_s = float("-inf")  # some containers leave it out in their first packets
        if dts is not None:
            self._newest_dts, decode_s = dts, self._clock.time_s(dts)
        time_s = self._clock.time_s(pts)
        shown = not packet.is_discard
        if shown:
            self._note_time(time_s, packet.duration)
        if self._plan.settled and not self._plan.wanted:
            return
        self._plan.add(packet, time_s, decode_s, packet.is_keyframe, shown, packet.size)
        self._work()

    def reach(self, time_s: float) -> None:
        """No frame displayed before this time is still to come."""
        if time_s > self._plan.newest_s:  # called with every packet of sound, mostly without change
            self._plan.reach(time_s)
            self._work()

    def finish(self, grace_s: float) -> None:
        """No packet is still to come."""
        self._plan.finish(self.end_s, grace_s)
        self._work()
        self._drain()

    def _work(self) -> None:
        for order in self._plan.orders():
            if order.afresh and self._started:
                self._drain()
                self._decoder.flush_buffers()
            self._started = True
            packet = order.entry.packet
            if order.wanted:
                if packet.pts in self._expected:
                    raise UnplannableError
                self._expected[packet.pts] = order.entry.places
            self._decoder.skip_frame = "DEFAULT" if order.wanted or not self._skips else "NONREF"
            self._decode(packet)
        if self._plan.doubtful:
            raise UnplannableError
        if self._expected and self._plan.settled and not self._plan.wanted:
            self._drain()  # no further packet will push the last frames out of the decoder
            self._decoder.flush_buffers()

    def _drain(self) -> None:
        if self._started:
            self._decode(None)
        if self._expected:
            raise UnplannableError  # a wanted frame was not decoded
        self._latest_out = None
        self._started = False

    def _decode(self, packet: av.Packet | None) -> None:
        import av

        try:
            frames = self._decoder.decode(packet)
        except (av.error.FFmpegError, ValueError) as error:
            raise UnplannableError(damaged=True, open_groups=self._plan.open_groups) from error
        for frame in frames:
            if frame.pts is None or (self._latest_out is not None and frame.pts <= self._latest_out):
                raise UnplannableError
            self._latest_out = frame.pts
            places = self._expected.pop(frame.pts, None)
            if places is not None:
                if frame.is_corrupt:
                    raise UnplannableError(damaged=True, open_groups=self._plan.open_groups)
                try:
                    picture = Shown(self._make(frame), self._clock.time_s(frame.pts))
                except (av.error.FFmpegError, ValueError) as error:  # a pixel format that cannot be scaled
                    raise UnplannableError from error
                for place in places:
                    self.shown[place] = picture


class EveryPicture(_Pictures):
    """Decodes every packet and selects by the timestamps of the decoded frames: slow, and works for every file."""

    def __init__(
        self,
        stream: av.VideoStream,
        zero_s: float,
        make: Callable[[av.VideoFrame], np.ndarray],
        instants_s: Iterable[float],
    ) -> None:
        super().__init__(stream, zero_s, make)
        self._instants = enumerate(instants_s)
        self._pending = next(self._instants, None)
        self._held: list[tuple[float, int, av.VideoFrame]] = []  # decoded, not settled, by time
        self._count = 0
        self._assigned = False

    def complete(self, before: float) -> bool:
        return self._pending is None or self._pending[0] >= before

    def add(self, packet: av.Packet) -> None:
        if self._pending is not None:
            self._decode(packet)

    def reach(self, time_s: float) -> None:
        """Nothing to do: only decoded frames count here."""

    def finish(self, grace_s: float) -> None:
        self._decode(None)
        while len(self._held) > 1:
            self._settle(until_s=self._held[1][0])
        if self._held:
            self._settle(until_s=self.end_s if self._assigned else self.end_s + grace_s)

    def _decode(self, packet: av.Packet | None) -> None:
        import av

        try:
            frames = self._stream.codec_context.decode(packet)
        except (av.error.FFmpegError, ValueError):
            self.damaged += 1
            return
        for frame in frames:
            self.damaged += frame.is_corrupt
            time_s = self._last_s + self._last_duration_s if frame.pts is None else self._clock.time_s(frame.pts)
            if frame.pts is None and self._count == 0:
                time_s = 0.0
            self._note_time(time_s, frame.duration)
            insort(self._held, (time_s, self._count, frame), key=lambda held: held[:2])
            self._count += 1
            if len(self._held) > _DISORDER:
                self._settle(until_s=self._held[1][0])

    def _settle(self, until_s: float) -> None:
        import av

        time_s, _, frame = self._held.pop(0)
        picture = None
        while self._pending is not None and self._pending[1] < until_s:
            place, instant_s = self._pending
            if instant_s >= time_s:
                if picture is None:
                    try:
                        picture = Shown(self._make(frame), time_s)
                    except (av.error.FFmpegError, ValueError):  # a pixel format that cannot be scaled
                        self.damaged += 1
                        return
                    self._assigned = True
                self.shown[place] = picture
            self._pending = next(self._instants, None)
