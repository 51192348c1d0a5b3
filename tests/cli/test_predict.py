"""`vu predict` as people and programs meet it: forms, folders, files that cannot be read, places to write to."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.recognition.test_recognizer import SPEC
from tests.recognition.worlds import ColourScorer, write_colours
from video_understanding.cli.main import main
from video_understanding.media.inspect import inspect_media
from video_understanding.recognition import Recognizer
from video_understanding.scorer import Scores

BOX = Path(__file__).parents[2] / "saved_models" / "four_sets"  # has an int8 file and no other


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A folder with a long clip, a short one below, a file that is none, and a text."""
    folder = tmp_path_factory.mktemp("clips")
    write_colours(folder / "long.mp4", lambda t: "red" if t < 4 else "blue", lambda t: t < 6, 8.0)
    (folder / "more").mkdir()
    write_colours(folder / "more" / "short.mp4", lambda _: "green", None, 1.2)
    (folder / "notes.txt").write_text("nothing to see")
    return folder


@pytest.fixture(autouse=True)
def loaded(monkeypatch) -> list[tuple]:
    """In place of a trained model one whose answers are known; what was asked for is kept."""
    asked = []

    def load(*arguments):
        asked.append(arguments)
        return Recognizer(ColourScorer(SPEC), {"emotion": 0.9})

    monkeypatch.setattr("video_understanding.runtimes.load", load)
    return asked


def test_a_person_reads_a_block_for_each_file(clips, capsys):
    assert main(["predict", "bundle", str(clips)]) == 0
    shown = capsys.readouterr()
    assert shown.err == "vu: 2 files; action green 1, red 1; emotion loud 1, quiet 1\n"
    lines = shown.out.splitlines()
    assert lines[0].startswith(f"{clips / 'long.mp4'}  (0:08.") and "picture and sound)" in lines[0]
    assert sum("timeline" in line for line in lines) == 1
    short = lines.index(next(line for line in lines if "short.mp4" in line))
    assert lines[short].endswith("(0:01.20, picture)") and "green (98 %)" in lines[short + 1]
    assert any("unknown" in line and "nearest" in line for line in lines)


def test_a_program_reads_a_list_in_the_promised_form(clips, capsys):
    assert main(["predict", "bundle", str(clips / "long.mp4"), "--json", "--stride", "1.0"]) == 0
    shown = capsys.readouterr()
    (told,) = json.loads(shown.out)
    assert shown.err == ""
    assert set(told) == {"file", "duration_s", "action", "emotion", "modalities", "segments"}
    assert set(told["action"]) == {"label", "confidence", "scores", "lasts_s"}
    assert (told["emotion"]["label"], told["emotion"]["lasts_s"]) == ("loud", 6.0)  # what lasts longest
    last = told["segments"][-1]
    assert (last["emotion"], last["emotion_nearest"]) == ("unknown", "quiet")
    assert told["modalities"] == {"video": True, "audio": True}
    assert [segment["action"] for segment in told["segments"]] == ["red", "blue", "blue"]
    assert {"start_s", "end_s", "action", "emotion", "action_confidence"} <= set(told["segments"][0])


def test_a_file_that_cannot_be_read_stops_no_other(clips, tmp_path, capsys):
    bad = tmp_path / "bad.mp4"
    bad.write_text("words")
    words = ["predict", "bundle", str(bad), "nowhere.mp4", str(clips / "more")]
    assert main([*words, "--json"]) == 2
    entries = json.loads(capsys.readouterr().out)
    assert [set(entry) == {"file", "error"} for entry in entries] == [True, True, False]
    assert "text, not media" in entries[0]["error"] and entries[1]["file"] == "nowhere.mp4"
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 3 and shown.err.startswith("vu: ")
    assert shown.err.splitlines()[-1].startswith("vu: 3 files, 2 unreadable; action green 1; emotion ")
    assert "short.mp4" in shown.out
    assert main([*words, "--csv"]) == 2
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["action"], bool(row["error"])) for row in rows] == [("green", False), ("", True), ("", True)]


