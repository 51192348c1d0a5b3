"""What a preflight found, as values and as text for a terminal."""

from __future__ import annotations

import dataclasses
import itertools
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from video_understanding.datasets.rows import PARTS, Row

PROBLEM, WARNING = "problem", "warning"
_WIDTH = 96
_ROWS_SHOWN = 8
_CLASSES_SHOWN = 30
_NAME_WIDTH = 30
_GAP = "  "


@dataclass(frozen=True)
class FoundRow:
    """A row of a finding: where it was read, its file, and a remark on this row."""

    origin: str
    path: str
    remark: str = ""

    @classmethod
    def of(cls, row: Row, remark: str = "") -> FoundRow:
        return cls(row.origin, row.name, remark)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong ("problem") or needs attention ("warning"), how much of it, and what to do.

    kind        what was found, in one word for programs
    message     a sentence with numbers
    cure        what to do about it
    rows        the rows it is about
    """

    kind: str
    severity: str
    message: str
    cure: str
    rows: tuple[FoundRow, ...] = ()

    def text(self) -> str:
        lines = [*_wrapped(f"{self.severity.upper()} {self.kind}: {self.message}", "", "  ")]
        lines += _wrapped(f"Do: {self.cure}", "  ", "      ") if self.cure else []
        for row in self.rows[:_ROWS_SHOWN]:
            place = row.origin if row.origin.endswith(row.path) else f"{row.origin} {row.path}"
            lines += _wrapped(f"{place}  {row.remark}".rstrip(), "    ", "        ")
        more = len(self.rows) - _ROWS_SHOWN
        lines += [f"    and {more} more"] if more > 0 else []
        return "\n".join(lines)


@dataclass(frozen=True)
class ClassCount:
    """Counts of one class: clips, subjects, and clips by split and by fold where these are given."""

    clips: int
    subjects: int
    splits: Mapping[str, int]
    folds: Mapping[int, int]


@dataclass(frozen=True, repr=False)
class PreflightReport:
    """A data set before training: its counts, and the findings.

    name        the data set's, as messages call it
    modalities      clips with "picture", with a "sound" track, "silent" ones among these, "unreadable" ones
    hours       of all clips that could be read
    classes     for each head, each of its classes
    subjects    clips of each subject
    splits      clips of each split, where there is a split column
    folds       clips of each fold, where there is a fold column
    findings    the problems, then the warnings
    """

    name: str
    clips: int
    modalities: Mapping[str, int]
    hours: float
    classes: Mapping[str, Mapping[str, ClassCount]]
    subjects: Mapping[str, int]
    splits: Mapping[str, int]
    folds: Mapping[int, int]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == PROBLEM)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == WARNING)

    def found(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values for JSON."""
        return {**dataclasses.asdict(self), "problems": len(self.problems), "warnings": len(self.warnings)}

    def text(self) -> str:
        """All of it as text of at most 96 columns, long lists cut short."""
        blocks = [self._overview(), *(_table(head, self.classes[head]) for head in self.classes)]
        blocks += [finding.text() for finding in self.findings]
        return "\n\n".join([*blocks, self.verdict()])

    def verdict(self) -> str:
        """The outcome in a sentence."""
        if not self.findings:
            return "Nothing was found that needs attention."
        return f"{_many(len(self.problems), 'problem')} and {_many(len(self.warnings), 'warning')}."

    def _overview(self) -> str:
        modalities = self.modalities
        lines = [
            f"{self.name}: {_many(self.clips, 'clip')}, {_length(self.hours)}; {modalities['picture']} with a picture, "
            f"{modalities['sound']} with a sound track ({modalities['silent']} of them silent), "
            f"{modalities['unreadable']} unreadable"
        ]
        if self.subjects:
            lines.append(_spread(self.subjects))
        for what, counts in (("splits", self.splits), ("folds", self.folds)):
            if counts:
                lines.append(f"{what}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
        return "\n".join(line for text in lines for line in _wrapped(text, "", "  "))

    def __repr__(self) -> str:
        return f"PreflightReport({self.name}: {_many(self.clips, 'clip')}; {self.verdict()})"


def share(part: int, whole: int) -> str:
    """ "3 of 12 (25 %)"."""
    return f"{part} of {whole} ({100 * part / whole:.0f} %)"


def in_order(counts: Counter) -> dict:
    """Counts of splits or folds in their natural order, without what has no name."""
    known = [part for part in PARTS if part in counts]
    return {name: counts[name] for name in known + sorted(set(counts) - {None, *PARTS})}


def _table(head: str, classes: Mapping[str, ClassCount]) -> str:
    """Clips and subjects of each class of a head, then its clips by split and fold, as far as there is room."""
    shown = dict(list(classes.items())[:_CLASSES_SHOWN])
    columns = [[head, *(_short(name) for name in shown)]]
    columns.append(["clips", *(str(count.clips) for count in shown.values())])
    columns.append(["subjects", *(str(count.subjects) for count in shown.values())])
    any_class = next(iter(classes.values()))
    columns += [[name, *(str(count.splits[name]) for count in shown.values())] for name in any_class.splits]
    columns += [[f"fold {name}", *(str(count.folds[name]) for count in shown.values())] for name in any_class.folds]
    widths = [max(map(len, column)) for column in columns]
    many = sum(end <= _WIDTH for end in itertools.accumulate(width + len(_GAP) for width in widths))
    cells = [
        [cell.rjust(width) for cell in column] for column, width in zip(columns[1:many], widths[1:many], strict=True)
    ]
    lines = [_GAP.join(line) for line in zip((name.ljust(widths[0]) for name in columns[0]), *cells, strict=True)]
    hidden = [(len(classes) - len(shown), "class", "es"), (len(columns) - many, "column", "s")]
    left_out = [f"{count} more {what}{'' if count == 1 else ending}" for count, what, ending in hidden if count]
    return "\n".join([*lines, *([f"(and {' and '.join(left_out)}: see the JSON report)"] if left_out else [])])


def _short(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else name[: _NAME_WIDTH - 1] + "…"


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _spread(clips_of: Mapping[str, int]) -> str:
    """How the clips are spread over the subjects."""
    counts = list(clips_of.values())
    if min(counts) == max(counts):
        return f"{_many(len(counts), 'subject')} with {_many(counts[0], 'clip')} each"
    largest = max(clips_of, key=clips_of.__getitem__)
    return (
        f"{_many(len(counts), 'subject')} with {min(counts)} to {max(counts)} clips each, half of them with "
        f"{median(counts):g} or fewer; most: {largest}"
    )


def _length(hours: float) -> str:
    return f"{hours:.1f} hours" if hours >= 2 else f"{60 * hours:.1f} minutes"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Problems first."""
    return tuple(sorted(findings, key=lambda finding: finding.severity != PROBLEM))
