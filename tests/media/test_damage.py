"""Every file gives a clip or a one-line error that names it; what is undamaged in it is not lost."""

from __future__ import annotations

import csv
import os
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.media.reference import assert_same_pictures, pictures_by_decoding_everything
from video_understanding.datasets.manifest import load_manifest
from video_understanding.errors import ManifestError, MediaError
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.media.synthetic.calibration import read_barcode, write_calibration_clip
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=2.0, video=VideoSpec(frames_hz=4, height_px=96, width_px=128), audio=AudioSpec(hop_s=0.5))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("damage")
    return write_calibration_clip(
        folder / "whole.mp4", duration_s=2.0, width_px=160, height_px=120, codec_options={"g": "10"}
    )


def spoiled(tmp_path: Path, content: bytes, name: str = "spoiled.mp4") -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


ERRORS = {
    "nothing": (lambda _: b"", "is empty (0 bytes)"),
    "text": (lambda _: b"dear diary, today I wrote a video\n" * 30, "text, not media"),
    "garbage": (lambda _: bytes(range(256)) * 8, "not a media file that can be opened"),
    "the first half": (lambda whole: whole[: len(whole) // 2], "lost its index"),
    "a playlist": (lambda _: b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n", "text, not"),
    "only a header": (lambda whole: whole[whole.index(b"ftyp") - 4 :][:32], "lost its index"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_no_clip_is_a_one_line_error(tmp_path, whole, name):
    spoil, cause = ERRORS[name]
    file = spoiled(tmp_path, spoil(whole.read_bytes()))
    with pytest.raises(MediaError) as refusal:
        read_clip(file, SPEC)
    assert cause in str(refusal.value)
    assert str(file) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        read_clip(tmp_path / "none.mp4", SPEC)
    with pytest.raises(MediaError, match="is a folder"):
        read_clip(tmp_path, SPEC)
    with pytest.raises(MediaError, match=r"File name too long|does not exist"):
        read_clip(tmp_path / ("x" * 300 + ".mp4"), SPEC)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_is_refused_without_blocking(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for read in (lambda file: read_clip(file, SPEC), lambda file: list(iter_clips(file, SPEC))):
        with pytest.raises(MediaError, match="is a pipe or a device, not a file"):
            read(tmp_path / "pipe.mp4")
    with pytest.raises(MediaError, match="is a pipe or a device, not a file"):
        read_clip("/dev/zero", SPEC)


def test_links_that_lead_nowhere(tmp_path):
    (tmp_path / "circle.mp4").symlink_to(tmp_path / "circle.mp4")
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "none.mp4")
    with pytest.raises(MediaError, match=r"circle.mp4: is a link that leads back to itself"):
        read_clip(tmp_path / "circle.mp4", SPEC)
    with pytest.raises(MediaError, match="does not exist"):
        read_clip(tmp_path / "gone.mp4", SPEC)


@pytest.mark.parametrize("address", ["https://example.org/a/clip.mp4", "rtsp://camera.local:554/stream"])
def test_an_address_is_refused_as_it_was_given(address):
    with pytest.raises(MediaError) as refusal:
        read_clip(address, SPEC)
    assert str(refusal.value) == f"{address}: is an address, and only files are read. Download it, and give the file."
    with pytest.raises(ManifestError, match="is an address") as refusal:
        load_manifest(address)
    assert str(refusal.value).startswith(f"{address}: ")


def test_a_file_without_read_permission_is_a_one_line_error(tmp_path, whole, monkeypatch):
    """Root may read everything: every function that opens the file is patched to raise what other users get."""
    import av

    file = spoiled(tmp_path, whole.read_bytes())

    def refuse(*_, **__):
        raise av.error.PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(MediaError, match=r"spoiled.mp4: may not be read \(no permission\)"):
        read_clip(file, SPEC)


def test_a_file_named_like_an_address_is_a_file(tmp_path, whole, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spoiled(tmp_path, whole.read_bytes(), "http:clip.mp4")
    assert read_clip("http:clip.mp4", SPEC).has_video


def test_damaged_frames_are_noted_and_the_others_stay(tmp_path, whole):
    import av

    with av.open(str(whole)) as container:  # a picture that the second instant shows
        packet = next(p for p in container.demux(video=0) if p.pts is not None and p.pts * p.time_base * 25 == 9)
        at, size = packet.pos, packet.size
    content = bytearray(whole.read_bytes())
    content[at + size // 3 : at + size] = b"\x55" * (size - size // 3)
    clip = read_clip(spoiled(tmp_path, bytes(content)), SPEC)
    assert any("damaged" in note for note in clip.notes)
    assert read_barcode(clip.frames[0]) == 3
    assert read_barcode(clip.frames[-1]) == 46


def test_a_transport_stream_cut_off_gives_what_is_left(tmp_path):
    whole = write_calibration_clip(tmp_path / "whole.ts", duration_s=2.0, codec_options={"g": "10"})
    content = whole.read_bytes()
    clip = read_clip(spoiled(tmp_path, content[: len(content) // 2], "half.ts"), SPEC)
    assert 2 <= clip.frame_present.sum() <= 6
    assert clip.sound_span_s[1] < 1.7


def test_a_cut_off_recording_in_matroska_is_noted(tmp_path):
    whole = write_calibration_clip(tmp_path / "whole.mkv", duration_s=2.0, codec_options={"g": "10"})
    content = whole.read_bytes()
    clip = read_clip(spoiled(tmp_path, content[: len(content) // 2], "half.mkv"), SPEC)
    assert 2 <= clip.frame_present.sum() <= 6
    assert any("cut off" in note for note in clip.notes)


def test_sound_whose_timestamps_do_not_advance_is_complete(tmp_path):
    """Some AVI files count sound in wrong units; all of it is decoded, one piece after the other."""
    import av

    file = tmp_path / "slow-clock.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        for number in range(40):
            block = np.full((1, 800), 1000 * (number + 1) % 30_000, np.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, number * 800
            for packet in stream.encode(frame):
                container.mux(_slowed(packet))
        for packet in stream.encode(None):
            container.mux(_slowed(packet))
    clip = read_clip(file, SPEC)
    assert clip.sound_span_s[1] == pytest.approx(2.0, abs=0.7)


def _slowed(packet):
    packet.pts = packet.dts = packet.pts // 20
    return packet


def _encoded(codec: str, pixel_format: str, options: dict[str, str]) -> list:
    """Twenty packets of a picture that brightens, and what is needed to decode them."""
    import av

    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, pixel_format
    encoder.time_base, encoder.framerate, encoder.options = Fraction(1, 10), 10, options
    packets = []
    for number in range(20):
        picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * number, np.uint8), format="rgb24")
        frame = picture.reformat(format=pixel_format)
        frame.pts, frame.time_base = number, Fraction(1, 10)
        packets += encoder.encode(frame)
    return [*packets, *encoder.encode(None)]


def test_frames_with_camera_settings_are_decoded(tmp_path):
    """JPEGs with Exif data: a kind of side data that PyAV does not support."""
    import av

    entry = struct.pack("<H", 1) + struct.pack("<HHII", 0x112, 3, 1, 1) + struct.pack("<I", 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + entry
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    file = tmp_path / "camera.avi"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        container.start_encoding()
        for packet in _encoded("mjpeg", "yuvj420p", {"strict": "unofficial"}):
            content = bytes(packet)
            marked = av.Packet(content[:2] + segment + content[2:])
            marked.pts = marked.dts = packet.pts
            marked.time_base, marked.stream, marked.is_keyframe = Fraction(1, 10), stream, True
            container.mux(marked)
    clip = read_clip(file, SPEC)
    assert clip.frame_present.all()
    assert np.allclose(clip.frames[:, 48, 64, 0], 10 * np.floor(SPEC.instants_s() * 10), atol=4)


@pytest.mark.parametrize("matrix", ["YCgCo", "bt2020c", "ictcp"])
def test_colour_matrices_the_scaler_does_not_support_give_frames(tmp_path, matrix):
    file = write_calibration_clip(
        tmp_path / "odd.mp4", duration_s=2.0, codec_options={"x264-params": f"colormatrix={matrix}"}
    )
    clip = read_clip(file, SPEC)
    assert clip.frame_present.all()
    assert [read_barcode(frame) for frame in clip.frames] == np.floor(SPEC.instants_s() * 25).astype(int).tolist()


def test_timestamps_that_jump_by_hours_do_not_give_hours_of_windows(tmp_path):
    import av

    file = tmp_path / "leap.mkv"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in range(20):
            block = np.full((1, 1600), 3000, np.int16)
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.time_base = 16_000, Fraction(1, 16_000)
            frame.pts = 1600 * number + (16_000 * 20_000 if number >= 10 else 0)
            container.mux(stream.encode(frame))
    clips = list(iter_clips(file, SPEC))
    assert len(clips) == 1
    assert clips[0].sound_span_s == pytest.approx((0.0, 1.0), abs=0.01)
    assert any("jump by more than an hour" in note for note in clips[0].notes)


def test_full_frames_are_not_kept_alive(tmp_path):
    """Reading large frames must not depend on the garbage collector to free them."""
    file = write_calibration_clip(
        tmp_path / "large.mp4", width_px=1280, height_px=720, duration_s=4.0, frames_hz=8, with_sound=False,
        codec_options={"preset": "ultrafast"},
    )  # fmt: skip
    program = """
import gc, resource, sys
gc.disable()
from video_understanding.media.decode import iter_clips
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec
spec = ModelSpec(window_s=0.5, video=VideoSpec(frames_hz=4, height_px=48, width_px=48), audio=AudioSpec(hop_s=0.5))
peaks = []
for clip in iter_clips(sys.argv[1], spec, 0.25):
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(peaks[-1] - peaks[2])
"""
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 8  # megabytes; thirteen frames of 1.4 MB would be 18


def _hard_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.shared_data
def test_every_real_file_gives_a_clip_or_an_error_that_names_it(shared_data):
    folder = shared_data / "hard"
    outcomes = {}
    for row in _hard_rows(folder):
        file = folder / row["file"]
        try:
            outcomes[row["file"]] = read_clip(file, ModelSpec())
        except MediaError as error:
            outcomes[row["file"]] = error
            assert str(file) in str(error)
            assert "\n" not in str(error)
            assert error.cure
    refused = {name for name, outcome in outcomes.items() if isinstance(outcome, MediaError)}
    assert refused == {
        "chunk_out_of_range.mp4", "invalid_userdata.mp4", "bipbop_cbcs_video_init.mp4", "short-cenc.mp4",
        "sample_malformed_free_box.mp4", "sample_ac4.mp4", "invalid-bitstream.webm", "1024_incrementing_bytes.mp3",
        "made_zero_bytes.mp4", "made_truncated_half.mp4", "made_text_named.mp4", "made_png_named.mp4",
    }  # fmt: skip
    for name in ("no_timescale.mp4", "sample_with_invalid_nalu.mp4", "sample_missing_stsd.mp4"):
        assert outcomes[name].notes, name
    for name in ("made_truncated_99.mp4", "made_truncated_half.avi"):
        assert any("cut off" in note for note in outcomes[name].notes), name
    for name in ("sample1.mov", "bear_with_id3.flac"):
        assert outcomes[name].modalities == {"video": False, "audio": True}, name


@pytest.mark.shared_data
@pytest.mark.parametrize("start_s", [0.0, 1.1])
def test_real_files_give_the_frames_that_decoding_everything_gives(shared_data, monkeypatch, start_s):
    monkeypatch.setattr("video_understanding.media.decode._NEAR_S", 0.5)
    compared = 0
    for row in _hard_rows(shared_data / "hard"):
        file = shared_data / "hard" / row["file"]
        if "1080" in row["file"] or file.stat().st_size > 1_500_000:
            continue  # minutes of decoding for nothing new
        try:
            clip = read_clip(file, SPEC, start_s)
        except MediaError:
            continue
        if clip.has_video:
            assert_same_pictures(clip, pictures_by_decoding_everything(file, SPEC, start_s))
            compared += 1
    assert compared >= (20 if start_s == 0 else 8)
