"""Clips that are seen in several ways, and clips that teach a head to be unsure: what learning gets, and what not."""

from __future__ import annotations

import dataclasses

import numpy as np

from tests.training.test_batches import CLIPS, SMALL, prepared
from video_understanding.labels import Labels
from video_understanding.training.batches import ClipBatches
from video_understanding.training.settings import TrainingSettings

LABELS = Labels(action=("left", "right"), emotion=("glad", "sad", "calm", "cross"))
ROWS = [dataclasses.replace(row, labels={**row.labels, "emotion": None}) for row in prepared(SMALL).rows]


def seen(learning: bool, looks: int = 3) -> np.ndarray:
    """Which look [CLIPS] each window was given in the first epoch: feature 0 is the window, feature 1 the look."""
    features = np.zeros((looks, CLIPS, 4, 2), np.float32)
    features[..., 0] = np.arange(CLIPS)[:, None]
    features[..., 1] = np.arange(looks)[:, None, None]
    batches = ClipBatches(
        prepared(SMALL), ROWS, LABELS, np.arange(CLIPS), TrainingSettings(batch_size=4), learning=learning,
        features=features,
    )  # fmt: skip
    given = np.concatenate([batches[place][0]["features"] for place in range(len(batches))])  # [CLIPS,T,2]
    assert sorted(given[:, 0, 0]) == list(range(CLIPS))
    assert (given == given[:, :1]).all(), "the frames of one window are of one look"
    return given[:, 0, 1]


def test_learning_takes_any_look_and_judging_the_first():
    assert len(set(seen(learning=True))) > 1
    assert np.array_equal(seen(learning=True), seen(learning=True))
    assert not seen(learning=False).any()


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
