"""The results as text and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.accuracy.sets import SETS
from benchmarks.tables import machine_lines
from video_understanding.spec import NetworkSpec

_BEGINNING = """# Accuracy

How well clips of people, places and recordings are recognised that the model has never met. Made by
`make accuracy`, which goes on where it was stopped; the sets are not part of the project.

- **Folds** are those the sets come with, by subject. UAR is the mean recall of the classes, its mean over
  the folds is told.
- **Settings** come from a small grid (`GRID` in `benchmarks/accuracy/measure.py`), chosen for each test fold
  by leaving out each of its training folds in turn (`choose.py`). The test fold never takes part.
- **One spec for all sets:** windows of 2 s, 5 frames a second of 160x160 pixels, hops of 1 s; a frozen
  EfficientNet-Lite0 looks, the frozen listener "separable" listens, tokens of 96 numbers with motion. A clip's
  answer is the mean of its windows'. The listener has heard the sound of these sets but RAVDESS, without labels.
  Fights are seen nearer, at `zoom` 4, and their pictures keep their shape; so are faces in Javanese, at `zoom` 2.
- **Looks:** a training learns from what is seen and heard of its clips as they are, and changed at random, twice. Of
  people who speak it also hears the same as if all had one usual voice (`alike.py`: each by their own clips, without
  labels).
- **The person known:** the model was made used to half of a person's clips, without their labels, as
  `vu personalise` does, and is judged by the other half; each half once.
- **Learned from** both senses or one. A model of both is also tested with one sense taken away.
- **Goal** is what was aimed at, **floor** logistic regression on simple features (ImageNet features of
  frames, statistics of the log-mel). Intervals (95 %) draw subjects again.
"""
_ASKED = {"both": "sound and picture", "video": "picture", "audio": "sound", "person": "the person known"}


def table(found: Sequence[Mapping[str, Any]]) -> str:
    """A line for each result: the set, what was learned from and what was there at test time, UAR with its interval."""
    lines = [
        f"{'set':9} {'joined by':16} {'learned from':18} {'tested with':18} {'UAR %':>6} {'95 %':>11} "
        f"{'accuracy':>8} {'goal':>5} {'floor':>5}"
    ]
    for told in found:
        own = SETS[told["set"]]
        for asked, result in told["results"].items():
            whole = told["learned"] in ("both", asked) and (told["learned"] != "both" or asked == "both")
            goal = own.goals.get(asked) if whole else None
            lines.append(
                f"{told['set']:9} {told['fusion']:16} {_ASKED[told['learned']]:18} {_ASKED[asked]:18} "
                f"{result['uar']:6.1f} {_interval(result):>11} {result['accuracy']:8.1f} {_or_none(goal):>5} "
                f"{_or_none(own.floors.get(asked)):>5}"
            )
    return "\n".join(lines)


def page(found: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> str:
    """docs/accuracy.md: what was measured, how, and how far it can be trusted."""
    return "\n".join([*_beginning(), *_results(found), *_fusions(found), *_folds(found), *_end(found, facts)]) + "\n"


def _beginning() -> Iterator[str]:
    yield _BEGINNING


def _results(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Results"
    yield ""
    yield "```"
    yield table(found)
    yield "```"
    yield ""


def _fusions(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """For each set on which all ways of joining were tried: whether one of them is better than the default."""
    for name in sorted({told["set"] for told in found}):
        own = [told for told in found if (told["set"], told["learned"]) == (name, "both")]
        tried = {told["fusion"]: told["results"]["both"] for told in own}
        if len(tried) < 2:
            continue
        default = tried[NetworkSpec().fusion]
        best = max(tried, key=lambda fusion: tried[fusion]["uar"])
        low, high = default["uar_interval"]
        apart = "beyond" if tried[best]["uar"] > high else "within"
        yield (
            f"**Ways of joining, {name}:** the best of {len(tried)} is {best} with {tried[best]['uar']:.1f}; the "
            f"default, {NetworkSpec().fusion}, has {default['uar']:.1f}, and the best is {apart} its interval of "
            f"{low:.0f} to {high:.0f}."
        )
        yield ""


def _folds(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "## Folds, subjects, choices"
    yield ""
    yield "Accuracy of subjects: the lowest, the median and the highest."
    yield ""
    yield "| set | joined by | learned from | tested with | UAR of folds | accuracy of subjects | chosen |"
    yield "|---|---|---|---|---|---|---|"
    for told in found:
        chosen = ", ".join(choice["candidate"] for choice in told["chosen"].values())
        for asked, result in told["results"].items():
            folds = " ".join(f"{value:.0f}" for value in result["uar_of_folds"])
            subjects = " - ".join(f"{value:.0f}" for value in result["accuracy_of_subjects"])
            yield (
                f"| {told['set']} | {told['fusion']} | {_ASKED[told['learned']]} | {_ASKED[asked]} | {folds} "
                f"| {subjects} ({result['subjects']} subjects) | {chosen} |"
            )
    yield ""


def _end(found: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Where this comes from"
    yield ""
    yield "Seconds are those of the run that ended it, on one thread; what was done before and kept is not in them."
    yield ""
    yield "| set | learned from | joined by | seeds | commit | seconds | command |"
    yield "|---|---|---|---|---|---|---|"
    for told in found:
        yield (
            f"| {told['set']} | {_ASKED[told['learned']]} | {told['fusion']} | {told['seeds']} | {told['commit']} "
            f"| {told['seconds']} | `{told['command']}` |"
        )
    yield ""
    yield from machine_lines(facts)


def _interval(result: Mapping[str, Any]) -> str:
    ends = result["uar_interval"]
    return "-" if ends is None else f"{ends[0]:.0f} to {ends[1]:.0f}"


def _or_none(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
