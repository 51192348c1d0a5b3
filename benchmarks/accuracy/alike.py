"""People heard alike: what is heard of each, as if all had the same usual voice. One more look at what they say.

A model that also learns from this look learns what is said of a mood beside how its speaker always sounds, and it is
what a model hears that is made used to a person. No labels are looked at, and each person is heard by themself: nothing
of those by whom the model is judged gets into what it learns from.
"""

from __future__ import annotations

import numpy as np

_LEAST_VARIANCE = 1e-3  # as in the listener's last norm: a number that hardly varies is not blown up


def heard_alike(
    heard: np.ndarray, loud: np.ndarray, people: np.ndarray, usual_mean: np.ndarray, usual_variance: np.ndarray
) -> np.ndarray:
    """Heard float16 [looks,W,M,S,C] -> the same, each person's mean and spread moved to what is usual, float [C] each.

    `loud` bool [W,M] tells the hops that are more than silence, which alone say what a person sounds like; `people` [W]
    whose window it is, "" if nobody's: such windows stay as they are, and so do those in which nothing is heard, zeros.
    """
    alike = heard.copy()
    for look in alike:
        for person in np.unique(people):
            own = people == person
            if not person or not loud[own].any():
                continue
            told = look[own].astype(np.float32)  # [w,M,S,C]
            spoken = told[loud[own]]  # [hops,S,C]
            mean, variance = spoken.mean(axis=(0, 1)), spoken.var(axis=(0, 1))  # [C] each
            scale = np.sqrt((usual_variance + _LEAST_VARIANCE) / (variance + _LEAST_VARIANCE))
            moved = (told - mean) * scale + usual_mean
            look[own] = np.where(told.any(axis=-1, keepdims=True), moved, 0)
    return alike
