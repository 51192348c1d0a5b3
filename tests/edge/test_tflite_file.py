"""A TFLite file tells what it is, and whatever is wrong with it is said in one line."""

from __future__ import annotations

import io
import json
import shutil
import zipfile

import pytest

from tests.edge.small_model import LABELS, SPEC, TEMPERATURE, UNKNOWN_BELOW, described, description
from video_understanding.edge import LiteRTScorer, TFLiteFile
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


def hostile_archive(content: bytes | str, method: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO(FOREIGN)
    with zipfile.ZipFile(packed, "a", method) as archive:
        archive.writestr("model.json", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[" * 10**6, "nested too deeply"),
        ('{"format": NaN}', "NaN is not JSON"),
        ('{"format": 1e400}', "too large"),
        ('{"format": ' + "9" * 400 + "}", "too large"),
        ("[]", "does not describe a model"),
        (b"\xff", "damaged"),
    ],
)
def test_a_description_that_is_no_json_is_refused(tmp_path, content, words):
    (tmp_path / "model.tflite").write_bytes(hostile_archive(content))
    refused(tmp_path / "model.tflite", words)


def test_a_description_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path):
    (tmp_path / "model.tflite").write_bytes(hostile_archive(bytes(64 << 20), zipfile.ZIP_DEFLATED))
    refused(tmp_path / "model.tflite", "unpacks to more than 4 MB")


@pytest.mark.parametrize(("at", "value"), [(8, 1), (8, 32), (8, 64), (10, 12), (10, 99)])
def test_an_encrypted_or_strangely_packed_description_is_refused(tmp_path, at, value):
    """The flags of encryption, patches and strong encryption; methods that may be absent or unknown."""
    content = bytearray(hostile_archive(json.dumps(description())))
    content[content.find(b"PK\x01\x02") + at] |= value
    (tmp_path / "model.tflite").write_bytes(content)
    refused(tmp_path / "model.tflite", r"model\.json|archive|neither labels")


@pytest.mark.parametrize("changes", [{"temperature": {"action": 1e-300}}, {"unknown_below": {"action": 2}}])
def test_a_number_beyond_its_limits_is_refused(tmp_path, changes):
    (tmp_path / "model.tflite").write_bytes(described(FOREIGN, description() | changes))
    refused(tmp_path / "model.tflite", "not from")


def test_one_flipped_bit_in_the_network_is_noticed(tmp_path, world):
    """LiteRT would compute with it, or end the process."""
    flipped = bytearray(world.model.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "model.tflite").write_bytes(flipped)
    refused(tmp_path / "model.tflite", "damaged network")


def test_a_file_of_an_older_program_has_no_checksum_and_is_read(tmp_path, world):
    content = world.model.read_bytes()
    with zipfile.ZipFile(world.model) as archive:
        values = json.loads(archive.read("model.json"))
        begin = min(member.header_offset for member in archive.infolist())
    assert values.pop("network")["bytes"] == begin
    (tmp_path / "old.tflite").write_bytes(described(content[:begin], values))
    assert TFLiteFile.read(tmp_path / "old.tflite").labels == LABELS


def test_a_description_of_another_network_is_refused(tmp_path, world):
    network = world.model.read_bytes()
    larger = {**SPEC.to_dict(), "video": {**SPEC.to_dict()["video"], "height_px": 64}}
    for changes in ({"spec": larger}, {"labels": {"action": ["a", "b"]}}):
        (tmp_path / "model.tflite").write_bytes(described(network, description() | changes))
        with pytest.raises(BundleError, match="is described otherwise than it is"):
            LiteRTScorer(tmp_path / "model.tflite")


def test_other_files_are_left_as_they_are(tmp_path, world):
    copy = tmp_path / "copy.tflite"
    shutil.copy(world.model, copy)
    TFLiteFile.read(copy)
    assert copy.read_bytes() == world.model.read_bytes()
