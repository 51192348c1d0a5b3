"""Whether speaker normalisation helps is decided on speakers left out.

It ruins sets in which most speakers show one class: their mean is that class, and is taken out with the voice.
"""

from __future__ import annotations

import numpy as np

from video_understanding.features.probabilities import softmax
from video_understanding.features.speaker_normalisation import SpeakerNormalisation
from video_understanding.training.closed_form.choose import balanced, best_strength, judgeable
from video_understanding.training.closed_form.ridge import left_out_scores
from video_understanding.training.closed_form.spectrum import Spectrum, reduced_axes

_MOST_VOICE_AXES, _SEARCHED_AXES = 5, 40
_SHRUNK = 0.3  # times the mean variance of an axis, added to every axis
_SURE = 2.0  # standard errors by which speaker normalisation must be better than none


def speaker_normalisation_helps(
    normalisation: SpeakerNormalisation, statistics: np.ndarray, speakers: np.ndarray, truth: np.ndarray
) -> bool:
    """Whether left-out speakers are recognised better with it, by two standard errors.

    Args:
        normalisation: that of these clips.
        statistics: float32 [K,P], standardised, of labelled clips.
        speakers: int [K], negative where nobody is known.
        truth: [K,C], 1 for a clip's class, 0 elsewhere.
    """
    known = speakers >= 0
    if len(np.unique(speakers[known])) < 2:
        return False
    speakers, truth = speakers[known], truth[known]
    judged, weights = judgeable(truth, speakers), balanced(truth)
    if not judged.any():
        return False
    plain = statistics[known]
    losses = []
    for rows in (plain, normalisation.apply(plain, speakers)):
        middle = rows.mean(axis=0)
        points = ((rows - middle) @ reduced_axes(rows - middle)).astype(np.float64)
        paths = left_out_scores(Spectrum.of(points, weights), points, truth, weights, speakers)
        best, factor = best_strength(paths[:, judged], truth[judged], weights[judged])
        right = (softmax(paths[best] * factor) * truth).sum(axis=1)
        losses.append(-np.log(0.99 * right + 0.01 / truth.shape[1]))
    gain = (losses[0] - losses[1]) * weights * judged  # [K]
    # Speakers, not their clips, are the cases: those of one stand and fall together.
    gains = np.array([gain[speakers == speaker].sum() for speaker in np.unique(speakers)])
    return bool(gains.mean() > _SURE * gains.std(ddof=1) / np.sqrt(len(gains)))


def voice_axes(statistics: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """float32 [P,r]: at most `_MOST_VOICE_AXES` axes in which speakers differ most, beside how their own clips do.

    Linear discriminant analysis of speakers: along single statistics moods differ more than speakers do.

    Args:
        statistics: float32 [K,P], standardised.
        speakers: int [K], of two speakers or more.
    """
    _, own, many = np.unique(speakers, return_inverse=True, return_counts=True)
    centred = statistics - statistics.mean(axis=0)
    axes = reduced_axes(centred, _SEARCHED_AXES)  # [P,s]
    points = centred @ axes
    means = np.zeros((len(many), points.shape[1]))
    np.add.at(means, own, points)
    means /= many[:, None]
    rest = points - means[own]
    within = rest.T @ rest / len(rest)
    within += _SHRUNK * np.trace(within) / len(within) * np.eye(len(within))
    white = np.linalg.inv(np.linalg.cholesky(within)).T  # [s,s]: what is within speakers is round in it
    _, turned = np.linalg.eigh(np.atleast_2d(np.cov((means @ white).T)))
    return (axes @ white @ turned[:, ::-1][:, : min(_MOST_VOICE_AXES, len(many) - 1)]).astype(np.float32)
