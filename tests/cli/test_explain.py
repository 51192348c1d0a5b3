"""`vu explain` tells a person and a program why, and what is wrong in one line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from video_understanding.bundle import Bundle
from video_understanding.cli.main import main
from video_understanding.labels import Labels
from video_understanding.media.synthetic.calibration import write_calibration_clip
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import keras_scorer, save_model
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

SPEC = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=2, height_px=32, width_px=32),
    audio=AudioSpec(hop_s=0.5),
    network=NetworkSpec(token_size=8, attention_heads=2),
)
LABELS = Labels(action=("dance", "jump"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    folder = tmp_path_factory.mktemp("mine")
    save_model(VideoUnderstandingModel(SPEC, LABELS, seed=1), folder / "model.keras")
    return Bundle.write(folder, SPEC, LABELS, {})


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_calibration_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", duration_s=2.8)


def test_a_person_reads_why(bundle, clip, tmp_path, capsys):
    assert main(["explain", str(bundle.folder), str(clip), "--out", str(tmp_path / "why")]) == 0
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert lines[0].startswith(f"{clip}, ") and lines[0].endswith(": the surest of 3 windows")
    words = [line.split()[0] for line in lines[1:] if not line.startswith("  note")]
    assert words == ["action", "shares", "picture", "sound", "attention", "written"]
    assert output.err == ""
    assert (tmp_path / "why" / "overview_action.png").stat().st_size > 10_000


def test_a_program_reads_one_document_and_it_lies_in_the_folder(bundle, clip, tmp_path, capsys):
    words = ["explain", str(bundle.folder), str(clip), "--out", str(tmp_path), "--start", "0.5", "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    files = told.pop("files")
    assert told == json.loads((tmp_path / "explanation.json").read_text())
    assert files[-1] == str(tmp_path / "explanation.json")
    assert told["window"] == {"start_s": 0.5, "end_s": 1.5, "chosen": "the window that was asked for"}
    assert told["frame_times_s"] == [0.75, 1.25]


def test_the_surest_window_is_the_one_of_the_highest_scores(bundle, clip, tmp_path, capsys):
    from video_understanding.features.prepare import prepare
    from video_understanding.media.decode import iter_clips

    scorer, clips = keras_scorer(bundle), list(iter_clips(clip, SPEC))
    scores = scorer(prepare(clips, SPEC))
    sure = np.mean([scores[head].max(axis=1) for head in LABELS.heads], axis=0)  # [windows]
    assert main(["explain", str(bundle.folder), str(clip), "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["window"]["start_s"] == clips[sure.argmax()].start_s


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"bundle": "nowhere"}, "does not exist"),
        ({"file": "no-such-file.mp4"}, "does not exist"),
        ({"start": "99"}, "before the window that begins at 99 s"),
        ({"start": "-1"}, "Give a start of 0 or more"),
        ({"out": "taken"}, "cannot be written"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(bundle, clip, tmp_path, monkeypatch, capsys, changes, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("here is a file")
    given = {"bundle": str(bundle.folder), "file": str(clip), "out": "why", "start": "0", **changes}
    words = ["explain", given["bundle"], given["file"], "--out", given["out"], "--start", given["start"]]
    assert main(words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1 and told in output.err
