"""Clips that lack a modality: learned from with a token in its place, left out, or filled with the others' mean."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.training.test_batches import CLIPS, ROWS, SMALL, prepared
from video_understanding.cli.main import main
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.manifest import load_manifest
from video_understanding.errors import SpecError, TrainingError
from video_understanding.features.prepare import from_prepared
from video_understanding.media.synthetic import damage, make_dataset
from video_understanding.models.load import keras_scorer, load_model
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training.missing import filled, windows_to_learn
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import train

SPEC = ModelSpec(1.0, VideoSpec(frames_hz=2, height_px=32, width_px=32), AudioSpec(hop_s=0.5))
SETTINGS = TrainingSettings(epochs=1, batch_size=4, close_up=False)


def with_silent(missing: str, silent: set[int]) -> PreparedClips:
    """Clips of which some have no sound."""
    clips = prepared(SMALL)
    loud = clips._places[0][0]
    spec = dataclasses.replace(SMALL, network=NetworkSpec(missing=missing))
    mute = dataclasses.replace(loud, sound=np.zeros_like(loud.sound))
    return PreparedClips(spec, [(place, mute if place in silent else loud) for place in range(CLIPS)], (), ROWS)


@pytest.mark.parametrize(("missing", "left"), [("ignore", 8), ("drop", 5), ("fill", 8)])
def test_only_drop_leaves_clips_out(missing, left):
    assert len(windows_to_learn(with_silent(missing, {1, 2, 6}), np.arange(CLIPS))) == left


@pytest.mark.parametrize("missing", ["drop", "fill"])
def test_what_changes_nothing_or_leaves_nothing_is_refused(missing):
    with pytest.raises(TrainingError, match=f"missing '{missing}': changes nothing: every clip has video and audio"):
        windows_to_learn(with_silent(missing, set()), np.arange(CLIPS))
    with pytest.raises(TrainingError, match="leaves no clip: none has video and audio"):
        windows_to_learn(with_silent(missing, set(range(CLIPS))), np.arange(CLIPS))
    with pytest.raises(SpecError, match="'guess' is not known"):
        NetworkSpec(missing="guess")


def test_statistics_are_filled_with_the_mean_of_those_that_are_there():
    audio = np.float32([[[1, 2], [9, 9], [3, 4]]])  # [V,K,P]
    present = {"audio": np.array([True, False, True]), "video": np.array([True, False, False])}
    made, some = filled({"audio": audio, "video": audio}, present)
    assert made["audio"][0].tolist() == [[1, 2], [2, 3], [3, 4]]
    assert some["audio"].tolist() == some["video"].tolist() == [True, False, True]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """Sixteen clips, of which every third has no sound."""
    folder = tmp_path_factory.mktemp("missing")
    make_dataset(
        folder, seed=1, clips=16, duration_s=1.0, actions=("bounce", "spin"), emotions=("happy", "sad"), subjects=8,
        width_px=64, height_px=48,
    )  # fmt: skip
    for file in sorted((folder / "media").iterdir())[::3]:
        damage(file, "missing_sound", 0, folder / file.name).replace(file)
    return load_manifest(folder)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> ClipCache:
    return ClipCache(tmp_path_factory.mktemp("cache"))


def spec_of(missing: str, classifier: str) -> ModelSpec:
    frozen = {"unfrozen_blocks": 0, "listener": "separable", "unfrozen_listener_blocks": 0}
    network = NetworkSpec(
        classifier=classifier, missing=missing, token_size=8, **(frozen if classifier == "linear" else {})
    )
    return dataclasses.replace(SPEC, network=network)


def test_a_closed_form_fills_a_missing_modality_with_the_mean(manifest, cache, tmp_path):
    bundle = train(manifest, spec_of("fill", "linear"), tmp_path, SETTINGS, cache=cache, progress=False)
    assert "is filled with the mean of the other clips' tokens" in bundle.card_file.read_text(encoding="utf-8")
    kernel = np.array(load_model(bundle).linear.outputs["action"].kernel)  # [sets,P,C]
    assert np.array_equal(kernel[0], kernel[2]) and np.array_equal(kernel[1], kernel[2])
    inputs = from_prepared(cache.prepare(manifest.rows, bundle.spec, progress=False), np.arange(16))
    assert 0 < inputs.presence[:, 1].sum() < 16
    assert np.isfinite(keras_scorer(bundle)(inputs)["action"]).all()


def test_a_network_gathers_the_mean_of_the_tokens_that_are_there(manifest, cache, tmp_path):
    bundle = train(manifest, spec_of("fill", "network"), tmp_path, SETTINGS, cache=cache, progress=False)
    token = load_model(bundle).missing["audio"]
    assert np.abs(np.array(token.token)).max() > 1e-3 and not token.trainable_variables


def test_the_program_takes_the_choice(manifest, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(tmp_path / "cache"))
    folder = manifest.rows[1].path.parents[1]
    words = ["train", str(folder), "--out", str(tmp_path / "model"), "--preset", "tiny", "--epochs", "1"]
    assert main([*words, "--modalities", "video", "--missing", "drop"]) == 2
    assert "changes nothing: every clip has video" in capsys.readouterr().err
