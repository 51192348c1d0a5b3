"""How batches reach `fit`: one thread makes them ahead, and nothing tunes itself meanwhile.

Keras feeds a `PyDataset` through a pipeline whose autotuning sleeps for seconds at a time; dropping the pipeline
after an epoch waits for it, which costs more than the batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from video_understanding.training.batches import ClipBatches

_AHEAD = 2  # batches


def feed(batches: ClipBatches) -> tf.data.Dataset:
    """The batches of the epoch that `batches` stands at, as often as it is gone through."""

    def made() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for place in range(len(batches)):
            yield batches[place]

    form = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), batches[0])
    dataset = tf.data.Dataset.from_generator(made, output_signature=form)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(_AHEAD)
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


class EpochOrder(keras.callbacks.Callback):
    """Puts the batches into each epoch's order before it begins."""

    def __init__(self, batches: ClipBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches.begin(epoch)
