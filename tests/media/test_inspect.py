"""The facts of a file: rate, turning, offsets, silence, what a clip of it would be."""

from __future__ import annotations

import struct

import av
import numpy as np
import pytest

from tests.media.containers import write
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
    assert facts.clip["modalities"] == {"video": True, "audio": True}


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


def test_digital_silence_is_no_sense(tmp_path):
    """As in training and prediction, a track that holds nothing counts as absent."""
    file = tmp_path / "silent.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 32_000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 16_000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    facts = inspect_media(file, ModelSpec())
    assert facts.sounds[0].silent
    assert facts.sounds[0].peak_dbfs is None
    assert facts.clip["modalities"] == {"video": False, "audio": False}


def test_the_film_is_chosen_before_the_pictures_of_a_motion_photo(tmp_path):
    file = tmp_path / "motion_photo.mp4"
    with av.open(str(file), "w") as container:
        photo = container.add_stream("libx264", rate=1)
        film = container.add_stream("libx264", rate=25)
        for stream, height, width in ((photo, 240, 320), (film, 96, 128)):
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for stream, many in ((photo, 2), (film, 50)):
            for number in range(many):
                pixels = np.full((stream.height, stream.width, 3), 5 * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
    assert [picture.used for picture in inspect_media(file, ModelSpec()).pictures] == [False, True]


def test_a_stream_that_appears_on_the_way_is_passed_over(tmp_path):
    """In a damaged Flash file a packet may belong to a kind of stream that its beginning did not announce."""
    whole = write(tmp_path / "whole.flv", 4.0, picture="flv", sound="libmp3lame", rate_hz=44_100)
    content = bytearray(whole.read_bytes())
    at, tags = 13, []  # behind the header and the first length
    while at < len(content):
        tags.append(at)
        at += 11 + int.from_bytes(content[at + 1 : at + 4], "big") + 4
    content[tags[-10]] = 18  # a packet of data
    damaged = tmp_path / "damaged.flv"
    damaged.write_bytes(content)
    with av.open(str(damaged)) as container, pytest.raises(IndexError):
        list(container.demux(video=0))  # or this is no such file
    assert inspect_media(damaged, ModelSpec()).pictures[0].used


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
