"""Standardised statistics."""

from __future__ import annotations

import numpy as np

from video_understanding.training.closed_form.standardise import Standard


def test_blocks_have_the_same_mean_variance_and_dead_numbers_stay_finite():
    chance = np.random.default_rng(0)
    views = chance.normal(size=(2, 50, 12)) * np.r_[np.geomspace(0.1, 10, 8), [100, 200, 0, 0]] + 7
    standard = Standard.of(views, [8, 4])
    rows = standard(views)
    assert np.abs(rows.mean(axis=(0, 1))).max() < 1e-4
    variance = rows.var(axis=(0, 1))
    np.testing.assert_allclose([variance[:8].mean(), variance[8:].mean()], 1, rtol=1e-3)
    assert rows[..., 7].std() > rows[..., 0].std() and not rows[..., 10:].any()


def test_a_modality_that_no_clip_has_is_left_as_it_is():
    standard = Standard.of(np.zeros((1, 0, 3)))
    np.testing.assert_array_equal(standard(np.ones(3, np.float32)), np.ones(3))
