"""Ridge regression: the short ways give what the long ways give."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.training.closed_form.ridge import left_out_scores, ridge
from video_understanding.training.closed_form.spectrum import Spectrum, reduced_axes


def problem(rows: int, width: int, groups: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    chance = np.random.default_rng(seed)
    targets = np.eye(3)[chance.integers(0, 3, rows)]
    points = chance.normal(size=(rows, width)) + targets @ chance.normal(size=(3, width))
    return points, targets, chance.uniform(0.5, 2, rows), chance.integers(0, groups, rows)


def by_normal_equations(points, targets, weights, penalty):
    extended = np.column_stack([points, np.ones(len(points))])
    punished = penalty * np.diag([*np.ones(points.shape[1]), 0.0])
    return np.linalg.solve((extended.T * weights) @ extended + punished, (extended.T * weights) @ targets)


@pytest.mark.parametrize("groups", [3, 40], ids=["larger than the axes", "small"])
def test_leaving_groups_out_by_the_hat_matrix_equals_fitting_without_them(groups):
    points, targets, weights, own = problem(60, 6, groups)
    spectrum = Spectrum.of(points, weights)
    strength = 0.3
    found = left_out_scores(spectrum, points, targets, weights, own, [strength])[0]
    for group in np.unique(own):
        out = own == group
        # The penalty stays that of all rows, in units of their summed weights.
        fitted = by_normal_equations(
            points[~out], targets[~out], weights[~out], strength * spectrum.usual * weights.sum()
        )
        np.testing.assert_allclose(found[out], points[out] @ fitted[:-1] + fitted[-1], atol=1e-9)


def test_ridge_solves_the_normal_equations():
    points, targets, weights, _ = problem(50, 8, 5)
    spectrum = Spectrum.of(points, weights)
    slopes, bias = ridge(spectrum, points, targets, weights, 0.1)
    wanted = by_normal_equations(points, targets, weights, 0.1 * spectrum.usual * weights.sum())
    np.testing.assert_allclose(np.vstack([slopes, bias]), wanted, atol=1e-9)


def test_reduced_axes_hold_all_that_varies_and_a_search_finds_the_first():
    chance = np.random.default_rng(1)
    rows = (chance.normal(size=(300, 5)) @ chance.normal(size=(5, 200))).astype(np.float32)
    rows += 0.1 * chance.normal(size=rows.shape).astype(np.float32)
    rows -= rows.mean(axis=0)
    for most in (250, 20):  # exact; by the randomised search
        axes = reduced_axes(rows, most)
        np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-3)
        lost = rows - rows @ axes @ axes.T
        assert np.abs(lost).max() < (0.01 if most == 250 else 0.6)
