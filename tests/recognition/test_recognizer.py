"""A file becomes a prediction: the mean of its windows, its length, its modalities, its segments; at an even cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.recognition.worlds import ColourScorer, frame_of, small_spec, write_colours
from video_understanding.clip import Clip
from video_understanding.errors import MediaError, SpecError
from video_understanding.features.prepare import prepare
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.media.synthetic import damage
from video_understanding.recognition import Recognizer
from video_understanding.recognition import recognizer as module
from video_understanding.recognition.text import clock, prediction_text
from video_understanding.scorer import Scores
from video_understanding.spec import AudioSpec

SPEC = dataclasses.replace(small_spec(), audio=AudioSpec(hop_s=0.5))  # real files have sound of 16 kHz


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """Thirty seconds that change three times to the eye and twice to the ear."""
    return write_colours(
        tmp_path_factory.mktemp("scene") / "scene.mp4",
        lambda t: "red" if t < 5.3 else "green" if t < 12.1 else "blue" if t < 20.7 else "red",
        lambda t: 8.6 <= t < 16.4,
        30.0,
    )


def test_thirty_seconds_are_cut_within_half_a_second(scene):
    prediction = Recognizer(ColourScorer(SPEC)).predict(scene)
    told = [(one.heads["action"].label, one.heads["emotion"].label) for one in prediction.segments]
    assert told == [
        ("red", "quiet"), ("green", "quiet"), ("green", "loud"), ("blue", "loud"), ("blue", "quiet"), ("red", "quiet"),
    ]  # fmt: skip
    borders_s = [one.end_s for one in prediction.segments]
    assert borders_s == pytest.approx([5.3, 8.6, 12.1, 16.4, 20.7, 30.0], abs=0.3)
    assert prediction.duration_s == pytest.approx(30.0, abs=0.05)
    assert Recognizer(ColourScorer(SPEC)).predict([scene]) == [prediction]


def test_the_answer_is_the_mean_of_all_windows(scene):
    scorer = ColourScorer(SPEC)
    prediction = Recognizer(scorer, {"action": 0.9}).predict(scene, 1.0)
    scores = [scorer(prepare([clip], SPEC))["action"][0] for clip in iter_clips(scene, SPEC, 1.0)]
    assert list(prediction.action.scores.values()) == pytest.approx(np.mean(scores, axis=0).tolist(), rel=1e-6)
    assert prediction.modalities == {"video": True, "audio": True}


def test_the_answer_of_a_file_that_changes_is_what_lasts_longest(scene):
    prediction = Recognizer(ColourScorer(SPEC), {"action": 0.9, "emotion": 0.7}).predict(scene)
    named = [one for one in prediction.segments if one.heads["action"].label == "red"]
    answer = prediction.action
    assert (answer.label, answer.nearest) == ("red", None)
    assert answer.lasts_s == pytest.approx(sum(one.end_s - one.start_s for one in named)) and 10 < answer.lasts_s < 16
    assert answer.confidence >= 0.9 > answer.scores["red"]
    assert answer.to_dict()["lasts_s"] == pytest.approx(answer.lasts_s, abs=1e-3)
    assert f"red ({100 * answer.confidence:.0f} %) for {clock(answer.lasts_s)} of 0:30.0" in prediction_text(prediction)


def test_where_no_class_is_ever_sure_enough_a_file_is_unknown(scene):
    class Unsure(ColourScorer):
        def fuse(self, tokens, presence):
            scores = super().fuse(tokens, presence)
            return Scores(scores.labels, {head: values * 0.2 + 0.1 for head, values in scores.heads.items()})

    prediction = Recognizer(Unsure(SPEC), {"action": 0.9}).predict(scene)
    assert (prediction.action.label, prediction.action.nearest, prediction.action.lasts_s) == ("unknown", "red", None)


def test_a_short_clip_is_one_segment_as_long_as_it_is(tmp_path):
    file = write_colours(tmp_path / "short.mp4", lambda _: "green", lambda _: True, 1.2)
    prediction = Recognizer(ColourScorer(SPEC)).predict(file)
    (segment,) = prediction.segments
    assert (segment.start_s, segment.end_s) == (0.0, prediction.duration_s)
    assert prediction.duration_s == pytest.approx(1.2, abs=0.05)
    assert (prediction.action.label, prediction.emotion.label) == ("green", "loud")


def test_a_window_that_was_read_before(scene):
    recognizer = Recognizer(ColourScorer(SPEC))
    clip = read_clip(scene, SPEC, 21.0)
    prediction = recognizer.predict_clip(clip)
    assert prediction.action.label == "red"
    assert [(one.start_s, one.end_s) for one in prediction.segments] == [(21.0, 23.0)]
    dark = Clip(clip.frames, clip.frame_times_s, np.zeros(8, bool), np.zeros(SPEC.samples, np.float32), 16_000)
    with pytest.raises(MediaError, match="no picture and sounds digital silence"):
        recognizer.predict_clip(dark)


def test_modalities_that_are_not_there_are_named(scene, tmp_path):
    recognizer = Recognizer(ColourScorer(SPEC))
    for kind, there in (
        ("missing_sound", {"video": True, "audio": False}),
        ("silent_sound", {"video": True, "audio": False}),
        ("missing_picture", {"video": False, "audio": True}),
    ):
        assert recognizer.predict(damage(scene, kind, 0, tmp_path / "x.mp4")).modalities == there


def test_a_file_of_digital_silence_alone_cannot_be_recognised(scene, tmp_path):
    silent = damage(scene, "silent_sound", 0, tmp_path / "silent.mp4")
    nothing, recognizer = damage(silent, "missing_picture", 0, tmp_path / "nothing.mp4"), Recognizer(ColourScorer(SPEC))
    for ask in (recognizer.predict, recognizer.embed):
        with pytest.raises(MediaError, match="no picture, and its sound is digital silence"):
            ask(nothing)


def test_what_is_damaged_is_noted_once(scene, tmp_path):
    notes = Recognizer(ColourScorer(SPEC)).predict(damage(scene, "cut_short", 1, tmp_path / "cut.mp4")).notes
    assert notes and len(set(notes)) == len(notes)
    assert any("cut off" in note for note in notes)


def test_a_wrong_stride_is_refused_before_the_file_is_touched(tmp_path):
    with pytest.raises(SpecError, match=r"Use 0\.5 s"):
        Recognizer(ColourScorer(SPEC)).predict(tmp_path / "none.mp4", 0.3)


def test_progress_hears_of_every_window(scene):
    seen = []
    recognizer = Recognizer(ColourScorer(SPEC))
    recognizer.predict(scene, progress=seen.append)
    assert [one.start_s for one in seen] == [one.start_s for one in recognizer.timeline(scene)]


def clips_of(minutes: float, made: list[int]) -> Iterator[Clip]:
    """Windows as a reader gives them, each frame and hop of its own; `made` counts those that are alive."""
    stride = 0.5
    for number in range(int((minutes * 60 - SPEC.window_s) / stride) + 1):
        places = np.arange(8) + 2 * number
        frames = np.stack([frame_of("red", SPEC)] * 8)
        frames[:, 0, 0, 1:] = np.stack([places % 256, places // 256], axis=1)
        waveform = np.repeat((np.arange(4) + number) / 1e5 + 0.2, 8000).astype(np.float32)
        made.append(number)
        yield Clip(
            frames, SPEC.instants_s(number * stride), np.ones(8, bool), waveform, 16_000, number * stride, (0, 1)
        )


def test_ten_minutes_cost_ten_times_one_minute_and_few_windows_are_held(monkeypatch):
    """What is counted is what costs: frames seen, hops heard, windows joined; and how far reading runs ahead."""
    monkeypatch.setattr(module.FileLength, "seconds", lambda _: 600.0)
    costs = []
    for minutes in (1, 10):
        made: list[int] = []
        ahead = []
        monkeypatch.setattr(module, "iter_clips", lambda *_, m=minutes, made=made: clips_of(m, made))
        scorer = ColourScorer(SPEC)
        Recognizer(scorer).predict("x.mp4", progress=lambda one, a=ahead, m=made: a.append(len(m) - 2 * one.start_s))
        costs.append(np.array([scorer.frames_seen, scorer.hops_heard, scorer.windows_fused]))
        assert max(ahead) <= 8
        assert costs[-1].tolist() == [240 * minutes, 120 * minutes, 120 * minutes - 3]
    assert (costs[1] / costs[0] <= 10.5).all()


def test_embeddings_of_a_file_are_those_of_its_windows_and_no_part_is_encoded_twice(scene):
    scorer = ColourScorer(SPEC)
    found = Recognizer(scorer).embed(scene, stride_s=1.0)
    counted = scorer.frames_seen, scorer.hops_heard
    clips = list(iter_clips(scene, SPEC, 1.0))
    assert found.times_s == pytest.approx([clip.start_s + SPEC.window_s / 2 for clip in clips])
    assert found.values.dtype == np.float32 and len(found) == len(clips) == len(found.values)
    inputs = prepare(clips, SPEC)
    assert np.array_equal(found.values, scorer.embed(scorer.encode(inputs), inputs.presence))
    assert counted[0] <= SPEC.frames * len(clips) / 2 + SPEC.frames and counted[1] < SPEC.hops * len(clips)
