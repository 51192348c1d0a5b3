"""Speaker normalisation: a speaker's own mean and spread taken out of the statistics of their clips, without labels.

A speaker with few clips, or whose clips differ little from everybody's, is moved little (empirical Bayes): their mean
and spread are shrunk towards everybody's by how much speakers differ, against how much the clips of one speaker do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_PRIOR_CLIPS = 10.0  # everybody's spread counts as much as so many clips of the speaker


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
