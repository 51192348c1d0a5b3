"""Pictures of a training: how it went, epoch by epoch, and what is taken for what in the end."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from video_understanding.errors import VideoUnderstandingError, missing_extra
from video_understanding.evaluation.fonts import fonts_for
from video_understanding.evaluation.text import head_of
from video_understanding.safe_text import one_line
from video_understanding.whole_file import disk_errors_as, whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Counts = np.ndarray | Sequence[Sequence[int]]

# Two colours of Okabe and Ito that differ for every kind of eye, and in brightness when printed in grey.
_BLUE, _ORANGE, _DARK = "#0072B2", "#E69F00", "#222222"
_NO_CLIPS = "#DDDDDD"
_DOTS_PER_INCH = 130
_POINTS_PER_INCH = 72
_LARGEST_FONT, _SMALLEST_FONT = 10.0, 5.5  # points
_NAME_LETTERS = 24
_LARGEST_SIDE_INCHES = 30.0


def draw_curves(history: Mapping[str, Sequence[float]], file: Path) -> None:
    """Writes the PNG of `curves`."""
    _save(curves(history), file)


def draw_confusion(classes: Sequence[str], matrix: Counts, title: str, file: Path) -> None:
    """Writes the PNG of `confusion`."""
    with fonts_for([*classes, title]):
        _save(confusion(classes, matrix, title), file)


def curves(history: Mapping[str, Sequence[float]]) -> Figure:
    """The loss and the accuracy of each head over the epochs, learned clips against validation, the best marked.

    `history` is that of `keras.Model.fit`: a value per epoch of "loss", "action_accuracy", ..., each also with
    "val_" before it where there is a validation part. The best epoch is the one with the lowest "val_loss", or
    "loss" where that is missing.
    """
    watched = np.array(history.get("val_loss") or history.get("loss") or [], float)  # [E]
    if not np.isfinite(watched).any():
        raise VideoUnderstandingError("history", "has no loss of any epoch", "Train for one epoch or more.")
    best = int(np.nanargmin(np.where(np.isfinite(watched), watched, np.nan)))
    shares = [name for name in history if name.endswith("accuracy") and not name.startswith("val_")]
    panels = ["loss", *shares]
    figure = _figure(4.2 * len(panels), 3.6, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12)
    for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _curve_panel(axes, history, name, best)
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)
    return figure


def confusion(classes: Sequence[str], matrix: Counts, title: str) -> Figure:
    """What is taken for what: clips of the class of each row that were said to be of the class of each column.

    `matrix` int [C,C]. A cell is as dark as its share of the row, and tells clips and percent where they fit.
    """
    counts = np.asarray(matrix)
    many = len(classes)
    if not many or counts.shape != (many, many) or counts.dtype.kind not in "iu" or (counts < 0).any():
        raise VideoUnderstandingError(
            "confusion",
            f"of {many} classes has {counts.dtype} {list(counts.shape)}",
            "Give one class or more, and counts [classes,classes] that are whole and not below zero.",
        )
    clips = counts.sum(axis=1)  # [C]
    shares = np.divide(counts, clips[:, None], out=np.full(counts.shape, np.nan), where=clips[:, None] > 0)  # [C,C]

    cell_inches = float(np.clip(8 / many, min(0.29, _LARGEST_SIDE_INCHES / many), 0.9))
    side = cell_inches * many
    figure = _figure(side, side)
    axes = figure.add_axes((0, 0, 1, 1))  # the cells fill the figure; what stands around them is added when saved
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    axes.set_facecolor(_NO_CLIPS)
    axes.set_xticks(np.arange(many + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(many + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    _name_classes(axes, classes, clips, cell_inches)
    _fill_cells(axes, counts, shares, cell_inches)
    inch = 1 / side
    bar = figure.colorbar(shown, cax=figure.add_axes((1 + 0.15 * inch, 0, 0.16 * inch, 1)), ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0 %", "50 %", "100 %"], fontsize=9)
    bar.outline.set_visible(False)
    bar.set_label("share of the row", fontsize=9)
    axes.set_title(textwrap.fill(title, max(45, int(side * 9))), fontsize=12, pad=10, parse_math=False)
    return figure


def _curve_panel(axes: Axes, history: Mapping[str, Sequence[float]], name: str, best: int) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    axes.axvline(best + 1, color="#888888", linestyle=":", label=f"best epoch: {best + 1}")
    for key, colour, form, label in (
        (name, _BLUE, "o-", "clips learned from"),
        (f"val_{name}", _ORANGE, "s--", "validation clips"),
    ):
        values = history.get(key)
        if values:
            epochs = np.arange(1, len(values) + 1)
            size = float(np.clip(60 / len(values), 1.5, 5))
            axes.plot(epochs, values, form, color=colour, label=label, markersize=size, linewidth=1.8)
    reached = history.get(f"val_{name}") or history[name]
    value = reached[min(best, len(reached) - 1)]
    axes.set_xlim(0.5, len(history[name]) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.set_xlabel("epoch")
    if name == "loss":
        axes.set_ylim(bottom=0)
        told = f"{value:.3f}"
    else:
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
        told = f"{100 * value:.1f} %"
    validated = " on validation" if history.get(f"val_{name}") else ""
    axes.set_title(f"{name.replace('_', ' ')}: {told}{validated}", fontsize=11)
    axes.grid(color="#E5E5E5")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _name_classes(axes: Axes, classes: Sequence[str], clips: np.ndarray, cell_inches: float) -> None:
    font = min(_LARGEST_FONT, cell_inches * _POINTS_PER_INCH * 0.48)
    axes.set_xlabel("said to be", fontsize=10)
    axes.set_ylabel("is (clips)", fontsize=10)
    if font < _SMALLEST_FONT:
        axes.set(xticks=[], yticks=[])
        return
    names = [head_of(one_line(name), _NAME_LETTERS) for name in classes]
    level = max(_width_points(name, font) for name in names) < 0.9 * cell_inches * _POINTS_PER_INCH
    turned = {} if level else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    places = np.arange(len(names))
    axes.set_xticks(places, names, fontsize=font, parse_math=False, **turned)
    axes.set_yticks(
        places, [f"{name} ({count})" for name, count in zip(names, clips, strict=True)], fontsize=font, parse_math=False
    )


def _fill_cells(axes: Axes, counts: np.ndarray, shares: np.ndarray, cell_inches: float) -> None:
    """Clips and percent in each cell if they fit, else clips alone, else nothing; zeros stay empty."""
    room = 0.86 * cell_inches * _POINTS_PER_INCH
    count_font = room / _width_points(str(counts.max()), 1)
    both_font = min(count_font, room / _width_points("100%", 1), room / 2.5)
    with_percent = both_font >= _SMALLEST_FONT
    font = min(_LARGEST_FONT, both_font if with_percent else min(count_font, room))
    if font < _SMALLEST_FONT:
        return
    for row, column in np.argwhere(counts):
        count, share = counts[row, column], shares[row, column]
        colour = "white" if share > 0.7 else _DARK
        text = f"{count}\n{100 * share:.0f}%" if with_percent else str(count)
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=font, linespacing=1.15)


def _width_points(text: str, font_points: float) -> float:
    """About how wide a text is in the font that comes with matplotlib."""
    wide = {"%": 0.95, "m": 0.97, "w": 0.82, "M": 0.86, "W": 0.99}
    return sum(wide.get(letter, 0.64) for letter in text) * font_points


def _figure(width_inches: float, height_inches: float, **settings: Any) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("matplotlib", "to draw pictures of a training", "train") from error
    return Figure(figsize=(width_inches, height_inches), dpi=_DOTS_PER_INCH, **settings)


def _save(figure: Figure, file: Path) -> None:
    """Writes beside the file and renames: whoever sees the file sees all of it."""
    with disk_errors_as(file), whole_file(file) as unfinished:
        figure.savefig(unfinished, format="png", bbox_inches="tight", pad_inches=0.15)
