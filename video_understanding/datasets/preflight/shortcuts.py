"""Shortcuts: technical attributes of the files that predict the label, without any content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.preflight.report import PROBLEM, WARNING, Finding, FoundRow
from video_understanding.datasets.preflight.scan import Facts, Scanned
from video_understanding.datasets.rows import short_names

_STRONG = 0.15  # of the label's entropy is removed: of two classes one is right in 72 of 100 clips
_FEWEST_CLIPS = 10
_FEWEST_SUBJECTS = 3
_RARE = 0.01  # p value: the share of shuffled labels that depend on the attribute as strongly
_SHUFFLES = 500
_SEED = 0
_PRIOR_CLIPS = 2.0  # weight of the stratum's label frequencies, as a number of clips


class _Case(NamedTuple):
    """A labelled clip with its value of an attribute, and the group that is left out when it is predicted.

    value       as words of a sentence, such as "without a sound track"
    source      the data set the clip is from
    group       its subject or file
    """

    clip: Scanned
    label: str
    value: str
    source: str
    group: int


class _Attribute(NamedTuple):
    """A technical attribute; `values` maps clips to their values, None where the attribute does not apply."""

    kind: str
    name: str
    values: Callable[[Sequence[Scanned]], list[str | None]]
    severity: str
    cure: str


def find_shortcuts(scans: Sequence[Scanned]) -> Iterator[Finding]:
    """The attributes that predict a label of any head, for unseen subjects of the same source.

    Where labels differ between sources, every technical difference between the sources predicts the label
    too: that is reported once, for the source.
    """
    read = [scan for scan in scans if scan.error is None]
    groups = group_rows([scan.row for scan in read])
    names = short_names(scan.row.root for scan in read)
    for head in dict.fromkeys(head for scan in read for head in scan.row.labels):
        cases = [
            _Case(scan, scan.row.labels[head], f"from {names[scan.row.root]}", names[scan.row.root], group)
            for scan, group in zip(read, groups, strict=True)
            if head in scan.row.labels
        ]
        explained = []
        for attribute in _ATTRIBUTES:
            values = attribute.values([case.clip for case in cases])
            known = [case._replace(value=value) for case, value in zip(cases, values, strict=True) if value is not None]
            predictive = _predictive_value(known, [case.source for case in known])
            if predictive:
                yield _finding(attribute, head, known, predictive)
            elif len(names) > 1 and _predictive_value(known):
                explained.append(attribute.name)
        predictive = _predictive_value(cases)
        if predictive:
            yield _source_finding(head, cases, predictive, explained)


def _finding(attribute: _Attribute, head: str, cases: Sequence[_Case], value: str) -> Finding:
    label = _predicted_label(cases, value)
    having = sorted((case for case in cases if case.value == value), key=lambda case: case.label != label)
    return Finding(
        attribute.kind,
        attribute.severity,
        f"The {attribute.name} predicts the {head}: {_sentence(cases, value)}.",
        attribute.cure,
        tuple(FoundRow.of(case.clip.row, case.label) for case in having),
    )


def _source_finding(head: str, cases: Sequence[_Case], value: str, explained: Sequence[str]) -> Finding:
    sources_of: dict[str, set[str]] = {}
    for case in cases:
        sources_of.setdefault(case.label, set()).add(case.source)
    alone = sum(len(sources) == 1 for sources in sources_of.values())
    classes = f"{alone} of {len(sources_of)} classes come from one source only" if alone else _sentence(cases, value)
    more = f"; and with it so does the {', the '.join(explained)}" if explained else ""
    return Finding(
        "shortcut_source",
        WARNING,
        f"The source of a clip predicts the {head}: {classes}{more}.",
        "Take clips of each class from each source, or measure each source by itself.",
    )


def _sentence(cases: Sequence[_Case], value: str) -> str:
    """Such as "of 31 clips without a sound track 26 are no_fight", and the label's share in all clips."""
    label = _predicted_label(cases, value)
    here = [case.label for case in cases if case.value == value]
    subjects = len({case.group for case in cases if case.value == value})
    usual = sum(case.label == label for case in cases) / len(cases)
    return (
        f"of {len(here)} clips {value}, which come from {subjects} subjects or files, {here.count(label)} are {label} "
        f"(of all {len(cases)} clips {100 * usual:.0f} %)"
    )


def _predicted_label(cases: Sequence[_Case], value: str) -> str:
    """The label that is more frequent with this value than with others."""
    usual = Counter(case.label for case in cases)
    here = Counter(case.label for case in cases if case.value == value)
    return max(here, key=lambda label: here[label] * np.log(here[label] / usual[label] * len(cases) / here.total()))


def _predictive_value(cases: Sequence[_Case], strata: Sequence[str] | None = None) -> str | None:
    """The value that predicts the label best inside each stratum, if it is strong and significant."""
    if len({case.label for case in cases}) < 2 or len({case.value for case in cases}) < 2:
        return None
    names, values = np.unique([case.value for case in cases], return_inverse=True)  # [V], [N]
    labels = np.unique([case.label for case in cases], return_inverse=True)[1]  # [N]
    inside = np.unique(strata or [""] * len(cases), return_inverse=True)[1]  # [N]
    unknown = _entropy(labels, inside) - _entropy(inside)
    groups = np.array([case.group for case in cases])  # [N]
    gain = _gain_from_others(labels, _crossed(inside, values), inside, groups)  # [N]
    clips = np.bincount(values)  # [V]
    subjects = np.bincount(np.unique([values, groups], axis=1)[0])  # [V]
    gain_of = np.bincount(values, gain)  # [V]
    strong = (gain_of >= max(_STRONG * unknown, 1e-9) * clips) & (clips >= _FEWEST_CLIPS)
    strong &= subjects >= _FEWEST_SUBJECTS
    if not strong.any() or _p_value(labels, values, inside) >= _RARE:
        return None
    return str(names[np.where(strong, gain_of, -np.inf).argmax()])


