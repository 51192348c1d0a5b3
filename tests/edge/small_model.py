"""A small model with its TFLite file, two clips of a second, and what Keras says of them."""

from __future__ import annotations

import fcntl
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.bundle import Bundle
from video_understanding.features.prepare import prepare
from video_understanding.labels import Labels
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.recognition.recognizer import Recognizer
from video_understanding.scorer import ModelInputs, PartwiseScorer
from video_understanding.spec import ModelSpec, NetworkSpec, VideoSpec

SPEC = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=4, height_px=32, width_px=32),
    network=NetworkSpec(backbone="small", token_size=16),
)
LABELS = Labels(action=("bounce", "slide", "spin"), emotion=("glad", "sad"))
TEMPERATURE = {"action": 0.5}
UNKNOWN_BELOW = {"action": 0.83}  # one of the two clips stays below it


@dataclass(frozen=True)
class World:
    """The files, and what Keras says of them.

    inputs       the first window of each clip
    expected     head -> probabilities [B,C] of these windows
    embeddings   float32 [B,E] of these windows
    predictions  of each clip, as JSON has them
    """

    model: Path
    clips: tuple[Path, ...]
    inputs: ModelInputs
    expected: dict[str, np.ndarray]
    embeddings: np.ndarray
    predictions: list[dict[str, Any]]


def make_world(folder: Path) -> World:
    """The world in a folder, made unless it is there."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:  # processes that test side by side share what one of them makes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "predictions.json").exists():
            make_dataset(folder, seed=3, clips=2, duration_s=1.0)
            scorer = _make_model(folder)
            inputs = _inputs(folder)
            np.savez(folder / "expected.npz", **scorer(inputs).heads)
            np.save(folder / "embeddings.npy", scorer.embed(scorer.encode(inputs), inputs.presence))
            predictions = [Recognizer(scorer, UNKNOWN_BELOW).predict(clip).to_dict() for clip in _clips(folder)]
            (folder / "predictions.json").write_text(json.dumps(predictions))
    return World(
        folder / "model_fp32.tflite",
        _clips(folder),
        _inputs(folder),
        dict(np.load(folder / "expected.npz")),
        np.load(folder / "embeddings.npy"),
        json.loads((folder / "predictions.json").read_text()),
    )


def _clips(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted((folder / "media").iterdir()))


def _inputs(folder: Path) -> ModelInputs:
    return prepare([read_clip(clip, SPEC) for clip in _clips(folder)], SPEC)


def described(network: bytes, values: dict[str, object]) -> bytes:
    """A TFLite file with this description behind it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("model.json", json.dumps(values))
    return network + archive.getvalue()


def description() -> dict[str, object]:
    """What may stand in model.json."""
    return {
        "format": 1,
        "mode": "fp32",
        "name": "small",
        "spec": SPEC.to_dict(),
        "labels": {head: list(LABELS.names(head)) for head in LABELS.heads},
        "temperature": TEMPERATURE,
        "unknown_below": UNKNOWN_BELOW,
        "licences": {},
    }


def _make_model(folder: Path) -> PartwiseScorer:
    """Exports the model to TFLite; returns it in Keras."""
    from video_understanding.export.make import export_bundle
    from video_understanding.models.build import VideoUnderstandingModel
    from video_understanding.models.keras_scorer import KerasScorer

    model = VideoUnderstandingModel(SPEC, LABELS, seed=7)
    facts = {"name": "small", "temperature": TEMPERATURE, "unknown_below": UNKNOWN_BELOW}
    export_bundle(Bundle.write(folder, SPEC, LABELS, facts), ["fp32"], model=model)
    return KerasScorer(model, TEMPERATURE)
