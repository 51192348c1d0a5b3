"""The model in the box: it reads, recognises, is small, says its terms, and int8 agrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import video_understanding as vu
from video_understanding.bundle import Bundle
from video_understanding.media.synthetic.calibration import write_calibration_clip

FOLDER = Path(__file__).resolve().parents[2] / "saved_models" / "four_sets"
MEGABYTE = 1_000_000
INT8 = FOLDER / "model_int8.tflite"


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_calibration_clip(path, duration_s=3.0)
    return path


def test_it_is_small_and_names_no_clip():
    files = [file for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 18 * MEGABYTE
    if INT8.exists():
        assert INT8.stat().st_size <= 8.5 * MEGABYTE
    for text in ((FOLDER / "bundle.json").read_text(), (FOLDER / "README.md").read_text()):
        assert not any(sign in text for sign in ("Actor_", "01-01-01", ".avi", "media/", "v_Archery"))


def test_the_card_tells_terms_limits_and_results():
    card = (FOLDER / "README.md").read_text()
    for said in (
        "Research, non-commercial",
        "CC BY-NC-SA",
        "UCF101",
        "never shown",
        "MIT",
        "must not be used",
        "unknown",
    ):
        assert said in card


def test_it_was_calibrated_on_clips_it_had_not_learned_from():
    bundle = Bundle.read(FOLDER)
    for head in bundle.labels.heads:
        # A network is calibrated by a temperature, a closed form by the scale of its weights.
        assert bundle.temperature(head) != 1.0 or head in bundle.facts["training"].get("closed_form", {})
        assert 0 < bundle.unknown_below(head) < 1
        assert bundle.facts["calibration_error"][head] <= 0.08
    assert set(bundle.facts["by_set"]) == {"ucf", "fights", "javanese", "ravdess"}


def test_it_recognises_right_away(clip):
    assert set(vu.load(FOLDER).predict(clip).heads) == {"action", "emotion"}


@pytest.mark.skipif(not INT8.exists(), reason="there is no int8 file in the box; vu export makes it from own clips")
def test_int8_agrees(clip):
    whole = vu.load(FOLDER).predict(clip)
    small = vu.load(FOLDER, runtime="tflite:int8").predict(clip)
    for head, answer in whole.heads.items():
        said = small.heads[head]
        assert (said.label, said.nearest) == (answer.label, answer.nearest)
        assert np.allclose(list(said.scores.values()), list(answer.scores.values()), atol=0.1)


def test_a_test_card_is_no_action_it_knows(clip):
    assert vu.load(FOLDER).predict(clip).heads["action"].label == "unknown"
