"""Speaker normalisation: a speaker's own mean and spread taken out of the statistics of their clips, without labels.

A speaker with few clips, or whose clips differ little from everybody's, is moved little (empirical Bayes): their mean
and spread are shrunk towards everybody's by how much speakers differ, against how much the clips of one speaker do.
Whether this helps at all is decided on speakers left out, since it ruins sets in which most speakers show one class.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_understanding.training.closed_form.calibrate import softmax
from video_understanding.training.closed_form.choose import balanced, best_strength, judgeable
from video_understanding.training.closed_form.ridge import left_out_scores
from video_understanding.training.closed_form.spectrum import Spectrum, reduced_axes

_PRIOR_CLIPS = 10.0  # everybody's spread counts as much as so many clips of the speaker
_SURE = 2.0  # standard errors by which speaker normalisation must be better than none


@dataclass(frozen=True)
class SpeakerNormalisation:
    """What the clips of all speakers say of one more: float32 [P] each.

    usual    mean of all clips
    within   variance of the clips of one speaker about that speaker's mean
    between  variance of the speakers' means
    """

    usual: np.ndarray
    within: np.ndarray
    between: np.ndarray

    @classmethod
    def of(cls, statistics: np.ndarray, speakers: np.ndarray) -> SpeakerNormalisation:
        """Of clips [K,P] of known speakers, int [K]."""
        _, own, many = np.unique(speakers, return_inverse=True, return_counts=True)
        usual = statistics.mean(axis=0, dtype=np.float64)
        sums = np.zeros((len(many), statistics.shape[1]))
        np.add.at(sums, own, statistics - usual)
        means = sums / many[:, None]
        total = ((statistics - usual) ** 2).sum(axis=0)
        about_means = np.maximum(total - (many[:, None] * means**2).sum(axis=0), 0)
        within = about_means / max(len(own) - len(many), 1)
        # What is left of the means' variance once the scatter of their clips is taken off.
        between = np.maximum((means**2).mean(axis=0) - within * (1 / many).mean(), 0)
        return cls(*(part.astype(np.float32) for part in (usual, within, between)))

    def transform(self, clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Factor and offset float32 [P] for the clips of the one speaker of whom these are, [n,P]: x * factor + offset.

        Of no clips it changes nothing; the more there are, the more they count.
        """
        count = len(clips)
        if not count:
            return np.ones_like(self.usual), np.zeros_like(self.usual)
        counted = count * self.between
        share = counted / np.maximum(counted + self.within, 1e-12)  # [P], how much of their mean is theirs
        mean = self.usual + share * (clips.mean(axis=0) - self.usual)
        spread = (clips.var(axis=0) * count + self.within * _PRIOR_CLIPS) / (count + _PRIOR_CLIPS)
        factor = np.sqrt((self.within + 1e-12) / (spread + 1e-12))
        return factor.astype(np.float32), (self.usual - mean * factor).astype(np.float32)

    def apply(self, statistics: np.ndarray, speakers: np.ndarray) -> np.ndarray:
        """Each clip of [K,P] as if all had one voice; where `speakers` int [K] is negative, nobody is known."""
        moved = np.array(statistics, np.float32)
        for speaker in np.unique(speakers[speakers >= 0]):
            factor, offset = self.transform(statistics[speakers == speaker])
            moved[speakers == speaker] = statistics[speakers == speaker] * factor + offset
        return moved


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
