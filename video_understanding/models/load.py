"""A bundle's Keras model, and the scorer made of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import keras

from video_understanding.archive import DAMAGE, read_description
from video_understanding.bundle import BUNDLE_FILE, Bundle
from video_understanding.errors import BundleError, ManifestError, SpecError
from video_understanding.labels import Labels
from video_understanding.models import backbones  # noqa: F401  loading looks for the layers that are registered there
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.older_files import with_current_paths
from video_understanding.spec import ModelSpec
from video_understanding.whole_file import whole_file

_RESTORE = "Restore it from a copy, or train again."
_LARGEST_GROWTH = 20  # times the size of the file: weights can hardly be packed


def load_model(bundle: Bundle) -> VideoUnderstandingModel:
    """The trained model of a bundle, not compiled.

    Raises:
        BundleError: the file is damaged, holds another model, or one of another spec or other labels than the bundle.
    """
    file = bundle.keras_file
    try:
        _require_own(bundle, file)
        with with_current_paths(file) as current:
            return keras.models.load_model(current, compile=False)
    except (*DAMAGE, OSError, TypeError, KeyError, AttributeError, IndexError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BundleError(file, f"cannot be loaded ({lines[0]})", _RESTORE) from error


def _require_own(bundle: Bundle, file: Path) -> None:
    """Refuses, before Keras builds anything, a file that is not whole or whose model is not the bundle's."""
    if not file.is_file() or not zipfile.is_zipfile(file):
        raise BundleError(file, "cannot be loaded: it is cut off, or no Keras model", _RESTORE)
    with zipfile.ZipFile(file) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > _LARGEST_GROWTH * file.stat().st_size:
            raise BundleError(file, f"would unpack to {unpacked / 1e6:.0f} MB", _RESTORE)
        config = read_description(archive, file, "config.json", _RESTORE)
        damaged = archive.testzip()  # Keras reads the weights without comparing their checksum
    if damaged:
        raise BundleError(file, f"is damaged: the checksum of {damaged} in it is another", _RESTORE)
    if config.get("registered_name") != keras.saving.get_registered_name(VideoUnderstandingModel):
        raise BundleError(file, f"holds another kind of model ({config.get('class_name')!r})", _RESTORE)
    try:
        own = (ModelSpec.from_json(config["config"]["spec"]), Labels.from_json(config["config"]["labels"]))
    except (SpecError, ManifestError) as error:
        raise BundleError(file, f"{error.subject} {error.cause}", error.cure) from error
    if own[0] != bundle.spec:
        raise BundleError(file, f"was saved with another spec than that in {BUNDLE_FILE} beside it", _RESTORE)
    if own[1] != bundle.labels:
        raise BundleError(file, f"was saved with other labels than those in {BUNDLE_FILE} beside it", _RESTORE)


def save_model(model: VideoUnderstandingModel, file: Path) -> None:
    """Writes the model beside the file and renames: whoever sees the file sees all of it.

    What it was trained with is left out, which Keras would store beside the weights.
    """
    plain = model
    if model.compiled:
        plain = VideoUnderstandingModel.from_config(model.get_config())
        plain.set_weights(model.get_weights())
    with whole_file(file, durable=True) as unfinished:
        plain.save(unfinished)


def keras_scorer(bundle: Bundle) -> KerasScorer:
    """The bundle's Keras model with the temperatures that were measured for it."""
    return KerasScorer(load_model(bundle), {head: bundle.temperature(head) for head in bundle.labels.heads})
