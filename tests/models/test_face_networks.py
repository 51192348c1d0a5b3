"""The two networks for faces: shapes, the same after save and load, weights in a file, what the pretrained ones say."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.faces.ferplus import accuracy, read_faces
from video_understanding.errors import BundleError
from video_understanding.faces.clip_faces import follow_faces
from video_understanding.faces.face import Face, overlap
from video_understanding.faces.network_detector import CELLS
from video_understanding.media.synthetic.crowd import Actor, Crowd
from video_understanding.models.faces.detector import make_face_detector
from video_understanding.models.faces.encoder import EXPRESSIONS, FEATURES, make_face_encoder
from video_understanding.models.faces.networks import face_detector
from video_understanding.models.faces.weights import load_face_weights, write_face_weights

KNOWN = Path(__file__).with_name("face_networks_known.npz")  # what the exam gave when the weights were written
MAKERS = {"face_encoder": make_face_encoder, "face_detector": make_face_detector}
SHAPES = {
    "face_encoder": {"features": (2, FEATURES), "expression": (2, len(EXPRESSIONS))},
    "face_detector": {"scores": (2, CELLS), "places": (2, CELLS, 8)},
}
MOST_PARAMETERS = {"face_encoder": 1_000_000, "face_detector": 400_000}  # of eight bits each


@pytest.fixture(scope="module", params=MAKERS)
def network(request) -> keras.Model:
    return MAKERS[request.param](seed=1)


def pictures(network: keras.Model) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, *network.input_shape[1:])).astype(np.float32)


def answers(network: keras.Model) -> dict[str, np.ndarray]:
    found = network(pictures(network), training=False)
    return {name: keras.ops.convert_to_numpy(values) for name, values in found.items()}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray], off: float = 0.0) -> bool:
    return all(np.abs(one[name] - other[name]).max() <= off for name in one)


def test_the_contract_of_a_face_network(network, tmp_path):
    before = answers(network)
    assert {name: values.shape for name, values in before.items()} == SHAPES[network.name]
    assert network.count_params() < MOST_PARAMETERS[network.name]
    network.save(tmp_path / "network.keras")
    assert same(answers(keras.models.load_model(tmp_path / "network.keras")), before)
    make = MAKERS[network.name]
    assert same(answers(make(seed=1)), before) and not same(answers(make(seed=2)), before, 1e-3)


def test_weights_go_through_a_file(network, tmp_path):
    file = tmp_path / "weights.npz"
    write_face_weights(network, file)
    other = load_face_weights(MAKERS[network.name](seed=5), file)
    assert same(answers(other), answers(network), 0.05)  # they are rounded to 16 bits


def test_weights_of_another_network_are_refused(tmp_path):
    encoder = make_face_encoder(seed=1)
    write_face_weights(encoder, tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz") as stored:
        cut = {name: values[..., :3] if name == "expression/0" else values for name, values in stored.items()}
    np.savez(tmp_path / "weights.npz", **cut)
    with pytest.raises(BundleError, match="expression"):
        load_face_weights(encoder, tmp_path / "weights.npz")


def exam(size_px: int, channels: int) -> np.ndarray:
    """float32 [3,h,w,c]: drawn people, noise, and grey."""
    actor = Actor(subject=2, emotion="happy", begin=(0.5, 0.5), end=(0.5, 0.5), radius=0.4)
    drawn = next(Crowd((actor,), seed=1).frames([0.0], height_px=size_px, width_px=size_px))
    noise = np.random.default_rng(0).integers(0, 256, drawn.shape)
    return np.stack([drawn, noise, np.full(drawn.shape, 128)])[..., :channels].astype(np.float32)


@pytest.mark.parametrize("name", MAKERS)
def test_the_pretrained_networks_say_what_they_said_when_they_were_trained(name):
    network = load_face_weights(MAKERS[name]())
    found = network(exam(network.input_shape[1], network.input_shape[3]), training=False)
    known = np.load(KNOWN)
    for output, values in found.items():
        assert np.abs(keras.ops.convert_to_numpy(values) - known[f"{name}/{output}"]).max() < 0.05


def test_the_pretrained_detector_finds_drawn_people_who_come_and_go():
    """Two people; a board hides one of them for a while."""
    left = Actor(subject=1, emotion="happy", begin=(0.25, 0.5), end=(0.25, 0.5), radius=0.25, covered_s=(1.0, 2.0))
    right = Actor(subject=4, emotion="sad", begin=(0.75, 0.5), end=(0.75, 0.45), radius=0.2)
    crowd, times_s, size = Crowd((left, right), seed=3), np.arange(6) * 0.5, {"height_px": 180, "width_px": 320}
    found = follow_faces(crowd.frames(times_s, **size), times_s.tolist(), face_detector(levels=1))
    assert len(found.persons) == 2
    for actor, person in enumerate(sorted(found.persons, key=lambda one: one.faces[0].middle[0])):
        hidden = [crowd.faces(time_s, **size)[actor].covered for time_s in times_s]
        assert person.present.tolist() == [not one for one in hidden]
        for time_s, face in zip(times_s, person.faces, strict=True):
            true = crowd.faces(time_s, **size)[actor]
            assert face is None or overlap(face, Face(true.box)) > 0.5


def test_the_pretrained_encoder_reads_expressions(shared_data):
    faces = read_faces(shared_data / "faces_ferplus", "test")
    some = faces.part(np.flatnonzero(faces.clear_majority >= 0)[:300])
    encoder = load_face_weights(make_face_encoder())
    logits = encoder(some.crops[..., None].astype(np.float32), training=False)["expression"]
    assert accuracy(keras.ops.convert_to_numpy(logits), some)["clear_majority"] > 70
