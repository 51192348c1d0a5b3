"""A bundle's Keras model, and the scorer made of it."""

from __future__ import annotations

from pathlib import Path

import keras

from video_understanding.bundle import Bundle
from video_understanding.errors import BundleError
from video_understanding.models import backbones  # noqa: F401  loading looks for the layers that are registered there
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.whole_file import whole_file


def load_model(bundle: Bundle) -> VideoUnderstandingModel:
    """The trained model of a bundle, not compiled."""
    try:
        return keras.models.load_model(bundle.keras_file, compile=False)
    except (OSError, ValueError, TypeError) as error:
        raise BundleError(
            bundle.keras_file,
            f"cannot be loaded ({str(error).splitlines()[0]})",
            "Restore it from a copy, or train again.",
        ) from error


def save_model(model: VideoUnderstandingModel, file: Path) -> None:
    """Writes the model beside the file and renames: whoever sees the file sees all of it.

    What it was trained with is left out, which Keras would store beside the weights.
    """
    plain = model
    if model.compiled:
        plain = VideoUnderstandingModel.from_config(model.get_config())
        plain.set_weights(model.get_weights())
    with whole_file(file) as unfinished:
        plain.save(unfinished)


def keras_scorer(bundle: Bundle) -> KerasScorer:
    """The bundle's Keras model with the temperatures that were measured for it."""
    return KerasScorer(load_model(bundle), {head: bundle.temperature(head) for head in bundle.labels.heads})
