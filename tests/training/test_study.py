"""Clips that are learned from say whether more would help, and whose labels are doubtful."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from video_understanding.datasets.rows import Row
from video_understanding.labels import Labels
from video_understanding.training.closed_form.forms import HeadTargets
from video_understanding.training.pooled_clips import PooledClips
from video_understanding.training.solved import solve
from video_understanding.training.study import study_clips

LABELS = Labels(action=("run", "jump", "sit"))
WIDTH = 40
BLOCKS = {"video": [WIDTH], "audio": [WIDTH]}


def made(count: int, apart: float, spoiled: int = 0):
    """Clips of three classes with video alone, four of each subject, and which of them are labelled wrongly."""
    chance = np.random.default_rng(0)
    numbers = np.arange(count) % 3
    middles = chance.normal(size=(3, WIDTH)) * apart
    values = (middles[numbers] + chance.normal(size=(count, WIDTH))).astype(np.float32)
    wrong = chance.choice(count, spoiled, replace=False)
    told = numbers.copy()
    told[wrong] = (told[wrong] + 1) % 3
    rows = [
        Row(Path(f"/clips/{place}.mp4"), {"action": LABELS.names("action")[number]}, subject=str(place // 4))
        for place, number in enumerate(told)
    ]
    places = np.arange(count)
    video = PooledClips(values[None], np.ones(count, bool), values, places, places)
    none = np.zeros(0, int)
    audio = PooledClips(
        np.zeros((1, count, WIDTH), np.float32), np.zeros(count, bool), np.zeros((0, WIDTH), np.float32), none, none
    )
    return {"video": video, "audio": audio}, {"action": HeadTargets.of_numbers(told, 3)}, rows, set(wrong.tolist())


def studied(pooled, targets, rows):
    solved = solve(pooled, targets, np.arange(len(rows)) // 4, BLOCKS)
    return study_clips(pooled, targets, rows, LABELS, BLOCKS, solved.left_out)


def test_the_curve_rises_where_more_clips_help():
    pooled, targets, rows, _ = made(240, apart=0.35)
    study = studied(pooled, targets, rows)
    points = study.learning_curve["action"]
    assert [point.clips_per_class for point in points] == [5, 10, 20, 50, None]
    assert points[0].uar + 0.1 < points[-1].uar
    assert "clips of a class" in study.text()


def test_spoiled_labels_stand_first_in_the_list():
    pooled, targets, rows, wrong = made(120, apart=0.8, spoiled=6)
    found = studied(pooled, targets, rows).doubtful["action"]
    assert len(found) <= round(0.08 * 120)
    listed = {int(one.row.path.stem) for one in found}
    assert len(listed & wrong) >= 5
    assert all(one.label != one.likely for one in found)


def test_a_label_that_is_doubtful_is_named_in_the_text_with_what_it_is_taken_for():
    pooled, targets, rows, _ = made(120, apart=0.8, spoiled=6)
    study = studied(pooled, targets, rows)
    first = study.doubtful["action"][0]
    assert f"{first.row.name}: labelled {first.label}, likely {first.likely}" in study.text()
    assert study.doubtful_dict()["action"][0]["clip"] == first.row.name
