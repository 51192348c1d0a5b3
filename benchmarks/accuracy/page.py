"""The results as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.accuracy.sets import SETS
from benchmarks.report import machine_lines
from video_understanding.training.measuring import BY_ALL, BY_OTHER_HALF

_BEGINNING = """# Accuracy

How well clips of people, places and recordings are recognised that the model has never met, by what `vu train` does
without options. Made by `make accuracy`; the sets are not part of the project, and what each may be used for stands
in `benchmarks/accuracy/sets.py`.

- **It is `vu crossval`**: folds are those the sets come with, by subject. UAR is the mean recall of the classes; its
  mean over the folds is given. A test fold has no part in its fit: how strongly the closed form is shrunk, how ridge
  regression and LDA are blended and how it is calibrated is chosen by leaving whole subjects of the training folds out.
- **One recipe for all sets**: windows of 2 s, 4 frames a second of 160x160 pixels, EfficientNet-Lite0 and the audio
  encoder "separable", both frozen. The audio encoder was distilled, without labels, on the sound of `ucf`, `fights`
  and `javanese` among others: results with sound may be flattered there.
- **Video alone, audio alone**: the same model with one modality taken away from its test clips.
- **Speaker known**: the model is adapted to each test speaker by all of their clips, or by the other half of them,
  without labels (`--speaker-of`); whether that helps is decided on left-out speakers of the training folds, and where
  it does not, there is no such line.
- **What was chosen by looking at these folds**: which statistics are pooled, that frames are mirrored and a close-up is
  tried. Of about forty variants that were compared here the best is a point or two better than it will be elsewhere.
- **Simple**: a linear classifier on 8x8 thumbnails and a coarse spectrum, fitted and chosen in the same way.
- **Floor** is logistic regression on ImageNet features of frames and statistics of the log-mel, **goal** what was
  aimed at, both for the modalities named. Intervals (95 %) draw subjects again.
"""
_UNKNOWN = """How many clips of classes that were not learned are called "unknown", with a threshold from groups
left out that should call 10 % of familiar clips so, and how many familiar clips of the test fold are: by the classifier
with familiarity, which is what a model does, and by its highest score alone. Each class is held out in turn; of sets of
two classes the clips of another set are given. Made by `python -m benchmarks.accuracy.foreign`.
The size of familiarity (axes, share, steepness) was chosen by looking at these same sets, so a few points are luck.
"""
_SPOILED = """Of 5 % of the labels that were changed at random, how many stand among the first 8 % of the clips that
are listed as doubtful, in five draws. Made by `python -m benchmarks.accuracy.spoiled`.
"""
_ASKED = {
    "both": "all there is",
    "video": "video alone",
    "audio": "audio alone",
    BY_ALL: "speaker known",
    BY_OTHER_HALF: "by other half",
}


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """A line for each result: the set, the modalities at test time, UAR with its interval, floors and goal."""
    lines = [
        f"{'set':9} {'options':9} {'tested with':13} {'UAR %':>6} {'95 %':>10} {'guessing':>8} {'simple':>6} "
        f"{'floor':>5} {'goal':>5}"
    ]
    for result in found:
        own = SETS[result["set"]]
        simple = next(iter(result["baselines"].values()), None)
        for asked, values in result["uar"].items():
            whole = asked == "both"
            lines.append(
                f"{result['set']:9} {result['options']:9} {_ASKED[asked]:13} {values['uar']:6.1f} "
                f"{_interval(result) if whole else '-':>10} {result['chance']:8.1f} "
                f"{_or_none(simple if whole else None):>6} {_or_none(own.floors.get(asked)):>5} "
                f"{_or_none(own.goals.get(asked)):>5}"
            )
    return "\n".join(lines)


def page(
    found: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
    foreign: Sequence[Mapping[str, Any]] = (),
    spoiled: Sequence[Mapping[str, Any]] = (),
) -> str:
    """docs/accuracy.md: what was measured, how, and how far it can be trusted."""
    results = ["## Results", "", "```", table(found), "```", "", *_folds(found)]
    return "\n".join([_BEGINNING, *results, *_foreign(foreign), *_spoiled(spoiled), *_end(facts)]) + "\n"


def foreign_table(found: Sequence[Mapping[str, Any]]) -> str:
    """A line for each set: shares of clips called unknown, by familiarity and by the highest score alone."""
    lines = [f"{'set':9} {'foreign clips':20} {'unknown %':>9} {'false alarms %':>14} {'by score':>9} {'alarms':>7}"]
    for result in found:
        own, plain = result["familiarity"], result["score"]
        lines.append(
            f"{result['set']:9} {result['foreign']:20} {own['foreign']:9.0f} {own['false_alarms']:14.0f} "
            f"{plain['foreign']:9.0f} {plain['false_alarms']:7.0f}"
        )
    return "\n".join(lines)


def _foreign(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if found:
        yield from ("## Unknown", "", _UNKNOWN, "```", foreign_table(found), "```", "")


def _spoiled(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if found:
        yield from (
            "## Doubtful labels",
            "",
            _SPOILED,
            "| set | clips | spoiled labels | found % |",
            "|---|---|---|---|",
        )
        yield from (f"| {one['set']} | {one['clips']} | {one['spoiled']} | {one['found']:.0f} |" for one in found)
        yield ""


def _folds(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Folds"
    yield ""
    yield "| set | options | clips | UAR of folds | accuracy % | calibration error % | seconds | commit |"
    yield "|---|---|---|---|---|---|---|---|"
    for result in found:
        folds = " ".join(f"{value:.0f}" for value in result["uar_of_folds"])
        yield (
            f"| {result['set']} | {result['options'] or '-'} | {result['clips']} | {folds} | {result['accuracy']:.1f} "
            f"| {result['calibration_error']:.1f} | {result['seconds']} | {result['commit']} |"
        )
    yield ""
    yield "Seconds are those of the run that is shown; what the cache held already is not in them."
    yield ""


def _end(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Where this comes from"
    yield ""
    yield from machine_lines(facts)


def _interval(result: Mapping[str, Any]) -> str:
    ends = result["interval"]
    return "-" if ends is None else f"{ends[0]:.0f} to {ends[1]:.0f}"


def _or_none(value: float | None) -> str:
    return "-" if value is None else f"{round(value, 1):g}"
