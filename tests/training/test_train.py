"""From clips on disk to a bundle and its numbers, in Python and by the program; fusion that needs both modalities."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from video_understanding.bundle import Bundle
from video_understanding.bundle_card import card
from video_understanding.cli.main import main
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.datasets.splits import split_rows
from video_understanding.errors import TrainingError
from video_understanding.evaluation import evaluate
from video_understanding.media.synthetic import make_dataset
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import keras_scorer, load_model
from video_understanding.presets import preset
from video_understanding.runtimes import load
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec
from video_understanding.training.feed import Feed
from video_understanding.training.fit import fit
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import _licences, train

TINY = ("--preset", "tiny")
LINEAR = (*TINY, "--classifier", "linear")  # a second, where nothing is asked of what is learned


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    make_dataset(
        folder / "clips", seed=1, clips=36, duration_s=2.0, actions=("bounce", "spin", "slide"), subjects=6,
        width_px=64, height_px=48,
    )  # fmt: skip
    return folder


@pytest.fixture(autouse=True)
def own_cache(data, monkeypatch):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(data / "cache"))


@pytest.fixture(scope="module")
def trained(data) -> Path:
    """A bundle made by the program itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_UNDERSTANDING_CACHE", str(data / "cache"))
        words = ["train", str(data / "clips"), "--out", str(data / "bundle"), *TINY, "--epochs", "2", "--seed", "3"]
        assert main(words) == 0
    return data / "bundle"


def test_a_bundle_holds_all_that_is_known(trained):
    bundle = Bundle.read(trained)
    assert bundle.labels["action"] == ("bounce", "slide", "spin")
    assert bundle.facts["training"]["epochs"] == 2
    assert set(bundle.facts["metrics"]) == {"validation", "test", "robustness"}
    assert set(bundle.facts["temperature"]) == {"action", "emotion"}
    assert "only audio" in bundle.facts["metrics"]["robustness"]
    assert set(bundle.facts["unknown_below"]) == {"action", "emotion"}
    assert "always names a class" not in bundle.card_file.read_text()
    without_threshold = dataclasses.replace(bundle, facts={**bundle.facts, "unknown_below": {}})  # of fewer clips
    assert "always names a class" in card(without_threshold)
    files = {file.name for file in trained.iterdir()}
    assert {"model.keras", "bundle.json", "README.md", "curves.png", "history.csv"} <= files
    assert "confusion_action_test.png" in files


def test_a_bundle_that_is_passed_on_names_no_clip_and_no_person(trained):
    told = (trained / "bundle.json").read_text() + (trained / "README.md").read_text()
    assert "clip_0" not in told
    assert "person_" not in told
    assert "clip_0" in (trained / "training" / "report.json").read_text()
    assert "random" in (trained / "README.md").read_text()


def test_python_gives_the_same_model_as_the_program(trained, data):
    manifest = load_manifest(data / "clips")
    bundle = train(manifest, preset("tiny"), data / "again", TrainingSettings(epochs=2, seed=3), progress=False)
    values = [
        [keras.ops.convert_to_numpy(value) for value in load_model(Bundle.read(folder)).weights]
        for folder in (trained, bundle.folder)
    ]
    assert all(np.array_equal(one, other) for one, other in zip(*values, strict=True))


