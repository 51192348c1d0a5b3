"""Multi-label heads are measured as scikit-learn measures them, and everywhere where other heads are."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.evaluation.worlds import LABELS, SPEC, ReadingScorer, prepared_from, row, window
from video_understanding.bundle import Bundle
from video_understanding.bundle_card import card
from video_understanding.cli.info import describe
from video_understanding.datasets.cache import PreparedClips
from video_understanding.errors import ManifestError, VideoUnderstandingError
from video_understanding.evaluation import (
    HeadReport,
    MultiLabelAnswers,
    MultiLabelReport,
    crossval_summary,
    fit_temperature,
    logits_of,
    robustness,
    tempered,
)
from video_understanding.evaluation import evaluate as evaluate_scorer
from video_understanding.spec import ModelSpec

MULTI = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, multi_label=("action",)))


def world(clips: list, rows: list) -> tuple[ReadingScorer, PreparedClips, list]:
    prepared = prepared_from(clips, rows)
    prepared.spec = MULTI
    return ReadingScorer(spec=MULTI), prepared, rows


def evaluate(clips: list, rows: list, **settings):
    return evaluate_scorer(*world(clips, rows), progress=False, **settings)


def answers(clips: int = 200, classes: int = 5, seed: int = 0, subjects: int = 10) -> MultiLabelAnswers:
    """Scores that are somewhat right, some of them equal; classes from frequent to rare."""
    chance = np.random.default_rng(seed)
    truth = chance.random((clips, classes)) < np.linspace(0.7, 0.1, classes)  # [K,C]
    scores = np.clip(np.round(0.6 * chance.random((clips, classes)) + 0.3 * truth, 2), 0, 1)
    rows = tuple(row(f"{number}.mp4", subject=f"S{number % subjects}") for number in range(clips))
    return MultiLabelAnswers(tuple("abcdefgh"[:classes]), rows, truth, scores)


def test_every_measure_is_scikit_learns():
    sk = pytest.importorskip("sklearn.metrics", reason="scikit-learn, to compare with, is not installed")
    given = answers()
    truth, said = given.truth, given.scores >= 0.5
    report = MultiLabelReport.of(given)
    of_each = sk.average_precision_score(truth, given.scores, average=None)
    assert [result.average_precision for result in report.classes] == pytest.approx(of_each.tolist())
    assert report.mean_average_precision == pytest.approx(sk.average_precision_score(truth, given.scores))
    assert report.micro_f1 == pytest.approx(sk.f1_score(truth, said, average="micro"))
    assert report.macro_f1 == pytest.approx(sk.f1_score(truth, said, average="macro"))
    assert report.accuracy == pytest.approx(sk.accuracy_score(truth, said))  # of sets: all or nothing
    balanced = [sk.balanced_accuracy_score(truth[:, place], said[:, place]) for place in range(5)]
    assert report.uar == pytest.approx(np.mean(balanced))
    table = np.array(sk.precision_recall_fscore_support(truth, said)).T  # [C,4]
    ours = [[result.precision, result.recall, result.f1, result.clips] for result in report.classes]
    assert np.array(ours, float) == pytest.approx(table)


def test_what_cannot_be_measured_is_none():
    sk = pytest.importorskip("sklearn.metrics", reason="scikit-learn, to compare with, is not installed")
    given = answers(40, 3)
    given.truth[:, 1] = False  # nobody shows it, though it is said
    given.truth[:, 2] = given.scores[:, 2] = False  # nobody shows it, nor is it said
    report = MultiLabelReport.of(given)
    assert report.classes[1].average_precision is None and report.classes[1].recall is None
    assert report.classes[1].f1 == 0 and report.classes[2].f1 is None
    assert report.mean_average_precision == report.classes[0].average_precision
    said = given.scores >= 0.5
    assert report.macro_f1 == pytest.approx(sk.f1_score(given.truth, said, average="macro", zero_division=np.nan))
    nothing = MultiLabelAnswers(("a",), (row(),), np.zeros((1, 1), bool), np.zeros((1, 1)))
    empty = MultiLabelReport.of(nothing)
    assert (empty.mean_average_precision, empty.macro_f1, empty.micro_f1) == (None, None, None)
    assert (empty.accuracy, empty.uar) == (1.0, 1.0)
    assert "mean average precision      -\n" in empty.text("action")
    json.dumps(empty.to_dict(), allow_nan=False)


def test_chance_is_what_saying_always_the_same_gives():
    given = answers()
    frequent = np.broadcast_to(given.truth.mean(axis=0) >= 0.5, given.truth.shape)
    same = MultiLabelReport.of(dataclasses.replace(given, scores=frequent.astype(float)))
    assert same.uar == same.chance_uar == 0.5
    sets, times = np.unique(given.truth, axis=0, return_counts=True)
    usual = np.broadcast_to(sets[times.argmax()], given.truth.shape).astype(float)
    report = MultiLabelReport.of(dataclasses.replace(given, scores=usual))
    assert report.accuracy == report.majority_accuracy == times.max() / 200


def test_calibration_is_over_all_decisions():
    truth = np.array([[True, False], [True, True], [False, False], [True, False]])
    scores = np.array([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2]])
    given = MultiLabelAnswers(("a", "b"), tuple(row(f"{n}.mp4") for n in range(4)), truth, scores)
    assert MultiLabelReport.of(given).calibration_error == pytest.approx(0.8 - 6 / 8)


def test_a_temperature_of_the_decisions_is_one_of_the_sigmoid():
    """Logits three times too large come back to what they were drawn from."""
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 2, (3000, 2))
    truth = chance.random((3000, 2)) < 1 / (1 + np.exp(-logits))
    rows = (row(),) * 3000
    sure = MultiLabelAnswers(("a", "b"), rows, truth, 1 / (1 + np.exp(-3 * logits)))
    scores, decided = sure.decisions
    temperature = fit_temperature(logits_of(scores), decided)
    assert temperature == pytest.approx(3, rel=0.1)
    cooled = tempered(logits_of(scores), temperature)[:, 0].reshape(-1, 2)
    # Scores nearer to 0 or 1 than float32 tells are cut off, which shows here.
    assert cooled == pytest.approx(1 / (1 + np.exp(-3 * logits / temperature)), abs=0.01)
    mended = dataclasses.replace(sure, scores=cooled)
    assert MultiLabelReport.of(mended).calibration_error < 0.03 < MultiLabelReport.of(sure).calibration_error


def test_intervals_and_results_by_subject():
    report = MultiLabelReport.of(answers(), seed=3)
    assert (report.group, report.groups, len(report.subjects.subjects)) == ("subject", 10, 10)
    assert report.accuracy_interval.low < report.accuracy < report.accuracy_interval.high
    assert report.uar_interval.low < report.uar < report.uar_interval.high
    assert report == MultiLabelReport.of(answers(), seed=3)
    clips = sum(result.clips for result in report.subjects.subjects)
    right = sum(result.clips * result.accuracy for result in report.subjects.subjects)
    assert (clips, right / clips) == (200, pytest.approx(report.accuracy))
    values = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert values["classes"][0]["name"] == "a" and len(values["subjects"]["subjects"]) == 10
    assert values["uar_interval"] == list(report.uar_interval)
    text = report.text("action")
    assert max(map(len, text.splitlines())) <= 80
    assert "mean average precision" in text and "by subject" in text


def test_many_classes_and_long_names_stay_within_the_terminal():
    given = answers(60, 5)
    long = tuple(f"a class with quite a long name, number {number}" for number in range(40))
    wide = MultiLabelAnswers(long, given.rows, np.tile(given.truth, 8), np.tile(given.scores, 8))
    text = MultiLabelReport.of(wide).text("emotion")
    assert max(map(len, text.splitlines())) <= 80
    assert "(the 10 classes with the best F1 left out)" in text


def test_answers_that_do_not_belong_together_are_refused():
    given = answers(4)
    with pytest.raises(VideoUnderstandingError, match="do not belong together"):
        dataclasses.replace(given, truth=given.truth[:, :2])


BOTH, NEITHER, JUMP = [90, 80, 10], [10, 20, 10], [90, 10, 10]


def test_the_spec_says_which_head_is_multi_label():
    clips = [[window(said, None)] for said in (BOTH, NEITHER, JUMP, JUMP)]
    rows = [
        row("a.mp4", action="run | jump", emotion="glad"),
        row("b.mp4", action="none"),
        row("c.mp4", action="jump"),
        row("d.mp4", emotion="glad"),  # not labelled for action: does not count as "none"
    ]
    report = evaluate(clips, rows)
    action, emotion = report.heads["action"], report.heads["emotion"]
    assert isinstance(action, MultiLabelReport) and isinstance(emotion, HeadReport)
    assert action.answers.truth.tolist() == [[True, True, False], [False] * 3, [True, False, False]]
    assert (action.clips, action.accuracy, action.mean_average_precision) == (3, 1.0, 1.0)
    assert report.overall.uar == (action.uar + emotion.uar) / 2 == 1.0
    assert "several at once" in report.text() and "action UAR 100.0 %" in repr(report)
    json.dumps(report.to_dict(), allow_nan=False)


def test_labels_that_the_model_does_not_know_are_refused():
    with pytest.raises(ManifestError, match="action 'fly' is not known to the model"):
        evaluate([[window(BOTH, None)]], [row(action="jump|fly")])
    for label in ("jump|run", "none"):  # known, but not to a head that tells one class
        rows = [row(action=label)]
        with pytest.raises(ManifestError, match="is not known to the model"):
            evaluate_scorer(ReadingScorer(), prepared_from([[window(BOTH, None)]], rows), rows, progress=False)


def folds() -> list:
    clips = [[window(said, None)] for said in (BOTH, NEITHER, JUMP)]
    labels = [["jump|run", "none", "jump"], ["jump", "none", "jump|swim"]]
    return [
        evaluate(clips, [row(f"{fold}-{n}.mp4", action=name, subject=f"S{fold}") for n, name in enumerate(names)])
        for fold, names in enumerate(labels)
    ]


def test_folds_are_joined():
    summary = crossval_summary(folds())
    action = summary.heads["action"]
    assert (action.accuracy.min, action.accuracy.max) == (pytest.approx(1 / 3), 1.0)
    assert isinstance(action.pooled, MultiLabelReport) and action.pooled.clips == 6
    assert action.mean_average_precision.max == 1.0
    values = json.loads(json.dumps(summary.to_dict(), allow_nan=False))
    assert values["heads"]["action"]["mean_average_precision"]["max"] == 1.0
    assert max(map(len, summary.text().splitlines())) <= 80


def test_robustness_cards_and_info_tell_of_it(tmp_path):
    clips = [[window(said, None)] for said in (BOTH, NEITHER, JUMP)]
    rows = [row(f"{n}.mp4", action=name, subject=f"S{n}") for n, name in enumerate(["jump|run", "none", "run"])]
    table = robustness(*world(clips, rows), seed=0, snrs_db=(), progress=False)
    assert table.to_dict()["all modalities"]["action"]["accuracy"] == pytest.approx(2 / 3)
    metrics = {"test": evaluate(clips, rows).to_dict(), "crossval": crossval_summary(folds()).to_dict()}
    facts = {"metrics": {**metrics, "robustness": table.to_dict()}}
    bundle = Bundle.write(tmp_path / "mine", MULTI, LABELS, json.loads(json.dumps(facts)))
    assert Bundle.read(bundle.folder).spec == MULTI
    text = card(bundle)
    assert "3 classes, of which a clip may show several or none" in text
    assert "Mean average precision:" in text and "% on test (action)" in text
    told = describe(bundle)
    assert "3 classes, several at once: jump, run, swim" in told and "mAP" in told


def test_a_spec_of_one_label_says_nothing_of_several(tmp_path):
    assert ModelSpec().network.multi_label == ()
    bundle = Bundle.write(tmp_path / "mine", SPEC, LABELS, {})
    assert "several" not in card(bundle) and "several" not in describe(bundle)
