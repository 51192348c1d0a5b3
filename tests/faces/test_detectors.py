"""What is asked of a network that detects faces, and boxes of one's own in its place."""

from __future__ import annotations

import numpy as np
import pytest

from video_understanding.errors import ManifestError
from video_understanding.faces.face import Face, overlap
from video_understanding.faces.given_boxes import BOX_COLUMNS, GivenBoxes
from video_understanding.faces.network_detector import CELLS, NetworkDetector, cell_middles, cell_sides, looks


def bright_squares(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Stands for a network: a red patch is a face, found from 12 pixels on, by all cells that it covers."""
    logits, places = np.full((len(pictures), CELLS), -9.0, np.float32), np.zeros((len(pictures), CELLS, 8), np.float32)
    middles, sides = cell_middles(), cell_sides()
    for number, picture in enumerate(pictures):
        rows, columns = np.nonzero(picture[..., 0] > 128)
        if len(rows) == 0 or np.ptp(rows) < 11:
            continue
        middle = np.array([columns.mean(), rows.mean()]) + 0.5
        size = np.array([np.ptp(columns), np.ptp(rows)]) + 1.0
        near = np.abs(middles - middle).max(axis=1) <= sides
        logits[number, near] = 3.0
        off = (middle - middles) / sides[:, None]
        places[number, :, :2], places[number, :, 2:4] = off, np.log(size / sides[:, None])
        places[number, :, 4:] = np.concatenate(
            [off - 0.2 * size / sides[:, None], off + 0.2 * size / sides[:, None]], 1
        )
    return logits, places


def frame_with(left: int, top: int, size: int, height_px: int = 360, width_px: int = 640) -> np.ndarray:
    frame = np.zeros((height_px, width_px, 3), np.uint8)
    frame[top : top + size, left : left + size, 0] = 255
    return frame


@pytest.mark.parametrize("place", [(100, 80, 120), (500, 200, 100), (290, 130, 90)])
@pytest.mark.parametrize("levels", [1, 2, 3])
def test_a_face_is_found_once_where_it_is(place, levels):
    left, top, size = place
    (face,) = NetworkDetector(bright_squares, levels=levels)(frame_with(*place))
    assert overlap(face, Face((left, top, left + size, top + size))) > 0.85
    assert face.score == pytest.approx(1 / (1 + np.exp(-3)))
    (eye_x, _), (other_x, _) = face.eyes
    assert other_x - eye_x == pytest.approx(0.4 * size, rel=0.15)


def test_a_small_face_is_found_by_the_second_looks():
    frame = frame_with(420, 150, 40)
    assert NetworkDetector(bright_squares, levels=1)(frame) == []
    (face,) = NetworkDetector(bright_squares, levels=2)(frame)
    assert overlap(face, Face((420.0, 150.0, 460.0, 190.0))) > 0.8


@pytest.mark.parametrize(("height_px", "width_px"), [(360, 640), (640, 360), (128, 128), (100, 999), (40, 60)])
def test_the_squares_cover_the_frame(height_px, width_px):
    for level in (1, 2, 3):
        covered = np.zeros((height_px, width_px), bool)
        for left, top, side in looks(height_px, width_px, level):
            covered[max(round(top), 0) : round(top + side), max(round(left), 0) : round(left + side)] = True
        assert covered.all()


def test_nothing_is_found_in_nothing():
    assert NetworkDetector(bright_squares)(np.zeros((90, 160, 3), np.uint8)) == []


def test_boxes_of_a_table():
    row = dict(zip(BOX_COLUMNS, ["0.25", "0.1", "0.5", "0.6"], strict=True))
    (face,) = GivenBoxes.of_row(row, "clips.csv, line 2")(np.zeros((100, 200, 3), np.uint8))
    assert face.box == pytest.approx((50, 10, 100, 60))
    assert GivenBoxes.of_row({"path": "a.mp4"}, "clips.csv, line 2") is None
    assert GivenBoxes.of_row(dict.fromkeys(BOX_COLUMNS, " "), "clips.csv, line 2") is None


@pytest.mark.parametrize(
    "box", [["0.5", "0.1", "0.25", "0.6"], ["1", "", "", ""], ["a", "b", "c", "d"], ["9", "9", "99", "99"], ["nan"] * 4]
)
def test_a_box_that_is_none_names_its_line(box):
    with pytest.raises(ManifestError, match=r"clips.csv, line 7.*face_left"):
        GivenBoxes.of_row(dict(zip(BOX_COLUMNS, box, strict=True)), "clips.csv, line 7")
