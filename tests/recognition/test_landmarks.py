"""Borders go to where tokens change, if that is clear, and stay where they were if it is not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.recognition.test_segments import LABELS, SPEC, STRIDE, answer, scene_of, shares, told
from video_understanding.modality import MODALITIES
from video_understanding.recognition import WindowAnswer, segments_of
from video_understanding.recognition.landmarks import Landmarks

FREE = {"after_s": -math.inf, "before_s": math.inf}


def windows_of(kind_at, noise: float = 0.3, count: int = 30, seed: int = 0) -> list[WindowAnswer]:
    """Windows whose tokens are of the kind that each moment has, and noise that stays a moment's own."""
    rng = np.random.default_rng(seed)
    kinds = rng.normal(size=(5, 4))
    seen, heard = (rng.normal(size=(400, 4)) * noise for _ in range(2))
    made = []
    for number in range(count):
        one = answer(number, (1.0, 0.0, 0.0))
        tokens = {}
        for sense, moments_s, own in (
            ("video", SPEC.instants_s(), seen),
            ("audio", MODALITIES["audio"].times_s(SPEC, SPEC.hops), heard),
        ):
            at_s = one.start_s + moments_s
            tokens[sense] = np.stack([kinds[kind_at(time_s)] + own[round(time_s * 20) % 400] for time_s in at_s])
        made.append(WindowAnswer(one.start_s, one.end_s, one.scores, one.modalities, tokens))
    return made


def landmarks_of(answers: list[WindowAnswer]) -> Landmarks:
    landmarks = Landmarks(SPEC)
    for one in answers:
        landmarks.push(one)
    return landmarks


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("around_s", [11.2, 12.0, 12.9])
def test_a_border_goes_to_the_clear_change_nearby(seed, around_s):
    landmarks = landmarks_of(windows_of(scene_of([12.2], [0, 1]), seed=seed, count=27))
    assert landmarks.nearest_s(around_s, **FREE) == pytest.approx(12.2, abs=0.3)


def test_without_a_clear_change_it_stays():
    landmarks = landmarks_of(windows_of(scene_of([3.0, 12.2], [0, 1, 2]), count=36))
    assert landmarks.nearest_s(15.9, **FREE) == 15.9  # the change is further away than half a window
    assert Landmarks(SPEC).nearest_s(5.0, **FREE) == 5.0
    assert landmarks_of([answer(number, (1, 0, 0)) for number in range(9)]).nearest_s(3.0, **FREE) == 3.0


def test_it_does_not_leave_its_bounds():
    landmarks = landmarks_of(windows_of(scene_of([12.2], [0, 1]), count=27))
    assert landmarks.nearest_s(12.9, after_s=12.6, before_s=math.inf) >= 12.6
    assert landmarks.nearest_s(11.5, after_s=-math.inf, before_s=11.8) <= 11.8


def test_a_still_picture_that_grows_a_little_darker_is_no_landmark():
    """Where a sense hardly differs from itself, all of its variance lies in next to nothing."""
    answers = windows_of(scene_of([4.0], [0, 1]), noise=1e-4, count=40)
    for one in answers:
        moments_s = one.start_s + SPEC.instants_s()
        one.tokens["video"][:] = one.tokens["video"] + np.where(moments_s > 18.3, 1e-3, 0.0)[:, None]
    assert landmarks_of(answers).nearest_s(17.9, **FREE) == 17.9


def test_a_model_that_sees_one_class_too_soon_is_put_right():
    """It says green as soon as a fifth of its window is green: borders by scores alone are 0.6 s off, each way."""
    scene = scene_of([7.4, 15.1], [0, 1, 0])
    answers = windows_of(scene, count=44)
    for place, one in enumerate(answers):
        green = shares(scene, place, 2)[1]
        action = np.array([0.1, 0.9, 0.0] if green > 0.2 else [0.9, 0.1, 0.0])
        answers[place] = WindowAnswer(
            one.start_s, one.end_s, {**one.scores, "action": action}, one.modalities, one.tokens
        )
    found = told(segments_of(answers, SPEC, LABELS, STRIDE, 23.5))
    assert [label for label, *_ in found] == ["red", "green", "red"]
    assert [found[0][2], found[1][2]] == pytest.approx([7.4, 15.1], abs=0.3)
    bare = [WindowAnswer(one.start_s, one.end_s, one.scores, one.modalities) for one in answers]
    _, (_, begin_s, end_s), _ = told(segments_of(bare, SPEC, LABELS, STRIDE, 23.5))
    assert begin_s < 7.0 and end_s > 15.5
