"""`vu check` says on stdout what is wrong with a data set, and with its exit code whether anything is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from video_understanding.cli.main import main
from video_understanding.media.synthetic import make_dataset


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    looks = {"width_px": 96, "height_px": 72, "duration_s": 1.0}
    make_dataset(folder, seed=5, clips=12, subjects=3, actions=("bounce", "grow"), emotions=("angry", "sad"), **looks)
    return folder


@pytest.fixture
def folder(made, tmp_path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def test_a_clean_set_exits_with_0(folder, capsys):
    assert main(["check", str(folder)]) == 0
    shown = capsys.readouterr()
    assert "12 clips" in shown.out and "Nothing was found" in shown.out


@pytest.mark.parametrize(
    ("keep", "told"),
    [
        (lambda line: ",grow," not in line, "only one action, bounce"),
        (lambda line: "person_1" in line, "need as many subjects"),
    ],
)
def test_what_a_training_refuses_is_a_problem(folder, keep, told, capsys):
    table = folder / "clips.csv"
    head, *lines = table.read_text().replace("angry", "").replace("sad", "").splitlines()
    table.write_text("\n".join([head, *filter(keep, lines)]) + "\n")
    assert main(["check", str(table)]) == 1
    assert told in " ".join(capsys.readouterr().out.split())


def test_warnings_alone_exit_with_0(folder, capsys):
    table = folder / "clips.csv"
    table.write_text(table.read_text().replace("person_1", ""))
    assert main(["check", str(table)]) == 0
    assert "WARNING no_subject" in capsys.readouterr().out


def test_a_problem_exits_with_1_and_names_the_row(folder, capsys):
    (folder / "media/clip_00003.mp4").write_bytes(b"")
    assert main(["check", str(folder)]) == 1
    shown = capsys.readouterr().out
    assert "PROBLEM unreadable" in shown and "clips.csv:5 media/clip_00003.mp4" in shown


def test_bad_input_exits_with_2_and_one_line(tmp_path, capsys):
    assert main(["check", str(tmp_path / "nowhere.csv")]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and len(shown.err.strip().splitlines()) == 1 and "nowhere.csv" in shown.err


def test_json_is_one_document_and_nothing_else(folder, capsys):
    (folder / "media/clip_00003.mp4").write_bytes(b"")
    assert main(["check", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["clips"], report["problems"]) == (12, 1)
    assert report["findings"][0]["kind"] == "unreadable"


def test_several_sources_are_joined(folder, tmp_path, capsys):
    other = shutil.copytree(folder, tmp_path / "other")
    assert main(["check", str(folder), str(other), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["clips"] == 24
    assert [finding["kind"] for finding in report["findings"] if finding["severity"] == "problem"] == ["same_file"]
