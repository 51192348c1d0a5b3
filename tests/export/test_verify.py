"""`vu verify`: files through Keras and every export, the verdict, and what goes wrong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from video_understanding.cli.main import main
from video_understanding.prediction import UNKNOWN
from video_understanding.runtimes import load


@pytest.fixture(scope="module")
def clips(data, exported) -> list[str]:
    """The three of a dozen clips with the highest confidence: at a threshold, an int8 file may answer otherwise."""
    files = [str(file) for file in sorted((data / "clips" / "media").iterdir())[:12]]
    recognizer = load(exported[0], "tflite:fp32")

    def sureness(file: str) -> float:
        answers = recognizer.predict(file).heads.values()
        return min(answer.confidence * (answer.label != UNKNOWN) for answer in answers)

    return sorted(files, key=sureness)[-3:]


def test_every_export_says_what_keras_says(exported, clips, capsys):
    folder, _ = exported
    assert main(["verify", str(folder), *clips, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agrees"] and told["files"] == clips and told["windows"] >= 3
    there = {entry.name for entry in folder.iterdir()} & {"saved_model", "model_fp32.tflite", "model_int8.tflite"}
    assert there <= {entry["export"] for entry in told["exports"]}
    for entry in told["exports"]:
        assert entry["agrees"] and entry["largest_difference"] <= entry["tolerance"] and entry["changed"] == []
    assert main(["verify", str(folder), clips[0]]) == 0
    assert "All agree with Keras." in capsys.readouterr().out


def test_another_models_file_is_found_out(exported, clips, tmp_path, capsys):
    """An export of another training in the place of its own: same shapes, other answers."""
    import numpy as np

    from video_understanding.bundle import Bundle
    from video_understanding.models.load import load_model, save_model

    folder, _ = exported
    shutil.copytree(folder, tmp_path / "mixed")
    bundle = Bundle.read(tmp_path / "mixed")
    model = load_model(bundle)
    kernel = model.heads["action"].kernel
    kernel.assign(-np.array(kernel))
    save_model(model, bundle.keras_file)
    assert main(["verify", str(bundle.folder), *clips, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["agrees"] and all(entry["changed"] for entry in told["exports"])
    assert main(["verify", str(bundle.folder), *clips]) == 1
    text = capsys.readouterr().out
    assert "differs" in text and "by Keras" in text and "Not all agree with Keras." in text


def test_a_file_that_cannot_be_read_is_told_and_the_others_compared(exported, clips, tmp_path, capsys):
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    assert main(["verify", str(exported[0]), clips[0], str(tmp_path / "broken.mp4"), "--json"]) == 2
    output = capsys.readouterr()
    told = json.loads(output.out)
    assert told["files"] == [clips[0]] and Path(told["errors"][0]["file"]).name == "broken.mp4"
    assert "broken.mp4" in output.err and "Traceback" not in output.err


def test_a_bundle_without_exports(exported, clips, tmp_path, capsys):
    folder, _ = exported
    for name in ("bundle.json", "model.keras"):
        shutil.copy(folder / name, tmp_path / name)
    assert main(["verify", str(tmp_path), clips[0]]) == 2
    assert "vu export" in capsys.readouterr().err
