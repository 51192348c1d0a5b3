"""Evaluation of a scorer whose answers are known: windows, subjects, modalities, missing labels, all add up."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from tests.evaluation.worlds import LABELS, SPEC, ReadingScorer, prepared_from, row, window
from video_understanding.errors import ManifestError, VideoUnderstandingError
from video_understanding.evaluation import crossval_summary, evaluate, robustness
from video_understanding.evaluation.head_report import Mistake
from video_understanding.evaluation.robustness import Robustness
from video_understanding.labels import Labels
from video_understanding.scorer import Scores
from video_understanding.spec import ModelSpec

JUMP, RUN, SWIM = [80, 10, 10], [10, 80, 10], [10, 10, 80]


def run(clips, rows, scorer=None, **settings):
    return evaluate(scorer or ReadingScorer(), prepared_from(clips, rows), rows, progress=False, **settings)


def test_windows_of_a_clip_are_joined_by_the_mean_of_their_log_probabilities():
    # Two windows say run a little, one says jump for sure: together it is a jump, though most windows say run.
    clips = [[window([40, 50, 10], None), window([40, 50, 10], None), window([100, 0, 0], None)], [window(RUN, None)]]
    rows = [row(action="jump"), row("b.mp4", action="run")]
    report = run(clips, rows, batch_size=2)  # the windows of the first clip are in two batches
    answers = report.heads["action"].answers
    # A window rules nothing out: what it finds less likely than 1 in 1000 counts as that.
    joined = np.array([0.4 * 0.4 * 1.0, 0.5 * 0.5 * 0.001, 0.1 * 0.1 * 0.001]) ** (1 / 3)
    assert answers.scores == pytest.approx(np.array([joined / joined.sum(), [0.1, 0.8, 0.1]]))
    assert report.heads["action"].accuracy == 1.0
    assert (report.windows, report.overall.clips) == (4, 2)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batch_size_changes_nothing(batch_size):
    clips = [[window(which, None)] * (1 + number % 3) for number, which in enumerate([JUMP, RUN, SWIM, RUN, JUMP])]
    rows = [row(f"{number}.mp4", action=name) for number, name in enumerate(["jump", "run", "run", "swim", "jump"])]
    scorer = ReadingScorer()
    report = run(clips, rows, scorer, batch_size=batch_size)
    assert report == run(clips, rows)
    assert max(len(batch) for batch in scorer.batches) <= batch_size
    assert sum(len(batch) for batch in scorer.batches) == 9


def test_each_head_is_measured_on_the_clips_labelled_for_it():
    clips = [[window(JUMP, None)], [window(RUN, None)], [window(SWIM, None)], [window(JUMP, None)]]
    rows = [
        row("a.mp4", action="jump", emotion="glad"),
        row("b.mp4", action="run"),
        row("c.mp4", emotion="glad"),
        row("d.mp4"),  # labelled for nothing: not even looked at
    ]
    scorer = ReadingScorer()
    report = run(clips, rows, scorer)
    assert {head: result.clips for head, result in report.heads.items()} == {"action": 2, "emotion": 2}
    assert report.heads["action"].accuracy == 1.0
    assert report.heads["emotion"].confusion == ((0, 0), (1, 1))
    assert report.overall == dataclasses.replace(report.overall, uar=0.75, accuracy=0.75, heads=2, clips=3)
    assert sum(map(len, scorer.batches)) == 3


def test_heads_on_one_side_only_are_told():
    rows = [row("a.mp4", action="jump", emotion="glad")]
    report = run([[window(JUMP, None)]], rows, ReadingScorer(Labels(action=LABELS["action"])))
    assert set(report.heads) == {"action"}
    assert report.notes == ("1 clip labelled for emotion, which the model does not tell.",)
    report = run([[window(JUMP, None)]], [row("a.mp4", action="jump")])
    assert set(report.heads) == {"action"}
    assert report.notes == ("No clip is labelled for emotion, which the model tells.",)


def test_a_modality_can_be_taken_away():
    clips = [[window(JUMP, RUN)], [window(RUN, SWIM)], [window(SWIM, None)]]
    rows = [row(f"{place}.mp4", action=name) for place, name in enumerate(["jump", "run", "swim"])]
    assert run(clips, rows).heads["action"].accuracy == 1.0
    assert run(clips, rows, without="audio").heads["action"].accuracy == 1.0
    deaf_to_pictures = run(clips, rows, without="video")
    said = deaf_to_pictures.heads["action"].answers.said.tolist()
    assert said[:2] == [1, 2]  # what the sound says
    assert deaf_to_pictures.without == "video"
    assert "1 clip with no modality left: the model could only guess." in deaf_to_pictures.notes
    with pytest.raises(
        VideoUnderstandingError, match=r"'smell' is not a modality of the model\. Use one of: video, audio"
    ):
        run(clips, rows, without="smell")


def test_results_by_subject():
    clips = [[window(which, None)] for which in (JUMP, JUMP, RUN, SWIM, SWIM, JUMP)]
    labelled = ["jump", "jump", "jump", "swim", "swim", "swim"]
    subjects = ["ann", "ann", "ann", "bo", None, "bo"]
    rows = [row(f"{n}.mp4", action=a, subject=s) for n, (a, s) in enumerate(zip(labelled, subjects, strict=True))]
    result = run(clips, rows).heads["action"]
    summary = result.subjects
    assert [(s.subject, s.clips, s.accuracy, s.uar) for s in summary.subjects] == [
        ("bo", 2, 0.5, 0.5),
        ("ann", 3, pytest.approx(2 / 3), pytest.approx(2 / 3)),
    ]
    assert (summary.accuracy.min, summary.accuracy.max) == (0.5, pytest.approx(2 / 3))
    assert summary.accuracy.median == summary.accuracy.mean == pytest.approx(7 / 12)
    assert summary.accuracy.std == pytest.approx(np.std([1 / 2, 2 / 3], ddof=1))
    assert (result.group, result.groups) == ("subject or file", 3)
    assert "lowest accuracy: bo 50.0 % of 2 clips, ann 66.7 % of 3 clips" in result.text("action")


def test_the_same_subject_name_in_two_sets_is_two_subjects(tmp_path):
    one = row(action="jump", subject="S01")
    rows = [dataclasses.replace(one, root=tmp_path / name, path=tmp_path / name / "a.mp4") for name in "xy"]
    result = run([[window(JUMP, None)], [window(RUN, None)]], rows).heads["action"]
    assert [(s.subject, s.accuracy) for s in result.subjects.subjects] == [("y/S01", 0.0), ("x/S01", 1.0)]


def many_clips(subjects: int, each: int, *, alike: bool) -> tuple[list, list]:
    """Half of all clips are right: half of every subject's, or all of every other subject's."""
    clips, rows = [], []
    for subject in range(subjects):
        for number in range(each):
            right = number % 2 == 0 if alike else subject % 2 == 0
            clips.append([window(JUMP if right else RUN, None)])
            rows.append(row(f"{subject}-{number}.mp4", action="jump", subject=f"S{subject}"))
    return clips, rows


def test_intervals_are_of_subjects_where_there_are_any():
    clips, rows = many_clips(10, 8, alike=False)
    by_subject = run(clips, rows).heads["action"]
    by_file = run(clips, [dataclasses.replace(row, subject=None) for row in rows]).heads["action"]
    assert (by_subject.group, by_subject.groups, by_file.group, by_file.groups) == ("subject", 10, "file", 80)
    assert by_file.accuracy_interval == pytest.approx(by_file.accuracy_wilson, abs=0.02)
    low, high = by_subject.accuracy_interval
    assert high - low > 2.5 * (by_file.accuracy_interval.high - by_file.accuracy_interval.low)
    assert by_subject.accuracy_wilson == by_file.accuracy_wilson


def test_intervals_lie_around_their_values():
    # Of each subject's four jumps one is found, and its one swim nearly always: UAR and accuracy are far apart.
    clips, rows = [], []
    for subject in range(20):
        for number, name in enumerate(["jump"] * 4 + ["swim"]):
            found = number == subject % 2 if name == "jump" else subject % 10 > 0
            clips.append([window({"jump": JUMP, "swim": SWIM}[name] if found else RUN, None)])
            rows.append(row(f"{subject}-{number}.mp4", action=name, subject=f"S{subject}"))
    result = run(clips, rows).heads["action"]
    assert (result.accuracy, result.uar) == pytest.approx((0.38, 0.575))
    assert result.accuracy_interval == pytest.approx((0.35, 0.40), abs=0.02)
    assert result.uar_interval == pytest.approx((0.50, 0.625), abs=0.02)


def test_no_interval_is_made_up():
    clips, rows = many_clips(3, 4, alike=True)
    result = run(clips, rows).heads["action"]
    assert result.accuracy_interval is None and result.uar_interval is None
    assert "no interval by subject: that takes 6 or more" in result.text("action")
    assert json.loads(json.dumps(result.to_dict()))["uar_interval"] is None


def test_the_most_confident_mistakes_come_first():
    clips = [[window(scores, None)] for scores in ([60, 20, 20], [5, 5, 90], JUMP, RUN)]
    rows = [
        row(f"{n}.mp4", action=name, origin=f"clips.csv:{n + 2}")
        for n, name in enumerate(["run", "run", "jump", "jump"])
    ]
    mistakes = run(clips, rows).heads["action"].mistakes
    assert [(m.origin, m.path, m.true, m.said) for m in mistakes] == [
        ("clips.csv:3", "1.mp4", "run", "swim"),
        ("clips.csv:5", "3.mp4", "jump", "run"),
        ("clips.csv:2", "0.mp4", "run", "jump"),
    ]
    assert [m.confidence for m in mistakes] == pytest.approx([0.9, 0.8, 0.6])


@pytest.mark.parametrize(
    ("origin", "path", "place"),
    [("clips.csv:3", "a.mp4", "clips.csv:3 a.mp4"), ("set/spin/a.mp4", "spin/a.mp4", "spin/a.mp4"), ("", "b", "b")],
)
def test_a_mistake_names_its_file_once(origin, path, place):
    assert Mistake(origin, path, "spin", "jump", 0.9).place == place


def test_clips_that_could_not_be_read_are_left_out_and_told():
    rows = [row("a.mp4", action="jump"), row("bad.mp4", action="run", origin="clips.csv:3"), row("c.mp4", action="run")]
    report = run([[window(JUMP, None)], None, [window(RUN, None)]], rows)
    assert report.heads["action"].clips == 2
    assert report.heads["action"].accuracy == 1.0
    assert "Left out: 1 clip that could not be read, such as clips.csv:3: is damaged." in report.notes


def test_labels_the_model_does_not_know_are_named():
    rows = [row("a.mp4", action="jump"), row("b.mp4", action="surf", origin="clips.csv:3"), row("c.mp4", action="dive")]
    with pytest.raises(ManifestError, match=r"clips\.csv:3: action 'dive', 'surf' is not known .* jump, run, swim"):
        run([[window(JUMP, None)]] * 3, rows)


def test_rows_must_be_those_that_were_prepared():
    rows = [row("a.mp4", action="jump"), row("b.mp4", action="run")]
    prepared = prepared_from([[window(JUMP, None)], [window(RUN, None)]], rows)
    with pytest.raises(VideoUnderstandingError, match="made from 2 rows, and 1 are given"):
        evaluate(ReadingScorer(), prepared, rows[:1], progress=False)
    with pytest.raises(VideoUnderstandingError, match="in another order"):
        evaluate(ReadingScorer(), prepared, rows[::-1], progress=False)
    with pytest.raises(VideoUnderstandingError, match="another spec"):
        evaluate(ReadingScorer(spec=ModelSpec()), prepared, rows, progress=False)


def test_nothing_to_evaluate_is_said():
    with pytest.raises(
        VideoUnderstandingError, match="none of 1 clip can be read and has a label for action or emotion"
    ):
        run([[window(JUMP, None)]], [row()])


@pytest.mark.parametrize("score", [np.nan, 7.0, -3.0])
def test_a_broken_model_is_not_measured(score):
    class Broken(ReadingScorer):
        def __call__(self, inputs):
            action = super().__call__(inputs)["action"].copy()
            action[-1] = score
            return Scores(self.labels, {"action": action})

    rows = [row("a.mp4", action="jump"), row("b.mp4", action="run")]
    with pytest.raises(VideoUnderstandingError, match=r"scores of action: are not probabilities .* b\.mp4"):
        run([[window(JUMP, None)], [window(RUN, None)]], rows, Broken(Labels(action=LABELS["action"])))


def test_a_scorer_that_answers_too_little_is_refused():
    class Short(ReadingScorer):
        def __call__(self, inputs):
            scores = super().__call__(inputs)
            return Scores(self.labels, {head: scores[head][:1] for head in scores.heads})

    rows = [row("a.mp4", action="jump"), row("b.mp4", action="run")]
    with pytest.raises(VideoUnderstandingError, match="are 1 for a batch of 2"):
        run([[window(JUMP, None)], [window(RUN, None)]], rows, Short())


def test_classes_without_clips_give_none_and_no_nan():
    report = run(
        [[window(JUMP, None)], [window(RUN, None)]], [row("a.mp4", action="jump"), row("b.mp4", action="jump")]
    )
    result = report.heads["action"]
    run_class, swim_class = result.classes[1:]
    assert (run_class.recall, run_class.precision, run_class.f1) == (None, 0.0, 0.0)
    assert (swim_class.recall, swim_class.precision, swim_class.f1) == (None, None, None)
    assert result.uar == 0.5
    text = json.dumps(report.to_dict(), allow_nan=False)
    assert json.loads(text)["heads"]["action"]["classes"][2]["recall"] is None


def test_the_text_fits_a_terminal():
    classes = tuple(f"class number {number} with a long name" for number in range(40))
    labels = Labels(action=classes, emotion=("calm", "glad"))

    class Guess(ReadingScorer):
        def __call__(self, inputs):
            scores = np.random.default_rng(len(self.batches)).dirichlet(np.full(40, 0.1), len(inputs))
            self.batches.append(inputs)
            return Scores(labels, {"action": scores, "emotion": np.tile([0.3, 0.7], (len(inputs), 1))})

    rows = [
        row(
            f"{'deep/' * 14}{n}.mp4",
            action=classes[n % 37],
            emotion="glad",
            subject=f"S{n % 9}",
            origin=f"clips.csv:{n}",
        )
        for n in range(80)
    ]
    text = run([[window(JUMP, None)]] * 80, rows, Guess(labels)).text()
    assert max(map(len, text.splitlines())) <= 80
    assert "nan" not in text.lower()
    for part in ("action: 80 clips, 40 classes (3 without clips), 9 subjects", "10 classes with the best F1 left out",
                 "most often taken for another", ".mp4", "without looking: 2.7 % UAR"):  # fmt: skip
        assert part in text
    assert "is \\ said" in text  # the head with two classes has its matrix


def test_robustness_has_a_line_for_each_condition():
    generator = np.random.default_rng(0)
    loud = (generator.normal(0, 3000, SPEC.samples)).astype(np.int16)
    silent = np.zeros(SPEC.samples, np.int16)
    clips = [[window(JUMP, RUN)], [window(RUN, RUN)], [window(SWIM, None)], [window(SWIM, None, noise=loud)],
             [window(SWIM, None, noise=silent)]]  # fmt: skip
    rows = [row(f"{n}.mp4", action=name) for n, name in enumerate(["jump", "run", "swim", "swim", "swim"])]
    scorer = ReadingScorer(Labels(action=LABELS["action"]))
    table = robustness(scorer, prepared_from(clips, rows), rows, 3, batch_size=2, progress=False)
    assert list(table.reports) == [
        "all modalities", "only video", "only audio", "noise at 20 dB", "noise at 10 dB", "noise at 0 dB"
    ]  # fmt: skip
    assert table.to_dict()["all modalities"] == {"action": {"clips": 5, "accuracy": 1.0, "uar": 1.0}}
    assert table.to_dict()["only video"]["action"]["accuracy"] == 1.0
    assert table.to_dict()["only audio"]["action"]["accuracy"] < 1.0
    assert table.reports["only audio"].without == "video"
    assert "noise at 10 dB       100.0            100.0" in table.text()

    heard = np.concatenate([batch["audio"] for batch in scorer.batches]).reshape(6, 5, -1)  # [conditions, clips, N]
    present = np.concatenate([batch.presence for batch in scorer.batches]).reshape(6, 5, 2)
    clean = heard[0]
    assert np.array_equal(heard[1], clean)
    for condition, snr_db in ((3, 20), (4, 10), (5, 0)):
        noise = heard[condition] - clean
        assert not noise[2].any() and not noise[4].any()  # no sound, and a silent track: nothing to drown
        assert np.array_equal(present[condition], present[0])
        measured = 10 * np.log10(np.mean(clean[3] ** 2) / np.mean(noise[3] ** 2))
        assert measured == pytest.approx(snr_db, abs=0.1)
    louder, softer = heard[5, 3] - clean[3], heard[4, 3] - clean[3]
    assert np.corrcoef(louder, softer)[0, 1] > 0.999  # the same noise, only louder


def test_robustness_can_be_had_again_in_other_batches():
    loud = np.random.default_rng(0).normal(0, 3000, SPEC.samples).astype(np.int16)
    rows = [row(f"{n}.mp4", action="swim") for n in range(3)]
    prepared = prepared_from([[window(None, None, noise=loud)]] * 3, rows)

    def waveforms(seed: int, batch_size: int) -> np.ndarray:
        scorer = ReadingScorer()
        table = robustness(scorer, prepared, rows, seed, snrs_db=(5,), batch_size=batch_size, progress=False)
        assert isinstance(table, Robustness)
        return np.concatenate([batch["audio"] for batch in scorer.batches])[-3:]

    assert np.array_equal(waveforms(1, 3), waveforms(1, 2))
    assert not np.array_equal(waveforms(1, 3), waveforms(2, 3))
    assert not np.array_equal(*waveforms(1, 3)[:2])  # every window has a noise of its own


def folds() -> tuple[list, list]:
    """Two folds of two subjects: the first is half right, the second all."""
    said = [[JUMP, RUN, JUMP, RUN], [JUMP, RUN, JUMP, RUN]]
    labelled = [["jump", "run", "run", "jump"], ["jump", "run", "jump", "run"]]
    reports, all_rows = [], []
    for fold, (pictures, names) in enumerate(zip(said, labelled, strict=True)):
        rows = [row(f"{fold}-{n}.mp4", action=name, subject=f"S{fold}{n // 2}") for n, name in enumerate(names)]
        reports.append(run([[window(picture, None)] for picture in pictures], rows))
        all_rows.append(rows)
    return reports, all_rows


def test_folds_are_told_by_their_spread_and_pooled():
    reports, _ = folds()
    summary = crossval_summary(reports)
    action = summary.heads["action"]
    assert (action.folds, summary.folds) == (2, 2)
    assert (action.uar.mean, action.uar.min, action.uar.max) == (0.75, 0.5, 1.0)
    assert action.accuracy.std == pytest.approx(np.std([0.5, 1.0], ddof=1))
    assert action.pooled.confusion == ((3, 1, 0), (1, 3, 0), (0, 0, 0))
    assert [(s.subject, s.accuracy) for s in action.pooled.subjects.subjects] == [
        ("S01", 0.0), ("S00", 1.0), ("S10", 1.0), ("S11", 1.0)
    ]  # fmt: skip
    assert summary.uar.mean == 0.75
    assert [(fold.fold, fold.clips, fold.groups, fold.uar) for fold in action.by_fold] == [
        (number, report.heads["action"].clips, report.heads["action"].groups, report.heads["action"].uar)
        for number, report in enumerate(reports, 1)
    ]
    assert summary.together.heads["action"] == action.pooled
    assert summary.together.windows == sum(report.windows for report in reports)
    values = json.loads(json.dumps(summary.to_dict(), allow_nan=False))
    assert values["heads"]["action"]["uar"]["mean"] == 0.75
    assert values["heads"]["action"]["pooled"]["clips"] == 8
    text = summary.text()
    assert "2 folds: UAR 75.0 % (std 35.4)" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_head_may_be_missing_in_a_fold():
    reports, _ = folds()
    other = run([[window(JUMP, None)]], [row("other.mp4", emotion="glad")])
    summary = crossval_summary([*reports, other])
    assert summary.heads["action"].folds == 2
    assert summary.heads["emotion"].folds == 1
    assert summary.heads["emotion"].uar.std is None
    assert [fold.fold for fold in summary.heads["emotion"].by_fold] == [3]


def test_folds_that_do_not_belong_together_are_refused():
    reports, _ = folds()
    with pytest.raises(VideoUnderstandingError, match=r"0-0\.mp4: is tested in 2 folds"):
        crossval_summary([reports[0], reports[0]])
    renamed = Labels(action=("jump", "run", "dive"), emotion=LABELS["emotion"])
    other = run([[window(JUMP, None)]], [row("z.mp4", action="jump")], ReadingScorer(renamed))
    with pytest.raises(VideoUnderstandingError, match="different classes"):
        crossval_summary([reports[0], other])
    with pytest.raises(VideoUnderstandingError, match="has no folds"):
        crossval_summary([])
