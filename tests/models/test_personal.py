"""A model made used to one person: it takes out how they always sound, and nothing else changes."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

import video_understanding as vu
from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.errors import ClipError
from video_understanding.labels import Labels
from video_understanding.media.synthetic import Scene, write_scene
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import load_model, save_model
from video_understanding.models.personal import last_norm, personalised
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

LABELS = Labels(emotion=("calm", "glad"))
SPEC = ModelSpec(
    window_s=1.0, video=VideoSpec(2, 16, 16), audio=AudioSpec(hop_s=0.5), network=NetworkSpec(token_size=8)
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> VideoUnderstandingModel:
    return VideoUnderstandingModel(SPEC, LABELS, seed=1)


def noise(windows: int, strength: float = 0.1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, strength, (windows, SPEC.samples)).astype(np.float32)


def even(model: VideoUnderstandingModel, waveform: np.ndarray) -> np.ndarray:
    """[H,S,C]: what the last norm of the listener leaves of the sound, before its own scale and shift."""
    norm = last_norm(model)
    hear = keras.Model(model.encoders["audio"].backbone.input, norm.output)
    gamma, beta = (keras.ops.convert_to_numpy(own) for own in (norm.gamma, norm.beta))
    return (hear(waveform.reshape(-1, SPEC.audio.hop_samples)).numpy() - beta) / gamma


def test_much_sound_of_a_person_takes_out_what_is_always_there(model):
    waveform = noise(200)
    before, after = even(model, waveform), even(personalised(model, waveform), waveform)
    assert np.abs(before.mean(axis=(0, 1))).max() > 0.2  # else there is nothing to show
    assert np.abs(after.mean(axis=(0, 1))).max() < 0.1 * np.abs(before.mean(axis=(0, 1))).max()
    assert (after.std(axis=(0, 1)) > 3 * before.std(axis=(0, 1))).all()  # noise varies little, and that counts now


def test_little_sound_changes_little(model):
    waveform = noise(200)
    usual, little, much = (
        even(own, waveform) for own in (model, personalised(model, waveform[:1]), personalised(model, waveform))
    )
    assert 0 < np.abs(little - usual).mean() < np.abs(much - usual).mean()


def test_the_model_itself_and_its_other_weights_stay_as_they_are(model):
    before = [np.array(weight) for weight in model.get_weights()]
    own = personalised(model, noise(4))
    after = own.get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
    assert sum(not np.array_equal(one, other) for one, other in zip(before, after, strict=True)) == 2


def test_silence_is_not_listened_to(model):
    waveform = noise(6)
    padded = np.concatenate([waveform, np.zeros_like(waveform)])
    for one, other in zip(
        personalised(model, waveform).get_weights(), personalised(model, padded).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ClipError, match="have no sound to get used to"):
        personalised(model, np.zeros((2, SPEC.samples), np.float32))


def test_a_bundle_for_one_person_is_written_and_predicts(model, tmp_path, capsys):
    (tmp_path / "general").mkdir()
    save_model(model, tmp_path / "general" / "model.keras")
    Bundle.write(tmp_path / "general", SPEC, LABELS, {"name": "general", "exports": {"model_fp32.tflite": {}}})
    person = tmp_path / "person"
    for seed in range(3):
        write_scene(person / f"{seed}.mp4", Scene("wave", "sad", 1, 0.0, seed), duration_s=1.5)
    words = ["personalise", str(tmp_path / "general"), str(person), "--out", str(tmp_path / "own")]
    assert main(words) == 0
    assert "3 file(s)" in capsys.readouterr().out
    made = Bundle.read(tmp_path / "own")
    assert made.facts["personalised"] == {"files": 3} and "exports" not in made.facts
    assert "used to one person" in made.card_file.read_text()
    assert not np.array_equal(last_norm(load_model(made)).moving_mean, last_norm(model).moving_mean)
    assert set(vu.load(tmp_path / "own").predict(person / "0.mp4").heads) == {"emotion"}
    assert main(words) == 2
    assert "holds a model already" in capsys.readouterr().err
    assert main(["info", str(tmp_path / "own"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["personalised"] == {"files": 3}
