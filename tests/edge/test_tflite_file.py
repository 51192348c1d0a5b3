"""A TFLite file tells what it is, and whatever is wrong with it is said in one line."""

from __future__ import annotations

import shutil

import pytest

from tests.edge.small_model import LABELS, SPEC, TEMPERATURE, UNKNOWN_BELOW, described, description
from video_understanding.edge import TFLiteFile
from video_understanding.errors import BundleError

FOREIGN = b"\x1c\0\0\0TFL3" + bytes(100)  # a TFLite file as far as its first bytes say


def test_a_file_tells_all_that_is_needed_to_use_it(world):
    file = TFLiteFile.read(world.model)
    assert (file.spec, file.labels, file.mode, file.name) == (SPEC, LABELS, "fp32", "small")
    assert file.temperature == {"emotion": 1.0, **TEMPERATURE}
    assert (file.unknown_below, file.licences) == (UNKNOWN_BELOW, {})


def test_facts_that_are_not_told_are_empty_and_the_name_is_the_files(tmp_path):
    values = {name: value for name, value in description().items() if name in ("format", "mode", "spec", "labels")}
    (tmp_path / "mine.tflite").write_bytes(described(FOREIGN, values))
    file = TFLiteFile.read(tmp_path / "mine.tflite")
    assert (file.name, file.temperature, file.unknown_below) == ("mine", {}, {})


def refused(path, words):
    with pytest.raises(BundleError, match=words) as caught:
        TFLiteFile.read(path)
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line


def test_what_is_not_there_or_no_tflite_file_is_refused(tmp_path):
    refused(tmp_path / "none.tflite", "does not exist")
    refused(tmp_path, "is a folder")
    (tmp_path / "empty.tflite").touch()
    refused(tmp_path / "empty.tflite", "is empty")
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    refused(tmp_path / "clip.mp4", "is not a TFLite file")


def test_a_folder_with_tflite_files_tells_their_names(tmp_path):
    (tmp_path / "model_int8.tflite").touch()
    refused(tmp_path, r"Give one of the files in it: model_int8\.tflite")


def test_a_foreign_file_is_told_from_one_of_ours_that_was_cut_off(tmp_path, world):
    (tmp_path / "foreign.tflite").write_bytes(FOREIGN)
    refused(tmp_path / "foreign.tflite", "no model of this program.*vu export")
    whole = world.model.read_bytes()
    for kept in (len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.tflite").write_bytes(whole[:kept])
        refused(tmp_path / "cut.tflite", "is cut off.*Copy it anew")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 2}, "format 2, this program reads format 1.*newer video-audio-understanding"),
        ({"mode": "int4"}, "\"mode\" in it is 'int4'"),
        ({"labels": {"action": [], "emotion": []}}, "names no class"),
        ({"labels": {"action": ["spin", "spin"]}}, "action has the class 'spin' twice"),
        ({"spec": {"window_s": -1}}, "window_s is -1"),
        ({"spec": None}, "not a JSON object"),
        ({"unknown_below": {"action": "much"}}, "unknown_below"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(tmp_path, changes, words):
    path = tmp_path / "model.tflite"
    path.write_bytes(described(FOREIGN, description() | changes))
    refused(path, words)


def test_an_archive_that_was_damaged_is_refused(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(described(FOREIGN, description()).replace(b'"format"', b'"farmat"', 1))
    refused(path, r"holds a damaged model\.json.*Copy it anew")


def test_other_files_are_left_as_they_are(tmp_path, world):
    copy = tmp_path / "copy.tflite"
    shutil.copy(world.model, copy)
    TFLiteFile.read(copy)
    assert copy.read_bytes() == world.model.read_bytes()
