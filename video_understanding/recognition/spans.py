"""The segments of one head alone: what other heads do cuts nothing here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from video_understanding.prediction import UNKNOWN, HeadAnswer, Segment


@dataclass(frozen=True)
class Span:
    """A span of time in which one head says the same.

    answer      that of the first segment in it
    confidence  how sure it is, the mean over the segments by their length
    """

    start_s: float
    end_s: float
    answer: HeadAnswer
    confidence: float

    @property
    def length_s(self) -> float:
        """How long it is."""
        return self.end_s - self.start_s

    @property
    def told(self) -> tuple[str, ...]:
        """The classes whose scores tell how sure it is: of "unknown" the nearest, of several labels all, or none."""
        answer = self.answer
        return (answer.nearest or answer.label,) if isinstance(answer.label, str) else answer.label


def spans_of(head: str, segments: Sequence[Segment]) -> list[Span]:
    """The spans of one head in the order of time; where there is no segment, there is no span."""
    spans: list[Span] = []
    for segment in segments:
        answer, length_s = segment.heads[head], segment.end_s - segment.start_s
        last = spans[-1] if spans else None
        if last and last.end_s == segment.start_s and last.answer.words == answer.words:
            whole_s = last.length_s + length_s
            confidence = (last.confidence * last.length_s + answer.confidence * length_s) / whole_s
            spans[-1] = Span(last.start_s, segment.end_s, last.answer, confidence)
        else:
            spans.append(Span(segment.start_s, segment.end_s, answer, answer.confidence))
    return spans


def longest_of(head: str, segments: Sequence[Segment], whole: HeadAnswer) -> HeadAnswer:
    """The answer of a file for one head: the class that lasts longest in it, with its seconds and its confidence.

    `whole` is the answer that all windows together give. It stands where the answer never changes, and in a
    multi-label head; "unknown" is the answer only where no class is named at any time.
    """
    spans: dict[str, list[Span]] = {}
    for span in spans_of(head, segments):
        spans.setdefault(span.answer.words, []).append(span)
    if not isinstance(whole.label, str) or len(spans) < 2:
        return whole
    lengths_s = {label: sum(span.length_s for span in own) for label, own in spans.items() if label != UNKNOWN}
    label = max(lengths_s, key=lambda name: lengths_s[name])
    lasts_s = lengths_s[label]
    confidence = sum(span.confidence * span.length_s for span in spans[label]) / lasts_s
    return dataclasses.replace(whole, label=label, confidence=confidence, nearest=None, lasts_s=lasts_s)
