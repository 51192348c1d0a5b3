"""The pictures of an explanation: a page for each head, and each of its parts alone."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from video_understanding.evaluation.fonts import fonts_for
from video_understanding.evaluation.text import head_of, tail_of
from video_understanding.explain import panels
from video_understanding.explain.reasons import FULL_HEAT, Attention, HeadReasons, Heat, Reasons
from video_understanding.explain.sheet import LEFT, PALE, RIGHT, Sheet
from video_understanding.modality import MODALITIES
from video_understanding.whole_file import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FRAMES_IN_ROW, _LARGE_FRAMES_IN_ROW = 8, 4  # of a page, and where frames are alone
_WIDEST_FRAME, _TALLEST_FRAME, _BETWEEN_FRAMES = 2.7, 2.4, 0.08  # inches
_NAME_LETTERS, _FILE_LETTERS = 40, 80
_CAPTION_LETTERS = 150


def draw_all(explanation: Reasons, folder: Path) -> list[Path]:
    """Writes every picture into the folder and tells their paths, the pages first."""
    words = [
        explanation.clip.source,
        *(name for reasons in explanation.heads.values() for name in reasons.answer.scores),
    ]
    with fonts_for(words):
        return _draw_all(explanation, folder)


def _draw_all(explanation: Reasons, folder: Path) -> list[Path]:
    pages, parts = {}, {}
    for head, reasons in explanation.heads.items():
        pages[f"overview_{head}.png"] = page(explanation, head)
        parts[f"modalities_{head}.png"] = modalities_alone(reasons)
        if reasons.heat:
            parts[f"frames_{head}.png"] = frames_alone(explanation, head)
        if reasons.sound:
            parts[f"sound_{head}.png"] = sound_alone(explanation, head)
    if isinstance(explanation.attention, Attention):
        parts["attention.png"] = attention_alone(explanation.attention)
    figures = {**pages, **parts}
    for name, figure in figures.items():
        with whole_file(folder / name) as unfinished:
            figure.savefig(unfinished, format="png")
    return [folder / name for name in figures]


def page(explanation: Reasons, head: str) -> Figure:
    """One page with all that explains the answer of a head."""
    sheet = Sheet()
    reasons = explanation.heads[head]
    _title(sheet, explanation, head)
    _frames(sheet, explanation, reasons, panels.warmest_of_groups(reasons.heat, _FRAMES_IN_ROW), _FRAMES_IN_ROW)
    _sound(sheet, explanation, reasons)
    _modalities_and_attention(sheet, explanation, reasons)
    return sheet.figure()


def frames_alone(explanation: Reasons, head: str) -> Figure:
    """Every frame with its heat, in as many rows as they need."""
    sheet, reasons = Sheet(), explanation.heads[head]
    _frames(sheet, explanation, reasons, list(range(len(explanation.clip.frames))), _LARGE_FRAMES_IN_ROW)
    return sheet.figure()


def sound_alone(explanation: Reasons, head: str) -> Figure:
    """The sound, and which of its moments speak for the answer."""
    sheet = Sheet()
    _sound(sheet, explanation, explanation.heads[head])
    return sheet.figure()


def modalities_alone(reasons: HeadReasons) -> Figure:
    """What each modality does for the answer."""
    sheet, shares = Sheet(width=6.0), reasons.shares
    sheet.heading(f"Modalities that speak for “{_name(reasons)}”", f"Share of the answer: {shares.words}.")
    sheet.space(0.15)
    sheet.row(0.5 + 0.5 * len(shares.without), ((1.35, 5.6), lambda axes: panels.modalities(axes, shares)))
    sheet.space(0.4)
    return sheet.figure()


def attention_alone(attention: Attention) -> Figure:
    """The attention of each modality to every other, over time."""
    sheet = Sheet(width=10.0)
    sheet.heading("Attention between modalities", _attention_caption(attention))
    drawn = _attention_panels(attention, (0.85, 4.05), (5.75, 8.95))
    for first in range(0, len(drawn), 2):
        sheet.space(0.2)
        sheet.row(3.4, *drawn[first : first + 2])
        sheet.space(0.45)
    return sheet.figure()


def _title(sheet: Sheet, explanation: Reasons, head: str) -> None:
    reasons, clip = explanation.heads[head], explanation.clip
    answer = reasons.answer
    told = f"{head}: {head_of(answer.words, _NAME_LETTERS)}"
    if answer.label == reasons.label:
        told += f", {100 * answer.confidence:.1f} % sure"
    else:  # unknown, or several classes, or none of them: what is explained is the surest class
        told += f" (explained here: {_name(reasons)}, {100 * reasons.shares.confidence:.1f} %)"
    sheet.line(told, 17, weight="bold")
    file = tail_of(clip.source or "clip", _FILE_LETTERS)
    sheet.line(f"{file}, {clip.start_s:.2f} to {clip.end_s:.2f} s: {explanation.chosen}", 10, PALE)
    sheet.space(0.15)


def _frames(sheet: Sheet, explanation: Reasons, reasons: HeadReasons, shown: list[int], in_row: int) -> None:
    """Frames of the file, each above its heat."""
    clip, heat = explanation.clip, reasons.heat
    if heat is None:
        sheet.heading("Places in the picture", "The clip has no picture.")
        sheet.space(0.2)
        return
    shown_frames, inside = explanation.shown.frames, explanation.shown.inside
    height_px, width_px = shown_frames.shape[1:3]
    warmth = explanation.shown.warmth(heat)  # [T,H,W]
    some = "" if len(shown) == len(clip.frames) else f" {len(shown)} of the {len(clip.frames)} frames are shown."
    sheet.heading(
        f"Places in the picture that speak for “{_name(reasons)}”",
        f"{_heat_words(heat)}{some}",
    )
    sheet.space(0.22)
    room = (RIGHT - LEFT) / min(in_row, len(clip.frames))
    wide = min(room - _BETWEEN_FRAMES, _WIDEST_FRAME, _TALLEST_FRAME * width_px / height_px)
    tall = wide * height_px / width_px

    def seen(number: int) -> object:
        time_s, there = explanation.frame_times_s[number], bool(clip.frame_present[number])
        return lambda axes: panels.frame_seen(axes, shown_frames[number], time_s, there)

    def warm(number: int) -> object:
        adds = float(heat.of_frames[number]) if heat.strength else None
        return lambda axes: panels.frame_heat(axes, shown_frames[number], inside, warmth[number], adds)

    for first in range(0, len(shown), in_row):
        row = shown[first : first + in_row]
        begins = [LEFT + room * place + (room - wide) / 2 for place in range(len(row))]
        sheet.row(tall, *(((begin, begin + wide), seen(number)) for begin, number in zip(begins, row, strict=True)))
        sheet.space(0.07)
        sheet.row(tall, *(((begin, begin + wide), warm(number)) for begin, number in zip(begins, row, strict=True)))
        sheet.space(0.45)


def _heat_words(heat: Heat) -> str:
    """How the heat was found, and what the picture as a whole adds."""
    cells = f"By {heat.method} at {heat.where}, {heat.adds.shape[2]} x {heat.adds.shape[1]} cells. "
    if not heat.strength:
        return f"{cells}No heat: without the picture the log-odds of the class lose next to nothing."
    return (
        f"{cells}The picture adds {panels.signed(heat.picture_adds)} to the log-odds; heat is full from "
        f"{panels.signed(FULL_HEAT)} on. Beneath: each frame's part beside a plain one."
    )


def _sound(sheet: Sheet, explanation: Reasons, reasons: HeadReasons) -> None:
    """The waveform with what each piece adds, and under it the sound as the audio encoder takes it."""
    sound = reasons.sound
    if sound is None:
        sheet.heading("Moments of the sound", "The clip has no sound.")
        sheet.space(0.2)
        return
    telling = sound.most_telling_s
    words = f"most from {telling[0]:.2f} to {telling[1]:.2f} s" if telling else "no moment does"
    sheet.heading(
        f"Moments of the sound that speak for “{_name(reasons)}”: {words}",
        "Each piece was made silent in turn; a bar is what the log-odds of the class lose by that.",
    )
    sheet.space(0.22)

    def above(axes: Axes) -> None:
        panels.moments(axes, explanation, sound)
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)

    sheet.row(1.35, ((LEFT, RIGHT), above))
    sheet.space(0.08)
    sheet.row(1.25, ((LEFT, RIGHT), lambda axes: panels.log_mel(axes, explanation)))
    sheet.space(0.6)


def _modalities_and_attention(sheet: Sheet, explanation: Reasons, reasons: HeadReasons) -> None:
    attention = explanation.attention
    sheet.heading(
        f"Modalities: {reasons.shares.words}",
        textwrap.shorten(
            "A modality is taken away as if the clip lacked it. "
            + (_attention_caption(attention) if isinstance(attention, Attention) else f"Attention: {attention}."),
            _CAPTION_LETTERS,
            placeholder=" …",
        ),
    )
    sheet.space(0.2)
    bars = ((1.35, 3.75), lambda axes: panels.modalities(axes, reasons.shares))
    drawn = _attention_panels(attention, (4.75, 7.15), (8.6, 11.0))[:2] if isinstance(attention, Attention) else ()
    sheet.row(2.1 if drawn else 0.5 + 0.5 * len(reasons.shares.without), bars, *drawn)
    sheet.space(0.4)


def _attention_panels(attention: Attention, left: tuple[float, float], right: tuple[float, float]) -> list[tuple]:
    """A panel for each pair of modalities, on the left and the right in turn."""

    def panel(name: str, other: str, weights: np.ndarray) -> object:
        sides = [(MODALITIES[one].words.split()[-1], attention.times_s[one]) for one in (name, other)]
        return lambda axes: panels.attention(axes, weights, *sides)

    return [((left, right)[place % 2], panel(*pair)) for place, pair in enumerate(attention.pairs)]


def _attention_caption(attention: Attention) -> str:
    return f"A row is where one token's attention went ({attention.fusion}, mean of its heads)."


def _name(reasons: HeadReasons) -> str:
    return head_of(reasons.label, _NAME_LETTERS)
