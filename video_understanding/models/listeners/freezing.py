"""Which part of a listener goes on learning: with few clips, its first blocks are best left as they are."""

from __future__ import annotations

import re

import keras

_NUMBER = re.compile(r"(?:conv|norm|block)_(\d+)")
_BEFORE_THE_BLOCKS = ("bands", "stem")


def freeze_listener(encoder: keras.Model, unfrozen_blocks: int | None) -> None:
    """Lets the last `unfrozen_blocks` blocks of a hop encoder's listener learn: 0 freezes all, None nothing.

    What comes after the blocks learns always. A frozen batch normalisation uses the averages that it has, and keeps
    them. Before training, not after: compile the model once it is done.
    """
    numbers = {layer.name: _block(layer.name) for layer in encoder.layers if layer.weights}
    found = sorted({number for number in numbers.values() if number is not None})
    learning = found if unfrozen_blocks is None else found[max(0, len(found) - unfrozen_blocks) :]
    for name, number in numbers.items():
        encoder.get_layer(name).trainable = number is None or number in learning


def _block(name: str) -> int | None:
    """The place of a layer's block in the listener, by the layer's name; None after the blocks."""
    if name.startswith(_BEFORE_THE_BLOCKS):
        return 0
    numbered = _NUMBER.match(name)
    return int(numbered[1]) if numbered else None
