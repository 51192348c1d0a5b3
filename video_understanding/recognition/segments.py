"""From the answers of windows to segments of time, all at once or as the answers come."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np

from video_understanding.labels import Labels
from video_understanding.prediction import HeadAnswer, Segment
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.recognition.landmarks import Landmarks
from video_understanding.recognition.strides import Stride
from video_understanding.recognition.track import Track
from video_understanding.spec import ModelSpec
from video_understanding.window_scores import WindowScores

# Changes of several heads that lie so near each other are one: each is known to about half of that.
_TOGETHER_S = 1.0
_FIRST = np.zeros(1, int)  # the place of a segment's only clip, itself
_SAME_S = 1e-6  # moments that were calculated in different ways


def segments_of(
    answers: Iterable[WindowAnswer],
    spec: ModelSpec,
    labels: Labels,
    stride: Stride,
    end_s: float,
    unknown_below: Mapping[str, float] | None = None,
) -> tuple[Segment, ...]:
    """The segments of a file that ends at `end_s`, from the answers of its windows in the order of time."""
    maker = SegmentMaker(spec, labels, stride, unknown_below)
    found = [segment for answer in answers for segment in maker.push(answer)]
    return (*found, *maker.finish(end_s))


class SegmentMaker:
    """Takes answers as they come and gives each segment as soon as nothing can change it any more.

    Every head changes calmly and for itself (see `Track`); changes of several heads within a second (half a window, if
    that is shorter) count as one, and borders go to the clearest change of what is seen and heard nearby (see
    `Landmarks`). What is shorter than half a window never fills the most of any, and is no segment of its own. An
    answer that is less sure than `unknown_below` of its head counts as one more class, "unknown". Where windows were
    passed over because nothing was there, there is no segment. The windows of a segment are evidence of one answer
    (`WindowScores`), as those of a labelled clip are. `start_s` is when the first window begins.
    """

    def __init__(
        self,
        spec: ModelSpec,
        labels: Labels,
        stride: Stride,
        unknown_below: Mapping[str, float] | None = None,
        start_s: float = 0.0,
    ) -> None:
        self._heads = [
            _Head(head.name, head.classes, head.is_multi, (unknown_below or {}).get(head.name))
            for head in spec.heads(labels)
        ]
        self._window_s, self._stride_s, self._start_s = spec.window_s, stride.seconds, start_s
        self._landmarks = Landmarks(spec)
        self._last: WindowAnswer | None = None
        self._waiting: deque[WindowAnswer] = deque()  # answers that no segment has yet

    def push(self, answer: WindowAnswer) -> list[Segment]:
        """The answer of the next window; returns the segments that are settled by it."""
        found: list[Segment] = []
        last = self._last
        if last is None:
            is_first = answer.start_s < self._start_s + _SAME_S
            self._begin(self._start_s if is_first else self._first_moment_s(answer))
        elif answer.start_s > last.start_s + self._stride_s + _SAME_S:
            found = self.finish(last.start_s + self._stride_s)  # the window that begins here was empty
            self._begin(self._first_moment_s(answer))
        self._last = answer
        self._waiting.append(answer)
        self._landmarks.push(answer)
        for head in self._heads:
            head.push(answer)
        return found + self._settled()

    def finish(self, end_s: float) -> list[Segment]:
        """All remaining segments; nothing comes after this moment."""
        last = self._last
        if last is None:
            return []
        inside = deque(answer for answer in self._waiting if answer.end_s <= end_s + _SAME_S)
        if inside or any(head.has_counted for head in self._heads):
            self._waiting = inside  # what reaches beyond the end is partly made up
        if end_s >= last.end_s + self._stride_s - _SAME_S:
            end_s = last.start_s + self._stride_s  # windows followed in which nothing was
        for head in self._heads:
            head.finish(end_s)
        found = self._settled(end_s)
        found += self._close(max(end_s, self._begin_s))
        self._last = None
        return found

    def _first_moment_s(self, answer: WindowAnswer) -> float:
        """When something began to be there, if the window before had nothing: in the last stride of this one."""
        return answer.end_s - self._stride_s

    def _begin(self, begin_s: float) -> None:
        self._begin_s = begin_s
        self._changed: list[_Head] = []  # the heads that changed at that moment
        self._waiting.clear()
        self._landmarks.clear()
        for head in self._heads:
            head.begin(begin_s, least_s=self._window_s / 2)

    def _settled(self, end_s: float = math.inf) -> list[Segment]:
        """The segments that end at changes which are known by now; nothing is there from `end_s` on."""
        found = []
        together_s = min(_TOGETHER_S, self._window_s / 2)
        known_until_s = min(head.known_until_s for head in self._heads) - together_s
        while True:
            first_s = min(head.next_change_s for head in self._heads)
            if first_s == math.inf or first_s > known_until_s:
                break
            changes = [head for head in self._heads if head.next_change_s <= first_s + together_s]
            if all(head.has_label for head in self._heads):
                # A head that changes twice needs two borders; another one may change at the last border, too.
                again = any(head in self._changed for head in changes)
                border_s = self._landmarks.nearest_s(
                    sum(head.next_change_s for head in changes) / len(changes),
                    after_s=self._begin_s + together_s if again else -math.inf,
                    before_s=end_s - together_s,
                )
                if border_s - self._begin_s >= together_s:
                    found += self._close(border_s)
                    self._begin_s, self._changed = border_s, []
                self._changed += changes
            for head in changes:
                head.change(until_s=first_s + together_s)
        self._count_in(known_until_s - self._window_s / 2)  # so far a border may still be moved
        return found

    def _count_in(self, until_s: float) -> None:
        """Lets the answers that speak of moments before this one count for the segment at hand."""
        while self._waiting and self._waiting[0].middle_s < until_s:
            answer = self._waiting.popleft()
            for head in self._heads:
                head.count_in(answer)

    def _close(self, end_s: float) -> list[Segment]:
        """The segment at hand, which ends there; none if it has no length, as before the first change."""
        self._count_in(end_s)
        if end_s - self._begin_s < _SAME_S or any(not head.has_label for head in self._heads):
            return []
        near = self._waiting[0] if self._waiting else self._last
        answers = {head.name: head.answer(near) for head in self._heads}
        return [Segment(self._begin_s, end_s, answers)]


class _Head:
    """One head's tracks: one for all classes and "unknown", or in a multi-label head one for each class."""

    def __init__(self, name: str, classes: tuple[str, ...], several: bool, unknown_below: float | None) -> None:
        self.name = name
        self._classes, self._several = classes, several
        self._unknown_below = None if several else unknown_below

    def begin(self, begin_s: float, least_s: float) -> None:
        self._tracks = [Track(begin_s, least_s) for _ in (self._classes if self._several else (0,))]
        self._shown: list[int | None] = [None] * len(self._tracks)
        self._start_count()

    def push(self, answer: WindowAnswer) -> None:
        scores = answer.scores[self.name]  # [C]
        if self._several:
            for track, score in zip(self._tracks, scores, strict=True):
                track.push(answer.middle_s, np.array([1 - score, score]))
        else:
            self._tracks[0].push(answer.middle_s, np.append(scores, self._unknown_below or 0.0))  # [C+1]

    def finish(self, end_s: float) -> None:
        for track in self._tracks:
            track.finish(end_s)

    @property
    def known_until_s(self) -> float:
        return min(track.known_until_s for track in self._tracks)

    @property
    def next_change_s(self) -> float:
        return min((track.changes[0][0] for track in self._tracks if track.changes), default=math.inf)

    @property
    def has_label(self) -> bool:
        return None not in self._shown

    def change(self, until_s: float) -> None:
        """Goes over to the labels that hold from the next change on, and all others until then."""
        for place, track in enumerate(self._tracks):
            while track.changes and track.changes[0][0] <= until_s:
                self._shown[place] = track.changes.pop(0)[1]

    @property
    def has_counted(self) -> bool:
        return self._count > 0

    def count_in(self, answer: WindowAnswer) -> None:
        self._windows.add(_FIRST, answer.scores[self.name][None])
        self._count += 1

    def answer(self, near: WindowAnswer) -> HeadAnswer:
        """The label at hand with what was counted, joined, or with a near answer where nothing was; counts anew.

        A label whose joined scores contradict the threshold of "unknown" gives way to what the threshold says.
        """
        scores = self._windows.result()[0] if self._count else np.asarray(near.scores[self.name], float)  # [C]
        self._start_count()
        if self._several:
            return HeadAnswer.showing(self._classes, scores, np.array(self._shown, bool))
        place = self._shown[0]
        if place == len(self._classes) or scores[place] < (self._unknown_below or 0.0):
            return HeadAnswer.of(self._classes, scores, unknown_below=self._unknown_below)
        return HeadAnswer.telling(self._classes, scores, place)

    def _start_count(self) -> None:
        self._windows, self._count = WindowScores(1, len(self._classes), self._several), 0
