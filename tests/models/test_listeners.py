"""Listeners: each hop by itself, the same after save and load, what they know already, what is frozen, TFLite."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from video_understanding.errors import SpecError
from video_understanding.models.encoders.audio import make_hop_encoder
from video_understanding.models.listeners import LISTENERS
from video_understanding.models.listeners.weights import WEIGHTS, write_weights
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, NetworkSpec

KNOWN = Path(__file__).with_name(
    "separable_heard.npy"
)  # float16 [3,1024]: the exam's means over time when it was taught


def spec_of(listener: str, hop_s: float = 0.5, **network) -> ModelSpec:
    settings = {"token_size": 16, "attention_heads": 2, **network}
    return ModelSpec(window_s=1.0, audio=AudioSpec(hop_s=hop_s), network=NetworkSpec(listener=listener, **settings))


def hops(count: int, samples: int, seed: int = 0) -> np.ndarray:
    """float32 [count,samples]: noise of different strength, a silence among it."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 1, (count, samples)) * np.geomspace(0.3, 1e-4, count)[:, None]
    sound[-1] = 0
    return sound.astype(np.float32)


def tokens(encoder: keras.Model, sound: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(encoder(sound))


def heard(encoder: keras.Model, sound: np.ndarray) -> np.ndarray:
    """What the separable listener hears, before anything is learned for classes: [B,S,1024]."""
    return keras.ops.convert_to_numpy(keras.Model(encoder.input, encoder.get_layer("moments").output)(sound))


def exam() -> np.ndarray:
    """float32 [3,16000]: a tone of 440 Hz, noise, and silence."""
    tone = 0.1 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)
    return np.stack([tone, np.random.default_rng(0).normal(0, 0.05, 16_000), np.zeros(16_000)]).astype(np.float32)


@pytest.mark.parametrize("listener", LISTENERS)
def test_the_contract_of_a_hop_encoder(listener, tmp_path):
    spec = spec_of(listener, tokens_per_hop=3)
    encoder = make_hop_encoder(spec, seed=1)
    sound = hops(4, spec.audio.hop_samples)
    before = tokens(encoder, sound)
    assert before.shape == (4, 3, 16)
    assert np.isfinite(before).all()
    encoder.save(tmp_path / "encoder.keras")
    assert np.array_equal(tokens(keras.models.load_model(tmp_path / "encoder.keras"), sound), before)
    assert "log_mel" in [layer.name for layer in encoder.layers]  # what an export leaves in float


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_hop_is_heard_by_itself(listener):
    spec = spec_of(listener)
    encoder = make_hop_encoder(spec, seed=1)
    sound = hops(3, spec.audio.hop_samples)
    other = sound.copy()
    other[[0, 2]] = hops(2, spec.audio.hop_samples, seed=9)
    assert np.array_equal(tokens(encoder, other)[1], tokens(encoder, sound)[1])
    assert not np.allclose(tokens(encoder, other)[0], tokens(encoder, sound)[0], atol=1e-3)


@pytest.mark.parametrize("listener", LISTENERS)
def test_a_seed_decides_random_weights(listener):
    spec = spec_of(listener)
    sound = hops(2, spec.audio.hop_samples)
    first, again, other = (tokens(make_hop_encoder(spec, None, seed), sound) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other, atol=1e-2)


def test_what_was_learned_before_does_not_depend_on_the_seed_and_can_be_left_out():
    spec = spec_of("separable")
    sound = hops(2, spec.audio.hop_samples)
    learned, again = (heard(make_hop_encoder(spec, "default", seed), sound) for seed in (1, 2))
    assert np.array_equal(learned, again)
    assert not np.allclose(heard(make_hop_encoder(spec, None, 1), sound), learned, atol=1e-2)


def test_the_listener_hears_what_it_heard_when_it_was_taught():
    known = np.load(KNOWN)
    got = heard(make_hop_encoder(spec_of("separable", hop_s=1.0), seed=1), exam()).mean(axis=1)
    assert np.abs(got - known).max() < 0.02
    tone, noise, silence = known[:, :512].astype(np.float32)
    assert min(np.abs(tone - noise).max(), np.abs(tone - silence).max(), np.abs(noise - silence).max()) > 0.5


