"""Strides are whole numbers of frame intervals and of hops, and a wrong one names some that fit."""

from __future__ import annotations

import math

import pytest

from video_understanding.errors import SpecError
from video_understanding.media.decode import iter_clips
from video_understanding.presets import PRESETS
from video_understanding.recognition import Stride
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec


@pytest.mark.parametrize("spec", PRESETS.values(), ids=PRESETS)
def test_the_default_is_a_quarter_of_the_window_or_a_little_more(spec):
    stride = Stride.of(spec)
    assert spec.window_s / 4 <= stride.seconds < spec.window_s / 4 + max(1 / spec.video.frames_hz, spec.audio.hop_s)
    assert stride.frames == stride.seconds * spec.video.frames_hz
    assert stride.hops == stride.seconds / spec.audio.hop_s
    assert Stride.of(spec, stride.seconds) == stride


def test_the_window_itself_is_a_stride():
    spec = ModelSpec(window_s=3.0, video=VideoSpec(frames_hz=4), audio=AudioSpec(hop_s=0.5))
    assert Stride.of(spec, 3.0) == Stride(3.0, 12, 6)


@pytest.mark.parametrize(
    ("stride_s", "told"),
    [(0.7, "0.5 or 1 s"), (0.25, "0.5 s"), (-1.0, "0.5 s"), (5.0, "2 s"), (math.nan, "0.5 s"), (1.9, "1.5 or 2 s")],
)
def test_a_wrong_one_names_near_ones_that_fit(stride_s, told):
    spec = PRESETS["tiny"]
    with pytest.raises(SpecError, match=f"Use {told}, or another multiple of 0.5 s"):
        Stride.of(spec, stride_s)


def test_decimal_fractions_mean_what_they_say(tmp_path):
    """0.3 s of ten frames and hops a second: no binary rounding refuses it, here or in the reader."""
    spec = ModelSpec(window_s=1.2, video=VideoSpec(frames_hz=10), audio=AudioSpec(hop_s=0.1))
    assert Stride.of(spec, 0.3) == Stride(pytest.approx(0.3), 3, 3)
    assert Stride.of(spec).frames == 3
    iter_clips(tmp_path / "none.mp4", spec, Stride.of(spec, 0.3).seconds)  # refuses a stride at once, a file later
