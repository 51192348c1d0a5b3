"""Classes of the heads: their order is fixed, mistakes are errors, JSON is read back."""

from __future__ import annotations

import pytest

from video_understanding.errors import ManifestError
from video_understanding.labels import HeadSpec, Labels


def test_found_in_rows_that_are_labelled_for_one_head_or_both():
    rows = [{"action": "surfing", "emotion": None}, {"action": "archery", "emotion": "happy"}, {"action": None}]
    labels = Labels.found_in(rows)
    assert labels == Labels(action=("archery", "surfing"), emotion=("happy",))
    assert labels.names("action").index("surfing") == 1
    assert labels.heads == ("action", "emotion")
    assert Labels.found_in([{"emotion": "sad"}]).heads == ("emotion",)


def test_json_both_ways():
    labels = Labels(scene=("a", "b"), action=("c",))
    back = Labels.from_json(labels.to_json())
    assert back == labels and back.heads == ("scene", "action")
    assert Labels.from_json('{"action": ["a", "b"], "emotion": []}') == Labels(action=("a", "b"))


def test_any_word_names_a_head_and_the_order_is_as_given():
    rows = [{"scene": "street", "emotion": "sad"}, {"scene": "beach", "camera": "left"}]
    labels = Labels.found_in(rows, ("scene", "emotion", "action"))
    assert labels == {"emotion": ("sad",), "scene": ("beach", "street")}
    assert labels.heads == ("scene", "emotion")
    assert hash(labels) == hash(Labels({"emotion": ["sad"], "scene": ["beach", "street"]}))


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: Labels(action=("a", "a")),
        lambda: Labels(action=("a", " ")),
        lambda: Labels().names("mood"),
        lambda: Labels.from_json("{"),
        lambda: Labels.from_json('{"path": ["x"]}'),
        lambda: Labels.from_json('["action"]'),
        lambda: Labels({"Mood of all": ("x",)}),
        lambda: Labels(action_confidence=("x",)),
        lambda: HeadSpec("scene", ("street",), "several"),
        lambda: Labels.from_json('{"action": "abc"}'),
    ],
)
def test_mistakes_are_errors_with_a_cure(mistake):
    with pytest.raises(ManifestError) as refusal:
        mistake()
    assert refusal.value.cure
