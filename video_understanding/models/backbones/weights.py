"""Weights of a backbone from a file that was written earlier."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import keras

from video_understanding.errors import VideoUnderstandingError

SUFFIXES = (".keras", ".weights.h5", ".h5")


def load_weights(network: keras.Model, path: Path) -> None:
    """Puts the weights of a file into a network of the same make.

    `.keras` and `.weights.h5` are what Keras writes of a backbone; `.h5` is also the form in which Keras
    publishes the weights of its networks (the files named `..._notop.h5`).
    """
    if not path.is_file():
        raise VideoUnderstandingError(path, "is not there", "Give a file of weights, or weights=None for random ones.")
    try:
        with warnings.catch_warnings():
            # Of a file that does not fit Keras warns at length before it fails; the first warning is enough.
            warnings.simplefilter("error", UserWarning)
            if path.suffix == ".keras":
                network.set_weights(keras.models.load_model(path, compile=False).get_weights())
            else:
                network.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError, UserWarning, zipfile.BadZipFile) as error:
        raise VideoUnderstandingError(
            path,
            f"does not hold the weights of {network.name} ({error})",
            "Give a file that was written of the same network.",
        ) from error
