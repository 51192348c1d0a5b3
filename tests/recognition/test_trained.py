"""A really trained model cuts a scene of thirty seconds where it changes."""

from __future__ import annotations

import pytest

import video_understanding as vu
from video_understanding.media.synthetic import Scene, make_dataset, write_timeline
from video_understanding.training.settings import TrainingSettings

LOOKS = {"width_px": 64, "height_px": 48}


@pytest.mark.slow
def test_thirty_seconds_are_cut_within_half_a_second(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(tmp_path / "cache"))
    actions = ("bounce", "slide", "spin")
    scenes = {"actions": actions, "emotions": ("happy",), "difficulty": 0.0}
    table = make_dataset(tmp_path / "clips", seed=1, clips=72, subjects=6, **scenes, **LOOKS)
    settings = TrainingSettings(epochs=10, seed=3)
    bundle = vu.train(vu.load_manifest(table), vu.preset("tiny"), tmp_path / "bundle", settings, progress=False)
    recognizer = vu.load(bundle.folder)
    done, length_s = ("slide", "bounce", "spin", "slide", "bounce"), (5.3, 6.1, 4.4, 7.2, 7.0)
    for subject in range(2):
        parts = [
            (Scene(action, "happy", subject, seed=50 + place), length_s[place]) for place, action in enumerate(done)
        ]
        segments = recognizer.predict(write_timeline(tmp_path / f"{subject}.mp4", parts, **LOOKS)).segments
        assert [segment.heads["action"].label for segment in segments] == list(done)
        assert [segment.end_s for segment in segments] == pytest.approx([5.3, 11.4, 15.8, 23.0, 30.0], abs=0.5)
