"""A bundle comes back as it was written, says what is wrong when it does not, and its card makes nothing up."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.worlds import LABELS, ReadingScorer, prepared_from, row, window
from video_understanding.bundle import BUNDLE_FILE, Bundle
from video_understanding.bundle_card import card, in_words, results
from video_understanding.errors import BundleError
from video_understanding.evaluation import crossval_summary, evaluate
from video_understanding.labels import Labels
from video_understanding.spec import ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=2.0, video=VideoSpec(frames_hz=5, height_px=90, width_px=120, fit="pad"))
FACTS = {
    "name": "mine",
    "created": "2025-03-01T12:00:00+00:00",
    "versions": {"tensorflow": "2.21.0"},
    "split_hash": "0123456789abcdef",
    "training": {"settings": {"epochs": 9, "augment": True}, "seed": 3, "epochs": 7, "best_epoch": 4, "seconds": 12.5},
    "temperature": {"action": 1.5},
    "unknown_below": {"action": 0.25},
    "data": [{"name": "mine", "clips": 40, "licence": "CC BY 4.0"}],
    "licences": {"efficientnet_lite0": "Apache-2.0"},
    "exports": {"fp32.tflite": {"drift": 0.0001}},
}


@pytest.fixture(scope="module")
def report():
    """Jump is always found, run in one of two clips; swim has no clip. Six subjects, one clip of each class."""
    said = {"jump": [80, 10, 10], "run": [10, 80, 10]}
    clips, rows = [], []
    for number in range(12):
        true = ("jump", "run")[number % 2]
        shown = "jump" if true == "run" and number < 6 else true
        clips.append([window(said[shown], None)])
        rows.append(row(f"secret_{number}.mp4", action=true, subject=f"person_{number // 2}"))
    return evaluate(ReadingScorer(), prepared_from(clips, rows), rows, progress=False)


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    return Bundle.write(tmp_path / "mine", SPEC, LABELS, FACTS)


def test_what_is_written_is_read(bundle):
    back = Bundle.read(str(bundle.folder))
    assert back == bundle
    assert (back.spec, back.labels, back.facts) == (SPEC, LABELS, FACTS)
    assert [path.name for path in bundle.folder.iterdir()] == [BUNDLE_FILE]


def test_what_write_gives_back_is_what_will_be_read(tmp_path):
    facts = {"name": None, "training": {"rates": (1, 2)}, "note": "kept"}
    labels = Labels(emotion=("喜び", "petit\udcff"))  # a folder's name on disk need not be valid text
    written = Bundle.write(tmp_path / "deep" / "er", SPEC, labels, facts)
    assert written == Bundle.read(tmp_path / "deep" / "er")
    assert written.facts == {"training": {"rates": [1, 2]}, "note": "kept"}
    assert written.name == "er"


def test_facts_change_on_disk(bundle):
    changed = bundle.with_facts(exports={"int8.tflite": {"drift": 0.002}}, split_hash=None)
    assert changed == Bundle.read(bundle.folder)
    assert changed.facts["exports"] == {"int8.tflite": {"drift": 0.002}}
    assert "split_hash" not in changed.facts and changed.facts["data"] == FACTS["data"]
    assert bundle.facts == FACTS


def test_a_write_that_fails_leaves_what_was_there(bundle, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(BundleError, match=r"bundle\.json: cannot be written \(No space left on device\)"):
            bundle.with_facts(name="other")
    assert [path.name for path in bundle.folder.iterdir()] == [BUNDLE_FILE]
    assert Bundle.read(bundle.folder) == bundle


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"spec": {}}, "fact called 'spec'"),
        ({"training": {"loss": float("nan")}}, "cannot be told in JSON"),
        ({"training": {"loss": np.float32(1)}}, "cannot be told in JSON"),
        ({"temperature": {"action": 0}}, '"temperature" of action in it is 0'),
        ({"temperature": {"mood": 1.0}}, "told for 'mood'. The model has: action, emotion"),
        ({"unknown_below": {"action": 1.2}}, '"unknown_below" of action in it is 1.2'),
        ({"data": {"name": "x"}}, '"data" in it is not a list of objects'),
        ({"versions": 3}, '"versions" in it is not an object of texts'),
        ({"metrics": {"validation": 0.9}}, '"metrics" in it is not an object of objects'),
    ],
)
def test_facts_that_could_not_be_used_are_refused_before_they_are_written(tmp_path, facts, said):
    with pytest.raises(BundleError) as caught:
        Bundle.write(tmp_path / "mine", SPEC, LABELS, facts)
    assert said in str(caught.value)
    assert not (tmp_path / "mine").exists()


def _changed(**changes):
    return lambda text: json.dumps({**json.loads(text), **changes})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:200], "is not whole JSON"),
        (lambda _: "", "is not whole JSON"),
        (lambda _: "[1]", "does not describe a trained model"),
        (lambda _: '{"name": "something else"}', "does not describe a trained model"),
        (_changed(format=2, labels=None), "has format 2, this program reads format 1. Install a newer"),
        (_changed(spec=None), "spec is a NoneType"),
        (_changed(spec={"window_s": 0.3}), "gives 1.2 frames"),
        (_changed(spec={"windows": 2}), "windows is not a setting of the spec. Did you mean window_s?"),
        (_changed(spec={"window_s": float("inf")}), "is not whole JSON (Infinity is not JSON)"),
        (_changed(labels=None), "labels are not JSON of the form"),
        (_changed(labels={}), "names no class of any head"),
        (_changed(labels={"action": ["a", "a"]}), "action has the class 'a' twice"),
        (_changed(temperature={"action": "hot"}), '"temperature" in it is not an object of numbers'),
    ],
)
def test_a_bundle_that_is_broken_says_where(bundle, change, said):
    file = bundle.folder / BUNDLE_FILE
    file.write_text(change(file.read_text()))
    with pytest.raises(BundleError) as caught:
        Bundle.read(bundle.folder)
    assert str(caught.value).startswith(f"{file}: ") and said in str(caught.value)


def test_a_file_that_is_no_text_is_an_error_of_one_line(bundle):
    (bundle.folder / BUNDLE_FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BundleError, match="is not text"):
        Bundle.read(bundle.folder)


@pytest.mark.parametrize(
    ("files", "given", "said"),
    [
        ((), "nowhere", "does not exist"),
        (("a/",), "a", "is empty"),
        (("a/x.txt", "a/y.txt"), "a", "has no bundle.json, only x.txt, y.txt. Give the folder"),
        ([f"a/{n}.txt" for n in range(8)], "a", "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 3 more"),
        (("a/model.keras",), "a/model.keras", "is a file, not the folder"),
        (("mine/model.keras",), "mine/model.keras", "is a file, not the folder of a trained model. Give the folder of"),
        (("a/saved_model.pb",), "a", "is a SavedModel, which by itself tells neither labels nor settings"),
        (("mine/saved_model/saved_model.pb",), "mine/saved_model", "Give the folder of its bundle: "),
        ((), "", "is not a bundle, but holds some: mine. Give one of them."),
        (("a/clips.csv", "a/media/1.mp4"), "a", "looks like clips, not like a model. Train on it first: vu train "),
        (("a/dance/1.mp4", "a/jump/1.mp4"), "a", "looks like clips"),
        (("a/history.csv", "a/training/state.npz"), "a", "holds a training that was not finished"),
    ],
)
def test_what_is_no_bundle_is_told_by_what_it_is(bundle, files, given, said):
    root = bundle.folder.parent
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_text("")
    with pytest.raises(BundleError) as caught:
        Bundle.read(root / given)
    assert str(caught.value).startswith(f"{root / given}: ") and said in str(caught.value)


def test_files_are_found_or_missed_by_name(bundle):
    with pytest.raises(BundleError, match=r"mine: has no model\.keras"):
        _ = bundle.keras_file
    with pytest.raises(BundleError, match=r"has no saved_model\. Make it with: vu export"):
        _ = bundle.saved_model_folder
    assert bundle.tflite_files == {}
    for name in ("model.keras", "int8.tflite", "fp32.tflite"):
        (bundle.folder / name).write_text("")
    (bundle.folder / "saved_model").mkdir()
    assert bundle.keras_file == bundle.folder / "model.keras"
    assert bundle.saved_model_folder == bundle.folder / "saved_model"
    assert list(bundle.tflite_files.items()) == [(n, bundle.folder / f"{n}.tflite") for n in ("fp32", "int8")]
    assert bundle.card_file == bundle.folder / "README.md"


def test_a_head_without_a_temperature_keeps_its_confidence(bundle):
    assert [bundle.temperature(head) for head in ("action", "emotion")] == [1.5, 1.0]
    assert [bundle.unknown_below(head) for head in ("action", "emotion")] == [0.25, None]


def section(text: str, title: str) -> str:
    return re.search(rf"^## {title}\n\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_card_tells_the_numbers_of_the_report(bundle, report):
    with_numbers = bundle.with_facts(metrics={"validation": report.to_dict(), "timing": {"seconds": 3}})
    numbers = section(card(with_numbers), "Numbers")
    names, _, line = cells(numbers)
    told = report.heads["action"]
    low, high = (f"{100 * value:.1f}" for value in told.uar_interval)
    assert line[:3] == ["validation", "action", "12"]
    assert line[3] == "75.0" and line[6:8] == ["75.0", f"{low} to {high}"]
    assert [line[place] for place, name in enumerate(names) if name == "by guessing"] == ["50.0", "50.0"]
    assert "chose the best epoch; that flatters" in numbers and "0123456789abcdef" in numbers


def test_the_card_tells_how_it_fails(bundle, report):
    failures = section(card(bundle.with_facts(metrics={"validation": report.to_dict()})), "How it fails")
    assert "found least often are run (50.0 % of 6)" in failures
    assert "taken for another most often are run for jump (3)" in failures
    assert "accuracy of single subjects is from 50.0 to 100.0 %" in failures
    assert "it was sure to 80.0 % and right in 75.0 %" in failures


def test_the_card_tells_what_the_loss_of_a_sense_costs(bundle):
    table = {name: {"action": {"clips": 9, "uar": uar}} for name, uar in (("all modalities", 0.9), ("only audio", 0.5))}
    failures = section(card(bundle.with_facts(metrics={"robustness": table})), "How it fails")
    assert "- action, UAR with all modalities 90.0 %, only audio 50.0 %." in failures


def test_the_card_tells_the_worst_first(bundle):
    names, confusion = ("jump", "run", "swim"), [[9, 1, 0], [2, 5, 3], [0, 4, 0]]
    classes = [
        {"name": n, "clips": sum(c), "recall": c[p] / sum(c)}
        for p, (n, c) in enumerate(zip(names, confusion, strict=True))
    ]
    found = {"clips": 24, "accuracy": 0.5, "uar": 0.5, "classes": classes, "confusion": confusion}
    failures = section(card(bundle.with_facts(metrics={"test": {"heads": {"action": found}}})), "How it fails")
    assert "found least often are swim (0.0 % of 4), run (50.0 % of 10), jump (90.0 % of 10)" in failures
    assert "most often are swim for run (4), run for swim (3), run for jump (2)." in failures


def test_the_card_names_no_clip_and_no_person(bundle, report):
    text = card(bundle.with_facts(metrics={"validation": report.to_dict()}))
    assert "secret" not in text and "person_" not in text
    assert str(bundle.folder.parent) not in text


def test_results_without_a_sense_and_of_folds_are_told_apart(bundle, report):
    deaf = {**report.to_dict(), "without": "audio"}
    bundle = bundle.with_facts(metrics={"test": deaf, "crossval": crossval_summary([report]).to_dict()})
    assert [(result.part, result.uar) for result in results(bundle)] == [
        ("test without audio", 0.75),
        ("crossval", 0.75),
    ]
    assert "each measured by a model of its own" in section(card(bundle), "Numbers")


def test_metrics_that_are_no_report_are_named(bundle):
    bundle = bundle.with_facts(metrics={"test": {"heads": {"action": {"precision": 1}}}})
    with pytest.raises(BundleError, match="metrics of 'test' in it are not a report"):
        card(bundle)


def test_what_is_not_known_is_called_unknown(tmp_path):
    text = card(Bundle.write(tmp_path / "bare", SPEC, LABELS, {}))
    for title in ("What it has learned from", "Numbers", "How it fails", "Exports", "Licences"):
        assert "unknown" in section(text, title).lower(), title
    assert "Made: unknown. With: unknown." in text
    assert "None" not in text and "nan" not in text and "%" not in text


def test_what_is_known_is_not_called_unknown(bundle, report):
    text = card(bundle.with_facts(metrics={"test": report.to_dict()}, unknown_below=None))
    assert "unknown" not in text.lower()
    assert ["mine", "40", "CC BY 4.0"] in cells(section(text, "What it has learned from"))
    assert "settings epochs 9, augment yes, seed 3, epochs 7, best epoch 4, seconds 12.5" in text
    assert "efficientnet_lite0: Apache-2.0" in section(text, "Licences")
    assert "drift 0.0001" in section(text, "Exports")


def test_no_weights_is_not_the_same_as_unknown_weights(bundle):
    assert "random weights" in section(card(bundle.with_facts(licences={})), "Licences")
    assert "unknown" in section(card(bundle.with_facts(licences=None)), "Licences")


def test_the_card_tells_what_goes_in_and_what_comes_out(bundle):
    text = card(bundle)
    inputs, outputs = section(text, "What goes in"), section(text, "What comes out")
    assert "2 s long" in inputs and "10 frames, 5 a second, 120 pixels wide and 90 high" in inputs
    assert "filled up with black" in inputs and "32000 samples of one channel at 16000 Hz" in inputs
    assert "3 classes: jump; run; swim" in outputs and "2 classes: calm; glad" in outputs
    assert 'below 0.25 are called "unknown"' in outputs


def test_the_card_tells_that_a_part_of_the_picture_is_looked_at(bundle, tmp_path):
    spec = dataclasses.replace(SPEC, video=dataclasses.replace(SPEC.video, zoom=2))
    zoomed = card(Bundle.write(tmp_path / "zoomed", spec, LABELS, FACTS))
    assert "read 240 pixels wide and 180 high" in section(zoomed, "What goes in")
    assert "where most moves is not seen" in zoomed
    assert "most moves" not in card(bundle)


def test_the_card_forbids_conclusions_about_feelings_where_it_names_emotions(bundle, tmp_path):
    title = "What it must not be used for"
    assert "feels" in section(card(bundle), title)
    deeds = Bundle.write(tmp_path / "deeds", SPEC, Labels(action=("run", "jump")), {})
    assert "feels" not in card(deeds) and "No decisions about people" in section(card(deeds), title)


def test_names_do_not_become_markdown(tmp_path):
    labels = Labels(action=("*a* <b>", "[x](y)"))
    data = [{"name": "one|two\n# three", "clips": 1, "licence": None}]
    text = card(Bundle.write(tmp_path / "mine", SPEC, labels, {"data": data, "name": "a\n# b"}))
    assert r"\*a\* \<b>; \[x](y)" in text
    assert cells(section(text, "What it has learned from"))[2] == [r"one\|two # three", "1", "unknown"]
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# a # b"]


def test_facts_in_words():
    facts = {"best_epoch": 1, "augment": False, "rate": 1e-3, "mixup": None, "parts": [1, {"a_b": 2}]}
    assert in_words(facts) == "best epoch 1, augment no, rate 0.001, mixup none, parts 1, a b 2"
