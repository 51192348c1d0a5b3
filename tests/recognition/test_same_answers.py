"""Whole windows, one pass over a file, and a stream: three ways to the same answers, to the bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.edge.conftest import world  # noqa: F401  its model is made once for all tests
from tests.edge.small_model import SPEC as EDGE_SPEC
from tests.edge.small_model import World, described, description
from tests.recognition.worlds import ColourScorer, write_colours
from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.features.prepare import prepare
from video_understanding.labels import Labels
from video_understanding.media.closer import closer
from video_understanding.media.decode import iter_clips, read_clip
from video_understanding.media.synthetic import Scene, damage, write_scene, write_timeline
from video_understanding.media.synthetic.tracks import PictureTrack, write_tracks
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.recognition import Recognizer, StreamEvent
from video_understanding.recognition.playing import file_stream, play_file
from video_understanding.recognition.recognizer import _WINDOWS_AT_ONCE
from video_understanding.scorer import PartwiseScorer, Scorer
from video_understanding.spec import AudioSpec, ModelSpec, NetworkSpec, VideoSpec

LABELS = Labels(action=("bounce", "slide", "spin"), emotion=("happy", "sad"))
SPEC = ModelSpec(
    window_s=1.0,
    video=VideoSpec(frames_hz=4, height_px=24, width_px=32),
    audio=AudioSpec(hop_s=0.25),
    network=NetworkSpec(token_size=16, attention_heads=2),
)
ZOOMED = dataclasses.replace(SPEC, video=dataclasses.replace(SPEC.video, zoom=2))
LOOKS = {"width_px": 64, "height_px": 48}
SCENE = Scene("bounce", "happy", seed=4)


AWKWARD = (
    "plain", "short", "late_picture", "late_sound", "gap", "missing_sound", "missing_picture", "silent_sound",
    "short_sound", "cut_short",
)  # fmt: skip


@pytest.fixture(scope="module")
def keras_scorer() -> KerasScorer:
    return KerasScorer(VideoUnderstandingModel(SPEC, LABELS, seed=1))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Files that are as they should be, and files that are not."""
    folder = tmp_path_factory.mktemp("awkward")
    plain = write_timeline(folder / "plain.mp4", [(SCENE, 2.3), (Scene("spin", "sad", seed=5), 1.6)], **LOOKS)
    made = {"plain": plain, "short": write_scene(folder / "short.mp4", SCENE, duration_s=0.4, **LOOKS)}
    made["late_picture"] = write_scene(folder / "picture.mp4", SCENE, duration_s=3.6, picture_start_s=1.4, **LOOKS)
    made["late_sound"] = write_scene(folder / "sound.mp4", SCENE, duration_s=3.6, sound_start_s=1.9, **LOOKS)
    gap_s = np.array([*np.arange(0, 0.9, 0.08), *np.arange(2.6, 4.2, 0.11)])
    made["gap"] = write_colours(
        folder / "gap.mkv", lambda t: "red" if t < 2 else "blue", lambda t: t > 2, 4.2,
        frame_times_s=gap_s, sound_start_s=0.6, sound_end_s=3.3,
    )  # fmt: skip
    for kind in (*(name for name in AWKWARD if name not in made), "bit_flips"):
        made[kind] = damage(plain, kind, 3, folder / f"{kind}.mp4")
    return made


def played(scorer: Scorer, file: Path, stride_s: float | None = None) -> list[StreamEvent]:
    return list(play_file(file_stream(Recognizer(scorer), stride_s), file))


def require_same(scorer: PartwiseScorer, file: Path, stride_s: float, streamed_too: bool = True) -> int:
    """Compares all three ways; returns how many windows there were."""
    whole = {clip.start_s: scorer(prepare([clip], scorer.spec)) for clip in iter_clips(file, scorer.spec, stride_s)}
    recognizer = Recognizer(scorer)
    timeline = list(recognizer.timeline(file, stride_s))
    events = played(scorer, file, stride_s) if streamed_too else []
    streamed = [event.answer for event in events if event.answer is not None]
    assert {answer.start_s for answer in timeline} <= set(whole)
    for answer in timeline + streamed:
        for head in scorer.labels.heads:
            assert np.array_equal(answer.scores[head], whole[answer.start_s][head][0])
    if streamed_too:
        assert [(one.start_s, one.modalities) for one in timeline] == [
            (one.start_s, one.modalities) for one in streamed
        ]
        segments = tuple(segment for event in events for segment in event.segments)
        assert segments == recognizer.predict(file, stride_s).segments
    return len(timeline)


@pytest.mark.parametrize("name", AWKWARD)
def test_keras_says_the_same_of_windows_files_and_streams(name, files, keras_scorer):
    assert require_same(keras_scorer, files[name], 0.25) >= 1


def test_where_a_reader_contradicts_itself_a_file_is_still_scored_by_its_windows(files, keras_scorer):
    """Behind damage reading begins anew: the same moment sounds a little different in two windows of such a file."""
    require_same(keras_scorer, files["bit_flips"], 0.25, streamed_too=False)


@pytest.mark.parametrize("stride_s", [0.5, 1.0])
def test_with_less_overlap_and_with_none(stride_s, files, keras_scorer):
    require_same(keras_scorer, files["plain"], stride_s)
    require_same(keras_scorer, files["gap"], stride_s)


