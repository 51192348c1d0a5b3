"""Shares of the modalities, against scorers whose every answer is known."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from video_understanding.errors import ClipError
from video_understanding.evaluation.modality_shares import log_odds, modality_shares
from video_understanding.labels import Labels
from video_understanding.scorer import PartwiseScorer, Scores
from video_understanding.spec import ModelSpec, NetworkSpec


class AddingScorer(PartwiseScorer):
    """Log-odds of "yes" are what the picture tokens say plus what the sound tokens say, of the modalities there are."""

    def __init__(self, join=np.add, multi_label: tuple[str, ...] = ()) -> None:
        self.spec = ModelSpec(network=NetworkSpec(multi_label=multi_label))
        self.labels = Labels(action=("yes", "no"))
        self._join = join

    def encode_pieces(self, *_):
        raise AssertionError("nothing is to be encoded again")

    def fuse(self, tokens, presence):
        parts = [own[:, 0, 0] * presence[:, place] for place, own in enumerate(tokens.values())]  # [B] each
        odds = functools.reduce(self._join, parts)
        yes = 1 / (1 + np.exp(-odds))
        return Scores(self.labels, {"action": np.stack([yes, 1 - yes], axis=1).astype(np.float32)})

    embed = encode_pieces


def shares(seen: float, heard: float, presence=(True, True), **options):
    tokens = {"video": np.full((1, 1, 1), seen), "audio": np.full((1, 1, 1), heard)}
    return modality_shares(AddingScorer(**options), tokens, np.array([presence]))[0]["action"]


def test_each_modality_has_its_part_of_what_is_lost():
    found = shares(3.0, 1.0)
    assert found.label == "yes" and found.confidence == pytest.approx(1 / (1 + np.exp(-4)))
    assert found.drop == pytest.approx({"video": 3.0, "audio": 1.0}, abs=1e-3)
    assert found.share == pytest.approx({"video": 0.75, "audio": 0.25}, abs=1e-3)
    assert found.without == pytest.approx({"video": 1 / (1 + np.exp(-1)), "audio": 1 / (1 + np.exp(-3))})
    assert found.words == "video 75 %, audio 25 %"


def test_the_class_that_is_told_is_explained_be_it_the_other():
    found = shares(-3.0, -1.0)
    assert found.label == "no"
    assert found.share == pytest.approx({"video": 0.75, "audio": 0.25}, abs=1e-3)


def test_a_modality_that_speaks_against_has_no_share_and_is_named():
    found = shares(3.0, -1.0)
    assert found.share == {"video": 1.0, "audio": 0.0}
    assert found.drop["audio"] == pytest.approx(-1.0, abs=1e-3)
    assert found.words == "video 100 %, audio 0 %; audio speaks against it"


def test_where_either_modality_is_enough_no_share_is_made_up():
    found = shares(3.0, 3.0, join=np.maximum)
    assert found.share is None
    assert found.words == "neither modality is needed, either alone is enough"


@pytest.mark.parametrize(("presence", "share"), [((True, False), [1, 0]), ((False, True), [0, 1])])
def test_a_modality_that_is_alone_has_all(presence, share):
    found = shares(3.0, 1.0, presence)
    assert list(found.share.values()) == share
    assert found.without == {} and "alone" in found.words


def test_of_nothing_there_is_nothing_to_share():
    found = shares(3.0, 1.0, (False, False))
    assert found.share is None and found.words == "there is nothing to go by"


def test_a_multi_label_head_counts_each_class_against_itself():
    found = shares(3.0, 1.0, multi_label=("action",))
    assert found.share == pytest.approx({"video": 0.75, "audio": 0.25}, abs=1e-3)


def test_clips_of_a_batch_do_not_touch_each_other():
    said = {"video": [3.0, -1.0], "audio": [1.0, -4.0]}
    tokens = {name: np.array(values).reshape(2, 1, 1) for name, values in said.items()}
    found = modality_shares(AddingScorer(), tokens, np.array([[True, True], [False, True]]))
    assert found[0]["action"].to_dict() == shares(3.0, 1.0).to_dict()
    assert found[1]["action"].to_dict() == shares(-1.0, -4.0, (False, True)).to_dict()


def test_log_odds_stay_exact_where_a_probability_is_one():
    logits = np.array([[22.0, 4.0, 3.0], [19.0, 4.0, 3.0]])
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    assert scores.max() == 1.0, "in float32 nothing is left beside it"
    odds = log_odds(scores, 0)
    assert odds[0] - odds[1] == pytest.approx(3.0, abs=1e-3)
    assert np.isfinite(log_odds(np.array([[1.0, 0.0]]), 1)).all()


def test_tokens_that_do_not_belong_together_are_refused():
    with pytest.raises(ClipError, match="do not belong together"):
        modality_shares(
            AddingScorer(), {"video": np.zeros((2, 1, 1)), "audio": np.zeros((1, 1, 1))}, np.ones((1, 2), bool)
        )
