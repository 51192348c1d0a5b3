"""The model as a whole: what goes in and comes out, missing modalities, save and load, the same from the same seed."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from video_understanding.errors import SpecError, VideoUnderstandingError
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.fusion import FUSIONS
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import save_model
from video_understanding.scorer import ModelInputs
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

LABELS = Labels(action=("bounce", "slide", "spin"), emotion=("happy", "sad"))


def small_spec(**network) -> ModelSpec:
    settings = {"token_size": 16, "attention_heads": 2, "dropout": 0.1, **network}
    return ModelSpec(
        window_s=1.0,
        video=VideoSpec(frames_hz=4, height_px=32, width_px=32),
        audio=AudioSpec(hop_s=0.25),
        network=NetworkSpec(**settings),
    )


def inputs(spec: ModelSpec, batch: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "frames": rng.integers(0, 256, (batch, *spec.frames_shape), dtype=np.uint8),
        "waveform": rng.normal(0, 0.1, (batch, spec.samples)).astype(np.float32),
        "presence": np.array([[1, 1], [1, 0], [0, 1], [1, 1]] * batch, np.float32)[:batch],
    }


def numbers(outputs: dict) -> dict[str, np.ndarray]:
    return {head: keras.ops.convert_to_numpy(value) for head, value in outputs.items()}


@pytest.mark.parametrize("fusion", FUSIONS)
def test_logits_for_every_head_and_the_same_after_save_and_load(fusion, tmp_path):
    spec = small_spec(fusion=fusion)
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    given = inputs(spec)
    before = numbers(model(given))
    assert before["action"].shape == (4, 3)
    assert before["emotion"].shape == (4, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.spec == spec
    assert loaded.labels == LABELS
    for head, value in numbers(loaded(given)).items():
        assert np.array_equal(value, before[head])


def test_a_missing_modality_is_not_encoded():
    spec = small_spec()
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    given = inputs(spec)
    before = numbers(model(given))["action"]
    other = {name: value.copy() for name, value in given.items()}
    other["waveform"][1] = 0.5  # the second clip has no sound, the third no picture
    other["frames"][2] = 7
    assert np.array_equal(numbers(model(other))["action"], before)
    other["waveform"][0] = 0.5
    assert not np.allclose(numbers(model(other))["action"][0], before[0])


def test_a_clip_has_the_same_scores_to_the_bit_alone_in_any_batch_and_from_its_parts():
    spec = small_spec()
    arrays = inputs(spec, batch=5)
    scorer = KerasScorer(VideoUnderstandingModel(spec, LABELS, seed=1))
    batch = ModelInputs({"video": arrays["frames"], "audio": arrays["waveform"]}, arrays["presence"] > 0)
    together = scorer(batch)
    for place in range(5):
        one = slice(place, place + 1)
        alone = scorer(batch.some(one))
        parts = {"video": batch["video"][place], "audio": batch["audio"][place].reshape(spec.hops, -1)}
        tokens = {
            name: np.concatenate([scorer.encode_pieces(name, piece[None]) for piece in pieces]).reshape(1, -1, 16)
            for name, pieces in parts.items()
        }
        for scores in (alone, scorer.fuse(tokens, batch.presence[one])):
            for head in LABELS.heads:
                assert np.array_equal(scores[head], together[head][one])


def test_frames_and_what_the_backbone_saw_in_them_give_the_same():
    spec = small_spec()
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    given = inputs(spec)
    features = model.encoders["video"].features(given["frames"])
    short = {"video_features": features, "waveform": given["waveform"], "presence": given["presence"]}
    for head, value in numbers(model(short)).items():
        assert np.array_equal(value, numbers(model(given))[head])


def test_a_hop_of_sound_has_the_same_tokens_wherever_it_stands():
    """What lets a stream encode each hop once."""
    spec = small_spec()
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    waveform = inputs(spec)["waveform"]
    tokens = keras.ops.convert_to_numpy(model.encoders["audio"](waveform))
    hop, per_hop = spec.audio.hop_samples, spec.network.tokens_per_hop
    moved = np.roll(waveform, -hop, axis=1)
    assert np.array_equal(keras.ops.convert_to_numpy(model.encoders["audio"](moved))[:, :-per_hop], tokens[:, per_hop:])


@pytest.mark.parametrize("classifier", ["network", "linear"])
def test_true_batches_agree_with_one_after_the_other(classifier):
    spec = small_spec(classifier=classifier, motion=True)
    scorer, given = KerasScorer(VideoUnderstandingModel(spec, LABELS, seed=1), {"action": 0.5}), inputs(spec, 7)
    clips = ModelInputs({"video": given["frames"], "audio": given["waveform"]}, given["presence"] > 0)
    exact, batched = scorer.score(clips), scorer.score(clips, exact=False)
    for head in LABELS.heads:
        assert np.array_equal(exact[head], scorer(clips)[head])
        np.testing.assert_allclose(batched[head], exact[head], atol=1e-4)
    frames = np.concatenate(clips["video"])  # [28,H,W,3]
    many = np.concatenate([frames, frames, frames])  # more than are computed at once
    np.testing.assert_allclose(
        scorer.batched.encode_pieces("video", many), scorer.encode_pieces("video", many), atol=1e-4
    )
    assert scorer.score(clips.some(slice(0)), exact=False).heads


def test_the_same_seed_gives_the_same_model_and_the_same_training():
    spec = small_spec()
    given = inputs(spec, batch=8)
    targets = {"action": np.arange(8) % 3, "emotion": np.arange(8) % 2}
    results = []
    for seed in (5, 5, 6):
        keras.utils.set_random_seed(99)  # whatever happened before does not matter
        model = VideoUnderstandingModel(spec, LABELS, seed=seed)
        loss = {head: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for head in targets}
        model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
        model.fit(given, targets, epochs=2, batch_size=4, shuffle=False, verbose=0)
        results.append([keras.ops.convert_to_numpy(value) for value in model.weights])
    assert all(np.array_equal(one, other) for one, other in zip(results[0], results[1], strict=True))
    assert not all(np.array_equal(one, other) for one, other in zip(results[0], results[2], strict=True))


def test_it_is_a_keras_model_that_summarises_and_predicts():
    spec = small_spec()
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    assert model.count_params() > 10_000
    predicted = model.predict(inputs(spec), batch_size=2, verbose=0)
    assert set(predicted) == {"action", "emotion"}


def test_a_trained_model_is_saved_without_what_it_was_trained_with(tmp_path):
    spec = small_spec()
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    save_model(model, tmp_path / "new.keras")
    model.compile()
    targets = {head: np.eye(len(LABELS.names(head)) + 1, dtype=np.float32)[[0, 0]] for head in LABELS.heads}
    for rows in targets.values():
        rows[:, -1] = 1
    model.fit(inputs(spec, 2), targets, verbose=0)
    save_model(model, tmp_path / "trained.keras")
    sizes = [(tmp_path / name).stat().st_size for name in ("new.keras", "trained.keras")]
    assert sizes[1] < 1.1 * sizes[0]
    again = keras.models.load_model(tmp_path / "trained.keras", compile=False)
    for before, after in zip(model.weights, again.weights, strict=True):
        assert np.array_equal(keras.ops.convert_to_numpy(before), keras.ops.convert_to_numpy(after))


def test_one_head_is_enough_and_none_is_refused():
    spec = small_spec()
    assert set(VideoUnderstandingModel(spec, Labels(emotion=("a", "b")))(inputs(spec))) == {"emotion"}
    with pytest.raises(SpecError, match="no class"):
        VideoUnderstandingModel(spec, Labels())


@pytest.mark.parametrize("network", [{"fusion": "glue"}, {"backbone": "smal"}])
def test_a_part_that_does_not_exist_is_named(network):
    with pytest.raises(VideoUnderstandingError, match=next(iter(network.values()))):
        VideoUnderstandingModel(small_spec(**network), LABELS)


def test_a_frozen_backbone_does_not_learn():
    spec = small_spec(unfrozen_blocks=0)
    model = VideoUnderstandingModel(spec, LABELS, seed=1)
    before = [keras.ops.convert_to_numpy(value).copy() for value in model.encoders["video"].backbone.weights]
    targets = {"action": np.array([0, 1, 2, 0]), "emotion": np.array([0, 1, 1, 0])}
    loss = {head: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for head in targets}
    model.compile(optimizer="sgd", loss=loss)
    model.fit(inputs(spec), targets, verbose=0)
    after = [keras.ops.convert_to_numpy(value) for value in model.encoders["video"].backbone.weights]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
