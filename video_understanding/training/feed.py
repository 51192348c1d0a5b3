"""How batches reach `fit`: one thread makes them ahead of the steps that learn from them.

Without `tf.data`: where operations have to be repeatable, as in our trainings, TensorFlow takes `prefetch` out of a
pipeline that calls Python, and each batch that a pipeline has Python make costs a step of a small model a tenth of its
time. Nor as a `PyDataset`: Keras feeds one through a pipeline whose autotuning sleeps for seconds at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras
import tensorflow as tf

# What `fit` lets pass as it is; Keras has no public name for it.
from keras.src.trainers.data_adapters.data_adapter import DataAdapter

from video_understanding.training.batches import ClipBatches

_AHEAD = 2  # batches

Batch = tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]  # inputs and targets


class Feed(DataAdapter):
    """The batches of the epoch that `batches` stands at, as often as it is gone through, for `fit` and `evaluate`."""

    batch_size = has_partial_batch = partial_batch_size = None  # Keras need not know

    def __init__(self, batches: ClipBatches) -> None:
        self._batches = batches
        self._thread = ThreadPoolExecutor(1, "batches")

    @property
    def num_batches(self) -> int:
        """Batches of an epoch."""
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        begun: deque[Future] = deque()
        places = iter(range(len(self._batches)))
        try:
            for _ in range(len(self._batches)):
                while len(begun) <= _AHEAD and (place := next(places, None)) is not None:
                    begun.append(self._thread.submit(self._make, place))
                yield begun.popleft().result()
        finally:
            for batch in begun:
                batch.cancel()

    def get_tf_dataset(self) -> Feed:
        """What Keras goes through."""
        return self

    def steps(self, step: Callable[[Batch], Any]) -> Callable[[Iterator[Batch]], Any]:
        """A model's `train_step` or `test_step` as its `train_function` or `test_function`.

        Traced once: Keras would trace the last, smaller batch of an epoch anew.
        """
        form = tf.nest.map_structure(
            lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), self._batches[0]
        )
        traced = tf.function(step, input_signature=[form], autograph=False)  # as Keras traces it
        return lambda batches: traced(next(batches))

    def _make(self, place: int) -> Batch:
        return tf.nest.map_structure(tf.constant, self._batches[place])


class EpochOrder(keras.callbacks.Callback):
    """Puts the batches into each epoch's order before it begins."""

    def __init__(self, batches: ClipBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches.begin(epoch)
