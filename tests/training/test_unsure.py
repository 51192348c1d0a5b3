"""Clips without a label as examples of being unsure: what learning gets of them, and what measuring."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.training.test_batches import CLIPS, SMALL, prepared
from video_understanding.labels import Labels
from video_understanding.training.batches import ClipBatches
from video_understanding.training.settings import TrainingSettings

LABELS = Labels(action=("left", "right"), emotion=("glad", "sad", "calm", "cross"))
ROWS = [dataclasses.replace(row, labels={**row.labels, "emotion": None}) for row in prepared(SMALL).rows]


def emotion_targets(learning: bool, unsure: float) -> np.ndarray:
    settings = TrainingSettings(batch_size=CLIPS, unsure=unsure)
    batches = ClipBatches(prepared(SMALL), ROWS, LABELS, np.arange(CLIPS), settings, learning=learning)
    targets = batches[0][1]
    assert (targets["action"][:, -1] == 1).all(), "labelled clips count as ever"
    assert sorted(targets["action"][:, :-1].max(axis=1)) == [1] * CLIPS
    return targets["emotion"]


def test_clips_without_a_label_teach_a_head_to_be_unsure_if_asked():
    assert np.allclose(emotion_targets(learning=True, unsure=0.3), [[0.25] * 4 + [0.3]] * CLIPS)
    assert not emotion_targets(learning=True, unsure=0.0).any()
    assert not emotion_targets(learning=False, unsure=0.3).any(), "what is measured is measured on labels alone"
