"""The program as a person meets it: help with examples, exit codes, JSON alone on stdout, one-line errors."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from importlib import metadata

import pytest

import video_understanding
from video_understanding.cli.main import COMMANDS, command_module, main, make_parser
from video_understanding.edge.program import make_parser as make_edge_parser
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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["predikt", "x"], "Did you mean predict?"),
        (["predict", "bundle", "x.mp4", "--reprot", "page.html"], "Did you mean --report?"),
        (["train", "x", "--out", "y", "--epoch-s", "3"], "Did you mean --epochs?"),
        (["train", "x", "--out", "y", "--preset", "egde"], "Did you mean edge?"),
        (["predict", "bundle", "x.mp4", "--xyzzy"], "unrecognized arguments: --xyzzy\n"),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_word(words, told, capsys):
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    shown = capsys.readouterr().err
    assert told in shown
    if words[0] != "predikt":
        assert f"usage: vu {words[0]}" in shown


def test_a_bare_vu_shows_the_help(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert "recognise the action and the emotion" in " ".join(capsys.readouterr().err.split())


def test_the_same_option_means_the_same_everywhere():
    commands = make_parser()._commands()
    for name in ("predict", "evaluate", "crossval"):
        assert "--report" in commands[name]._option_string_actions
    for parser in commands.values():
        options = {name for name in parser._option_string_actions if name.startswith("--")}
        assert options.isdisjoint({"--output", "--folder", "--dir", "--batchsize", "--lr", "--html", "--verbose"})


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


def test_versions_are_told_without_loading_anything(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert f"video-audio-understanding {video_understanding.__version__}, Python 3." in text
    assert f"numpy {metadata.version('numpy')}" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_a_shell_learns_all_commands(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in COMMANDS)
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("words", [["--quiet", "check"], ["check", "--quiet"]])
def test_quiet_shows_no_bar_even_on_a_terminal(words, clip, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VIDEO_UNDERSTANDING_CACHE", str(tmp_path))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    (tmp_path / "clips.csv").write_text(f"path,action\n{clip},shown\n")
    main([*words, str(tmp_path / "clips.csv")])
    assert capsys.readouterr().err == ""
    main(["check", str(tmp_path / "clips.csv")])
    assert "clip" in capsys.readouterr().err


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_nothing_is_told_in_a_line(code, monkeypatch, capsys):
    def fail(*_):
        raise OSError(code, os.strerror(code), "/somewhere/report.json")

    monkeypatch.setattr("video_understanding.media.inspect.inspect_media", fail)
    assert main(["inspect", "x"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("vu: /somewhere/report.json: cannot be used") and told.count("\n") == 1
    with pytest.raises(OSError):
        main(["inspect", "x", "--debug"])


def test_a_name_that_a_library_cannot_take_is_told_in_a_line(monkeypatch, capsys):
    def fail(*_):
        "out\udcff".encode()

    monkeypatch.setattr("video_understanding.media.inspect.inspect_media", fail)
    assert main(["inspect", "x"]) == 2
    told = capsys.readouterr().err
    assert "out\\udcff" in told and "is not UTF-8" in told and told.count("\n") == 1


def test_the_demo_types_what_the_program_takes():
    """All its commands are parsed; the demo itself is run by `make demo`."""
    from video_understanding.cli import demo
    from video_understanding.cli.main import make_parser

    words = dict.fromkeys(("clips", "new_clips", "clip", "model", "judged", "why", "longer", "shipped"), "x")
    words |= {"picture": "x.png", "page": "x.html"}
    for _, command in (*demo.STEPS, demo.SHIPPED_STEP):
        program, *arguments = command.format(seed=0, resume=" --resume", **words).split()
        parser = make_parser() if program == "vu" else make_edge_parser()
        parser.parse_args(arguments)


def test_the_demo_draws_clips_that_need_both_modalities_and_is_judged_by_other_people(tmp_path, monkeypatch):
    """It learned from the sound alone, and its new people were three of those it had learned from."""
    from video_understanding.cli import demo

    drawn = []

    def draw(folder, **settings):
        (folder / "media").mkdir(parents=True)
        (folder / "media" / "clip.mp4").touch()
        drawn.append(settings)
        return folder / "clips.csv"

    monkeypatch.setattr("video_understanding.media.synthetic.make_dataset", draw)
    monkeypatch.setattr(demo, "_longer", lambda file, _: file)
    monkeypatch.setattr(demo, "_step", lambda *_: 0)
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert [settings["mode"] for settings in drawn] == ["halves", "halves"]
    learned, asked = (
        set(range(first, first + settings["subjects"]))
        for settings in drawn
        for first in [settings.get("first_subject", 0)]
    )
    assert learned and asked and not learned & asked