def test_the_floor_only_says_where_silence_begins():
    sound = hops(2, 8000)[:1]  # noise, far above both floors in all bands
    spec = spec_of("separable")
    lower = dataclasses.replace(spec, audio=AudioSpec(hop_s=0.5, log_mel=LogMelSpec(floor_power=1e-8)))
    assert np.allclose(
        heard(make_hop_encoder(spec, seed=1), sound), heard(make_hop_encoder(lower, seed=1), sound), atol=1e-3
    )


@pytest.mark.parametrize(
    ("settings", "named"), [({"bands": 40}, "bands"), ({"high_hz": 4000.0}, "high_hz"), ({"step_s": 0.02}, "step_s")]
)
def test_other_ears_than_it_has_learned_with_are_refused(settings, named):
    audio = AudioSpec(hop_s=0.5, log_mel=LogMelSpec(**settings))
    spec = dataclasses.replace(spec_of("separable"), audio=audio)
    with pytest.raises(SpecError, match=f"{named}.*weights=None"):
        make_hop_encoder(spec)
    make_hop_encoder(spec, weights=None)
    make_hop_encoder(dataclasses.replace(spec, network=NetworkSpec()))  # conv1d has learned with none


def test_learned_weights_come_back_from_their_file(tmp_path, monkeypatch):
    spec = spec_of("separable")
    taught = make_hop_encoder(spec, None, seed=3)
    write_weights(taught, spec, tmp_path / "listener.npz")
    monkeypatch.setitem(WEIGHTS, "separable", tmp_path / "listener.npz")
    sound = hops(3, spec.audio.hop_samples)
    expected = heard(taught, sound)
    assert np.allclose(heard(make_hop_encoder(spec), sound), expected, atol=0.02 * expected.max())  # 16 bits


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("unfrozen", [0, 1, None])
def test_only_the_last_blocks_learn(listener, unfrozen):
    spec = spec_of(listener, unfrozen_listener_blocks=unfrozen, dropout=0.0)
    encoder = make_hop_encoder(spec, seed=1)
    before = {layer.name: layer.get_weights() for layer in encoder.layers if layer.weights}
    encoder.compile(keras.optimizers.SGD(0.1), "mse")
    encoder.fit(hops(8, spec.audio.hop_samples), np.random.default_rng(0).normal(size=(8, 2, 16)), verbose=0)
    changed = {
        name
        for name, weights in before.items()
        if any(not np.array_equal(*pair) for pair in zip(weights, encoder.get_layer(name).get_weights(), strict=True))
    }
    last = {"separable": "block_7", "conv1d": ("conv_2", "norm_2")}[listener]
    of_blocks = {name for name in changed if name not in ("tokens", "even", "norm_heard")}
    assert {"tokens", "even"} <= changed
    if unfrozen is None:
        assert {"separable": {"bands", "stem_conv"}, "conv1d": {"conv_0"}}[listener] <= changed
    else:
        assert bool(of_blocks) == bool(unfrozen)
        assert all(name.startswith(last) for name in of_blocks)


def test_an_unknown_listener_is_named():
    with pytest.raises(SpecError, match=r"'ear' is not known.*conv1d, separable"):
        make_hop_encoder(spec_of("ear"))


def test_a_spec_from_before_there_was_a_choice_means_conv1d():
    told = spec_of("conv1d").to_dict()
    del told["network"]["listener"], told["network"]["unfrozen_listener_blocks"]
    assert ModelSpec.from_dict(told) == spec_of("conv1d")


@pytest.mark.parametrize("listener", LISTENERS)
def test_it_is_made_of_builtin_operators_and_says_the_same(listener, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    spec = spec_of(listener)
    encoder = make_hop_encoder(spec, seed=1)
    encoder.export(tmp_path, format="tf_saved_model", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert())
    hear = interpreter.get_signature_runner()
    for sound in hops(3, spec.audio.hop_samples):
        (got,) = hear(**dict.fromkeys(hear.get_input_details(), sound[None])).values()
        assert np.allclose(got, tokens(encoder, sound[None]), atol=2e-3)
