"""What labelled clips say of themselves: whether more of them would help, and whose labels are doubtful."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from video_understanding.datasets.rows import Row
from video_understanding.evaluation.text import aligned, many, percent

_NAMED = 5  # doubtful labels in the terminal
_HELPS = 0.015  # UAR that the last step has gained where more clips are likely to help


@dataclass(frozen=True)
class CurvePoint:
    """UAR on groups left out, learned from so many clips of each class; None means all of them."""

    clips_per_class: int | None
    uar: float


@dataclass(frozen=True)
class DoubtfulLabel:
    """A clip that a fit without it takes for another class.

    row         the clip, with its label
    label       what it is labelled as
    likely      what it is taken for
    confidence  the probability of that
    """

    row: Row
    label: str
    likely: str
    confidence: float


@dataclass(frozen=True)
class DataStudy:
    """Of the heads of which a clip shows one class: the learning curve, and doubtful labels, the worst first."""

    learning_curve: Mapping[str, Sequence[CurvePoint]] = field(default_factory=dict)
    doubtful: Mapping[str, Sequence[DoubtfulLabel]] = field(default_factory=dict)

    def curve_dict(self) -> dict[str, list[dict[str, Any]]]:
        """The learning curve as plain values for JSON; it names no clip."""
        return {head: [vars(point).copy() for point in points] for head, points in self.learning_curve.items()}

    def doubtful_dict(self) -> dict[str, list[dict[str, Any]]]:
        """The doubtful labels as plain values for JSON, with the names of the clips."""
        return {
            head: [
                {"clip": one.row.name, "label": one.label, "likely": one.likely, "confidence": one.confidence}
                for one in found
            ]
            for head, found in self.doubtful.items()
        }

    def text(self) -> str:
        """All of it as text of at most 80 columns, of the doubtful labels the first few."""
        return "\n\n".join([*self._curve_texts(), *self._doubtful_texts()])

    def _curve_texts(self) -> list[str]:
        found = []
        for head, points in self.learning_curve.items():
            counts = ["all" if point.clips_per_class is None else str(point.clips_per_class) for point in points]
            lines = [[f"{head}, clips of a class", *counts], ["UAR % on groups left out", *_uars(points)]]
            found.append("\n".join([*aligned(lines), would_help(points)]))
        return found

    def _doubtful_texts(self) -> list[str]:
        found = []
        for head, doubtful in self.doubtful.items():
            if doubtful:
                named = [
                    f"  {one.row.name}: labelled {one.label}, likely {one.likely} ({percent(one.confidence)} %)"
                    for one in doubtful[:_NAMED]
                ]
                more = [f"  and {len(doubtful) - _NAMED} more, in the report"] if len(doubtful) > _NAMED else []
                first = f"{head}: {many(len(doubtful), 'label')} to look at again, the most doubtful first"
                found.append("\n".join([first, *named, *more]))
        return found


def would_help(points: Sequence[CurvePoint]) -> str:
    """Whether more clips would help, by what the last step of the curve gained."""
    if len(points) < 2:
        return "Too few clips to say whether more would help."
    gained = points[-1].uar - points[-2].uar
    words = "more clips are likely to help" if gained > _HELPS else "more clips of this kind would hardly help"
    return f"The last step gained {100 * gained:.1f}: {words}."


def _uars(points: Sequence[CurvePoint]) -> list[str]:
    return [percent(point.uar) for point in points]
