"""Weights of a listener that has learned before: written by the tool that teaches it, read when a model is made."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np

from video_understanding.errors import SpecError
from video_understanding.spec import AudioSpec, ModelSpec
from video_understanding.whole_file import whole_file

WEIGHTS = {"separable": Path(__file__).with_name("separable.npz")}
LICENCES = {"separable": {"audio encoder separable, pretrained for this project": "Apache-2.0"}}
_HEARD_BY = "heard_by"  # entry that tells the settings of the log-mel the weights were learned with
_OWN_TO_THE_CLASSES = ("tokens", "even")  # layers after the listener, which are learned anew each time


def load_listener(encoder: keras.Model, spec: ModelSpec) -> None:
    """Gives the spec's listener in the hop encoder what it has learned before; nothing for one that has not."""
    file = WEIGHTS.get(spec.network.listener)
    if file is None:
        return
    with np.load(file) as stored:
        _require_same_ears(json.loads(str(stored[_HEARD_BY])), spec)
        for layer in _listening(encoder):
            layer.set_weights([stored[f"{layer.name}/{place}"] for place in range(len(layer.weights))])


def write_weights(encoder: keras.Model, spec: ModelSpec, file: Path) -> None:
    """Keeps what the listener in the hop encoder has learned, in 16 bits where there are many numbers."""
    kept = {_HEARD_BY: np.array(json.dumps(_ears(spec.audio)))}
    for layer in _listening(encoder):
        for place, values in enumerate(layer.get_weights()):
            kept[f"{layer.name}/{place}"] = values.astype(np.float16) if values.ndim > 1 else values
    file.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(file) as unfinished, unfinished.open("wb") as out:
        np.savez_compressed(out, **kept)


def _listening(encoder: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in encoder.layers if layer.weights and layer.name not in _OWN_TO_THE_CLASSES]


def _ears(audio: AudioSpec) -> dict[str, float]:
    """What decides how a sound looks to the listener; the floor does not, it only says where silence begins."""
    settings = dataclasses.asdict(audio.log_mel)
    del settings["floor_power"]
    return {"sample_rate_hz": audio.sample_rate_hz, **settings}


def _require_same_ears(learned: dict[str, float], spec: ModelSpec) -> None:
    for name, value in _ears(spec.audio).items():
        if value != learned[name]:
            raise SpecError(
                f"audio {name}",
                f"is {value:g}, but the listener {spec.network.listener!r} has learned with {learned[name]:g}",
                f"Set it to {learned[name]:g}, take the listener 'conv1d', or begin with weights=None.",
            )