def test_windows_in_which_nothing_is_are_passed_over(tmp_path, keras_scorer):
    """Picture and sound both stop for three seconds: a model could only guess there."""
    times_s = np.array([*np.arange(0, 1.5, 0.08), *np.arange(6.2, 8.0, 0.08)])
    early = write_colours(tmp_path / "early.mkv", lambda _: "red", None, 8.0, frame_times_s=times_s)
    whole = list(iter_clips(early, SPEC, 0.25))
    assert require_same(keras_scorer, early, 0.25) == len(whole)  # a picture is shown until the next one
    silent = write_colours(tmp_path / "sound.mp4", lambda _: "red", lambda _: True, 5.0, sound_end_s=4.9)
    only_sound = damage(silent, "missing_picture", 0, tmp_path / "only.mp4")
    assert require_same(keras_scorer, only_sound, 0.25) == len(list(iter_clips(only_sound, SPEC, 0.25)))


def test_every_frame_and_hop_is_encoded_once(files):
    """75 % overlap; the scorer is asked for each place of the grids once, in one pass and in a stream."""
    windows = list(iter_clips(files["plain"], SPEC, 0.25))
    frames = {frame.tobytes() for clip in windows for frame in clip.frames}
    hops = {hop.tobytes() for clip in windows for hop in clip.waveform.reshape(SPEC.hops, -1)}
    for way in (lambda scorer: Recognizer(scorer).predict(files["plain"], 0.25), lambda s: played(s, files["plain"])):
        scorer = ColourScorer(SPEC, LABELS)
        way(scorer)
        assert (scorer.frames_seen, scorer.hops_heard) == (len(frames), len(hops))
        assert scorer.windows_fused == len(windows) > 1.5 * _WINDOWS_AT_ONCE


def test_a_scorer_that_has_no_parts_is_good_enough(files):
    class Whole:
        spec, labels = SPEC, LABELS

        def __call__(self, inputs):
            return self.scorer(inputs)

    whole = Whole()
    whole.scorer = ColourScorer(SPEC, LABELS)
    told, other = (Recognizer(scorer).predict(files["plain"]) for scorer in (whole, whole.scorer))
    for head, answer in told.heads.items():
        assert (answer.label, answer.scores) == (other.heads[head].label, other.heads[head].scores)
    assert len(told.segments) == len(other.segments)  # their borders may differ: they are refined by the parts


def test_so_it_is_where_the_part_that_moves_is_looked_at(files):
    scorer = KerasScorer(VideoUnderstandingModel(ZOOMED, LABELS, seed=1))
    for name in ("plain", "late_picture", "gap", "missing_picture"):
        assert require_same(scorer, files[name], 0.25) >= 1


def test_a_part_that_stays_is_encoded_once_and_one_that_goes_elsewhere_anew(tmp_path):
    """Someone jumps in one corner, and from two seconds on in the other; windows overlap by three quarters."""
    times_s = np.arange(50) / 12.5

    def frames():
        for number in range(len(times_s)):
            frame = np.full((96, 128, 3), 90, np.uint8)
            up, left = 10 * (number % 2), 8 if number < 25 else 108
            frame[8 + up : 20 + up, left : left + 12] = (250, 200, number)
            yield frame

    file = write_tracks(tmp_path / "corners.mp4", PictureTrack(frames(), times_s, 4.0, 96, 128, 12.5), None)
    windows = [closer(clip, ZOOMED) for clip in iter_clips(file, ZOOMED, 0.25)]
    seen = {frame.tobytes() for clip in windows for frame in clip.frames}
    for way in (lambda scorer: Recognizer(scorer).predict(file, 0.25), lambda scorer: played(scorer, file)):
        scorer = ColourScorer(ZOOMED, LABELS)
        way(scorer)
        assert scorer.frames_seen == len(seen)
        assert scorer.windows_fused == len(windows) == 13
    assert 16 < len(seen) < 28  # the file has 16 places in time; at the change some are seen in two parts


def test_tflite_says_so_of_the_part_that_moves(world: World, tmp_path):  # noqa: F811
    """A network does not know where its frames come from: the same file, told to be given the part that moves."""
    spec = dataclasses.replace(EDGE_SPEC, video=dataclasses.replace(EDGE_SPEC.video, zoom=2))
    model = tmp_path / "zoomed.tflite"
    model.write_bytes(described(world.model.read_bytes(), {**description(), "spec": spec.to_dict()}))
    scorer = LiteRTScorer(model)
    file = write_scene(tmp_path / "scene.mp4", Scene("spin", "sad", seed=2), duration_s=3.3, **LOOKS)
    assert scorer.spec == spec
    assert require_same(scorer, file, 0.5) == 6
    clip = read_clip(file, spec)
    part = prepare([closer(clip, spec)], EDGE_SPEC)
    assert np.array_equal(scorer(prepare([clip], spec))["action"], LiteRTScorer(world.model)(part)["action"])


def test_tflite_says_the_same_of_windows_files_and_streams(world: World, tmp_path):  # noqa: F811
    """The file of the edge tests: another model and another runtime, the same promise."""
    scorer = LiteRTScorer(world.model)
    looks = {**LOOKS, "sound_start_s": 1.4}
    file = write_scene(tmp_path / "late.mp4", Scene("spin", "sad", seed=2), duration_s=3.3, **looks)
    assert require_same(scorer, file, 0.5) == 6
