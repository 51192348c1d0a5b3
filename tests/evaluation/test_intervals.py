"""Intervals hold the truth about as often as they say, and count subjects, not clips."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.evaluation import intervals
from video_understanding.evaluation.intervals import accuracy_of_totals, bootstrap, uar_of_totals, wilson


def simulated(generator: np.random.Generator, groups: int, apart: float) -> np.ndarray:
    """Right answers and clips [G,2,2]: five clips of two classes from each group; groups differ by `apart`."""
    chance = 1 / (1 + np.exp(-(np.array([0.2, 1.4]) + generator.normal(0, apart, (groups, 1)))))  # [G,C]
    return np.stack([generator.binomial(5, chance), np.full((groups, 2), 5)], axis=1).astype(float)


@pytest.mark.parametrize(("groups", "apart"), [(8, 1.0), (24, 1.0), (24, 0.0)])
def test_the_bootstrap_holds_the_truth_about_as_often_as_stated(groups, apart):
    generator = np.random.default_rng(groups)
    truth = uar_of_totals(simulated(generator, 200_000, apart).sum(axis=0)[None])[0]
    trials = [bootstrap(simulated(generator, groups, apart), uar_of_totals, seed) for seed in range(250)]
    held = np.mean([trial.low <= truth <= trial.high for trial in trials])
    assert 0.905 <= held <= 0.985


def test_the_bootstrap_is_wider_where_groups_differ():
    # The same hundred right answers of two hundred clips: spread evenly over ten groups, or all in five of them.
    alike = np.tile([[[10.0], [20.0]]], (10, 1, 1))
    alike[::2, 0] += 1
    alike[1::2, 0] -= 1
    apart = np.array([[[20.0], [20.0]], [[0.0], [20.0]]] * 5)
    narrow, wide = (bootstrap(totals, accuracy_of_totals, 0) for totals in (alike, apart))
    assert narrow.high - narrow.low < 0.1
    assert wide.high - wide.low > 0.5


def test_the_bootstrap_can_be_had_again():
    totals = simulated(np.random.default_rng(0), 300, 1.0)
    assert bootstrap(totals, uar_of_totals, 4) == bootstrap(totals, uar_of_totals, 4)
    assert bootstrap(totals, uar_of_totals, 4) != bootstrap(totals, uar_of_totals, 5)


def test_the_bootstrap_is_the_same_in_blocks(monkeypatch):
    totals = simulated(np.random.default_rng(0), 12, 1.0)
    whole = bootstrap(totals, accuracy_of_totals, 4)
    monkeypatch.setattr(intervals, "_DRAWN_AT_A_TIME", 100)
    assert bootstrap(totals, accuracy_of_totals, 4) == whole


def test_the_bootstrap_is_silent_where_it_cannot_tell():
    assert bootstrap(simulated(np.random.default_rng(0), 5, 1.0), uar_of_totals, 0) is None
    assert bootstrap(np.array([[[4.0], [4.0]]] * 9), accuracy_of_totals, 0) is None  # all right: no draw differs


def test_a_draw_without_a_class_is_measured_on_the_others():
    totals = np.array([[[3.0, 0.0], [4.0, 0.0]]])  # [1,2,2]
    assert uar_of_totals(totals) == pytest.approx([0.75])


@pytest.mark.parametrize(("right", "clips"), [(0, 7), (7, 7), (1, 1), (53, 104), (999, 1000)])
def test_wilson_is_that_of_scipy(right, clips):
    stats = pytest.importorskip("scipy.stats", reason="scipy, to compare with, is not installed")
    known = stats.binomtest(right, clips).proportion_ci(0.95, "wilson")
    assert wilson(right, clips) == pytest.approx((known.low, known.high), abs=1e-9)


def test_students_t_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats", reason="scipy, to compare with, is not installed")
    for freedom in (5, 7, 11, 30, 1000):
        assert intervals._student_t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=2e-3)
