"""MoViNet-A0 with random weights as TFLite files: what the edge is measured beside, for its own cannot be installed.

    python -m benchmarks.movinet FOLDER

Written anew from what is published of it. "base" looks at a whole clip, with convolutions over time and place; "stream"
looks at one frame after the other, its convolutions over place and then over time, and what it keeps of the past goes
in and out with each frame. LiteRT has no depthwise convolution over time and place: that of "base" is the sum of one
over place for each moment of the kernel, which is the very same number by the same multiplications.
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

FRAMES, SIDE_PX, CLASSES = 50, 172, 600  # of ten seconds
PUBLISHED_PARAMETERS, PUBLISHED_MULTIPLICATIONS = 3.1e6, 2.7e9  # of "base", with all classes; of ten seconds
STREAM, BASE, FACTS = "movinet_a0_stream.tflite", "movinet_a0_base.tflite", "movinet_a0.json"
SIGNATURE = "look"
_SEED = 5
_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_STEM_CHANNELS, _LAST_CHANNELS, _HEAD_CHANNELS = 8, 480, 2048


@dataclass(frozen=True)
class Block:
    """One bottleneck: channels that come out and those within, its kernel in frames and pixels, its step in pixels."""

    channels: int
    within: int
    frames: int
    side_px: int
    step_px: int = 1


BLOCKS = (
    Block(8, 24, 1, 5, 2),
    Block(32, 80, 3, 3, 2), Block(32, 80, 3, 3), Block(32, 80, 3, 3),
    Block(56, 184, 5, 3, 2), Block(56, 112, 3, 3), Block(56, 184, 3, 3),
    Block(56, 184, 5, 3), Block(56, 184, 3, 3), Block(56, 184, 3, 3), Block(56, 184, 3, 3),
    Block(104, 384, 5, 3, 2), Block(104, 280, 1, 5), Block(104, 280, 1, 5), Block(104, 344, 1, 5),
)  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"published": {"parameters": PUBLISHED_PARAMETERS, "multiplications": PUBLISHED_MULTIPLICATIONS}}
    for name, file in (("base", BASE), ("stream", STREAM)):
        network, graph = traced(stream=name == "stream")
        converted = _converted(graph)
        _require_same(network, converted)
        (folder / file).write_bytes(converted)
        shapes = [variable.shape for variable in graph.graph.trainable_variables]
        facts[name] = {
            "parameters": sum(math.prod(shape) for shape in shapes),
            "multiplications": (FRAMES if network.stream else 1) * _multiplications(graph.graph),
        }
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def traced(stream: bool) -> tuple[MoViNetA0, Any]:
    """The network, and its graph for frames [T,H,W,3] and the parts of the past."""
    keras.utils.set_random_seed(_SEED)
    network = MoViNetA0(stream)
    frames, *past = inputs = network.drawn_inputs()
    network(frames, past)  # which makes its weights
    run = tf.function(lambda frames, *past: network(frames, past))
    return network, run.get_concrete_function(*(tf.TensorSpec(drawn.shape, tf.float32) for drawn in inputs))


def _require_same(network: MoViNetA0, converted: bytes) -> None:
    """Refuses a file that does not answer as the network does."""
    with quiet():
        look = tf.lite.Interpreter(model_content=converted).get_signature_runner(SIGNATURE)
        frames, *past = network.drawn_inputs()
        named = {f"past_{place}": part.numpy() for place, part in enumerate(past)}
        found = look(frames=frames.numpy(), **named)
    wanted = network(frames, past)
    for name, values in wanted.items():
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
    """Frames float32 [T,H,W,3] in [0, 1] -> logits [1,C]; a stream takes one, and what is kept of those before."""

    def __init__(self, stream: bool) -> None:
        super().__init__()
        self.stream = stream
        activate = ops.hard_silu if stream else ops.silu
        self.stem = Convolution(layers.Conv2D(_STEM_CHANNELS, 3, 2, "same", use_bias=False), activate)
        side_px, before = _halved(SIDE_PX), _STEM_CHANNELS
        self.blocks: list[Bottleneck] = []
        self.past_shapes: list[tuple[int, ...]] = [(1, 1)] if stream else []  # how many frames came before
        for block in BLOCKS:
            side_px = _halved(side_px) if block.step_px == 2 else side_px
            self.blocks.append(Bottleneck(block, before, stream, activate))
            before = block.channels
            if stream and block.frames > 1:
                self.past_shapes.append((block.frames - 1, side_px, side_px, block.within))
            if stream:
                self.past_shapes.append((1, block.within))  # the sum of their means
        self.last = Convolution(layers.Conv2D(_LAST_CHANNELS, 1, use_bias=False), activate)
        self.past_shapes += [(1, _LAST_CHANNELS)] if stream else []
        self.head, self.classify = layers.Dense(_HEAD_CHANNELS, activate), layers.Dense(CLASSES)

    def drawn_inputs(self) -> list[Any]:
        """Frames [T,H,W,3] and the parts of the past, all of them noise."""
        frames = (1 if self.stream else FRAMES, SIDE_PX, SIDE_PX, 3)
        return [keras.random.uniform(shape, seed=_SEED) for shape in (frames, *self.past_shapes)]

    def __call__(self, frames: Any, parts: Sequence[Any] = ()) -> dict[str, Any]:
        """By name: `logits` [1,C], and each part of the past as the next frame should be given it."""
        past = Past(parts) if self.stream else None
        x = self.stem(frames)  # [T,h,w,8]
        for block in self.blocks:
            x = block(x, past)
        x = _mean(ops.mean(self.last(x), (1, 2)), past)  # [1,480]
        kept = past.kept if past else []
        return {"logits": self.classify(self.head(x))} | {f"kept_{place}": part for place, part in enumerate(kept)}


class Past:
    """What a stream keeps from frame to frame; who takes a part keeps one at once, so that their order stays."""

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
    """[T,h,w,C] -> [T,h',w',C']: wider, a depthwise convolution, a gate for each channel, narrower, a way past."""

    def __init__(self, block: Block, before: int, stream: bool, activate: Callable[[Any], Any]) -> None:
        super().__init__()
        self.widen = Convolution(layers.Conv2D(block.within, 1, use_bias=False), activate)
        if stream:
            place = layers.DepthwiseConv2D(block.side_px, block.step_px, "same", use_bias=False)
            self.look = Convolution(place, activate)
        else:
            self.look = Convolution(OverTimeAndPlace(block.frames, block.side_px, block.step_px), activate)
        over_time = stream and block.frames > 1
        self.look_back = Convolution(OverTime(block.frames), activate) if over_time else None
        hidden = _divisible(block.within * (0.5 if stream else 0.25))  # a stream's gates see the frame and the past
        self.squeeze = layers.Dense(hidden, activate)
        self.excite = layers.Dense(block.within, ops.hard_sigmoid if stream else ops.sigmoid)
        self.narrow = Convolution(layers.Conv2D(block.channels, 1, use_bias=False))
        self.pool = layers.AveragePooling2D(3, 2, "same") if block.step_px == 2 else None
        changes = block.step_px == 2 or before != block.channels
        self.way_past = Convolution(layers.Conv2D(block.channels, 1, use_bias=False)) if changes else None

    def __call__(self, inputs: Any, past: Past | None) -> Any:
        x = self.look(self.widen(inputs))  # [T,h',w',within]
        if self.look_back is not None:
            x = self.look_back(past.with_frames(x))
        seen = ops.mean(x, (1, 2))  # [T,within]
        told = _mean(seen, past) if past is None else ops.concatenate([_mean(seen, past), seen], -1)  # [1,n]
        x = self.narrow(x * self.excite(self.squeeze(told))[:, None, None])
        beside = inputs if self.pool is None else self.pool(inputs)
        return x + (beside if self.way_past is None else self.way_past(beside))


class OverTimeAndPlace(tf.Module):
    """A depthwise convolution over n frames and place, [T,h,w,C] -> [T,h',w',C]; nothing is before and after them."""

    def __init__(self, frames: int, side_px: int, step_px: int) -> None:
        super().__init__()
        self.moments = [layers.DepthwiseConv2D(side_px, step_px, "same", use_bias=False) for _ in range(frames)]

    def __call__(self, x: Any) -> Any:
        many, before = x.shape[0], len(self.moments) // 2
        total = self.moments[before](x)  # [T,h',w',C]
        for place, moment in enumerate(self.moments):
            shift = place - before  # of the frames that this moment looks at
            if shift:
                part = moment(x[max(0, shift) : many + min(0, shift)])
                total = total + ops.pad(part, ((max(0, -shift), max(0, shift)), (0, 0), (0, 0), (0, 0)))
        return total


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


def _mean(seen: Any, past: Past | None) -> Any:
    """[T,C] of the frames -> [1,C] of all, or of all up to the one frame of a stream."""
    return ops.mean(seen, 0, keepdims=True) if past is None else past.mean(seen)


def _halved(side_px: int) -> int:
    return math.ceil(side_px / 2)


def _divisible(channels: float) -> int:
    """The nearest multiple of eight; the next one where that is a tenth less."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest


def _multiplications(graph: tf.Graph) -> int:
    """Of convolutions and products with weights: TensorFlow counts two operations for each."""
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    with quiet():
        counted = tf.compat.v1.profiler.profile(graph, options=options, cmd="op")
    return sum(op.total_float_ops for op in counted.children if op.name in _PRODUCTS) // 2


if __name__ == "__main__":
    main()
