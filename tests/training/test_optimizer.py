"""Our optimizer in few operations moves weights as Keras's AdamW does, and some of them slower."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from video_understanding.training.optimizer import RiseAndFall, SlowPartAdam

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(64, 8)).astype(np.float32)
TARGETS = 5 * RNG.normal(size=(64, 3)).astype(np.float32)


def trained(kind: type, slow: int = 0, rate_share: float = 0.1, **changes) -> keras.Model:
    """After 30 steps that clip, decay, rise and fall; the first `slow` variables move slower."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(3)])
    optimizer = kind(RiseAndFall(0.05, 5, 30), **{"weight_decay": 1e-2, "clipnorm": 0.5, **changes})
    if slow:
        optimizer.slow_down(model.trainable_variables[:slow], rate_share)
    optimizer.build(model.trainable_variables)
    model.compile(optimizer, loss="mse")
    for _ in range(30):
        model.train_on_batch(INPUTS, TARGETS)
    return model


def test_it_moves_weights_as_adamw_does():
    for ours, theirs in zip(trained(SlowPartAdam).weights, trained(keras.optimizers.AdamW).weights, strict=True):
        assert np.abs(ours.numpy() - theirs.numpy()).max() < 1e-4 * np.abs(theirs.numpy()).max()


@pytest.mark.parametrize("changes", [{"weight_decay": 0.5}, {"clipnorm": 1e-9}])
def test_decay_and_clipping_have_an_effect(changes):
    plain, changed = trained(SlowPartAdam), trained(SlowPartAdam, **changes)
    assert np.abs(plain.weights[0].numpy() - changed.weights[0].numpy()).max() > 1e-3


def test_slow_variables_move_less():
    keras.utils.set_random_seed(1)
    begin = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16)]).weights[0].numpy()
    moved = [
        np.abs(model.weights[0].numpy() - begin).mean()
        for model in (trained(SlowPartAdam, weight_decay=0.0), trained(SlowPartAdam, slow=1, weight_decay=0.0))
    ]
    assert moved[1] < 0.4 * moved[0]


def test_its_steps_are_counted():
    assert int(trained(SlowPartAdam).optimizer.iterations) == 30
