"""Measures agree with scikit-learn, and with known values where it has none."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation.worlds import row
from video_understanding.errors import VideoUnderstandingError
from video_understanding.evaluation import Answers, HeadReport, metrics
from video_understanding.evaluation.calibration import (
    COOLEST,
    calibration_error,
    fit_temperature,
    logits_of,
    reliability,
    tempered,
    unknown_threshold,
)

sk = pytest.importorskip("sklearn.metrics", reason="scikit-learn, to compare with, is not installed")


def cases():
    """Truth, said and the number of classes: usual ones, missing classes, one class only, one clip."""
    generator = np.random.default_rng(5)
    for clips, classes in ((1, 3), (2, 2), (40, 2), (60, 6), (500, 11)):
        yield generator.integers(classes, size=clips), generator.integers(classes, size=clips), classes
    yield np.array([0, 0, 2, 2]), np.array([0, 2, 2, 1]), 5  # 1 is said only, 3 and 4 never appear
    yield np.array([1, 1, 1]), np.array([1, 1, 1]), 3  # all of one class, all right
    yield np.array([1, 1, 1]), np.array([0, 0, 2]), 3  # all of one class, all wrong
    yield np.array([0, 1, 2, 3]), np.array([3, 3, 3, 3]), 4  # always the same


def report_of(truth: np.ndarray, said: np.ndarray, classes: int) -> HeadReport:
    rows = tuple(row(f"{number}.mp4") for number in range(len(truth)))
    return HeadReport.of(Answers(tuple("abcdefghijk"[:classes]), rows, truth, np.eye(classes)[said]))


@pytest.mark.parametrize(("truth", "said", "classes"), list(cases()))
def test_counts_and_shares_are_those_of_scikit_learn(truth, said, classes):
    confusion = metrics.confusion_counts(truth, said, classes)
    assert np.array_equal(confusion, sk.confusion_matrix(truth, said, labels=range(classes)))
    report = report_of(truth, said, classes)
    assert report.accuracy == pytest.approx(sk.accuracy_score(truth, said))

    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, said, labels=range(classes), zero_division=np.nan
    )
    results = metrics.class_results(confusion, tuple("abcdefghijk"[:classes]))
    assert [result.clips for result in results] == support.tolist()
    assert [result.said for result in results] == np.bincount(said, minlength=classes).tolist()
    for ours, theirs in (("precision", precision), ("recall", recall), ("f1", f1)):
        values = [getattr(result, ours) for result in results]
        assert [value is None for value in values] == np.isnan(theirs).tolist(), ours
        assert [value for value in values if value is not None] == pytest.approx(theirs[~np.isnan(theirs)].tolist())

    occurring = np.unique(truth)
    assert report.uar == pytest.approx(sk.recall_score(truth, said, labels=occurring, average="macro", zero_division=0))
    assert metrics.macro_f1(confusion) == pytest.approx(sk.f1_score(truth, said, average="macro", zero_division=0))


def test_uar_is_balanced_accuracy_where_all_classes_occur():
    generator = np.random.default_rng(1)
    truth = np.concatenate([np.arange(7), generator.integers(7, size=90)])
    said = generator.integers(7, size=97)
    assert report_of(truth, said, 7).uar == pytest.approx(sk.balanced_accuracy_score(truth, said))


@pytest.mark.parametrize("classes", [2, 5])
def test_losses_of_scores_are_those_of_scikit_learn(classes):
    generator = np.random.default_rng(classes)
    scores = generator.dirichlet(np.full(classes, 0.4), size=80)
    truth = np.concatenate([np.arange(classes), generator.integers(classes, size=80 - classes)])
    assert metrics.brier(scores, truth) == pytest.approx(
        sk.brier_score_loss(
            truth, scores if classes > 2 else scores[:, 1], labels=range(classes), pos_label=None, scale_by_half=False
        )
    )
    floored = np.clip(scores, 1e-7, None)
    assert metrics.log_loss(scores, truth) == pytest.approx(
        sk.log_loss(truth, floored / floored.sum(axis=1, keepdims=True)), rel=1e-5
    )


def test_losses_at_the_ends():
    truth = np.array([0, 1])
    assert metrics.brier(np.eye(2), truth) == 0.0
    assert metrics.brier(np.eye(2)[::-1], truth) == 2.0
    assert metrics.log_loss(np.eye(2), truth) == 0.0
    assert metrics.log_loss(np.eye(2)[::-1], truth) == pytest.approx(-np.log(1e-7))  # bad, but a number


def test_calibration_error_of_known_confidences():
    confidence = np.array([0.9] * 10 + [0.6] * 30)
    right = np.array([True] * 9 + [False] + [True] * 12 + [False] * 18)
    result = reliability(confidence, right, bins=10)
    # At 0.9 nine of ten are right: no error. At 0.6 twelve of thirty: 0.2 off, for three quarters of the clips.
    assert result.error == pytest.approx(0.15)
    assert result.confidence == pytest.approx(0.675)
    assert [(point.low, point.high, point.clips) for point in result.points] == [(0.5, 0.6, 30), (0.8, 0.9, 10)]
    assert [point.accuracy for point in result.points] == pytest.approx([0.4, 0.9])
    assert [point.confidence for point in result.points] == pytest.approx([0.6, 0.9])


def test_calibration_at_the_ends_of_the_scale():
    assert reliability(np.array([1.0, 1.0]), np.array([True, False])).error == pytest.approx(0.5)
    assert reliability(np.array([0.0]), np.array([False])).error == 0.0


def sampled(temperature: float, clips: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too large by a factor `temperature`, and truth drawn from the right ones."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (clips, 4))
    truth = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)  # draws from softmax(logits)
    return logits * temperature, truth


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5, 8.0])
def test_a_known_temperature_is_found(temperature):
    logits, truth = sampled(temperature)
    assert fit_temperature(logits, truth) == pytest.approx(temperature, rel=0.04)


def test_a_temperature_is_the_lowest_point_of_the_loss():
    logits, truth = sampled(2.0, clips=200)
    best = fit_temperature(logits, truth)
    losses = [metrics.log_loss(tempered(logits, best * factor), truth) for factor in (0.95, 1.0, 1.05)]
    assert losses[1] == min(losses)


def test_a_temperature_mends_calibration_and_changes_no_answer():
    logits, truth = sampled(3.0)
    before, after = tempered(logits, 1.0), tempered(logits, fit_temperature(logits, truth))
    assert calibration_error(before, truth) > 0.1
    assert calibration_error(after, truth) < 0.02
    assert np.array_equal(before.argmax(axis=1), after.argmax(axis=1))


def test_a_temperature_can_be_fitted_to_probabilities():
    logits, truth = sampled(1.5, clips=500)
    scores = tempered(logits, 1.0)
    assert fit_temperature(logits_of(scores), truth) == pytest.approx(fit_temperature(logits, truth), rel=1e-3)
    assert np.allclose(tempered(logits_of(scores), 1.0), scores, atol=1e-6)


def test_a_temperature_has_a_limit_where_all_is_right():
    assert fit_temperature(np.eye(3) * 2, np.arange(3)) == pytest.approx(COOLEST)


@pytest.mark.parametrize("logits", [np.zeros((0, 3)), np.zeros((2, 3)), np.full((1, 3), np.inf)])
def test_a_temperature_of_nonsense_is_refused(logits):
    with pytest.raises(VideoUnderstandingError, match="temperature"):
        fit_temperature(logits, np.zeros(1 if len(logits) else 0, int))


def test_unknown_keeps_its_rate_on_further_clips():
    generator = np.random.default_rng(8)
    known = generator.beta(5, 2, (4000, 60))  # 4000 times sixty clips, and one further clip each
    further = generator.beta(5, 2, 4000)
    thresholds = np.array([unknown_threshold(confidence, 0.1) for confidence in known])
    assert np.mean(further < thresholds) == pytest.approx(6 / 61, abs=0.012)


def test_unknown_by_hand():
    confidence = np.array([0.9, 0.5, 0.7, 0.8, 0.6, 0.95, 0.85, 0.75, 0.65])
    assert unknown_threshold(confidence, 0.2) == 0.6  # of nine, and one to come, two may be below or at it
    assert unknown_threshold(confidence, 0.05) == 0.0  # nine clips cannot promise one in twenty
    with pytest.raises(VideoUnderstandingError, match="rate 1"):
        unknown_threshold(confidence, 1.0)
