"""`vu stream`: a line for each step, the last segments even when it is stopped, and no sound from cameras."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.recognition.test_recognizer import SPEC
from tests.recognition.worlds import ColourScorer, frame_of, write_colours
from video_understanding.cli.main import main
from video_understanding.cli.stream import pace
from video_understanding.errors import MediaError
from video_understanding.recognition import Recognizer


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stream")
    return write_colours(folder / "clip.mp4", lambda t: "red" if t < 4 else "blue", lambda t: t < 6, 8.0)


@pytest.fixture(autouse=True)
def loaded(monkeypatch) -> None:
    monkeypatch.setattr("video_understanding.runtimes.load", lambda *_: Recognizer(ColourScorer(SPEC)))


class Camera:
    """Red for five seconds, then blue; stopped by a key, or gone, after twelve."""

    error: type[BaseException] | MediaError = KeyboardInterrupt

    def __init__(self, number, spec):
        self.number, self.spec = number, spec

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Camera.closed = True

    def __iter__(self):
        for place in range(48):
            time_s = place / 4
            yield time_s, frame_of("red" if time_s < 5 else "blue", self.spec, place)
        raise self.error


@pytest.fixture
def camera(monkeypatch) -> type[Camera]:
    Camera.closed, Camera.error = False, KeyboardInterrupt
    monkeypatch.setattr("video_understanding.media.capture.CameraFrames", Camera)
    return Camera


def test_a_line_of_json_for_each_step_and_the_segments_of_predict(clip, capsys):
    assert main(["stream", "bundle", str(clip), "--json"]) == 0
    shown = capsys.readouterr()
    steps = [json.loads(line) for line in shown.out.splitlines()]
    assert shown.err == ""
    answers = [step for step in steps if "action" in step]
    assert [step["start_s"] for step in answers] == [0.5 * number for number in range(len(answers))]
    assert set(answers[0]) == {"start_s", "end_s", "action", "emotion", "modalities", "segments"}
    assert list(steps[-1]) == ["segments"]
    assert main(["predict", "bundle", str(clip), "--json"]) == 0
    assert [one for step in steps for one in step["segments"]] == json.loads(capsys.readouterr().out)[0]["segments"]


def test_a_person_reads_what_is_and_what_was(clip, capsys):
    assert main(["stream", "bundle", str(clip), "--stride", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["0:02.00", "action", "red"]
    settled = [line.split() for line in lines if line.startswith("  settled")]
    assert [settled[0][place] for place in (1, 3, 4)] == ["0:00.00", "0:04.00", "red"]
    assert settled[-1][3].startswith("0:08")


def test_ctrl_c_tells_the_last_segments_first(camera, capsys):
    assert main(["stream", "bundle", "camera:0", "--json"]) == 130
    shown = capsys.readouterr()
    steps = [json.loads(line) for line in shown.out.splitlines()]
    segments = [one for step in steps for one in step["segments"]]
    assert [segment["action"] for segment in segments] == ["red", "blue"]
    assert segments[0]["end_s"] == pytest.approx(5.0, abs=0.3) and segments[1]["end_s"] == 11.75
    assert not any(step["modalities"]["audio"] for step in steps if "modalities" in step)
    assert "pictures only" in shown.err and shown.err.endswith("vu: interrupted\n")
    assert camera.closed


@pytest.mark.usefixtures("camera")
def test_a_camera_answers_as_soon_as_a_window_is_seen(monkeypatch):
    """No sound is waited for: with the picture of 2.0 s the window that ends there is answered."""
    from video_understanding.recognition.streaming import StreamingRecognizer

    push, delays_s = StreamingRecognizer.push_frames, []

    def watched(self, frames, times_s):
        events = push(self, frames, times_s)
        delays_s.extend(float(times_s[0]) - event.answer.end_s for event in events)
        return events

    monkeypatch.setattr(StreamingRecognizer, "push_frames", watched)
    assert main(["stream", "bundle", "camera:0"]) == 130
    assert len(delays_s) > 15 and max(delays_s) == 0


def test_a_camera_that_is_gone_is_an_error_after_what_was_seen(camera, capsys):
    camera.error = MediaError("camera 0", "gave no picture", "Check its cable.")
    assert main(["stream", "bundle", "camera:0"]) == 2
    shown = capsys.readouterr()
    assert "settled" in shown.out.splitlines()[-1]
    assert shown.err.splitlines()[-1] == "vu: camera 0: gave no picture. Check its cable."


@pytest.mark.parametrize(("source", "told"), [("camera:x", "names no camera"), ("nowhere.mp4", "does not exist")])
def test_what_cannot_be_played_is_one_line_and_exit_code_2(source, told, capsys):
    assert main(["stream", "bundle", source]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and shown.err.count("\n") == 1 and told in shown.err


def test_realtime_waits_until_each_step_would_be_over(clip, monkeypatch):
    """The steps of a file come at 2.0 s, 2.5 s, ...; a step that took long is not waited for."""
    now_s, slept_s = [100.0], []
    wait_until = pace(lambda: now_s[0], slept_s.append)
    for time_s, passed_s in ((2.0, 0.0), (2.5, 2.0), (3.0, 3.5)):
        now_s[0] = 100.0 + passed_s
        wait_until(time_s)
    assert slept_s == [2.0, 0.5, 0.0]
    waited = []
    monkeypatch.setattr("video_understanding.cli.stream.pace", lambda: waited.append)
    assert main(["stream", "bundle", str(clip), "--realtime"]) == 0
    assert np.allclose(waited, 2.0 + 0.5 * np.arange(len(waited))) and waited[-1] >= 8.0
