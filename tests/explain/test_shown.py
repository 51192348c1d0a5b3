"""What is drawn of the frames: no heat where the picture adds nothing, and the file's own pixels beneath it."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest

import video_understanding as vu
from tests.explain.test_explanation import noise_clip, small_spec
from video_understanding.cli.explain import describe
from video_understanding.explain import Explainer
from video_understanding.explain.pictures import frames_alone, page
from video_understanding.explain.reasons import FULL_HEAT, Heat, ShownFrames
from video_understanding.explain.shown import LONGEST_PX, shown_frames
from video_understanding.labels import Labels
from video_understanding.media.synthetic import Scene, write_scene
from video_understanding.models.build import VideoUnderstandingModel


def heat(adds: np.ndarray, picture_adds: float = FULL_HEAT) -> Heat:
    return Heat("by hand", "a grid", np.asarray(adds, np.float32), picture_adds)


@pytest.mark.parametrize(
    ("picture_adds", "strength"), [(-3.0, 0), (0.0, 0), (0.09, 0), (FULL_HEAT / 2, 0.5), (FULL_HEAT, 1), (9.0, 1)]
)
def test_heat_has_the_strength_of_what_the_picture_adds(picture_adds, strength):
    found = heat([[[0.5, -1.0], [2.0, 1.0]]], picture_adds)
    assert found.warmth.max() == pytest.approx(strength)
    assert found.over(8, 8).max() == pytest.approx(strength)
    assert found.warmest_place == ("lower left" if strength else "nowhere")


class SoundAlone(VideoUnderstandingModel):
    """Whatever is shown changes nothing of what it says."""

    def embed_and_classify(self, tokens, presence, training=None):
        tokens = {**tokens, "video": 0 * tokens["video"]}
        return super().embed_and_classify(tokens, np.float32([0, 1]) + 0 * presence, training=training)


def test_a_picture_that_adds_nothing_is_drawn_without_heat():
    model = SoundAlone(small_spec(), Labels(action=("a", "b")), seed=1)
    explanation = vu.explain(model, noise_clip(small_spec()))
    found = explanation.heads["action"].heat
    found = heat(np.ones_like(found.adds), found.picture_adds)
    reasons = dataclasses.replace(explanation.heads["action"], heat=found)
    explanation = dataclasses.replace(explanation, heads={"action": reasons})
    assert found.picture_adds == pytest.approx(0, abs=1e-4) and not found.warmth.any()
    panels = [axes.images[0].get_array() for axes in frames_alone(explanation, "action").axes]
    seen, glowing = np.asarray(panels[: len(panels) // 2]), np.asarray(panels[len(panels) // 2 :])
    assert np.ptp(glowing, axis=-1).max() == 0 and np.ptp(seen, axis=-1).max() > 0, "grey, without any colour"
    assert "picture  adds nothing" in describe(explanation)
    assert any("No heat" in text.get_text() for text in page(explanation, "action").texts)
    assert json.loads(json.dumps(explanation.to_dict()))["heads"]["action"]["frames"]["warmest_place"] == "nowhere"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    scene = Scene("slide", "happy", seed=1)
    return write_scene(tmp_path_factory.mktemp("own") / "scene.mp4", scene, width_px=320, height_px=240)


@pytest.mark.parametrize(
    ("fit", "part"), [("stretch", (0, 0, 240, 320)), ("crop", (0, 38, 240, 244)), ("pad", (-40, 0, 320, 320))]
)
def test_frames_are_those_of_the_file_and_the_part_is_where_the_network_has_it(file, fit, part):
    spec = small_spec()
    spec = dataclasses.replace(spec, video=dataclasses.replace(spec.video, fit=fit))
    clip = vu.read_clip(file, spec, 0.5)
    shown = shown_frames(clip, spec, file)
    own = dataclasses.replace(spec, video=vu.VideoSpec(2, 240, 320, fit="stretch"))
    assert np.array_equal(shown.frames, vu.read_clip(file, own, 0.5).frames)
    assert shown.part == part
    top, left, height, width = part
    around = np.pad(shown.frames[0], ((40, 40), (0, 0), (0, 0)))  # what pads a picture is black
    taken = around[40 + top : 40 + top + height, left : left + width]
    small = cv2.resize(taken, (32, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - clip.frames[0]).mean() < 4, "the part is what the network takes"
    assert shown.inside.sum() == min(height, 240) * width


def test_with_zoom_the_part_is_where_most_moves(file):
    spec = small_spec()
    spec = dataclasses.replace(spec, video=dataclasses.replace(spec.video, zoom=2, fit="stretch"))
    clip = vu.read_clip(file, spec)
    shown = shown_frames(clip, spec, file)
    assert shown.frames.shape == (2, 240, 320, 3)
    assert shown.part[2:] == (120, 160)
    inside = shown.inside
    moved = np.abs(np.diff(shown.frames.astype(int), axis=0)).sum(axis=(0, 3))
    assert moved[inside].mean() > moved[~inside].mean()


def test_heat_lies_on_the_pixels_that_the_network_has_there():
    shown = ShownFrames(np.zeros((1, 24, 32, 3), np.uint8), (0, 4, 24, 24))
    cells = np.zeros((1, 4, 4))
    cells[0, 3, 0] = 1  # the lower left corner of the network's part
    warm = shown.warmth(heat(cells))
    row, column = np.unravel_index(warm[0].argmax(), warm[0].shape)
    assert row >= 18 and 4 <= column < 10
    assert not warm[0][:, :4].any() and not warm[0][:, 28:].any()
    padded = ShownFrames(shown.frames, (-4, 0, 32, 32))
    assert padded.warmth(heat(cells)).shape == (1, 24, 32) and padded.inside.all()


def test_a_file_is_drawn_with_its_own_pixels_and_a_clip_with_those_it_has(file, tmp_path):
    explainer = Explainer(VideoUnderstandingModel(small_spec(), Labels(action=("a", "b")), seed=1))
    explanation = explainer(file)
    assert explanation.clip.frames.shape[1:] == (32, 32, 3)
    assert explanation.shown.frames.shape[1:] == (240, 320, 3)
    assert explanation.draw(tmp_path)
    clip = noise_clip(small_spec())
    assert np.array_equal(explainer(clip).shown.frames, clip.frames)


def test_a_large_picture_is_shown_smaller_than_it_is(tmp_path):
    file = write_scene(tmp_path / "large.mp4", Scene("wave", "sad"), duration_s=0.5, width_px=1920, height_px=1080)
    spec = small_spec()
    frames = shown_frames(vu.read_clip(file, spec), spec, file).frames
    assert frames.shape[1:3] == (LONGEST_PX * 1080 // 1920, LONGEST_PX)
