"""Does something technical give the label away, so that a model need neither look nor listen?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from video_understanding.datasets.grouping import group_rows
from video_understanding.datasets.preflight.report import PROBLEM, WARNING, Finding, FoundRow
from video_understanding.datasets.preflight.scan import Facts, Scanned
from video_understanding.datasets.rows import short_names

_STRONG = 0.15  # of the uncertainty about the label goes away: of two classes one is right in 72 of 100 clips
_FEWEST_CLIPS = 10
_FEWEST_SUBJECTS = 3
_RARE = 0.01  # of shuffled labels go together with the attribute as well
_SHUFFLES = 500
_SEED = 0
_DOUBT_CLIPS = 2.0  # so many clips of a value count as much as not knowing the value


class _Case(NamedTuple):
    """A labelled clip, what it has of an attribute, and who or what it must not be known by.

    value       in the words of a sentence, such as "without a sound track"
    source      the data set the clip is from
    group       its subject or file
    """

    clip: Scanned
    label: str
    value: str
    source: str
    group: int


class _Attribute(NamedTuple):
    """Something technical; `values` says what each clip has of it, or None where the question makes no sense."""

    kind: str
    name: str
    values: Callable[[Sequence[Scanned]], list[str | None]]
    severity: str
    cure: str


def find_shortcuts(scans: Sequence[Scanned]) -> Iterator[Finding]:
    """The attributes that tell a label of any head, for unseen subjects of the same source.

    Where labels differ between sources, all that differs technically between the sources tells the label
    too: that is said once, as the source's doing.
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
            telling = _telling_value(known, [case.source for case in known])
            if telling:
                yield _finding(attribute, head, known, telling)
            elif len(names) > 1 and _telling_value(known):
                explained.append(attribute.name)
        telling = _telling_value(cases)
        if telling:
            yield _source_finding(head, cases, telling, explained)


def _finding(attribute: _Attribute, head: str, cases: Sequence[_Case], value: str) -> Finding:
    label = _label_told(cases, value)
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
    said = f"{alone} of {len(sources_of)} classes come from one source only" if alone else _sentence(cases, value)
    more = f"; and with it so does the {', the '.join(explained)}" if explained else ""
    return Finding(
        "shortcut_source",
        WARNING,
        f"The source of a clip predicts the {head}: {said}{more}.",
        "Take clips of each class from each source, or measure each source by itself.",
    )


def _sentence(cases: Sequence[_Case], value: str) -> str:
    """Such as "of 31 clips without a sound track 26 are no_fight", and how often it is so elsewhere."""
    label = _label_told(cases, value)
    here = [case.label for case in cases if case.value == value]
    subjects = len({case.group for case in cases if case.value == value})
    usual = sum(case.label == label for case in cases) / len(cases)
    return (
        f"of {len(here)} clips {value}, which come from {subjects} subjects or files, {here.count(label)} are {label} "
        f"(of all {len(cases)} clips {100 * usual:.0f} %)"
    )


def _label_told(cases: Sequence[_Case], value: str) -> str:
    """The label that goes with this value more than with others."""
    usual = Counter(case.label for case in cases)
    here = Counter(case.label for case in cases if case.value == value)
    return max(here, key=lambda label: here[label] * np.log(here[label] / usual[label] * len(cases) / here.total()))


def _telling_value(cases: Sequence[_Case], strata: Sequence[str] | None = None) -> str | None:
    """The value that tells most of the label inside each stratum, if one tells much and not by chance."""
    if len({case.label for case in cases}) < 2 or len({case.value for case in cases}) < 2:
        return None
    names, values = np.unique([case.value for case in cases], return_inverse=True)  # [V], [N]
    labels = np.unique([case.label for case in cases], return_inverse=True)[1]  # [N]
    inside = np.unique(strata or [""] * len(cases), return_inverse=True)[1]  # [N]
    unknown = _entropy(labels, inside) - _entropy(inside)
    groups = np.array([case.group for case in cases])  # [N]
    told = _told_by_others(labels, _crossed(inside, values), inside, groups)  # [N]
    clips = np.bincount(values)  # [V]
    subjects = np.bincount(np.unique([values, groups], axis=1)[0])  # [V]
    told_by = np.bincount(values, told)  # [V]
    strong = (told_by >= max(_STRONG * unknown, 1e-9) * clips) & (clips >= _FEWEST_CLIPS)
    strong &= subjects >= _FEWEST_SUBJECTS
    if not strong.any() or _luck(labels, values, inside) >= _RARE:
        return None
    return str(names[np.where(strong, told_by, -np.inf).argmax()])


