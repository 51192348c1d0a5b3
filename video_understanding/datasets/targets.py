"""Labels of clips as numbers: what models learn, and what their answers are compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.labels import Labels


def targets_of(rows: Sequence[Row], labels: Labels) -> dict[str, np.ndarray]:
    """For each head float32 [rows,C+1]: a one for each class shown, and in the last place whether there is a label.

    A clip that shows a class which is not among the labels counts as not labelled.
    """
    targets = {}
    for head, names in labels.items():
        table = targets[head] = np.zeros((len(rows), len(names) + 1), np.float32)  # [rows,C+1]
        for place, row in enumerate(rows):
            shown = labels.classes_of(head, row.labels.get(head))
            if head in row.labels and set(shown) <= set(names):
                table[place, [*map(names.index, shown), -1]] = 1
    return targets
