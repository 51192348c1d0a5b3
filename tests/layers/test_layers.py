"""Every layer keeps the contract, and each does what it is for."""

from __future__ import annotations

import keras
import librosa
import numpy as np
import pytest
import tensorflow as tf

from tests.layers.contract import check_layer
from video_understanding.layers.attention import Attention, CrossModalAttention
from video_understanding.layers.batch_norm import BatchNormalization
from video_understanding.layers.familiarity import Familiarity
from video_understanding.layers.log_mel import LogMel
from video_understanding.layers.motion import MotionTokens
from video_understanding.layers.parts_of_hop import PartsOfHop
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.presence import MissingModality, ModalityDropout
from video_understanding.layers.time_code import TimeCode

RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def log_mel(**changes) -> LogMel:
    settings = {
        "sample_rate_hz": 16_000, "window_samples": 400, "step_samples": 160, "bands": 64, "low_hz": 125.0,
        "high_hz": 7500.0,
    }  # fmt: skip
    return LogMel(**{**settings, **changes})


LAYERS = {
    "LogMel": (log_mel, {"waveform": 0.1 * floats(3, 4, 1600)}),
    "BatchNormalization, over time": (lambda: BatchNormalization(momentum=0.9), {"inputs": floats(3, 5, 4)}),
    "BatchNormalization, of pictures": (lambda: BatchNormalization(momentum=0.9), {"inputs": floats(3, 8, 8, 4)}),
    "TimeCode": (lambda: TimeCode([0.125, 0.375, 0.625]), {"tokens": floats(3, 3, 8)}),
    "Familiarity": (
        lambda: Familiarity([5, 3]),
        {"embedding": floats(3, 8), "presence": np.array([[1, 1], [1, 0], [0, 1]], np.float32)},
    ),
    "MotionTokens": (lambda: MotionTokens(seed=2), {"tokens": floats(3, 4, 8)}),
    "PartsOfHop": (lambda: PartsOfHop(3), {"heard": floats(3, 7, 8)}),
    "MissingModality": (
        lambda: MissingModality(), {"tokens": floats(3, 4, 8), "presence": np.array([1, 0, 1], np.float32)},
    ),
    "ModalityDropout": (
        lambda: ModalityDropout(0.5, seed=1), {"presence": np.array([[1, 1], [1, 0], [1, 1]], np.float32)},
    ),
    "TemporalPooling": (
        lambda: TemporalPooling(), {"tokens": floats(3, 4, 8), "tokens_mask": np.array([[1, 1, 1, 0]] * 3, np.float32)},
    ),
    "Attention": (
        lambda: Attention(heads=2, dropout=0.1, seed=3), {"queries": floats(3, 4, 8), "tokens": floats(3, 6, 8)},
    ),
}  # fmt: skip


def attended(layer: CrossModalAttention, given: dict) -> list:
    """What comes out, modality by modality, of tokens and masks by name."""
    masks = {name: given[f"{name}_mask"] for name in layer.modalities}
    found = layer({name: given[name] for name in layer.modalities}, masks)
    return [found[name] for name in layer.modalities]


def test_the_contract_of_attention_between_any_number_of_modalities(tmp_path):
    inputs = {
        "video": floats(3, 4, 8), "audio": floats(3, 6, 8), "face": floats(3, 2, 8),
        "video_mask": np.ones((3, 4), np.float32), "face_mask": np.ones((3, 2), np.float32),
        "audio_mask": np.array([[1] * 6, [0] * 6, [1, 1, 1, 0, 0, 0]], np.float32),
    }  # fmt: skip
    for names in (("video", "audio"), ("video", "audio", "face")):
        given = {name: values for name, values in inputs.items() if name.removesuffix("_mask") in names}
        folder = tmp_path / str(len(names))
        folder.mkdir()
        check_layer(lambda names=names: CrossModalAttention(names, 2, 0.1, 3), given, folder, call=attended)


@pytest.mark.parametrize("name", LAYERS)
def test_the_contract(name, tmp_path):
    make, inputs = LAYERS[name]
    check_layer(make, inputs, tmp_path)


