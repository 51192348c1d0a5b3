"""The parts of a picture that explains: each draws one thing into the axes it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from video_understanding.evaluation.modality_shares import ModalityShares
from video_understanding.explain.reasons import Heat, Reasons, SoundMoments
from video_understanding.explain.sheet import DARK
from video_understanding.safe_text import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Two colours of Okabe and Ito that differ for every kind of eye, and in brightness when printed in grey.
BLUE, ORANGE = "#0072B2", "#E69F00"
MODALITY_COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7")  # in the order of a model's modalities
TEXT, SMALL = 9.0, 8.0  # points
_STRONGEST_COVER = 0.8  # of a frame by its heat, so that the picture stays visible
_OUTSIDE = 0.35  # of its brightness is left to what the network does not take
_WAVE_SHARE = 0.9  # of the panel's height


def frame_seen(axes: Axes, frame: np.ndarray, time_s: float, there: bool) -> None:
    """One frame uint8 [H,W,3] with its instant."""
    axes.imshow(frame)
    axes.set_title(f"{time_s:.2f} s" if there else f"{time_s:.2f} s (held)", fontsize=SMALL, color=DARK, pad=3)
    _bare(axes)


def frame_heat(axes: Axes, frame: np.ndarray, inside: np.ndarray, warmth: np.ndarray, adds: float | None) -> None:
    """One frame uint8 [H,W,3] in grey under its heat [H,W] from 0 to 1, and what it adds, unless that is None.

    What lies not `inside`, bool [H,W], is dark: the network does not take it.
    """
    from matplotlib import colormaps

    grey = frame.mean(axis=2, keepdims=True) / 255 * np.ones(3)  # [H,W,3]
    grey *= np.where(inside, 1.0, _OUTSIDE)[..., None]
    cover = _STRONGEST_COVER * np.sqrt(warmth)[..., None]  # [H,W,1]; the root shows weak places, too
    colours = colormaps["inferno"](0.25 + 0.75 * warmth)[..., :3]  # from purple on: black would hide the frame
    axes.imshow(np.clip(grey * (1 - cover) + colours * cover, 0, 1))
    _bare(axes)
    if adds is not None:
        axes.set_xlabel(signed(adds), fontsize=SMALL, color=DARK, labelpad=2)


def log_mel(axes: Axes, explanation: Reasons) -> None:
    """The sound as the audio encoder takes it: time across, pitch upwards, loudness as brightness."""
    clip, steps = explanation.clip, explanation.log_mel_db
    axes.imshow(
        steps.T,
        origin="lower",
        aspect="auto",
        cmap="cividis",
        extent=(clip.start_s, clip.end_s, -0.5, steps.shape[1] - 0.5),
        interpolation="nearest",
    )
    wanted_hz = [hz for hz in (250, 1000, 4000) if explanation.mel_hz[0] <= hz <= explanation.mel_hz[-1]]
    places = np.interp(wanted_hz, explanation.mel_hz, np.arange(len(explanation.mel_hz)))
    axes.set_yticks(places, [f"{hz / 1000:g}" for hz in wanted_hz], fontsize=SMALL)
    axes.set_ylabel("pitch (kHz)", fontsize=TEXT)
    _time_axis(axes, explanation)


def moments(axes: Axes, explanation: Reasons, sound: SoundMoments) -> None:
    """The waveform, faint, and over it what each piece of sound adds."""
    clip = explanation.clip
    highest = max(float(np.abs(sound.adds).max()), 0.1)
    axes.set_ylim(-1.15 * highest if sound.adds.min() < -0.1 * highest else -0.35 * highest, 1.15 * highest)
    low, high = _envelope(clip.waveform, 1000)
    loudest = max(float(np.abs(clip.waveform).max()), 1e-6)
    room = min(axes.get_ylim()[1], -axes.get_ylim()[0]) * _WAVE_SHARE / loudest
    times_s = np.linspace(clip.start_s, clip.end_s, len(low))
    axes.fill_between(times_s, low * room, high * room, color="#CCCCCC", linewidth=0, label="waveform")
    begins_s, widths_s = sound.edges_s[:-1], np.diff(sound.edges_s)
    for wanted, colour, label in ((sound.adds > 0, ORANGE, "speaks for it"), (sound.adds < 0, BLUE, "speaks against")):
        if wanted.any():
            axes.bar(
                begins_s[wanted], sound.adds[wanted], widths_s[wanted] * 0.92,
                align="edge", color=colour, alpha=0.85, label=label,
            )  # fmt: skip
    axes.axhline(0, color=DARK, linewidth=0.8)
    axes.set_ylabel("adds (log-odds)", fontsize=TEXT)
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=SMALL, frameon=False, borderaxespad=0.1)
    _time_axis(axes, explanation)


def modalities(axes: Axes, shares: ModalityShares) -> None:
    """The probability of the class with all modalities and without each, beneath each other."""
    rows = [("all modalities", shares.confidence, DARK)]
    pairs = zip(shares.without.items(), MODALITY_COLOURS, strict=False)
    rows += [(f"without {name}", value, colour) for (name, value), colour in pairs]
    for place, (_, value, colour) in enumerate(rows):
        axes.barh(place, value, color=colour, height=0.62)
        inside = value > 0.75
        axes.text(
            value - 0.02 if inside else value + 0.02, place, f"{100 * value:.1f} %",
            ha="right" if inside else "left", va="center", fontsize=TEXT,
            color="white" if inside and colour != ORANGE else DARK,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), [one_line(name) for name, _, _ in rows], fontsize=TEXT)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"], fontsize=SMALL)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("probability of the class", fontsize=TEXT)
    axes.spines[["top", "right"]].set_visible(False)


def attention(axes: Axes, weights: np.ndarray, rows: tuple[str, np.ndarray], columns: tuple[str, np.ndarray]) -> None:
    """Attention of one modality to another [rows,columns], each with its times in seconds."""
    shown = axes.imshow(
        weights,
        aspect="auto",
        cmap="cividis",
        vmin=0,
        extent=(*_span(columns[1]), *_span(rows[1])[::-1]),
        interpolation="nearest",
    )
    axes.set_xlabel(f"{columns[0]}, attended to (s)", fontsize=TEXT)
    axes.set_ylabel(f"{rows[0]}, attending (s)", fontsize=TEXT)
    axes.tick_params(labelsize=SMALL)
    highest = float(weights.max())
    bar = axes.figure.colorbar(shown, cax=axes.inset_axes((1.04, 0, 0.05, 1)), ticks=[0, highest / 2, highest])
    bar.ax.set_yticklabels([f"{100 * share:.0f} %" for share in (0, highest / 2, highest)], fontsize=SMALL)
    bar.outline.set_visible(False)


def signed(value: float, digits: int = 1) -> str:
    """ "+1.2", "-0.3", "0.0"."""
    return f"{value:+.{digits}f}" if round(value, digits) else f"{0:.{digits}f}"


def warmest_of_groups(heat: Heat | None, groups: int) -> list[int]:
    """Frames to show where not all fit: of each of equal groups the one that adds most."""
    if heat is None:
        return []
    parts = np.array_split(np.arange(len(heat.adds)), min(groups, len(heat.adds)))
    return [int(part[heat.of_frames[part].argmax()]) for part in parts]


def _time_axis(axes: Axes, explanation: Reasons) -> None:
    axes.set_xlim(explanation.clip.start_s, explanation.clip.end_s)
    axes.set_xlabel("seconds of the file", fontsize=TEXT)
    axes.tick_params(axis="x", labelsize=SMALL)


def _span(times_s: np.ndarray) -> tuple[float, float]:
    """Where evenly spaced cells begin and end, from their middles."""
    half = (times_s[1] - times_s[0]) / 2 if len(times_s) > 1 else 0.5
    return float(times_s[0] - half), float(times_s[-1] + half)


def _envelope(waveform: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest sample of each of equal parts [columns]."""
    starts = np.linspace(0, len(waveform), min(columns, len(waveform)), endpoint=False).astype(int)
    return np.minimum.reduceat(waveform, starts), np.maximum.reduceat(waveform, starts)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