def test_a_table_of_all_files_and_one_of_all_segments(clips, capsys):
    assert main(["predict", "bundle", str(clips), "--csv"]) == 0
    shown = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert [(Path(row["file"]).name, row["duration_s"][:3], row["action"], row["modalities"]) for row in rows] == [
        ("long.mp4", "8.0", "red", "video|audio"), ("short.mp4", "1.2", "green", "video"),
    ]  # fmt: skip
    assert main(["predict", "bundle", str(clips), "--segments-csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(Path(row["file"]).name, row["action"]) for row in rows] == [
        ("long.mp4", "red"), ("long.mp4", "blue"), ("long.mp4", "blue"), ("short.mp4", "green"),
    ]  # fmt: skip


def test_subtitles_of_one_file_and_of_several(clips, tmp_path, capsys):
    assert main(["predict", "bundle", str(clips / "long.mp4"), "--srt"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("1\n00:00:00,000 --> 00:00:04,000\nred ")
    assert main(["predict", "bundle", str(clips), "--srt"]) == 2
    assert "Add --out FOLDER/" in capsys.readouterr().err
    assert main(["predict", "bundle", str(clips), "--srt", "--out", f"{tmp_path}/titles/"]) == 0
    assert (tmp_path / "titles" / "long.srt").read_text() == text
    assert {path.name for path in (tmp_path / "titles").iterdir()} == {"long.srt", "short.srt"}
    assert capsys.readouterr().out == ""


def test_an_output_file_and_names_that_are_the_same(clips, tmp_path, capsys):
    out = tmp_path / "answers.json"
    assert main(["predict", "bundle", str(clips), "--json", "--out", str(out)]) == 0
    assert len(json.loads(out.read_text())) == 2
    same = ["predict", "bundle", str(clips / "long.mp4"), str(clips / "long.mp4"), "--json", "--out", str(tmp_path)]
    assert main(same) == 0
    assert json.loads((tmp_path / "long.json").read_text()) == json.loads((tmp_path / "long_2.json").read_text())
    assert capsys.readouterr().out == ""
    assert main(["predict", "bundle", str(clips / "long.mp4"), "--csv", "--out", str(out / "below.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_video_with_captions_and_the_picture(clips, tmp_path):
    words = ["predict", "bundle", str(clips / "long.mp4"), "--overlay", str(tmp_path / "shown.mp4")]
    assert main([*words, "--picture", str(tmp_path / "when.png")]) == 0
    assert inspect_media(tmp_path / "shown.mp4", SPEC).duration_s == pytest.approx(8.0, abs=0.1)
    assert (tmp_path / "when.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_for_one_file_and_for_several(clips, tmp_path, capsys, monkeypatch):
    page = tmp_path / "new" / "when.html"
    long = str(clips / "long.mp4")
    assert main(["predict", "saved/mine", long, "--json", "--report", str(page)]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)[0]["file"] == long and shown.err == f"report: {page}\n"
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>") and "long.mp4" in text and "Model: mine" in text
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "saved/mine", str(clips), long, "--report"]) == 0
    assert {file.name for file in tmp_path.glob("*.html")} == {
        "long_report.html", "short_report.html", "long_2_report.html",
    }  # fmt: skip
    assert main(["predict", "saved/mine", str(clips), "--report", "pages/"]) == 0
    assert {file.name for file in (tmp_path / "pages").iterdir()} == {"long_report.html", "short_report.html"}


def test_a_page_never_takes_the_place_of_a_clip(clips, tmp_path, capsys, loaded):
    """`--report` before the files takes the first of them for its own."""
    before = (clips / "long.mp4").read_bytes()
    words = ["predict", "bundle", "--report", str(clips / "long.mp4"), str(clips / "more")]
    assert main(words) == 2
    assert "is no name of a page. End it with .html" in capsys.readouterr().err
    assert (clips / "long.mp4").read_bytes() == before
    assert main(["predict", "bundle", str(clips), "--report", str(tmp_path / "x.html")]) == 2
    assert "is for one file, not 2" in capsys.readouterr().err
    assert not loaded


@pytest.mark.parametrize("name", ["overlay", "picture"])
def test_what_is_for_one_file_is_refused_for_several_before_any_work(name, clips, tmp_path, capsys, loaded):
    assert main(["predict", "bundle", str(clips), f"--{name}", str(tmp_path / "x.mp4")]) == 2
    assert "is for one file, not 2" in capsys.readouterr().err
    assert not loaded


def test_a_wrong_stride_is_told_once_with_ones_that_fit(clips, capsys):
    assert main(["predict", "bundle", str(clips), "--stride", "0.7"]) == 2
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and "Use 0.5 or 1 s" in shown.err


def test_a_folder_without_media_is_told(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["predict", "bundle", str(tmp_path)]) == 2
    assert "holds no file that ends like video or sound" in capsys.readouterr().err


@pytest.fixture
def odd(clips, tmp_path) -> Path:
    """A clip whose name, and that of its folder, is no UTF-8, begins like a formula and holds an escape sequence."""
    folder = tmp_path / os.fsdecode(b"out\xff")
    folder.mkdir()
    return shutil.copy(clips / "more" / "short.mp4", folder / os.fsdecode(b"=cmd\x1b[31m\xfe.mp4"))


@pytest.mark.parametrize("form", ["--json", "--csv", "--segments-csv", "--srt", ""])
def test_names_that_are_no_utf_8_can_be_read_and_written(odd, capsys, form):
    words = ["predict", "bundle", str(odd), *([form] if form else [])]
    for place in (odd.with_name(os.fsdecode(b"\xff.out")), f"{odd.parent}/new/"):
        assert main([*words, "--out", str(place)]) == 0
    assert main(words) == 0
    assert "\x1b" not in capsys.readouterr().out
    text = odd.with_name(os.fsdecode(b"\xff.out")).read_text(encoding="utf-8")
    if form == "--json":
        assert json.loads(text)[0]["file"] == str(odd)


@pytest.mark.parametrize("option", ["--report", "--overlay", "--picture"])
def test_pages_films_and_pictures_may_have_names_that_are_no_utf_8(odd, option):
    place = odd.with_name(
        os.fsdecode(b"\xff") + {"--report": ".html", "--overlay": ".mp4", "--picture": ".png"}[option]
    )
    assert main(["predict", "bundle", str(odd), option, str(place)]) == 0
    assert place.stat().st_size > 1000


def test_a_table_begins_no_cell_like_a_formula(odd, capsys, monkeypatch):
    monkeypatch.chdir(odd.parent)
    for form in ("--csv", "--segments-csv"):
        assert main(["predict", "bundle", odd.name, form]) == 0
        assert capsys.readouterr().out.splitlines()[1].startswith("'=cmd")


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_model_that_computes_nan_gives_no_answer(clips, capsys, monkeypatch, form):
    fuse = ColourScorer.fuse

    def broken(self, *parts):
        scores = fuse(self, *parts)
        return Scores(scores.labels, {head: values * np.nan for head, values in scores.heads.items()})

    monkeypatch.setattr(ColourScorer, "fuse", broken)
    assert main(["predict", "bundle", str(clips / "more"), *form]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and "computes NaN or infinity" in shown.err


def test_the_runtime_is_handed_on(clips, loaded):
    assert main(["predict", "bundle", str(clips / "more"), "--runtime", "tflite:int8"]) == 0
    assert loaded == [("bundle", "tflite:int8")]
    assert main(["predict", "bundle", str(clips / "more")]) == 0
    assert loaded[1:] == [("bundle", None)]
    with pytest.raises(SystemExit) as stop:
        main(["predict", "bundle", "x.mp4", "--runtime", "torch"])
    assert stop.value.code == 2


@pytest.mark.parametrize("command", ["predict", "stream"])
@pytest.mark.parametrize(("words", "runtime"), [([], "tflite:int8"), (["--runtime", "keras"], "keras")])
def test_the_tflite_file_of_a_bundle_is_run_unless_another_runtime_is_asked_for(command, words, runtime, clips, loaded):
    assert main([command, str(BOX), str(clips / "more" / "short.mp4"), *words]) == 0
    assert loaded == [(str(BOX), runtime)]


def test_no_bundle_is_one_line_and_exit_code_2(clips, tmp_path, capsys, monkeypatch):
    monkeypatch.undo()
    assert main(["predict", str(tmp_path), str(clips), "--json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and "Give the folder that `vu train` wrote" in shown.err


@pytest.mark.shared_data
def test_hard_files_never_end_in_a_traceback(shared_data, capsys):
    folder = shared_data / "hard"
    files = [str(path) for path in sorted(folder.iterdir()) if path.suffix != ".csv" and path.stat().st_size < 400_000]
    assert main(["predict", "bundle", *files, "--json"]) == 2  # some are no media at all
    entries = json.loads(capsys.readouterr().out)
    assert [entry["file"] for entry in entries] == files
    read = [entry for entry in entries if "error" not in entry]
    assert len(read) >= 25
    for entry in read:
        assert entry["segments"][0]["start_s"] == 0
        assert entry["segments"][-1]["end_s"] == pytest.approx(entry["duration_s"], abs=0.51)
