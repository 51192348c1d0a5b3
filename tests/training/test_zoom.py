"""A model that looks at the part in which most moves: trained by the program, and the same wherever it is asked."""

from __future__ import annotations

import json

import numpy as np

from video_understanding import load
from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.features.prepare import from_prepared
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic import make_dataset


def test_a_training_of_one_epoch_and_what_the_model_then_says(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(tmp_path / "cache"))
    data, folder = tmp_path / "clips", tmp_path / "mine"
    make_dataset(data, seed=1, clips=12, duration_s=2.0, actions=("bounce", "spin"), subjects=6)
    assert (
        main(
            [
                "train",
                str(data),
                "--out",
                str(folder),
                "--preset",
                "tiny",
                "--epochs",
                "1",
                "--zoom",
                "2",
                "--seed",
                "3",
            ]
        )
        == 0
    )
    bundle = Bundle.read(folder)
    assert bundle.spec.video.zoom == 2
    assert bundle.spec.read_shape == (8, 128, 128, 3)

    manifest = load_manifest(data)
    prepared = ClipCache().prepare(manifest.rows, bundle.spec, progress=False)
    assert prepared[0].frames.shape == bundle.spec.frames_shape
    recognizer, file = load(folder), manifest.rows[0].path
    scores = recognizer.scorer(from_prepared(prepared, [0]))
    said = recognizer.predict_clip(read_clip(file, bundle.spec))
    again = recognizer.predict_clip(prepared[0])  # the part that was kept is not cut again
    for head in bundle.labels.heads:
        told = [np.array(list(one.heads[head].scores.values())) for one in (said, again)]
        np.testing.assert_allclose(told[0], scores[head][0], atol=1e-3)  # the cache keeps sound in 16 bits
        np.testing.assert_allclose(told[1], scores[head][0], atol=1e-6)

    capsys.readouterr()
    assert main(["predict", str(folder), str(file), "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["action"]["label"] in {*bundle.labels["action"], "unknown"}


def test_a_zoom_that_there_is_not_is_refused_in_a_line(tmp_path, capsys):
    make_dataset(tmp_path / "clips", seed=1, clips=2, duration_s=1.0, subjects=2)
    assert main(["train", str(tmp_path / "clips"), "--out", str(tmp_path / "mine"), "--zoom", "9"]) == 2
    assert "zoom: is 9, not a whole number from 1 to 4" in capsys.readouterr().err
