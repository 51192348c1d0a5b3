"""A third modality is an encoder, what prepares it and one line; with a third head it is learned and used like any."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np
import pytest

import video_understanding as vu
from tests.training.test_third_head import HEADS, SPEC, own_cache, table  # noqa: F401  clips with a third head
from video_understanding.clip import Clip
from video_understanding.modality import MODALITIES, Modality
from video_understanding.models.encoders import Encoder
from video_understanding.training.settings import TrainingSettings


def mean_colour(clip: Clip, _spec: vu.ModelSpec) -> np.ndarray | None:
    """float32 [T,3]: how red, green and blue each frame is; none of a clip without frames."""
    return (clip.frames.mean(axis=(1, 2)) / 255).astype(np.float32) if clip.has_video else None


def colour_encoder(spec: vu.ModelSpec, _weights: object, _seed: int | None) -> Encoder:
    """A colour [b,3] -> a token [b,D]."""
    colour = keras.Input((3,))
    token = keras.layers.Dense(spec.network.token_size, "relu")(colour)
    return Encoder(keras.Model(colour, token), piece_shape=(3,), pieces=spec.frames, name="colour")


COLOUR = Modality(
    "colour", "the colour", "colours", np.float32, lambda spec: (spec.frames, 3), lambda _: (3,),
    f"{__name__}:mean_colour", f"{__name__}:colour_encoder",
)  # fmt: skip
NAMES = ("video", "audio", "colour")


@pytest.fixture(scope="module", autouse=True)
def registered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODALITIES, "colour", COLOUR)
        yield


def trained(table, **network) -> vu.Bundle:  # noqa: F811
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDEO_UNDERSTANDING_CACHE", str(table.parent / "cache"))
        spec = dataclasses.replace(SPEC, network=dataclasses.replace(SPEC.network, **network), modalities=NAMES)
        settings = TrainingSettings(epochs=1, batch_size=4, close_up=False)
        out = table.parent / f"colour_{spec.network.classifier}"
        return vu.train(vu.load_manifest(table, heads=HEADS), spec, out, settings, progress=False)


@pytest.fixture(scope="module")
def bundle(table) -> vu.Bundle:  # noqa: F811
    from video_understanding.export.make import export_bundle

    return export_bundle(trained(table, fusion="cross_attention"), ["fp32"], progress=False).bundle


def test_it_stands_in_the_bundle_and_in_what_is_measured(bundle):
    assert vu.Bundle.read(bundle.folder).spec.modalities == NAMES
    conditions = list(bundle.facts["metrics"]["robustness"])
    assert conditions[:4] == ["all modalities", "only video", "only audio", "only colour"]


def test_the_exported_file_streams_the_answers_of_whole_windows_to_the_bit(bundle, table):  # noqa: F811
    file = sorted((table.parent / "media").iterdir())[0]
    keras_, tflite = (vu.load(bundle.folder, runtime) for runtime in ("keras", "tflite:fp32"))
    clip = vu.read_clip(file, bundle.spec)
    inputs = vu.prepare([clip], bundle.spec)
    assert list(inputs.arrays) == list(NAMES) and inputs["colour"].shape == (1, 2, 3)
    whole = tflite.scorer(inputs)
    stream = vu.StreamingRecognizer(tflite.scorer)
    events = [*stream.push_sound(clip.waveform, 0.0), *stream.push_frames(clip.frames, clip.frame_times_s)]
    answer = [*events, *stream.finish()][0].answer
    assert answer.modalities == dict.fromkeys(NAMES, True)
    for head in HEADS:
        np.testing.assert_allclose(whole[head], keras_.scorer(inputs)[head], atol=1e-4)
        np.testing.assert_allclose(whole[head], tflite.scorer.classify(inputs)[head], atol=1e-5)
        assert np.array_equal(answer.scores[head], whole[head][0])
        assert not np.array_equal(tflite.scorer(inputs.without("colour"))[head], whole[head])
    assert tflite.predict(file).to_dict()["modalities"] == dict.fromkeys(NAMES, True)


def test_its_part_in_an_answer_is_explained(bundle, table, tmp_path):  # noqa: F811
    explanation = vu.explain(bundle, sorted((table.parent / "media").iterdir())[0])
    for head in HEADS:
        assert set(explanation.heads[head].shares.without) == set(NAMES)
    assert len(explanation.attention.pairs) == 6
    assert explanation.attention.weights["colour"]["audio"].shape[1] == 2  # tokens of two frames
    assert explanation.draw(tmp_path)


def test_the_closed_form_has_weights_for_each_set_of_three(table):  # noqa: F811
    made = trained(table, classifier="linear", unfrozen_blocks=0, unfrozen_listener_blocks=0)
    assert len(made.facts["training"]["closed_form"]["action"]) == 7
    assert "only colour" in made.facts["metrics"]["robustness"]