def _told_by_others(labels: np.ndarray, cells: np.ndarray, inside: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """float [N], in nats: how much better the clips of other groups tell each label when the value is known too.

    `cells` numbers the value within the stratum, `inside` the stratum. What only one subject has tells
    nothing of others, and so counts for nothing.
    """
    of_cell = np.zeros((cells.max() + 1, labels.max() + 1))  # [C,L]
    of_stratum = np.zeros((inside.max() + 1, labels.max() + 1))  # [S,L]
    np.add.at(of_cell, (cells, labels), 1)
    np.add.at(of_stratum, (inside, labels), 1)
    told = np.empty(len(labels))  # [N]
    order = np.argsort(groups, kind="stable")
    for own in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        np.subtract.at(of_cell, (cells[own], labels[own]), 1)
        np.subtract.at(of_stratum, (inside[own], labels[own]), 1)
        usual = of_stratum[inside[own]] + 1  # [n,L]; no label is thought impossible
        usual /= usual.sum(axis=1, keepdims=True)
        known = of_cell[cells[own]] + _DOUBT_CLIPS * usual  # [n,L]
        known /= known.sum(axis=1, keepdims=True)
        told[own] = np.log(known / usual)[np.arange(len(own)), labels[own]]
        np.add.at(of_cell, (cells[own], labels[own]), 1)
        np.add.at(of_stratum, (inside[own], labels[own]), 1)
    return told


def _luck(labels: np.ndarray, values: np.ndarray, inside: np.ndarray) -> float:
    """How often labels shuffled inside the strata go together with the values as well as they are."""
    rng = np.random.default_rng(_SEED)
    together = _entropy(labels, values, inside)  # the less uncertain, the more they have to do with each other
    order = np.argsort(inside, kind="stable")
    luckier = 0
    for _ in range(_SHUFFLES):
        shuffled = labels.copy()
        shuffled[order] = labels[np.lexsort((rng.random(len(labels)), inside))]
        luckier += _entropy(shuffled, values, inside) <= together + 1e-12
    return (luckier + 1) / (_SHUFFLES + 1)


def _entropy(*codes: np.ndarray) -> float:
    """In nats: how uncertain the codes int [N] are, taken together."""
    shares = np.unique(_crossed(*codes), return_counts=True)[1] / len(codes[0])
    return float(-(shares * np.log(shares)).sum())


def _crossed(*codes: np.ndarray) -> np.ndarray:
    """int [N]: a number for each combination of codes."""
    crossed = codes[0]
    for code in codes[1:]:
        crossed = crossed * (code.max() + 1) + code
    return crossed


def _of_facts(say: Callable[[Facts], str | None]) -> Callable[[Sequence[Scanned]], list[str | None]]:
    return lambda clips: [say(clip.facts) for clip in clips]


def _silence(clips: Sequence[Scanned]) -> list[str | None]:
    return [
        ("with digital silence" if clip.silent else "with sound to be heard") if clip.facts.sound_codec else None
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


_SENSE_CURE = (
    "A model will learn this instead of what is seen and heard: add clips until each class has both kinds, or leave "
    "this modality out of all of them, and measure the model without it."
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
        _SENSE_CURE,
    ),
    _Attribute(
        "shortcut_sound",
        "presence of a sound track",
        _of_facts(lambda facts: "with a sound track" if facts.sound_codec else "without a sound track"),
        PROBLEM,
        _SENSE_CURE,
    ),
    _Attribute("shortcut_silence", "silence of the sound track", _silence, PROBLEM, _SENSE_CURE),
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
