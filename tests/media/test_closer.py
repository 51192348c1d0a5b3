"""Where most moves is found, in noise, too; where nothing moves it is the middle; and no pixel is changed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.test_house import run_blocked
from video_understanding.clip import Clip
from video_understanding.media.closer import closer, moving_part
from video_understanding.spec import ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=2.0, video=VideoSpec(frames_hz=4, height_px=48, width_px=64, zoom=2))
HEIGHT_PX, WIDTH_PX = SPEC.read_shape[1:3]  # 96 x 128
THERE = np.ones(SPEC.frames, bool)
FIGURE_PX = 6


def street() -> np.ndarray:
    """uint8 [T,96,128,3] of walls and windows in which nothing moves."""
    coarse = np.random.default_rng(0).integers(40, 200, (HEIGHT_PX // 8, WIDTH_PX // 8, 3)).astype(np.uint8)
    return np.stack([coarse.repeat(8, axis=0).repeat(8, axis=1)] * SPEC.frames)


def with_figure(frames: np.ndarray, top: int, left: int) -> np.ndarray:
    """The same with a small figure that walks ten pixels to the right, from this place on."""
    frames = frames.copy()
    for number, frame in enumerate(frames):
        x = left + number * 10 // (len(frames) - 1)
        frame[top : top + FIGURE_PX, x : x + FIGURE_PX] = (250, 40, 40) if number % 2 else (250, 60, 40)
    return frames


def noisy(frames: np.ndarray, strength: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, strength, frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8)


def clip_of(frames: np.ndarray, present: np.ndarray = THERE) -> Clip:
    return Clip(frames, SPEC.instants_s(), present, np.zeros(SPEC.samples, np.float32), 16_000)


def part_of(frames: np.ndarray, present: np.ndarray = THERE) -> tuple[int, int]:
    return moving_part(frames, present, SPEC.video.height_px, SPEC.video.width_px)


def require_seen(top: int, left: int, part: tuple[int, int]) -> None:
    """All of the figure's walk is in the part, but for a pixel at its rim."""
    assert part[0] - 1 <= top and top + FIGURE_PX <= part[0] + 48 + 1
    assert part[1] - 1 <= left and left + 10 + FIGURE_PX <= part[1] + 64 + 1


PLACES = [(4, 4), (4, 108), (82, 4), (82, 108), (60, 20)]


@pytest.mark.parametrize(("top", "left"), PLACES)
@pytest.mark.parametrize("strength", [0.0, 8.0])
def test_a_small_figure_is_found_wherever_it_walks_and_in_a_noisy_picture(top, left, strength):
    require_seen(top, left, part_of(noisy(with_figure(street(), top, left), strength)))


def test_who_moves_stands_in_the_middle_of_what_is_seen():
    top, left = part_of(with_figure(street(), 40, 50))
    middle = top + 48 / 2, left + 64 / 2
    assert abs(middle[0] - 43) <= 3 and abs(middle[1] - 58) <= 4  # a sixteenth of the part


@pytest.mark.parametrize("frames", [street(), np.zeros((SPEC.frames, HEIGHT_PX, WIDTH_PX, 3), np.uint8)])
def test_where_nothing_moves_it_is_the_middle(frames):
    assert part_of(frames) == (24, 32)


@pytest.mark.parametrize("there", [[], [3], [0, 2, 4]])
def test_what_is_not_there_does_not_move(there):
    """Frames that are not present, and changes from them and to them, count for nothing."""
    present = np.isin(np.arange(SPEC.frames), there)
    frames = with_figure(street(), 4, 4)
    assert part_of(frames, present) == (24, 32)


def test_a_flash_in_a_frame_that_is_not_there_is_passed_over():
    frames = with_figure(street(), 4, 4)
    frames[3, 60:, 80:] = 255
    assert part_of(frames)[0] > 24 and part_of(frames)[1] > 32
    top, left = part_of(frames, np.arange(SPEC.frames) != 3)
    assert top <= 4 and left <= 4


@pytest.mark.parametrize("zoom", [2, 3, 4])
def test_all_frames_are_cut_alike_and_no_pixel_is_changed(zoom):
    spec = ModelSpec(window_s=2.0, video=VideoSpec(frames_hz=4, height_px=96 // zoom, width_px=25, zoom=zoom))
    frames = with_figure(street(), 70, 20)[:, : spec.read_shape[1], : spec.read_shape[2]]
    seen = closer(clip_of(frames), spec)
    assert seen.frames.shape == spec.frames_shape
    top, left = moving_part(frames, THERE, *spec.frames_shape[1:3])
    assert np.array_equal(seen.frames, frames[:, top : top + 96 // zoom, left : left + 25])
    assert closer(seen, spec) is seen  # what is of the network's size is that part already


def test_without_zoom_clips_stay_as_they_are():
    spec = ModelSpec(window_s=2.0, video=VideoSpec(frames_hz=4, height_px=HEIGHT_PX, width_px=WIDTH_PX))
    clip = clip_of(with_figure(street(), 4, 4))
    assert closer(clip, spec) is clip


def test_callers_that_bring_their_own_frames_need_nothing_but_numpy(tmp_path):
    program = """
import numpy as np
from video_understanding.media.closer import moving_part
print(moving_part(np.zeros((4, 64, 64, 3), np.uint8), np.ones(4, bool), 32, 32))
"""
    blocked = {"av", "tqdm", "cv2", "tensorflow", "keras", "librosa", "ai_edge_litert"}
    assert run_blocked(blocked, program, tmp_path).strip() == "(16, 16)"


def test_the_smallest_pictures_there_are():
    rng = np.random.default_rng(0)
    for height_px, width_px in ((1, 1), (1, 3), (2, 1)):
        frames = rng.integers(0, 256, (4, 2 * height_px, 2 * width_px, 3), np.uint8)
        top, left = moving_part(frames, np.ones(4, bool), height_px, width_px)
        assert 0 <= top <= height_px and 0 <= left <= width_px
