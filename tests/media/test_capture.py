"""Frames of a camera arrive at the spec's rate and size, up to date, and every loss is counted."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import cv2
import numpy as np
import pytest

from tests.recognition.worlds import ColourScorer
from video_understanding.errors import ClipError, MediaError, MissingExtraError, SpecError
from video_understanding.media.capture import CameraFrames, fit_frame
from video_understanding.media.placement import Placement, placement
from video_understanding.recognition.streaming import StreamingRecognizer
from video_understanding.spec import ModelSpec, VideoSpec

SPEC = ModelSpec(video=VideoSpec(frames_hz=4.0, height_px=24, width_px=32, fit="crop"))
STEP_S = 0.25


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Camera:
    """Takes a picture every 1/frame_hz seconds, its number as its brightness.

    As a driver does, it buffers the oldest four frames not yet read, and drops those after them.
    """

    def __init__(
        self, clock: Clock, frame_hz: float = 30.0, fails_at: tuple[int, ...] = (), opens: bool = True
    ) -> None:
        self.clock, self.frame_hz, self.fails_at, self.opens = clock, frame_hz, fails_at, opens
        self.begin_s = clock.now_s
        self.queue: list[int] = []
        self.last = -1
        self.grabs = self.retrieves = 0
        self.grabbed: int | None = None
        self.released = False

    def __call__(self, source: int | str) -> Camera:
        self.source = source
        return self

    def isOpened(self) -> bool:
        return self.opens and not self.released

    def grab(self) -> bool:
        self.grabs += 1
        if self.grabs in self.fails_at:
            return False
        latest = int((self.clock.now_s - self.begin_s) * self.frame_hz + 1e-6)
        self.queue = (self.queue + list(range(self.last + 1, latest + 1)))[:4]
        self.last = max(self.last, latest)
        if self.queue:
            self.grabbed = self.queue.pop(0)
            self.clock.now_s += 0.0001
        else:
            self.last = self.grabbed = self.last + 1
            self.clock.now_s = self.taken_s(self.grabbed)
        return True

    def retrieve(self) -> tuple[bool, np.ndarray]:
        self.retrieves += 1
        return True, np.full((48, 64, 3), self.grabbed, np.uint8)

    def get(self, _property: int) -> float:
        return 0.0  # as a camera that does not report its rate

    def release(self) -> None:
        self.released = True

    def taken_s(self, number: int) -> float:
        return self.begin_s + number / self.frame_hz


def test_camera_is_read_at_the_rate_of_the_spec_and_only_what_is_needed_is_decoded():
    clock = Clock()
    camera = Camera(clock)
    with CameraFrames(0, SPEC, clock, camera) as frames:
        times_s = [time_s for (time_s, frame), _ in zip(frames, range(20), strict=False)]
    instants_s = (np.arange(20) + 0.5) * STEP_S
    lateness_s = np.array(times_s) - instants_s
    assert lateness_s.min() >= -1e-9
    assert lateness_s.max() <= 1 / 30 + 1e-3  # the first picture at or after the instant
    assert camera.retrieves == 21  # the 20 above, and one more by zip()
    assert camera.grabs > 120
    assert (frames.report.missed, frames.report.late, frames.report.stale, frames.report.failed) == (0, 0, 0, 0)


def test_frames_have_the_size_of_the_spec():
    clock = Clock()
    with CameraFrames(0, SPEC, clock, Camera(clock)) as frames:
        _, frame = next(iter(frames))
    assert frame.shape == (24, 32, 3)
    assert frame.dtype == np.uint8


def test_frames_are_larger_by_the_zoom_as_streams_need_them():
    clock = Clock()
    spec = dataclasses.replace(SPEC, video=dataclasses.replace(SPEC.video, zoom=2))
    stream = StreamingRecognizer(ColourScorer(spec))
    with CameraFrames(0, spec, clock, Camera(clock)) as frames:
        time_s, frame = next(iter(frames))
    assert frame.shape == (48, 64, 3)
    stream.push_frames(frame[None], np.array([time_s]))
    with pytest.raises(ClipError, match=r"not uint8 \[n, 48, 64, 3\]"):
        stream.push_frames(frame[None, :24, :32], np.array([time_s]))


def test_a_slow_caller_gets_current_frames_and_missed_ones_are_counted():
    clock = Clock()
    camera = Camera(clock)
    places = []
    with CameraFrames(0, SPEC, clock, camera) as frames:
        for time_s, frame in frames:
            taken_s = camera.taken_s(int(frame[0, 0, 0])) - camera.begin_s
            assert time_s - taken_s < 1 / 30, "an old picture from the driver's queue passed for a new one"
            places.append(frames.report.place)
            assert 0 <= time_s - (places[-1] + 0.5) * STEP_S < STEP_S, "counted at another place than it belongs"
            if len(places) == 8:
                break
            clock.now_s += 0.6  # each picture costs more than two steps
    assert frames.report.stale >= 4 * 7
    assert frames.report.missed > 7
    assert places == sorted(set(places))


def test_camera_slower_than_the_spec_leaves_places_empty_instead_of_repeating():
    clock = Clock()
    with CameraFrames(0, SPEC, clock, Camera(clock, frame_hz=2.0)) as frames:
        times_s = [time_s for (time_s, _), _ in zip(frames, range(5), strict=False)]
    assert np.diff(times_s) == pytest.approx(0.5, abs=1e-3)
    assert frames.report.missed >= 4


def test_pictures_long_after_their_instant_are_counted_late():
    clock = Clock()
    with CameraFrames(0, SPEC, clock, Camera(clock, frame_hz=1 / 0.3)) as frames:  # at 0.3, 0.6, 0.9, 1.2 ... s
        for _ in zip(frames, range(3), strict=False):
            pass
    assert frames.report.late >= 2  # 0.3 is 0.175 after 0.125; 0.6 is 0.225 after 0.375


def test_a_single_failure_is_tolerated_and_counted():
    clock = Clock()
    with CameraFrames(0, SPEC, clock, Camera(clock, fails_at=(1, 9, 10))) as frames:
        times_s = [time_s for (time_s, _), _ in zip(frames, range(4), strict=False)]
    assert len(times_s) == 4
    assert frames.report.failed == 3


def test_camera_that_disappears_is_named_and_released():
    clock = Clock()
    camera = Camera(clock, fails_at=tuple(range(30, 100)))
    frames = CameraFrames(2, SPEC, clock, camera)
    with pytest.raises(MediaError, match=r"camera 2: gave no picture .* after 4 delivered. Check its cable"):
        list(frames)
    assert camera.released


def test_camera_whose_frames_cannot_be_decoded_is_an_error():
    clock = Clock()
    camera = Camera(clock)
    camera.retrieve = lambda: (False, None)
    with pytest.raises(MediaError, match="camera 0: gave no picture"):
        list(CameraFrames(0, SPEC, clock, camera))


def test_camera_that_cannot_be_opened_is_an_error_with_a_cure():
    clock = Clock()
    camera = Camera(clock, opens=False)
    with pytest.raises(MediaError, match=r"camera 7: cannot be opened.*plugged in.*other program.*another number"):
        CameraFrames(7, SPEC, clock, camera)
    assert camera.source == 7
    assert camera.released


@pytest.mark.parametrize("where", ["grab", "retrieve"])
def test_camera_is_released_on_ctrl_c(where):
    clock = Clock()
    camera = Camera(clock)

    def interrupted():
        raise KeyboardInterrupt

    setattr(camera, where, interrupted)
    frames = CameraFrames(0, SPEC, clock, camera)
    with pytest.raises(KeyboardInterrupt):
        list(frames)
    assert camera.released


def test_camera_is_released_when_the_block_is_left():
    clock = Clock()
    camera = Camera(clock)
    with CameraFrames(0, SPEC, clock, camera) as frames:
        iterator = iter(frames)  # held, so that nothing but the block's end can release it
        next(iterator)
    assert camera.released


@pytest.mark.parametrize("file_hz", [8, 10, 25, 30])
def test_file_gives_the_frame_displayed_at_each_instant(tmp_path, file_hz):
    path = tmp_path / "numbered.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), file_hz, (64, 48))
    count = 3 * file_hz
    for number in range(count):
        writer.write(np.full((48, 64, 3), number * 2, np.uint8))
    writer.release()
    with CameraFrames(path, SPEC) as frames:
        read = [(time_s, round(float(frame[..., 1].mean()) / 2)) for time_s, frame in frames]
    instants_s = (np.arange(12) + 0.5) * STEP_S
    in_view = np.floor(instants_s * file_hz + 1e-9)
    assert [number for _, number in read] == in_view.tolist()
    assert [time_s for time_s, _ in read] == pytest.approx(in_view / file_hz, abs=1e-3)
    assert frames.report.delivered == 12
    assert frames.report.missed == 0


def test_colours_come_as_red_green_blue(tmp_path):
    path = tmp_path / "red.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for _ in range(5):
        writer.write(np.full((48, 64, 3), (0, 0, 250), np.uint8))  # red, in OpenCV's order
    writer.release()
    with CameraFrames(path, SPEC) as frames:
        _, frame = next(iter(frames))
    assert frame.mean(axis=(0, 1)) == pytest.approx([250, 0, 0], abs=6)


def test_file_that_is_not_there_or_empty_is_named(tmp_path):
    absent = tmp_path / "absent.avi"
    with pytest.raises(MediaError, match=r"absent.avi: cannot be opened. Check that the file"):
        CameraFrames(absent, SPEC)
    brief = tmp_path / "brief.avi"
    writer = cv2.VideoWriter(str(brief), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    with pytest.raises(MediaError, match=r"brief.avi: has no picture 0.125 s after its first"):
        list(CameraFrames(brief, SPEC))


def test_reading_a_camera_needs_no_pyav_and_no_opencv_until_it_begins():
    code = (
        "import sys; sys.modules['av'] = None; import video_understanding.media.capture; "
        "assert 'cv2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_camera_that_is_not_there_is_one_error_and_no_lines_of_opencv(capfd):
    with pytest.raises(MediaError, match="camera 9"):
        CameraFrames(9, SPEC)
    assert capfd.readouterr().err == ""


def test_absent_opencv_is_an_error_with_the_command_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"opencv-python-headless.*camera.*pip install"):
        CameraFrames(0, SPEC)


# --- fitting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "target", "fit", "aspect", "expected"),
    [
        ((240, 320), (160, 160), "crop", 1.0, Placement(160, 214, 0, 27)),
        ((320, 240), (160, 160), "crop", 1.0, Placement(213, 160, 26, 0)),
        ((240, 320), (160, 160), "pad", 1.0, Placement(120, 160, 20, 0)),
        ((1080, 1920), (160, 160), "pad", 1.0, Placement(90, 160, 35, 0)),
        ((240, 320), (160, 160), "stretch", 1.0, Placement(160, 160, 0, 0)),
        ((576, 720), (144, 192), "crop", 16 / 15, Placement(144, 192, 0, 0)),  # a DV tape is 4:3
        ((576, 720), (144, 192), "crop", 64 / 45, Placement(144, 256, 0, 32)),  # and 16:9 when wide
        ((2, 9000), (160, 160), "pad", 1.0, Placement(1, 160, 79, 0)),
        ((160, 160), (160, 160), "crop", 1.0, Placement(160, 160, 0, 0)),
    ],
)
def test_placement_of_known_shapes(source, target, fit, aspect, expected):
    assert placement(*source, *target, fit, aspect) == expected


def test_placement_covers_or_holds_the_target_evenly_whatever_the_shape():
    generator = np.random.default_rng(1)
    for _ in range(2000):
        height, width, target_height, target_width = (int(size) for size in generator.integers(1, 400, 4))
        aspect = float(generator.choice([1.0, 16 / 15, 0.9]))
        crop = placement(height, width, target_height, target_width, "crop", aspect)
        assert crop.height_px >= target_height
        assert crop.width_px >= target_width
        assert 0 <= crop.height_px - target_height - 2 * crop.top_px <= 1
        assert 0 <= crop.width_px - target_width - 2 * crop.left_px <= 1
        assert crop.height_px == target_height or crop.width_px == target_width
        pad = placement(height, width, target_height, target_width, "pad", aspect)
        assert 1 <= pad.height_px <= target_height
        assert 1 <= pad.width_px <= target_width
        assert 0 <= target_height - pad.height_px - 2 * pad.top_px <= 1
        assert 0 <= target_width - pad.width_px - 2 * pad.left_px <= 1
        assert pad.height_px == target_height or pad.width_px == target_width
        if min(pad.height_px, pad.width_px) > 1:  # the shape is kept to within half a pixel, or one to the even width
            shape = width * aspect / height
            wide_off, tall_off = abs(pad.height_px * shape - pad.width_px), abs(pad.width_px / shape - pad.height_px)
            assert wide_off <= 1.0001 or tall_off <= 0.5001
        if crop.width_px > target_width:
            assert crop.width_px % 2 == 0  # the scaler takes three times as long for an odd width


def test_placement_refuses_what_has_no_shape():
    with pytest.raises(MediaError, match="0x240"):
        placement(240, 0, 160, 160, "crop")
    with pytest.raises(MediaError, match="pixel aspect"):
        placement(240, 320, 160, 160, "crop", pixel_aspect=0.0)
    with pytest.raises(SpecError, match=r"video.fit.*squeeze.*crop"):
        placement(240, 320, 160, 160, "squeeze")


def scene(height: int, width: int) -> np.ndarray:
    """uint8 [height,width,3]: soft light, edges at odd places and a little texture."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 90 + 60 * np.sin(x / width * 5) * np.cos(y / height * 3)
    picture = np.repeat(light[..., None], 3, axis=2)
    picture[height // 3 : height // 2, width // 5 : width // 2] = (220, 60, 30)
    picture[(x - 0.7 * width) ** 2 + (y - 0.6 * height) ** 2 < (height / 5) ** 2] = (20, 80, 240)
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("source", [(240, 320), (480, 640), (90, 120), (300, 100)])
def test_frames_agree_with_those_of_the_file_reader(source, fit):
    import av
    from av.video.reformatter import Interpolation, VideoReformatter

    picture = scene(*source)
    place = placement(*source, 160, 160, fit)
    scaled = VideoReformatter().reformat(
        av.VideoFrame.from_ndarray(picture, format="rgb24"),
        place.width_px,
        place.height_px,
        "rgb24",
        interpolation=Interpolation.BILINEAR,
    )
    scaled = scaled.to_ndarray()
    if fit == "pad":
        theirs = np.zeros((160, 160, 3), np.uint8)
        theirs[place.top_px : place.top_px + place.height_px, place.left_px : place.left_px + place.width_px] = scaled
    else:
        theirs = scaled[place.top_px : place.top_px + 160, place.left_px : place.left_px + 160]
    ours = fit_frame(picture, 160, 160, fit)
    difference = ours.astype(int) - theirs
    assert np.abs(difference).mean() < 2.0
    assert abs(difference.mean()) < 0.2
    assert np.array_equal(ours.any(axis=(0, 2)), theirs.any(axis=(0, 2)))  # the same columns are black
    assert np.array_equal(ours.any(axis=(1, 2)), theirs.any(axis=(1, 2)))  # and the same rows


def test_shrinking_averages_also_where_only_one_side_shrinks():
    stripes = np.zeros((20, 320, 3), np.uint8)
    stripes[:, ::4] = 200  # a quarter of the columns: sampling would show all of it or nothing
    frame = fit_frame(stripes, 80, 80, "stretch")
    assert frame == pytest.approx(50, abs=1)


def test_fitting_leaves_what_fits_alone_and_refuses_what_is_no_picture():
    picture = scene(160, 160)
    for fit in ("crop", "pad", "stretch"):
        assert np.array_equal(fit_frame(picture, 160, 160, fit), picture)
    with pytest.raises(MediaError, match=r"float32 \[8, 8\]"):
        fit_frame(np.zeros((8, 8), np.float32), 160, 160, "crop")
