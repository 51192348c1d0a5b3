"""Every fusion and every kind of head becomes a TFLite network of builtin operators that says what Keras says."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests.export.conftest import small_spec
from video_understanding.export.convert import convert
from video_understanding.export.network import read_network, require_builtin
from video_understanding.export.signatures import write_saved_model
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.fusion import FUSIONS
from video_understanding.models.keras_scorer import KerasScorer

LABELS = Labels(action=("bounce", "slide", "spin"), emotion=("happy", "sad"))
QUICK = ("cross_attention", "late", "gat")  # attention, sums, and a graph; the others are made of the same operators


@pytest.mark.parametrize(
    "fusion", [one if one in QUICK else pytest.param(one, marks=pytest.mark.slow) for one in FUSIONS]
)
def test_fp32_says_what_keras_says(fusion, tmp_path):
    """Of the part that fuses alone: the others are the same for all, and other tests have them."""
    spec = small_spec(fusion=fusion, multi_label=("action",) if fusion == "late" else ())
    model, temperature = VideoUnderstandingModel(spec, LABELS, seed=1), {"action": 1.7}
    write_saved_model(model, temperature, tmp_path)
    network = convert(tmp_path, ("fuse",), "fp32")
    require_builtin(read_network(network))
    rng, size = np.random.default_rng(0), spec.network.token_size
    tokens = {
        name: rng.normal(0, 1, (6, many, size)).astype(np.float32)
        for name, many in (("video", spec.frames), ("audio", spec.hops * spec.network.tokens_per_hop))
    }
    presence = np.array([[1, 1], [1, 0], [0, 1]] * 2, bool)
    expected = KerasScorer(model, temperature).fuse(tokens, presence)
    told = Interpreter(model_content=network, num_threads=1).get_signature_runner("fuse")(
        **{f"{name}_tokens": own for name, own in tokens.items()}, presence=presence.astype(np.float32)
    )
    for head in LABELS.heads:
        assert np.abs(told[head] - expected[head]).max() < 1e-4
    embeddings = KerasScorer(model, temperature).embed(tokens, presence)
    assert np.abs(told["embedding"] - embeddings).max() < 1e-3
    is_multi = not np.allclose(told["action"].sum(axis=1), 1, atol=1e-3)
    assert is_multi == (fusion == "late")
