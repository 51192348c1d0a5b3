"""MoViNet-A0 stream with random weights as a TFLite file, as its own cannot be installed beside Keras 3.

    python -m benchmarks.peers.movinet FILE

Written anew from what is published of it. It takes one frame after the other, with convolutions over place and then
over time, and its state of the past goes in and out with each frame.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from video_understanding.export.quiet import quiet

SIDE_PX, CLASSES = 172, 600
SIGNATURE = "look"
_SEED = 5
_STEM_CHANNELS, _LAST_CHANNELS, _HEAD_CHANNELS = 8, 480, 2048


@dataclass(frozen=True)
class Block:
    """One bottleneck: channels that come out and those within, its kernel in frames and pixels, its stride."""

    channels: int
    within: int
    frames: int
    side_px: int
    stride: int = 1


BLOCKS = (
    Block(8, 24, 1, 5, 2),
    Block(32, 80, 3, 3, 2), Block(32, 80, 3, 3), Block(32, 80, 3, 3),
    Block(56, 184, 5, 3, 2), Block(56, 112, 3, 3), Block(56, 184, 3, 3),
    Block(56, 184, 5, 3), Block(56, 184, 3, 3), Block(56, 184, 3, 3), Block(56, 184, 3, 3),
    Block(104, 384, 5, 3, 2), Block(104, 280, 1, 5), Block(104, 280, 1, 5), Block(104, 344, 1, 5),
)  # fmt: skip


def main() -> None:
    file = Path(sys.argv[1])
    keras.utils.set_random_seed(_SEED)
    network = MoViNetA0()
    frames, *past = inputs = network.drawn_inputs()
    network(frames, past)  # which makes its weights
    run = tf.function(lambda frames, *past: network(frames, past))
    graph = run.get_concrete_function(*(tf.TensorSpec(drawn.shape, tf.float32) for drawn in inputs))
    converted = _converted(graph)
    _require_same(network, converted)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(converted)
    parameters = sum(math.prod(variable.shape) for variable in graph.graph.trainable_variables)
    file.with_suffix(".json").write_text(json.dumps({"parameters": parameters}), encoding="utf-8")


def _require_same(network: MoViNetA0, converted: bytes) -> None:
    """Refuses a file whose outputs are not those of the network."""
    with quiet():
        look = tf.lite.Interpreter(model_content=converted).get_signature_runner(SIGNATURE)
        frames, *past = network.drawn_inputs()
        found = look(frames=frames.numpy(), **{f"past_{place}": part.numpy() for place, part in enumerate(past)})
    for name, values in network(frames, past).items():
        np.testing.assert_allclose(found[name], values, rtol=1e-3, atol=1e-4, err_msg=name)


def _converted(graph: Any) -> bytes:
    # As constants, weights and norms become one; the converter alone would leave them variables.
    constant = convert_variables_to_constants_v2(graph)

    def look(frames: Any, *past: Any) -> dict[str, Any]:
        return tf.nest.pack_sequence_as(graph.structured_outputs, constant(frames, *past))

    with quiet(), TemporaryDirectory() as folder:
        signature = tf.function(look).get_concrete_function(*graph.structured_input_signature[0])
        plain = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(tf.Module(), folder, {SIGNATURE: signature}, plain)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        return converter.convert()


class MoViNetA0(tf.Module):
    """A frame float32 [1,H,W,3] in [0, 1], and the state of those before -> logits [1,C], and the state."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(layers.Conv2D(_STEM_CHANNELS, 3, 2, "same", use_bias=False), ops.hard_silu)
        side_px, before = math.ceil(SIDE_PX / 2), _STEM_CHANNELS
        self.blocks: list[Bottleneck] = []
        self.past_shapes: list[tuple[int, ...]] = [(1, 1)]  # how many frames came before
        for block in BLOCKS:
            side_px = math.ceil(side_px / block.stride)
            self.blocks.append(Bottleneck(block, before))
            before = block.channels
            if block.frames > 1:
                self.past_shapes.append((block.frames - 1, side_px, side_px, block.within))
            self.past_shapes.append((1, block.within))  # the sum of their means
        self.last = Convolution(layers.Conv2D(_LAST_CHANNELS, 1, use_bias=False), ops.hard_silu)
        self.past_shapes.append((1, _LAST_CHANNELS))
        self.head, self.classify = layers.Dense(_HEAD_CHANNELS, ops.hard_silu), layers.Dense(CLASSES)

    def drawn_inputs(self) -> list[Any]:
        """A frame [1,H,W,3] and the parts of the past, all of them noise."""
        shapes = ((1, SIDE_PX, SIDE_PX, 3), *self.past_shapes)
        return [keras.random.uniform(shape, seed=_SEED) for shape in shapes]

    def __call__(self, frame: Any, parts: Sequence[Any]) -> dict[str, Any]:
        """By name: `logits` [1,C], and each part of the past as the next frame should be given it."""
        past = Past(parts)
        x = self.stem(frame)  # [1,h,w,8]
        for block in self.blocks:
            x = block(x, past)
        x = past.mean(ops.mean(self.last(x), (1, 2)))  # [1,480]
        kept = {f"kept_{place}": part for place, part in enumerate(past.kept)}
        return {"logits": self.classify(self.head(x))} | kept


