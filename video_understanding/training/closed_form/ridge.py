"""Ridge regression on class indicators, and what it says of each row with the row's whole group left out, exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_understanding.training.closed_form.spectrum import Spectrum

STRENGTHS = tuple(float(value) for value in np.geomspace(0.01, 300, 10))  # relative to the mean variance of an axis


def ridge(
    spectrum: Spectrum, rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights [r,C] and bias [C] of the regression of targets [N,C] on rows [N,r], each row counting by weights [N]."""
    shares = weights / weights.sum()
    usual = shares @ targets  # [C]
    along = spectrum.axes.T @ ((rows - spectrum.mean).T @ (shares[:, None] * (targets - usual)))  # [r,C]
    slopes = spectrum.axes @ (along / (spectrum.variances + strength * spectrum.usual)[:, None])
    return slopes, usual - spectrum.mean @ slopes


def left_out_scores(
    spectrum: Spectrum,
    rows: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    groups: np.ndarray,
    strengths: Sequence[float] = STRENGTHS,
) -> np.ndarray:
    """float64 [len(strengths),N,C]: what a regression on all other groups says of each row.

    Nothing is fitted anew: with H the matrix that makes fitted values of targets, the residuals e of a group g become
    (I - H_gg)^-1 e when the group is left out.
    """
    shares = weights / weights.sum()
    root = np.sqrt(shares)[:, None]  # [N,1]
    turned = ((rows - spectrum.mean) * root) @ spectrum.axes  # [N,r]
    wanted = (targets - shares @ targets) * root  # [N,C]
    along = turned.T @ wanted  # [r,C]
    members = _members(groups)
    scores = np.empty((len(strengths), *targets.shape))
    for number, strength in enumerate(strengths):
        damped = 1 / (spectrum.variances + strength * spectrum.usual)  # [r]
        residuals = wanted - turned @ (damped[:, None] * along)  # [N,C]
        for own in members:  # [G,n]: G groups of n rows each
            outside = _without(np.concatenate([turned[own], root[own]], axis=2), np.r_[damped, 1.0], residuals[own])
            scores[number, own] = targets[own] - outside / root[own]
    return scores


def _without(part: np.ndarray, damped: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """(I - H_gg)^-1 e of G groups, [G,n,C], where H_gg = B diag(damped) B' with B = part [G,n,r].

    Of a group with more rows than axes an equal, smaller system is solved: I + B (diag(1/damped) - B' B)^-1 B'.
    """
    turned = part.swapaxes(1, 2)  # [G,r,n]
    if part.shape[1] <= part.shape[2]:
        return np.linalg.solve(np.eye(part.shape[1]) - (part * damped) @ turned, residuals)
    return residuals + part @ np.linalg.solve(np.diag(1 / damped) - turned @ part, turned @ residuals)


def _members(groups: np.ndarray) -> list[np.ndarray]:
    """int [G,n] of row numbers, of groups of the same size n, so many at a time that memory stays bounded."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    found = []
    for size in np.unique(sizes):
        own = order[starts[sizes == size][:, None] + np.arange(size)]  # [G,n]
        found += np.array_split(own, -(-own.size // 2000))
    return [own for own in found if len(own)]
