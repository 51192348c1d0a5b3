"""`vu-edge` answers as the Keras model does, needs nothing heavy, and says in one line what is wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.edge.small_model import SPEC
from tests.test_house import run_blocked
from video_understanding.edge.program import main, make_parser
from video_understanding.recognition.recognizer import Recognizer
from video_understanding.window_scores import WindowScores

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "edge.md"
HEAVY = {"tensorflow", "keras", "librosa", "cv2", "matplotlib", "scipy", "sklearn", "soundfile", "soxr", "google"}


def flat(values, path=""):
    """Every number and text of a JSON document by its place in it."""
    if isinstance(values, (dict, list)):
        pairs = values.items() if isinstance(values, dict) else enumerate(values)
        return {place: leaf for key, value in pairs for place, leaf in flat(value, f"{path}/{key}").items()}
    return {path: values}


def assert_same(found, expected):
    found, expected = flat(found), flat(expected)
    assert found.keys() == expected.keys()
    for place, value in expected.items():
        assert found[place] == (pytest.approx(value, abs=1e-4) if isinstance(value, float) else value), place


def test_a_bundle_is_run_by_its_tflite_file_where_tensorflow_is_not_installed(world, tmp_path):
    program = f"""
from video_understanding.cli.main import main
sys.stderr = sys.stdout
print(main(["predict", {str(world.model.parent)!r}, {str(world.clips[0])!r}]))
"""
    output = run_blocked({"tensorflow", "keras"}, program, tmp_path)
    assert output.strip().endswith("0"), output
    assert world.clips[0].name in output and "action" in output


def test_it_answers_as_the_keras_model_with_nothing_heavy_installed(world, tmp_path):
    words = [str(world.model), *map(str, world.clips), "--json"]
    program = f"from video_understanding.edge.program import main\nsys.exit(main({words!r}))"
    answers = json.loads(run_blocked(HEAVY, program, tmp_path))
    assert_same(answers, world.predictions)
    # The clips are told apart, and the threshold in the file is minded.
    assert len({answer["action"]["label"] for answer in answers}) == 2
    assert "unknown" in [answer["action"]["label"] for answer in answers]


def test_a_stream_gives_a_line_for_each_step_and_those_within_the_file_give_its_answer(world, capsys):
    assert main([str(world.model), str(world.clips[0]), "--stream", "--threads", "2"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    steps = [line for line in lines if "start_s" in line]
    assert [step["start_s"] for step in steps] == [0.0, 0.5]
    expected = world.predictions[0]
    inside = [step for step in steps if step["end_s"] <= expected["duration_s"] + 1e-3]  # of the file
    joined = WindowScores(1, len(expected["action"]["scores"]), multi_label=False)
    joined.add(np.zeros(len(inside), int), np.array([list(step["action"]["scores"].values()) for step in inside]))
    assert joined.result()[0] == pytest.approx(list(expected["action"]["scores"].values()), abs=1e-4)
    assert {line["file"] for line in lines} == {str(world.clips[0])}
    assert_same([segment for line in lines for segment in line["segments"]], expected["segments"])


def test_without_json_people_can_read_it(world, capsys):
    assert main([str(world.model), str(world.clips[0])]) == 0
    text = capsys.readouterr().out
    assert str(world.clips[0]) in text
    assert "action" in text
    assert "%" in text


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(world, tmp_path, capsys):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    files = [str(broken), str(world.clips[0])]
    assert main([str(world.model), *files, "--json"]) == 2
    bad, good = json.loads(capsys.readouterr().out)
    assert bad == {"file": str(broken), "error": bad["error"]}
    assert_same(good, world.predictions[0])

    assert main([str(world.model), *files, "--stream"]) == 2
    first, *others = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert first.keys() == {"file", "error"}
    assert len(others) == 3

    assert main([str(world.model), *files]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"vu-edge: {broken}")
    assert captured.err.count("\n") == 1
    assert str(world.clips[0]) in captured.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.tflite", "clip.mp4"], "none.tflite: does not exist"),
        (["{model}", "{clip}", "--threads", "0"], "threads: is 0"),
        (["{model}", "camera:0"], "camera:0: never ends. Add --stream"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(world, capsys, words, told):
    words = [word.format(model=world.model, clip=world.clips[0]) for word in words]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert (captured.out, captured.err.count("\n")) == ("", 1)


class FakeCamera:
    """Gives two seconds of pictures; then Ctrl-C is pressed."""

    def __init__(self, number, spec):
        assert (number, spec) == (1, SPEC)
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closed = True

    def __iter__(self):
        for place in range(8):
            yield (place + 0.5) / SPEC.video.frames_hz, np.full(SPEC.frames_shape[1:], 30 * place, np.uint8)
        raise KeyboardInterrupt


def test_a_camera_is_answered_until_ctrl_c_and_what_was_left_is_told(world, capsys, monkeypatch):
    monkeypatch.setattr("video_understanding.media.capture.CameraFrames", FakeCamera)
    assert main([str(world.model), "camera:1", "--stream"]) == 130
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    steps = [line for line in lines if "start_s" in line]
    assert len(steps) >= 3
    assert all(step["modalities"] == {"video": True, "audio": False} for step in steps)
    assert lines[-1]["segments"]
    assert captured.err == "vu-edge: interrupted\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(world):
    words = [sys.executable, "-m", "video_understanding.edge.program", str(world.model), str(world.clips[0]), "--json"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("vu-edge: standard output: cannot be used (No space left on device)")
    assert done.stderr.count("\n") == 1


def test_a_camera_that_has_no_number_is_refused(world, capsys):
    assert main([str(world.model), "camera:front", "--stream"]) == 2
    assert "names no camera" in json.loads(capsys.readouterr().out)["error"]


def test_ctrl_c_leaves_no_traceback(world, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recognizer, "predict", interrupted)
    assert main([str(world.model), str(world.clips[0])]) == 130
    assert capsys.readouterr().err == "vu-edge: interrupted\n"


def test_without_the_reader_it_says_what_to_install(world, tmp_path):
    program = f"""
from video_understanding.edge.program import main
sys.stderr = sys.stdout
print(main([{str(world.model)!r}, {str(world.clips[0])!r}]))
"""
    output = run_blocked({"av"}, program, tmp_path)
    assert output.startswith("vu-edge: av: is needed by vu-edge and is not installed. Install it, in a clone")
    assert output.strip().endswith("2")


def test_the_page_shows_the_help_and_the_readme_names_the_program(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert "example:" in make_parser().format_help()
    assert make_parser().format_help().strip() in PAGE.read_text(encoding="utf-8")
    assert re.search(r"`vu-edge MODEL\.tflite FILE", (PROJECT / "README.md").read_text(encoding="utf-8"))


def test_the_example_in_the_page_runs(world, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(world.model, "model_int8.tflite")
    shutil.copy(world.clips[0], "clip.mp4")
    (example,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    names: dict[str, object] = {}
    exec(compile(example, "edge.md", "exec"), names)
    np.testing.assert_allclose(names["scores"]["action"][0], world.expected["action"][0], atol=1e-4)
    assert_same(names["prediction"].to_dict()["action"], world.predictions[0]["action"])


def test_the_program_is_installed_by_its_name(capsys):
    setup = (PROJECT / "setup.py").read_text(encoding="utf-8")
    assert '"vu-edge = video_understanding.edge.program:main"' in setup
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert "video-audio-understanding" in capsys.readouterr().out
