"""How batches reach `fit`: one thread makes them ahead of the steps that learn from them.

Not by `prefetch`: where operations have to be repeatable, as in our trainings, TensorFlow takes it out of a pipeline
that calls Python. Nor as a `PyDataset`: Keras feeds one through a pipeline whose autotuning sleeps for seconds at a
time, and dropping it after an epoch waits for that.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import tensorflow as tf

from video_understanding.training.batches import ClipBatches

_AHEAD = 2  # batches


def feed(batches: ClipBatches) -> tf.data.Dataset:
    """The batches of the epoch that `batches` stands at, as often as it is gone through."""
    ahead = _Ahead(batches)
    first = batches[0]
    form = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), first)
    specs = tf.nest.flatten(form)

    def batch(place: tf.Tensor) -> Any:
        tensors = tf.py_function(ahead.take, [place], [spec.dtype for spec in specs])
        for tensor, spec in zip(tensors, specs, strict=True):
            tensor.set_shape(spec.shape)
        return tf.nest.pack_sequence_as(form, tensors)

    options = tf.data.Options()
    options.autotune.enabled = False
    return tf.data.Dataset.range(len(batches)).map(batch).with_options(options)


class _Ahead:
    """Makes the batches after the one that is asked for; whoever asks for the first begins anew."""

    def __init__(self, batches: ClipBatches) -> None:
        self._batches = batches
        self._thread = ThreadPoolExecutor(1, "batches")
        self._made: deque[Future] = deque()
        self._next = 0

    def take(self, place: tf.Tensor) -> list[tf.Tensor]:
        if place == 0:
            for begun in self._made:
                begun.cancel()
            self._made.clear()
            self._next = 0
        while len(self._made) <= _AHEAD and self._next < len(self._batches):
            self._made.append(self._thread.submit(self._make, self._next))
            self._next += 1
        return self._made.popleft().result()

    def _make(self, place: int) -> list[tf.Tensor]:
        return [tf.constant(array) for array in tf.nest.flatten(self._batches[place])]


class EpochOrder(keras.callbacks.Callback):
    """Puts the batches into each epoch's order before it begins."""

    def __init__(self, batches: ClipBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches.begin(epoch)
