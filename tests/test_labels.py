"""Classes of the heads: their order is fixed, mistakes are named, JSON goes both ways."""

from __future__ import annotations

import pytest

from video_understanding.errors import ManifestError
from video_understanding.labels import Labels


def test_found_in_rows_that_are_labelled_for_one_head_or_both():
    rows = [{"action": "surfing", "emotion": None}, {"action": "archery", "emotion": "happy"}, {"action": None}]
    labels = Labels.found_in(rows)
    assert labels == Labels(action=("archery", "surfing"), emotion=("happy",))
    assert labels.index("action", "surfing") == 1
    assert labels.heads == ("action", "emotion")
    assert Labels.found_in([{"emotion": "sad"}]).heads == ("emotion",)


def test_json_both_ways():
    labels = Labels(action=("a", "b"))
    assert Labels.from_json(labels.to_json()) == labels


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: Labels(action=("a", "a")),
        lambda: Labels(action=("a", " ")),
        lambda: Labels(action=("a",)).index("action", "b"),
        lambda: Labels().names("mood"),
        lambda: Labels.from_json("{"),
        lambda: Labels.from_json('{"mood": ["x"]}'),
        lambda: Labels.from_json('{"action": "abc"}'),
    ],
)
def test_mistakes_are_told_with_a_cure(mistake):
    with pytest.raises(ManifestError) as refusal:
        mistake()
    assert refusal.value.cure