def _gain_from_others(labels: np.ndarray, cells: np.ndarray, inside: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """float [N], in nats: how much better clips of other groups predict each label when the value is given too.

    `cells` numbers the value within the stratum, `inside` the stratum. A value of one subject only predicts
    nothing for others, and so has no gain.
    """
    of_cell = np.zeros((cells.max() + 1, labels.max() + 1))  # [C,L]
    of_stratum = np.zeros((inside.max() + 1, labels.max() + 1))  # [S,L]
    np.add.at(of_cell, (cells, labels), 1)
    np.add.at(of_stratum, (inside, labels), 1)
    gain = np.empty(len(labels))  # [N]
    order = np.argsort(groups, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        np.subtract.at(of_cell, (cells[own], labels[own]), 1)
        np.subtract.at(of_stratum, (inside[own], labels[own]), 1)
        usual = of_stratum[inside[own]] + 1  # [n,L]; no label gets a probability of zero
        usual /= usual.sum(axis=1, keepdims=True)
        known = of_cell[cells[own]] + _PRIOR_CLIPS * usual  # [n,L]
        known /= known.sum(axis=1, keepdims=True)
        gain[own] = np.log(known / usual)[np.arange(len(own)), labels[own]]
        np.add.at(of_cell, (cells[own], labels[own]), 1)
        np.add.at(of_stratum, (inside[own], labels[own]), 1)
    return gain


def _p_value(labels: np.ndarray, values: np.ndarray, inside: np.ndarray) -> float:
    """Permutation test: the share of shuffles inside the strata that depend on the values as strongly."""
    rng = np.random.default_rng(_SEED)
    together = _entropy(labels, values, inside)  # the lower, the stronger their dependence
    order = np.argsort(inside, kind="stable")
    as_strong = 0
    for _ in range(_SHUFFLES):
        shuffled = labels.copy()
        shuffled[order] = labels[np.lexsort((rng.random(len(labels)), inside))]
        as_strong += _entropy(shuffled, values, inside) <= together + 1e-12
    return (as_strong + 1) / (_SHUFFLES + 1)


def _entropy(*codes: np.ndarray) -> float:
    """Joint entropy of the codes int [N], in nats."""
    shares = np.unique(_crossed(*codes), return_counts=True)[1] / len(codes[0])
    return float(-(shares * np.log(shares)).sum())


def _crossed(*codes: np.ndarray) -> np.ndarray:
    """int [N]: a number for each combination of codes."""
    crossed = codes[0]
    for code in codes[1:]:
        crossed = crossed * (code.max() + 1) + code
    return crossed


def _of_facts(value_of: Callable[[Facts], str | None]) -> Callable[[Sequence[Scanned]], list[str | None]]:
    return lambda clips: [value_of(clip.facts) for clip in clips]


def _silence(clips: Sequence[Scanned]) -> list[str | None]:
    return [
        ("with digital silence" if clip.silent else "with audible sound") if clip.facts.sound_codec else None
        for clip in clips
    ]


def _quarter_of_duration(clips: Sequence[Scanned]) -> list[str | None]:
    durations_s = [None if clip.facts.duration_s is None else round(clip.facts.duration_s, 1) for clip in clips]
    known = [duration_s for duration_s in durations_s if duration_s is not None]
    borders_s = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]) if known else []

    def quarter(duration_s: float) -> str:
        place = int(np.searchsorted(borders_s[1:4], duration_s))
        return f"of {borders_s[place]:.1f} to {borders_s[place + 1]:.1f} s"

    return [None if duration_s is None else quarter(duration_s) for duration_s in durations_s]


_MODALITY_CURE = (
    "A model will learn this instead of the content: add clips until each class has both kinds, or leave this "
    "modality out of all of them, and evaluate the model without it."
)
_FORM_CURE = (
    "A model may learn this instead of the content: choose clips so that each class has the same mix, or convert "
    "all to one form."
)
_ATTRIBUTES = (
    _Attribute(
        "shortcut_picture",
        "presence of a picture",
        _of_facts(lambda facts: "with a picture" if facts.picture_codec else "without a picture"),
        PROBLEM,
        _MODALITY_CURE,
    ),
    _Attribute(
        "shortcut_sound",
        "presence of a sound track",
        _of_facts(lambda facts: "with a sound track" if facts.sound_codec else "without a sound track"),
        PROBLEM,
        _MODALITY_CURE,
    ),
    _Attribute("shortcut_silence", "silence of the sound track", _silence, PROBLEM, _MODALITY_CURE),
    _Attribute(
        "shortcut_size",
        "size of the picture",
        _of_facts(lambda facts: "of {}x{} pixels".format(*facts.size_px) if facts.size_px else None),
        WARNING,
        _FORM_CURE,
    ),
    _Attribute(
        "shortcut_frame_rate",
        "frame rate",
        _of_facts(lambda facts: f"at {facts.frames_hz:.0f} frames/s" if facts.frames_hz else None),
        WARNING,
        _FORM_CURE,
    ),
    _Attribute(
        "shortcut_format",
        "format of the picture",
        _of_facts(lambda facts: f"with {facts.picture_codec} in {facts.container}" if facts.picture_codec else None),
        WARNING,
        _FORM_CURE,
    ),
    _Attribute(
        "shortcut_sound_format",
        "format of the sound",
        _of_facts(lambda facts: f"with {facts.sound_codec} sound" if facts.sound_codec else None),
        WARNING,
        _FORM_CURE,
    ),
    _Attribute("shortcut_duration", "duration", _quarter_of_duration, WARNING, _FORM_CURE),
)
