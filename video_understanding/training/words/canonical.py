"""Regularised canonical correlation: the closed form that leads clips and their sentences into one space."""

from __future__ import annotations

import numpy as np

from video_understanding.words.space import Projection

DIMENSIONS = 256
_VARIES = 1e-10  # variance below which a statistic is the same in all clips and says nothing
_LEAST = 1e-4  # correlation of an axis that means anything


def canonical_projections(
    clips: np.ndarray, texts: np.ndarray, owners: np.ndarray, *, dimensions: int = DIMENSIONS, strength: float = 1.0
) -> tuple[Projection, Projection]:
    """Maps of both sides whose products are large for a clip and its sentences.

    Each axis counts by its correlation (Gong and others, 2014), so that what both sides share decides.

    Args:
        clips: float32 [V,K,P], each clip in V views.
        texts: float32 [N,S].
        owners: int [N], the clip that each text describes.
        dimensions: D, fewer where the data have fewer.
        strength: of the ridge on both sides, in mean variances.

    Returns:
        The map of clips, weights [P,D], and that of texts, [S,D].
    """
    varies = clips[0].var(axis=0) > _VARIES  # [P]
    clip_mean, text_mean = clips.mean(axis=(0, 1)), texts.mean(axis=0)
    x, y = clips[:, :, varies] - clip_mean[varies], texts - text_mean  # [V,K,p], [N,S]
    sums = np.zeros((x.shape[1], y.shape[1]), np.float32)  # of each clip's sentences, [K,S]
    np.add.at(sums, owners, y)
    cross = x.mean(axis=0).T @ sums / len(y)  # [p,S]
    each = x.reshape(-1, x.shape[-1])  # [V*K,p]
    own_x, own_y = _with_ridge(each.T @ each / len(each), strength), _with_ridge(y.T @ y / len(y), strength)
    towards = np.linalg.solve(own_y, cross.T)  # [S,p], the regression of texts' features on those of clips
    inverse = np.linalg.inv(np.linalg.cholesky(own_x))  # [p,p]
    shared = inverse @ (cross @ towards) @ inverse.T  # [p,p], its eigenvalues are squared correlations
    values, axes = np.linalg.eigh((shared + shared.T) / 2)
    wanted = np.argsort(values)[::-1][:dimensions]
    wanted = wanted[values[wanted] > _LEAST**2]
    correlations, axes = np.sqrt(values[wanted]), axes[:, wanted]  # [D], [p,D]
    of_clips = np.zeros((clips.shape[-1], len(wanted)), np.float32)
    of_clips[varies] = inverse.T @ axes * correlations
    of_texts = towards @ inverse.T @ axes  # divided by the correlations, and counted by them
    return (
        Projection(clip_mean.astype(np.float32), of_clips),
        Projection(text_mean.astype(np.float32), of_texts.astype(np.float32)),
    )


def _with_ridge(covariance: np.ndarray, strength: float) -> np.ndarray:
    covariance[np.diag_indices_from(covariance)] += strength * np.trace(covariance) / len(covariance)
    return covariance
