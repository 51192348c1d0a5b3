"""Speakers known: the second weights of a linear bundle, and every way to use them, on voices that are drawn."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from video_understanding.bundle import Bundle
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.errors import BundleError
from video_understanding.features import statistics
from video_understanding.features.speaker_weights import SPEAKER_FILE, SpeakerWeights
from video_understanding.labels import Labels
from video_understanding.layers import statistics as layers
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training.crossval import crossval
from video_understanding.training.measuring import BY_ALL, BY_OTHER_HALF
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import train

SPEC = ModelSpec(
    window_s=0.5,
    video=VideoSpec(frames_hz=2, height_px=32, width_px=32),
    audio=AudioSpec(hop_s=0.5),
    network=NetworkSpec(classifier="linear", unfrozen_blocks=0, listener="separable", unfrozen_listener_blocks=0),
)
SETTINGS = TrainingSettings(close_up=False)
SPEAKERS, CLIPS = 12, 8


def write_voices(folder: Path, moods_of_speaker: int) -> Path:
    """Noise of a loudness of each speaker's own, 6 dB softer when calm and 6 dB louder when angry."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    lines = ["path,emotion,subject"]
    for speaker in range(SPEAKERS):
        own_db = -50 + 40 * speaker / SPEAKERS
        for clip in range(CLIPS):
            angry = bool((speaker + clip) % 2 if moods_of_speaker == 2 else speaker % 2)
            level_db = own_db + (6 if angry else -6) + chance.normal()
            samples = chance.normal(size=8000) * 10 ** (level_db / 20)
            name = f"s{speaker:02}_{clip}.wav"
            with wave.open(str(folder / name), "wb") as file:
                file.setparams((1, 2, 16000, 0, "NONE", ""))
                file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
            lines.append(f"{name},{'angry' if angry else 'calm'},{speaker}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    return folder / "clips.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("speakers")


@pytest.fixture(scope="module")
def cache(folder) -> ClipCache:
    return ClipCache(folder / "cache")


@pytest.fixture(scope="module")
def voices(folder) -> Path:
    return write_voices(folder / "voices", moods_of_speaker=2)


@pytest.fixture(scope="module")
def bundle(voices, folder, cache) -> Bundle:
    return train(load_manifest(voices), SPEC, folder / "bundle", SETTINGS, cache=cache, progress=False)


def test_second_weights_are_solved_where_speakers_are_known_and_they_help(bundle):
    assert bundle.facts["training"]["speaker_normalisation"] == {"emotion": True}
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    assert list(weights.heads["emotion"]) == [("audio",)]
    assert weights.windows_per_clip == 1


def test_they_are_not_where_each_speaker_shows_one_mood(folder, cache):
    manifest = load_manifest(write_voices(folder / "one_mood", moods_of_speaker=1))
    bundle = train(manifest, SPEC, folder / "uneven", SETTINGS, cache=cache, progress=False)
    assert bundle.facts["training"]["speaker_normalisation"] == {"emotion": False}
    assert SpeakerWeights.read(bundle.folder, bundle.labels) is None


def test_statistics_are_those_that_the_layers_make():
    tokens = np.random.default_rng(0).random((3, 4, 6), np.float32)
    for name, pool in statistics.POOLINGS.items():
        np.testing.assert_allclose(pool(tokens), layers.POOLINGS[name](tokens), atol=1e-6)
        assert pool(tokens).shape[-1] == 6 * statistics.POOLED_WIDTHS[name]
        np.testing.assert_allclose(pool(tokens[:, :1]), layers.POOLINGS[name](tokens[:, :1]), atol=1e-6)


def test_weights_are_read_back_as_written_and_damage_is_told_in_one_line(bundle, tmp_path):
    weights = SpeakerWeights.read(bundle.folder, bundle.labels)
    weights.write(tmp_path)
    again = SpeakerWeights.read(tmp_path, bundle.labels)
    own = {"audio": np.random.default_rng(0).random(len(weights.normalisation.usual), np.float32)}
    np.testing.assert_array_equal(again.logits("emotion", own), weights.logits("emotion", own))
    file = tmp_path / SPEAKER_FILE
    whole = file.read_bytes()
    middle = len(whole) // 2
    for damaged in (b"", b"no archive", whole[:middle], whole[:middle] + b"\0\1\2\3" * 9 + whole[middle + 36 :]):
        file.write_bytes(damaged)
        with pytest.raises(BundleError, match=r"cannot be read .*Restore it from a copy") as refused:
            SpeakerWeights.read(tmp_path, bundle.labels)
        assert "\n" not in str(refused.value)
    file.write_bytes(whole)
    with pytest.raises(BundleError, match="does not have"):
        SpeakerWeights.read(tmp_path, Labels(action=("one", "two")))
    assert SpeakerWeights.read(tmp_path / "elsewhere", bundle.labels) is None


def test_a_later_format_is_refused_as_such(bundle, tmp_path):
    with np.load(bundle.folder / SPEAKER_FILE) as arrays:
        values = dict(arrays)
    about = json.loads(str(values["about"]))
    for changes, words in (({"format": 2}, "newer"), ({"windows_per_clip": 10**9}, "windows_per_clip")):
        np.savez(tmp_path / SPEAKER_FILE, **{**values, "about": np.array(json.dumps(about | changes))})
        with pytest.raises(BundleError, match=words):
            SpeakerWeights.read(tmp_path, bundle.labels)
    np.savez(tmp_path / SPEAKER_FILE, **{**values, "usual": np.full_like(values["usual"], np.nan)})
    with pytest.raises(BundleError, match="finite"):
        SpeakerWeights.read(tmp_path, bundle.labels)


def test_a_cross_validation_says_what_known_speakers_bring(voices, folder, cache):
    found = crossval(load_manifest(voices), SPEC, folder / "folds", SETTINGS, folds=3, cache=cache, progress=False)
    known, half = (found.speaker_known[name]["emotion"].mean for name in (BY_ALL, BY_OTHER_HALF))
    assert min(known, half) > found.uar.mean + 0.1
    values = found.to_dict()["speaker_known"]
    assert values[BY_ALL]["emotion"]["mean"] == known
    lines = [line for line in found.text().splitlines() if "speaker known" in line]
    assert len(lines) == 2 and f"{100 * known:.1f}" in lines[0]
