"""Doubtful labels: which clips' labels are contradicted most by a fit that never saw their group."""

from __future__ import annotations

import numpy as np


def doubt_of_labels(logits: np.ndarray, truth: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """float64 [K]: how much is said against each clip's label, -inf where nothing can be said.

    It is the margin of the best other class over the labelled one, in logits.

    Args:
        logits: [K,C], calibrated, of fits without the clip's group; NaN where there is none.
        truth: [K,C], 1 for a clip's class, 0 elsewhere.
        judged: bool [K], the clips that have a label of a class which several groups show (`choose.judgeable`); with a
            class's only group left out nothing is left of it, and all its labels would be contradicted.
    """
    judged = judged & np.isfinite(logits).all(axis=1)
    labelled = np.where(truth > 0, logits, np.inf).min(axis=1)  # [K]
    others = np.where(truth > 0, -np.inf, logits).max(axis=1)  # [K]
    return np.where(judged, others - labelled, -np.inf)


def most_doubtful(doubt: np.ndarray) -> np.ndarray:
    """int: numbers of the clips of which something can be said, the most doubtful first."""
    order = np.argsort(-doubt, kind="stable")
    return order[np.isfinite(doubt[order])]
