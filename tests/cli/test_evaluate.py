"""`vu evaluate` from a bundle and clips to numbers, a page and a clean standard output; the scorer is a stand-in."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.report.reading import Page
from video_understanding import runtimes
from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.labels import Labels
from video_understanding.media.synthetic import make_dataset
from video_understanding.scorer import ModelInputs, Scores
from video_understanding.spec import ModelSpec, VideoSpec

SPEC = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=4, height_px=32, width_px=32))
LABELS = Labels(action=("bounce", "spin"))


class Coin:
    """Says bounce or spin by whether the picture is bright: wrong about some clips, and always the same."""

    spec, labels = SPEC, LABELS

    def __call__(self, inputs: ModelInputs) -> Scores:
        bright = inputs["video"].reshape(len(inputs["video"]), -1).mean(axis=1) / 255  # [B]
        share = np.where(inputs.presence[:, 0], np.round(bright * 997) % 10 / 10, 0.5).astype(np.float32)  # [B]
        return Scores(LABELS, {"action": np.stack([share, 1 - share], axis=1)})


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate")
    make_dataset(folder / "clips", seed=1, clips=12, duration_s=1.0, actions=LABELS["action"], subjects=3,
                 width_px=48, height_px=48)  # fmt: skip
    return folder / "clips"


@pytest.fixture
def bundle(tmp_path, clips, monkeypatch) -> Path:
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(clips.parent / "cache"))
    asked = []
    monkeypatch.setattr(runtimes, "make_scorer", lambda _, runtime: asked.append(runtime) or Coin())
    monkeypatch.setattr(Coin, "asked", asked, raising=False)
    return Bundle.write(tmp_path / "mine", SPEC, LABELS, {}).folder


def test_numbers_are_printed_and_the_report_lies_in_the_bundle(bundle, clips, capsys):
    assert main(["evaluate", str(bundle), str(clips)]) == 0
    printed = capsys.readouterr().out
    folder = bundle / "evaluation" / "clips"
    assert printed.splitlines()[-1] == f"report: {folder / 'report.html'}"
    values = json.loads((folder / "report.json").read_text())
    accuracy = f"{100 * values['heads']['action']['accuracy']:.1f}"
    assert re.search(rf"accuracy +{accuracy} ", printed)
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert f"{accuracy} % of 12 clips are right" in page.text
    assert "Report on mine" in page.text and "Computed by: keras" in page.text
    assert "only audio" in page.text
    wrong = sum(count for true, row in enumerate(values["heads"]["action"]["confusion"])
                for said, count in enumerate(row) if true != said)  # fmt: skip
    assert 0 < wrong == len(page.attributes("img"))
    assert Bundle.read(bundle).facts == {}, "the bundle says what it said before"


def test_json_is_the_only_thing_on_standard_output(bundle, clips, tmp_path, capsys):
    out = tmp_path / "elsewhere"
    assert main(["evaluate", str(bundle), str(clips), "--json", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == json.loads((out / "report.json").read_text())
    assert f"report: {out / 'report.html'}" in printed.err
    assert not (bundle / "evaluation").exists()


def test_no_evaluation_takes_the_place_of_another(bundle, clips, capsys):
    for words in ([], ["--without", "audio"], ["--runtime", "tflite:int8"], ["--runtime", "saved_model"]):
        assert main(["evaluate", str(bundle), str(clips), *words]) == 0
    capsys.readouterr()
    names = sorted(folder.name for folder in (bundle / "evaluation").iterdir())
    assert names == ["clips", "clips-saved_model", "clips-tflite-int8", "clips-without-audio"]
    assert Coin.asked == ["keras", "keras", "tflite:int8", "saved_model"]
    silent = (bundle / "evaluation" / "clips-without-audio" / "report.html").read_text(encoding="utf-8")
    assert "The sound was taken away." in silent and "Robustness" not in silent


def test_tables_of_one_name_have_a_report_each(bundle, clips, tmp_path, capsys):
    for name in ("first", "second", "first"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        rows = (clips / "clips.csv").read_text().splitlines()
        (folder / "clips.csv").write_text("\n".join([rows[0], *(f"{clips}/{row}" for row in rows[1:])]) + "\n")
        assert main(["evaluate", str(bundle), str(folder / "clips.csv")]) == 0
    capsys.readouterr()
    assert sorted(folder.name for folder in (bundle / "evaluation").iterdir()) == ["clips", "clips-2"]


def test_a_bundle_that_cannot_be_written_costs_the_report_and_not_the_numbers(bundle, clips, capsys):
    (bundle / "evaluation").write_text("a file where a folder should be")
    assert main(["evaluate", str(bundle), str(clips), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["heads"]["action"]["clips"] == 12
    (line,) = [line for line in printed.err.splitlines() if "report" in line]
    assert line.startswith("vu: no report is kept: ") and "cannot be written" in line


def test_a_folder_that_was_asked_for_and_cannot_be_written_is_an_error(bundle, clips, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["evaluate", str(bundle), str(clips), "--out", str(tmp_path / "file")]) == 2
    printed = capsys.readouterr()
    assert "accuracy" in printed.out, "the numbers are told all the same"
    assert "cannot be written" in printed.err and "Traceback" not in printed.err


def test_a_runtime_that_does_not_exist_is_refused_with_those_that_do(bundle, clips, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", str(bundle), str(clips), "--runtime", "tflite:int4"])
    assert stopped.value.code == 2
    assert "tflite:int8" in capsys.readouterr().err


def test_an_anonymous_report_lies_beside_the_other_and_names_nobody(bundle, clips, capsys):
    assert main(["evaluate", str(bundle), str(clips), "--json"]) == 0
    named = json.loads(capsys.readouterr().out)["heads"]["action"]
    assert main(["evaluate", str(bundle), str(clips), "--json", "--anonymous"]) == 0
    shown = capsys.readouterr()
    folder = bundle / "evaluation" / "clips-anonymous"
    assert shown.err.endswith(f"report: {folder / 'report.html'}\n")
    names = {mistake["path"] for mistake in named["mistakes"]}
    told = [(folder / name).read_text(encoding="utf-8") for name in ("report.html", "report.json")]
    assert names and not any(name in text for name in names for text in (*told, shown.out))
    assert "data:image" not in told[0]
    found = json.loads(shown.out)["heads"]["action"]
    assert [one["subject"] for one in found["subjects"]["subjects"]] == ["1", "2", "3"]
    assert (found["accuracy"], found["confusion"]) == (named["accuracy"], named["confusion"])
