"""The colour of each class, one for all that is drawn of a prediction: pages, timeline pictures and overlays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from video_understanding.prediction import HeadAnswer

# None is blue or orange: those stand for the picture and the sound. Neighbours differ in brightness, too, for eyes
# that see fewer colours; wherever there is room a class is also named in words.
PALETTE = (
    "#009e73", "#cc79a7", "#d6c31f", "#7b6ccb", "#8c6d46", "#4fc1c0",
    "#c2403f", "#9bc44a", "#8e3b76", "#7f8c99", "#3c6e47", "#e39b9b",
)  # fmt: skip
GREY = "#bbbbbb"  # of "unknown" and "none"


def class_colours(heads: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """Head -> class -> "#rrggbb", by the order of the heads and of their classes alone.

    Args:
        heads: Head -> its classes, both in the model's order.

    Returns:
        A colour for every class. Classes of all heads together take the palette in turn, so none is shared before
        more than `len(PALETTE)` classes have one.
    """
    colours: dict[str, dict[str, str]] = {}
    taken = 0
    for head, names in heads.items():
        colours[head] = {name: PALETTE[(taken + place) % len(PALETTE)] for place, name in enumerate(names)}
        taken += len(names)
    return colours


def colours_of(answers: Mapping[str, HeadAnswer]) -> dict[str, dict[str, str]]:
    """`class_colours` of the heads of a prediction."""
    return class_colours({head: list(answer.scores) for head, answer in answers.items()})


def answer_colour(answer: HeadAnswer, colours: Mapping[str, str]) -> str:
    """The colour of an answer among those of its head: of several labels the first's, grey where none is named."""
    if answer.nearest is not None or not answer.label:
        return GREY
    return colours[answer.label if isinstance(answer.label, str) else answer.label[0]]
