"""The program as a person meets it: help with examples, exit codes, JSON alone on stdout, one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from video_understanding.cli.main import COMMANDS, command_module, main
from video_understanding.media.synthetic.calibration import write_calibration_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_calibration_clip(tmp_path_factory.mktemp("cli") / "clip.mp4", duration_s=1.0)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"vu {name}" in text.split("example:")[1]
    assert command_module(name).HELP[0].islower()


def test_inspect_tells_a_person(clip, capsys):
    assert main(["inspect", str(clip)]) == 0
    output = capsys.readouterr()
    assert "picture  h264 320x240, 25 frames/s" in output.out
    assert "4 of 16 frames 160x160" in output.out
    assert output.err == ""


def test_inspect_tells_a_program(clip, tmp_path, capsys):
    bad = tmp_path / "bad.mp4"
    bad.write_text("words")
    assert main(["inspect", str(bad), str(clip), "--json"]) == 2
    entries = json.loads(capsys.readouterr().out)
    assert entries[0]["file"] == str(bad)
    assert "text, not media" in entries[0]["error"]
    assert entries[1]["pictures"][0]["width_px"] == 320


def test_an_error_is_one_line_on_stderr_and_the_others_go_on(clip, capsys):
    assert main(["inspect", "no-such-file.mp4", str(clip)]) == 2
    output = capsys.readouterr()
    assert output.err.startswith("vu: no-such-file.mp4: does not exist.")
    assert output.err.count("\n") == 1
    assert "h264" in output.out


@pytest.mark.parametrize("words", [[], ["inspect"], ["dance"], ["inspect", "x", "--no-such-option"]])
def test_wrong_usage_is_exit_code_2(words):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2


def test_ctrl_c_is_exit_code_130(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("video_understanding.media.inspect.inspect_media", interrupt)
    assert main(["inspect", "x"]) == 130
    assert capsys.readouterr().err == "vu: interrupted\n"


def test_the_module_is_the_program(clip):
    done = subprocess.run(
        [sys.executable, "-m", "video_understanding", "inspect", str(clip)], capture_output=True, text=True, check=True
    )
    assert "h264" in done.stdout


def test_a_reader_that_goes_away_is_no_error(clip):
    words = [sys.executable, "-m", "video_understanding", "inspect", *[str(clip)] * 50]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        program.stdout.close()
        assert program.stderr.read() == b""
