"""The loss of clips that may not be labelled: only those that are count, each class as it should."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from video_understanding.models.losses import LabelledAccuracy, LabelledCrossEntropy

LOGITS = np.array([[2.0, 0.0, -1.0], [0.0, 3.0, 0.0], [1.0, 1.0, 1.0]], np.float32)


def rows(*labels: int | None) -> np.ndarray:
    table = np.zeros((len(labels), 4), np.float32)
    for place, label in enumerate(labels):
        if label is not None:
            table[place, [label, 3]] = 1
    return table


def loss(targets: np.ndarray, **settings) -> float:
    return float(LabelledCrossEntropy(**settings)(targets, LOGITS))


def test_with_all_labels_it_is_keras_own():
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0, 1, 2]), LOGITS)
    assert loss(rows(0, 1, 2)) == pytest.approx(float(theirs), rel=1e-6)
    smooth = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(np.eye(3), LOGITS)
    assert loss(rows(0, 1, 2), label_smoothing=0.1) == pytest.approx(float(smooth), rel=1e-6)
    focal = keras.losses.CategoricalFocalCrossentropy(from_logits=True, gamma=2.0, alpha=1.0)(np.eye(3), LOGITS)
    assert loss(rows(0, 1, 2), focal_gamma=2.0) == pytest.approx(float(focal), rel=1e-5)


def test_rows_without_a_label_do_not_count():
    both = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(np.array([0, 2]), LOGITS[[0, 2]])
    assert loss(rows(0, None, 2)) == pytest.approx(float(both), rel=1e-6)
    assert loss(rows(None, None, None)) == 0


def test_a_row_mixed_out_of_labelled_and_unlabelled_counts_in_part():
    targets = rows(0, 1, None)
    targets[1, 3] = 0.25
    one, other = loss(rows(0, None, None)), loss(rows(None, 1, None))
    assert loss(targets) == pytest.approx((one + 0.25 * other) / 1.25, rel=1e-6)


def test_rare_classes_can_count_more():
    plain = [loss(rows(0, None, None)), loss(rows(None, 1, None))]
    weighted = loss(rows(0, 1, None), class_weights=[3.0, 1.0, 1.0])
    assert weighted == pytest.approx((3 * plain[0] + plain[1]) / 4, rel=1e-6)


def test_accuracy_is_over_the_labelled_rows():
    metric = LabelledAccuracy()
    metric.update_state(rows(0, 0, None), LOGITS)
    assert float(metric.result()) == 0.5
    metric.reset_state()
    assert float(metric.result()) == 0


def test_settings_survive_saving():
    made = LabelledCrossEntropy([1.0, 2.0], 0.1, 2.0)
    again = LabelledCrossEntropy.from_config(made.get_config())
    assert (again.class_weights, again.label_smoothing, again.focal_gamma) == ([1.0, 2.0], 0.1, 2.0)
