"""What can listen to the log-mel of a hop, by name.

Each is a function (log-mel [B,S,bands] in decibels above the floor, spec, seeds) -> [B,S',C], S' moments of the hop
with C numbers each; it takes one seed after the other for its convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import keras

from video_understanding.models.listeners.conv1d import conv1d
from video_understanding.models.listeners.separable import separable
from video_understanding.spec import ModelSpec

Listener = Callable[[keras.KerasTensor, ModelSpec, Iterator[int | None]], keras.KerasTensor]

LISTENERS: dict[str, Listener] = {
    "conv1d": conv1d,
    "separable": separable,
}
