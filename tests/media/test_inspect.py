"""The facts of a file: rate, turning, offsets, silence, what a clip of it would be."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from video_understanding.errors import MediaError
from video_understanding.media.inspect import inspect_media
from video_understanding.media.synthetic.calibration import write_calibration_clip
from video_understanding.spec import ModelSpec


def test_streams_offsets_and_the_clip(tmp_path):
    file = write_calibration_clip(tmp_path / "a.mp4", duration_s=2.0, sound_start_s=0.25, channels=1)
    facts = inspect_media(file, ModelSpec())
    (picture,), (sound,) = facts.pictures, facts.sounds
    assert (picture.codec, picture.width_px, picture.height_px, picture.frames_hz) == ("h264", 320, 240, 25.0)
    assert not picture.variable_rate
    assert (sound.codec, sound.rate_hz, sound.channels, sound.silent) == ("aac", 48_000, 1, False)
    assert sound.start_s == pytest.approx(0.25, abs=0.001)
    assert sound.peak_dbfs == pytest.approx(20 * np.log10(0.8), abs=3)
    assert facts.duration_s == pytest.approx(2.0, abs=0.03)
    assert facts.clip["frames_present"] == 8
    assert facts.clip["senses"] == {"video": True, "audio": True}


def test_a_changing_frame_rate_is_noticed(tmp_path):
    times_s = np.cumsum(np.tile([0.03, 0.05], 20)) - 0.03
    file = write_calibration_clip(tmp_path / "a.mp4", duration_s=1.6, frame_times_s=times_s)
    assert inspect_media(file, ModelSpec()).pictures[0].variable_rate


@pytest.mark.parametrize(
    ("matrix", "degrees", "mirrored"),
    [((0, 1, -1, 0), 90, False), ((-1, 0, 0, -1), 180, False), ((0, -1, 1, 0), 270, False), ((-1, 0, 0, 1), 0, True)],
)
def test_turned_and_mirrored_pictures_are_told(tmp_path, matrix, degrees, mirrored):
    file = write_calibration_clip(tmp_path / "a.mp4", duration_s=0.5)
    content = bytearray(file.read_bytes())
    a, b, c, d = (65536 * value for value in matrix)
    struct.pack_into(">5i", content, content.index(b"tkhd") + 44, a, b, 0, c, d)
    file.write_bytes(content)
    picture = inspect_media(file, ModelSpec()).pictures[0]
    assert (picture.rotation_degrees, picture.mirrored) == (degrees, mirrored)


def test_silence_is_told(tmp_path):
    file = write_calibration_clip(tmp_path / "a.mkv", duration_s=1.0, sound_codec="pcm_s16le", burst_times_s=())
    content = file.read_bytes()
    sound = inspect_media(file, ModelSpec()).sounds[0]
    assert sound.silent == (sound.peak_dbfs is None)
    assert content


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "a.mp4").write_text("words")
    with pytest.raises(MediaError, match="text, not media"):
        inspect_media(tmp_path / "a.mp4", ModelSpec())


@pytest.mark.shared_data
def test_real_files(shared_data):
    hard = shared_data / "hard"
    assert inspect_media(hard / "pixel7_videoOnly_cleaned.mp4", ModelSpec()).pictures[0].rotation_degrees == 180
    assert inspect_media(hard / "hdr10-video-with-sdr-container.mp4", ModelSpec()).pictures[0].variable_rate
    assert not inspect_media(hard / "flipping_a_pancake.mkv", ModelSpec()).pictures[0].variable_rate
    assert inspect_media(hard / "cockatoo.mp4", ModelSpec()).sounds[0].silent
    song = inspect_media(hard / "bear_with_id3.flac", ModelSpec())
    assert song.pictures[0].cover_art
    assert not song.pictures[0].used
