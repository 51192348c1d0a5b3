"""Base class of augmentations: parameters are drawn at random, then applied deterministically."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from video_understanding.clip import Clip
from video_understanding.errors import VideoUnderstandingError

Parameters = dict[str, Any]  # plain numbers, strings, lists and dicts: what JSON can hold
Range = tuple[float, float]  # (lowest, highest), drawn uniformly unless stated otherwise


class Augmentation(ABC):
    """A change to a clip that leaves its labels true.

    Only `draw` is random, so parameters that were logged give the very same clip again.
    Neither shapes nor types change, the clip given is not modified, and a modality that it lacks stays
    absent.
    """

    @abstractmethod
    def draw(self, clip: Clip, generator: np.random.Generator, /) -> Parameters:
        """Parameters for a clip of this shape and length, independent of its content."""

    @abstractmethod
    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        """The clip changed by the parameters."""

    def __call__(self, clip: Clip, generator: np.random.Generator) -> Clip:
        return self.apply(clip, self.draw(clip, generator))


@dataclass(frozen=True)
class Chain(Augmentation):
    """Augmentations one after the other, each with the probability (0 to 1) that it happens."""

    steps: tuple[tuple[Augmentation, float], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple((step, float(probability)) for step, probability in self.steps))
        for step, probability in self.steps:
            if not 0.0 <= probability <= 1.0:
                raise VideoUnderstandingError(
                    f"Chain, {type(step).__name__}", f"has probability {probability:g}", "Give 0 (never) to 1 (always)."
                )

    def draw(self, clip: Clip, generator: np.random.Generator, /) -> Parameters:
        """`{"steps": [[name, parameters or None], ...]}`; None where the step does not happen."""
        return {
            "steps": [
                [type(step).__name__, step.draw(clip, generator) if generator.random() < probability else None]
                for step, probability in self.steps
            ]
        }

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        drawn = parameters["steps"]
        names = [type(step).__name__ for step, _ in self.steps]
        if [name for name, _ in drawn] != names:
            raise VideoUnderstandingError(
                "augmentation parameters",
                f"are for the steps {', '.join(name for name, _ in drawn) or 'none'}, not {', '.join(names) or 'none'}",
                "Apply them with the chain that drew them.",
            )
        for (step, _), (_, chosen) in zip(self.steps, drawn, strict=True):
            if chosen is not None:
                clip = step.apply(clip, chosen)
        return clip


def drawn_uniformly(between: Range, generator: np.random.Generator) -> float:
    """A float from the range, uniformly distributed."""
    return float(generator.uniform(*between))


def drawn_by_ratio(between: Range, generator: np.random.Generator) -> float:
    """A float from a range of factors, uniformly distributed on a logarithmic scale."""
    return math.exp(generator.uniform(math.log(between[0]), math.log(between[1])))


def require_range(augmentation: Augmentation, name: str, low: float = -math.inf, high: float = math.inf) -> None:
    """Stores the range in field `name` as two floats, or refuses it if it descends or leaves [low, high]."""
    value = getattr(augmentation, name)
    try:
        first, last = (float(end) for end in value)
        fits = math.isfinite(first) and math.isfinite(last) and low <= first <= last <= high
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise VideoUnderstandingError(
            f"{type(augmentation).__name__}.{name}",
            f"is {value!r}, not a range within {low:g} to {high:g}",
            "Give (lowest, highest).",
        )
    object.__setattr__(augmentation, name, (first, last))
