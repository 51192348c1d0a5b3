"""The map inside a backbone at which its heat is read: the last one that still tells places apart."""

from __future__ import annotations

import keras

LEAST_SIDE = 4  # cells: fewer tell halves of the picture, not places


def cut_backbone(backbone: keras.Model) -> tuple[keras.Model, keras.Model] | None:
    """The backbone in two: frames [B,H,W,3] -> map [B,h,w,C], and that map -> features [B,F]; None if there is none.

    The map is the last one of at least `LEAST_SIDE` cells each way, smaller than the frame, through which everything
    goes: past a map on one branch of several, some of what the network knows would go unseen.
    """
    height_px, width_px = backbone.input_shape[1:3]
    for layer in reversed(_bottlenecks(backbone)):
        shape = layer.output.shape
        if len(shape) == 4 and min(shape[1:3]) >= LEAST_SIDE and shape[1] < height_px and shape[2] < width_px:
            before = keras.Model(backbone.inputs[0], layer.output, name=layer.name)
            return before, keras.Model(layer.output, backbone.outputs[0])
    return None


def _bottlenecks(backbone: keras.Model) -> list[keras.layers.Layer]:
    """The layers, in order, after which nothing made before is used any more."""
    layers = backbone.layers  # Keras sorts them so that each comes after what it takes from
    made_at = {id(layer.output): place for place, layer in enumerate(layers)}
    last_use = list(range(len(layers)))
    for place, layer in enumerate(layers):
        for tensor in keras.tree.flatten(layer.input):
            maker = made_at.get(id(tensor), place)
            last_use[maker] = max(last_use[maker], place)
    found, furthest = [], 0  # how far anything made before the layer is still used
    for place, layer in enumerate(layers):
        if furthest <= place:
            found.append(layer)
        furthest = max(furthest, last_use[place])
    return found
