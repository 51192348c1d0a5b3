"""Pooled statistics of encoded clips: one vector for each clip and view, and one for each of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.features.statistics import POOLED_WIDTHS, POOLINGS
from video_understanding.training.encoded_clips import EncodedClips

_MOST_WINDOWS = 30_000  # of all clips together that are kept one by one: of very many clips each has fewer


@dataclass(frozen=True)
class PooledClips:
    """One modality of K clips.

    clips    float32 [V,K,P], each clip's mean of its windows in every view; zeros without the modality
    present  bool [K], who has the modality
    windows  float32 [W,P], windows of the clips as they are, in the order of their numbers
    numbers  int [W], which windows of the prepared clips these are
    places   int [W], which of the K clips each belongs to
    """

    clips: np.ndarray
    present: np.ndarray
    windows: np.ndarray
    numbers: np.ndarray
    places: np.ndarray

    def first_view(self) -> PooledClips:
        """The clips as they are, without augmented views."""
        return PooledClips(self.clips[:1], self.present, self.windows, self.numbers, self.places)

    def select(self, chosen: np.ndarray) -> PooledClips:
        """The clips at these places int [k], each given once, in this order."""
        new = np.full(len(self.present), -1)
        new[chosen] = np.arange(len(chosen))
        own = new[self.places] >= 0  # [W]
        windows, numbers, places = self.windows[own], self.numbers[own], new[self.places[own]]
        return PooledClips(self.clips[:, chosen], self.present[chosen], windows, numbers, places)


def pooled_clips(
    encoded: EncodedClips, rows: Sequence[int] | np.ndarray, modality: str, progress: bool | None = None
) -> PooledClips:
    """The statistics of one modality of these rows of the prepared clips, in their order."""
    encoder = encoded.encoders[modality]
    pool, views = POOLINGS[encoder.pooling], len(encoder.views)
    width = encoder.shape[1] * POOLED_WIDTHS[encoder.pooling]
    place_of = {int(row): place for place, row in enumerate(rows)}
    clips, present = np.zeros((views, len(rows), width), np.float32), np.zeros(len(rows), bool)
    windows, numbers, places = [np.zeros((0, width), np.float32)], [np.zeros(0, int)], [np.zeros(0, int)]
    most = max(1, _MOST_WINDOWS // max(len(rows), 1))  # of a clip
    for view in range(views):
        for row, tokens in encoded.of_rows(rows, modality, view, progress):
            pooled, place = pool(tokens.astype(np.float32)), place_of[row]  # [w,n,D] -> [w,P]
            clips[view, place] = pooled.mean(axis=0)
            present[place] = True
            if view == 0:
                kept = np.unique(np.linspace(0, len(pooled) - 1, min(len(pooled), most)).astype(int))
                windows.append(pooled[kept])
                numbers.append(encoded.numbers_of(row, modality)[kept])
                places.append(np.full(len(kept), place))
    order = np.argsort(np.concatenate(numbers))
    joined = [np.concatenate(parts)[order] for parts in (windows, numbers, places)]
    return PooledClips(clips, present, *joined)
