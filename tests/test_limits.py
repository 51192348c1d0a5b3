"""Descriptions of models that are damaged or malicious: refused in one line, before anything is built."""

from __future__ import annotations

import json
import os

import pytest

from tests.edge.small_model import LABELS, SPEC
from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.edge import TFLiteFile
from video_understanding.errors import BundleError, ClipError, SpecError
from video_understanding.presets import PRESETS, preset
from video_understanding.spec import ModelSpec
from video_understanding.strict_json import strict_json


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        "1e400",
        '{"a": -1e999}',
        "9" * 20,
        "9" * 5000,
        "[" * 10**5,
        "[" * 70 + "]" * 70,
        '{"a":' * 99,
    ],
    ids=lambda text: text[:10],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        strict_json(text)


def test_what_is_json_is_read():
    values = {"a": [1, 2.5, -3e-300, None, True, "NaN", 10**18], "deep": [[[[[[{}]]]]]], "text": "[" * 1000}
    assert strict_json(json.dumps(values)) == values


HOSTILE = {
    "window_s": [1e12, 10**400, 1e-300, "4", None, True, [4], {}],
    "video.frames_hz": [1e6, 0.1, 10**18],
    "video.height_px": [8193, 10**18, 0, -1, 1.5],
    "audio.sample_rate_hz": [10**9, 192_001, 16_000.5],
    "audio.hop_s": [1e12, 1e-9],
    "audio.log_mel.window_s": [1e9, 2.0],
    "audio.log_mel.step_s": [1e-9],
    "audio.log_mel.bands": [10**6],
    "audio.log_mel.floor_power": [1e-300, 1e300, 0],
    "audio.log_mel.high_hz": [1e300],
    "network.token_size": [10**9, 4100, 0],
    "network.tokens_per_hop": [4097, 0],
    "network.attention_heads": [10**9],
    "network.unfrozen_blocks": [10**9],
    "network.dropout": [1e300, -1],
}


def hostile() -> list[tuple[str, object]]:
    return [(name, value) for name, values in HOSTILE.items() for value in values]


def changed_spec(name: str, value: object) -> dict:
    """The spec of a clip whose pictures are read four times as large, with one setting changed."""
    spec = SPEC.to_dict()
    spec["video"]["zoom"] = 4
    *groups, last = name.split(".")
    part = spec
    for group in groups:
        part = part[group]
    part[last] = value
    return spec


@pytest.mark.parametrize(("name", "value"), hostile(), ids=lambda value: str(value)[:20])
def test_a_setting_beyond_what_a_model_needs_is_refused_in_a_short_line(name, value):
    spec = changed_spec(name, value)
    with pytest.raises(SpecError) as caught:
        ModelSpec.from_dict(spec)
    assert len(str(caught.value)) < 300


def test_pictures_that_are_too_large_together_are_refused():
    spec = {"video": {"height_px": 8192, "width_px": 8192, "zoom": 4}}
    with pytest.raises(SpecError, match="bytes of pictures in a clip"):
        ModelSpec.from_dict(spec)


def test_usual_values_are_within_the_limits():
    for name in PRESETS:
        preset(name)
    ModelSpec.from_dict(
        {"window_s": 60, "video": {"frames_hz": 25, "height_px": 480, "width_px": 480}, "audio": {"hop_s": 1}}
    )


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    return Bundle.write(tmp_path, SPEC, LABELS, {"temperature": {"action": 1.0}})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"temperature": {"action": 1e-300}}, "from 0.001 to 1000"),
        ({"temperature": {"action": 1e300}}, "from 0.001 to 1000"),
        ({"unknown_below": {"action": -0.1}}, "from 0 to 1"),
    ],
)
def test_a_number_of_the_bundle_beyond_its_limits_is_refused(bundle, changes, words):
    file = bundle.folder / "bundle.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    with pytest.raises(BundleError, match=words):
        Bundle.read(bundle.folder)


def test_a_pipe_or_a_huge_file_is_refused_without_blocking(bundle):
    file = bundle.folder / "bundle.json"
    with file.open("r+b") as opened:
        opened.truncate(1 << 40)  # it takes no room on the disk
    with pytest.raises(BundleError, match="of at most 64 MB"):
        Bundle.read(bundle.folder)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(BundleError, match="no regular file"):
        Bundle.read(bundle.folder)
    os.mkfifo(bundle.folder / "model.tflite")
    with pytest.raises(BundleError, match="no regular file"):
        TFLiteFile.read(bundle.folder / "model.tflite")


@pytest.mark.parametrize("number", ["1e400", "NaN", "-Infinity", "9" * 400, "9" * 9999])
def test_a_number_that_no_machine_computes_with_is_refused_by_the_program(bundle, capsys, number):
    file = bundle.folder / "bundle.json"
    file.write_text(file.read_text().replace('"action": 1.0', f'"action": {number}'))
    assert main(["info", str(bundle.folder)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and len(error) < 400


def test_scores_that_are_no_numbers_are_refused_and_never_printed():
    import numpy as np

    from video_understanding.scorer import Scores

    for odd in (np.nan, np.inf):
        with pytest.raises(ClipError, match="computes NaN or infinity"):
            Scores(LABELS, {"action": np.float32([[0.5, odd, 0.1]])}).require_numbers()


@pytest.mark.parametrize(
    "facts",
    [
        {"metrics": {"test": {"heads": {"action": {"accuracy": [], "uar": 0.5, "clips": 3}}}}},
        {"metrics": {"test": {"heads": {"action": {"accuracy": 0.5, "uar": "much", "clips": 3}}}}},
        {"metrics": {"test": {"heads": {"action": {"accuracy": 0.5, "uar": 0.5, "clips": {}}}}}},
        {"data": [{"name": "clips", "clips": None}]},
    ],
)
def test_facts_of_another_form_are_refused_by_the_commands_that_print_them(bundle, capsys, facts):
    odd = bundle.with_facts(**facts)
    code = main(["info", str(odd.folder)])
    output = capsys.readouterr()
    assert code == 0 or (code == 2 and output.err.count("\n") == 1 and "bundle.json" in output.err)
    assert "Traceback" not in output.err
