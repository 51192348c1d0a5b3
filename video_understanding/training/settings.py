"""How a model is trained: all the numbers in one place, and nothing else."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from video_understanding.errors import VideoUnderstandingError

BALANCES = ("weights", "sampling", "none")


@dataclass(frozen=True)
class TrainingSettings:
    """What `train` does with the data.

    epochs               how often it goes through them at most
    patience             epochs without a better validation loss before it stops
    batch_size           clips at a time
    learning_rate        the highest; it rises for one epoch and then falls to nearly zero along a cosine
    backbone_rate        share of the learning rate for the unfrozen blocks of a backbone that has learned before
    weight_decay         pull of weights towards zero
    label_smoothing      share of a label that is spread over the other classes
    focal_gamma          0 for plain cross entropy; larger turns to the clips that are still wrong
    mixup                0 for none; strength of mixing clips in pairs
    unsure               how much a clip that is not labelled for a head teaches it to be unsure, 0 for not at all: for
                         data sets that are labelled for different heads and show none of each other's classes
    balance              how rare classes are helped: "weights" in the loss, "sampling" more often, "none"
    views                in how many views the frames of a clip are learned from by a linear classifier: as they are,
                         mirrored, and nearer in other light
    close_up             whether a linear classifier is also fitted to a close-up of what moves (zoom 4), and the better
                         of both on subjects left out is taken
    augment              whether clips are changed at random while learning
    seed                 of all that is random
    """

    epochs: int = 40
    patience: int = 8
    batch_size: int = 16
    learning_rate: float = 1e-3
    backbone_rate: float = 0.1
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    focal_gamma: float = 0.0
    mixup: float = 0.0
    unsure: float = 0.0
    balance: str = "weights"
    views: int = 2
    close_up: bool = True
    augment: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("patience", 1), ("batch_size", 1), ("views", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < low:
                raise VideoUnderstandingError(name, f"is {value!r}", f"Give a whole number of {low} or more.")
        if not self.learning_rate > 0:
            raise VideoUnderstandingError("learning_rate", f"is {self.learning_rate!r}", "Give a number above zero.")
        highest = {"backbone_rate": 1, "weight_decay": 1, "label_smoothing": 0.9, "focal_gamma": 10, "mixup": 10}
        highest["unsure"] = 1
        for name, high in highest.items():
            if not 0 <= getattr(self, name) <= high:
                raise VideoUnderstandingError(name, f"is {getattr(self, name)!r}", f"Give a number from 0 to {high:g}.")
        if self.balance not in BALANCES:
            raise VideoUnderstandingError("balance", f"{self.balance!r} is not known", f"Use one of: {BALANCES}.")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
