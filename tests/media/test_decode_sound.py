"""Sound and picture lie on one clock to the millisecond, whatever the container, the codec and the window."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.errors import MediaError
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic.calibration import burst_onsets_s, read_barcode, write_calibration_clip
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=3.0, video=VideoSpec(frames_hz=4, height_px=96, width_px=128), audio=AudioSpec(hop_s=0.5))
BURSTS_S = (1.6, 2.5, 3.3)

# ending, picture codec, sound codec, sample rate
KINDS = [
    ("mp4", "libx264", "aac", 48_000),
    ("mp4", "libx264", "libmp3lame", 44_100),
    ("mov", "libx264", "pcm_s16le", 22_050),
    ("mkv", "libx264", "aac", 44_100),
    ("mkv", "libx264", "flac", 96_000),
    ("webm", "libvpx-vp9", "libopus", 48_000),
    ("ts", "libx264", "aac", 48_000),
    ("avi", "mpeg4", "libmp3lame", 44_100),
]
# When picture and sound begin on the file's clock, in seconds.
STARTS_S = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.437), (1.0, 1.5)]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict:
    return {"folder": tmp_path_factory.mktemp("sound")}


def measuring_clip(made: dict, kind: tuple, picture_start_s: float = 0.0, sound_start_s: float = 0.0):
    key = (*kind, picture_start_s, sound_start_s)
    if key not in made:
        ending, codec, sound_codec, rate_hz = kind
        options = {"g": "25", "bf": "2"} if codec == "libx264" else {"g": "25"}
        if codec == "libvpx-vp9":
            options |= {"deadline": "realtime", "cpu-used": "8"}
        made[key] = write_calibration_clip(
            made["folder"] / ("_".join(map(str, key)) + f".{ending}"),
            codec=codec, codec_options=options, sound_codec=sound_codec, sample_rate_hz=rate_hz,
            width_px=128, height_px=96, duration_s=4.0, burst_times_s=BURSTS_S,
            picture_start_s=picture_start_s, sound_start_s=sound_start_s,
        )  # fmt: skip
    return made[key]


def combinations():
    for kind in KINDS:
        for starts_s in STARTS_S:
            # AVI cannot store that a stream begins late, a transport stream cannot store a zero point.
            if (kind[0] == "avi" and any(starts_s)) or (kind[0] == "ts" and all(starts_s)):
                continue
            yield pytest.param(kind, starts_s, id=f"{kind[2]} in {kind[0]}, begins {starts_s[0]}/{starts_s[1]}")


@pytest.mark.parametrize("start_s", [0.0, 0.9])
@pytest.mark.parametrize(("kind", "starts_s"), list(combinations()))
def test_bursts_and_numbers_are_where_they_were_put(made, kind, starts_s, start_s):
    picture_start_s, sound_start_s = starts_s
    zero_s = min(starts_s)  # the file's clock begins with its first moment
    clip = read_clip(measuring_clip(made, kind, *starts_s), SPEC, start_s)
    expected = [burst - zero_s for burst in BURSTS_S if start_s <= burst - zero_s < start_s + SPEC.window_s]
    onsets_s = burst_onsets_s(clip.waveform, clip.sample_rate_hz) + start_s
    assert len(onsets_s) == len(expected)
    assert np.abs(onsets_s - expected).max() <= 0.001
    for frame, present, instant_s in zip(clip.frames, clip.frame_present, SPEC.instants_s(start_s), strict=True):
        since_start_s = instant_s + zero_s - picture_start_s
        assert present == (0 <= since_start_s < 4.0 - picture_start_s)
        if present:
            assert read_barcode(frame) == int(since_start_s * 25 + 1e-6)
    begins_s = max(start_s, sound_start_s - zero_s)
    assert clip.sound_span_s[0] == pytest.approx(begins_s, abs=0.001)
    assert not clip.waveform[: max(0, round((begins_s - start_s - 0.001) * clip.sample_rate_hz))].any()


def test_a_sound_that_ends_early_is_followed_by_silence(tmp_path):
    file = write_calibration_clip(
        tmp_path / "short.mkv", duration_s=3.0, sound_end_s=1.25, sound_codec="pcm_s16le", burst_times_s=(0.5,)
    )
    clip = read_clip(file, SPEC)
    assert clip.sound_span_s == pytest.approx((0.0, 1.25), abs=0.001)
    assert not clip.waveform[round(1.251 * 16_000) :].any()
    assert clip.frame_present.all()


def test_a_picture_that_ends_early_is_held_and_marked_absent(tmp_path):
    file = write_calibration_clip(tmp_path / "short.mp4", duration_s=3.0, picture_end_s=1.0)
    clip = read_clip(file, SPEC)
    assert clip.frame_present.tolist() == [True] * 4 + [False] * 8
    assert all(np.array_equal(frame, clip.frames[3]) for frame in clip.frames[4:])
    assert (clip.frame_times_s[4:] == clip.frame_times_s[3]).all()


def test_a_picture_that_begins_late_is_held_backwards(tmp_path):
    clip = read_clip(write_calibration_clip(tmp_path / "late.mp4", duration_s=3.0, picture_start_s=1.0), SPEC)
    assert clip.frame_present.tolist() == [False] * 4 + [True] * 8
    assert all(np.array_equal(frame, clip.frames[4]) for frame in clip.frames[:4])


@pytest.mark.parametrize("stream", ["picture", "sound"])
def test_a_file_with_one_stream_is_a_clip_with_one_modality(tmp_path, stream):
    file = write_calibration_clip(
        tmp_path / "one.mp4", duration_s=3.0, with_picture=stream == "picture", with_sound=stream == "sound"
    )
    clip = read_clip(file, SPEC)
    assert clip.modalities == {"video": stream == "picture", "audio": stream == "sound"}
    assert clip.frames.any() == (stream == "picture")
    assert clip.waveform.any() == (stream == "sound")


def test_a_single_frame_between_two_instants_is_in_the_clip(tmp_path):
    """One frame of 40 ms at the very beginning; the first instant is at 125 ms."""
    file = write_calibration_clip(tmp_path / "flash.mp4", duration_s=1.0, picture_end_s=0.04)
    clip = read_clip(file, SPEC)
    assert clip.frame_present.tolist() == [True] + [False] * 11
    assert read_barcode(clip.frames[0]) == 0


def test_loudness_is_the_mean_of_the_channels(tmp_path):
    """Two equal channels sound as loud as one of them, not 3 dB louder."""
    peaks = []
    for channels in (1, 2):
        file = write_calibration_clip(tmp_path / f"{channels}.mkv", channels=channels, sound_codec="pcm_s16le")
        peaks.append(np.abs(read_clip(file, SPEC).waveform).max())
    assert peaks[0] == pytest.approx(peaks[1], rel=1e-3)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000])
def test_resampling_keeps_tones_and_adds_nothing(tmp_path, rate_hz):
    """Tones below half of both rates come out 80 dB above any error, and in phase."""
    import av

    tones_hz = [200.0, 1000.0, 2900.0] + ([6500.0] if rate_hz > 16_000 else [])
    times_s = np.arange(4 * rate_hz) / rate_hz
    wave = sum(np.sin(2 * np.pi * hz * times_s + hz) for hz in tones_hz) / 5
    file = tmp_path / "tones.wav"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_f32le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    middle = slice(4_000, 44_000)  # away from the ends, where the filter meets silence
    at_s = np.arange(SPEC.samples)[middle] / 16_000
    ideal = sum(np.sin(2 * np.pi * hz * at_s + hz) for hz in tones_hz) / 5
    error = read_clip(file, SPEC).waveform[middle] - ideal
    assert 10 * np.log10((ideal**2).mean() / (error**2).mean()) > 80


def test_nothing_from_the_end_on_is_used(made):
    clip = read_clip(measuring_clip(made, KINDS[0]), SPEC, 0.5, 2.0)
    assert clip.frame_present.tolist() == [True] * 6 + [False] * 6
    assert clip.sound_span_s == pytest.approx((0.5, 2.0), abs=1e-4)
    assert len(burst_onsets_s(clip.waveform, 16_000)) == 1
    assert not clip.waveform[round(1.5 * 16_000) :].any()


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-1, None, "start of 0 or more"),
        (float("nan"), None, "start of 0 or more"),
        (2, 2, "empty"),
        (0, 10, "iter_clips"),
        (100, None, "ends at 4.0"),
        (4.2, None, "ends at 4.0"),
    ],
)
def test_an_invalid_span_is_refused(made, start, end, message):
    with pytest.raises(MediaError) as refusal:
        read_clip(measuring_clip(made, KINDS[0]), SPEC, start, end)
    assert message in str(refusal.value)
