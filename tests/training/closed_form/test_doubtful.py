"""Doubtful labels: spoiled ones stand first."""

from __future__ import annotations

import numpy as np

from video_understanding.training.closed_form.choose import judgeable
from video_understanding.training.closed_form.doubtful import doubt_of_labels, most_doubtful
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import HeadTargets


def test_four_of_five_spoiled_labels_are_among_the_first_twelfth():
    chance = np.random.default_rng(0)
    numbers, groups = np.arange(200) % 4, chance.integers(0, 20, 200)
    signs, voices = 0.6 * chance.normal(size=(4, 300)), chance.normal(size=(20, 300))
    rows = (signs[numbers] + voices[groups] + chance.normal(size=(200, 300))).astype(np.float32)
    spoiled = chance.choice(200, 10, replace=False)
    numbers[spoiled] = (numbers[spoiled] + chance.integers(1, 4, 10)) % 4
    targets, present = HeadTargets.of_numbers(numbers, 4), {"a": np.ones(200, bool)}
    fitted = fit_closed_form({"a": rows}, present, {"h": targets}, groups)
    doubt = doubt_of_labels(fitted.left_out("h", present), targets.truth, judgeable(targets.truth, groups))
    assert np.isin(spoiled, most_doubtful(doubt)[:16]).mean() >= 0.8


def test_what_is_not_labelled_or_not_judged_is_not_listed():
    logits = np.array([[2.0, -2.0], [np.nan, np.nan], [0.0, 1.0]])
    doubt = doubt_of_labels(logits, np.eye(2)[[1, 0, 0]], np.array([True, True, False]))
    np.testing.assert_array_equal(most_doubtful(doubt), [0])
    assert doubt[0] == 4