class Past:
    """A stream's state from frame to frame; who takes a part appends the new one at once, so that their order stays."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = iter(parts)
        self.count = next(self._parts) + 1  # [1,1] frames, with this one
        self.kept = [self.count]

    def mean(self, x: Any) -> Any:
        """[1,C] of this frame -> [1,C], the mean of all so far."""
        self.kept.append(next(self._parts) + x)
        return self.kept[-1] / self.count

    def with_frames(self, x: Any) -> Any:
        """[1,h,w,C] of this frame -> [n,h,w,C] with those just before it."""
        frames = ops.concatenate([next(self._parts), x])
        self.kept.append(frames[1:])
        return frames


class Bottleneck(tf.Module):
    """[1,h,w,C] -> [1,h',w',C']: wider, a depthwise convolution, a gate for each channel, narrower, a way past."""

    def __init__(self, block: Block, before: int) -> None:
        super().__init__()
        self.widen = Convolution(layers.Conv2D(block.within, 1, use_bias=False), ops.hard_silu)
        depthwise = layers.DepthwiseConv2D(block.side_px, block.stride, "same", use_bias=False)
        self.depthwise = Convolution(depthwise, ops.hard_silu)
        self.over_time = Convolution(OverTime(block.frames), ops.hard_silu) if block.frames > 1 else None
        self.squeeze = layers.Dense(-(-block.within // 16) * 8, ops.hard_silu)  # half of them, a multiple of eight
        self.excite = layers.Dense(block.within, ops.hard_sigmoid)
        self.narrow = Convolution(layers.Conv2D(block.channels, 1, use_bias=False))
        self.pool = layers.AveragePooling2D(3, 2, "same") if block.stride == 2 else None
        changes = block.stride == 2 or before != block.channels
        self.way_past = Convolution(layers.Conv2D(block.channels, 1, use_bias=False)) if changes else None

    def __call__(self, inputs: Any, past: Past) -> Any:
        x = self.depthwise(self.widen(inputs))  # [1,h',w',within]
        if self.over_time is not None:
            x = self.over_time(past.with_frames(x))
        means = ops.mean(x, (1, 2))  # [1,within]
        pooled = ops.concatenate([past.mean(means), means], -1)  # [1,2*within]
        x = self.narrow(x * self.excite(self.squeeze(pooled))[:, None, None])
        beside = inputs if self.pool is None else self.pool(inputs)
        return x + (beside if self.way_past is None else self.way_past(beside))


class OverTime(tf.Module):
    """A depthwise convolution over n frames, [n,h,w,C] -> [1,h,w,C]."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.convolution = layers.DepthwiseConv2D((frames, 1), use_bias=False)

    def __call__(self, x: Any) -> Any:
        frames, height, width, channels = x.shape
        rows = ops.reshape(x, (1, frames, height * width, channels))
        return ops.reshape(self.convolution(rows), (1, height, width, channels))


class Convolution(tf.Module):
    """A convolution without offsets, its norm, and what follows."""

    def __init__(self, convolution: Callable[[Any], Any], activate: Callable[[Any], Any] | None = None) -> None:
        super().__init__()
        self.convolution, self.norm, self.activate = convolution, layers.BatchNormalization(), activate

    def __call__(self, x: Any) -> Any:
        x = self.norm(self.convolution(x), training=False)
        return x if self.activate is None else self.activate(x)


if __name__ == "__main__":
    main()
