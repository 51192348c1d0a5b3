"""How many operations a network takes: what an ideal machine could not leave out."""

from __future__ import annotations

import tensorflow as tf

from video_understanding.export.quiet import quiet

_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")


def multiplications(graph: tf.Graph) -> int:
    """Of convolutions and products with weights: TensorFlow counts two operations for each."""
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with quiet():
        counted = tf.compat.v1.profiler.profile(graph, options=options, cmd="op")
    return sum(op.total_float_ops for op in counted.children if op.name in _PRODUCTS) // 2
