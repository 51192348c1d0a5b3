"""A model.keras that is damaged, of another program or of another bundle is refused in one line that says which."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from pathlib import Path

import keras
import pytest

from tests.edge.small_model import LABELS, SPEC
from video_understanding.bundle import KERAS_FILE, Bundle
from video_understanding.errors import BundleError
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import load_model, save_model


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    """The bytes of a whole file."""
    file = tmp_path_factory.mktemp("whole") / KERAS_FILE
    save_model(VideoUnderstandingModel(SPEC, LABELS, seed=1), file)
    return file.read_bytes()


def refused(folder: Path, content: bytes, words: str, bundle: Bundle | None = None) -> None:
    bundle = bundle or Bundle.write(folder, SPEC, LABELS, {})
    (folder / KERAS_FILE).write_bytes(content)
    with pytest.raises(BundleError, match=words) as caught:
        load_model(bundle)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 400 and KERAS_FILE in line


def repacked(whole: bytes, changes: dict[str, bytes | None], method: int = zipfile.ZIP_STORED) -> bytes:
    """The archive with some members changed, or left out where they are None."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(packed, "w", method) as new:
        for name, content in ({name: old.read(name) for name in old.namelist()} | changes).items():
            if content is not None:
                new.writestr(name, content)
    return packed.getvalue()


def config(whole: bytes) -> dict:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return json.loads(archive.read("config.json"))


def test_a_file_that_is_cut_off_is_not_told_as_one_that_is_absent(tmp_path, whole):
    for size in (0, 1000, len(whole) // 2, len(whole) - 1):
        refused(tmp_path, whole[:size], "is cut off, or no Keras model")


def test_one_flipped_bit_in_the_weights_is_noticed(tmp_path, whole):
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    refused(tmp_path, bytes(flipped), r"is damaged: the checksum of model\.weights\.h5")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"config.json": None}, r"without config\.json"),
        ({"config.json": b"[" * 10**6}, "nested too deeply"),
        ({"config.json": b"[1]"}, "does not describe a model"),
        ({"config.json": b'{"class_name": "Functional"}'}, "another kind of model"),
        ({"model.weights.h5": None}, "cannot be loaded"),
        ({"model.weights.h5": b"no weights"}, "cannot be loaded"),
    ],
)
def test_an_archive_without_what_a_model_needs_is_refused(tmp_path, whole, changes, words):
    refused(tmp_path, repacked(whole, changes), words)


def test_an_archive_that_unpacks_to_much_more_is_refused(tmp_path, whole):
    bomb = repacked(whole, {"model.weights.h5": bytes(200 << 20)}, zipfile.ZIP_DEFLATED)
    refused(tmp_path, bomb, "would unpack to 2.. MB")


def test_a_config_without_a_spec_or_with_more_than_ours_is_refused(tmp_path, whole):
    told = config(whole)
    for own in ({}, {**told["config"], "units": 10**9}, {**told["config"], "spec": 7}, None):
        refused(tmp_path, repacked(whole, {"config.json": json.dumps({**told, "config": own}).encode()}), KERAS_FILE)


def test_another_keras_model_is_refused(tmp_path):
    keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "other.keras")
    refused(tmp_path, (tmp_path / "other.keras").read_bytes(), "holds another kind of model")


def test_a_model_of_another_bundle_is_refused(tmp_path, whole):
    turned = Labels(action=LABELS["action"][::-1], emotion=LABELS["emotion"])
    refused(tmp_path, whole, "other labels than those in bundle.json", Bundle.write(tmp_path, SPEC, turned, {}))
    longer = dataclasses.replace(SPEC, window_s=2.0)
    refused(tmp_path, whole, "another spec than that in bundle.json", Bundle.write(tmp_path, longer, LABELS, {}))


def test_a_packed_file_is_read(tmp_path, whole):
    (tmp_path / KERAS_FILE).write_bytes(repacked(whole, {}, zipfile.ZIP_DEFLATED))
    assert load_model(Bundle.write(tmp_path, SPEC, LABELS, {})).labels == LABELS
