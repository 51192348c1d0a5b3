"""Recall among clips and sentences, against a plain count."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.evaluation import retrieval
from video_understanding.evaluation.retrieval import Retrieval


def ranked(own: float, others: np.ndarray) -> int:
    return int((others >= own).sum())


@pytest.mark.parametrize("at_once", [1, 60, 1 << 24])
def test_it_counts_as_one_would_by_hand(monkeypatch, at_once):
    monkeypatch.setattr(retrieval, "_AT_ONCE", at_once)
    chance = np.random.default_rng(0)
    texts, clips = (chance.normal(size=(n, 8)).astype(np.float32) for n in (60, 20))
    owners = np.repeat(np.arange(20), 3)
    texts += clips[owners]
    alike = texts @ clips.T
    forth = [ranked(alike[n, o], np.delete(alike[n], o)) for n, o in enumerate(owners)]
    back = [ranked(alike[owners == k, k].max(), alike[owners != k, k]) for k in range(20)]
    found = Retrieval.of(texts, clips, owners)
    for recall, ranks in ((found.text_to_clip, forth), (found.clip_to_text, back)):
        assert recall.searches == len(ranks)
        assert recall.to_dict() == {
            "r1": pytest.approx(100 * np.mean(np.array(ranks) < 1), abs=0.01),
            "r5": pytest.approx(100 * np.mean(np.array(ranks) < 5), abs=0.01),
            "r10": pytest.approx(100 * np.mean(np.array(ranks) < 10), abs=0.01),
            "median_rank": np.median(ranks) + 1,
        }


def test_clips_that_cannot_be_told_apart_are_no_hits():
    same = np.ones((4, 3), np.float32)
    assert Retrieval.of(same, same, np.arange(4)).text_to_clip.within[1] == 0
