"""A figure that grows downwards, measured in inches: its height is known when all is on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from video_understanding.errors import missing_extra
from video_understanding.safe_text import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK, PALE = "#222222", "#6E6E6E"
WIDTH, LEFT, RIGHT = 12.0, 0.85, 11.65  # inches: the sheet, and where panels begin and end
HEADING, CAPTION = 10.5, 8.5  # points
_DOTS_PER_INCH = 110
_MARGIN = 0.25
_LINE = 1.45 / 72  # inches that a line takes for each point of its font
_TEXT_AT = 0.3


class Sheet:
    """Lines of text and rows of panels under each other; a panel is a function that draws into axes."""

    def __init__(self, width: float = WIDTH) -> None:
        self.width = width
        self._down = _MARGIN
        self._panels: list[tuple[float, float, tuple[float, float], Callable[[Axes], None]]] = []
        self._lines: list[tuple[float, str, dict[str, Any]]] = []

    def space(self, inches: float) -> None:
        """Leaves some room."""
        self._down += inches

    def line(self, words: str, points: float, colour: str = DARK, weight: str = "normal") -> None:
        """A line of text from the left."""
        self._lines.append((self._down, words, {"fontsize": points, "color": colour, "weight": weight}))
        self._down += points * _LINE

    def heading(self, words: str, caption: str) -> None:
        """What the next panels show, and beneath it how it was found."""
        self.line(words, HEADING, weight="bold")
        self.line(caption, CAPTION, PALE)

    def row(self, height: float, *panels: tuple[tuple[float, float], Callable[[Axes], None]]) -> None:
        """Panels side by side: for each where it begins and ends, in inches from the left, and what draws it."""
        self._panels += [(self._down, height, span, draw) for span, draw in panels]
        self._down += height

    def figure(self) -> Figure:
        """All of it, drawn."""
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise missing_extra("matplotlib", "to draw an explanation", "train") from error
        tall = self._down + _MARGIN
        figure = Figure(figsize=(self.width, tall), dpi=_DOTS_PER_INCH, facecolor="white")
        for down, words, style in self._lines:
            figure.text(_TEXT_AT / self.width, 1 - down / tall, visible(words), va="top", parse_math=False, **style)
        for down, height, (left, right), draw in self._panels:
            box = (left / self.width, 1 - (down + height) / tall, (right - left) / self.width, height / tall)
            draw(figure.add_axes(box))
        return figure
