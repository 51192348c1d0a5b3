"""Backbones by name: our own, those that come with Keras, and any SavedModel."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras

from video_understanding.errors import VideoUnderstandingError
from video_understanding.models.backbones import applications, efficientnet_lite
from video_understanding.models.backbones.applications import APPLICATIONS, application
from video_understanding.models.backbones.efficientnet_lite import efficientnet_lite0
from video_understanding.models.backbones.saved_model import is_place, saved_model
from video_understanding.models.backbones.seeding import reseeded
from video_understanding.models.backbones.small import small
from video_understanding.models.backbones.weights import SUFFIXES, load_weights


class Backbone(NamedTuple):
    """How a network is made with random weights, and how it gets those trained on ImageNet, if there are any."""

    make: Callable[[int, int], keras.Model]
    load_imagenet: Callable[[keras.Model], None] | None


BACKBONES: dict[str, Backbone] = {
    "small": Backbone(small, None),
    "efficientnet_lite0": Backbone(efficientnet_lite0, efficientnet_lite.load_imagenet),
    **{name: Backbone(partial(application, name), partial(applications.load_imagenet, name)) for name in APPLICATIONS},
}


def make_backbone(
    name: str,
    height_px: int,
    width_px: int,
    *,
    weights: str | Path | None = "default",
    seed: int | None = None,
) -> keras.Model:
    """float32 [B,H,W,3] with pixels 0 to 255 (RGB) -> features [B,F], preprocessing inside.

    name     one of BACKBONES, however it is spelt ("vgg16", "VGG16"); the path of a SavedModel; or a handle
             of TensorFlow Hub ("https://...", "hub:google/...")
    weights  "imagenet", None for random ones, or a file (.keras, .weights.h5, .h5); "default" takes
             ImageNet's where they exist and random ones for "small"
    seed     decides random weights
    """
    known = None if is_place(name) else _NAMES.get(_plain(name))
    if known is None:
        if not is_place(name) and not Path(name).is_dir():
            raise _unknown(name)
        return _from_saved_model(name, height_px, width_px, weights)
    backbone = BACKBONES[known]
    network = backbone.make(height_px, width_px)
    file = _file(weights)
    trained = backbone.load_imagenet is not None and weights in ("default", "imagenet")
    if weights == "imagenet" and not trained:
        raise VideoUnderstandingError(
            "weights", f"of ImageNet do not exist for {network.name}", "Use weights=None, and train it."
        )
    if trained:
        backbone.load_imagenet(network)
    elif file:
        load_weights(network, file)
    elif seed is not None:
        network = reseeded(network, seed)
    return network


def _from_saved_model(source: str, height_px: int, width_px: int, weights: str | Path | None) -> keras.Model:
    file = _file(weights)
    if weights != "default" and not file:
        raise VideoUnderstandingError(
            "weights", f"{weights!r} cannot be had for a SavedModel", "Leave them out: it brings its own."
        )
    network = saved_model(source, height_px, width_px)
    if file:
        load_weights(network, file)
    return network


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_NAMES = {_plain(name): name for name in BACKBONES}


def _unknown(name: str) -> VideoUnderstandingError:
    near = [_NAMES[plain] for plain in difflib.get_close_matches(_plain(name), _NAMES, n=3)]
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known are: {', '.join(BACKBONES)}."
    return VideoUnderstandingError(f"backbone {name!r}", "is not known", hint)


def _file(weights: str | Path | None) -> Path | None:
    """The file that `weights` names, if it names one."""
    if weights in (None, "default", "imagenet"):
        return None
    if not str(weights).endswith(SUFFIXES):
        raise VideoUnderstandingError(
            f"weights {str(weights)!r}",
            "is not known",
            f'Use "default", "imagenet", None, or a file that ends in {", ".join(SUFFIXES)}.',
        )
    return Path(weights)
