"""The lanes of a timeline, one below the other on one clock: frames, sound, what is told, how surely, and by what.

Places are shares of the width, so that a lane fits a desk and a phone; words stand in HTML and keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np

from video_understanding.clip import SILENCE_PEAK
from video_understanding.evaluation.text import head_of
from video_understanding.recognition.colours import GREY, answer_colour
from video_understanding.recognition.film import Film
from video_understanding.recognition.text import clock
from video_understanding.report.carried import STYLES, Moment, Stretch, takings, with_short_ones_joined
from video_understanding.report.gallery import image, jpeg
from video_understanding.report.markup import Html, joined, tag

_LEAST_REM, _MOST_REM, _REM_PER_SPAN = 40.0, 240.0, 5.0
_REM_PER_THUMBNAIL, _MOST_THUMBNAILS = 3.4, 48
_REM_PER_TICK = 5.0
_DESK_REM = 57.5  # what a page has room for on a wide screen
_LETTERS_PER_REM = 1.75
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18_000, 36_000)
_WIDTH, _HEIGHT = 1000.0, 100.0  # of drawings, which are stretched to their lane
_MIDDLE = _HEIGHT / 2
_ALL = 0.99  # a part from which on the rest cannot be seen
_SEEN = 2.0  # what is narrower in a drawing is joined with its neighbours


Cell = tuple[float, float, Moment]  # from when to when a window speaks, and what it says


@dataclass(frozen=True)
class Clock:
    """The common clock of all lanes: `width_rem` is what they are wide at least, in letters' heights."""

    duration_s: float
    width_rem: float

    @classmethod
    def of(cls, duration_s: float, spans: int) -> Clock:
        """Wide enough for the words of a head with so many spans, but a few screens at most."""
        return cls(max(duration_s, 1e-3), float(np.clip(_REM_PER_SPAN * spans, _LEAST_REM, _MOST_REM)))

    def share(self, time_s: float) -> float:
        """Where a moment lies, from 0 to 1."""
        return float(np.clip(time_s / self.duration_s, 0, 1))

    @property
    def least_s(self) -> float:
        """What is shorter cannot be told apart."""
        return _SEEN / _WIDTH * self.duration_s

    def x(self, time_s: float) -> float:
        """Where a moment lies in a drawing."""
        return self.share(time_s) * _WIDTH

    @property
    def thumbnails(self) -> int:
        """How many frames stand side by side."""
        return min(round(self.width_rem / _REM_PER_THUMBNAIL), _MOST_THUMBNAILS)

    @property
    def step_s(self) -> float:
        """From tick to tick."""
        least_s = _REM_PER_TICK / self.width_rem * self.duration_s
        return next((step_s for step_s in _STEPS_S if step_s >= least_s), least_s)


def lanes(clock_: Clock, inside: Sequence[Html]) -> Html:
    """All lanes in a frame that is moved by itself where the screen is narrower."""
    step = f"{100 * clock_.step_s / clock_.duration_s:.4g}%"
    style = f"min-width:{clock_.width_rem:g}rem;--step:{step}"
    whole = tag("div", inside, _axis(clock_), class_="lanes", style=style)
    wide = tag("div", whole, class_="wide", role="region", aria_label="timeline", tabindex=0)
    hint = "quiet hint always" if clock_.width_rem > _DESK_REM else "quiet hint"
    return joined(
        [tag("p", "Wider than the screen: move it sideways.", class_=hint), tag("div", wide, class_="scroll")]
    )


def film_lane(film: Film) -> Html:
    """The thumbnails, each in the middle of its share of the time."""
    if all(picture is None for picture in film.thumbnails):
        return tag("p", "no picture", class_="none")
    count = len(film.thumbnails)
    frames = [
        tag("span")
        if picture is None
        else image(jpeg(picture), f"frame at {100 * (place + 0.5) / count:.0f} % of the time")
        for place, picture in enumerate(film.thumbnails)
    ]
    return tag("div", frames, class_="film")


