"""Which window is explained: a sure one, but not the tail that the file hardly fills."""

from __future__ import annotations

import numpy as np

from video_understanding.explain.windows import surest_window
from video_understanding.labels import Labels
from video_understanding.media.synthetic.calibration import write_calibration_clip
from video_understanding.scorer import ModelInputs, Scores
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=16, width_px=16), audio=AudioSpec(hop_s=0.5))


class SurerAtTheEnd:
    """Surer with every window that it is shown."""

    spec, labels = SPEC, Labels(action=("a", "b"))

    def __init__(self) -> None:
        self._shown = 5

    def __call__(self, inputs: ModelInputs) -> Scores:
        self._shown += 1
        sure = self._shown / 10
        return Scores(self.labels, {"action": np.array([[sure, 1 - sure]] * len(inputs), np.float32)})


def test_a_tail_that_the_file_hardly_fills_is_not_the_surest(tmp_path):
    file = write_calibration_clip(tmp_path / "clip.mp4", duration_s=2.2)
    clip, chosen = surest_window(SurerAtTheEnd(), file)
    assert (clip.start_s, chosen) == (1.0, "the surest of 3 windows")


def test_a_short_file_has_only_that(tmp_path):
    file = write_calibration_clip(tmp_path / "clip.mp4", duration_s=0.3)
    clip, chosen = surest_window(SurerAtTheEnd(), file)
    assert (clip.start_s, chosen) == (0.0, "the only window")
