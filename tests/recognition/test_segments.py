"""Segments are calm, their borders lie where things changed, and it does not matter when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.recognition.worlds import LABELS, small_spec
from video_understanding.labels import Labels
from video_understanding.recognition import SegmentMaker, Stride, WindowAnswer, segments_of

SPEC = small_spec()
STRIDE = Stride.of(SPEC)
MODALITIES = {"video": True, "audio": True}


def answer(number: int, action: Sequence[float], emotion: Sequence[float] = (0.9, 0.1)) -> WindowAnswer:
    start_s = number * STRIDE.seconds
    scores = {"action": np.array(action, np.float32), "emotion": np.array(emotion, np.float32)}
    return WindowAnswer(start_s, start_s + SPEC.window_s, scores, MODALITIES)


def shares(scene: Callable[[float], int], number: int, classes: int) -> np.ndarray:
    """How much of a window each class fills: what a model says that looks at all of it alike."""
    moments_s = number * STRIDE.seconds + (np.arange(200) + 0.5) / 200 * SPEC.window_s
    return np.bincount([scene(moment) for moment in moments_s], minlength=classes) / 200


def scene_of(borders_s: Sequence[float], classes: Sequence[int]) -> Callable[[float], int]:
    return lambda time_s: classes[int(np.searchsorted(borders_s, time_s, side="right"))]


def windows(end_s: float) -> range:
    return range(int((end_s - SPEC.window_s) / STRIDE.seconds + 1))


def told(segments, head: str = "action") -> list[tuple[str, float, float]]:
    return [(one.heads[head].label, one.start_s, one.end_s) for one in segments]


def test_borders_lie_where_the_scene_changes():
    borders = [4.13, 9.71, 13.0, 21.37]
    scene = scene_of(borders, [0, 1, 2, 1, 0])
    answers = [answer(number, shares(scene, number, 3)) for number in windows(30.0)]
    found = segments_of(answers, SPEC, LABELS, STRIDE, 30.0)
    assert [label for label, *_ in told(found)] == ["red", "green", "blue", "green", "red"]
    assert [one.start_s for one in found] == pytest.approx([0.0, *borders], abs=0.05)
    assert [one.end_s for one in found] == [*(one.start_s for one in found[1:]), 30.0]
    assert all(one.heads["action"].confidence > 0.8 for one in found)


def test_a_model_that_is_sure_of_either_is_right_within_half_a_stride():
    """It answers with the class that fills the most, fully: the border can only be known between two windows."""
    scene = scene_of([7.3], [0, 1])
    answers = [answer(number, np.eye(3)[shares(scene, number, 3).argmax()]) for number in windows(15.0)]
    (_, _, border_s), _ = told(segments_of(answers, SPEC, LABELS, STRIDE, 15.0))
    assert border_s == pytest.approx(7.3, abs=STRIDE.seconds / 2)


def test_what_is_shorter_than_half_a_window_is_no_segment():
    scene = scene_of([6.0, 6.8], [0, 1, 0])
    answers = [answer(number, np.eye(3)[1 if number in (10, 11) else 0]) for number in windows(14.0)]
    assert told(segments_of(answers, SPEC, LABELS, STRIDE, 14.0)) == [("red", 0.0, 14.0)]
    soft = [answer(number, shares(scene, number, 3)) for number in windows(14.0)]
    assert told(segments_of(soft, SPEC, LABELS, STRIDE, 14.0)) == [("red", 0.0, 14.0)]


def test_a_mixture_that_looks_like_a_third_class_does_not_come_between():
    """Going from red to blue, one window says green: both others meet in its middle."""
    answers = [answer(number, np.eye(3)[0 if number < 10 else 1 if number < 11 else 2]) for number in windows(16.0)]
    found = told(segments_of(answers, SPEC, LABELS, STRIDE, 16.0))
    assert [label for label, *_ in found] == ["red", "blue"]
    assert found[0][2] == pytest.approx(10 * STRIDE.seconds + SPEC.window_s / 2, abs=0.01)


def test_scores_that_flicker_around_a_tie_change_nothing():
    """The lead stays small and goes back and forth; a small lead that stays is believed, from its beginning."""
    flicker = [answer(number, (0.45, 0.5, 0.05) if number % 2 else (0.5, 0.45, 0.05)) for number in windows(20.0)]
    assert told(segments_of(flicker, SPEC, LABELS, STRIDE, 20.0)) == [("red", 0.0, 20.0)]
    small = [answer(number, (0.45, 0.5, 0.05) if number >= 12 else (0.5, 0.45, 0.05)) for number in windows(20.0)]
    found = told(segments_of(small, SPEC, LABELS, STRIDE, 20.0))
    assert [label for label, *_ in found] == ["red", "green"]
    assert found[1][1] == pytest.approx(12 * STRIDE.seconds + SPEC.window_s / 2 - STRIDE.seconds / 2)


def test_heads_change_by_themselves_and_together_where_they_nearly_do():
    actions, emotions = scene_of([5.0, 11.1], [0, 1, 2]), scene_of([8.0, 11.2], [0, 1, 0])
    answers = [answer(number, shares(actions, number, 3), shares(emotions, number, 2)) for number in windows(18.0)]
    found = segments_of(answers, SPEC, LABELS, STRIDE, 18.0)
    assert [(one.heads["action"].label, one.heads["emotion"].label) for one in found] == [
        ("red", "quiet"), ("green", "quiet"), ("green", "loud"), ("blue", "quiet"),
    ]  # fmt: skip
    assert [one.start_s for one in found] == pytest.approx([0.0, 5.0, 8.0, 11.15], abs=0.06)


def test_unsure_windows_make_a_segment_that_is_unknown():
    unsure = (0.4, 0.3, 0.3)
    answers = [answer(number, (0.9, 0.05, 0.05) if number < 14 else unsure) for number in windows(16.0)]
    found = segments_of(answers, SPEC, LABELS, STRIDE, 16.0, {"action": 0.6})
    assert [label for label, *_ in told(found)] == ["red", "unknown"]
    assert found[1].heads["action"].nearest == "red"
    assert found[1].heads["action"].confidence == pytest.approx(0.4, abs=0.01)
    assert told(segments_of(answers, SPEC, LABELS, STRIDE, 16.0)) == [("red", 0.0, 16.0)]


@pytest.mark.parametrize("below", [0.3, 0.5, 0.6, 0.7, 0.8, 0.95])
def test_no_segment_names_a_class_below_the_threshold(below):
    """A label stays while another does not lead clearly: its mean may still be less sure than what is asked for."""
    rng = np.random.default_rng(5)
    for _ in range(10):
        sure = np.repeat(rng.uniform(0.34, 1, 8), 6)
        answers = [answer(number, (s, (1 - s) * 0.6, (1 - s) * 0.4)) for number, s in enumerate(sure)]
        for segment in segments_of(answers, SPEC, LABELS, STRIDE, 26.0, {"action": below}):
            action = segment.heads["action"]
            assert (action.label == "unknown") == (action.confidence < below) == (action.nearest is not None)


def test_classes_of_a_multi_label_head_come_and_go_by_themselves():
    spec = small_spec(multi_label=("action",))
    first, second = scene_of([4.0, 12.0], [0, 1, 0]), scene_of([8.0], [0, 1])
    answers = []
    for number in windows(16.0):
        scores = [shares(first, number, 2)[1], shares(second, number, 2)[1], 0.1]
        answers.append(answer(number, scores))
    found = segments_of(answers, spec, LABELS, STRIDE, 16.0)
    assert [one.heads["action"].label for one in found] == [(), ("red",), ("red", "green"), ("green",)]
    assert [one.start_s for one in found] == pytest.approx([0.0, 4.0, 8.0, 12.0], abs=0.1)


def test_where_nothing_was_there_is_no_segment():
    """Windows 8 to 19 were passed over: they begin at 4 s, and the last of them ends at 11.5 s."""
    numbers = [*range(8), *range(20, 30)]
    found = told(segments_of([answer(number, (0.9, 0.1, 0.0)) for number in numbers], SPEC, LABELS, STRIDE, 16.5))
    assert found == [("red", 0.0, 4.0), ("red", 11.5, 16.5)]
    trailing = told(segments_of([answer(number, (0.9, 0.1, 0.0)) for number in range(8)], SPEC, LABELS, STRIDE, 20.0))
    assert trailing == [("red", 0.0, 4.0)]


def test_one_window_alone_is_one_segment():
    assert told(segments_of([answer(0, (0.2, 0.7, 0.1))], SPEC, LABELS, STRIDE, 0.8)) == [("green", 0.0, 0.8)]
    assert segments_of([], SPEC, LABELS, STRIDE, 0.8) == ()


@pytest.mark.parametrize("seed", range(8))
def test_segments_fill_the_time_without_gap_or_overlap_and_come_soon(seed):
    """Of any scores at all; and each is given about as soon as it can be known."""
    rng = np.random.default_rng(seed)
    calm = rng.dirichlet((1, 1, 1), 40).repeat(4, axis=0) + 0.3 * rng.dirichlet((1, 1, 1), 160)
    answers = [answer(number, row / row.sum(), rng.dirichlet((1, 1))) for number, row in enumerate(calm)]
    end_s = answers[-1].end_s
    maker, found, behind_s = SegmentMaker(SPEC, LABELS, STRIDE, {"action": 0.5}), [], []
    for one in answers:
        new = maker.push(one)
        found += new
        behind_s += [one.end_s - segment.end_s for segment in new]
    found += maker.finish(end_s)
    assert tuple(found) == segments_of(answers, SPEC, LABELS, STRIDE, end_s, {"action": 0.5})
    assert len(found) > 10
    assert found[0].start_s == 0 and found[-1].end_s == end_s
    assert [one.end_s for one in found[:-1]] == [one.start_s for one in found[1:]]
    assert all(one.end_s > one.start_s for one in found)
    assert max(behind_s) <= 4 * SPEC.window_s


def test_the_memory_of_a_long_calm_stream_does_not_grow():
    """The emotion changes for ever while the action stays: no row waits for the action's end."""
    maker = SegmentMaker(SPEC, LABELS, STRIDE)
    found = 0
    for number in range(5000):
        loud = (number // 20) % 2
        found += len(maker.push(answer(number, (0.9, 0.1, 0.0), (1 - loud, loud))))
        assert len(maker._waiting) < 20
    assert found == pytest.approx(5000 / 20, abs=2)


def test_a_model_with_one_head_has_segments_of_one():
    maker = SegmentMaker(SPEC, Labels(emotion=("quiet", "loud")), STRIDE)
    maker.push(WindowAnswer(0.0, 2.0, {"emotion": np.array([0.2, 0.8])}, MODALITIES))
    (segment,) = maker.finish(2.0)
    assert list(segment.heads) == ["emotion"]
