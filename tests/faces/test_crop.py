"""Crops of faces: upright, of one size, the same everywhere; and when there is none."""

from __future__ import annotations

import dataclasses
import hashlib

import cv2
import numpy as np
import pytest

from video_understanding.errors import ClipError
from video_understanding.faces.crop import EYES_AT, crop_face, is_readable
from video_understanding.faces.face import Face, overlap
from video_understanding.faces.resample import resize, sample, shrink
from video_understanding.media.synthetic.crowd import Actor, Crowd

ACTOR = Actor(subject=2, emotion="happy", begin=(0.5, 0.5), end=(0.5, 0.5), radius=0.3)


def drawn(actor: Actor, height_px: int = 240, width_px: int = 320) -> tuple[np.ndarray, Face]:
    crowd = Crowd((actor,), seed=1)
    frame = next(crowd.frames([0.0], height_px=height_px, width_px=width_px))
    (true,) = crowd.faces(0.0, height_px=height_px, width_px=width_px)
    return frame, Face(true.box, 0.9, tuple(map(tuple, true.eyes.tolist())))


def difference(one: np.ndarray, other: np.ndarray) -> float:
    inner = (slice(8, 40), slice(8, 40))
    return float(np.abs(one[inner].astype(int) - other[inner]).mean())


@pytest.mark.parametrize("angle", [-0.5, -0.2, 0.3, 0.6])
def test_a_tilted_face_is_turned_upright(angle):
    upright = crop_face(*drawn(ACTOR))
    frame, face = drawn(dataclasses.replace(ACTOR, angle=angle))
    assert difference(crop_face(frame, face), upright) < 10
    assert difference(crop_face(frame, dataclasses.replace(face, eyes=None)), upright) > 20


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.5])
def test_a_face_gives_the_same_crop_at_any_size(factor):
    frame, face = drawn(ACTOR, 480, 640)
    smaller = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else 1)
    box = tuple(factor * value for value in face.box)
    eyes = tuple(tuple(factor * value for value in eye) for eye in face.eyes)
    assert difference(crop_face(smaller, Face(box, 0.9, eyes)), crop_face(frame, face)) < 5


def test_the_eyes_are_where_the_encoder_expects_them():
    frame = np.full((200, 200, 3), 128, np.uint8)
    face = Face((60.0, 50.0, 144.0, 134.0), 1.0, ((82.0, 72.7), (122.0, 72.7)))
    for x, _ in face.eyes:
        frame[71:75, round(x) - 2 : round(x) + 2] = 255
    crop = crop_face(frame, face)
    rows, columns = np.nonzero(crop > 150)
    assert abs(rows.mean() + 0.5 - 48 * EYES_AT[1]) < 1
    assert abs(columns.mean() + 0.5 - 48 * EYES_AT[0]) < 1
    assert 17 < np.ptp(columns) < 23  # 40 pixels of 100


def test_a_crop_is_the_same_to_the_bit_on_every_machine():
    frame = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    crop = crop_face(frame, Face((30.0, 20.0, 91.0, 81.0), 1.0, ((47.0, 33.0), (73.0, 39.0))))
    assert hashlib.sha256(crop.tobytes()).hexdigest()[:16] == "d4a034e260902e43"


def test_a_crop_beyond_the_edge_repeats_it():
    frame = np.full((60, 60, 3), 90, np.uint8)
    for box in ((-30.0, -30.0, 10.0, 10.0), (50.0, 50.0, 90.0, 90.0), (500.0, 500.0, 540.0, 540.0)):
        assert (crop_face(frame, Face(box)) == 90).all()


def test_what_can_be_read():
    face = Face((40.0, 40.0, 80.0, 80.0), 0.9, ((52.0, 52.0), (69.0, 52.0)))
    assert is_readable(face, 200, 200)
    assert not is_readable(dataclasses.replace(face, score=0.3), 200, 200)  # uncertain
    assert not is_readable(Face((40.0, 40.0, 59.0, 59.0)), 200, 200)  # 19 pixels
    assert not is_readable(Face((-20.0, 40.0, 20.0, 80.0)), 200, 200)  # half outside
    assert not is_readable(dataclasses.replace(face, eyes=((58.0, 52.0), (63.0, 52.0))), 200, 200)  # profile


@pytest.mark.parametrize(
    ("box", "score"), [((5.0, 5.0, 5.0, 9.0), 1.0), ((0.0, 0.0, float("nan"), 1.0), 1.0), ((0.0, 0.0, 1.0, 1.0), 2.0)]
)
def test_a_face_that_is_none_is_refused(box, score):
    with pytest.raises(ClipError, match="face"):
        Face(box, score)


def test_overlap():
    one = Face((0.0, 0.0, 10.0, 10.0))
    assert overlap(one, one) == 1
    assert overlap(one, Face((5.0, 0.0, 15.0, 10.0))) == pytest.approx(1 / 3)
    assert overlap(one, Face((20.0, 0.0, 30.0, 10.0))) == 0


def test_resampling_is_the_mean_over_the_area():
    picture = np.random.default_rng(1).integers(0, 256, (36, 60, 3), np.uint8)
    means = picture.reshape(12, 3, 20, 3, 3).mean(axis=(1, 3))
    assert np.abs(resize(picture, 12, 20) - means).max() <= 1
    assert np.abs(shrink(picture, 3) - means).max() <= 0.5
    flat = np.full((50, 70, 3), 201, np.uint8)
    for size in ((13, 31), (50, 70), (99, 128)):
        assert (resize(flat, *size) == 201).all()
    assert np.array_equal(resize(picture, 36, 60), picture)


def test_sampling_between_pixels():
    ramp = np.arange(0, 200, 10, dtype=np.uint8)[None].repeat(4, axis=0)
    assert sample(ramp, np.array([0.5, 1.0, 7.25, -3.0, 99.0]), np.full(5, 2.0)).tolist() == [0, 5, 68, 0, 190]