def test_evaluate_tells_the_numbers_that_training_measured(trained, data, capsys):
    """On the test clips alone, through the program: the bundle that is read back is the model that was measured."""
    rows = (data / "clips" / "clips.csv").read_text().splitlines()
    held = json.loads((trained / "bundle.json").read_text())["metrics"]["test"]["heads"]["action"]
    manifest = load_manifest(data / "clips")
    split = split_rows(manifest, seed=3)
    chosen = [rows[0], *(rows[1 + place] for place in split.parts["test"])]
    (data / "clips" / "test.csv").write_text("\n".join(chosen) + "\n")
    assert main(["evaluate", str(trained), str(data / "clips" / "test.csv"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["heads"]["action"]
    assert found["accuracy"] == pytest.approx(held["accuracy"])
    assert found["log_loss"] == pytest.approx(held["log_loss"], rel=1e-4)
    report = load(trained).evaluate(data / "clips", progress=False)  # of all clips, it leaves out those it learned from
    assert report.heads["action"].accuracy == pytest.approx(found["accuracy"])
    assert report.heads["action"].clips == found["clips"] and "left out" in report.notes[0]


def test_a_folder_that_holds_a_training_is_not_overwritten(trained, data, capsys):
    assert main(["train", str(data / "clips"), "--out", str(trained), *TINY, "--epochs", "1"]) == 2
    assert "--resume" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_is_told(trained, tmp_path):
    (tmp_path / "bundle.json").write_text((trained / "bundle.json").read_text())
    (tmp_path / "model.keras").write_bytes(b"not a model")
    with pytest.raises(Exception, match="cannot be loaded"):
        keras_scorer(Bundle.read(tmp_path))


def test_crossval_measures_every_clip_once_and_writes_a_page(data, tmp_path, capsys):
    words = ["crossval", str(data / "clips"), *TINY, "--folds", "2", "--epochs", "1", "--json"]
    words += ["--out", str(tmp_path / "new")]
    assert main(words) == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    action = found["heads"]["action"]
    assert action["pooled"]["clips"] == 36
    assert action["folds"] == 2
    assert [(fold["fold"], fold["group"]) for fold in action["by_fold"]] == [(1, "subject"), (2, "subject")]
    assert sum(fold["clips"] for fold in action["by_fold"]) == 36 and sum(f["groups"] for f in action["by_fold"]) == 6
    assert found["robustness"]["all modalities"]["action"]["uar"] == action["pooled"]["uar"]
    assert found["robustness"]["only audio"]["action"]["clips"] == 36
    assert shown.err.endswith(f"report: {tmp_path / 'new' / 'report.html'}\n")
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == found
    page = (tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    for words in ("Cross-validation", "Over the folds", "By subject", "Robustness", "What is taken for what"):
        assert words in page
    assert ("data:image/jpeg" in page) == bool(action["pooled"]["mistakes"])


@pytest.fixture(scope="module")
def pieces(data) -> Path:
    """Class folders whose names give pieces of recordings, without subjects; one file cannot be read."""
    folder = data / "pieces"
    for number, row in enumerate(load_manifest(data / "clips").rows):
        action = row.labels["action"]
        place = folder / action
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(row.path, place / f"v_{action}_g{number // 9:02}_c{number:02}.mp4")
    (folder / "spin" / "broken.mp4").write_bytes(b"no film")
    return folder


def test_a_training_warns_of_torn_recordings_and_its_clips_are_left_out_of_evaluations(pieces, tmp_path, capsys):
    out = tmp_path / "bundle"
    assert main(["train", str(pieces), "--out", str(out), *LINEAR]) == 0
    shown = capsys.readouterr()
    assert "vu: warning: accuracy may be overestimated: " in shown.err and "such as v_" in shown.err
    assert "subject column" in shown.err
    assert "1 clip of 37 could not be read" in shown.err and "broken.mp4" in shown.err
    assert shown.out.count("warning: ") == 2
    bundle = Bundle.read(out)
    for told in [bundle.card_file, out / "report.html", out / "training" / "report.html", out / "bundle.json"]:
        assert "accuracy may be overestimated" in told.read_text(), told
    assert "v_" not in (out / "training_clips.json").read_text() + (out / "bundle.json").read_text()

    copies = tmp_path / "copies"  # under other names
    for number, file in enumerate(sorted(pieces.glob("*/v_*"))):
        (copies / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copies / file.parent.name / f"{number:03}.mp4")
    split = split_rows(load_manifest(pieces), seed=0)
    new = sum(load_manifest(pieces).rows[place].path.name != "broken.mp4" for place in split.parts["test"])
    assert main(["evaluate", str(out), str(copies), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["overall"]["clips"] == new
    assert "taught this model" in told["notes"][0] and "left out" in told["notes"][0]
    assert main(["evaluate", str(out), str(copies), "--json", "--with-seen"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["overall"]["clips"] == 36 and "better than on clips that are new" in told["notes"][0]
    assert {folder.name for folder in (out / "evaluation").iterdir()} == {"copies", "copies-with-seen"}


def test_a_cross_validation_warns_of_torn_recordings(pieces, capsys):
    assert main(["crossval", str(pieces), *LINEAR, "--folds", "2", "--json"]) == 0
    shown = capsys.readouterr()
    (warning, skipped) = json.loads(shown.out)["warnings"]
    assert "accuracy may be overestimated" in warning and "v_" not in warning and "could not be read" in skipped
    assert shown.err.count("such as v_") == 1 and shown.err.count("broken.mp4") == 1


def test_a_cross_validation_that_goes_on_needs_a_folder(data, capsys):
    assert main(["crossval", str(data / "clips"), "--resume"]) == 2
    assert "--work" in capsys.readouterr().err


def test_the_card_of_a_pretrained_audio_encoder_names_its_weights():
    spec = preset("tiny")
    separable = dataclasses.replace(spec, network=dataclasses.replace(spec.network, listener="separable"))
    assert _licences(spec, "default") == {} == _licences(separable, None)
    assert _licences(separable, "default") == {"audio encoder separable, pretrained for this project": "Apache-2.0"}
    lite = dataclasses.replace(separable.network, backbone="efficientnet_lite0")
    assert len(_licences(dataclasses.replace(separable, network=lite), "default")) == 2


def test_ctrl_c_keeps_the_best_model_so_far(data, tmp_path, monkeypatch):
    """The key is pressed in the third epoch; the bundle holds the best of the first two."""
    from video_understanding.training import keeper

    whole = keeper.Keeper.on_train_batch_end

    def press(self, batch, logs=None):
        whole(self, batch, logs)
        if self.epochs_done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(keeper.Keeper, "on_train_batch_end", press)
    manifest = load_manifest(data / "clips")
    bundle = train(manifest, preset("tiny"), tmp_path / "stopped", TrainingSettings(epochs=5), progress=False)
    assert bundle.facts["training"]["interrupted"]
    assert bundle.facts["training"]["epochs"] == 2
    assert bundle.keras_file.exists()


def test_a_split_without_a_class_to_tell_apart_is_refused(data, tmp_path):
    manifest = load_manifest(data / "clips")
    rows = [
        dataclasses.replace(row, labels={"action": "spin"})
        for row in manifest.rows
        if row.labels.get("action") == "spin"
    ]
    with pytest.raises(TrainingError, match="only one action"):
        train(manifest.with_rows(rows), preset("tiny"), tmp_path / "one", progress=False)


def test_a_clip_is_encoded_once_however_often_it_is_measured(data, tmp_path, monkeypatch):
    """For the temperature, the reports, and a picture under every condition of sound."""
    seen = []
    encode = KerasScorer.encode_pieces

    def count(self, modality, pieces):
        if modality == "video":
            seen.append(len(pieces))
        return encode(self, modality, pieces)

    monkeypatch.setattr(KerasScorer, "encode_pieces", count)
    manifest, spec = load_manifest(data / "clips"), preset("tiny")
    split = split_rows(manifest, seed=0)
    train(manifest, spec, tmp_path / "out", TrainingSettings(epochs=1), split=split, progress=False)
    assert sum(seen) == spec.frames * (len(split.parts["validation"]) + len(split.parts["test"]))


TWO_CUES = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=4, height_px=32, width_px=32),
    audio=AudioSpec(hop_s=0.25),
    network=NetworkSpec(token_size=32, dropout=0.1, modality_dropout=0.0, fusion="cross_attention"),
)
TWO_CUES_SETTINGS = TrainingSettings(epochs=14, learning_rate=2e-3, augment=False, label_smoothing=0.0, seed=1)


@pytest.fixture(scope="module")
def two_cues(tmp_path_factory) -> Path:
    """The label is the exclusive or of a seen and a heard cue: each alone leaves it at chance."""
    folder = tmp_path_factory.mktemp("two_cues")
    make_dataset(
        folder / "both", seed=3, clips=480, mode="needs_both", subjects=8, duration_s=1.0, difficulty=0.1,
        width_px=64, height_px=48,
    )  # fmt: skip
    return folder


@pytest.mark.slow  # two whole trainings
@pytest.mark.parametrize("sense", ["video", "audio"])
def test_a_model_of_one_sense_alone_stays_near_chance(two_cues, sense):
    """Trained and measured on clips that are said to lack the other sense."""
    import video_understanding as vu

    manifest = load_manifest(two_cues / "both")
    split = split_rows(manifest, seed=0, validation=0.15, test=0.25)
    clips = vu.load_dataset(
        two_cues / "both", spec=TWO_CUES, settings=TWO_CUES_SETTINGS, split=split,
        cache=ClipCache(two_cues / "cache"), progress=False,
    )  # fmt: skip
    only = np.float32([sense == "video", sense == "audio"])
    keras.utils.set_random_seed(1)
    model = vu.VideoUnderstandingModel(TWO_CUES, clips.labels, seed=1)
    model.compile(keras.optimizers.AdamW(2e-3))

    class Lacking(Feed):
        def __iter__(self):
            for inputs, targets in super().__iter__():
                yield {**inputs, "presence": inputs["presence"] * only}, targets

    model.fit(Lacking(clips.train), epochs=8, shuffle=False, verbose=0)
    other = "audio" if sense == "video" else "video"
    rows = [
        row if part == "test" else dataclasses.replace(row, labels={**row.labels, "action": None})
        for row, part in zip(manifest.rows, split.part_of_rows(), strict=True)
    ]
    found = evaluate(KerasScorer(model), clips.prepared, rows, without=other, progress=False).heads["action"]
    assert found.clips > 100
    assert found.accuracy <= 0.62


def test_cross_attention_learns_what_only_both_modalities_tell(two_cues, tmp_path):
    manifest = load_manifest(two_cues / "both")
    split = split_rows(manifest, seed=0, validation=0.15, test=0.25)
    cache = ClipCache(two_cues / "cache")
    result = fit(manifest, split, TWO_CUES, tmp_path / "out", TWO_CUES_SETTINGS, cache=cache, progress=False)
    scorer, rows = KerasScorer(result.model), result.rows_of("test")
    accuracy = {
        without: evaluate(scorer, result.prepared, rows, without=without, progress=False).heads["action"].accuracy
        for without in (None, "video", "audio")
    }
    assert accuracy[None] >= 0.95
    assert accuracy["video"] <= 0.65
    assert accuracy["audio"] <= 0.65


def test_training_by_hand_with_plain_keras(data):
    import video_understanding as vu

    clips = vu.load_dataset(data / "clips", settings=TrainingSettings(batch_size=8), progress=False)
    model = vu.VideoUnderstandingModel(clips.spec, clips.labels, seed=1)
    model.compile(optimizer="adamw")
    history = model.fit(clips.train, validation_data=clips.validation, epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    assert "val_action_accuracy" in history
    inputs, targets = clips.test[0]
    assert inputs["frames"].shape[1:] == clips.spec.frames_shape
    assert targets["action"].shape == (len(inputs["frames"]), 4)


def test_several_labels_at_once_from_the_table_to_the_bundle(data, tmp_path, capsys):
    lines = (data / "clips" / "clips.csv").read_text().splitlines()
    folder = tmp_path / "several"
    folder.mkdir()
    (folder / "media").symlink_to(data / "clips" / "media")
    rows = [line.split(",") for line in lines[1:]]
    table = [lines[0], *(f"{path},{action}|{emotion},,{subject}" for path, action, emotion, subject in rows)]
    (folder / "clips.csv").write_text("\n".join(table) + "\n")
    words = ["train", str(folder), "--out", str(tmp_path / "bundle"), *TINY, "--epochs", "1"]
    assert main(words) == 2
    assert "--multi-label action" in capsys.readouterr().err
    assert main([*words, "--multi-label", "action"]) == 0
    bundle = Bundle.read(tmp_path / "bundle")
    assert bundle.spec.network.multi_label == ("action",)
    assert "mean_average_precision" in bundle.facts["metrics"]["test"]["heads"]["action"]


@pytest.mark.parametrize("option", ["--epochs", "--batch-size", "--mixup"])
def test_what_a_closed_form_has_no_use_for_is_refused(option, data, tmp_path, capsys):
    assert main(["train", str(data / "clips"), "--out", str(tmp_path / "new"), option, "1"]) == 2
    told = capsys.readouterr().err
    assert option in told and "--classifier network" in told
    assert not (tmp_path / "new").exists()
