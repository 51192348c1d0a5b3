"""The loss and the scores of heads of which a clip may show several classes: each class is a yes or no of its own."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

from tests.evaluation.worlds import LABELS, SPEC
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.losses import (
    LabelledBinaryAccuracy,
    LabelledBinaryCrossEntropy,
    LabelledCrossEntropy,
)
from video_understanding.scorer import ModelInputs

LOGITS = np.array([[2.0, 0.5, -1.0], [-0.5, 3.0, 0.2], [1.0, -2.0, 4.0]], np.float32)
SHOWN = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1]], np.float32)


def targets(*counts: float) -> np.ndarray:
    return np.concatenate([SHOWN, np.array(counts, np.float32)[:, None]], axis=1)


def loss(rows: np.ndarray, logits: np.ndarray = LOGITS, **settings) -> float:
    return float(LabelledBinaryCrossEntropy(**settings)(rows, logits))


def test_with_all_labels_it_is_keras_own():
    theirs = keras.losses.BinaryCrossentropy(from_logits=True)(SHOWN, LOGITS)
    assert loss(targets(1, 1, 1)) == pytest.approx(float(theirs), rel=1e-6)
    smooth = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)(SHOWN, LOGITS)
    assert loss(targets(1, 1, 1), label_smoothing=0.1) == pytest.approx(float(smooth), rel=1e-6)
    focal = keras.losses.BinaryFocalCrossentropy(from_logits=True, gamma=2.0)(SHOWN, LOGITS)
    assert loss(targets(1, 1, 1), focal_gamma=2.0) == pytest.approx(float(focal), rel=1e-5)


def test_rows_without_a_label_do_not_count():
    both = keras.losses.BinaryCrossentropy(from_logits=True)(SHOWN[[0, 2]], LOGITS[[0, 2]])
    assert loss(targets(1, 0, 1)) == pytest.approx(float(both), rel=1e-6)
    assert loss(targets(0, 0, 0)) == 0
    none = keras.losses.BinaryCrossentropy(from_logits=True)(SHOWN[[1]], LOGITS[[1]])
    assert loss(targets(0, 1, 0)) == pytest.approx(float(none), rel=1e-6)  # "none" is a label, too


def test_a_row_mixed_out_of_labelled_and_unlabelled_counts_in_part():
    one, other = loss(targets(1, 0, 0)), loss(targets(0, 1, 0))
    assert loss(targets(1, 0.25, 0)) == pytest.approx((one + 0.25 * other) / 1.25, rel=1e-6)


def test_clips_that_show_a_rare_class_can_count_more():
    weights = np.array([3.0, 1.0, 1.0])
    cells = np.logaddexp(0, -LOGITS) * SHOWN + np.logaddexp(0, LOGITS) * (1 - SHOWN)  # [3,3]
    counts = 1 + SHOWN * (weights - 1)  # [3,3]
    expected = (cells * counts).sum() / counts.sum()
    assert loss(targets(1, 1, 1), class_weights=weights) == pytest.approx(expected, rel=1e-6)
    assert loss(targets(1, 1, 1), class_weights=[1, 1, 1]) == pytest.approx(loss(targets(1, 1, 1)), rel=1e-6)


def test_large_logits_stay_finite():
    large = loss(targets(1, 1, 1), 1e4 * LOGITS, focal_gamma=2.0, label_smoothing=0.1)
    assert np.isfinite(large)


def test_accuracy_is_that_of_the_decisions_of_labelled_rows():
    metric = LabelledBinaryAccuracy()
    metric.update_state(targets(1, 1, 0), LOGITS)
    assert float(metric.result()) == pytest.approx((1 + 1) / 6)  # the first row is right once, so is the second
    metric.reset_state()
    assert float(metric.result()) == 0


def test_settings_survive_saving():
    made = LabelledBinaryCrossEntropy([1.0, 2.0], 0.1, 2.0)
    again = LabelledBinaryCrossEntropy.from_config(made.get_config())
    assert (again.class_weights, again.label_smoothing, again.focal_gamma) == ([1.0, 2.0], 0.1, 2.0)


@pytest.fixture(scope="module")
def model() -> VideoUnderstandingModel:
    network = dataclasses.replace(SPEC.network, multi_label=("action",), token_size=8, attention_heads=2)
    video = dataclasses.replace(SPEC.video, height_px=32, width_px=32)
    spec = dataclasses.replace(SPEC, video=video, network=network)
    return VideoUnderstandingModel(spec, LABELS, weights=None, seed=1)


def test_each_head_has_the_loss_of_its_kind(model):
    model.compile()
    assert isinstance(model.loss["action"], LabelledBinaryCrossEntropy)
    assert isinstance(model.loss["emotion"], LabelledCrossEntropy)
    again = VideoUnderstandingModel.from_config(model.get_config())
    assert again.spec.network.multi_label == ("action",)


def test_the_scores_of_a_multi_label_head_are_sigmoids_of_their_logits(model):
    spec = model.spec
    chance = np.random.default_rng(0)
    arrays = {
        "video": chance.integers(0, 256, (3, *spec.frames_shape)).astype(np.uint8),
        "audio": chance.uniform(-0.5, 0.5, (3, spec.samples)).astype(np.float32),
    }
    inputs = ModelInputs(arrays, np.ones((3, 2), bool))
    arrays = {"frames": arrays["video"], "waveform": arrays["audio"], "presence": inputs.presence}
    logits, scores = model(arrays), KerasScorer(model, {"action": 2.0})(inputs)
    assert scores["action"] == pytest.approx(1 / (1 + np.exp(-np.array(logits["action"]) / 2)), abs=1e-5)
    assert scores["emotion"].sum(axis=1) == pytest.approx(np.ones(3), abs=1e-6)
