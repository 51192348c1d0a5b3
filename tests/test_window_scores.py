"""Windows of a clip are combined by log probabilities: confident windows weigh more, a single one is unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.window_scores import LEAST_LIKELY, WindowScores


def joined(scores: list, multi_label: bool = False, clips: list[int] | None = None, count: int = 1) -> np.ndarray:
    scores = np.array(scores, float)
    collected = WindowScores(count, scores.shape[1], multi_label)
    collected.add(np.array(clips or [0] * len(scores)), scores)
    return collected.result()


def test_a_single_window_stays_as_it_is_to_the_bit():
    assert np.array_equal(joined([[1.0, 0.0]]), [[1.0, 0.0]])


def test_a_confident_window_outweighs_several_uncertain_ones():
    assert joined([[0.45, 0.55], [0.45, 0.55], [0.98, 0.02]])[0].argmax() == 0
    assert joined([[0.45, 0.55], [0.45, 0.55], [0.55, 0.45]])[0].argmax() == 1


def test_no_window_rules_a_class_out():
    scores = joined([[1.0, 0.0], [0.01, 0.99], [0.01, 0.99]])[0]
    assert scores.argmax() == 1
    assert scores.sum() == pytest.approx(1)
    assert joined([[1.0, 0.0], [1.0, 0.0]])[0, 1] == pytest.approx(LEAST_LIKELY, rel=0.01)


def test_each_class_of_a_multi_label_head_is_joined_by_itself():
    scores = joined([[0.9, 0.5], [0.5, 0.5]], multi_label=True)[0]
    assert scores == pytest.approx([0.75, 0.5])  # the mean log-odds of 9 and 1 are those of 3


def test_clips_are_kept_apart_and_one_without_windows_has_none():
    scores = joined([[0.2, 0.8], [0.6, 0.4], [0.2, 0.8]], clips=[2, 0, 2], count=3)
    assert scores[0] == pytest.approx([0.6, 0.4])
    assert np.isnan(scores[1]).all()
    assert scores[2] == pytest.approx([0.2, 0.8])


@pytest.mark.parametrize("wrong", [np.nan, 7.0, -3.0])
def test_values_that_are_no_probabilities_are_not_changed(wrong):
    scores = joined([[wrong, 0.5], [0.5, 0.5]])[0]
    assert not (0 <= scores[0] <= 1)
