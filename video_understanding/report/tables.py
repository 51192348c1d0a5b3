"""Tables of a report: classes, subjects, what is taken for what, and conditions; shares have bars beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from video_understanding.evaluation.text import head_of, many, percent, tail_of
from video_understanding.recognition.text import clock
from video_understanding.report.carried import STYLES, Stretch, mean_share, noun, takings
from video_understanding.report.markup import Html, Inside, joined, tag
from video_understanding.report.style import DARK, LIGHT, needs_white

LARGEST_MATRIX = 60  # classes; more of them are told as pairs
_FEW = 8  # classes whose cells may be large
_SHOWN = 20
_SPANS = 500  # of a file of hours
_PAIRS = 20
_NAME_LETTERS = 40
_SHORT_NAME_LETTERS = 24
_STACKED = ("bars", "words")  # styles of tables whose rows become blocks on a phone, each value with its name


class _Cell(NamedTuple):
    """A cell with a style of its own."""

    inside: Inside
    style: str | None = None


def class_table(classes: Sequence[Mapping[str, Any]]) -> Html:
    """How each class was recognised, recall as a bar."""
    ranked = "average_precision" in classes[0]
    shares = ["recall\u00a0%", "precision\u00a0%", "F1\u00a0%", *(["AP\u00a0%"] if ranked else [])]
    names = ["class", *shares, "clips", "said"]
    keys = ["precision", "f1", *(["average_precision"] if ranked else [])]
    rows = [
        [found["name"], _bar(found["recall"]), *(percent(found[k]) for k in keys), found["clips"], found["said"]]
        for found in classes
    ]
    return _folded("by class", names, rows, "class", "bars")


def subject_table(subjects: Sequence[Mapping[str, Any]]) -> Html:
    """The result of each subject, the least accurate first, accuracy as a bar."""
    rows = [[found["subject"], _bar(found["accuracy"]), percent(found["uar"]), found["clips"]] for found in subjects]
    return _folded("by subject", ["subject", "accuracy\u00a0%", "UAR\u00a0%", "clips"], rows, "subject", "bars")


def span_table(head: str, stretches: Sequence[Stretch], modalities: Sequence[str]) -> Html:
    """What one head answers when, how surely, how surely with one modality less, and which modality carried it."""
    several = any(moment.without for stretch in stretches for moment in stretch.moments)
    taken = takings(modalities) if several else []
    parts = [" : ".join(map(noun, modalities)), *(f"{one.words}\u00a0%" for one in taken)] if several else []
    names = ["when", head, "sure\u00a0%", *parts]
    rows = []
    for stretch in stretches[:_SPANS]:
        span, answer = stretch.span, stretch.span.answer
        nearest = f" (nearest {_name(answer.nearest)})" if answer.nearest is not None else ""
        cells = [f"{clock(span.start_s)} to {clock(span.end_s)}", f"{_name(answer.words)}{nearest}"]
        cells.append(percent(span.confidence))
        if several:
            is_asked = any(moment.drop for moment in stretch.moments)
            cells.append(_parts_bar(mean_share(stretch.moments), modalities, "either" if is_asked else "-"))
            cells += [percent(stretch.sure_without(one.modality)) for one in taken]
        rows.append(cells)
    table = _folded(f"{head} over time", names, rows, "span", "bars spans")
    left = len(stretches) - _SPANS
    words = f"{many(left, 'span')} more: `vu predict --segments-csv` has all."
    more = tag("p", words, class_="quiet") if left > 0 else None
    return joined([table, more])


def condition_table(conditions: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Html:
    """The conditions of `Robustness.to_dict()`: for each head UAR, as a bar, and accuracy."""
    heads = list(next(iter(conditions.values())))
    names = ["condition", *(f"{head} {measure}\u00a0%" for head in heads for measure in ("UAR", "accuracy"))]
    rows = [
        [
            condition,
            *(cell for head in heads for cell in (_bar(found[head]["uar"]), percent(found[head]["accuracy"]))),
        ]
        for condition, found in conditions.items()
    ]
    return _table("robustness", names, rows, "bars whole")


def fold_table(folds: Sequence[Mapping[str, Any]]) -> Html:
    """The folds one below the other, UAR as a bar."""
    ranked = any(fold["mean_average_precision"] is not None for fold in folds)
    keys = ["accuracy", "macro_f1", *(["mean_average_precision"] if ranked else []), "calibration_error"]
    names = ["accuracy\u00a0%", "macro F1\u00a0%", *(["mAP\u00a0%"] if ranked else []), "calibration error"]
    rows = [
        [f"{fold['fold']}", _bar(fold["uar"]), *(percent(fold[key]) for key in keys), fold["clips"], fold["groups"]]
        for fold in folds
    ]
    groups = sorted({fold["group"] for fold in folds})
    return _folded(
        "by fold",
        ["fold", "UAR\u00a0%", *names, "clips", " or ".join(f"{group}s" for group in groups)],
        rows,
        "fold",
        "bars",
    )


def spread_table(spreads: Mapping[str, Mapping[str, float | None]]) -> Html:
    """How values lie apart: a line for each measure with the five numbers of a `Spread`."""
    keys = ("mean", "std", "min", "median", "max")
    rows = [[measure, *(percent(found[key]) for key in keys)] for measure, found in spreads.items()]
    return _table("spread", ["%", *keys], rows)


def bin_table(points: Sequence[Mapping[str, Any]]) -> Html:
    """The numbers of a reliability diagram."""
    rows = [
        [f"{percent(p['low'])} to {percent(p['high'])}", p["clips"], percent(p["confidence"]), percent(p["accuracy"])]
        for p in points
    ]
    return _table("confidence against accuracy", ["confidence\u00a0%", "clips", "sure\u00a0%", "right\u00a0%"], rows)


def mistake_table(mistakes: Sequence[Mapping[str, Any]]) -> Html:
    """The mistakes made with most confidence, by the names of their clips."""
    rows = [
        [
            tail_of(found["path"], _NAME_LETTERS),
            _name(found["true"]),
            _name(found["said"]),
            percent(found["confidence"]),
        ]
        for found in mistakes
    ]
    return _table("mistakes", ["clip", "is", "said to be", "sure\u00a0%"], rows, "words")


def confusion_table(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> Html:
    """Clips of the class of each row that were said to be of the class of each column; pairs, if classes are many."""
    if len(classes) > LARGEST_MATRIX:
        rows = [[classes[true], _name(classes[said]), count] for count, true, said in confused(matrix)[:_PAIRS]]
        return _table("most often taken for another", ["is", "said to be", "clips"], rows)
    names = [tag("th", tag("span", head_of(name, _SHORT_NAME_LETTERS)), scope="col", title=name) for name in classes]
    rows = [
        tag(
            "tr",
            _row_name(name, _SHORT_NAME_LETTERS),
            [_cell(count, sum(counts), true == said) for said, count in enumerate(counts)],
        )
        for true, (name, counts) in enumerate(zip(classes, matrix, strict=True))
    ]
    style = "confusion roomy" if len(classes) <= _FEW else "confusion"
    top = tag("thead", tag("tr", tag("th", "is \\ said to be", scope="col"), names))
    return _scrolling("what is taken for what", tag("table", top, tag("tbody", rows), class_=style))


def confused(matrix: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    """(clips, true class, said class) of all that was taken for another, the most frequent first."""
    pairs = [
        (count, true, said)
        for true, counts in enumerate(matrix)
        for said, count in enumerate(counts)
        if count and true != said
    ]
    return sorted(pairs, key=lambda pair: -pair[0])


def _cell(count: int, clips: int, right: bool) -> Html:
    """As dark as its share of the row; empty where it is zero."""
    if not count:
        return tag("td", class_="right" if right else None)
    share = count / clips
    styles = [
        *(["right"] if right else []),
        *(["light"] if needs_white(share, LIGHT) else []),
        *([] if needs_white(share, DARK) else ["dark"]),
    ]
    return tag("td", count, class_=" ".join(styles) or None, style=f"--s:{share:.2f}")


def _bar(share: float | None) -> _Cell:
    length = f"width:{100 * (share or 0):.1f}%"
    bar = tag("i", tag("b", style=length), aria_hidden="true")
    return _Cell(tag("div", bar, tag("span", percent(share))), "bar")


def _parts_bar(share: Mapping[str, float] | None, modalities: Sequence[str], otherwise: str) -> _Cell:
    """The parts of the modalities as one bar of their colours; other words where there are none."""
    if share is None:
        return _Cell(otherwise)
    parts = [round(100 * share.get(name, 0.0)) for name in modalities]
    inside = [
        tag("b", style=f"width:{part}%", class_=style if place else None)
        for place, (part, style) in enumerate(zip(parts[:-1], STYLES, strict=False))
    ]
    bar = tag("i", inside, class_=f"parts {STYLES[len(parts) - 1]}", aria_hidden="true")
    return _Cell(tag("div", bar, tag("span", " : ".join(map(str, parts)))), "bar")


def _name(text: str) -> str:
    return head_of(text, _NAME_LETTERS)


def _row_name(text: str, letters: int = _NAME_LETTERS) -> Html:
    """The heading of a row; the whole of a name that is cut short is told where the pointer rests."""
    return tag("th", head_of(text, letters), scope="row", title=text if len(text) > letters else None)


def _folded(label: str, names: Sequence[str], rows: Sequence[Sequence[Inside | _Cell]], what: str, style: str) -> Html:
    """The first rows; the others where they are asked for."""
    first = _table(label, names, rows[:_SHOWN], style)
    rest = rows[_SHOWN:]
    if not rest:
        return first
    more = tag("summary", f"{many(len(rest), what)} more")
    return Html(first + tag("details", more, _table(f"{label}, the others", names, rest, style)))


def _table(
    label: str, names: Sequence[str], rows: Sequence[Sequence[Inside | _Cell]], style: str | None = None
) -> Html:
    top = tag("thead", tag("tr", [tag("th", name, scope="col") for name in names]))
    stacked = style is not None and style.split()[0] in _STACKED
    lines = []
    for row in rows:
        cells = [cell if isinstance(cell, _Cell) else _Cell(cell) for cell in row[1:]]
        named = [
            tag("td", cell.inside, class_=cell.style, data_name=name if stacked else None)
            for name, cell in zip(names[1:], cells, strict=True)
        ]
        lines.append(tag("tr", _row_name(row[0]), named))
    return _scrolling(label, tag("table", top, tag("tbody", lines), class_=style))


def _scrolling(label: str, table: Html) -> Html:
    """A table wider than the screen is moved by itself, with the keyboard as well; the page stays."""
    return tag("div", table, class_="wide", role="region", aria_label=label, tabindex=0)
