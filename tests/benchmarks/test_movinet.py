"""MoViNet-A0 stream is the published network: its state goes in and out, and it has as many parameters."""

from __future__ import annotations

import math

import pytest
import tensorflow as tf

from benchmarks.peers.movinet import MoViNetA0


def test_the_stream_has_as_many_parameters_as_the_published_one():
    network = MoViNetA0()
    frame, *past = network.drawn_inputs()
    with tf.GradientTape() as tape:
        outputs = network(frame, past)
    assert outputs["logits"].shape == (1, 600)
    assert [outputs[f"kept_{place}"].shape for place in range(len(past))] == [part.shape for part in past]
    assert sum(math.prod(weight.shape) for weight in tape.watched_variables()) == pytest.approx(3.75e6, rel=0.01)
