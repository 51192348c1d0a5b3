"""Live frames from a camera with OpenCV and NumPy alone, at the frame rate and size that the spec reads.

A camera sends more frames than a model needs, and sometimes fewer. Each position of the model's time grid
(`spec.instants_s()`, continued from the first frame) gets the frame displayed at its instant;
frames in between are skipped without being decoded, and frames that did not arrive in time are counted,
never made up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from video_understanding.errors import MediaError, missing_extra
from video_understanding.media.placement import placement
from video_understanding.spec import ModelSpec

QUEUED_S = 0.002  # a frame that arrives sooner than this was waiting in the driver's queue and is out of date
QUEUE_LENGTH = 8  # no driver buffers more; a camera whose frames always arrive at once is not drained for ever
CAMERA = "camera:"  # prefix of a source that is a camera and not a file, followed by the camera's number
FAILURES_IN_A_ROW = 3  # single failures happen while a camera warms up; one that fails this often is gone


def camera_number(source: str) -> int | None:
    """The number in "camera:0"; None if the source is no camera at all."""
    if not source.startswith(CAMERA):
        return None
    number = source.removeprefix(CAMERA)
    if not number.isdecimal():
        raise MediaError(source, "names no camera", "Write camera:0 for the first one.")
    return int(number)


@dataclass
class CaptureReport:
    """Counts of the frames so far.

    delivered  frames returned
    passed_by  frames that the camera sent between two positions of the grid, skipped
    stale      frames that had waited in the driver's queue while the caller was busy, discarded
    missed     positions of the grid without a frame: the camera or the computer was too slow
    late       frames returned more than half a step after their instant
    failed     reads of the camera that gave no frame
    """

    delivered: int = 0
    passed_by: int = 0
    stale: int = 0
    missed: int = 0
    late: int = 0
    failed: int = 0

    @property
    def place(self) -> int:
        """Position on the grid of the frame returned last, counted from 0; -1 before the first."""
        return self.delivered + self.missed - 1

    def __str__(self) -> str:
        troubles = [f"{getattr(self, name)} {name}" for name in ("missed", "late", "stale", "failed")]
        return f"{self.delivered} delivered, {', '.join(troubles)}"


class CameraFrames:
    """Iterates over (time_s, frame): seconds since the first picture, and uint8 [H,W,3] RGB as the spec reads it.

    `source` is a camera's number, or a video file, which is read as fast as the caller iterates, by its own
    timestamps. Use it in a `with` block, so that the camera is released however the block is left:

        with CameraFrames(0, spec) as frames:
            for time_s, frame in frames:
                ...
        print(frames.report)

    `report.place` is the position on the grid of the frame returned last. `clock` returns seconds, and
    `open_capture` returns an object with the interface of `cv2.VideoCapture`, open or not.
    """

    def __init__(
        self,
        source: int | Path,
        spec: ModelSpec,
        clock: Callable[[], float] = time.monotonic,
        open_capture: Callable[[int | str], Any] | None = None,
    ) -> None:
        self.report = CaptureReport()
        self._live = isinstance(source, int)
        self._name = f"camera {source}" if self._live else str(source)
        self._spec = spec
        self._clock = clock
        self._cv2 = _opencv()
        self._failures_in_a_row = 0
        with _without_log(self._cv2):  # a failure is raised as an error
            self._capture = (open_capture or self._cv2.VideoCapture)(source if self._live else str(source))
        if not self._capture.isOpened():
            self.close()
            raise self._cannot_open()

    def __enter__(self) -> CameraFrames:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Releases the camera, for other programs to use."""
        self._capture.release()

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        video, report = self._spec.video, self.report
        rate_hz = float(video.frames_hz)
        next_place = 0
        try:
            for time_s, until_s in self._live_views() if self._live else self._file_views():
                place = math.floor(until_s * rate_hz - 0.5)  # the last one whose instant has passed
                if place < next_place:
                    report.passed_by += 1
                    continue
                taken, picture = self._capture.retrieve()
                if not taken or picture is None:
                    self._count_failure()
                    continue
                self._failures_in_a_row = 0
                frame = fit_frame(picture, video.read_height_px, video.read_width_px, video.fit)  # [H,W,3], BGR
                report.missed += place - next_place
                report.late += time_s - (place + 0.5) / rate_hz > 0.5 / rate_hz
                report.delivered += 1
                next_place = place + 1
                yield time_s, self._cv2.cvtColor(frame, self._cv2.COLOR_BGR2RGB)
            if not report.delivered:
                raise MediaError(
                    self._name,
                    f"has no picture {0.5 / rate_hz:g} s after its first, or none that OpenCV can decode",
                    "Check what is in it with: vu inspect",
                )
        finally:
            self.close()

    def _live_views(self) -> Iterator[tuple[float, float]]:
        """(start, end) of the display time of each grabbed frame, in seconds since the first; decodes none."""
        first_s = last_s = None
        queued = 0
        while self._failures_in_a_row < FAILURES_IN_A_ROW:
            before_s = self._clock()
            if not self._capture.grab():
                self._count_failure()
                continue
            now_s = self._clock()
            # Frames that arrive at once after the caller was busy were in the queue, and their age is not
            # known. They are discarded until one takes as long as a new exposure.
            busy = last_s is not None and before_s - last_s > QUEUED_S
            queued = queued + 1 if now_s - before_s < QUEUED_S and (busy or queued) else 0
            last_s = now_s
            if 0 < queued <= QUEUE_LENGTH:
                self.report.stale += 1
                continue
            first_s = now_s if first_s is None else first_s
            yield now_s - first_s, now_s - first_s  # when the next one arrives is not known yet
        raise MediaError(
            self._name,
            f"gave no picture {FAILURES_IN_A_ROW} times in a row, after {self.report.delivered} delivered",
            "Check its cable and that no other program took it, then start again.",
        )

    def _file_views(self) -> Iterator[tuple[float, float]]:
        """The same for a file, by its own timestamps; a frame is displayed until the next."""
        frame_hz = self._capture.get(self._cv2.CAP_PROP_FPS)
        shown_s = 0.999 / frame_hz if frame_hz > 0 else 0.0  # slightly less: at any instant only one is displayed
        first_s = None
        while self._capture.grab():
            time_s = self._capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1000.0
            first_s = time_s if first_s is None else first_s
            yield time_s - first_s, time_s - first_s + shown_s

    def _count_failure(self) -> None:
        self.report.failed += 1
        self._failures_in_a_row += 1

    def _cannot_open(self) -> MediaError:
        if self._live:
            cure = (
                "Check that it is plugged in, that no other program uses it and that you may use it "
                "(on Linux the group video, elsewhere the privacy settings), or try another number."
            )
        else:
            cure = "Check that the file is there and is a video."
        return MediaError(self._name, "cannot be opened", cure)


