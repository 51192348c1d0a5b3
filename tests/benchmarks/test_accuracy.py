"""The page of accuracy: what was measured stands beside guessing, a baseline, the floor and the goal."""

from __future__ import annotations

from benchmarks.accuracy.page import page, table
from video_understanding.training.measuring import BY_ALL

FOUND = {
    "set": "javanese", "options": "", "clips": 192, "folds": 4, "uar": {
        "both": {"uar": 56.25}, "video": {"uar": 27.0}, "audio": {"uar": 51.5}, BY_ALL: {"uar": 68.75},
    },
    "uar_of_folds": [60.0, 52.5], "interval": [43.0, 69.0], "accuracy": 56.0, "calibration_error": 7.25, "chance": 16.7,
    "baselines": {"linear on simple features": 44.0}, "subjects": 8, "seconds": 60, "commit": "abc",
}  # fmt: skip
FACTS = {"rounds": 1, "cpu": "c", "cores": 2, "system": "s", "python": "3", "versions": {}, "commit": "abc"}


def test_a_line_stands_beside_guessing_baseline_floor_and_goal():
    whole, video, audio, known = table([FOUND]).splitlines()[1:]
    assert whole.split()[-8:] == ["56.2", "43", "to", "69", "16.7", "44", "33", "-"]
    assert video.split()[-6:] == [
        "27.0",
        "-",
        "16.7",
        "-",
        "26",
        "-",
    ]  # an interval and a baseline of all there is only
    assert audio.split()[-2:] == ["47", "54"]
    assert "speaker known" in known and known.split()[-1] == "68"


def test_the_page_has_folds_calibration_and_commit():
    text = page([FOUND], FACTS)
    assert "| javanese | - | 192 | 60 52 | 56.0 | 7.2 | 60 | abc |" in text
    assert "vu crossval" in text and "a point or two better" in text
