"""Where the cause of a label is known, the explanation finds it; where nothing was learned, it finds nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.explain.scenes import CAUSE_S, LABELS, SPEC, scenes
from video_understanding.explain import Explainer, Explanation
from video_understanding.explain.reasons import FULL_HEAT
from video_understanding.models.build import VideoUnderstandingModel


@pytest.fixture(scope="module")
def clips():
    return scenes(12, seed=1)


@pytest.fixture(scope="module")
def explanations(learned, clips) -> list[Explanation]:
    return [learned(clip) for clip in clips[0]]


def corner_share(explanation: Explanation) -> float:
    """How much of the heat for the emotion lies in the upper left quarter, however strong it is."""
    full = dataclasses.replace(explanation.heads["emotion"].heat, picture_adds=FULL_HEAT)
    heat = full.over(SPEC.video.height_px, SPEC.video.width_px)  # [T,H,W]
    height, width = (size // 2 for size in heat.shape[1:])
    return float(heat[:, :height, :width].sum() / heat.sum())


def test_the_model_has_learned_the_scenes(explanations, clips):
    _, actions, emotions = clips
    told = [(one.heads["action"].label, one.heads["emotion"].label) for one in explanations]
    truth = [(LABELS["action"][a], LABELS["emotion"][e]) for a, e in zip(actions, emotions, strict=True)]
    assert sum(one == other for one, other in zip(told, truth, strict=True)) >= 10


def test_the_moments_of_the_sound_that_decide_are_found(explanations):
    inside = 0
    for explanation in explanations:
        sound = explanation.heads["action"].sound
        piece = sound.adds.argmax()
        inside += CAUSE_S[0] <= sound.edges_s[piece] and sound.edges_s[piece + 1] <= CAUSE_S[1]
        begin_s, end_s = sound.most_telling_s
        assert begin_s <= sound.edges_s[piece] < sound.edges_s[piece + 1] <= end_s
    assert inside >= 9, "of 12 clips; 3 would be chance"


def test_the_corner_that_decides_is_warm(explanations):
    shares = [corner_share(explanation) for explanation in explanations]
    assert np.mean(shares) > 0.45, "a quarter would be chance"
    assert sum(share > 0.25 for share in shares) >= 11


def test_the_sense_that_decides_is_named(explanations):
    for explanation in explanations:
        assert explanation.heads["action"].shares.share["audio"] > 0.7
        assert explanation.heads["emotion"].shares.share["video"] > 0.7


def test_heat_is_as_strong_as_what_the_picture_adds(explanations):
    """The action is decided by the sound: frames that glowed for it would say what is not so."""
    for explanation in explanations:
        for reasons in explanation.heads.values():
            assert reasons.heat.picture_adds == pytest.approx(reasons.shares.drop["video"])
            assert reasons.heat.warmth.max() == pytest.approx(reasons.heat.strength)
    strength = {head: [one.heads[head].heat.strength for one in explanations] for head in ("action", "emotion")}
    assert np.mean(strength["emotion"]) > 0.9 and np.mean(strength["action"]) < 0.35


def test_heat_adds_up_to_what_the_frames_do(learned, explanations, clips):
    """In sum the cells are the log-odds beyond those of plain frames: nothing is lost on the way."""
    for explanation, clip in list(zip(explanations, clips[0], strict=True))[:4]:
        plain = np.broadcast_to(clip.frames.mean(axis=(1, 2), keepdims=True).round(), clip.frames.shape)
        odds = []
        for frames in (clip.frames, plain.astype(np.uint8)):
            logits = learned.model(
                {"frames": frames[None], "waveform": clip.waveform[None], "presence": np.ones((1, 2), np.float32)}
            )["emotion"]
            place = LABELS["emotion"].index(explanation.heads["emotion"].label)
            odds.append(float(logits[0, place] - logits[0, 1 - place]))
        assert explanation.heads["emotion"].heat.adds.sum() == pytest.approx(odds[0] - odds[1], rel=0.15, abs=0.3)


def test_with_random_weights_the_explanation_vanishes(explanations, clips):
    """An explanation that outlives what the model has learned would show the clip, not the model."""
    random = Explainer(VideoUnderstandingModel(SPEC, LABELS, seed=7))
    blank = [random(clip) for clip in clips[0]]
    for head, strength in (
        ("action", lambda reasons: np.abs(reasons.sound.adds).max()),
        ("emotion", lambda reasons: np.abs(reasons.heat.adds).max()),
    ):
        before, after = (np.mean([strength(one.heads[head]) for one in group]) for group in (explanations, blank))
        assert after < before / 5
    assert np.mean([corner_share(explanation) for explanation in blank]) < 0.35
    alike = [
        np.corrcoef(one.heads["emotion"].heat.adds.ravel(), other.heads["emotion"].heat.adds.ravel())[0, 1]
        for one, other in zip(explanations, blank, strict=True)
    ]
    assert abs(np.mean(alike)) < 0.35
    named = [one.heads["action"].shares.share for one in blank]
    assert np.mean([share is not None and share["audio"] > 0.7 for share in named]) < 0.5


def test_attention_tells_where_looks_went_and_when(explanations):
    attention = explanations[0].attention
    assert attention.times_s["video"].tolist() == [0.5, 1.5]
    assert attention.times_s["audio"].tolist() == [0.125 + 0.25 * hop for hop in range(8)]
    assert attention.weights["video"]["audio"].shape == (4, 2, 8) and attention.weights["audio"]["video"].shape == (
        4,
        8,
        2,
    )
    for weights in (attention.weights["video"]["audio"], attention.weights["audio"]["video"]):
        assert weights.min() >= 0
        assert np.allclose(weights.sum(axis=-1), 1, atol=1e-5)
