"""Linear discriminant analysis: the short way gives what inverting the covariance within classes gives."""

from __future__ import annotations

import numpy as np

from video_understanding.training.closed_form.choose import balanced
from video_understanding.training.closed_form.lda import IMPOSSIBLE, discriminant
from video_understanding.training.closed_form.spectrum import Spectrum


def test_scores_are_log_densities_with_the_shrunk_covariance_within_classes():
    chance = np.random.default_rng(0)
    numbers = chance.choice(3, 80, p=[0.6, 0.3, 0.1])
    points = chance.normal(size=(80, 7)) + 2 * chance.normal(size=(3, 7))[numbers]
    targets = np.eye(4)[numbers]  # of the fourth class there is no clip
    weights = balanced(targets)
    spectrum = Spectrum.of(points, weights)
    slopes, bias = discriminant(spectrum, points, targets, weights, 0.2)

    means = np.stack([points[numbers == number].mean(axis=0) for number in range(3)])
    centred = points - means[numbers]
    within = (centred.T * weights) @ centred / weights.sum() + 0.2 * spectrum.usual * np.eye(7)
    apart = points[:, None] - means  # [80,3,7]
    wanted = -0.5 * np.einsum("kcp,pq,kcq->kc", apart, np.linalg.inv(within), apart)
    found = points @ slopes + bias
    np.testing.assert_allclose(found[:, :3] - found[:, :1], wanted - wanted[:, :1], atol=1e-8)
    assert (found[:, 3] <= found[:, :3].max(axis=1) + IMPOSSIBLE / 2).all()
