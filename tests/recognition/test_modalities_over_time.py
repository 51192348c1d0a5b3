"""Each modality is taken away from each window exactly, at the cost of joining tokens, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.edge.conftest import world  # noqa: F401  its model is made once for all tests
from tests.edge.small_model import World
from tests.recognition.test_recognizer import SPEC
from tests.recognition.test_same_answers import LABELS, LOOKS
from tests.recognition.test_same_answers import SPEC as DRAWN_SPEC
from tests.recognition.worlds import ColourScorer, write_colours
from video_understanding.edge.litert_scorer import LiteRTScorer
from video_understanding.errors import VideoUnderstandingError
from video_understanding.features.prepare import prepare
from video_understanding.media.decode import iter_clips
from video_understanding.media.synthetic import Scene, damage, write_scene
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.recognition import Recognizer
from video_understanding.recognition.modalities_over_time import ModalitiesOverTime
from video_understanding.recognition.strides import Stride
from video_understanding.scorer import PartwiseScorer


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    """Twelve seconds whose sound ends after eight."""
    return write_colours(
        tmp_path_factory.mktemp("shares") / "scene.mp4", lambda t: "red" if t < 4 else "blue", lambda t: t < 6, 12.0,
        sound_end_s=8.0,
    )  # fmt: skip


def require_exact(scorer: PartwiseScorer, file: Path, most: int = 1000) -> ModalitiesOverTime:
    """Compares with whole windows that are said to lack the modality, to the bit."""
    shares = ModalitiesOverTime(scorer, most)
    Recognizer(scorer).predict(file, progress=shares.add)
    clips = list(iter_clips(file, scorer.spec, Stride.of(scorer.spec).seconds))
    assert shares.seen == len(clips)
    assert [window.middle_s for window in shares.windows] == [
        (clip.start_s + clip.end_s) / 2 for clip in clips[:: shares.every]
    ]
    for window, clip in zip(shares.windows, clips[:: shares.every], strict=True):
        inputs = prepare([clip], scorer.spec)
        assert list(window.modalities.values()) == inputs.presence[0].tolist()
        both = inputs.presence.all()
        takings = [inputs, *(inputs.without(name) if both else inputs for name in inputs.arrays)]
        for head in scorer.labels.heads:
            expected = np.stack([scorer(taken)[head][0] for taken in takings])  # [3,C]
            assert np.array_equal(window.scores[head], expected)
    return shares


def test_a_window_without_a_modality_is_one_that_never_had_it(scene):
    windows = require_exact(ColourScorer(SPEC), scene).windows
    assert all(windows[0].modalities.values()) and not all(windows[-1].modalities.values())


def test_keras_and_tflite_are_asked_as_exactly(tmp_path, world: World):  # noqa: F811
    file = write_scene(tmp_path / "late.mp4", Scene("spin", "sad", seed=2), duration_s=3.3, sound_start_s=1.4, **LOOKS)
    require_exact(KerasScorer(VideoUnderstandingModel(DRAWN_SPEC, LABELS, seed=1)), file)
    require_exact(LiteRTScorer(world.model), file)


def test_nothing_is_looked_at_or_listened_to_again_and_only_windows_of_both_shares_are_joined_anew(scene, tmp_path):
    plain, asked = ColourScorer(SPEC), ColourScorer(SPEC)
    Recognizer(plain).predict(scene)
    shares = ModalitiesOverTime(asked)
    Recognizer(asked).predict(scene, progress=shares.add)
    both = sum(all(window.modalities.values()) for window in shares.windows)
    assert 0 < both < len(shares.windows)
    assert (asked.frames_seen, asked.hops_heard) == (plain.frames_seen, plain.hops_heard)
    assert asked.windows_fused == plain.windows_fused + 2 * both
    silent = ColourScorer(SPEC)
    require = ModalitiesOverTime(silent)
    Recognizer(silent).predict(damage(scene, "missing_sound", 0, tmp_path / "x.mp4"), progress=require.add)
    assert silent.windows_fused == len(require.windows)


@pytest.mark.parametrize("most", [1, 3, 10])
def test_of_a_long_file_every_second_or_fourth_window_is_kept_and_is_exact(scene, most):
    shares = require_exact(ColourScorer(SPEC), scene, most)
    assert 1 <= len(shares.windows) <= most
    assert shares.every in (4, 8, 16, 32) and len(shares.windows) > most / 2


def test_a_scorer_without_parts_is_refused():
    with pytest.raises(VideoUnderstandingError, match="cannot be asked for its parts"):
        ModalitiesOverTime(lambda _: None)
