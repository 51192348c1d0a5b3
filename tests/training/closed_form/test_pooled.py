"""Pooled statistics: what is there counts, and nothing else."""

from __future__ import annotations

import numpy as np

from video_understanding.training.closed_form.pooled import clip_means, mean_and_change, mean_and_spread


def test_mean_and_spread_are_those_of_the_present_moments():
    features = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)
    present = np.array([[1, 1, 1, 1, 0, 0], [0] * 6], bool)
    found = mean_and_spread(features, present)
    np.testing.assert_allclose(found[0], np.r_[features[0, :4].mean(0), features[0, :4].std(0)], rtol=1e-4)
    np.testing.assert_allclose(found[1], np.r_[features[1].mean(0), features[1].std(0)], rtol=1e-4)


def test_change_is_between_neighbours_that_are_both_present():
    features = np.array([[[0.0], [2.0], [50.0], [3.0], [4.0]]], np.float32)
    found = mean_and_change(features, np.array([[True, True, False, True, True]]))
    np.testing.assert_allclose(found, [[2.25, 1.5]])  # 2 and 1, not 48 and 47
    assert mean_and_change(features[:, :1])[0, 1] == 0


def test_a_clip_is_the_mean_of_its_present_windows_in_every_view():
    statistics = np.arange(16, dtype=np.float32).reshape(2, 4, 2)
    found = clip_means(statistics, np.array([True, True, False, True]), np.array([2, 0, 0, 2]), 3)
    assert found.shape == (2, 3, 2)
    np.testing.assert_array_equal(found[0], [[2, 3], [0, 0], [3, 4]])
