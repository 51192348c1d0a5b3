"""One bar for the whole training: how far it is, how long it will take, how well it does."""

from __future__ import annotations

from typing import Any

import keras
from tqdm import tqdm


class TrainingBar(keras.callbacks.Callback):
    """Counts batches of all epochs that may come; `first_epoch` of them are done already."""

    def __init__(self, epochs: int, batches: int, first_epoch: int, shown: bool | None) -> None:
        super().__init__()
        hidden = None if shown is None else not shown  # None: shown on a terminal only
        self._bar = tqdm(
            total=epochs * batches, initial=first_epoch * batches, desc="Training", unit="batch", disable=hidden
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        told = {name: f"{logs[name]:.3f}" for name in ("loss", "val_loss") if name in logs}
        accuracies = {
            name.removesuffix("_accuracy").removeprefix("val_"): f"{value:.2f}"
            for name, value in logs.items()
            if name.startswith("val_") and name.endswith("accuracy")
        }
        self._bar.set_postfix({"epoch": epoch + 1, **told, **accuracies}, refresh=True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._bar.close()
