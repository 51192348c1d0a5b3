"""Drawings of a report, as SVG that takes its colours from the page: light or dark, sharp at any size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from video_understanding.evaluation.text import percent
from video_understanding.report.markup import Html, tag

History = Mapping[str, Sequence[float]]
Place = Callable[[float], float]  # from a value to pixels

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 360.0, 46.0, 14.0, 32.0, 46.0
_CURVE_HEIGHT, _SCALE_WIDTH, _SCALE_HEIGHT = 240.0, 320.0, 24.0
_STEPS = 4  # lines of the grid above zero
_MANY_EPOCHS = 40  # with more of them a dot for each would hide the line
_LARGEST_DOT, _SMALLEST_DOT = 11.0, 3.5


def scale(name: str, value: float, interval: Sequence[float] | None, guess: float) -> Html:
    """A share on a track from 0 to 100 %: a dot, the band of its interval, and a line where guessing is."""
    across = _places(0, 1, 0, _SCALE_WIDTH)
    middle = _SCALE_HEIGHT / 2
    words, band = "", None
    if interval:
        low, high = map(across, interval)
        band = tag("rect", class_="band", x=low, y=middle - 7, width=max(high - low, 1.0), height=14, rx=4)
        words = f", 95 % interval {percent(interval[0])} to {percent(interval[1])}"
    return _drawing(
        f"{name} {percent(value)} %{words}; by guessing {percent(guess)} %",
        _SCALE_WIDTH,
        _SCALE_HEIGHT,
        tag("rect", class_="track", x=0, y=middle - 2, width=_SCALE_WIDTH, height=4, rx=2),
        band,
        tag("line", class_="mark", x1=across(guess), x2=across(guess), y1=middle - 9, y2=middle + 9),
        tag("circle", class_="one", cx=across(value), cy=middle, r=5.5),
    )


def fold_dots(name: str, values: Sequence[float]) -> Html:
    """The share of each fold as a dot on a track from 0 to 100 %, the band they span, and a line at their mean."""
    across = _places(0, 1, 0, _SCALE_WIDTH)
    middle, mean = _SCALE_HEIGHT / 2, sum(values) / len(values)
    low, high = across(min(values)), across(max(values))
    span = f"from {percent(min(values))} to {percent(max(values))} %"
    return _drawing(
        f"{name} of {len(values)} folds: mean {percent(mean)} %, {span}",
        _SCALE_WIDTH,
        _SCALE_HEIGHT,
        tag("rect", class_="track", x=0, y=middle - 2, width=_SCALE_WIDTH, height=4, rx=2),
        tag("rect", class_="band", x=low, y=middle - 7, width=max(high - low, 1.0), height=14, rx=4),
        tag("line", class_="mean", x1=across(mean), x2=across(mean), y1=middle - 9, y2=middle + 9),
        [tag("circle", class_="one", cx=across(value), cy=middle, r=4.0) for value in values],
    )


def curve_panels(history: History) -> tuple[list[Html], int] | None:
    """Loss and accuracies over the epochs, a figure for each, and the best epoch, counted from 1.

    `history` is that of `keras.Model.fit`. The best epoch has the lowest "val_loss", or "loss" where there is no
    validation part; without any loss there is nothing to draw.
    """
    watched = [
        value if math.isfinite(value) else math.inf for value in history.get("val_loss") or history.get("loss") or ()
    ]
    if min(watched, default=math.inf) == math.inf:
        return None
    best = watched.index(min(watched))
    shares = [name for name in history if name.endswith("accuracy") and not name.startswith("val_")]
    return [_curve_panel(history, name, best) for name in ("loss", *shares)], best + 1


def reliability_diagram(reliability: Mapping[str, Any]) -> Html:
    """How often clips are right (up) against how sure the model is of them (across); a dot for each bin."""
    across, up = _places(0, 1, _LEFT, _WIDTH - _RIGHT), _places(0, 1, _WIDTH - _BOTTOM, _TOP)
    most = max(point["clips"] for point in reliability["points"])
    quarters = [step / _STEPS for step in range(_STEPS + 1)]
    return _drawing(
        f"accuracy against confidence: on average {percent(reliability['confidence'])} % sure, calibration error "
        f"{percent(reliability['error'])} points",
        _WIDTH,
        _WIDTH,
        tag("text", "right", class_="name", x=_LEFT, y=16),
        _grid(up, quarters, _percents),
        [tag("text", _percents(share), x=across(share), y=_WIDTH - 22, text_anchor="middle") for share in quarters],
        tag("text", "sure", class_="name", x=_WIDTH - _RIGHT, y=_WIDTH - 6, text_anchor="end"),
        tag("line", class_="even", x1=across(0), y1=up(0), x2=across(1), y2=up(1)),
        [_bin(point, most, across, up) for point in reliability["points"]],
    )


def _bin(point: Mapping[str, Any], most: int, across: Place, up: Place) -> list[Html]:
    """A dot whose area is as large as the bin has clips, and its distance from where it ought to be."""
    sure, right = point["confidence"], point["accuracy"]
    told = f"{point['clips']} clips: {percent(sure)} % sure, {percent(right)} % right"
    radius = max(_LARGEST_DOT * math.sqrt(point["clips"] / most), _SMALLEST_DOT)
    return [
        tag("line", class_="mark", x1=across(sure), x2=across(sure), y1=up(sure), y2=up(right)),
        tag("circle", tag("title", told), class_="one", cx=across(sure), cy=up(right), r=radius),
    ]


def _curve_panel(history: History, name: str, best: int) -> Html:
    """One value over the epochs, that of the clips learned from and that of validation; `best` counts from 0."""
    learned, validated = list(history[name]), list(history.get(f"val_{name}") or ())
    epochs = max(len(learned), len(validated))
    share = name != "loss"
    highest = 1.0 if share else _round_up(max(filter(math.isfinite, [*learned, *validated]), default=1.0))
    across = _places(0, max(epochs - 1, 1), _LEFT + 10, _WIDTH - _RIGHT)
    up = _places(0, highest, _CURVE_HEIGHT - _BOTTOM, _TOP)
    reached = (validated or learned)[min(best, len(validated or learned) - 1)]
    told = f"{percent(reached)} %" if share else f"{reached:.3f}"
    where = "on validation clips" if validated else "on the clips learned from"
    word = name.replace("_", " ")
    drawing = _drawing(
        f"{word} over {epochs} epochs; in the best, epoch {best + 1}, it is {told} {where}",
        _WIDTH,
        _CURVE_HEIGHT,
        tag("text", word, class_="name", x=_LEFT, y=16),
        _grid(up, [highest * step / _STEPS for step in range(_STEPS + 1)], _percents if share else "{:.3g}".format),
        [
            tag("text", epoch, x=across(epoch - 1), y=_CURVE_HEIGHT - 26, text_anchor="middle")
            for epoch in _told_epochs(epochs)
        ],
        tag("text", "epoch", x=_WIDTH - _RIGHT, y=_CURVE_HEIGHT - 6, text_anchor="end"),
        tag("line", class_="even", x1=across(best), x2=across(best), y1=up(0), y2=up(highest)),
        _line(learned, "one", across, up),
        _line(validated, "other", across, up),
    )
    return tag("figure", drawing, tag("figcaption", f"{told} {where}, epoch {best + 1}"))


def _line(values: Sequence[float], style: str, across: Place, up: Place) -> list[Html]:
    """The values joined by a line that leaves out what is no number."""
    points = [(across(epoch), up(value)) for epoch, value in enumerate(values) if math.isfinite(value)]
    drawn = [tag("polyline", class_=style, points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points))] if points else []
    if len(values) <= _MANY_EPOCHS:
        drawn += [tag("circle", class_=style, cx=x, cy=y, r=2.5) for x, y in points]
    return drawn


def _grid(up: Place, values: Sequence[float], told: Callable[[float], str]) -> list[Html]:
    lines = [tag("line", class_="grid", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=up(v), y2=up(v)) for v in values]
    names = [tag("text", told(v), x=_LEFT - 6, y=up(v) + 4, text_anchor="end") for v in values]
    return [*lines, *names]


def _drawing(words: str, width: float, height: float, *inside: Any) -> Html:
    """An SVG that a screen reader reads as its words."""
    return tag("svg", *inside, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=words)


def _places(low: float, high: float, first: float, last: float) -> Place:
    """Where a value from `low` to `high` lies between the pixels `first` and `last`."""
    return lambda value: first + (value - low) / (high - low) * (last - first)


def _percents(share: float) -> str:
    return f"{100 * share:.0f} %"


def _round_up(value: float) -> float:
    """The next of ..., 0.8, 1, 2, 4, 8, 10, 20, ...: numbers that four steps divide well."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 4, 8, 10) if power * step >= value * (1 - 1e-9))


def _told_epochs(epochs: int) -> list[int]:
    """At most six epochs to name on the axis, in even steps."""
    step = next(s for power in range(7) for s in (10**power, 2 * 10**power, 5 * 10**power) if epochs / s <= 6)
    return [1] if epochs == 1 else [e for e in range(1, epochs + 1) if (e % step == 0) or step == 1]
