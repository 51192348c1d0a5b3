"""MoViNet-A0 is the published network: its convolution over time and place, and its number of parameters."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.movinet import MoViNetA0, OverTimeAndPlace


@pytest.mark.parametrize(("frames", "step_px"), [(3, 1), (5, 2), (1, 2)])
def test_the_sum_of_convolutions_over_place_is_one_over_time_and_place(frames, step_px):
    keras.utils.set_random_seed(0)
    clip = keras.random.normal((7, 9, 9, 2))  # [T,h,w,C]
    convolution = OverTimeAndPlace(frames, 3, step_px)
    found = convolution(clip)
    moments = np.stack([moment.kernel.numpy()[..., 0] for moment in convolution.moments])  # [n,3,3,C]
    kernel = moments[..., None] * np.eye(2, dtype=np.float32)  # [n,3,3,C,C], each channel by itself
    wanted = tf.nn.conv3d(clip[None], kernel, (1, 1, step_px, step_px, 1), "SAME")[0]
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_the_stream_has_as_many_parameters_as_the_published_one():
    network = MoViNetA0(stream=True)
    frames, *past = network.drawn_inputs()
    with tf.GradientTape() as tape:
        told = network(frames, past)
    assert told["logits"].shape == (1, 600)
    assert [told[f"kept_{place}"].shape for place in range(len(past))] == [part.shape for part in past]
    assert sum(math.prod(weight.shape) for weight in tape.watched_variables()) == pytest.approx(3.75e6, rel=0.01)