def sound_lane(film: Film) -> Html:
    """The largest sample of each share of the time, up and down from the middle."""
    most = float(film.loudness.max())
    if most < SILENCE_PEAK:
        return tag("p", "no sound", class_="none")
    columns = len(film.loudness)
    heights = np.maximum(film.loudness / most * (_MIDDLE - 2), 0.5)  # [n]
    xs = (np.arange(columns) + 0.5) / columns * _WIDTH
    points = [*zip(xs, _MIDDLE - heights, strict=True), *zip(xs[::-1], _MIDDLE + heights[::-1], strict=True)]
    return _drawing("loudness over time", "sound", tag("polygon", points=_written(points)))


def head_lanes(
    head: str, stretches: Sequence[Stretch], clock_: Clock, colours: Mapping[str, str], modalities: Sequence[str]
) -> list[Html]:
    """Boxes of the answers, lines of how sure they are, and a band of what carried them, if there are two modalities.

    Short spans are joined. `colours` are those of the head's classes.
    """
    stretches = with_short_ones_joined(stretches, clock_.least_s)
    several = any(moment.without for stretch in stretches for moment in stretch.moments)
    lines = [_line(stretch, clock_, None, "both") for stretch in stretches]
    for taken in takings(modalities) if several else ():
        lines += [_line(stretch, clock_, taken.modality, taken.style) for stretch in stretches]
    grid = [tag("line", class_="grid", x1=0, x2=_WIDTH, y1=y, y2=y) for y in (0.0, _MIDDLE, _HEIGHT)]
    scale = tag("div", tag("span", "100\u00a0%"), tag("span", "50"), class_="scale", aria_hidden="true")
    band = [part for stretch in stretches for part in _band(stretch, clock_, modalities)] if several else []
    return [
        tag("h3", head.capitalize()),
        _boxes(stretches, clock_, colours),
        tag("div", scale, _drawing(f"how sure {head} is over time", "lines", grid, lines), class_="chart"),
        *([_drawing(f"which modality carried {head} over time", "carried", band)] if several else []),
    ]


def _boxes(stretches: Sequence[Stretch], clock_: Clock, colours: Mapping[str, str]) -> Html:
    """A box for each span, with its words if they find a place."""
    boxes = []
    for stretch in stretches:
        span, words = stretch.span, stretch.span.answer.words
        if stretch.spans > 1:
            words = told = f"{stretch.spans} short spans"
            tint = GREY
        else:
            told = f"{words}, {100 * span.confidence:.0f} %"
            tint = answer_colour(span.answer, colours)
        left, right = (100 * clock_.share(time_s) for time_s in (span.start_s, span.end_s))
        letters = int((right - left) / 100 * clock_.width_rem * _LETTERS_PER_REM)
        boxes.append(
            tag(
                "span",
                head_of(words, letters) if letters >= 2 else None,
                class_="unsaid" if tint == GREY else None,
                style=f"left:{left:.2f}%;width:{right - left:.2f}%;--tint:{tint}",
                title=f"{clock(span.start_s)} to {clock(span.end_s)}: {told}",
            )
        )
    return tag("div", boxes, class_="boxes")


def _line(stretch: Stretch, clock_: Clock, without: str | None, style: str) -> Html | None:
    """How sure the windows are, with all or without a modality; as far as the span goes."""
    told = [
        (moment.time_s, moment.sure if without is None else moment.without[without])
        for moment in stretch.moments
        if without is None or without in moment.without
    ]
    if not told:
        return None
    span = stretch.span
    if clock_.x(span.end_s) - clock_.x(span.start_s) < _SEEN:
        return None
    inside = [(time_s, sure) for time_s, sure in told if span.start_s <= time_s <= span.end_s]
    ends = [(span.start_s, told[0][1]), *inside, (span.end_s, told[-1][1])]
    return tag(
        "polyline", class_=style, points=_written([(clock_.x(time_s), (1 - sure) * _HEIGHT) for time_s, sure in ends])
    )


