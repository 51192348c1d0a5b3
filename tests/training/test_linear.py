"""The closed form as a trained model: solved at once, measured on groups left out, and an ordinary model afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.datasets import cache as cache_module
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.evaluation import evaluate
from video_understanding.export.make import export_bundle
from video_understanding.features.prepare import from_prepared
from video_understanding.media.decode import iter_clips
from video_understanding.media.synthetic import make_dataset
from video_understanding.media.synthetic.calibration import write_calibration_clip
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import keras_scorer, load_model
from video_understanding.recognition.answers import WindowScorer
from video_understanding.runtimes import load
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training import encoded_clips
from video_understanding.training.baselines import SIMPLE
from video_understanding.training.crossval import crossval
from video_understanding.training.encoded_clips import EncodedClips, FrozenEncoder
from video_understanding.training.linear import specs_to_try
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import train

FROZEN = {"unfrozen_blocks": 0, "listener": "separable", "unfrozen_listener_blocks": 0}
SPEC = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=4, height_px=32, width_px=32),
    audio=AudioSpec(hop_s=0.5),
    network=NetworkSpec(classifier="linear", **FROZEN),
)
SETTINGS = TrainingSettings(close_up=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("linear")
    make_dataset(
        folder / "clips", seed=1, clips=40, duration_s=1.0, actions=("bounce", "spin"), emotions=("happy", "sad"),
        subjects=8, width_px=64, height_px=48, difficulty=0.0,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def cache(data) -> ClipCache:
    return ClipCache(data / "cache")


@pytest.fixture(scope="module")
def bundle(data, cache) -> Bundle:
    return train(load_manifest(data / "clips"), SPEC, data / "bundle", SETTINGS, cache=cache, progress=False)


def test_it_learns_without_an_epoch_and_says_how(bundle):
    training = bundle.facts["training"]
    assert set(training["closed_form"]["action"]) == {"video", "audio", "video + audio"}
    assert "epochs" not in training
    assert bundle.facts["metrics"]["validation"]["heads"]["emotion"]["uar"] > 0.8  # groups left out, not memory
    assert bundle.facts["metrics"]["test"]["heads"]["emotion"]["uar"] > 0.8
    assert bundle.unknown_below("emotion") is not None
    assert "closed form" in bundle.card_file.read_text()
    told = json.loads((bundle.folder / "training" / "report.json").read_text())
    assert [point["clips_per_class"] for point in told["learning_curve"]["action"]] == [5, 10, None]
    assert set(told["doubtful_labels"]) == {"action", "emotion"}
    assert "The clips" in (bundle.folder / "report.html").read_text()


def test_clips_are_encoded_once_and_a_second_training_is_the_same(bundle, data, cache, monkeypatch):
    asked = []
    monkeypatch.setattr(EncodedClips, "_tokens", _counted(EncodedClips._tokens, asked))
    manifest = load_manifest(data / "clips")
    again = train(manifest, SPEC, data / "again", SETTINGS, cache=cache, progress=False)
    assert asked == []
    for one, other in zip(load_model(bundle).weights, load_model(again).weights, strict=True):
        assert np.array_equal(one.numpy(), other.numpy())


def test_another_version_of_reader_or_encoders_takes_nothing_old_from_the_cache(data, tmp_path, monkeypatch):
    rows, asked = load_manifest(data / "clips").rows[:1], []

    def encode(clips):
        asked.append(len(clips))
        return np.zeros((len(clips), 4, 8), np.float32)

    def tokens():
        prepared = ClipCache(tmp_path).prepare(rows, SPEC, progress=False)
        encoder = FrozenEncoder("video", encode, (4, 8), "mean_and_change", "same weights", (None,))
        return [found for _, found in EncodedClips(prepared, [encoder], tmp_path).of_rows([0], "video", 0, False)]

    tokens(), tokens()
    assert len(asked) == 1
    monkeypatch.setattr(encoded_clips, "ENCODING", encoded_clips.ENCODING + 1)
    tokens()
    assert len(asked) == 2
    monkeypatch.setattr(cache_module, "_PREPARATION", cache_module._PREPARATION + 1)
    tokens()
    assert len(asked) == 3 and len(list(tmp_path.rglob("*.clips"))) == 2


def test_going_on_from_a_bundle_is_training_on_all_clips(data, cache, tmp_path, monkeypatch, capsys):
    """A new class among them; nothing that was encoded before is encoded anew."""
    rows = [f"{row.path},{row.labels['action']},{row.subject}" for row in load_manifest(data / "clips").rows]
    rows[30:] = [line.replace("bounce", "leap") for line in rows[30:]]
    tables = {}
    for name, own in (("old", rows[:30]), ("new", rows[30:]), ("all", rows)):
        tables[name] = tmp_path / f"{name}.csv"
        tables[name].write_text("\n".join(["path,action,subject", *own]) + "\n")
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(cache.folder))
    train(load_manifest(tables["old"]), SPEC, tmp_path / "first", SETTINGS, progress=False)
    command = ["train", str(tables["new"]), "--from", str(tmp_path / "first"), "--out"]
    assert main([*command, str(tmp_path / "second")]) == 0
    whole = train(load_manifest(tables["all"]), SPEC, tmp_path / "whole", SETTINGS, progress=False)
    second = Bundle.read(tmp_path / "second")
    assert second.labels["action"] == ("bounce", "leap", "spin")
    for one, other in zip(load_model(second).weights, load_model(whole).weights, strict=True):
        assert np.array_equal(one.numpy(), other.numpy())
    assert main([*command, str(tmp_path / "second")]) == 2 and "--overwrite" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "second"), "--overwrite"]) == 0
    assert main([*command, str(tmp_path / "third"), "--views", "3"]) == 2 and "--views" in capsys.readouterr().err
    tables["old"].unlink()
    assert main([*command, str(tmp_path / "third")]) == 2 and "is gone" in capsys.readouterr().err


def _counted(tokens, asked):
    """The method, which notes each clip that no file of the cache holds."""

    def counting(self, row, windows, modality, view):
        before = {file for file in self._folder.rglob("*.npy")}
        found = tokens(self, row, windows, modality, view)
        asked.extend(file for file in self._folder.rglob("*.npy") if file not in before)
        return found

    return counting


def test_each_set_of_modalities_has_weights_of_its_own(bundle, data, cache):
    """The model of both, without the picture, is the very model that was fitted to sound alone."""
    model, manifest = load_model(bundle), load_manifest(data / "clips")
    scorer = keras_scorer(bundle)
    inputs = from_prepared(cache.prepare(manifest.rows, SPEC, progress=False), np.arange(6))
    both, sound = scorer(inputs), scorer(inputs.without("video"))
    assert not np.array_equal(both["action"], sound["action"])
    layer = model.linear
    tokens = list(scorer.encode(inputs).values())
    embedding = np.array(layer.embed(tokens, np.array([[0, 1]] * 6, np.float32)))
    size = layer.means[0].shape[0]
    assert not embedding[:, :size].any()
    logits = embedding[:, size:] @ np.array(layer.outputs["action"].kernel)[0, size:] + np.array(
        layer.outputs["action"].bias[0]
    )
    logits = logits * np.array(layer.familiarity["action"](embedding, np.array([[0, 1]] * 6, np.float32)))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sound["action"], shares, atol=1e-5)


def test_a_clip_with_nothing_to_go_by_gets_even_scores(bundle):
    scorer = keras_scorer(bundle)
    tokens = {name: np.full((1, *shape), np.nan, np.float32) for name, shape in scorer.token_shapes.items()}
    np.testing.assert_allclose(scorer.fuse(tokens, np.zeros((1, 2), bool))["emotion"], 0.5)


@pytest.fixture(scope="module")
def foreign(data) -> Path:
    """A test card with bursts of tone: none of the figures, none of the voices that the model learned from."""
    write_calibration_clip(data / "foreign.mp4", duration_s=3.0)
    return data / "foreign.mp4"


def _labels(prediction) -> set[tuple[str, str]]:
    """What is said of the whole and of every segment."""
    said = [prediction.heads, *(segment.heads for segment in prediction.segments)]
    return {(heads["action"].label, heads["emotion"].label) for heads in said}


def test_a_foreign_clip_is_unknown_and_a_familiar_one_is_named(bundle, foreign, data):
    recognizer = load(bundle.folder, "keras")
    found = recognizer.predict(foreign)
    assert _labels(found) == {("unknown", "unknown")}
    assert found.heads["action"].confidence < bundle.unknown_below("action")
    known = [recognizer.predict(row.path).heads["action"].label for row in load_manifest(data / "clips").rows[:10]]
    assert known.count("unknown") <= 2


def test_a_model_saved_before_familiarity_answers_as_it_did(bundle, data, cache):
    inputs = from_prepared(cache.prepare(load_manifest(data / "clips").rows, SPEC, progress=False), np.arange(4))
    now = load_model(bundle)
    config = now.get_config()
    del config["familiarity"]
    before = VideoUnderstandingModel.from_config(config)
    assert not before.linear.familiarity
    before.set_weights([weight for variable, weight in zip(now.weights, now.get_weights(), strict=True)
                        if "familiar_" not in variable.path])  # fmt: skip
    assert np.array_equal(KerasScorer(before)(inputs)["action"].argmax(1), KerasScorer(now)(inputs)["action"].argmax(1))


def test_predict_and_evaluate_name_the_same_class(bundle, data, cache):
    """A labelled clip is answered by one rule, whatever its windows are joined for."""
    rows = load_manifest(data / "clips").rows
    report = evaluate(keras_scorer(bundle), cache.prepare(rows, SPEC, progress=False), rows, progress=False)
    recognizer = load(bundle.folder, "keras")
    for head in bundle.labels:
        answers = report.heads[head].answers
        said = [recognizer.predict(row.path).heads[head] for row in answers.rows[:12]]
        named = [answer.nearest or answer.label for answer in said]
        assert named == [answers.classes[place] for place in answers.said[:12]]


def test_it_exports_and_streams_like_any_model(bundle, data, cache, foreign):
    manifest = load_manifest(data / "clips")
    inputs = from_prepared(cache.prepare(manifest.rows, SPEC, progress=False), np.arange(24))
    report = export_bundle(bundle, ["fp32", "int8"], inputs, {})
    assert not report.refused, report.text()
    exact, rounded = (LiteRTScorer(bundle.folder / f"model_{mode}.tflite") for mode in ("fp32", "int8"))
    expected = keras_scorer(bundle)(inputs)
    for head in bundle.labels:
        assert np.abs(exact(inputs)[head] - expected[head]).max() < 1e-3
        same = rounded(inputs)[head].argmax(axis=1) == expected[head].argmax(axis=1)
        assert same.mean() >= 0.9
    file = manifest.rows[0].path
    for runtime in ("keras", "tflite:fp32", "tflite:int8"):
        assert _labels(load(bundle.folder, runtime).predict(foreign)) == {("unknown", "unknown")}
    clips = list(iter_clips(file, SPEC, stride=0.25))
    together = WindowScorer(exact)(clips)
    for clip, answer in zip(clips, together, strict=True):
        alone = WindowScorer(exact)([clip])[0]
        assert all(np.array_equal(alone.scores[head], answer.scores[head]) for head in bundle.labels)


def test_a_close_up_is_tried_unless_a_zoom_is_given():
    whole, near = specs_to_try(SPEC, True)
    assert whole == SPEC
    assert (near.video.zoom, near.video.fit) == (4, "pad")
    assert specs_to_try(near, True) == [near]
    assert specs_to_try(SPEC, False) == [SPEC]


def test_confidence_of_classes_that_are_never_confused_is_no_certainty(bundle, data, cache):
    inputs = from_prepared(cache.prepare(load_manifest(data / "clips").rows, SPEC, progress=False), np.arange(12))
    assert (keras_scorer(bundle)(inputs)["action"].min(axis=1) > 1e-6).all()


def test_a_cross_validation_stands_beside_guessing_and_a_simple_baseline(data, cache, tmp_path):
    found = crossval(load_manifest(data / "clips"), SPEC, tmp_path, SETTINGS, folds=2, cache=cache, progress=False)
    values = found.to_dict()
    assert set(values["baselines"]) == {SIMPLE}
    assert set(values["baselines"][SIMPLE]) == set(values["uar_by_condition"]["only audio"]) == {"action", "emotion"}
    assert values["learning_curve"]["action"][-1]["clips_per_class"] is None
    text = found.text()
    assert "UAR % on groups left out" in text
    assert "guessing" in text and SIMPLE in text and "this training" in text
