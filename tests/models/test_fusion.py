"""Every way of joining the senses keeps the layers' contract and the one signature, and does with a missing sense."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.layers.contract import check_layer
from video_understanding.models.fusion import FUSIONS
from video_understanding.models.fusion.early import share_of_sound

PICTURE_TIMES_S = [0.125, 0.375, 0.625, 0.875]
SOUND_TIMES_S = [0.1, 0.3, 0.5, 0.7, 0.9, 0.95]


def make(name: str, **changes):
    return FUSIONS[name](PICTURE_TIMES_S, SOUND_TIMES_S, **{"heads": 2, "dropout": 0.1, "seed": 7, **changes})


def tokens(batch: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "picture": rng.normal(size=(batch, 4, 8)).astype(np.float32),
        "sound": rng.normal(size=(batch, 6, 8)).astype(np.float32),
        "presence": np.array([[1, 1], [1, 0], [0, 1]] * batch, np.float32)[:batch],
    }


@pytest.mark.parametrize("name", FUSIONS)
def test_the_contract(name, tmp_path):
    check_layer(lambda: make(name), tokens(), tmp_path)


@pytest.mark.parametrize("name", FUSIONS)
def test_both_senses_and_their_order_in_time_matter(name):
    fusion, given = make(name), tokens(1)
    whole = np.asarray(fusion(**given))
    assert whole.shape == (1, 8)
    for sense in ("picture", "sound"):
        other = given[sense] + 1
        assert not np.allclose(np.asarray(fusion(**{**given, sense: other})), whole), f"{sense} does not matter"
        backwards = given[sense][:, ::-1].copy()
        assert not np.allclose(np.asarray(fusion(**{**given, sense: backwards})), whole, atol=1e-6)


@pytest.mark.parametrize("name", FUSIONS)
def test_the_same_seed_gives_the_same_training(name):
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        outputs.append(np.asarray(make(name)(**tokens(), training=True)))
    assert np.array_equal(*outputs)


@pytest.mark.parametrize("name", ["cross_attention", "self_attention"])
def test_attention_can_be_looked_at(name):
    fusion, given = make(name), tokens(2)
    fusion(**given)
    to_sound, to_picture = fusion.attention(given["picture"], given["sound"])
    assert np.asarray(to_sound).shape == (2, 2, 4, 6)
    assert np.asarray(to_picture).shape == (2, 2, 6, 4)
    assert np.asarray(to_sound).min() >= 0


def test_the_program_offers_all_of_them():
    """It lists them by itself: to show its help it must not load TensorFlow."""
    from video_understanding.cli import train

    assert set(FUSIONS) == set(train.FUSIONS)


def test_late_fusion_adds_nothing_for_a_missing_sense():
    fusion, given = make("late"), tokens(1)
    given["presence"] = np.array([[1, 0]], np.float32)
    alone = np.asarray(fusion(**given))
    given["sound"] += 5
    assert np.array_equal(np.asarray(fusion(**given)), alone)


def test_each_picture_gets_the_sound_around_it():
    share = share_of_sound([0.0, 1.0, 2.0], [0.1, 0.2, 1.9, 2.0])
    assert np.allclose(share, [[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5]])
