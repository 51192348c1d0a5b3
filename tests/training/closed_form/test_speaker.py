"""Speaker normalisation: used where it helps, shrunk where a speaker says little, off where it ruins."""

from __future__ import annotations

import numpy as np

from video_understanding.features.speaker_normalisation import SpeakerNormalisation
from video_understanding.training.closed_form.speaker import speaker_normalisation_helps


def voices(classes_of_speaker: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Statistics [K,P] of 16 speakers with strong voices, class numbers [K], speakers [K]."""
    chance = np.random.default_rng(seed)
    speakers = np.repeat(np.arange(16), 12)
    numbers = (speakers + np.arange(192) % classes_of_speaker) % 4
    signs = chance.normal(size=(4, 10))
    offsets = 3 * chance.normal(size=(16, 10))
    return (signs[numbers] + offsets[speakers] + chance.normal(size=(192, 10))).astype(np.float32), numbers, speakers


def test_speakers_who_show_all_classes_are_normalised_and_those_of_one_class_are_not():
    for many, helps in ((4, True), (1, False)):
        rows, numbers, speakers = voices(many)
        normalisation = SpeakerNormalisation.of(rows, speakers)
        assert speaker_normalisation_helps(normalisation, rows, speakers, np.eye(4)[numbers]) is helps


def test_few_clips_move_little_and_many_take_the_voice_out():
    rows, _, speakers = voices(4)
    normalisation = SpeakerNormalisation.of(rows, speakers)
    own = rows[speakers == 3]
    far = np.abs(own.mean(axis=0) - normalisation.usual).mean()
    left = []
    for count in (0, 1, 12):
        factor, offset = normalisation.transform(own[:count])
        left.append(np.abs((own * factor + offset).mean(axis=0) - normalisation.usual).mean() / far)
    assert left[0] == 1 and left[1] < 1 and left[2] < 0.35


def test_speakers_alike_are_left_as_they_are():
    chance = np.random.default_rng(0)
    rows, speakers = chance.normal(size=(400, 20)).astype(np.float32), np.repeat(np.arange(20), 20)
    normalisation = SpeakerNormalisation.of(rows, speakers)
    moved = normalisation.apply(rows, speakers)
    assert np.abs(moved - rows).mean() < 0.25
    np.testing.assert_array_equal(normalisation.apply(rows, np.full(400, -1)), rows)
