"""An export may name another class where nobody is told one, or where the model itself cannot decide."""

from __future__ import annotations

import numpy as np

from video_understanding.export.exam import exam_of
from video_understanding.export.trial import compare
from video_understanding.labels import Labels
from video_understanding.scorer import ModelInputs, Scores
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

LABELS = Labels(action=("spin", "slide"))
SPEC = ModelSpec(1.0, VideoSpec(1, 2, 2), AudioSpec(hop_s=0.5))


class Fixed:
    """Says the same of every clip."""

    def __init__(self, *scores: float) -> None:
        self.spec = SPEC
        self._scores = np.float32(scores)

    def __call__(self, inputs: ModelInputs) -> Scores:
        return Scores(LABELS, {"action": np.tile(self._scores, (len(inputs), 1))})

    classify = __call__


def changed(model: Fixed, export: Fixed, below: dict[str, float] | None) -> int:
    frames = np.zeros((4, *SPEC.frames_shape), np.uint8)
    inputs = ModelInputs(frames, np.zeros((4, SPEC.samples), np.float32), np.ones((4, 2), bool))
    exam = exam_of(inputs, None)
    return compare(export, model(exam.inputs), exam, below).changed


def test_only_answers_that_are_told_can_change():
    model, other = Fixed(0.51, 0.49), Fixed(0.49, 0.51)
    assert changed(model, other, None) == 12  # four clips, and each without either sense
    assert changed(model, other, {"action": 0.6}) == 0
    assert changed(model, other, {"action": 0.5}) == 12
    assert changed(model, Fixed(0.3, 0.7), {"action": 0.6}) == 12, "one of both is told"


def test_a_tie_may_fall_either_way():
    assert changed(Fixed(0.504, 0.496), Fixed(0.496, 0.504), None) == 0
    assert changed(Fixed(0.506, 0.494), Fixed(0.494, 0.506), None) == 12
    assert changed(Fixed(0.494, 0.506), Fixed(0.5041, 0.4959), None) == 12  # the model decided