def sounds() -> dict[str, np.ndarray]:
    """Sounds of 0.5 s at 16 kHz, peaks of everyday loudness; "speech" is a buzz through moving resonances."""
    times_s = np.arange(8000) / 16_000
    pitch = np.cumsum(120 + 40 * np.sin(2 * np.pi * 3 * times_s)) / 16_000
    buzz = np.sign(np.sin(2 * np.pi * pitch)) * np.hanning(8000)
    speech = np.convolve(buzz, np.exp(-np.arange(200) / 30) * np.sin(2 * np.pi * 700 * np.arange(200) / 16_000), "same")
    return {
        "silence": np.zeros(8000),
        "a tone": 0.9 * np.sin(2 * np.pi * 440 * times_s),
        "a faint tone": 1e-3 * np.sin(2 * np.pi * 3000 * times_s),
        "a sweep": 0.8 * np.sin(2 * np.pi * (100 * times_s + 6000 * times_s**2)),
        "noise": np.clip(0.3 * np.random.default_rng(1).standard_normal(8000), -1, 1),
        "speech": 0.5 * speech / np.abs(speech).max(),
        "a click": np.eye(1, 8000, 4000)[0],
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bands": 40, "low_hz": 20.0, "high_hz": 8000.0},
        {"window_samples": 512, "step_samples": 200},
        {"window_samples": 320, "step_samples": 160, "bands": 80},
        {"window_samples": 1024, "step_samples": 400, "bands": 128, "low_hz": 50.0},
    ],
)
@pytest.mark.parametrize("name", sounds())
def test_the_log_mel_is_librosas(name, changes):
    layer = log_mel(**changes)
    wave = sounds()[name].astype(np.float32)
    fft, window, step = layer.fft_samples, layer.window_samples, layer.step_samples
    reach = (fft - step) // 2  # librosa puts the window into the middle of the transform
    power = librosa.feature.melspectrogram(
        y=np.pad(wave, (reach, fft - step - reach)), sr=16_000, n_fft=fft, win_length=window, hop_length=step,
        center=False, power=2.0, n_mels=layer.bands, fmin=layer.low_hz, fmax=layer.high_hz,
    )  # fmt: skip
    expected = librosa.power_to_db(power, ref=layer.floor_power, amin=layer.floor_power, top_db=None).T
    found = np.asarray(layer(wave[None]))[0]
    assert found.shape == expected.shape == (8000 // step, layer.bands)
    assert np.abs(found - expected).max() < 0.01
    assert (found.max() == 0) == (name == "silence")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"low_hz": 1.0, "high_hz": 8000.0},
        {"window_samples": 401, "step_samples": 133, "bands": 40},
        {"window_samples": 258, "step_samples": 129, "bands": 40},
        {"window_samples": 200, "step_samples": 160, "bands": 20},
    ],
)
@pytest.mark.parametrize("name", sounds())
def test_training_hears_what_is_heard_afterwards(name, changes):
    """In training the log-mel is worked out in another way, and a rest that makes no whole step is heard the same."""
    layer, wave = log_mel(**changes), sounds()[name][None].astype(np.float32)
    found = [np.asarray(layer(wave, training=training))[0] for training in (True, False)]
    assert found[0].shape == found[1].shape == (8000 // layer.step_samples, layer.bands)
    assert np.abs(found[0] - found[1]).max() < 0.01
    assert (found[0].max() == 0) == (name == "silence")


def test_a_hop_of_log_mel_depends_on_that_hop_alone():
    layer = log_mel()
    hops = 0.3 * floats(1, 3, 1600)
    alone = np.asarray(layer(hops[:, 1:2]))
    hops[:, [0, 2]] = 0.9
    assert np.array_equal(np.asarray(layer(hops))[:, 1:2], alone)


def test_the_time_code_is_made_from_seconds():
    """The same moments have the same code, whatever the rate they are looked at."""
    zeros = np.zeros((1, 4, 16), np.float32)
    slow, fast = TimeCode([0.0, 0.5, 1.0, 1.5])(zeros), TimeCode([0.0, 0.25, 0.5, 0.75])(zeros)
    assert np.array_equal(np.asarray(slow)[0, 1], np.asarray(fast)[0, 2])
    assert not np.allclose(np.asarray(slow)[0, 1], np.asarray(slow)[0, 2])


def test_motion_is_how_far_a_token_is_from_the_one_before():
    """What stands still stays as it is, and there and back moves as much as twice there."""
    layer = MotionTokens()
    still = np.tile(floats(1, 1, 8), (1, 3, 1))
    assert np.array_equal(np.asarray(layer(still)), still)
    step = floats(1, 1, 8)
    there_and_back = np.concatenate([0 * step, step, 0 * step], axis=1)
    told = np.asarray(layer(there_and_back)) - there_and_back
    assert np.allclose(told[:, 1], told[:, 2], atol=1e-6)
    assert np.abs(told[:, 1]).max() > 0.1
    assert not told[:, 0].any()


def test_parts_of_a_hop_tell_how_it_sounds_and_how_much_it_varies():
    """Seven steps in two parts: the one in the middle counts half in each."""
    heard = np.zeros((1, 7, 2), np.float32)
    heard[0, :, 0] = 5.0  # a steady number
    heard[0, :, 1] = [0, 0, 0, 7, 0, 0, 0]  # and one that rises once, for 1/7 of the time
    told = np.asarray(PartsOfHop(2)(heard))[0]  # [2,4]
    assert np.allclose(told[:, 0], 5.0) and np.allclose(told[:, 2], -0.6)
    assert np.allclose(told[:, 1], 1.0)  # 3.5 of 3.5 steps' share
    assert np.allclose(told[:, 3], (6 * 1 + 6) / 7 - 0.6)  # six steps are 1 below the mean, one 6 above it


def test_how_much_a_hop_varies_does_not_depend_on_what_is_usual():
    heard = floats(2, 8, 3)
    told, louder = (np.asarray(PartsOfHop(4)(heard + more)) for more in (0.0, 4.0))
    assert np.allclose(louder[..., :3], told[..., :3] + 4.0, atol=1e-5)
    assert np.allclose(louder[..., 3:], told[..., 3:], atol=1e-5)
    assert np.ptp(told[..., 3:], axis=1).max() < 1e-6  # the same in each part


def test_nothing_of_a_missing_modality_comes_through():
    tokens = floats(2, 3, 4)
    tokens[1] = np.nan
    layer = MissingModality()
    out = np.asarray(layer(tokens, np.array([1.0, 0.0], np.float32)))
    assert np.array_equal(out[0], tokens[0])
    assert np.array_equal(out[1], np.tile(keras.ops.convert_to_numpy(layer.token), (3, 1)))


def test_a_token_by_the_mean_is_that_of_the_clips_which_have_the_modality():
    layer, tokens = MissingModality(by_mean=True), floats(4, 3, 8) + 2
    tokens[2:] = np.nan  # clips that lack it
    for _ in range(100):
        layer(tokens, np.float32([1, 1, 0, 0]), training=True)
    layer(tokens, np.zeros(4, np.float32), training=True)  # of no clips there is no mean
    assert np.allclose(keras.ops.convert_to_numpy(layer.token), tokens[:2].mean(axis=(0, 1)), atol=1e-3)
    assert not layer.trainable_variables


def test_modality_dropout_takes_one_modality_from_its_share_of_clips_and_only_in_training():
    layer = ModalityDropout(0.4, seed=5)
    both, one = np.ones((20_000, 2), np.float32), np.tile(np.float32([1, 0]), (1000, 1))
    assert np.array_equal(np.asarray(layer(both)), both)
    lost = 1 - np.asarray(layer(both, training=True))
    assert lost.sum(axis=1).max() == 1
    assert np.allclose(lost.mean(axis=0), 0.2, atol=0.01)
    assert np.array_equal(np.asarray(layer(one, training=True)), one)
    assert np.array_equal(np.asarray(ModalityDropout(0.4, seed=5)(both, training=True)), 1 - lost)
    three = np.ones((20_000, 3), np.float32)
    assert np.allclose(1 - np.asarray(layer(three, training=True)).mean(axis=0), 0.4 / 3, atol=0.01)


def test_pooling_weights_tell_what_counted():
    layer = TemporalPooling()
    tokens = floats(2, 5, 8)
    mask = np.array([[1, 1, 1, 1, 1], [0, 0, 1, 0, 0]], np.float32)
    pooled, weights = layer(tokens, mask, return_weights=True)
    assert np.allclose(np.asarray(weights).sum(axis=1), 1)
    assert np.allclose(np.asarray(pooled)[1], tokens[1, 2], atol=1e-5)
    assert np.allclose(np.asarray(pooled)[0], np.asarray(weights)[0] @ tokens[0], atol=1e-5)


def test_attention_agrees_with_keras_own():
    ours = Attention(heads=2)
    queries, tokens = floats(2, 4, 8), floats(2, 6, 8)
    answer, weights = ours(queries, tokens, return_weights=True)
    theirs = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    theirs(queries, tokens)
    by_head = lambda matrix: keras.ops.convert_to_numpy(matrix).reshape(8, 2, 4)  # noqa: E731
    theirs.set_weights([
        by_head(ours.ask), np.zeros((2, 4)), by_head(ours.key), np.zeros((2, 4)), by_head(ours.value),
        np.zeros((2, 4)), keras.ops.convert_to_numpy(ours.join).reshape(2, 4, 8), keras.ops.convert_to_numpy(ours.bias),
    ])  # fmt: skip
    expected, scores = theirs(queries, tokens, return_attention_scores=True)
    assert np.abs(np.asarray(answer) - np.asarray(expected)).max() < 1e-5
    assert np.abs(np.asarray(weights) - np.asarray(scores)).max() < 1e-5


def test_hidden_tokens_do_not_count():
    layer = CrossModalAttention(("video", "audio"), heads=2)
    tokens = {"video": floats(1, 4, 8), "audio": floats(1, 6, 8)}
    masks = {"video": np.ones((1, 4), np.float32), "audio": np.array([[1, 1, 1, 0, 0, 0]], np.float32)}
    whole, weights = layer(tokens, masks, return_weights=True)
    other = tokens["audio"].copy()
    other[:, 3:] = 7.0
    changed = layer({**tokens, "audio": other}, masks)
    assert np.allclose(np.asarray(whole["video"]), np.asarray(changed["video"]), atol=1e-5)
    to_audio = np.asarray(weights["video"]["audio"])
    assert to_audio[..., 3:].max() < 1e-9
    assert np.allclose(to_audio.sum(axis=-1), 1, atol=1e-6)
    assert to_audio.shape == (1, 2, 4, 6)
    assert np.asarray(weights["audio"]["video"]).shape == (1, 2, 6, 4)


def test_tokens_with_nothing_to_attend_to_stay_as_they_were():
    layer = CrossModalAttention(("video", "audio"), heads=2)
    tokens = {"video": floats(2, 4, 8), "audio": floats(2, 6, 8)}
    masks = {"video": np.ones((2, 4), np.float32), "audio": np.array([[0] * 6, [1] * 6], np.float32)}
    found = np.asarray(layer(tokens, masks)["video"])
    assert np.array_equal(found[0], tokens["video"][0])
    assert not np.allclose(found[1], tokens["video"][1])
    alone = CrossModalAttention(("video",), heads=2)({"video": tokens["video"]})
    assert np.array_equal(np.asarray(alone["video"]), tokens["video"])


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="3 heads do not divide"):
        Attention(heads=3)(floats(1, 2, 8), floats(1, 2, 8))
    with pytest.raises(ValueError, match="rate is 2"):
        ModalityDropout(2)


