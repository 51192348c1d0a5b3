"""A clip refuses what does not fit at birth, cannot be changed, and prints shapes, not pixels."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.clip import Clip
from video_understanding.errors import ClipError


def make(**changes) -> Clip:
    parts = {
        "frames": np.zeros((3, 4, 5, 3), np.uint8),
        "frame_times_s": np.arange(3.0),
        "frame_present": np.ones(3, bool),
        "waveform": np.full(8000, 0.5, np.float32),
        "sample_rate_hz": 16_000,
        "sound_span_s": (0.0, 0.5),
        "source": "dog.mp4",
    }
    return Clip(**{**parts, **changes})


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"frames": np.zeros((3, 4, 5, 3), np.float32)}, "frames"),
        ({"frames": np.zeros((3, 4, 5), np.uint8)}, "frames"),
        ({"frames": np.zeros((3, 4, 5, 4), np.uint8)}, "frames"),
        ({"frames": np.zeros((0, 4, 5, 3), np.uint8)}, "frames"),
        ({"frames": [[1]]}, "frames"),
        ({"frame_times_s": np.arange(2.0)}, "frame_times_s"),
        ({"frame_times_s": np.array([0, np.nan, 2])}, "no time"),
        ({"frame_present": np.ones(3, np.uint8)}, "frame_present"),
        ({"waveform": np.zeros(10)}, "waveform"),
        ({"waveform": np.zeros((2, 10), np.float32)}, "waveform"),
        ({"waveform": np.array([np.nan], np.float32)}, "NaN"),
        ({"waveform": np.zeros(0, np.float32)}, "waveform"),
        ({"sample_rate_hz": 0}, "sample_rate_hz"),
    ],
)
def test_what_is_no_clip_is_refused_by_name(changes, names):
    with pytest.raises(ClipError) as refusal:
        make(**changes)
    assert names in str(refusal.value)
    assert "dog.mp4" in str(refusal.value)


def test_modalities():
    assert make().modalities == {"video": True, "audio": True}
    assert not make(frame_present=np.zeros(3, bool)).has_video
    assert not make(sound_span_s=None).has_audio


def test_silence_is_a_sound_that_cannot_be_heard():
    silent = make(waveform=np.zeros(8000, np.float32))
    assert silent.has_audio
    assert silent.is_silent
    assert not make().is_silent
    assert make(sound_span_s=None).is_silent


def test_times():
    clip = make(start_s=2.5)
    assert clip.duration_s == 0.5
    assert clip.end_s == 3.0


def test_arrays_cannot_be_written_and_the_callers_own_can():
    frames = np.zeros((3, 4, 5, 3), np.uint8)
    clip = make(frames=frames)
    with pytest.raises(ValueError, match="read-only"):
        clip.frames[0] = 1
    frames[0] = 1


def test_prints_shapes_not_pixels():
    text = repr(make(frame_present=np.array([True, False, False]), notes=("odd",)))
    assert text == ("Clip(dog.mp4, 0.000-0.500 s, 3 frames 5x4 (1 present), 8000 samples at 16000 Hz, 1 note(s))")
    assert "(no picture)" in repr(make(frame_present=np.zeros(3, bool)))
    assert "(no sound)" in repr(make(sound_span_s=None))
    assert "(silent)" in repr(make(waveform=np.zeros(8000, np.float32)))