def fit_frame(picture: np.ndarray, height_px: int, width_px: int, fit: str) -> np.ndarray:
    """A picture, uint8 [h,w,3] with square pixels, as uint8 [height_px,width_px,3] in the same channel order.

    `fit` is that of `VideoSpec`: "crop", "pad" or "stretch". For a stream the size is `read_height_px` and
    `read_width_px` of the `VideoSpec`.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise MediaError(
            f"picture of {picture.dtype} {list(picture.shape)}", "cannot be fitted", "Give uint8 [height, width, 3]."
        )
    place = placement(*picture.shape[:2], height_px, width_px, fit)
    top, left = place.top_px, place.left_px
    scaled = _scaled(picture, place.height_px, place.width_px)
    if fit == "pad":
        frame = np.zeros((height_px, width_px, 3), np.uint8)
        frame[top : top + place.height_px, left : left + place.width_px] = scaled
        return frame
    return np.ascontiguousarray(scaled[top : top + height_px, left : left + width_px])  # [H,W,3]


def _scaled(picture: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    """uint8 [height_px,width_px,3]; averages where it shrinks, interpolates where it grows."""
    cv2 = _opencv()
    height, width = picture.shape[:2]
    # First what shrinks, then what grows: OpenCV averages only where both sides shrink or stay.
    small = min(height, height_px), min(width, width_px)
    if small != (height, width):
        picture = cv2.resize(picture, small[::-1], interpolation=cv2.INTER_AREA)
    if small != (height_px, width_px):
        picture = cv2.resize(picture, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    return picture


@contextmanager
def _without_log(cv2: ModuleType) -> Iterator[None]:
    log = cv2.utils.logging
    before = log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(before)


def _opencv() -> ModuleType:
    try:
        import cv2
    except ImportError as error:
        raise missing_extra("opencv-python-headless", "to read from a camera", "camera") from error
    return cv2
