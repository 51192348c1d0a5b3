"""Which part of a backbone goes on learning: nothing, all of it, or its last blocks."""

from __future__ import annotations

import re
from itertools import accumulate, groupby

import keras

from video_understanding.errors import VideoUnderstandingError

# How networks name the layers of a block. Where there is a group, it is what tells the blocks apart.
_IN_A_BLOCK = re.compile(
    r"conv\d+_block\d+(?=_)"  # ResNet, DenseNet
    r"|stage_\d+_block_\d+"  # ConvNeXt
    r"|block_?\d+[a-z]?(?=_)"  # ours, VGG, EfficientNet, Xception, MobileNetV2
    r"|expanded_conv(?:_\d+(?=_[a-z]))?"  # MobileNetV2's first, MobileNetV3
    r"|conv_(?:dw|pw|pad)_(\d+)"  # MobileNet
)
# Some only name the layer where the branches of a block come together again.
_ENDS_A_BLOCK = re.compile(
    r"mixed\d+|mixed_\d[ab]|block\d+_\d+_ac"  # Inception
    r"|(?:normal|reduction)_concat_\w+"  # NASNet
)


def freeze(backbone: keras.Model, unfrozen_blocks: int | None) -> None:
    """Lets the last `unfrozen_blocks` blocks learn and freezes the others: 0 freezes all, None nothing.

    A frozen batch normalisation uses the averages that it has, and keeps them. A backbone with fewer
    blocks learns as a whole. Before training, not after: compile the model once it is done.
    """
    if unfrozen_blocks is not None and unfrozen_blocks < 0:
        raise VideoUnderstandingError(
            "unfrozen_blocks", f"is {unfrozen_blocks}", "Give 0 to freeze all, or how many of the last blocks learn."
        )
    found = blocks(backbone)
    first = 0 if unfrozen_blocks is None else len(found) - unfrozen_blocks
    backbone.trainable = True
    for index, block in enumerate(found):
        for layer in block:  # one by one: Keras does not pass on to the layers what the model already is
            layer.trainable = index >= first


def blocks(backbone: keras.Model) -> list[list[keras.layers.Layer]]:
    """The layers of a backbone by block, from the picture to the features; each block has weights.

    What comes before the first block is a block of its own, and what follows one belongs to it. A network
    that names no blocks has one for each layer with weights.
    """
    pairs = zip(_block_of_each(backbone.layers), backbone.layers, strict=True)
    found: list[list[keras.layers.Layer]] = []
    for _, group in groupby(pairs, key=lambda pair: pair[0]):
        block = [layer for _, layer in group]
        if found and not (_has_weights(found[-1]) and _has_weights(block)):
            found[-1] += block  # one of them has nothing to learn
        else:
            found.append(block)
    return found


def _block_of_each(layers: list[keras.layers.Layer]) -> list[str | int]:
    """For each layer what tells its block from the one before."""
    ends = [bool(_ENDS_A_BLOCK.fullmatch(layer.name)) for layer in layers]
    if any(ends):
        return [0, *accumulate(ends[:-1])]
    if any(_IN_A_BLOCK.search(layer.name) for layer in layers):
        keys, key = [], ""
        for layer in layers:
            named = _IN_A_BLOCK.search(layer.name)
            key = (named[1] or named[0]) if named else key  # a layer without a name of its kind stays where it stands
            keys.append(key)
        return keys
    return list(accumulate(bool(layer.weights) for layer in layers))


def _has_weights(block: list[keras.layers.Layer]) -> bool:
    return any(layer.weights for layer in block)
