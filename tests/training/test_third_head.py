"""A third head is a column of the table: learned, exported, predicted, streamed and measured like any other."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import video_understanding as vu
from video_understanding.cli.main import main
from video_understanding.media.synthetic import make_dataset
from video_understanding.recognition.table import segments_csv
from video_understanding.training.settings import TrainingSettings

SPEC = vu.ModelSpec(
    window_s=1.0,
    video=vu.VideoSpec(frames_hz=2, height_px=32, width_px=32),
    network=vu.NetworkSpec(backbone="small", token_size=16, fusion="late", multi_label=("scene",)),
)
HEADS = ("action", "scene")


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """Clips of two actions; the column `scene` names one place, two, or none."""
    folder = tmp_path_factory.mktemp("third_head")
    source = make_dataset(folder, seed=1, clips=12, duration_s=1.5, actions=("bounce", "spin"), subjects=6,
                          width_px=64, height_px=48)  # fmt: skip
    with source.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scenes = ("street", "beach|street", "none")
    table = folder / "scenes.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "scene"])
        writer.writeheader()
        writer.writerows({**row, "scene": scenes[place // 2 % 3]} for place, row in enumerate(rows))
    return table


@pytest.fixture(scope="module")
def bundle(table) -> vu.Bundle:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_UNDERSTANDING_CACHE", str(table.parent / "cache"))
        settings = TrainingSettings(epochs=1, batch_size=4, mixup=0.5)
        manifest = vu.load_manifest(table, heads=HEADS)
        bundle = vu.train(manifest, SPEC, table.parent / "model", settings, progress=False)
        assert main(["export", str(bundle.folder), "--formats", "fp32"]) == 0
    return vu.Bundle.read(bundle.folder)


@pytest.fixture(autouse=True)
def own_cache(table, monkeypatch):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(table.parent / "cache"))


def test_the_bundle_describes_its_heads(bundle):
    assert bundle.heads == (
        vu.HeadSpec("action", ("bounce", "spin")),
        vu.HeadSpec("scene", ("beach", "street"), "multi"),
    )
    assert set(bundle.facts["metrics"]["test"]["heads"]) == set(HEADS)
    assert "which action happens and the scene" in bundle.card_file.read_text(encoding="utf-8")


def test_the_exported_file_predicts_and_streams_what_keras_does(bundle, table):
    file = sorted((table.parent / "media").iterdir())[0]
    keras, tflite = (vu.load(bundle.folder, runtime) for runtime in ("keras", "tflite:fp32"))
    assert tflite.scorer.labels == bundle.labels
    wanted, found = keras.predict(file), tflite.predict(file)
    for head in HEADS:
        scores = [list(prediction.heads[head].scores.values()) for prediction in (wanted, found)]
        np.testing.assert_allclose(*scores, atol=1e-4)
    values = found.to_dict()
    assert list(values)[2:4] == list(HEADS) and list(values["scene"]["scores"]) == ["beach", "street"]
    assert "emotion" not in values and set(HEADS) <= set(values["segments"][0])
    assert segments_csv([found]).startswith("file,start_s,end_s,action,action_confidence,scene,scene_confidence\n")

    stream = vu.StreamingRecognizer(tflite.scorer)
    clip = vu.read_clip(file, SPEC)
    events = [*stream.push_sound(clip.waveform, 0.0), *stream.push_frames(clip.frames, clip.frame_times_s)]
    events += stream.finish()
    assert set(events[0].heads) == set(HEADS)


def test_it_is_evaluated_and_a_head_that_the_table_lacks_is_refused(bundle, table, capsys, tmp_path):
    words = ["evaluate", str(bundle.folder), str(table), "--runtime", "tflite:fp32", "--with-seen"]
    words += ["--out", str(tmp_path)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {head: result["clips"] for head, result in found["heads"].items()} == {"action": 12, "scene": 12}
    assert "mean_average_precision" in found["heads"]["scene"]
    assert main([*words, "--heads", "scene", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["heads"]) == ["scene"]
    assert main([*words, "--heads", "scene,weather"]) == 2
    assert "no clip is labelled for weather" in capsys.readouterr().err


def test_the_preflight_counts_its_classes(table, capsys):
    main(["check", str(table), "--heads", "scene", "--json"])
    assert set(json.loads(capsys.readouterr().out)["classes"]) == {"scene"}
