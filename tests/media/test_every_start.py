"""Reading one window gives what walking through the whole file gives, wherever it begins and whatever the container."""

from __future__ import annotations

import numpy as np
import pytest

from tests.media.containers import write, write_ogg_vorbis
from video_understanding.errors import MediaError
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=48, width_px=64), audio=AudioSpec(hop_s=0.25))
DURATION_S = 8.0
ROUNDED = {"mkv", "webm", "flv"}
QUICK = {"deadline": "realtime", "cpu-used": "8", "g": "40"}
WRAPS = {"output_ts_offset": "95440"}  # the clock begins anew 3.7 s after the file does
FILES = {
    "one group.ts": {"picture": "libx264", "picture_options": {"g": "250"}, "sound": "aac"},
    "groups.ts": {"picture": "libx264", "picture_options": {"g": "50", "bf": "3"}, "sound": "aac"},
    "no key frames.ts": {"picture": "libx264", "picture_options": {"x264-params": "intra-refresh=1"}, "sound": "aac"},
    "open groups.ts": {
        "picture": "libx264", "picture_options": {"x264-params": "open-gop=1:keyint=40"}, "sound": "mp2"
    },
    "clock begins anew.ts": {
        "picture": "libx264", "picture_options": {"g": "50"}, "sound": "aac", "container_options": WRAPS
    },
    "silent.ts": {"picture": "mpeg2video", "picture_options": {"g": "60"}},
    "mp3.mpg": {"picture": "mpeg2video", "picture_options": {"g": "15", "bf": "2"}, "sound": "libmp3lame"},
    "mp2.mpg": {"picture": "mpeg2video", "picture_options": {"g": "60"}, "sound": "mp2", "container_options": WRAPS},
    "aac.mp4": {"picture": "libx264", "picture_options": {"g": "60"}, "sound": "aac"},
    "opus.mkv": {"picture": "libx264", "picture_options": {"g": "60"}, "sound": "libopus"},
    "vp9.webm": {"picture": "libvpx-vp9", "picture_options": QUICK, "sound": "libvorbis"},
    "mp3.flv": {"picture": "libx264", "picture_options": {"g": "60"}, "sound": "libmp3lame", "rate_hz": 44_100},
    "mp3.avi": {"picture": "mpeg4", "picture_options": {"g": "50"}, "sound": "libmp3lame"},
    "flac.ogg": {"sound": "flac"},
    "adpcm.wav": {"sound": "adpcm_ima_wav", "rate_hz": 22_050},
    "mp3.mp3": {"sound": "libmp3lame", "rate_hz": 44_100},
}  # fmt: skip


def assert_every_start_is_alike(file, seed: int = 0, starts: int = 5) -> None:
    rng = np.random.default_rng(seed)
    phase_s = float(rng.uniform(0, 0.25))
    walked = list(iter_clips(file, SPEC, 0.25, phase_s))
    assert len(walked) > 20
    for place in {len(walked) - 1, len(walked) - 3, *rng.choice(len(walked), starts).tolist()}:
        clip, whole = read_clip(file, SPEC, walked[place].start_s), walked[place]
        assert np.array_equal(clip.frame_present, whole.frame_present), clip.start_s
        assert np.array_equal(clip.frame_times_s, whole.frame_times_s, equal_nan=True), clip.start_s
        assert np.array_equal(clip.frames, whole.frames), clip.start_s
        assert clip.has_audio == whole.has_audio
        assert clip.sound_span_s == pytest.approx(whole.sound_span_s, abs=1e-3), clip.start_s
        # Where timestamps are rounded to milliseconds, a window's sound is positioned by those of its own packets.
        off = 0.2 * np.sqrt((whole.waveform**2).mean()) if file.suffix[1:] in ROUNDED else 1e-4
        assert np.sqrt(((clip.waveform - whole.waveform) ** 2).mean()) <= off, clip.start_s
        assert clip.notes == whole.notes == ()


@pytest.mark.parametrize("name", FILES)
def test_a_window_is_the_same_read_by_itself(tmp_path, name):
    assert_every_start_is_alike(write(tmp_path / name, DURATION_S, **FILES[name]))


@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
def test_and_in_ogg_vorbis(tmp_path, rate_hz):
    assert_every_start_is_alike(write_ogg_vorbis(tmp_path / "sound.ogg", DURATION_S, rate_hz))


@pytest.mark.parametrize("offset_s", [95_440.0, 94_000.0])
def test_a_clock_that_is_about_to_begin_anew_loses_nothing(tmp_path, offset_s):
    """33 bits at 90 kHz are 95,443.7 s; close before that, FFmpeg gives negative times."""
    tracks = {"picture": "libx264", "sound": "aac"}
    plain = write(tmp_path / "plain.ts", 5.0, **tracks)
    late = write(tmp_path / "late.ts", 5.0, **tracks, container_options={"output_ts_offset": str(offset_s)})
    for one, other in zip(iter_clips(plain, SPEC), iter_clips(late, SPEC), strict=True):
        assert np.array_equal(one.frames, other.frames)
        assert np.array_equal(one.frame_present, other.frame_present)
        assert np.allclose(one.frame_times_s, other.frame_times_s, rtol=0, atol=1e-9, equal_nan=True)
        assert np.array_equal(one.waveform, other.waveform)


def test_a_window_behind_the_last_frame_is_refused_in_one_way(tmp_path):
    """The picture ends at 2.04 s, the first frame of the window would be that at 2.125 s."""
    file = write(tmp_path / "short.mp4", 2.04, picture="libx264")
    assert not list(iter_clips(file, SPEC))[-1].has_video
    with pytest.raises(MediaError, match=r"ends at 2.04 s, before the first frame of the window that begins at 2 s"):
        read_clip(file, SPEC, 2.0)


@pytest.mark.shared_data
def test_real_files_give_the_same_read_by_parts(shared_data):
    for name in ("sample_with_sdt.ts", "demo.mp4", "sample_with_chapters.mkv"):
        file = shared_data / "hard" / name
        for whole in iter_clips(file, SPEC):
            clip = read_clip(file, SPEC, whole.start_s)
            assert np.array_equal(clip.frames, whole.frames), name
            assert np.array_equal(clip.frame_times_s, whole.frame_times_s, equal_nan=True), name
