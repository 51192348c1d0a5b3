"""`vu info` tells a person, or a program, what a trained model is."""

from __future__ import annotations

import dataclasses
import json
import textwrap

import pytest

from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.labels import Labels
from video_understanding.presets import preset

_RESULT = {"clips": 36, "accuracy": 0.9722, "accuracy_interval": [0.91, 1.0], "uar": 0.97, "uar_interval": None}
_FACTS = {
    "name": "sports",
    "created": "2025-03-01T12:00:00+00:00",
    "versions": {"tensorflow": "2.21.0", "keras": "3.15.1"},
    "training": {"epochs": 7, "best_epoch": 4, "settings": {"learning_rate": 0.001, "batch_size": 16}},
    "metrics": {"validation": {"heads": {"action": _RESULT}}},
    "unknown_below": {"action": 0.4},
    "parameters": 1234,
    "data": [{"name": "ucf", "clips": 108, "licence": "research use"}, {"name": "own", "clips": 1}],
    "licences": {"efficientnet_lite0": "Apache-2.0"},
    "exports": {"fp32.tflite": {"drift": 0.0001}, "int8.tflite": {"drift": 0.003}},
}


@pytest.fixture
def folder(tmp_path):
    labels = Labels(action=tuple(f"sport number {number}" for number in range(30)), emotion=("calm", "glad"))
    bundle = Bundle.write(tmp_path / "mine", preset("edge"), labels, _FACTS)
    (bundle.folder / "model.keras").write_bytes(bytes(1_500_000))
    (bundle.folder / "fp32.tflite").write_bytes(bytes(2_000))
    (bundle.folder / "saved_model" / "variables").mkdir(parents=True)
    (bundle.folder / "saved_model" / "saved_model.pb").write_bytes(bytes(300))
    (bundle.folder / "saved_model" / "variables" / "values").write_bytes(bytes(4_000))
    return bundle.folder


def shown(folder, capsys) -> str:
    assert main(["info", str(folder)]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    return output.out


def test_a_person_reads_what_the_model_is(folder, capsys):
    words = " ".join(shown(folder, capsys).split())
    for told in (
        "name sports",
        "tensorflow 2.21.0",
        "8 frames of 80x80 in 4 s",
        "64000 samples at 16000 Hz",
        "efficientnet_lite0 encodes the frames",
        "cross_attention joins them",
        "30 classes: sport number 0, sport number 1,",
        'sport number 29. It answers "unknown" below a confidence of 0.4. emotion',
        '2 classes: calm, glad. It never answers "unknown". parameters 1,234',
        "trained epochs 7, best epoch 4 settings learning rate 0.001; batch size 16 split",
        "validation, action: accuracy 97.2 % (91.0 to 100.0), UAR 97.0 % of 36 clips",
        "ucf, 108 clips, research use",
        "own, 1 clip, licence unknown",
        "efficientnet_lite0, Apache-2.0",
        "fp32.tflite: drift 0.0001",
    ):
        assert told in words, told


def test_files_and_folders_are_told_with_their_sizes(folder, capsys):
    lines = [line.split() for line in shown(folder, capsys).splitlines()]
    assert ["model.keras", "1.5", "MB"] in lines
    assert ["fp32.tflite", "2.0", "kB"] in lines
    assert ["saved_model/", "4.3", "kB"] in lines


def test_an_export_that_is_gone_is_told(folder, capsys):
    assert "int8.tflite, is not in the folder any more" in shown(folder, capsys)


def test_lines_fit_a_terminal(folder, capsys):
    paragraph = shown(folder, capsys).partition("\n")[2]  # the folder's own name is as long as it is
    assert max(map(len, paragraph.splitlines())) <= 80


def test_what_is_not_known_is_told_so(tmp_path, capsys):
    bundle = Bundle.write(tmp_path / "bare", preset("tiny"), Labels(emotion=("calm", "glad")), {})
    text = textwrap.dedent(shown(bundle.folder, capsys).partition("\n")[2])
    entries = dict(line.split(maxsplit=1) for line in text.splitlines() if line)
    assert entries["name"] == "bare"
    for name in ("trained", "settings", "parameters", "split", "result", "data", "weights"):
        assert entries[name] == "unknown", name


def test_what_is_looked_at_closer_is_told(tmp_path, capsys):
    spec = preset("edge")
    spec = dataclasses.replace(spec, video=dataclasses.replace(spec.video, zoom=2))
    bundle = Bundle.write(tmp_path / "closer", spec, Labels(emotion=("calm", "glad")), {})
    assert "8 frames of 80x80 in 4 s, where most moves in 160x160" in shown(bundle.folder, capsys)


def test_a_program_reads_one_document(folder, capsys):
    assert main(["info", str(folder), "--json"]) == 0
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert output.err == "" and told["folder"] == str(folder)
    assert told["labels"]["emotion"] == ["calm", "glad"] and told["spec"]["video"]["height_px"] == 80
    assert told["metrics"] == _FACTS["metrics"] and told["data"] == _FACTS["data"]
    assert {"file": "saved_model/", "bytes": 4_300} in told["files"]


def test_what_is_no_bundle_is_one_line_and_exit_code_2(folder, capsys):
    assert main(["info", str(folder / "saved_model"), "--json"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1 and f"Give the folder of its bundle: {folder}" in output.err
