"""One bar for the whole training: how far it is, how long it will take, how well it does."""

from __future__ import annotations

from typing import Any

import keras

from video_understanding.progress import Bar


class TrainingBar(keras.callbacks.Callback):
    """Counts batches of all epochs that may come; `first_epoch` of them are done already."""

    def __init__(self, epochs: int, batches: int, first_epoch: int, shown: bool | None) -> None:
        super().__init__()
        self._bar = Bar(epochs * batches, "Training", "batch", shown=shown, initial=first_epoch * batches)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        told = [f"{name.replace('val_', 'val ')} {logs[name]:.3f}" for name in ("loss", "val_loss") if name in logs]
        told += [
            f"{name.removesuffix('_accuracy').removeprefix('val_')} {100 * value:.0f} %"
            for name, value in logs.items()
            if name.startswith("val_") and name.endswith("accuracy")
        ]
        self._bar.set_postfix(", ".join([f"epoch {epoch + 1}", *told]))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._bar.close()
