"""A picture of a prediction: thumbnails, loudness, and what was recognised when and how surely."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.errors import VideoUnderstandingError, missing_extra
from video_understanding.media.decode import iter_clips
from video_understanding.prediction import UNKNOWN, HeadAnswer, Prediction, Segment
from video_understanding.recognition.answers import WindowAnswer
from video_understanding.spec import ModelSpec, VideoSpec
from video_understanding.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which differ for every kind of eye; black and yellow are left out for the words on them.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_GREY = "#BBBBBB"
_THUMBNAILS = 10
_THUMBNAIL = VideoSpec(frames_hz=1, height_px=90, width_px=120, fit="pad")
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
    looks = _look(file, prediction.duration_s, spec)
    figure = Figure(figsize=(_WIDTH_INCHES, 2.35 + 1.2 * len(heads)), dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.subplots(2 + len(heads), 1, sharex=True, height_ratios=[0.72, 0.6, *[1.1] * len(heads)])
    _draw_thumbnails(axes[0], looks, prediction.duration_s)
    _draw_loudness(axes[1], looks, prediction)
    for panel, head in zip(axes[2:], heads, strict=True):
        _draw_head(panel, head, prediction, answers)
    axes[-1].set_xlim(0, max(prediction.duration_s, 1e-3))
    axes[-1].set_xlabel("seconds")
    name = textwrap.shorten(Path(prediction.file).name, 90, placeholder="…")
    figure.suptitle(name, fontsize=11, parse_math=False)
    _save(figure, out)
    return out


@dataclass(frozen=True)
class _Looks:
    """thumbnails: (when, uint8 [h,w,3]) each; loudness float32 [n], the largest sample in each of n equal spans."""

    thumbnails: list[tuple[float, np.ndarray]]
    loudness: np.ndarray


def _look(file: str | Path, duration_s: float, spec: ModelSpec) -> _Looks:
    """One pass over the file with larger pictures; a window is a few seconds, and none is kept."""
    spec = dataclasses.replace(spec, video=dataclasses.replace(_THUMBNAIL, frames_hz=spec.video.frames_hz))
    wanted_s = (np.arange(_THUMBNAILS) + 0.5) / _THUMBNAILS * duration_s
    thumbnails: list[tuple[float, np.ndarray]] = []
    loudness = np.zeros(_COLUMNS, np.float32)
    for clip in iter_clips(file, spec):
        instants_s = spec.instants_s(clip.start_s)  # [T]
        for time_s in wanted_s[(wanted_s >= clip.start_s) & (wanted_s < clip.end_s)]:
            place = int(np.abs(instants_s - time_s).argmin())
            if clip.frame_present[place]:
                thumbnails.append((float(time_s), clip.frames[place].copy()))
        times_s = clip.start_s + np.arange(len(clip.waveform)) / clip.sample_rate_hz  # [N]
        columns = np.minimum((times_s / max(duration_s, 1e-3) * _COLUMNS).astype(int), _COLUMNS - 1)
        np.maximum.at(loudness, columns, np.abs(clip.waveform))
    return _Looks(thumbnails, loudness)


def _draw_thumbnails(axes: Axes, looks: _Looks, duration_s: float) -> None:
    half_s = 0.48 * duration_s / _THUMBNAILS
    for time_s, picture in looks.thumbnails:
        axes.imshow(picture, extent=(time_s - half_s, time_s + half_s, 0, 1), aspect="auto")
    axes.set_ylim(0, 1)
    axes.axis("off")
    if not looks.thumbnails:
        axes.text(0.5, 0.5, "no picture", transform=axes.transAxes, ha="center", va="center", color="#777777")


def _draw_loudness(axes: Axes, looks: _Looks, prediction: Prediction) -> None:
    times_s = (np.arange(_COLUMNS) + 0.5) / _COLUMNS * prediction.duration_s
    axes.fill_between(times_s, -looks.loudness, looks.loudness, color="#555555", linewidth=0)
    most = max(float(looks.loudness.max()), 1e-3)
    axes.set_ylim(-1.1 * most, 1.1 * most)
    axes.set_yticks([])
    axes.set_ylabel("sound", rotation=0, ha="right", va="center")
    axes.spines[:].set_visible(False)
    if not prediction.senses["audio"]:
        axes.text(0.5, 0.5, "no sound", transform=axes.transAxes, ha="center", va="center", color="#777777")


def _draw_head(axes: Axes, head: str, prediction: Prediction, answers: Sequence[WindowAnswer]) -> None:
    """A box for each span of one label, and in it how sure every window was."""
    names = list(prediction.heads[head].scores)
    colours: dict[str, str] = {}
    for start_s, end_s, answer in _spans(head, prediction.segments):
        if answer.words not in colours:
            colours[answer.words] = _GREY if answer.words in (UNKNOWN, "none") else _COLOURS[len(colours) % 6]
        colour, span_s = colours[answer.words], end_s - start_s
        axes.bar(start_s, 1, span_s, align="edge", color=colour, alpha=0.3, edgecolor="white")
        told = (answer.nearest or answer.label,) if isinstance(answer.label, str) else answer.label
        inside = [one for one in answers if start_s <= one.middle_s < end_s]
        if told and inside:
            places = [names.index(name) for name in told]
            sure = [float(one.scores[head][places].min()) for one in inside]
            axes.plot([one.middle_s for one in inside], sure, ".-", color=colour, markersize=4)
        letters = int(span_s / max(prediction.duration_s, 1e-3) * _WIDTH_INCHES * _LETTERS_PER_INCH)
        if letters >= 2:
            words = answer.words if len(answer.words) <= letters else f"{answer.words[: letters - 1]}…"
            middle_s = start_s + span_s / 2
            axes.text(middle_s, 0.1, words, ha="center", fontsize=9, clip_on=True, parse_math=False)
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"], fontsize=8)
    axes.set_ylabel(head, rotation=0, ha="right", va="center", labelpad=8)
    axes.spines[["top", "right"]].set_visible(False)


def _spans(head: str, segments: Sequence[Segment]) -> list[tuple[float, float, HeadAnswer]]:
    """(begin, end, answer) of one head: what other heads do cuts nothing here."""
    spans: list[tuple[float, float, HeadAnswer]] = []
    for segment in segments:
        answer = segment.heads[head]
        if spans and spans[-1][1] == segment.start_s and spans[-1][2].words == answer.words:
            spans[-1] = (spans[-1][0], segment.end_s, spans[-1][2])
        else:
            spans.append((segment.start_s, segment.end_s, answer))
    return spans


def _save(figure: Figure, out: Path) -> None:
    """Writes beside the file and renames: whoever sees the file sees all of it."""
    try:
        with whole_file(out) as unfinished:
            figure.savefig(unfinished, format="png")
    except OSError as error:
        raise VideoUnderstandingError(
            out, f"cannot be written ({error.strerror})", "Give a place in a folder you can write to."
        ) from error
