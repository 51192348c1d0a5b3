"""A class has one colour, wherever it is drawn, and it does not depend on what else happens in a file."""

from __future__ import annotations

import re

import av
import numpy as np
import pytest

from tests.report.timelines import told, write_scene
from video_understanding.prediction import HeadAnswer
from video_understanding.recognition.colours import GREY, PALETTE, answer_colour, class_colours, colours_of
from video_understanding.recognition.overlay import write_overlay
from video_understanding.report import timeline_page

HEADS = {"action": ("bounce", "shake", "slide", "wave"), "emotion": ("angry", "happy", "sad")}


def test_no_two_classes_of_a_model_share_a_colour_also_across_its_heads():
    """ "shake" and "angry" were both pink."""
    colours = class_colours(HEADS)
    assert {head: tuple(found) for head, found in colours.items()} == HEADS
    used = [colour for found in colours.values() for colour in found.values()]
    assert len(set(used)) == len(used) == 7
    assert GREY not in PALETTE and len(set(PALETTE)) == len(PALETTE) >= 12


def test_more_classes_than_colours_all_have_one():
    colours = class_colours({"action": tuple(f"class {place}" for place in range(40))})
    assert set(colours["action"].values()) == set(PALETTE)


@pytest.mark.parametrize(
    ("label", "nearest", "wanted"),
    [("b", None, 1), (("b", "a"), None, 1), ((), None, None), ("unknown", "b", None)],
)
def test_an_answer_has_the_colour_of_its_class_and_none_is_grey(label, nearest, wanted):
    answer = HeadAnswer(label, 0.9, {"a": 0.1, "b": 0.9}, nearest)
    colours = colours_of({"action": answer})["action"]
    assert answer_colour(answer, colours) == (GREY if wanted is None else PALETTE[wanted])


def test_page_and_overlay_show_the_same_colour_for_a_class(tmp_path):
    scene = write_scene(tmp_path)
    file, prediction, shares = told(scene)
    wanted = colours_of(prediction.heads)
    page = timeline_page(file, prediction, shares)
    boxes = re.findall(r'--tint:(#\w+)" title="[^"]*: (\w+),', page)
    assert boxes == [(wanted[head][name], name) for head, name in (
        ("action", "red"), ("action", "blue"), ("emotion", "loud"), ("emotion", "quiet"),
    )]  # fmt: skip
    with av.open(str(write_overlay(scene, prediction, [], tmp_path / "shown.mp4"))) as media:
        picture = next(frame for frame in media.decode(video=0) if frame.time > 1).to_ndarray(format="rgb24")
    for head, name in (("action", "red"), ("emotion", "loud")):
        colour = np.frombuffer(bytes.fromhex(wanted[head][name][1:]), np.uint8).astype(int)
        near = np.abs(picture.astype(int) - colour).max(axis=2) < 30  # the codec blurs colours a little
        assert near.sum() > 500, (head, name)
