"""Two drawn people: each stays themselves, the right one leads, and what cannot be read is absent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from video_understanding.faces.clip_faces import ClipFaces, Person, follow_faces
from video_understanding.faces.face import Face
from video_understanding.media.synthetic.crowd import Actor, Crowd

HEIGHT_PX, WIDTH_PX = 180, 320
TIMES_S = np.arange(16) * 0.25
LEFT = Actor(subject=1, emotion="happy", begin=(0.25, 0.5), end=(0.25, 0.5), radius=0.22)
RIGHT = Actor(subject=4, emotion="sad", begin=(0.75, 0.5), end=(0.75, 0.5), radius=0.22)


def true_detector(crowd: Crowd) -> Callable[[np.ndarray], list[Face]]:
    """A detector that knows where the faces are, and returns them in another order every time."""
    times: Iterator[float] = iter(TIMES_S)
    chance = np.random.default_rng(0)

    def detect(_: np.ndarray) -> list[Face]:
        true = crowd.faces(next(times), height_px=HEIGHT_PX, width_px=WIDTH_PX)
        faces = [Face(one.box, 0.9, tuple(map(tuple, one.eyes.tolist()))) for one in true if not one.covered]
        return [faces[place] for place in chance.permutation(len(faces))]

    return detect


def followed(*actors: Actor) -> ClipFaces:
    crowd = Crowd(actors, duration_s=4.0, seed=3)
    frames = crowd.frames(TIMES_S, height_px=HEIGHT_PX, width_px=WIDTH_PX)
    return follow_faces(frames, TIMES_S.tolist(), true_detector(crowd))


def person_at(found: ClipFaces, actor: Actor, time: int = 0) -> Person:
    x = actor.begin[0] * WIDTH_PX
    (person,) = [one for one in found.persons if one.faces[time] and abs(one.faces[time].middle[0] - x) < 20]
    return person


def test_two_people_who_cross_stay_themselves():
    """They pass before each other; the one behind is not seen for a moment and is the same one again."""
    going = dataclasses.replace(LEFT, end=(0.75, 0.5), radius=0.24)
    coming = dataclasses.replace(RIGHT, end=(0.25, 0.5), radius=0.20)
    found = followed(going, coming)
    assert len(found.persons) == 2
    for actor in (going, coming):
        person = person_at(found, actor)
        assert abs(person.faces[-1].middle[0] - actor.end[0] * WIDTH_PX) < 25
        assert person.present.all()


def test_someone_who_is_covered_for_a_while_is_absent_and_then_the_same_person():
    hidden = dataclasses.replace(LEFT, covered_s=(1.0, 2.5))
    found = followed(hidden, RIGHT)
    assert len(found.persons) == 2
    person = person_at(found, hidden)
    covered = (TIMES_S >= 1.0) & (TIMES_S < 2.5)
    assert np.array_equal(person.present, ~covered)
    assert not person.crops[covered].any()  # nothing is made up in between
    assert person.crops[~covered].any(axis=(1, 2)).all()


def test_the_larger_of_two_silent_people_leads():
    large = dataclasses.replace(RIGHT, radius=0.3)
    found = followed(LEFT, large)
    assert found.leading is person_at(found, large)


def test_the_one_who_speaks_leads_before_one_as_large():
    for speaker, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        speaking = dataclasses.replace(speaker, speaks=True)
        found = followed(speaking, other)
        assert found.leading is person_at(found, speaking)


def test_a_clip_without_faces_has_the_modality_absent():
    found = followed()
    assert found.persons == () and found.leading is None
    crops, present = found.modality()
    assert crops.shape == (16, 48, 48) and not crops.any() and not present.any()


@pytest.mark.parametrize(
    "actor",
    [
        dataclasses.replace(LEFT, radius=0.05),  # 15 pixels
        dataclasses.replace(LEFT, begin=(0.0, 0.5), end=(0.0, 0.5)),  # half outside
    ],
)
def test_a_face_too_small_or_half_outside_is_followed_but_not_read(actor):
    found = followed(actor)
    (person,) = found.persons
    assert all(person.faces) and not person.present.any()
    assert found.leading is None


def test_results_hold_no_likeness():
    """Boxes, crops and presence: what could tell people of two files to be the same is gone with the tracker."""
    assert {field.name for field in dataclasses.fields(Person)} == {"crops", "present", "faces"}
    assert {field.name for field in dataclasses.fields(ClipFaces)} == {"times_s", "persons"}
    assert {field.name for field in dataclasses.fields(Face)} == {"box", "score", "eyes"}
