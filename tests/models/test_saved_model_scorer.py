"""A SavedModel as a scorer: what Keras says, for any batch, and errors that tell what the folder is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import small_spec, some_inputs
from video_understanding.errors import BundleError
from video_understanding.export.signatures import write_saved_model
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.models.saved_model_scorer import SavedModelScorer

LABELS = Labels(action=("bounce", "slide", "spin"), emotion=("happy", "sad"))
SPEC = small_spec()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model, and the folder it was written to."""
    folder = tmp_path_factory.mktemp("saved")
    model = VideoUnderstandingModel(SPEC, LABELS, seed=1)
    write_saved_model(model, {"emotion": 0.5}, folder)
    return model, folder


def test_it_says_what_keras_says(saved):
    model, folder = saved
    inputs = some_inputs(SPEC, 6)
    expected = KerasScorer(model, {"emotion": 0.5})(inputs)
    scorer = SavedModelScorer(folder, SPEC, LABELS)
    for scores in (scorer(inputs), scorer.score(inputs, exact=False), scorer.classify(inputs)):
        for head in LABELS.heads:
            assert np.abs(scores[head] - expected[head]).max() < 1e-5


def test_its_embeddings_are_those_of_keras_by_the_parts_and_by_whole_clips(saved):
    model, folder = saved
    inputs, keras_scorer, scorer = some_inputs(SPEC, 6), KerasScorer(model), SavedModelScorer(folder, SPEC, LABELS)
    expected = keras_scorer.embed(keras_scorer.encode(inputs), inputs.presence)
    assert expected.shape == (6, SPEC.network.token_size) and expected.std() > 0.1
    for found in (scorer.embed(scorer.encode(inputs), inputs.presence), scorer.embed_whole(inputs)):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    assert scorer.embed_whole(some_inputs(SPEC, 0)).shape == (0, SPEC.network.token_size)


def test_a_saved_model_of_an_older_version_scores_and_has_no_embedding(saved, tmp_path):
    loaded, older = tf.saved_model.load(str(saved[1])), tf.Module()
    older.loaded = loaded

    def without_embedding(signature):
        inputs = signature.structured_input_signature[1]
        run = tf.function(
            lambda **given: {name: out for name, out in signature(**given).items() if name != "embedding"}
        )
        return run.get_concrete_function(**inputs)

    kept = {name: without_embedding(one) for name, one in loaded.signatures.items() if name != "embed"}
    tf.saved_model.save(older, str(tmp_path), signatures=kept)
    scorer, inputs = SavedModelScorer(tmp_path, SPEC, LABELS), some_inputs(SPEC, 2)
    assert np.array_equal(scorer(inputs)["action"], SavedModelScorer(saved[1], SPEC, LABELS)(inputs)["action"])
    with pytest.raises(
        BundleError, match=r"has no embedding: it was exported by an older version\. Make it again with"
    ):
        scorer.embed(scorer.encode(inputs), inputs.presence)


def test_a_stream_gives_the_answers_of_whole_clips_to_the_bit(saved):
    """Tokens of single frames and hops, joined later, in another batch."""
    scorer = SavedModelScorer(saved[1], SPEC, LABELS)
    inputs = some_inputs(SPEC, 3)
    inputs = dataclasses.replace(inputs, presence=np.ones_like(inputs.presence))
    whole = scorer(inputs)
    for place in range(3):
        video = np.concatenate([scorer.encode_pieces("video", frame[None]) for frame in inputs["video"][place]])[None]
        hops = inputs["audio"][place].reshape(-1, SPEC.audio.hop_samples)
        audio = np.concatenate([scorer.encode_pieces("audio", hop[None])[0] for hop in hops])[None]
        told = scorer.fuse({"video": video, "audio": audio}, inputs.presence[place : place + 1])
        for head in LABELS.heads:
            assert np.array_equal(told[head][0], whole[head][place])


def test_no_clips_give_no_scores(saved):
    scores = SavedModelScorer(saved[1], SPEC, LABELS)(some_inputs(SPEC, 0))
    assert scores["action"].shape == (0, 3)


def test_a_server_that_names_no_signature_gets_whole_clips(saved):
    loaded = tf.saved_model.load(str(saved[1]))
    assert set(loaded.signatures["serving_default"].structured_outputs) == {"action", "emotion"}
    assert set(loaded.signatures) == {"serving_default", "classify", "embed", "encode_video", "encode_audio", "fuse"}


def test_a_folder_without_a_saved_model_is_told(tmp_path):
    with pytest.raises(BundleError, match="cannot be loaded as a SavedModel"):
        SavedModelScorer(tmp_path, SPEC, LABELS)


def test_a_saved_model_of_others_is_told(tmp_path):
    module = tf.Module()
    module.double = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec((None,), tf.float32)])
    tf.saved_model.save(module, str(tmp_path), signatures={"double": module.double})
    with pytest.raises(BundleError, match=r"without the signature encode_video \(it has: double\)"):
        SavedModelScorer(tmp_path, SPEC, LABELS)


@pytest.mark.parametrize(
    ("spec", "labels"),
    [(SPEC, Labels(action=("a", "b"), emotion=("happy", "sad"))), (dataclasses.replace(SPEC, window_s=2.0), LABELS)],
)
def test_a_saved_model_of_another_model_is_told(spec, labels, saved):
    with pytest.raises(BundleError, match="exported from a model with another spec or other labels"):
        SavedModelScorer(saved[1], spec, labels)
