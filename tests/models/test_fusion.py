"""Every fusion keeps the layers' contract, takes any number of modalities, and does with a missing one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.layers.contract import check_layer
from video_understanding.models.fusion import FUSIONS
from video_understanding.models.fusion.early import share_around

TIMES_S = {"video": [0.125, 0.375, 0.625, 0.875], "audio": [0.1, 0.3, 0.5, 0.7, 0.9, 0.95]}


def make(name: str, **changes):
    return FUSIONS[name](TIMES_S, **{"heads": 2, "dropout": 0.1, "seed": 7, **changes})


def fused(fusion, given: dict[str, np.ndarray], **how):
    return fusion({name: own for name, own in given.items() if name != "presence"}, given["presence"], **how)


def tokens(batch: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "video": rng.normal(size=(batch, 4, 8)).astype(np.float32),
        "audio": rng.normal(size=(batch, 6, 8)).astype(np.float32),
        "presence": np.array([[1, 1], [1, 0], [0, 1]] * batch, np.float32)[:batch],
    }


@pytest.mark.parametrize("name", FUSIONS)
def test_the_contract(name, tmp_path):
    check_layer(lambda: make(name), tokens(), tmp_path, call=fused)


@pytest.mark.parametrize("name", FUSIONS)
def test_both_modalities_and_their_order_in_time_matter(name):
    fusion, given = make(name), tokens(1)
    whole = np.asarray(fused(fusion, given))
    assert whole.shape == (1, 8)
    for modality in ("video", "audio"):
        other = given[modality] + 1
        assert not np.allclose(np.asarray(fused(fusion, {**given, modality: other})), whole), (
            f"{modality} does not matter"
        )
        backwards = given[modality][:, ::-1].copy()
        assert not np.allclose(np.asarray(fused(fusion, {**given, modality: backwards})), whole, atol=1e-6)


@pytest.mark.parametrize("name", FUSIONS)
def test_one_modality_and_three_are_fused_and_each_matters(name):
    given = {**tokens(1), "face": np.random.default_rng(1).normal(size=(1, 2, 8)).astype(np.float32)}
    given["presence"] = np.ones((1, 3), np.float32)
    fusion = FUSIONS[name]({**TIMES_S, "face": [0.25, 0.75]}, heads=2, seed=7)
    whole = np.asarray(fused(fusion, given))
    for modality in ("video", "audio", "face"):
        assert not np.allclose(np.asarray(fused(fusion, {**given, modality: given[modality] + 1})), whole)
    alone = FUSIONS[name]({"audio": TIMES_S["audio"]}, heads=2, seed=7)
    assert np.asarray(alone({"audio": given["audio"]}, np.ones((1, 1), np.float32))).shape == (1, 8)
    if hasattr(fusion, "attention"):
        weights = fusion.attention(given)
        assert {name: list(others) for name, others in weights.items()} == {
            "video": ["audio", "face"], "audio": ["video", "face"], "face": ["video", "audio"],
        }  # fmt: skip
        assert (
            alone.attention({"audio": given["audio"]}) == {} or not alone.attention({"audio": given["audio"]})["audio"]
        )


@pytest.mark.parametrize("name", FUSIONS)
def test_the_same_seed_gives_the_same_training(name):
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        outputs.append(np.asarray(fused(make(name), tokens(), training=True)))
    assert np.array_equal(*outputs)


@pytest.mark.parametrize("name", ["cross_attention", "self_attention"])
def test_attention_can_be_looked_at(name):
    fusion, given = make(name), tokens(2)
    fused(fusion, given)
    weights = fusion.attention(given)
    to_sound, to_picture = weights["video"]["audio"], weights["audio"]["video"]
    assert np.asarray(to_sound).shape == (2, 2, 4, 6)
    assert np.asarray(to_picture).shape == (2, 2, 6, 4)
    assert np.asarray(to_sound).min() >= 0


def test_the_program_offers_all_of_them():
    """It lists them by itself: to show its help it must not load TensorFlow."""
    from video_understanding.cli import train

    assert set(FUSIONS) == set(train.FUSIONS)


def test_late_fusion_adds_nothing_for_a_missing_modality():
    fusion, given = make("late"), tokens(1)
    given["presence"] = np.array([[1, 0]], np.float32)
    alone = np.asarray(fused(fusion, given))
    given["audio"] += 5
    assert np.array_equal(np.asarray(fused(fusion, given)), alone)


def test_each_picture_gets_the_sound_around_it():
    share = share_around([0.0, 1.0, 2.0], [0.1, 0.2, 1.9, 2.0])
    assert np.allclose(share, [[0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5]])
