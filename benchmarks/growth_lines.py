"""The straight line through the points of a growth, and the figure: a small plot for each thing that grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.tables import Spread

_CLOSE_PERCENT = 10.0  # so far a point may lie from the line, or the last above the first, and still be called on it
_COLOURS = ("#0072B2", "#E69F00")  # of Okabe and Ito: they differ for every kind of eye
_TEXT = "#222222"


@dataclass(frozen=True)
class Line:
    """The points of one growth, and the straight line through their medians."""

    panel: str
    """The plot's label of the sizes, with their unit; lines with the same one share a plot."""
    flat: bool
    """Whether it should hardly grow, and not in a straight line."""
    sizes: tuple[float, ...]
    cpu_ms: tuple[Spread, ...]
    base_ms: float
    slope_ms: float
    r2: float
    deviation_percent: float
    """Of the point that lies farthest from the line, in percent of the line there."""

    @classmethod
    def through(cls, sizes: Sequence[float], cpu_ms: Sequence[Spread], panel: str, flat: bool = False) -> Line:
        """The line of least squares."""
        medians = np.array([spread.median for spread in cpu_ms])  # [points]
        slope, base = np.polyfit(sizes, medians, 1)
        line = base + slope * np.array(sizes)  # [points]
        scatter = ((medians - medians.mean()) ** 2).sum()
        r2 = float(1 - ((medians - line) ** 2).sum() / scatter) if scatter else 1.0
        deviation = float(100 * np.abs(medians / line - 1).max())
        return cls(panel, flat, tuple(sizes), tuple(cpu_ms), float(base), float(slope), r2, deviation)

    def verdict(self) -> str:
        """In a word, whether it grows as it should."""
        if self.flat:
            grown_percent = 100 * (self.cpu_ms[-1].median / self.cpu_ms[0].median - 1)
            return "flat" if grown_percent <= _CLOSE_PERCENT else f"GROWS by {grown_percent:.0f} %"
        return "straight" if self.deviation_percent <= _CLOSE_PERCENT else "NOT STRAIGHT"


def draw(lines: Mapping[str, Line], file: Path) -> None:
    """Writes the SVG, on white, so that it can be read on a dark page, too. A line's name is "panel, its own"."""
    panels: dict[str, dict[str, Line]] = {}
    for what, line in lines.items():
        panels.setdefault(line.panel, {})[what] = line
    # Words stay words, for as outlines they are most of the file; and the same numbers give the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}):
        figure = Figure(figsize=(2.9 * len(panels), 2.9), layout="constrained", facecolor="white")
        plots = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (label, own) in zip(plots, panels.items(), strict=True):
            _draw_panel(axes, label, own)
        plots[0].set_ylabel("CPU time, % of the last point", color=_TEXT)
        figure.savefig(file, format="svg", metadata={"Date": None})


def _draw_panel(axes: Axes, label: str, lines: Mapping[str, Line]) -> None:
    """CPU time in shares of that of the last point, so that lines of other heights can share a plot."""
    for (what, line), colour in zip(lines.items(), _COLOURS, strict=False):
        whole = line.cpu_ms[-1].median
        medians, lows, highs = 100 * np.array(line.cpu_ms).T / whole  # [points] each
        ends = np.array([0, max(line.sizes)])
        axes.plot(ends, 100 * (line.base_ms + line.slope_ms * ends) / whole, color=colour, linewidth=0.8)
        axes.errorbar(
            line.sizes, medians, (medians - lows, highs - medians), fmt="o", color=colour, markersize=4,
            elinewidth=1.0, capsize=2, label=what.partition(", ")[2],
        )  # fmt: skip
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(label, color=_TEXT)
    axes.locator_params(nbins=4)
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    axes.grid(color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