def _band(stretch: Stretch, clock_: Clock, modalities: Sequence[str]) -> Iterator[Html]:
    """The modalities' parts, the first from below; pale where the others are enough, bare where no class is named."""
    for kind, run in groupby(_cells(stretch), key=lambda cell: _kind(cell[2])):
        cells = list(run)
        if kind == "either":
            yield _block(*_ends(cells, clock_), "track")
        elif kind == "shared":
            # From the top down: each is drawn over what reaches above it.
            for place in reversed(range(len(modalities))):
                below = [_reach(cell, modalities[:place]) for cell in cells]
                if min(below) < _ALL:
                    yield from _area(cells, modalities[: place + 1], STYLES[place], clock_)


def _area(cells: Sequence[Cell], names: Sequence[str], style: str, clock_: Clock) -> Iterator[Html]:
    """As high as the parts of these modalities together, in a step for each window, or for several that agree."""
    left, right = _ends(cells, clock_)
    heights = [_reach(cell, names) for cell in cells]
    if right - left < _SEEN or max(heights) - min(heights) < 1 - _ALL:
        mean = float(np.mean(heights))
        yield from [_block(left, right, style, mean)] if mean > 1 - _ALL else []
        return
    points = [(left, _HEIGHT)]
    for share, same in groupby(cells, key=lambda cell: round(_reach(cell, names), 2)):
        ends = list(same)
        points += [(clock_.x(time_s), (1 - share) * _HEIGHT) for time_s in (ends[0][0], ends[-1][1])]
    yield tag("polygon", class_=style, points=_written([*points, (right, _HEIGHT)]))


def _reach(cell: Cell, names: Sequence[str]) -> float:
    return min(sum(cell[2].share.get(name, 0.0) for name in names), 1.0)


def _ends(cells: Sequence[Cell], clock_: Clock) -> tuple[float, float]:
    return clock_.x(cells[0][0]), clock_.x(cells[-1][1])


def _block(left: float, right: float, style: str, share: float = 1.0) -> Html:
    """A part of the band that stands on its ground."""
    height = share * _HEIGHT
    return tag("rect", class_=style, x=left, y=_HEIGHT - height, width=right - left, height=height)


def _kind(moment: Moment) -> str | None:
    if moment.share is not None:
        return "shared"
    return "either" if moment.drop else None


def _cells(stretch: Stretch) -> list[Cell]:
    """What each window speaks of inside the span: as far as the middle between it and the next."""
    span, moments = stretch.span, stretch.moments
    middles_s = [(one.time_s + other.time_s) / 2 for one, other in pairwise(moments)]
    edges_s = [span.start_s, *(min(max(time_s, span.start_s), span.end_s) for time_s in middles_s), span.end_s]
    return [(begin_s, end_s, moment) for (begin_s, end_s), moment in zip(pairwise(edges_s), moments, strict=True)]


def _axis(clock_: Clock) -> Html:
    """Times at the ticks; one so near the end that it would stick out has none."""
    count = int(clock_.duration_s / clock_.step_s) + 1
    last = 1 - _REM_PER_TICK / 1.6 / clock_.width_rem
    told = [number * clock_.step_s for number in range(count)]
    ticks = [
        tag("span", _tick(time_s, clock_.step_s), style=f"left:{100 * clock_.share(time_s):.2f}%")
        for time_s in told
        if clock_.share(time_s) <= last
    ]
    return tag("div", ticks, class_="axis")


def _tick(time_s: float, step_s: float) -> str:
    """ "0:05", "1:02:05", and "0:00.5" where ticks are nearer than a second."""
    told = clock(time_s)
    return told[:-3] if step_s >= 1 else told[:-1]


def _drawing(words: str, style: str, *inside: object) -> Html:
    """A drawing that is stretched to its lane; its lines keep their width."""
    return tag(
        "svg",
        *inside,
        class_=style,
        viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}",
        preserveAspectRatio="none",
        role="img",
        aria_label=words,
    )


def _written(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
