"""What an explanation holds: for each fusion and kind of head, with a modality less, from a bundle, as JSON, drawn."""

from __future__ import annotations

import dataclasses
import json
import sys

import cv2
import numpy as np
import pytest

import video_understanding as vu
from tests.explain.scenes import LABELS, SPEC, clip_of, scenes
from video_understanding.bundle import Bundle
from video_understanding.errors import ClipError, VideoUnderstandingError
from video_understanding.explain import Explainer
from video_understanding.explain.feature_map import LEAST_SIDE, cut_backbone
from video_understanding.explain.heat import COVERED_GRID, heat_of
from video_understanding.explain.pictures import frames_alone, page
from video_understanding.explain.question import Question
from video_understanding.features.prepare import prepare
from video_understanding.models.backbones import make_backbone
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.fusion import FUSIONS
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.load import save_model


def small_spec(**network) -> vu.ModelSpec:
    """As little as there can be, for models that need not have learned anything."""
    network = dataclasses.replace(SPEC.network, token_size=8, attention_heads=2, **network)
    video = vu.VideoSpec(frames_hz=2, height_px=32, width_px=32)
    return dataclasses.replace(SPEC, window_s=1.0, video=video, network=network)


def noise_clip(spec: vu.ModelSpec, **changes) -> vu.Clip:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, spec.frames_shape, dtype=np.uint8)
    return clip_of(frames, rng.normal(0, 0.1, spec.samples).astype(np.float32), spec, **changes)


def untrained(**network) -> VideoUnderstandingModel:
    return VideoUnderstandingModel(small_spec(**network), LABELS, seed=1)


@pytest.fixture(scope="module")
def plain() -> Explainer:
    return Explainer(untrained())


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_is_explained_and_only_looks_there_are_are_shown(fusion):
    explanation = vu.explain(untrained(fusion=fusion), noise_clip(small_spec()))
    told = explanation.to_dict()
    json.dumps(told, allow_nan=False)
    for head in LABELS.heads:
        assert explanation.heads[head].heat.adds.shape[0] == 2
        assert len(explanation.heads[head].sound.adds) == 4 * 2, "two pieces in each hop of 0.25 s"
    if fusion in ("cross_attention", "self_attention"):
        rows = np.array(told["attention"]["weights"]["video"]["audio"]).sum(axis=1)
        assert np.all(rows <= 1 + 1e-4)
        assert np.allclose(rows, 1, atol=1e-3) == (fusion == "cross_attention"), "self-attention has its own, too"
    else:
        assert fusion in told["attention"]["none"]


def test_the_document_has_its_form_and_absolute_times(plain):
    told = plain(noise_clip(small_spec(), start_s=7.0)).to_dict()
    assert told["format"] == 2 and told["file"] == "scene.mp4"
    assert told["window"] == {"start_s": 7.0, "end_s": 8.0, "chosen": "the clip that was given"}
    assert told["modalities"] == {"video": True, "audio": True}
    assert told["frame_times_s"] == [7.25, 7.75]
    assert set(told["heads"]) == {"action", "emotion"}
    for reasons in told["heads"].values():
        assert set(reasons) == {"answer", "shares", "frames", "sound"}
        assert set(reasons["answer"]["scores"]) in ({"high", "low"}, {"blue", "red"})
        assert reasons["shares"]["label"] == reasons["answer"]["label"]
        assert set(reasons["shares"]["confidence_without"]) == {"video", "audio"}
        assert reasons["sound"]["edges_s"] == [7 + 0.125 * n for n in range(9)]
        cells = np.array(reasons["frames"]["adds_by_frame_row_column"])
        assert np.allclose(cells.sum(axis=(1, 2)), reasons["frames"]["adds_by_frame"], atol=1e-3)
    assert told["attention"]["times_s"]["video"] == [7.25, 7.75]
    assert told["attention"]["times_s"]["audio"] == [7.125, 7.375, 7.625, 7.875]


@pytest.mark.parametrize("lost", [("video",), ("audio",), ("video", "audio")])
def test_a_clip_without_a_modality_is_explained(plain, lost, tmp_path):
    spec = small_spec()
    changes = {"frame_present": np.zeros(spec.frames, bool)} if "video" in lost else {}
    changes |= {"sound_span_s": None} if "audio" in lost else {}
    explanation = plain(noise_clip(spec, **changes))
    for reasons in explanation.heads.values():
        assert (reasons.heat is None) == ("video" in lost)
        assert (reasons.sound is None) == ("audio" in lost)
        assert (reasons.shares.share is None) == (len(lost) == 2)
    assert all(modality in explanation.attention for modality in lost)
    files = {file.name for file in explanation.draw(tmp_path)}
    assert {"overview_action.png", "explanation.json"} <= files
    assert ("frames_action.png" in files) == ("video" not in lost)
    assert "attention.png" not in files


def test_a_multi_label_head_is_explained_for_its_surest_class():
    labels = vu.Labels(action=("dance", "sing", "wave"))
    model = VideoUnderstandingModel(small_spec(multi_label=("action",)), labels, seed=1)
    reasons = vu.explain(model, noise_clip(small_spec())).heads["action"]
    scores = reasons.answer.scores
    assert reasons.label == max(scores, key=scores.get)
    assert isinstance(reasons.answer.label, tuple)


