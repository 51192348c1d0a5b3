"""What TensorBoard shows of a training: a point for every epoch.

Keras's own callback also writes every batch, which takes longer than the steps of a small model are worth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf


class EpochCurves(keras.callbacks.Callback):
    """Writes loss, accuracies and learning rate into `folder`, as the runs "train" and "validation"."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._writers: dict[str, tf.summary.SummaryWriter] = {}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        points = {**(logs or {}), "learning_rate": self.model.optimizer.learning_rate}
        for name, value in points.items():
            run = "validation" if name.startswith("val_") else "train"
            if run not in self._writers:
                self._writers[run] = tf.summary.create_file_writer(str(self._folder / run))
            with self._writers[run].as_default():
                tf.summary.scalar(f"epoch_{name.removeprefix('val_')}", value, step=epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