@pytest.mark.parametrize("shape", [(6, 10, 4), (6, 5, 7, 4)])
def test_batch_normalization_is_that_of_keras(shape):
    """What comes out, the gradients and what is kept; of the variance the unbiased estimate."""
    inputs, pull = 3 + 2 * floats(*shape), floats(*shape)
    made = {}
    for kind in (keras.layers.BatchNormalization, BatchNormalization):
        layer = kind(momentum=0.5)
        layer.build(shape)
        layer.set_weights([np.float32([1, 2, 3, 4]), np.float32([4, 3, 2, 1]), np.zeros(4), np.ones(4)])
        given = tf.constant(inputs)
        with tf.GradientTape() as tape:
            tape.watch(given)
            learning = layer(given, training=True)
            sum_ = tf.reduce_sum(learning * pull)
        slopes = tape.gradient(sum_, [given, layer.gamma.value, layer.beta.value])
        made[kind] = [learning, layer(given, training=False), *slopes, layer.moving_mean, layer.moving_variance]
    theirs, ours = ([np.array(part) for part in parts] for parts in made.values())
    n = inputs.size / 4
    theirs[-1] = 0.5 + (theirs[-1] - 0.5) * n / (n - 1)
    theirs[1] = (inputs - theirs[-2]) / np.sqrt(theirs[-1] + 1e-3) * [1, 2, 3, 4] + [4, 3, 2, 1]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_batch_normalization_reads_what_that_of_keras_has_saved(tmp_path):
    inputs = floats(4, 6, 6, 3)
    models = [
        keras.Sequential([keras.Input((6, 6, 3)), kind()])
        for kind in (keras.layers.BatchNormalization, BatchNormalization)
    ]
    for _ in range(3):
        models[0](inputs, training=True)
    models[0].save_weights(tmp_path / "kept.weights.h5")
    models[1].load_weights(tmp_path / "kept.weights.h5")
    np.testing.assert_allclose(models[1](inputs), models[0](inputs), atol=1e-5)


def test_a_frozen_batch_normalization_changes_nothing_it_keeps():
    layer = BatchNormalization()
    layer.build((None, 6, 6, 3))
    layer.trainable = False
    before = [np.array(kept) for kept in layer.weights]
    np.testing.assert_array_equal(layer(inputs := floats(4, 6, 6, 3), training=True), layer(inputs, training=False))
    assert all(np.array_equal(kept, now) for kept, now in zip(before, layer.weights, strict=True))


def test_batch_normalization_of_other_shapes_says_what_it_takes():
    with pytest.raises(ValueError, match="channels last"):
        BatchNormalization().build((None, 8))
