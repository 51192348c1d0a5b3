"""What a training makes of clips that lack a modality: `missing` of the network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from video_understanding.datasets.cache import PreparedClips
from video_understanding.errors import TrainingError


def windows_to_learn(prepared: PreparedClips, windows: np.ndarray) -> np.ndarray:
    """The windows int [w] to learn from: with "drop" only those that have every modality.

    Raises:
        TrainingError: the choice changes nothing, or leaves nothing.
    """
    missing = prepared.spec.network.missing
    if missing == "ignore":
        return windows
    names = " and ".join(prepared.spec.modalities)
    if prepared.presence(np.arange(len(prepared))).all():
        cause = f"changes nothing: every clip has {names}"
        raise TrainingError(f"missing {missing!r}", cause, "Leave --missing out.")
    complete = prepared.presence(windows).all(axis=1)
    if not complete.any():
        raise TrainingError(f"missing {missing!r}", f"leaves no clip: none has {names}", "Leave --missing out.")
    return windows[complete] if missing == "drop" else windows


def filled(
    statistics: Mapping[str, np.ndarray], present: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Statistics [V,K,P] of each modality with the mean of the clips that have it in place of those that do not.

    Returns:
        The statistics, and bool [K] of each modality: all clips that have any.
    """
    means = {name: own[:, present[name]].mean(axis=(0, 1)) for name, own in statistics.items()}
    some = np.any(list(present.values()), axis=0)  # [K]
    made = {name: np.where(present[name][:, None], own, means[name]) for name, own in statistics.items()}
    return made, dict.fromkeys(statistics, some)
