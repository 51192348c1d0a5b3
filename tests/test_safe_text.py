"""Hostile names and labels do no harm where they are shown: on a terminal, in a spreadsheet, in a file."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from video_understanding.errors import ManifestError, MediaError
from video_understanding.labels import Labels
from video_understanding.media.synthetic.calibration import write_calibration_clip
from video_understanding.prediction import HeadAnswer, Prediction, Segment
from video_understanding.recognition.table import segments_csv
from video_understanding.safe_text import one_line, spreadsheet_cell, visible
from video_understanding.whole_file import write_whole

RED, CLEAR = "\x1b[31mred", "a\x9b2Jb"


def test_control_characters_become_visible():
    assert one_line(f"{RED}\r\n\t\x7f\u202e\udcff") == r"\x1b[31mred\r\n\t\u007f\u202e\udcff"
    assert visible(f"{RED}\n\tnext\r") == "\\x1b[31mred\n\tnext\\r"
    assert one_line("Übung — 東京 😀") == "Übung — 東京 😀"


def test_visible_json_is_the_same_json():
    values = {"label": f"{RED}\n{CLEAR}\udcff\u2028"}
    assert json.loads(visible(json.dumps(values, ensure_ascii=False))) == values


def test_an_error_is_one_visible_line():
    assert str(MediaError(f"{RED}.mp4", "is\nbroken", "Give another.")) == "\\x1b[31mred.mp4: is broken. Give another."


@pytest.mark.parametrize("name", [RED, "two\nlines", "tab\tbed", CLEAR, "turned\u202e"])
def test_a_class_with_control_characters_is_refused(name):
    with pytest.raises(ManifestError, match="control character") as caught:
        Labels(action=("spin", name))
    assert "\x1b" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_cell_of_a_spreadsheet_is_a_formula(text):
    assert spreadsheet_cell(text) == f"'{text}"
    assert spreadsheet_cell(f"clips/{text}") == f"clips/{text}"


def test_the_table_of_predictions_holds_no_formula():
    answer = HeadAnswer("=1+1", 0.9, {"=1+1": 0.9, "spin": 0.1})
    segment = Segment(0.0, 1.0, {"action": answer})
    prediction = Prediction("=cmd.mp4", 1.0, {"action": answer}, {"video": True, "audio": True}, (segment,))
    (row,) = csv.DictReader(segments_csv([prediction]).splitlines())
    assert (row["file"], row["action"]) == ("'=cmd.mp4", "'=1+1")


def test_a_name_that_is_not_utf_8_can_be_written_and_read_again(tmp_path):
    name = os.fsdecode(b"clip_\xff.mp4")
    write_whole(tmp_path / "answers.json", json.dumps({"file": name}, ensure_ascii=False))
    assert json.loads((tmp_path / "answers.json").read_text(encoding="utf-8")) == {"file": name}


@pytest.fixture(scope="module")
def hostile_clip(tmp_path_factory) -> Path:
    """A clip whose name holds an escape sequence, a line break and a byte that is no UTF-8."""
    path = tmp_path_factory.mktemp("hostile") / os.fsdecode(b"\x1b[31mred\n\xff.mp4")
    write_calibration_clip(path, duration_s=1.0)
    return path


def run(*words: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "video_understanding", *map(str, words)]
    return subprocess.run(command, capture_output=True, check=False)


def test_a_hostile_file_name_reaches_the_terminal_as_visible_text(hostile_clip):
    done = run("inspect", hostile_clip)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[0].endswith(b"/\\x1b[31mred\\n\\udcff.mp4")
    done = run("inspect", hostile_clip, "--json")
    assert json.loads(done.stdout)[0]["file"] == str(hostile_clip)
    done = run("inspect", hostile_clip.with_name(os.fsdecode(b"\x1b[31m\xfe.mp4")))
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1 and b"\x1b" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_full_disk_behind_stdout_is_one_line(hostile_clip, form):
    command = [sys.executable, "-m", "video_understanding", "inspect", str(hostile_clip), *form]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "vu: standard output: cannot be used (No space left on device). Make room, and do it again.\n"
    )
