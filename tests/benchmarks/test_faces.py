"""What the face networks learn from: votes, cells, and mirrored pictures whose faces are still where they are said."""

from __future__ import annotations

import numpy as np

from benchmarks.faces.changes import changed
from benchmarks.faces.ferplus import Faces, accuracy, soft_labels, split
from benchmarks.faces.pool import drawn_targets
from benchmarks.faces.teach_detector import mirrored
from video_understanding.faces.face import Face, overlap
from video_understanding.faces.network_detector import NetworkDetector, decode, merged
from video_understanding.media.synthetic.crowd import Crowd


def faces_of(*votes: tuple[int, ...]) -> Faces:
    return Faces(np.zeros((len(votes), 48, 48), np.uint8), np.array(votes))


def test_majorities_are_those_of_the_published_protocol():
    faces = faces_of(
        (6, 1, 1, 1, 1, 0, 0, 0, 0, 0),  # clear: what has a single vote is dropped
        (4, 4, 0, 0, 0, 0, 0, 0, 2, 0),  # a tie
        (0, 0, 0, 0, 0, 0, 0, 0, 9, 1),  # nobody knows
        (0, 3, 0, 2, 2, 0, 0, 0, 3, 0),  # a plurality, and no majority
    )
    assert faces.clear_majority.tolist() == [0, -1, -1, -1]
    assert faces.plurality.tolist() == [0, 0, 8, 1]
    targets, weights = soft_labels(faces)
    assert np.allclose(targets[1], [0.5, 0.5, 0, 0, 0, 0, 0, 0]) and np.allclose(weights, [1, 0.8, 0, 0.7])
    said = accuracy(np.eye(8)[[0, 0, 0, 0]], faces)
    assert said["clear_majority"] == 100 and abs(said["plurality"] - 200 / 3) < 1e-9


def test_parts_are_disjoint_and_complete():
    faces = Faces(np.arange(50, dtype=np.uint8)[:, None, None], np.ones((50, 10), int))
    train, held_out = split(faces)
    assert len(held_out) == 5
    assert sorted([*train.crops.ravel(), *held_out.crops.ravel()]) == list(range(50))


def test_changed_crops_are_the_same_for_the_same_seed():
    crop = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    for seed in range(20):
        one, again = (changed(crop, 32, np.random.default_rng(seed)) for _ in range(2))
        assert one.shape == (32, 32) and one.dtype == np.uint8 and np.array_equal(one, again)


def test_cells_say_where_drawn_faces_are_also_in_a_mirror():
    chance = np.random.default_rng(4)
    many = 0
    for _ in range(20):
        crowd = Crowd.drawn(chance, 2)
        picture = next(crowd.frames([0.0], height_px=128, width_px=128))
        true = crowd.faces(0.0, height_px=128, width_px=128)
        scores, places = drawn_targets(true)
        for mirror in (False, True):
            if mirror:
                picture, scores, places = mirrored(picture, scores, places)
            logits = np.where(scores > 0.5, 4.0, -9.0)[None]
            found = NetworkDetector(lambda _, own=(logits, places[None]): own, levels=1)(picture)
            for face in true:
                left, top, right, bottom = face.box
                if right - left < 20 or left < 0 or right > 128 or top < 0 or bottom > 128:
                    continue
                many += 1
                box = Face((128 - right, top, 128 - left, bottom)) if mirror else Face(face.box)
                (same,) = [own for own in found if overlap(own, box) > 0.8]
                (x, _), (other_x, _) = same.eyes
                assert x < box.middle[0] < other_x
    assert many > 20


def test_overlapping_rows_are_one_face():
    rows = np.array(
        [[0.9, 50, 50, 20, 20, 0, 0, 0, 0], [0.6, 53, 50, 20, 20, 0, 0, 0, 0], [0.8, 90, 50, 9, 9, 0, 0, 0, 0]]
    )
    found = merged(rows)
    assert found[:, 0].tolist() == [0.9, 0.8] and abs(found[0, 1] - 51.2) < 1e-9
    scores, numbers = decode(np.full(320, -9.0), np.zeros((320, 8)), 0.5)
    assert merged(np.column_stack([scores, numbers])).shape == (0, 9)
