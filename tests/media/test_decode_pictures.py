"""Frames are the right ones to the bit for every container and codec, however little is decoded for them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.media.reference import assert_same_pictures, pictures_by_decoding_everything
from video_understanding.media.container import open_media
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic.calibration import read_barcode, write_calibration_clip
from video_understanding.spec import AudioSpec, ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=1.5, video=VideoSpec(frames_hz=4, height_px=96, width_px=128), audio=AudioSpec(hop_s=0.5))
FRAMES_HZ = 25.0
QUIET_265 = "log-level=none"

# name: (ending, picture codec, its options, sound codec, further settings)
KINDS = {
    "one long group with B-frames": ("mp4", "libx264", {"bf": "3", "g": "250"}, "aac", {}),
    "short groups": ("mp4", "libx264", {"bf": "3", "g": "10"}, "aac", {}),
    "pyramid of B-frames": ("mkv", "libx264", {"x264-params": "bframes=8:b-pyramid=normal:keyint=30"}, "aac", {}),
    "open groups": ("mp4", "libx264", {"x264-params": "open-gop=1:bframes=3:keyint=12"}, "aac", {}),
    "open groups in a transport stream": (
        "ts", "libx264", {"x264-params": "open-gop=1:bframes=3:keyint=12"}, "aac", {},
    ),
    "groups that refresh bit by bit": (
        "ts", "libx264", {"x264-params": "intra-refresh=1:keyint=15:bframes=0"}, "aac", {},
    ),
    "open groups of HEVC": ("mp4", "libx265", {"x265-params": f"{QUIET_265}:keyint=15:bframes=4"}, "aac", {}),
    "layers of HEVC": (
        "mp4", "libx265", {"x265-params": f"{QUIET_265}:keyint=24:temporal-layers=3:bframes=7:b-adapt=0"}, "aac", {},
    ),
    "ten bits": (
        "mp4", "libx265", {"x265-params": f"{QUIET_265}:keyint=15"}, "aac", {"pixel_format": "yuv420p10le"},
    ),
    "open groups of MPEG-2": ("ts", "mpeg2video", {"bf": "2", "g": "12"}, "mp2", {}),
    "MPEG-4 with B-frames": ("mp4", "mpeg4", {"bf": "2", "g": "12"}, "aac", {}),
    "MPEG-4 in AVI": ("avi", "mpeg4", {"g": "12"}, "libmp3lame", {}),
    "MPEG-4 with B-frames in AVI": ("avi", "mpeg4", {"bf": "2", "g": "12"}, "libmp3lame", {}),
    "VP9": ("webm", "libvpx-vp9", {"g": "12", "deadline": "realtime", "cpu-used": "8"}, "libopus", {}),
    "VP8 with hidden frames": (
        "webm", "libvpx", {"g": "25", "auto-alt-ref": "1", "lag-in-frames": "12", "cpu-used": "5"}, "libopus", {},
    ),
    "AV1": ("mkv", "libsvtav1", {"preset": "9", "g": "12"}, "libopus", {}),
    "odd sizes": (
        "mp4", "libx264", {"bf": "2", "g": "12"}, "aac",
        {"width_px": 161, "height_px": 121, "pixel_format": "yuv444p"},
    ),
    "every frame by itself": ("mov", "mjpeg", {"strict": "unofficial"}, "pcm_s16le", {"pixel_format": "yuvj420p"}),
    "Flash video": ("flv", "libx264", {"bf": "2", "g": "12"}, "aac", {"format": "flv"}),
    "a changing frame rate": (
        "mp4", "libx264", {"bf": "3", "g": "20"}, "aac",
        {"frame_times_s": tuple(np.cumsum(np.tile([0.02, 0.05, 0.11, 0.02, 0.4], 5)) - 0.02)},
    ),
    "a picture that starts late": ("mp4", "libx264", {"bf": "3", "g": "12"}, "aac", {"picture_start_s": 0.3}),
}  # fmt: skip


@pytest.fixture(scope="module")
def calibration_clips(tmp_path_factory) -> dict[str, Path]:
    return {"folder": tmp_path_factory.mktemp("pictures")}


def calibration_clip(made: dict[str, Path], kind: str) -> Path:
    if kind not in made:
        ending, codec, options, sound_codec, further = KINDS[kind]
        settings = {"width_px": 160, "height_px": 120, "duration_s": 3.6, "frames_hz": FRAMES_HZ, **further}
        made[kind] = write_calibration_clip(
            made["folder"] / f"{kind.replace(' ', '-')}.{ending}",
            codec=codec, codec_options=options, sound_codec=sound_codec, **settings,
        )  # fmt: skip
    return made[kind]


@pytest.mark.parametrize("start_s", [0.0, 0.61, 2.07])
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pictures_as_decoding_everything(calibration_clips, monkeypatch, kind, start_s):
    # Seek in these short files as in long ones.
    monkeypatch.setattr("video_understanding.media.decode._NEAR_S", 0.5)
    file = calibration_clip(calibration_clips, kind)
    clip = read_clip(file, SPEC, start_s)
    assert_same_pictures(clip, pictures_by_decoding_everything(file, SPEC, start_s))
    assert clip.notes == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "changing" not in kind and "odd" not in kind])
def test_the_numbers_on_the_pictures_are_those_of_their_instants(calibration_clips, kind):
    """Decoding everything could have the same fault as our reader; the numbers drawn on the frames cannot."""
    clip = read_clip(calibration_clip(calibration_clips, kind), SPEC, 0.61)
    late_s = KINDS[kind][4].get("picture_start_s", 0.0)
    expected = np.floor((SPEC.instants_s(0.61) - late_s) * FRAMES_HZ + 1e-6).astype(int)
    numbers = [read_barcode(frame) for frame in clip.frames]
    if "B-frames in AVI" in kind:  # AVI has no times of its own; with B-frames they are a frame off
        assert np.abs(np.array(numbers) - expected).max() <= 1
    else:
        assert numbers == expected.tolist()


def test_an_instant_between_two_far_frames_shows_the_earlier(calibration_clips):
    clip = read_clip(calibration_clip(calibration_clips, "a changing frame rate"), SPEC, 0.61)
    times_s = KINDS["a changing frame rate"][4]["frame_times_s"]
    expected = np.searchsorted(times_s, SPEC.instants_s(0.61) + 1e-9, side="right") - 1
    assert [read_barcode(frame) for frame in clip.frames] == expected.tolist()


# The matrix (a b / c d) of a track and what it does to a stored picture [H,W,3], as ISO/IEC 14496-12 defines it.
ORIENTATIONS = {
    "upright": ((1, 0, 0, 1), lambda picture: picture),
    "a quarter clockwise": ((0, 1, -1, 0), lambda picture: np.rot90(picture, -1)),
    "upside down": ((-1, 0, 0, -1), lambda picture: np.rot90(picture, 2)),
    "a quarter counterclockwise": ((0, -1, 1, 0), lambda picture: np.rot90(picture, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda picture: picture[:, ::-1]),
    "mirrored top to bottom": ((1, 0, 0, -1), lambda picture: picture[::-1]),
    "mirrored and turned": ((0, 1, 1, 0), lambda picture: picture.transpose(1, 0, 2)),
    "mirrored and turned the other way": ((0, -1, -1, 0), lambda picture: np.rot90(picture, 2).transpose(1, 0, 2)),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_frames_are_rotated_and_mirrored_by_the_display_matrix(tmp_path, calibration_clips, name):
    matrix, turn = ORIENTATIONS[name]
    square = ModelSpec(
        window_s=1, video=VideoSpec(frames_hz=4, height_px=96, width_px=96, fit="stretch"), audio=AudioSpec(hop_s=0.5)
    )
    plain = calibration_clip(calibration_clips, "short groups")
    content = bytearray(plain.read_bytes())
    header = content.index(b"tkhd") + 4  # version and flags, then times, then the matrix
    at = header + 40
    assert struct.unpack_from(">9i", content, at) == (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    a, b, c, d = (65536 * value for value in matrix)
    struct.pack_into(">9i", content, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(content)
    expected = np.stack([turn(frame) for frame in read_clip(plain, square).frames])
    assert np.array_equal(read_clip(turned, square).frames, expected)


def test_a_turned_picture_is_fitted_by_its_upright_shape(tmp_path, calibration_clips):
    """A phone held upright: 160x120 stored, 120x160 shown, and padded left and right."""
    content = bytearray(calibration_clip(calibration_clips, "short groups").read_bytes())
    struct.pack_into(">5i", content, content.index(b"tkhd") + 44, 0, 65536, 0, -65536, 0)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(content)
    spec = ModelSpec(
        window_s=1, video=VideoSpec(frames_hz=4, height_px=80, width_px=80, fit="pad"), audio=AudioSpec(hop_s=0.5)
    )
    frame = read_clip(turned, spec).frames[0]
    assert not frame[:, :10].any()
    assert not frame[:, 70:].any()
    assert frame[:, 12:68].any(axis=2).mean() > 0.5


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_wide_pixels_are_fitted_as_displayed_though_only_the_coded_frames_give_their_shape(tmp_path, ending):
    """160x120 stored, 320x120 shown: 96x36 of 96x96."""
    file = write_calibration_clip(
        tmp_path / f"wide.{ending}", width_px=160, height_px=120, sound_codec="libmp3lame",
        codec_options={"bf": "0", "x264-params": "sar=2/1"},
    )  # fmt: skip
    with open_media(file, probe=False) as media:
        assert not media.picture.sample_aspect_ratio or ending != "mp4"
    spec = ModelSpec(window_s=1, video=VideoSpec(4, 96, 96, fit="pad"), audio=AudioSpec(hop_s=0.5))
    frame = read_clip(file, spec).frames[0]
    there = np.flatnonzero(frame.any(axis=(1, 2)))
    assert (there[0], there[-1]) == (30, 65)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_opened_without_probing_gives_the_same_timestamps(calibration_clips, kind):
    """Plans depend on them; where FFmpeg needs to probe for them, it does."""
    read = []
    for probe in (True, False):
        with open_media(calibration_clip(calibration_clips, kind), probe) as media:
            streams = [(stream.start_time, stream.duration, stream.frames) for stream in media.streams]
            rate_hz = media.picture.average_rate
            packets = [
                (packet.stream_index, packet.pts, packet.dts, packet.duration, packet.is_keyframe, packet.is_discard)
                for packet in media.container.demux()
            ]
            read.append((media.zero_s, media.announced_s, rate_hz, streams, packets))
    assert read[0] == read[1]


@pytest.mark.parametrize(("kind", "probes"), [("short groups", False), ("VP9", False), ("pyramid of B-frames", True)])
def test_opening_decodes_no_frame_where_the_index_is_enough(calibration_clips, kind, probes):
    with open_media(calibration_clip(calibration_clips, kind), probe=False) as media:
        assert (media.picture.codec_context.pix_fmt is not None) is probes


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_every_fit_gives_the_requested_size(calibration_clips, fit):
    file = calibration_clip(calibration_clips, "short groups")
    spec = ModelSpec(
        window_s=1, video=VideoSpec(frames_hz=4, height_px=90, width_px=50, fit=fit), audio=AudioSpec(hop_s=0.5)
    )
    assert read_clip(file, spec).frames.shape == (4, 90, 50, 3)


def test_an_edit_list_that_cuts_into_a_group_begins_at_its_start_time(tmp_path, calibration_clips):
    """Frames before the cut are decoded as references for the rest, and never returned."""
    import av

    source = calibration_clip(calibration_clips, "short groups")
    cut = tmp_path / "cut.mp4"
    with av.open(str(source)) as original, av.open(str(cut), "w", options={"avoid_negative_ts": "disabled"}) as copy:
        stream = original.streams.video[0]
        twin = copy.add_stream_from_template(stream)
        for packet in original.demux(stream):
            if packet.size:
                packet.pts -= round(0.52 / packet.time_base)
                packet.dts -= round(0.52 / packet.time_base)
                packet.stream = twin
                copy.mux(packet)
    clip = read_clip(cut, SPEC)
    expected = np.floor((SPEC.instants_s() + 0.52) * FRAMES_HZ + 1e-6).astype(int)
    assert [read_barcode(frame) for frame in clip.frames] == expected.tolist()
    assert_same_pictures(clip, pictures_by_decoding_everything(cut, SPEC))


def test_cover_art_is_no_picture(tmp_path, calibration_clips):
    import av

    source = calibration_clip(calibration_clips, "short groups")
    song = tmp_path / "song.m4a"
    art = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 200, np.uint8), format="rgb24")
    with av.open(str(source)) as original, av.open(str(song), "w", format="mp4") as copy:
        sound = copy.add_stream_from_template(original.streams.audio[0])
        cover = copy.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        copy.mux(cover.encode(art.reformat(format="yuvj420p")))
        copy.mux(cover.encode(None))
        for packet in original.demux(original.streams.audio[0]):
            if packet.size:
                packet.stream = sound
                copy.mux(packet)
    clip = read_clip(song, SPEC)
    assert clip.modalities == {"video": False, "audio": True}
    assert not clip.frames.any()


def test_an_8k_picture_does_not_break_it(tmp_path):
    """33 million pixels each; they are scaled straight to the clip's size, never held as RGB."""
    import av

    file = tmp_path / "8k.mp4"
    luma = np.repeat(np.repeat(np.array([[20, 235], [235, 20]], np.uint8), 2160, axis=0), 3840, axis=1)  # [H,W]
    planes = np.concatenate([luma, np.full((2160, 7680), 128, np.uint8)])  # with both planes of colour, yuv420p
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=8, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
    clip = read_clip(file, SPEC)
    assert clip.frame_present.tolist() == [True, True, False, False, False, False]
    corners = clip.frames[0, [10, 10, 85, 85], [10, 117, 10, 117]].mean(axis=1)
    assert np.allclose(corners, [5, 255, 255, 5], atol=6)