def test_a_loaded_bundle_gives_the_same_reasons_at_its_own_temperature(tmp_path, plain):
    save_model(plain.model, (tmp_path / "model.keras"))
    facts = {"temperature": {"action": 2.0}, "unknown_below": {"emotion": 1.0}}
    bundle = Bundle.write(tmp_path, small_spec(), LABELS, facts)
    clip = noise_clip(small_spec())
    before, after = plain(clip), vu.explain(tmp_path, clip)
    for reasons, same in ((vu.explain(bundle, clip).heads, after.heads), (after.heads, after.heads)):
        assert np.array_equal(reasons["action"].sound.adds, same["action"].sound.adds)
    assert np.allclose(after.heads["emotion"].heat.adds, before.heads["emotion"].heat.adds, atol=1e-5)
    assert np.allclose(after.heads["action"].heat.adds * 2, before.heads["action"].heat.adds, atol=1e-4)
    assert np.allclose(after.heads["action"].sound.adds * 2, before.heads["action"].sound.adds, atol=1e-3)
    unsure = after.heads["emotion"]
    assert unsure.answer.label == "unknown" and unsure.label == unsure.answer.nearest


def test_the_package_can_be_asked_whichever_came_first_the_room_or_its_function(plain):
    room = sys.modules["video_understanding.explain"]
    clip = noise_clip(small_spec())
    assert repr(room(plain.model, clip)) == repr(vu.explain(plain.model, clip))


@pytest.mark.parametrize(("name", "side_px"), [("small", 32), ("small", 96), ("MobileNetV3Small", 64)])
def test_a_backbone_is_cut_at_a_map_through_which_all_goes(name, side_px):
    backbone = make_backbone(name, side_px, side_px, weights=None, seed=1)
    before, after = cut_backbone(backbone)
    frames = np.random.default_rng(0).uniform(0, 255, (2, side_px, side_px, 3)).astype(np.float32)
    places = before(frames, training=False)
    assert LEAST_SIDE <= places.shape[1] < side_px
    assert np.allclose(after(places, training=False), backbone(frames, training=False), rtol=1e-4, atol=1e-4)


def test_without_a_map_inside_cells_of_the_frames_are_covered(learned):
    """Another way to the same corner."""
    scorer, shares = KerasScorer(learned.model), []
    for clip in scenes(6, seed=3)[0]:
        heat = heat_of(Question(learned.model, scorer, {}, prepare([clip], SPEC)), None)["emotion"]
        assert heat.adds.shape == (SPEC.frames, COVERED_GRID, COVERED_GRID)
        half = COVERED_GRID // 2
        shares.append(heat.warmth[:, :half, :half].sum() / heat.warmth.sum())
    assert np.mean(shares) > 0.4, "a quarter would be chance"


def test_pictures_are_whole_and_of_one_width(plain, tmp_path):
    spec = small_spec()
    files = plain(noise_clip(spec, source="a $strange$ name " + "x" * 200 + ".mp4")).draw(tmp_path / "new" / "why")
    sizes = {file.name: cv2.imread(str(file)).shape for file in files if file.suffix == ".png"}
    assert {name for name in sizes if name.startswith("overview")} == {"overview_action.png", "overview_emotion.png"}
    assert {"attention.png", "modalities_action.png", "frames_action.png", "sound_action.png"} <= set(sizes)
    assert len({sizes[name][1] for name in sizes if name.startswith(("overview", "frames", "sound"))}) == 1
    assert sorted(path.name for path in (tmp_path / "new" / "why").iterdir()) == sorted(file.name for file in files)
    assert json.loads(files[-1].read_text())["format"] == 2, "the document comes last"


def test_more_frames_than_fit_in_a_row_are_shown_in_several():
    spec = dataclasses.replace(small_spec(), video=vu.VideoSpec(frames_hz=12, height_px=36, width_px=48))
    explanation = vu.explain(VideoUnderstandingModel(spec, LABELS, seed=1), noise_clip(spec))
    shown = [axes.get_title() for axes in frames_alone(explanation, "action").axes]
    assert [title for title in shown if title] == [f"{time_s:.2f} s" for time_s in explanation.frame_times_s]
    chosen = [axes.get_title() for axes in page(explanation, "action").axes if axes.get_title()]
    assert len(chosen) == 8 and set(chosen) < set(shown), "a page has one row of them"


def test_heat_lies_on_the_part_of_the_picture_that_was_seen(tmp_path):
    spec = small_spec()
    spec = dataclasses.replace(spec, video=dataclasses.replace(spec.video, zoom=2))
    frames = np.full(spec.read_shape, 90, np.uint8)
    frames[1::2, -10:, :10] = 250  # blinks in the lower left corner
    clip = clip_of(frames, np.zeros(spec.samples, np.float32), spec)
    explanation = vu.explain(VideoUnderstandingModel(spec, LABELS, seed=1), clip)
    assert np.array_equal(explanation.clip.frames, prepare([clip], spec)["video"][0])
    assert np.array_equal(explanation.clip.frames, frames[:, 32:, :32])
    assert explanation.heads["action"].heat.over(32, 32).shape == explanation.clip.frames.shape[:3]
    assert explanation.draw(tmp_path)


def test_a_place_that_cannot_be_written_is_told(plain, tmp_path):
    (tmp_path / "taken").write_text("here is a file")
    with pytest.raises(VideoUnderstandingError, match="cannot be written"):
        plain(noise_clip(small_spec())).draw(tmp_path / "taken")


def test_a_clip_has_no_other_window(plain):
    with pytest.raises(ClipError, match="is one window already"):
        plain(noise_clip(small_spec()), 1.0)
