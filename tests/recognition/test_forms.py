"""Predictions as text, subtitles, tables, a picture, and captions over the video: all say the same, and can be read."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.recognition.test_recognizer import SPEC
from tests.recognition.worlds import ColourScorer, write_colours
from video_understanding.errors import MediaError, VideoUnderstandingError
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic import damage
from video_understanding.prediction import HeadAnswer, Prediction, Segment
from video_understanding.recognition import Recognizer, WindowAnswer
from video_understanding.recognition.overlay import write_overlay
from video_understanding.recognition.subtitles import srt
from video_understanding.recognition.table import segments_csv
from video_understanding.recognition.text import clock, prediction_text
from video_understanding.recognition.timeline_picture import draw_timeline
from video_understanding.spec import ModelSpec, VideoSpec


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return write_colours(
        tmp_path_factory.mktemp("forms") / "scene.mp4", lambda t: "red" if t < 4 else "blue", lambda t: t < 6, 8.0
    )


@pytest.fixture(scope="module")
def recognised(scene) -> tuple[Prediction, list[WindowAnswer]]:
    answers: list[WindowAnswer] = []
    return Recognizer(ColourScorer(SPEC)).predict(scene, progress=answers.append), answers


def example(*labels: str | tuple[str, ...]) -> Prediction:
    segments = tuple(
        Segment(3.0 * place, 3.0 * place + 3, {"action": HeadAnswer(label, 0.876, {"a": 0.876, "b": 0.124})})
        for place, label in enumerate(labels)
    )
    answer = HeadAnswer.of(("a", "b"), np.array([0.876, 0.124]))
    return Prediction("clip.mp4", 3.0 * len(labels), {"action": answer}, {"video": True, "audio": False}, segments)


def test_text_tells_a_person_the_answer_with_bars():
    lines = prediction_text(example("a")).splitlines()
    assert lines[0] == "clip.mp4  (0:03.00, picture)"
    assert lines[1].split() == ["action", "a", "(88", "%)"]
    assert lines[2].split()[:3] == ["a", "87.6", "%"]
    assert lines[2].count("█") == 17 and lines[3].count("█") == 2  # of twenty
    assert "timeline" not in prediction_text(example("a"))


def test_text_of_a_longer_file_has_a_timeline(recognised):
    lines = prediction_text(recognised[0]).splitlines()
    timeline = [line.split() for line in lines[lines.index("  timeline") + 1 :]]
    assert [(words[0], words[2], words[3]) for words in timeline] == [
        ("0:00.00", "0:04.00", "red"), ("0:04.00", "0:06.00", "blue"), ("0:06.00", "0:08.00", "blue"),
    ]  # fmt: skip


@pytest.mark.parametrize(("time_s", "told"), [(0, "0:00.00"), (59.999, "1:00.00"), (3725.5, "1:02:05.50")])
def test_times_can_be_read(time_s, told):
    assert clock(time_s) == told


def test_subtitles_are_what_players_read(recognised, tmp_path):
    text = srt(recognised[0])
    blocks = text.strip().split("\n\n")
    assert len(blocks) == 3
    time = r"\d\d:\d\d:\d\d,\d{3}"
    for number, block in enumerate(blocks, start=1):
        assert re.fullmatch(rf"{number}\n{time} --> {time}\n[^\n]+", block)
    (tmp_path / "x.srt").write_text(text)
    with av.open(str(tmp_path / "x.srt")) as container:  # FFmpeg's own reader
        read = [(float(packet.pts * packet.time_base), bytes(packet)) for packet in container.demux() if packet.size]
    assert [start_s for start_s, _ in read] == pytest.approx([0.0, 4.0, 6.0], abs=0.01)
    assert read[1][1].startswith(b"blue ")


def test_no_label_can_break_the_subtitles():
    text = srt(example("<b>a\nb</b> --> c", ("one", "two"), ()))
    assert "-->" not in text.splitlines()[2] and "<" not in text.splitlines()[2]
    assert text.count("\n\n") == 2
    assert "one, two 88 %" in text and "none 88 %" in text


def test_a_table_has_a_row_for_each_segment_of_each_file(recognised):
    rows = list(csv.DictReader(io.StringIO(segments_csv([recognised[0], recognised[0]]))))
    assert len(rows) == 6
    assert list(rows[0]) == ["file", "start_s", "end_s", "action", "action_confidence", "emotion", "emotion_confidence"]
    assert (rows[1]["start_s"], rows[1]["action"], rows[1]["emotion"]) == ("4.000", "blue", "loud")
    several = list(csv.DictReader(io.StringIO(segments_csv([example(("one", "two"), ())]))))
    assert [row["action"] for row in several] == ["one|two", "none"]


def test_captions_stand_on_the_video_and_the_sound_is_as_it_was(scene, recognised, tmp_path):
    out = write_overlay(scene, *recognised, tmp_path / "shown.mp4")
    packets = []
    for file in (scene, out):
        with av.open(str(file)) as container:
            packets.append([bytes(packet) for packet in container.demux(audio=0) if packet.size])
            video = container.streams.video[0]
            assert float(video.duration * video.time_base) == pytest.approx(8.0, abs=0.1)
    assert packets[0] == packets[1]
    spec = ModelSpec(window_s=2.0, video=VideoSpec(frames_hz=2, height_px=360, width_px=480, fit="stretch"))
    early, late = (read_clip(out, spec, start).frames[1] for start in (1.0, 6.0))  # [360,480,3]
    for frame, colour in ((early, 0), (late, 2)):
        assert frame[:200].mean(axis=(0, 1)).argmax() == colour  # the picture, as it was
        assert frame[320:].mean() < frame[:200].mean() / 1.5 and frame[320:].max() > 230  # light letters on a shade
    green = (early[320:].astype(int) @ [-1, 2, -1] > 100).sum(axis=1)  # pixels of the bars in each row
    assert 110 < green.max() <= 120  # nearly as wide as a bar can be: 98 % of a quarter of the picture


def test_captions_follow_a_picture_that_begins_late(tmp_path):
    file = write_colours(
        tmp_path / "late.mkv", lambda _: "red", lambda _: True, 6.0, frame_times_s=np.arange(2, 6, 0.1)
    )
    answers: list[WindowAnswer] = []
    prediction = Recognizer(ColourScorer(SPEC)).predict(file, progress=answers.append)
    clip = read_clip(write_overlay(file, prediction, answers, tmp_path / "out.mkv"), ModelSpec(window_s=4.0))
    assert clip.frame_present.tolist() == [False] * 8 + [True] * 8
    assert clip.sound_span_s[0] == pytest.approx(0.0, abs=0.05)


def test_sound_alone_has_nothing_to_write_on(scene, recognised, tmp_path):
    sound = damage(scene, "missing_picture", 0, tmp_path / "sound.mp4")
    with pytest.raises(MediaError, match="has no picture to write on"):
        write_overlay(sound, *recognised, tmp_path / "out.mp4")
    with pytest.raises(MediaError, match="not a known file extension"):
        write_overlay(scene, *recognised, tmp_path / "out.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["sound.mp4"]


def test_a_picture_shows_frames_sound_and_segments(scene, recognised, tmp_path):
    out = draw_timeline(scene, *recognised, SPEC, tmp_path / "when.png")
    picture = cv2.imread(str(out)).astype(int)  # [h,w,3], BGR
    red = (picture @ [-1, -1, 2] > 250).sum(axis=0)
    blue = (picture @ [2, -1, -1] > 250).sum(axis=0)
    assert np.flatnonzero(red).mean() < picture.shape[1] / 2 < np.flatnonzero(blue).mean()
    with pytest.raises(VideoUnderstandingError, match="cannot be written"):
        draw_timeline(scene, *recognised, SPEC, tmp_path / "nowhere" / "when.png")


def test_a_picture_of_sound_alone(scene, tmp_path):
    sound = damage(scene, "missing_picture", 0, tmp_path / "sound.mp4")
    answers: list[WindowAnswer] = []
    prediction = Recognizer(ColourScorer(SPEC), {"action": 0.5}).predict(sound, progress=answers.append)
    assert prediction.action.label == "unknown"
    assert draw_timeline(sound, prediction, answers, SPEC, tmp_path / "when.png").stat().st_size > 5000
