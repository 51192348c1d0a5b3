"""Linear discriminant analysis with a shrunk covariance: every class is a cloud of one shape, equally often."""

from __future__ import annotations

import numpy as np

from video_understanding.training.closed_form.spectrum import Spectrum

IMPOSSIBLE = -30.0  # added for a class without a row: far below all others, and still a number that eight bits hold


def discriminant(
    spectrum: Spectrum, rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [r,C] and bias [C] of log densities of the classes, up to what is the same for all of them.

    The covariance within classes is the spectrum's covariance of all rows less that of the class means, with `strength`
    times the mean variance added along every axis. The difference is of rank C, so that it need not be decomposed
    again for each strength: with S all rows' covariance and M the class means,
    (S - M D M')^-1 M = S^-1 M (I - D M' S^-1 M)^-1.

    Args:
        spectrum: that of the rows.
        rows: float64 [N,r].
        targets: float64 [N,C], 1 for a row's class, 0 elsewhere.
        weights: float64 [N], balanced, so that each class weighs the same.
        strength: how much the covariance is shrunk.
    """
    mass = weights @ targets  # [C]
    means = (targets * weights[:, None]).T @ rows / np.maximum(mass, 1e-12)[:, None] - spectrum.mean  # [C,r]
    means *= (mass > 0)[:, None]
    shares = mass / mass.sum()  # D
    turned = means @ spectrum.axes  # [C,r]
    by_all = (turned / (spectrum.variances + strength * spectrum.usual)).T  # [r,C], S^-1 M
    between = turned @ by_all  # [C,C], M' S^-1 M
    slopes = spectrum.axes @ np.linalg.solve(np.eye(len(mass)) - between * shares, by_all.T).T  # [r,C]
    bias = -0.5 * np.einsum("cr,rc->c", means, slopes) - spectrum.mean @ slopes
    return slopes, np.where(mass > 0, bias, bias + IMPOSSIBLE)
