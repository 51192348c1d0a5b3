"""The sound of a clip is, sample by sample, what FFmpeg decodes, whatever codec it is in and whatever container."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media.containers import beats, write, write_ogg_vorbis
from video_understanding.media.container import Clock, open_media
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.media.sound import mono
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

RATE_HZ = 48_000
# At the file's own rate, so that nothing is resampled.
SPEC = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=4, height_px=48, width_px=64),
    audio=AudioSpec(sample_rate_hz=RATE_HZ, hop_s=0.25),
)
CONTAINERS = {
    "pcm_s16le": "wav mov mkv avi aiff caf",
    "pcm_f32le": "wav mov mkv",
    "pcm_u8": "wav avi",
    "adpcm_ima_wav": "wav avi",
    "flac": "flac ogg mkv mp4",
    "alac": "m4a mkv",
    "aac": "mp4 mkv ts avi flv 3gp",
    "libmp3lame": "mp3 mp4 mkv ts avi flv wav",
    "mp2": "mpg ts avi mkv",
    "ac3": "mpg ts avi mkv mp4",
    "libopus": "ogg mkv webm mp4 ts",
    "libvorbis": "ogg mkv webm",
}
# These round timestamps to milliseconds, and so give the start of the sound no more exactly.
ROUNDED = {"mkv", "webm", "flv"}


def decoded_by_ffmpeg(file: Path) -> tuple[np.ndarray, int]:
    """float32 [n], all frames one after the other, and the number of the first sample on the file's clock."""
    with open_media(file) as media:
        frames = [frame for packet in media.container.demux(media.sound) for frame in packet.decode()]
        begins_s = Clock(media.sound, media.zero_s).time_s(frames[0].pts)
        samples = np.clip(np.concatenate([mono([(frame, 0)]) for frame in frames]), -1, 1)
    return samples, round(begins_s * RATE_HZ)


def lies_at(expected: np.ndarray, first: int, waveform: np.ndarray) -> bool:
    """Whether `waveform` [N] holds the samples `expected` [n] from number `first` on."""
    expected = expected[max(0, -first) :]
    return np.array_equal(waveform[max(0, first) :][: len(expected)], expected)


@pytest.mark.parametrize("codec", CONTAINERS)
def test_samples_are_those_that_ffmpeg_decodes(tmp_path, codec):
    for ending in CONTAINERS[codec].split():
        file = tmp_path / f"{codec}.{ending}"
        if (codec, ending) == ("libvorbis", "ogg"):
            write_ogg_vorbis(file, 3.0, RATE_HZ)
        else:
            write(file, 3.0, sound=codec, rate_hz=RATE_HZ)
        expected, first = decoded_by_ffmpeg(file)
        waveform = np.concatenate([clip.waveform for clip in iter_clips(file, SPEC)])
        off = RATE_HZ // 1000 if ending in ROUNDED else 0
        assert any(lies_at(expected, first + shift, waveform) for shift in range(-off, off + 1)), ending


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_vorbis_is_in_time_wherever_reading_begins(tmp_path, rate_hz):
    """At every change of its block size a frame's time jumps ahead, also at the first frame that is decoded."""
    file = write_ogg_vorbis(tmp_path / "beats.ogg", 6.0, rate_hz)
    spec = ModelSpec(window_s=1.0, video=SPEC.video, audio=AudioSpec(hop_s=0.25))
    whole = np.concatenate([clip.waveform for clip in iter_clips(file, spec)])
    for start_s in np.random.default_rng(2).integers(0, 5 * 16_000, 15) / 16_000:
        clip = read_clip(file, spec, start_s)
        assert np.array_equal(clip.waveform, whole[round(start_s * 16_000) :][:16_000]), start_s
        assert clip.sound_span_s == pytest.approx((start_s, start_s + 1), abs=1e-4)


def test_a_gap_between_frames_stays_a_gap(tmp_path):
    """Only what cancels with the next frame is no gap: here all that follows is late, too."""
    import av

    file = tmp_path / "gap.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for number, block in enumerate(beats(2.0, RATE_HZ).reshape(100, 960)):
            frame = av.AudioFrame.from_ndarray(np.int16(block[None] * 32767), format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, 960 * number + (480 if number >= 50 else 0)
            container.mux(stream.encode(frame))
    expected, _ = decoded_by_ffmpeg(file)
    waveform = np.concatenate([clip.waveform for clip in iter_clips(file, SPEC)])
    assert lies_at(expected[:48_000], 0, waveform)
    assert not waveform[48_000:48_480].any()
    assert lies_at(expected[48_000:], 48_480, waveform)
