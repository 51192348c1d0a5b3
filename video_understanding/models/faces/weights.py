"""Pretrained weights of the face networks: written by the tool that trains them, read when a network is made."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from video_understanding.errors import BundleError
from video_understanding.whole_file import whole_file

WEIGHTS = {name: Path(__file__).with_name(f"{name}.npz") for name in ("face_encoder", "face_detector")}
LICENCES = {
    "face_encoder": {"face encoder, pretrained for this project on FER2013 pictures (research use)": "Apache-2.0"},
}


def load_face_weights(network: keras.Model, file: Path | None = None) -> keras.Model:
    """Gives a face network its pretrained weights.

    Args:
        network: of `make_face_encoder` or `make_face_detector`.
        file: other weights of the same network; `WEIGHTS` if not given. Those of the encoder ship.

    Returns:
        The network.
    """
    file = file or WEIGHTS[network.name]
    if not file.exists():
        raise BundleError(file, "is not there: these weights do not ship yet", "Train: python -m benchmarks.faces.")
    with np.load(file) as stored:
        for layer in _with_weights(network):
            values = [stored[f"{layer.name}/{place}"] for place in range(len(layer.weights))]
            if [value.shape for value in values] != [tuple(weight.shape) for weight in layer.weights]:
                raise BundleError(file, f"has weights of other sizes for {layer.name}", "Train them anew.")
            layer.set_weights(values)
    return network


def write_face_weights(network: keras.Model, file: Path) -> None:
    """Writes the weights of a face network, in 16 bits where there are many numbers."""
    found = {
        f"{layer.name}/{place}": value.astype(np.float16) if value.ndim > 1 else value
        for layer in _with_weights(network)
        for place, value in enumerate(layer.get_weights())
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as unfinished, unfinished.open("wb") as out:
        np.savez_compressed(out, **found)


def _with_weights(network: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in network.layers if layer.weights]
