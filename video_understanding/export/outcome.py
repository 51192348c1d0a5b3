"""What came of an export, for people, for programs, and for the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from video_understanding.bundle import Bundle
from video_understanding.evaluation.text import aligned, many, wrapped
from video_understanding.export.formats import Format
from video_understanding.export.trial import Trial

_SIGNIFICANT = 4


@dataclass(frozen=True)
class Outcome:
    """One format, and how it did.

    size_bytes   of the file, or of all files of the folder
    latency_ms   median of one whole clip; TFLite on one thread
    in_float     what was left in float to be good enough, in words; empty where that is no question
    refused      why it was not put into the bundle, in words; empty if it was
    """

    format: Format
    trial: Trial
    size_bytes: int
    latency_ms: float
    in_float: str
    is_real: bool
    refused: str

    def facts(self) -> dict[str, Any]:
        """What a bundle keeps of it."""
        trial = self.trial
        facts: dict[str, Any] = {
            "size_bytes": self.size_bytes,
            "largest_difference": _short(trial.drift),
            "changed_answers": trial.changed,
            "embedding_cosine": _short(trial.cosine),
            "clips_compared": trial.clips,
            "compared_on": "own clips" if self.is_real else "built-in exam",
            "milliseconds_per_clip": _short(self.latency_ms),
        }
        if trial.accuracy:
            facts["accuracy"] = {head: _short(share) for head, share in trial.accuracy.items()}
            facts["accuracy_change"] = {head: _short(share) for head, share in trial.change.items()}
        if classes := {head: changes for head, changes in trial.classes.items() if changes}:
            facts["class_changes"] = {
                head: {name: _short(share) for name, share in changes.items()} for head, changes in classes.items()
            }
        if self.in_float:
            facts["in_float"] = self.in_float
        return facts


@dataclass(frozen=True)
class ExportReport:
    """All outcomes of one export, and the bundle with those that were good enough."""

    bundle: Bundle
    outcomes: tuple[Outcome, ...]

    @property
    def refused(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.refused)

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        exports = [
            {
                "format": outcome.format.name,
                "file": None if outcome.refused else outcome.format.file,
                **outcome.facts(),
                "refused": outcome.refused or None,
            }
            for outcome in self.outcomes
        ]
        return {"folder": str(self.bundle.folder), "exports": exports}

    def text(self) -> str:
        """A table of at most 80 columns, and below it what a person should know."""
        heads = sorted({head for outcome in self.outcomes for head in outcome.trial.accuracy})
        rows = [["file", "size", "difference", "changed", *(f"{head} right" for head in heads), "per clip"]]
        for outcome in self.outcomes:
            trial = outcome.trial
            rows.append(
                [
                    "(refused)" if outcome.refused else outcome.format.file,
                    f"{outcome.size_bytes / 1e6:.2f} MB",
                    f"{trial.drift:.1g}",
                    f"{trial.changed} of {trial.clips}",
                    *(_share(trial, head) for head in heads),
                    f"{outcome.latency_ms:.1f} ms",
                ]
            )
        notes = [line for outcome in self.outcomes for line in _notes(outcome)]
        return "\n".join([str(self.bundle.folder), *aligned(rows), "", *self._explained(), *notes])

    def _explained(self) -> list[str]:
        clips = many(self.outcomes[0].trial.clips, "clip")
        on = f"{clips} of your own" if self.outcomes[0].is_real else f"the built-in exam of {clips}"
        return wrapped(
            f"Compared with the Keras model on {on}, some without a modality. "
            "Difference: the largest of any probability. Changed: answers that name another class. "
            "Milliseconds: median on this machine, TFLite on one thread."
        )


def _notes(outcome: Outcome) -> list[str]:
    lines = []
    if outcome.in_float:
        lines += wrapped(f"{outcome.format.name}: in float stay {outcome.in_float}.")
    for head, changes in outcome.trial.classes.items():
        told = ", ".join(f"{name} {100 * change:+.1f}" for name, change in changes.items())
        if told:
            lines += wrapped(f"{outcome.format.name}: {head} rightly named, change in points of %: {told}.")
    if outcome.refused:
        lines += wrapped(f"{outcome.format.name} was refused: {outcome.refused}.")
    return lines


def _share(trial: Trial, head: str) -> str:
    if head not in trial.accuracy:
        return "-"
    return f"{100 * trial.accuracy[head]:.1f} % ({100 * trial.change[head]:+.1f})"


def _short(value: float) -> float | None:
    """With as many digits as mean something; None for what is no number, which JSON cannot tell."""
    return float(f"{value:.{_SIGNIFICANT}g}") if value == value else None
