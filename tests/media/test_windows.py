"""Reading a file in windows: the same clips as reading each by itself, in one pass and constant memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from video_understanding.errors import MediaError, SpecError
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.media.synthetic.calibration import read_barcode, write_calibration_clip
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=96, width_px=128), audio=AudioSpec(hop_s=0.25))
THREADS = Path("/proc/self/task")


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    return write_calibration_clip(
        tmp_path_factory.mktemp("windows") / "long.mp4",
        duration_s=7.3, width_px=128, height_px=96, codec_options={"bf": "3", "g": "20"},
        burst_times_s=(0.5, 2.0, 3.3, 6.9), sample_rate_hz=44_100,
    )  # fmt: skip


def assert_same(one, other):
    assert np.array_equal(one.frames, other.frames)
    assert np.array_equal(one.frame_times_s, other.frame_times_s, equal_nan=True)
    assert np.array_equal(one.frame_present, other.frame_present)
    assert np.array_equal(one.waveform, other.waveform)
    assert one.sound_span_s == other.sound_span_s
    assert one.start_s == other.start_s


@pytest.mark.parametrize("stride", [None, 0.25, 0.5])
def test_every_window_is_the_very_clip_that_reading_it_alone_gives(long_clip, monkeypatch, stride):
    monkeypatch.setattr("video_understanding.media.decode._NEAR_S", 0.5)
    clips = list(iter_clips(long_clip, SPEC, stride))
    for clip in clips:
        assert_same(clip, read_clip(long_clip, SPEC, clip.start_s))


def test_windows_cover_the_file_and_no_more(long_clip):
    clips = list(iter_clips(long_clip, SPEC))
    assert [clip.start_s for clip in clips] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert clips[-1].frame_present.tolist() == [True, False, False, False]
    assert [clip.start_s for clip in iter_clips(long_clip, SPEC, 0.5)][-1] == 6.5


def test_a_part_of_a_file(long_clip):
    clips = list(iter_clips(long_clip, SPEC, start=2.25, end=4.5))
    assert [clip.start_s for clip in clips] == [2.25, 3.25, 4.25]
    assert clips[-1].frame_present.tolist() == [True, False, False, False]
    assert clips[-1].sound_span_s == pytest.approx((4.25, 4.5), abs=1e-4)


def test_damage_in_the_middle_loses_no_window(tmp_path, long_clip):
    """After a damaged frame all frames are decoded; no window is lost and none comes twice."""
    content = bytearray(long_clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 300] = b"\x00" * 300
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    clips = list(iter_clips(damaged, SPEC))
    assert [clip.start_s for clip in clips] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert read_barcode(clips[0].frames[0]) == 3
    assert read_barcode(clips[6].frames[0]) == 153
    assert any("damaged" in note for clip in clips for note in clip.notes)


@pytest.mark.parametrize("stride", [0.1, 0, -1, 1.25, float("nan")])
def test_a_stride_that_does_not_fit_the_frames_is_refused(long_clip, stride):
    with pytest.raises(SpecError, match="stride"):
        iter_clips(long_clip, SPEC, stride)


def test_a_start_behind_the_end_of_the_file_is_an_error(long_clip):
    with pytest.raises(MediaError, match="ends at 7"):
        list(iter_clips(long_clip, SPEC, start=50))


@pytest.mark.skipif(not THREADS.exists(), reason="only Linux lists the threads of a process")
def test_reading_starts_no_threads(long_clip):
    """Clips are read many at a time, one thread each: on a large machine, threads within each would be hundreds."""
    before = set(THREADS.iterdir())
    clips = iter_clips(long_clip, SPEC)
    next(clips)  # in the midst of pictures and sound
    assert set(THREADS.iterdir()) <= before
    clips.close()


def test_memory_does_not_grow_with_the_length(tmp_path):
    """Counted by Python itself, NumPy included; three times the length, the same peak."""
    peaks = []
    for duration_s in (8.0, 24.0):
        file = write_calibration_clip(
            tmp_path / f"{duration_s}.mp4", duration_s=duration_s, frames_hz=10, width_px=64, height_px=48,
            codec_options={"g": "10"}, burst_times_s=(),
        )  # fmt: skip
        tracemalloc.start()
        many = sum(1 for _ in iter_clips(file, SPEC, 0.25))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert many == (duration_s - 1) / 0.25 + 1
    assert peaks[1] < 1.2 * peaks[0]
