"""One pass over an open file: its packets are decoded to picture and sound, and windows are returned as they fill."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.clip import Clip
from video_understanding.errors import MediaError
from video_understanding.media.container import Clock, OpenMedia, is_shorter_than_announced
from video_understanding.media.landing import INTERLEAVE_S, Landing, LateError, gives_true_times, stream_end_s
from video_understanding.media.picture import PictureMaker
from video_understanding.media.pictures import LEAP_S, EveryPicture, PlannedPictures, UnplannableError, can_plan
from video_understanding.media.sound import LEAD_S, REACH_S, SoundTrack
from video_understanding.spec import ModelSpec

if TYPE_CHECKING:
    import av

# A track that ends this much before the end in its header was cut off.
_CUT_OFF_S = 0.5


@dataclass(frozen=True)
class Windows:
    """Which windows of a file are wanted: `many`, or all until the end if None; nothing from `limit_s` on."""

    spec: ModelSpec
    first_s: float
    stride_frames: int
    many: int | None
    limit_s: float

    def start_s(self, number: int) -> float:
        return self.first_s + number * self.stride_frames / self.spec.video.frames_hz

    def end_s(self, number: int) -> float:
        return min(self.start_s(number) + self.spec.window_s, self.limit_s)

    def wanted(self, number: int, material_end_s: float) -> bool:
        """Whether there is such a window, in a file that ends there."""
        if self.many is not None:
            return number < self.many
        return number == 0 or self.end_s(number - 1) < min(self.limit_s, material_end_s)

    def instants_s(self, number: int) -> Iterator[float]:
        """The instants of all frames from a window on: one sequence, as windows overlap in whole frames."""
        rate_hz = self.spec.video.frames_hz
        places: Iterator[int] | range = count()
        if self.many is not None:
            places = range((self.many - 1 - number) * self.stride_frames + self.spec.frames)
        for place in places:
            instant_s = self.first_s + (2 * (number * self.stride_frames + place) + 1) / (2 * rate_hz)
            if instant_s >= self.limit_s:
                return
            yield instant_s


@dataclass(frozen=True)
class Care:
    """How carefully to decode: every picture or those that are needed; `strict` as in `PlannedPictures`.

    `damaged`: an earlier, less careful pass found damage.
    """

    everything: bool
    strict: bool
    damaged: bool


class Walk:
    """Reads on from window `number`, seeking to `back_s` before it or, if None, from the file's beginning."""

    def __init__(self, media: OpenMedia, windows: Windows, number: int, back_s: float | None, care: Care) -> None:
        self._media = media
        self._windows = windows
        self._number = self._first_number = number
        self._full_from_s = self._earliest_full_s()
        self._back_s = back_s
        self._damaged = care.damaged
        self._start_s = windows.start_s(number)
        last_end_s = math.inf if windows.many is None else windows.end_s(windows.many - 1)
        self._sound_until_s = min(last_end_s, windows.limit_s) + REACH_S
        self._clock_s = -math.inf  # the latest decoding time seen in any stream
        self._seen_end_s = -math.inf
        self._seen_pictures = 0
        self._finished = False
        self._damaged_sounds = 0
        self._stopped = ""  # why reading ended before the end of the file
        self._last_packet: av.Packet | None = None
        self._clocks = {stream.index: Clock(stream, media.zero_s) for stream in media.streams}
        self._pictures: PlannedPictures | EveryPicture | None = None
        self._sound: SoundTrack | None = None
        spec = windows.spec
        if media.picture is not None:
            make = PictureMaker(spec.video, media.pixel_aspect)
            parts = (media.picture, media.zero_s, make, windows.instants_s(number))
            if care.everything:
                self._pictures = EveryPicture(*parts)
            elif can_plan(media.picture, media.container.format.name):
                self._pictures = PlannedPictures(*parts, care.strict)
            else:
                raise UnplannableError
        if media.sound is not None:
            self._sound = SoundTrack(media.sound, media.zero_s, spec.audio.sample_rate_hz)
        self._landing = None if back_s is None else Landing(media, self._clocks, self._needed_s())

    def clips(self) -> Iterator[Clip]:
        """The clip of each window; a first window that is empty is an error with its cause."""
        self._seek()
        for packet in self._packets():
            if not self._take_in(packet):
                break
            while self._clock_s >= self._full_from_s and self._filled():
                self._require_begun()
                yield self._clip()
                if not self._wanted():
                    return
        self._require_begun()
        self._finish()
        while self._wanted():
            yield self._clip()

    def _wanted(self) -> bool:
        return self._windows.wanted(self._number, self._material_end_s() if self._finished else math.inf)

    def _earliest_full_s(self) -> float:
        """The next window cannot be full before the decoding time reaches this, in seconds."""
        return self._windows.end_s(self._number) - 1 / self._windows.spec.video.frames_hz

    def _filled(self) -> bool:
        """Whether nothing that is still to come belongs to the next window."""
        end_s = self._windows.end_s(self._number)
        next_place = (self._number - self._first_number) * self._windows.stride_frames + self._windows.spec.frames
        if self._pictures is not None and not self._pictures.complete(next_place):
            return False
        if self._sound is None or self._sound.reached_s >= end_s + REACH_S:
            return True
        return self._clock_s >= end_s + INTERLEAVE_S

    def _seek(self) -> None:
        import av

        if self._back_s is None:
            return
        stream = self._media.picture or self._media.sound
        if not gives_true_times(self._media):
            raise LateError
        # Twice the lead: after a seek by byte position the first packet may be the rest of one.
        target_s = max(0.0, self._start_s - self._back_s - 2 * LEAD_S) + self._media.zero_s
        try:
            self._media.container.seek(math.floor(target_s / stream.time_base), stream=stream)
        except (av.error.FFmpegError, OverflowError) as error:
            raise LateError from error

    def _packets(self) -> Iterator[av.Packet]:
        """The packets of both streams, up to the first that cannot be read."""
        import av

        landing = self._landing
        awaited = landing.awaited if landing else ()
        try:
            for packet in self._media.container.demux(self._media.streams):
                if packet.size and not (awaited and landing.skips(packet)):
                    yield packet
        except IndexError:
            pass  # PyAV fails at the very end on streams that appeared during demuxing; all packets were returned
        except (av.error.FFmpegError, OSError) as error:
            if self._back_s is not None:
                raise LateError from error
            self._stopped = "it cannot be read on"

    def _needed_s(self) -> dict[int, float]:
        """When each stream has to begin at the latest after seeking, by its index."""
        needed_s = {}
        if self._media.picture is not None:
            needed_s[self._media.picture.index] = next(self._windows.instants_s(self._number), math.inf)
        if self._sound is not None:
            needed_s[self._media.sound.index] = max(self._start_s - LEAD_S, self._sound.origin_s)
        return needed_s

    def _require_begun(self) -> None:
        if self._landing is not None and self._landing.awaited:
            self._landing.require_complete(self._start_s, grace_s=1 / self._windows.spec.video.frames_hz)

    def _take_in(self, packet: av.Packet) -> bool:
        """Whether reading can go on after this packet."""
        self._last_packet = packet
        clock = self._clocks[packet.stream_index]
        pts, dts = packet.pts, packet.dts
        time_s = None if pts is None and dts is None else clock.time_s(dts if pts is None else pts)
        duration_s = min(LEAP_S, clock.length_s(packet.duration or 0))
        if time_s is not None:
            decode_s = time_s if dts is None else clock.time_s(dts)
            if max(time_s, decode_s) > max(self._clock_s, self._start_s) + LEAP_S:
                if self._back_s is not None:
                    raise LateError
                self._stopped = "its timestamps jump by more than an hour"
                return False
            self._seen_end_s = max(self._seen_end_s, time_s + duration_s)
            self._clock_s = max(self._clock_s, decode_s)
        if packet.stream is self._media.picture:
            self._seen_pictures += 1
            self._pictures.add(packet)
            return True
        if self._pictures is not None:
            self._pictures.reach(self._clock_s - INTERLEAVE_S)
        sound = self._sound
        if time_s is None or (
            time_s + duration_s >= self._start_s - LEAD_S and (time_s <= self._sound_until_s or sound.unsettled)
        ):
            self._decode_sound(packet)
        elif time_s > self._sound_until_s:
            sound.reached_s = max(sound.reached_s, time_s)
        return True

    def _decode_sound(self, packet: av.Packet | None) -> None:
        import av

        try:
            for frame in self._media.sound.codec_context.decode(packet):
                self._sound.add(frame)
        except (av.error.FFmpegError, ValueError) as error:
            if self._back_s is not None:
                raise LateError from error  # this may be the rest of a packet, and no damage
            self._damaged_sounds += 1

    def _finish(self) -> None:
        if self._pictures is not None:
            # A track that lies between two instants gives a frame at the second; an earlier one already gave one.
            begins_s = self._clocks[self._media.picture.index].time_s(self._media.picture.start_time or 0)
            begins_here = max(0.0, begins_s) >= self._start_s
            self._pictures.finish(grace_s=1 / self._windows.spec.video.frames_hz if begins_here else 0.0)
        if self._sound is not None:
            self._decode_sound(None)
            self._sound.finish()
        self._finished = True

    def _material_end_s(self) -> float:
        ends_s = [track.end_s for track in (self._pictures, self._sound) if track is not None]
        return max(ends_s, default=-math.inf)

    def _clip(self) -> Clip:
        """The next window, as far as the file fills it."""
        windows, spec = self._windows, self._windows.spec
        start_s = windows.start_s(self._number)
        frames, times_s, present = self._frames()
        rate_hz = spec.audio.sample_rate_hz
        waveform, span = np.zeros(spec.samples, np.float32), None  # [N]
        if self._sound is not None:
            first = round(start_s * rate_hz)
            until = min(spec.samples, round(min(windows.limit_s - start_s, spec.window_s) * rate_hz))
            waveform[:until], span = self._sound.take(first, until)
            self._sound.discard(round(windows.start_s(self._number + 1) * rate_hz))
        if self._number == 0 and span is None and not present.any():
            raise self._nothing_there()
        self._number += 1
        self._full_from_s = self._earliest_full_s()
        return Clip(
            frames=frames,
            frame_times_s=times_s,
            frame_present=present,
            waveform=waveform,
            sample_rate_hz=rate_hz,
            start_s=start_s,
            sound_span_s=None if span is None else (span[0] / rate_hz, span[1] / rate_hz),
            source=str(self._media.path),
            announced_s=self._media.announced_s,
            notes=tuple(self._notes()),
        )

    def _frames(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Frames [T,H,W,3], times [T] and presence [T] of the next window; gaps hold the nearest picture."""
        spec = self._windows.spec
        first = (self._number - self._first_number) * self._windows.stride_frames
        shown = {} if self._pictures is None else self._pictures.shown
        pictures = [shown.get(first + place) for place in range(spec.frames)]
        present = np.array([picture is not None for picture in pictures])  # [T]
        for place in range(first, first + self._windows.stride_frames):
            shown.pop(place, None)
        if not present.any():
            return np.zeros(spec.read_shape, np.uint8), np.full(spec.frames, np.nan), present
        there = np.flatnonzero(present)
        nearest = there[np.abs(there[None] - np.arange(spec.frames)[:, None]).argmin(axis=1)]  # [T]
        frames = np.stack([pictures[place].pixels for place in nearest])  # [T,H,W,3]
        return frames, np.array([pictures[place].time_s for place in nearest]), present

    def _notes(self) -> Iterator[str]:
        yield from self._media.notes
        if self._pictures is not None and (self._pictures.damaged or self._damaged):
            yield f"{self._pictures.damaged or 'some'} damaged place(s) in the picture"
        if self._damaged_sounds:
            yield f"{self._damaged_sounds} damaged place(s) in the sound"
        if self._stopped:
            yield f"is left at {max(0.0, self._seen_end_s):.2f} s: {self._stopped}"
        elif self._finished:
            yield from self._cut_off()

    def _cut_off(self) -> Iterator[str]:
        """What is missing at the end, compared with the file's header."""
        announced = self._media.picture.frames if self._media.picture is not None else 0
        end_s, announced_end_s = max(0.0, self._seen_end_s), self._announced_end_s()
        if announced_end_s - end_s > _CUT_OFF_S:
            yield f"ends at {end_s:.2f} s, though it announces {announced_end_s:.2f} s: cut off"
        elif (
            self._back_s is None
            and announced - self._seen_pictures > max(2, 0.02 * announced)
            and is_shorter_than_announced(self._media.path)
        ):
            yield f"holds {self._seen_pictures} of the {announced} frames it announces: cut off"

    def _announced_end_s(self) -> float:
        ends_s = [stream_end_s(stream, self._clocks[stream.index]) for stream in self._media.streams]
        duration = self._media.container.duration
        announced_end_s = duration / 1e6 - self._media.zero_s if duration else 0.0
        return max((end_s for end_s in ends_s if end_s is not None), default=announced_end_s)

    def _nothing_there(self) -> MediaError:
        path, start_s = self._media.path, self._start_s
        if self._last_packet is not None and self._last_packet.has_sidedata("encryption_info"):
            return MediaError(path, "is encrypted", "Use a copy without copy protection.")
        if self._seen_end_s == -math.inf:
            return MediaError(
                path,
                "has a header but no picture or sound behind it",
                "It may be one part of a stream in several files: join them first, or copy the file again.",
            )
        first_s = next(self._windows.instants_s(0), start_s)
        damaged = self._pictures is not None and (self._pictures.damaged or self._damaged)
        if self._finished and (start_s if damaged else first_s) >= self._seen_end_s:
            behind = "the window" if start_s >= self._seen_end_s else "the first frame of the window"
            return MediaError(
                path,
                f"ends at {self._seen_end_s:.2f} s, before {behind} that begins at {start_s:g} s",
                "Choose an earlier start.",
            )
        noted = "; ".join(self._notes())
        return MediaError(
            path,
            "holds no picture and no sound that can be decoded" + (f" ({noted})" if noted else ""),
            "Check whether it plays elsewhere; if so, convert it with `ffmpeg -i in -c:v libx264 -c:a aac out.mp4`.",
        )
