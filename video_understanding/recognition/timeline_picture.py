"""A picture of a prediction: thumbnails, loudness, and what was recognised when and how surely."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.errors import missing_extra
from video_understanding.evaluation.fonts import fonts_for
from video_understanding.prediction import Prediction
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.recognition.colours import answer_colour, colours_of
from video_understanding.recognition.film import Film, film_of
from video_understanding.recognition.spans import spans_of
from video_understanding.safe_text import one_line
from video_understanding.spec import ModelSpec
from video_understanding.whole_file import disk_errors_as, whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_THUMBNAILS = 10
_COLUMNS = 1200  # of the loudness
_WIDTH_INCHES = 11.0
_LETTERS_PER_INCH = 11
_DOTS_PER_INCH = 120


def draw_timeline(
    file: str | Path, prediction: Prediction, answers: Sequence[WindowAnswer], spec: ModelSpec, out: str | Path
) -> Path:
    """Writes a PNG of what was recognised in `file` to `out`; returns `out`. Reads the file once more."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("matplotlib", "to draw a picture of a prediction", "train") from error
    out = Path(out)
    heads = list(prediction.heads)
    film = film_of(file, prediction.duration_s, spec, _THUMBNAILS, _COLUMNS)
    name = textwrap.shorten(Path(prediction.file).name, 90, placeholder="…")
    words = [name, *(answer.words for segment in prediction.segments for answer in segment.heads.values())]
    with fonts_for(words):
        figure = Figure(figsize=(_WIDTH_INCHES, 2.35 + 1.2 * len(heads)), dpi=_DOTS_PER_INCH, layout="constrained")
        axes = figure.subplots(2 + len(heads), 1, sharex=True, height_ratios=[0.72, 0.6, *[1.1] * len(heads)])
        _draw_thumbnails(axes[0], film, prediction.duration_s)
        _draw_loudness(axes[1], film, prediction)
        for panel, head in zip(axes[2:], heads, strict=True):
            _draw_head(panel, head, prediction, answers)
        axes[-1].set_xlim(0, max(prediction.duration_s, 1e-3))
        axes[-1].set_xlabel("seconds")
        figure.suptitle(one_line(name), fontsize=11, parse_math=False)
        _save(figure, out)
    return out


def _draw_thumbnails(axes: Axes, film: Film, duration_s: float) -> None:
    span_s = duration_s / _THUMBNAILS
    for place, picture in enumerate(film.thumbnails):
        if picture is not None:
            axes.imshow(picture, extent=((place + 0.02) * span_s, (place + 0.98) * span_s, 0, 1), aspect="auto")
    axes.set_ylim(0, 1)
    axes.axis("off")
    if all(picture is None for picture in film.thumbnails):
        axes.text(0.5, 0.5, "no picture", transform=axes.transAxes, ha="center", va="center", color="#777777")


def _draw_loudness(axes: Axes, film: Film, prediction: Prediction) -> None:
    times_s = (np.arange(_COLUMNS) + 0.5) / _COLUMNS * prediction.duration_s
    axes.fill_between(times_s, -film.loudness, film.loudness, color="#555555", linewidth=0)
    most = max(float(film.loudness.max()), 1e-3)
    axes.set_ylim(-1.1 * most, 1.1 * most)
    axes.set_yticks([])
    axes.set_ylabel("sound", rotation=0, ha="right", va="center")
    axes.spines[:].set_visible(False)
    if not prediction.modalities.get("audio"):
        axes.text(0.5, 0.5, "no sound", transform=axes.transAxes, ha="center", va="center", color="#777777")


def _draw_head(axes: Axes, head: str, prediction: Prediction, answers: Sequence[WindowAnswer]) -> None:
    """A box for each span of one label, and in it how sure every window was."""
    names = list(prediction.heads[head].scores)
    colours = colours_of(prediction.heads)[head]
    for span in spans_of(head, prediction.segments):
        start_s, end_s, answer = span.start_s, span.end_s, span.answer
        colour, span_s = answer_colour(answer, colours), end_s - start_s
        axes.bar(start_s, 1, span_s, align="edge", color=colour, alpha=0.3, edgecolor="white")
        inside = [one for one in answers if start_s <= one.middle_s < end_s]
        if span.told and inside:
            places = [names.index(name) for name in span.told]
            sure = [float(one.scores[head][places].min()) for one in inside]
            axes.plot([one.middle_s for one in inside], sure, ".-", color=colour, markersize=4)
        letters = int(span_s / max(prediction.duration_s, 1e-3) * _WIDTH_INCHES * _LETTERS_PER_INCH)
        if letters >= 2:
            words = answer.words if len(answer.words) <= letters else f"{answer.words[: letters - 1]}…"
            middle_s = start_s + span_s / 2
            axes.text(middle_s, 0.1, one_line(words), ha="center", fontsize=9, clip_on=True, parse_math=False)
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=8)
    axes.set_ylabel(head, rotation=0, ha="right", va="center", labelpad=8)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, out: Path) -> None:
    """Writes beside the file and renames: whoever sees the file sees all of it."""
    with disk_errors_as(out), whole_file(out) as unfinished:
        figure.savefig(unfinished, format="png")
