"""The closed form of heads and sets of modalities, on made-up clips with known answers."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from video_understanding.features.probabilities import sigmoid, softmax
from video_understanding.training.closed_form.fit import fit_closed_form
from video_understanding.training.closed_form.forms import HeadTargets


def clips(count: int, classes: int, width: int, subjects: int, seed: int = 0, apart: float = 1.0):
    """Statistics of one modality float32 [K,P], class numbers [K] and subjects [K], each with a voice of their own."""
    chance = np.random.default_rng(seed)
    numbers, groups = np.arange(count) % classes, chance.integers(0, subjects, count)
    signs = np.random.default_rng(100).normal(size=(classes, width)) * apart / np.sqrt(width) * 6
    voices = chance.normal(size=(subjects, width))
    return (signs[numbers] + voices[groups] + chance.normal(size=(count, width))).astype(np.float32), numbers, groups


def present_in(count: int, *names: str) -> dict[str, np.ndarray]:
    return {name: np.ones(count, bool) for name in names}


def test_new_subjects_are_recognised_and_left_out_scores_foretell_it():
    rows, numbers, groups = clips(160, 4, 300, 12)
    fitted = fit_closed_form(
        {"audio": rows}, present_in(160, "audio"), {"h": HeadTargets.of_numbers(numbers, 4)}, groups
    )
    new_rows, new_numbers, _ = clips(200, 4, 300, 8, seed=1)
    logits = fitted.logits("h", {"audio": new_rows})
    accuracy = (logits.argmax(1) == new_numbers).mean()
    foretold = (fitted.left_out("h", present_in(160, "audio")).argmax(1) == numbers).mean()
    assert accuracy > 0.85 and abs(accuracy - foretold) < 0.1
    confidence = softmax(logits).max(1).mean()
    assert abs(confidence - accuracy) < 0.1  # calibrated


def test_every_set_of_modalities_has_a_form_and_noise_beside_costs_little():
    good, numbers, groups = clips(120, 3, 60, 10)
    noise = np.random.default_rng(5).normal(size=(120, 500)).astype(np.float32)
    present = present_in(120, "video", "audio")
    present["audio"][:30] = False
    fitted = fit_closed_form(
        {"video": good, "audio": noise}, present, {"h": HeadTargets.of_numbers(numbers, 3)}, groups
    )
    assert set(fitted.forms["h"]) == {("video",), ("audio",), ("video", "audio")}
    new, new_numbers, _ = clips(150, 3, 60, 6, seed=1)
    new_noise = np.random.default_rng(6).normal(size=(150, 500)).astype(np.float32)
    alone = (fitted.logits("h", {"video": new}).argmax(1) == new_numbers).mean()
    both = (fitted.logits("h", {"video": new, "audio": new_noise}).argmax(1) == new_numbers).mean()
    assert alone > 0.9 and both > alone - 0.05
    scores = fitted.forms["h"][("video", "audio")].scores
    assert np.isnan(scores[:30]).all() and np.isfinite(scores[30:]).all()
    assert np.isfinite(fitted.left_out("h", present)).all()


@pytest.mark.parametrize("subjects", ["one a class", "one a clip", "one in all"])
def test_twenty_clips_work_whoever_shows_them(subjects):
    rows, numbers, _ = clips(20, 4, 900, 5, apart=2)
    groups = {"one a class": numbers, "one a clip": np.arange(20), "one in all": np.zeros(20, int)}[subjects]
    fitted = fit_closed_form({"a": rows}, present_in(20, "a"), {"h": HeadTargets.of_numbers(numbers, 4)}, groups)
    logits = fitted.logits("h", {"a": rows})
    assert (logits.argmax(1) == numbers).mean() > 0.9
    assert np.isfinite(logits).all() and np.isfinite(fitted.left_out("h", present_in(20, "a"))).all()


def test_a_class_without_any_clip_is_never_the_answer():
    rows, numbers, groups = clips(60, 3, 40, 10)
    fitted = fit_closed_form({"a": rows}, present_in(60, "a"), {"h": HeadTargets.of_numbers(numbers, 5)}, groups)
    assert fitted.logits("h", {"a": rows}).argmax(1).max() == 2


def test_labels_that_go_together_get_probabilities_of_their_own():
    rows, numbers, groups = clips(200, 2, 80, 20, apart=2)
    rare = (np.arange(200) % 10 == 0).astype(float)
    rows[:, 0] += 8 * rare
    truth = np.stack([numbers == 1, rare], axis=1).astype(float)
    head = HeadTargets(2, truth, np.arange(200) < 180, multi_label=True)
    fitted = fit_closed_form({"a": rows}, present_in(200, "a"), {"h": head}, groups)
    shares = sigmoid(fitted.logits("h", {"a": rows[180:]}))
    assert ((shares > 0.5) == (truth[180:] > 0.5)).mean(axis=0).min() >= 0.9
    left_out = sigmoid(fitted.left_out("h", present_in(200, "a"))[:180])
    np.testing.assert_allclose(left_out.mean(axis=0), truth[:180].mean(axis=0), atol=0.05)
    assert np.isnan(fitted.left_out("h", present_in(200, "a"))[180:]).all()


def test_labels_that_go_together_are_found_beside_a_modality_of_noise():
    rows, numbers, groups = clips(200, 2, 80, 20, apart=2)
    noise = np.random.default_rng(5).normal(size=(200, 80)).astype(np.float32)
    truth = np.stack([numbers == 1, numbers == 1], axis=1).astype(float)  # both, or none
    head = HeadTargets(2, truth, np.arange(200) < 150, multi_label=True)
    fitted = fit_closed_form({"a": rows, "b": noise}, present_in(200, "a", "b"), {"h": head}, groups)
    shares = sigmoid(fitted.logits("h", {"a": rows[150:], "b": noise[150:]}))
    assert ((shares > 0.5) == (truth[150:] > 0.5)).mean() > 0.95


def test_augmented_views_are_learned_from_and_left_out_with_their_clip():
    rows, numbers, groups = clips(60, 3, 200, 60, apart=0.0)  # nothing to learn
    views = np.stack([rows, rows + 0.01])  # each view gives its clip away
    fitted = fit_closed_form({"a": views}, present_in(60, "a"), {"h": HeadTargets.of_numbers(numbers, 3)}, groups)
    assert (fitted.left_out("h", present_in(60, "a")).argmax(1) == numbers).mean() < 0.6


def test_two_hundred_clips_take_seconds():
    rows, numbers, groups = clips(200, 6, 2048, 20)
    began = time.process_time()
    fit_closed_form({"a": rows}, present_in(200, "a"), {"h": HeadTargets.of_numbers(numbers, 6)}, groups)
    assert time.process_time() - began < 10


def test_many_clips_take_no_matrix_of_all_pairs():
    rows, numbers, groups = clips(6_000, 2, 16, 1000)
    tracemalloc.start()
    fitted = fit_closed_form({"a": rows}, present_in(6_000, "a"), {"h": HeadTargets.of_numbers(numbers, 2)}, groups)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100e6  # bytes; all pairs would be 288e6
    assert (fitted.left_out("h", present_in(6_000, "a")).argmax(1) == numbers).mean() > 0.8
