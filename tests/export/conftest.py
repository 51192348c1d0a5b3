"""A small model that was trained for a moment, and one export of it in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from video_understanding.cli.main import main
from video_understanding.datasets.manifest import load_manifest
from video_understanding.media.synthetic import make_dataset
from video_understanding.scorer import ModelInputs
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import train


def small_spec(**network: Any) -> ModelSpec:
    return ModelSpec(
        window_s=1.0,
        video=VideoSpec(frames_hz=4, height_px=32, width_px=32),
        audio=AudioSpec(hop_s=0.25),
        network=NetworkSpec(**{"token_size": 16, "attention_heads": 2, "dropout": 0.1, **network}),
    )


def some_inputs(spec: ModelSpec, batch: int, seed: int = 0) -> ModelInputs:
    """Noise of different strength, with every kind of presence."""
    rng = np.random.default_rng(seed)
    return ModelInputs(
        {
            "video": rng.integers(0, 256, (batch, *spec.frames_shape), dtype=np.uint8),
            "audio": (rng.normal(0, 0.1, (batch, spec.samples)) * rng.uniform(0, 1, (batch, 1))).astype(np.float32),
        },
        np.array([[1, 1], [1, 0], [0, 1]] * (1 + batch), bool)[:batch],
    )


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    """Clips whose action is seen and whose emotion is seen and heard."""
    folder = tmp_path_factory.mktemp("export")
    make_dataset(
        folder / "clips", seed=1, clips=96, duration_s=1.0, actions=("bounce", "spin"), emotions=("happy", "sad"),
        subjects=4, width_px=64, height_px=48, difficulty=0.0,
    )  # fmt: skip
    return folder


@pytest.fixture(autouse=True)
def own_cache(data, monkeypatch):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(data / "cache"))


@pytest.fixture(scope="session")
def exported(data) -> tuple[Path, dict[str, Any]]:
    """The bundle with all exports, made by the program, and what the program told in JSON."""
    folder = data / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_UNDERSTANDING_CACHE", str(data / "cache"))
        settings = TrainingSettings(epochs=20, patience=20, batch_size=8, learning_rate=3e-3, augment=False, seed=1)
        train(load_manifest(data / "clips"), small_spec(), folder, settings, progress=False)
        told = []
        patch.setattr("builtins.print", lambda text="", *_, **settings: settings.get("file") or told.append(text))
        assert main(["export", str(folder), "--calibrate", str(data / "clips"), "--json"]) == 0
    return folder, json.loads(told[0])
