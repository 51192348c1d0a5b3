"""What is chosen by leaving whole groups out."""

from __future__ import annotations

import numpy as np

from video_understanding.features.probabilities import sigmoid, softmax
from video_understanding.training.closed_form.calibrate import scale_and_offset, temperature
from video_understanding.training.closed_form.choose import balanced, blend, group_folds, judgeable


def test_folds_hold_whole_groups_and_every_class():
    chance = np.random.default_rng(0)
    groups = chance.integers(0, 30, 300)
    targets = np.eye(3)[chance.integers(0, 3, 300)]
    folds = group_folds(groups, targets)
    assert all(len(np.unique(folds[groups == group])) == 1 for group in np.unique(groups))
    assert all(targets[folds == fold].any(axis=0).all() for fold in range(5))
    assert np.bincount(folds).max() < 1.3 * np.bincount(folds).min()
    np.testing.assert_array_equal(folds, group_folds(groups, targets))


def test_clips_of_a_class_with_one_subject_do_not_judge():
    targets = np.eye(2)[[0, 0, 0, 1, 1]]
    np.testing.assert_array_equal(judgeable(targets, np.array([1, 2, 2, 3, 3])), [1, 1, 1, 0, 0])


def test_balanced_weights_count_all_classes_the_same():
    targets = np.eye(3)[[0] * 6 + [1] * 2]
    weights = balanced(targets)
    np.testing.assert_allclose(weights @ targets, [4, 4, 0])


def test_temperature_brings_probabilities_back_to_what_is_true():
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(4000, 3))
    targets = np.eye(3)[[chance.choice(3, p=share) for share in softmax(logits)]]
    factor, _ = temperature(7 * logits, targets, np.ones(4000))
    assert abs(7 * factor - 1) < 0.1


def test_offset_of_a_rare_label_is_found():
    chance = np.random.default_rng(0)
    scores = chance.normal(size=5000)
    truth = (chance.uniform(size=5000) < sigmoid(2 * scores - 3)).astype(float)
    factor, offset = scale_and_offset(scores, truth)
    assert abs(factor - 2) < 0.25 and abs(offset + 3) < 0.25


def test_a_blend_leaves_out_what_says_nothing():
    chance = np.random.default_rng(0)
    targets = np.eye(2)[chance.integers(0, 2, 200)]
    good, noise = 3 * targets + chance.normal(size=(200, 2)), 6 * chance.normal(size=(200, 2))
    shares = blend([good, noise], targets, np.ones(200))
    assert shares.sum() == 1 and shares[0] > 0.85
