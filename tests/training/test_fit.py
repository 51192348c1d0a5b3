"""Training: it learns, it is the same from the same seed, and a kill at any moment changes nothing."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.datasets.splits import split_rows
from video_understanding.errors import TrainingError
from video_understanding.media.synthetic import make_dataset
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training.fit import begins_at_random, fit
from video_understanding.training.settings import TrainingSettings

PROJECT = Path(__file__).parents[2]
SPEC = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=4, height_px=32, width_px=32),
    audio=AudioSpec(hop_s=0.25),
    network=NetworkSpec(token_size=16, attention_heads=2, dropout=0.1),
)
SETTINGS = TrainingSettings(epochs=3, batch_size=8, seed=4, balance="weights", mixup=0.2)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    make_dataset(
        folder / "clips", seed=1, clips=36, duration_s=1.0, actions=("bounce", "spin", "slide"),
        emotions=("happy", "sad"), subjects=6, width_px=64, height_px=48, partial_labels=0.3,
    )  # fmt: skip
    ClipCache(folder / "cache").prepare(load_manifest(folder / "clips").rows, SPEC)
    return folder


def run(data: Path, out: Path, settings: TrainingSettings = SETTINGS, **options):
    manifest = load_manifest(data / "clips")
    split = split_rows(manifest, seed=0, validation=0.2, test=0.2)
    return fit(manifest, split, SPEC, out, settings, cache=ClipCache(data / "cache"), progress=False, **options)


def weights(trained) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(value) for value in trained.model.weights]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    return run(data, tmp_path_factory.mktemp("whole"))


def test_it_runs_through_and_keeps_its_history(uninterrupted):
    assert len(uninterrupted.history["loss"]) == 3
    assert {"val_loss", "val_action_accuracy", "val_emotion_accuracy"} <= set(uninterrupted.history)
    assert uninterrupted.model.labels["action"] == ("bounce", "slide", "spin")
    assert not uninterrupted.interrupted


def test_tensorboard_is_given_every_epoch(data, tmp_path):
    run(data, tmp_path, TrainingSettings(epochs=2, batch_size=8, seed=4))
    told = {}
    for part in ("train", "validation"):
        (file,) = (tmp_path / "training" / "tensorboard" / part).iterdir()
        events = [event for event in tf.compat.v1.train.summary_iterator(str(file)) if event.summary.value]
        told[part] = {(event.summary.value[0].tag, event.step) for event in events}
    assert {("epoch_loss", 0), ("epoch_loss", 1), ("epoch_learning_rate", 1)} <= told["train"]
    assert ("epoch_action_accuracy", 1) in told["validation"]


def test_the_same_seed_gives_the_same_weights_to_the_bit(uninterrupted, data, tmp_path):
    assert same(weights(run(data, tmp_path)), weights(uninterrupted))


_TRAIN = """
import sys
from pathlib import Path
from tests.training.test_fit import run, weights
import numpy as np
trained = run(Path(sys.argv[1]), Path(sys.argv[2]), resume=True)
np.savez(sys.argv[3], *weights(trained))
"""


def start(data: Path, out: Path, result: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", _TRAIN, str(data), str(out), str(result)],
        cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip


def test_killed_and_resumed_it_ends_with_the_same_weights_to_the_bit(uninterrupted, data, tmp_path):
    """Killed with SIGKILL after the first epoch, and once more before the second is whole."""
    out, result = tmp_path / "out", tmp_path / "weights.npz"
    for _ in range(2):
        process = start(data, out, result)
        state = out / "training" / "state.npz"
        before = state.stat().st_mtime_ns if state.exists() else 0
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if state.exists() and state.stat().st_mtime_ns != before:
                break
            time.sleep(0.01)
        assert process.poll() is None, process.stderr.read().decode()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not result.exists()
    process = start(data, out, result)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors.decode()
    with np.load(result) as kept:
        resumed = [kept[name] for name in kept.files]
    assert same(resumed, weights(uninterrupted))


def test_resuming_something_else_is_refused_by_name(data, tmp_path):
    run(data, tmp_path, TrainingSettings(epochs=1, batch_size=8, seed=4))
    with pytest.raises(TrainingError, match=r"other settings: settings batch size 8, now 4\. "):
        run(data, tmp_path, TrainingSettings(epochs=1, batch_size=4, seed=4), resume=True)


def test_a_finished_training_is_not_trained_further(data, tmp_path):
    settings = TrainingSettings(epochs=1, batch_size=8, seed=4)
    first = weights(run(data, tmp_path, settings))
    assert same(weights(run(data, tmp_path, settings, resume=True)), first)


def test_a_frozen_backbone_learns_from_what_it_saw_once(data, tmp_path):
    spec = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, unfrozen_blocks=0))
    manifest = load_manifest(data / "clips")
    split = split_rows(manifest, seed=0, validation=0.2, test=0.2)
    cache = ClipCache(data / "cache")
    trained = fit(manifest, split, spec, tmp_path, SETTINGS, cache=cache, progress=False)
    assert len(trained.history["loss"]) == 3


@pytest.mark.parametrize(
    "changes", [{"balance": "sampling"}, {"balance": "none", "focal_gamma": 2.0, "augment": False}]
)
def test_the_other_settings_train_as_well(data, tmp_path, changes):
    trained = run(data, tmp_path, dataclasses.replace(SETTINGS, epochs=1, **changes))
    assert np.isfinite(trained.history["loss"]).all()


def test_a_loss_that_is_no_number_is_explained(data, tmp_path):
    with pytest.raises(TrainingError, match="learning_rate"):
        run(data, tmp_path, TrainingSettings(epochs=5, batch_size=8, learning_rate=1e30))


def test_a_step_that_does_not_fit_into_memory_says_what_to_lower(data, tmp_path, monkeypatch):
    """For real: a part of the model asks for more memory than any machine has."""
    from video_understanding.models.encoders import Encoder

    tokens = Encoder.tokens

    def greedy(self, features, training=None):
        rows = tf.shape(features, tf.int64)[0]
        return tokens(self, features, training) + tf.reduce_sum(tf.fill(tf.stack([rows, 2**42]), 1.0))

    monkeypatch.setattr(Encoder, "tokens", greedy)
    with pytest.raises(TrainingError, match="8 clips at a time") as caught:
        run(data, tmp_path)
    assert "Lower batch_size" in str(caught.value)


@pytest.mark.parametrize(
    ("backbone", "weights", "at_random"),
    [
        ("small", "default", True),
        ("small", "mine.weights.h5", False),
        ("efficientnet_lite0", None, True),
        ("efficientnet_lite0", "default", False),
    ],
)
def test_only_a_backbone_that_has_learned_before_is_slowed_down(backbone, weights, at_random):
    spec = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, backbone=backbone))
    assert begins_at_random(spec, weights) == at_random


def test_one_class_is_refused(data, tmp_path):
    manifest = load_manifest(data / "clips")
    only = manifest.with_rows(
        [row for row in manifest.rows if row.labels.get("action") == "bounce" and row.labels.get("emotion") is None]
    )
    split = split_rows(only, seed=0, validation=0.0, test=0.0)
    with pytest.raises(TrainingError, match="only one action"):
        fit(only, split, SPEC, tmp_path, SETTINGS, cache=ClipCache(data / "cache"), progress=False)
