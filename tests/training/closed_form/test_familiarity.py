"""Familiarity: clips like those that were learned from are familiar, others are not, whatever the classifier says."""

from __future__ import annotations

import numpy as np

from video_understanding.layers.familiarity import Familiarity
from video_understanding.training.closed_form.familiarity import fit_familiarity
from video_understanding.training.linear import put_familiarity

WIDTHS = {"video": 60, "audio": 40}


def windows(count: int, seed: int, away: float = 0.0):
    """Modality -> float32 [W,P] in a few directions of large variance, moved by `away` along all others."""
    chance, found = np.random.default_rng(seed), {}
    for number, (name, width) in enumerate(WIDTHS.items()):
        mixing = np.random.default_rng(number).normal(size=(6, width))
        found[name] = (chance.normal(size=(count, 6)) @ mixing + chance.normal(size=(count, width)) + away).astype(
            np.float32
        )
    return found


def present_in(count: int) -> dict[str, np.ndarray]:
    return {name: np.ones(count, bool) for name in WIDTHS}


def fitted(count: int = 300, **present):
    truth, groups = np.eye(3)[np.arange(count) % 3], np.arange(count) // 6
    return fit_familiarity(
        windows(count, 0), {**present_in(count), **present}, truth, groups, foreign=0.1, most_axes=16
    )


def test_new_clips_of_the_same_kind_are_familiar_and_others_are_not():
    form = fitted()
    for own in (("video",), ("audio",), ("video", "audio")):
        near, far = (form({name: found[name] for name in own}) for found in (windows(500, 1), windows(500, 2, away=2)))
        assert 0.03 < (near < 0.5).mean() < 0.2  # the share that was asked for is 0.1
        assert (far < 0.05).mean() > 0.99
    assert 0.05 < (form.left_out < 0.5).mean() < 0.15


def test_few_clips_of_many_numbers_do_not_make_their_like_foreign():
    """A cloud of all clips is no narrower than those of the folds by which its limit is chosen."""
    chance = np.random.default_rng(0)
    mixing = chance.normal(size=(200, 3000)) * np.geomspace(1, 0.05, 200)[:, None]
    rows, new = (np.float32(chance.normal(size=(count, 200)) @ mixing) for count in (80, 400))
    there, truth = {"video": np.ones(80, bool)}, np.eye(2)[np.arange(80) % 2]
    form = fit_familiarity({"video": rows}, there, truth, np.arange(80), foreign=0.1, most_axes=32)
    assert (form({"video": new}) < 0.5).mean() < 0.2


def test_the_layer_says_the_same_and_ignores_what_is_missing():
    form, rows = fitted(), windows(40, 3, away=0.3)
    layer = Familiarity(list(WIDTHS.values()))
    embedding = np.concatenate(list(rows.values()), axis=1)
    layer.build(embedding.shape, (None, 2))
    put_familiarity(layer, form, tuple(WIDTHS))
    both = np.array(layer(embedding, np.ones((40, 2), np.float32)))[:, 0]
    np.testing.assert_allclose(both, form(rows), atol=1e-4)
    embedding[:, WIDTHS["video"] :] = 1e6
    alone = np.array(layer(embedding, np.array([[1, 0]] * 40, np.float32)))[:, 0]
    np.testing.assert_allclose(alone, form({"video": rows["video"]}), atol=1e-4)


def test_too_few_windows_of_a_modality_make_nothing_foreign():
    there = np.zeros(300, bool)
    there[:10] = True
    form = fitted(audio=there)
    assert set(form.limits) == {("video",)}
    assert (form({"audio": windows(5, 4)["audio"]}) == 1).all()
    assert (form(windows(5, 4)) == 1).all()
