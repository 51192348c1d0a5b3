"""Recognising while it happens: pictures and sound go in as they come, answers and segments come out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_understanding.clip import Clip
from video_understanding.errors import ClipError, SpecError
from video_understanding.prediction import HeadAnswer, Segment
from video_understanding.recognition.answers import WindowAnswer, WindowScorer
from video_understanding.recognition.picture_line import PictureLine
from video_understanding.recognition.segments import SegmentMaker
from video_understanding.recognition.sound_line import SoundLine
from video_understanding.recognition.strides import Stride
from video_understanding.scorer import Scorer

LATENESS_S = 0.5
HOLD_S = 1.0
_SAME_S = 1e-6
_LATEST_S = 1e12  # of any clock in seconds; what is later is told in another unit


@dataclass(frozen=True)
class StreamEvent:
    """One step of a stream: a window's answer, and the segments that it settled.

    After the last window may come an event without an answer, which has the segments that were left.
    """

    answer: WindowAnswer | None
    heads: Mapping[str, HeadAnswer]
    segments: tuple[Segment, ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        values: dict[str, Any] = {}
        if self.answer is not None:
            values = {"start_s": round(self.answer.start_s, 3), "end_s": round(self.answer.end_s, 3)}
            values |= {head: answer.to_dict() for head, answer in self.heads.items()}
            values["modalities"] = dict(self.answer.modalities)
        return {**values, "segments": [segment.to_dict() for segment in self.segments]}


@dataclass(frozen=True)
class StreamReport:
    """What a stream could not use: pictures that came after newer ones, seconds of sound that came too late or twice,
    and seconds of sound that were dropped or put in because its clock drifts.
    """

    late_pictures: int
    lost_sound_s: float
    corrected_sound_s: float


class StreamingRecognizer:
    """Answers for every window of a stream as soon as all of it is there, and segments as soon as they are settled.

        stream = StreamingRecognizer(scorer)
        events = stream.push_frames(frames, times_s)    # as they come, in small portions or large
        events = stream.push_sound(samples, start_s)
        events = stream.finish()

    All times are seconds on one clock. Every frame and every hop of sound is encoded once, and memory does not grow.
    The answers are those of `scorer(prepare([clip]))` for the same windows to the bit.

    stride_s        from window to window; a quarter of the window if None
    unknown_below   head -> confidence below which the answer is "unknown"
    lateness_s      a track that is still this far behind when the other sends more is not waited for: what it has not
                    sent by then is absent
    hold_s          how long a picture is shown while no other comes; after that there is no picture
    """

    def __init__(
        self,
        scorer: Scorer,
        stride_s: float | None = None,
        unknown_below: Mapping[str, float] | None = None,
        *,
        lateness_s: float = LATENESS_S,
        hold_s: float = HOLD_S,
    ) -> None:
        for name, value in (("lateness_s", lateness_s), ("hold_s", hold_s)):
            if not (math.isfinite(value) and value >= 0):
                raise SpecError(name, f"is {value!r}", "Give seconds from 0 on.")
        self.spec, self.labels = scorer.spec, scorer.labels
        self.stride = Stride.of(scorer.spec, stride_s)
        self._scorer = scorer
        self._unknown_below = dict(unknown_below or {})
        self._lateness_s, self._hold_s = lateness_s, hold_s
        self.reset()

    def reset(self, start_s: float = 0.0) -> None:
        """Forgets all that came; the first window of what comes now begins at this moment of its clock."""
        spec = self.spec
        self._start_s = start_s
        self._pictures = PictureLine(spec.video.frames_hz, start_s, self._hold_s)
        self._sound = SoundLine(spec.audio.sample_rate_hz, spec.audio.hop_samples, start_s)
        self._windows = WindowScorer(self._scorer)
        self._segments = SegmentMaker(spec, self.labels, self.stride, self._unknown_below, start_s)
        # The moment at which the last portion of each began: the other track may be in the middle of its own.
        self._seen_from_s = self._heard_from_s = -math.inf
        self._number = 0
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether `finish` was called since the last reset."""
        return self._finished

    @property
    def report(self) -> StreamReport:
        """What could not be used since the last reset."""
        return StreamReport(self._pictures.late, self._sound.lost_s, self._sound.corrected_s)

    def push_frames(self, frames: np.ndarray, times_s: np.ndarray) -> list[StreamEvent]:
        """Frames uint8 [n,H,W,3] of the size that the spec reads, and when each was taken, [n] seconds: what is new."""
        frames, times_s = np.asarray(frames), np.atleast_1d(np.asarray(times_s, np.float64))
        size = self.spec.read_shape[1:]
        if frames.dtype != np.uint8 or frames.shape[1:] != size or times_s.shape != (len(frames),):
            raise ClipError(
                "frames of a stream",
                f"are {frames.dtype} {list(frames.shape)} with {times_s.size} time(s), not uint8 [n, "
                f"{', '.join(map(str, size))}] with n",
                "Fit each picture with video_understanding.media.capture.fit_frame.",
            )
        self._require_open(times_s)
        events: list[StreamEvent] = []
        if not len(frames):
            return events
        self._seen_from_s = max(self._seen_from_s, float(times_s.min()))
        for place in np.argsort(times_s, kind="stable"):
            self._pictures.add(frames[place], float(times_s[place]))
            events += self._events()
        return events

    def push_sound(self, samples: np.ndarray, start_s: float) -> list[StreamEvent]:
        """Sound float32 [n], mono at the spec's rate, and when it began, in seconds; returns what is new."""
        samples = np.asarray(samples)
        if samples.dtype != np.float32 or samples.ndim != 1 or not np.isfinite(samples).all():
            raise ClipError(
                "sound of a stream",
                f"is {samples.dtype} {list(samples.shape)}, or not all of it is finite",
                "Give float32 [n] in [-1, 1].",
            )
        self._require_open(start_s)
        self._heard_from_s = max(self._heard_from_s, float(start_s))
        self._sound.add(samples, float(start_s))
        return list(self._events())

    def finish(self, end_s: float | None = None) -> list[StreamEvent]:
        """The answers that were still waiting and the segments that were left; after that only `reset` goes on.

        `end_s` is when the stream ends, if what was pushed beyond it only fills up; if None, where its last picture or
        sound does.
        """
        self._require_open(0.0 if end_s is None else end_s)
        self._finished = True
        last_s = max(self._pictures.clock_s, self._sound.clock_s)
        if last_s <= self._start_s:
            return []
        end_s = last_s if end_s is None else end_s
        self._pictures.decide(math.nextafter(max(last_s, end_s), -math.inf))
        events = [*self._events(max(last_s, end_s))]
        left = self._segments.finish(end_s)
        return [*events, StreamEvent(None, {}, tuple(left))] if left else events

    def _require_open(self, times_s: np.ndarray | float) -> None:
        if self._finished:
            raise ClipError("stream", "is finished", "Call reset() before pushing more.")
        if not (np.abs(times_s) < _LATEST_S).all():  # nor is NaN
            raise ClipError("times of a stream", "are not all seconds", "Give seconds on the clock of the stream.")

    def _events(self, end_s: float | None = None) -> Iterator[StreamEvent]:
        """An event for each window that is complete by now, or that begins in time if the stream ends there."""
        while self._is_due(end_s):
            if not self._is_empty():
                for answer in self._windows([self._clip()]):
                    yield StreamEvent(answer, self._heads(answer), tuple(self._segments.push(answer)))
            self._go_on()

    def _window_start_s(self) -> float:
        return self._start_s + self._number * self.stride.frames / self.spec.video.frames_hz

    @property
    def _places(self) -> tuple[int, int]:
        """First place of the window on the grid of instants, and the first after it."""
        first = self._number * self.stride.frames
        return first, first + self.spec.frames

    @property
    def _samples(self) -> tuple[int, int]:
        """Number of the window's first sample, and the first after it."""
        first = self._number * self.stride.hops * self.spec.audio.hop_samples
        return first, first + self.spec.samples

    def _is_due(self, end_s: float | None) -> bool:
        window_end_s = self._window_start_s() + self.spec.window_s
        if end_s is not None:
            return self._number == 0 or window_end_s - self.stride.seconds < end_s - _SAME_S
        self._pictures.decide(self._heard_from_s - self._lateness_s)
        if self._pictures.next_place < self._places[1]:
            return False
        heard = self._sound.next is not None and self._sound.next >= self._samples[1]
        return heard or self._seen_from_s >= window_end_s + self._lateness_s

    def _is_empty(self) -> bool:
        nothing_shown = all(place not in self._pictures.shown for place in range(*self._places))
        first = self._sound.first
        return nothing_shown and (first is None or first >= self._samples[1])

    def _go_on(self) -> None:
        """To the next window; where nothing is for long, to the first that may have something."""
        pictures, sound = self._pictures, self._sound
        spec, stride = self.spec, self.stride
        number = 0
        if self._is_empty():
            # Up to here there is no picture, and no sound that was so late can come.
            place = min([*pictures.shown, pictures.next_place]) - math.ceil(self._lateness_s * spec.video.frames_hz)
            number = (place - spec.frames) // stride.frames  # this window does not reach that place
            if sound.first is not None:
                number = min(number, (sound.first - spec.samples) // (stride.hops * spec.audio.hop_samples))
        self._number = max(self._number + 1, number)
        pictures.forget(self._places[0])
        sound.forget(self._samples[0])

    def _clip(self) -> Clip:
        """The window as a reader would give it."""
        spec = self.spec
        frames = np.zeros(spec.read_shape, np.uint8)  # [T,H,W,3]
        times_s = np.full(spec.frames, np.nan)  # [T]
        present = np.zeros(spec.frames, bool)  # [T]
        for place, number in enumerate(range(*self._places)):
            if number in self._pictures.shown:
                times_s[place], frames[place] = self._pictures.shown[number]
                present[place] = True
        if present.any():
            there = np.flatnonzero(present)
            nearest = there[np.abs(there[None] - np.arange(spec.frames)[:, None]).argmin(axis=1)]  # [T]
            frames, times_s = frames[nearest], times_s[nearest]
        first, until = self._samples
        waveform, span = self._sound.take(first, until - first)
        rate_hz = spec.audio.sample_rate_hz
        return Clip(
            frames=frames,
            frame_times_s=times_s,
            frame_present=present,
            waveform=waveform,
            sample_rate_hz=rate_hz,
            start_s=self._window_start_s(),
            sound_span_s=None if span is None else tuple(self._start_s + number / rate_hz for number in span),
            source="stream",
        )

    def _heads(self, answer: WindowAnswer) -> dict[str, HeadAnswer]:
        return heads_of(answer.scores, self._scorer, self._unknown_below)


def heads_of(
    scores: Mapping[str, np.ndarray], scorer: Scorer, unknown_below: Mapping[str, float]
) -> dict[str, HeadAnswer]:
    """What is said for each head whose scores [C] are given."""
    several = scorer.spec.network.multi_label
    return {
        head: HeadAnswer.of(
            scorer.labels.names(head), values, several=head in several, unknown_below=unknown_below.get(head)
        )
        for head, values in scores.items()
    }
