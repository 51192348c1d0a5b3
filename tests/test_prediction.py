"""Predictions say what the scores say, and their JSON has the form that programs rely on."""

from __future__ import annotations

import json

import numpy as np
import pytest

from video_understanding.prediction import HeadAnswer, Prediction, Segment

NAMES = ("dance", "run", "sing")


def test_the_label_is_the_best_class():
    answer = HeadAnswer.of(NAMES, np.array([0.2, 0.7, 0.1], np.float32))
    assert (answer.label, answer.nearest) == ("run", None)
    assert answer.confidence == pytest.approx(0.7)
    assert list(answer.scores) == list(NAMES)


@pytest.mark.parametrize(("below", "label"), [(0.71, "unknown"), (0.69, "run"), (None, "run")])
def test_below_the_threshold_the_answer_is_unknown_and_the_nearest_class_is_told(below, label):
    answer = HeadAnswer.of(NAMES, np.array([0.2, 0.7, 0.1]), unknown_below=below)
    assert answer.label == label
    assert answer.nearest == ("run" if label == "unknown" else None)
    assert answer.confidence == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("scores", "label", "confidence"),
    [([0.9, 0.1, 0.5], ("dance", "sing"), 0.5), ([0.1, 0.4, 0.2], (), 0.6), ([0.1, 0.2, 0.8], ("sing",), 0.8)],
)
def test_a_multi_label_head_tells_all_classes_from_a_half_on(scores, label, confidence):
    answer = HeadAnswer.of(NAMES, np.array(scores), several=True, unknown_below=0.99)
    assert answer.label == label
    assert answer.confidence == pytest.approx(confidence)
    assert answer.words == (", ".join(label) or "none")
    assert answer.to_dict()["label"] == list(label)


def example() -> Prediction:
    action = HeadAnswer.of(NAMES, np.array([0.2, 0.7, 0.1], np.float32))
    unsure = HeadAnswer.of(NAMES, np.array([0.4, 0.3, 0.3]), unknown_below=0.5)
    segments = (Segment(0.0, 1.23456, {"action": action}), Segment(1.23456, 3.0, {"action": unsure}))
    return Prediction("a.mp4", 3.00004, {"action": action}, {"video": True, "audio": np.bool_(False)}, segments)


def test_json_has_the_promised_form_and_no_head_that_the_model_lacks():
    told = json.loads(json.dumps(example().to_dict()))
    assert told == {
        "file": "a.mp4",
        "duration_s": 3.0,
        "action": {"label": "run", "confidence": 0.7, "scores": {"dance": 0.2, "run": 0.7, "sing": 0.1}},
        "modalities": {"video": True, "audio": False},
        "segments": [
            {"start_s": 0.0, "end_s": 1.235, "action": "run", "action_confidence": 0.7},
            {
                "start_s": 1.235, "end_s": 3.0,
                "action": "unknown", "action_confidence": 0.4, "action_nearest": "dance",
            },
        ],
    }  # fmt: skip


def test_heads_can_be_had_by_name():
    assert example().action.label == "run"
    assert example().emotion is None
    assert "run 0.70; 2 segment(s) in 3.00 s" in repr(example())
