"""Which modality carried the answers: for every window of every span, and in sums."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.evaluation.modality_shares import shares_of
from video_understanding.modality import MODALITIES
from video_understanding.recognition.modalities_over_time import SharedWindow
from video_understanding.recognition.spans import Span

STYLES = ("one", "other", "third", "fourth")  # of modalities in drawings, in the order of a model's


@dataclass(frozen=True)
class Taken:
    """What is shown of a modality that is taken away: its name, words for what remains, and the style of its line."""

    modality: str
    words: str
    style: str


def takings(names: Sequence[str]) -> list[Taken]:
    """Of two modalities what remains is the other alone, in its style; of more it is all without one."""
    if len(names) == 2:
        return [Taken(names[1 - place], f"{noun(names[place])} alone", STYLES[place]) for place in range(2)]
    return [Taken(name, f"without {noun(name)}", style) for name, style in zip(names, STYLES, strict=False)]


def noun(modality: str) -> str:
    """The modality in one word: "picture"."""
    return MODALITIES[modality].words.split()[-1]


@dataclass(frozen=True)
class Moment:
    """What one window says of what is told at its time.

    sure     how sure it is of it, with all modalities it has
    without  modality -> how sure it is of the same when that is taken away; only where another remains
    drop     modality -> the log-odds that go with it
    share    modality -> its part in the answer, together 1; None where the others are enough, or no class is named
    """

    time_s: float
    sure: float
    without: Mapping[str, float]
    drop: Mapping[str, float]
    share: Mapping[str, float] | None


@dataclass(frozen=True)
class Stretch:
    """A span of one head with its windows; one that none speaks of has the nearest.

    `spans` is more than one where several that are too short to be drawn are one; the span's answer is the first's.
    """

    span: Span
    moments: tuple[Moment, ...]
    spans: int = 1

    def sure_without(self, modality: str) -> float | None:
        """The mean over its windows, of those that have another modality."""
        told = [moment.without[modality] for moment in self.moments if modality in moment.without]
        return float(np.mean(told)) if told else None


def stretches_of(
    head: str, names: Sequence[str], spans: Sequence[Span], windows: Sequence[SharedWindow], several: bool
) -> list[Stretch]:
    """The spans of a head, whose classes are `names`, with what the windows say; `several` means a multi-label head."""
    times_s = [window.middle_s for window in windows]
    found = []
    for span in spans:
        first, last = bisect_left(times_s, span.start_s), bisect_left(times_s, span.end_s)
        if first == last:
            middle_s = (span.start_s + span.end_s) / 2
            first = min(range(len(windows)), key=lambda place: abs(times_s[place] - middle_s))
            last = first + 1
        places = [names.index(name) for name in span.told]
        moments = tuple(_moment(head, names, places, window, several) for window in windows[first:last])
        found.append(Stretch(span, moments))
    return found


def with_short_ones_joined(stretches: Sequence[Stretch], least_s: float) -> list[Stretch]:
    """Those shorter than `least_s` that follow each other as one: then there are no more than can be seen."""
    found: list[Stretch] = []
    last_is_short = False
    for stretch in stretches:
        is_short, last = stretch.span.length_s < least_s, found[-1] if found else None
        if last and is_short and last_is_short and last.span.end_s == stretch.span.start_s:
            span = dataclasses.replace(last.span, end_s=stretch.span.end_s)
            new = tuple(moment for moment in stretch.moments if moment.time_s > last.moments[-1].time_s)
            found[-1] = Stretch(span, last.moments + new, last.spans + 1)
        else:
            found.append(stretch)
        last_is_short = is_short
    return found


def mean_share(moments: Iterable[Moment]) -> dict[str, float] | None:
    """Each modality's mean part, of the windows where it matters which; None where it never does."""
    told = [moment.share for moment in moments if moment.share is not None]
    names = dict.fromkeys(name for share in told for name in share)
    return {name: float(np.mean([share.get(name, 0.0) for share in told])) for name in names} or None


def _moment(head: str, names: Sequence[str], places: Sequence[int], window: SharedWindow, several: bool) -> Moment:
    """Of several classes that are named, the one it is least sure of; of none, how sure it is that there is none."""
    rows = window.scores[head]  # [1+M,C]
    if not places:
        free = 1 - rows.max(axis=1)  # [1+M]
        there = [(name, number) for number, name in enumerate(window.modalities, 1) if window.modalities[name]]
        without = {name: float(free[number]) for name, number in there} if len(there) > 1 else {}
        return Moment(window.middle_s, float(free[0]), without, {}, None)
    place = min(places, key=lambda place: rows[0, place])
    shares = shares_of(names, rows, place, window.modalities, several=several)
    return Moment(window.middle_s, shares.confidence, shares.without, shares.drop, shares.share)
