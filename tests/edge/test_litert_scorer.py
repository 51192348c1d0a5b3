"""LiteRT gives the answers of the Keras model, and the same ones however it is asked."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.edge.small_model import LABELS, SPEC, UNKNOWN_BELOW, described, description
from video_understanding.edge import LiteRTScorer, TFLiteFile
from video_understanding.errors import BundleError, ClipError, MissingExtraError, SpecError
from video_understanding.scorer import ModelInputs
from video_understanding.signatures import OLDER


@pytest.fixture(scope="module")
def scorer(world):
    return LiteRTScorer(world.model)


def test_it_says_what_keras_says(world, scorer):
    scores = scorer(world.inputs)
    for head in LABELS.heads:
        np.testing.assert_allclose(scores[head], world.expected[head], atol=1e-4)
        # Not because all clips get the same answer:
        assert np.abs(scores[head][0] - scores[head][1]).max() > 1e-3


def test_the_signature_for_all_at_once_agrees_with_the_parts(world, scorer):
    for inputs in (world.inputs, world.inputs.without("audio"), world.inputs.without("video")):
        parts, whole = scorer(inputs), scorer.classify(inputs)
        for head in LABELS.heads:
            np.testing.assert_allclose(parts[head], whole[head], atol=1e-5)


def test_embeddings_are_those_of_keras_and_of_the_whole_window_to_the_bit(world, scorer):
    tokens = scorer.encode(world.inputs)
    found = scorer.embed(tokens, world.inputs.presence)
    assert found.dtype == np.float32 and found.shape == (2, SPEC.network.token_size)
    np.testing.assert_allclose(found, world.embeddings, atol=1e-3)
    assert np.abs(found[0] - found[1]).max() > 1e-2  # and are not the same for all clips
    assert np.array_equal(found, scorer.embed_whole(world.inputs))
    deaf = world.inputs.without("audio")
    assert np.array_equal(scorer.embed(tokens, deaf.presence), scorer.embed_whole(deaf))
    assert not np.allclose(scorer.embed_whole(deaf), found, atol=1e-3)


def test_a_file_of_an_older_version_answers_and_has_no_embedding(world, scorer, tmp_path):
    from video_understanding.export.network import read_network, write_network

    network = read_network(world.model.read_bytes())
    network.signatureDefs = [one for one in network.signatureDefs if one.signatureKey != b"embed"]
    names = {name.encode(): older.encode() for name, older in OLDER.items()}
    for signature in network.signatureDefs:
        signature.outputs = [one for one in signature.outputs if one.name != b"embedding"]
        key = signature.signatureKey = names.get(signature.signatureKey, signature.signatureKey)
        for one in (*signature.inputs, *signature.outputs):
            piece = {b"encode_frame": b"frame", b"encode_audio": b"sound"}.get(key)
            one.name = piece if piece and one in signature.inputs else names.get(one.name, one.name)
    path = tmp_path / "older.tflite"
    path.write_bytes(described(write_network(network), description()))
    older = LiteRTScorer(path)
    assert np.array_equal(older(world.inputs)["action"], scorer(world.inputs)["action"])
    for ask in (lambda: older.embed(older.encode(world.inputs), world.inputs.presence),
                lambda: older.embed_whole(world.inputs)):  # fmt: skip
        with pytest.raises(BundleError, match=r"older\.tflite: has no embedding: it was exported by an older version"):
            ask()


def test_a_missing_sense_is_not_looked_at_and_changes_the_answer(world, scorer):
    deaf = world.inputs.without("audio")
    changed = ModelInputs({**deaf.arrays, "audio": np.full_like(deaf["audio"], 0.5)}, deaf.presence)
    assert np.array_equal(scorer(deaf)["action"], scorer(changed)["action"])
    assert not np.allclose(scorer(deaf)["action"], scorer(world.inputs)["action"], atol=1e-4)


def test_frames_and_hops_asked_for_alone_are_the_same_to_the_bit(world, scorer):
    frames = world.inputs["video"].reshape(-1, *SPEC.frames_shape[1:])  # [B*T,H,W,3]
    hops = world.inputs["audio"].reshape(-1, SPEC.audio.hop_samples)  # [B*M,hop]
    seen, heard = scorer.encode_pieces("video", frames), scorer.encode_pieces("audio", hops)
    assert seen.shape == (len(frames), SPEC.network.token_size)
    assert heard.shape == (len(hops), SPEC.network.tokens_per_hop, SPEC.network.token_size)
    for place in reversed(range(len(frames))):
        assert np.array_equal(scorer.encode_pieces("video", frames[place : place + 1])[0], seen[place])
    for place in reversed(range(len(hops))):
        assert np.array_equal(scorer.encode_pieces("audio", hops[place : place + 1])[0], heard[place])


def test_answers_stay_as_they_are_when_the_interpreter_goes_on_and_when_it_is_gone(world):
    scorer = LiteRTScorer(world.model)
    first = scorer(world.inputs)
    before = {head: first[head].copy() for head in LABELS.heads}
    scorer(world.inputs.without("video"))
    del scorer
    for head in LABELS.heads:
        assert np.array_equal(first[head], before[head])


def test_threads_can_be_set_and_change_nothing_that_matters(world, scorer):
    scores = LiteRTScorer(TFLiteFile.read(world.model), threads=2)(world.inputs)
    np.testing.assert_allclose(scores["action"], scorer(world.inputs)["action"], atol=1e-5)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(SpecError, match="threads"):
            LiteRTScorer(world.model, threads=wrong)


def test_no_clips_give_no_scores(scorer):
    arrays = {"video": np.empty((0, *SPEC.frames_shape), np.uint8), "audio": np.empty((0, SPEC.samples), np.float32)}
    nothing = ModelInputs(arrays, np.empty((0, 2), bool))
    assert [scorer(nothing)[head].shape for head in LABELS.heads] == [(0, 3), (0, 2)]
    assert scorer.embed_whole(nothing).shape == (0, SPEC.network.token_size)


def test_arrays_of_another_shape_or_type_are_refused_and_leave_the_scorer_whole(world, scorer):
    before = scorer(world.inputs)["action"]
    for modality, wrong in (
        ("video", np.zeros((1, 40, 40, 3), np.uint8)),
        ("video", np.zeros((1, 32, 32, 3), np.float32)),
        ("audio", np.zeros((1, 100), np.float32)),
    ):
        with pytest.raises(ClipError, match="should be"):
            scorer.encode_pieces(modality, wrong)
    assert np.array_equal(scorer(world.inputs)["action"], before)


def test_it_knows_what_the_file_says_of_itself(scorer):
    assert (scorer.spec, scorer.labels, scorer.mode, scorer.unknown_below) == (SPEC, LABELS, "fp32", UNKNOWN_BELOW)


def test_a_file_whose_network_is_not_ours_is_refused(tmp_path):
    path = tmp_path / "odd.tflite"
    path.write_bytes(described(b"\x1c\0\0\0TFL3" + bytes(100), description()))
    # In a process of its own, for damage may take the interpreter down.
    program = f"""
from video_understanding.edge import LiteRTScorer
from video_understanding.errors import BundleError
try:
    LiteRTScorer({str(path)!r})
except BundleError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "cannot be loaded by LiteRT" in done.stdout or "has no signature" in done.stdout, done


def test_loading_is_silent_in_a_program_that_allows_it(world):
    program = f"""
import numpy as np
from video_understanding.edge import LiteRTScorer
from video_understanding.stderr_lines import allow_redirecting
allow_redirecting()
scorer = LiteRTScorer({str(world.model)!r})
scorer.encode_pieces("video", np.zeros((1, 32, 32, 3), np.uint8))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_threads_that_load_at_once_wait_for_nothing(world):
    """And stderr, which belongs to the program that uses the library, is the same all the time."""
    program = f"""
import os, threading
from video_understanding.edge import LiteRTScorer
before = os.fstat(2)
def load():
    for _ in range(5):
        LiteRTScorer({str(world.model)!r})
        assert os.fstat(2) == before
threads = [threading.Thread(target=load) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("loaded")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "loaded\n"
    assert "Error" not in done.stderr


def test_without_litert_it_says_what_to_install(world, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[edge\]'"):
        LiteRTScorer(world.model)
