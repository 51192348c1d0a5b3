"""Keeps all that a training needs to go on: after every epoch one file appears, whole or not at all."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from video_understanding.errors import TrainingError
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.training.differences import differences
from video_understanding.training.snapshot import Snapshots
from video_understanding.whole_file import whole_file

_STATE = "state.npz"
_BEST = "best.npz"


class Keeper(keras.callbacks.Callback):
    """Saves after every epoch, remembers the best one, stops when nothing gets better.

    The best epoch is the one with the lowest `val_loss` (or `loss`, without a validation part). `recipe` says
    what is trained on what; a state that was kept for another recipe is refused.
    """

    def __init__(self, folder: Path, patience: int, recipe: Mapping[str, Any]) -> None:
        super().__init__()
        self._folder = folder
        self._patience = patience
        self._recipe = json.loads(json.dumps(recipe))
        self.history: dict[str, list[float]] = {}
        self.best_epoch = -1
        self.best_loss = math.inf
        self.finished = False

    @property
    def epochs_done(self) -> int:
        return len(self.history.get("loss", ()))

    def restore(self, model: VideoUnderstandingModel) -> bool:
        """Puts the model, its optimizer and its random state where the last whole epoch left them."""
        file = self._folder / _STATE
        if not file.exists():
            return False
        try:
            with np.load(file) as kept:
                values = dict(kept)
            facts = json.loads(str(values.pop("facts")))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise _unreadable(file, error) from error
        if facts["recipe"] != self._recipe:
            changed = differences(facts["recipe"], self._recipe)
            raise TrainingError(
                self._folder.parent,
                f"was begun with other settings: {'; '.join(changed)}",
                "Resume with the same settings and data, or train into another folder.",
            )
        try:
            Snapshots(_variables(model)).put(values)
        except ValueError as error:
            raise _unreadable(file, error) from error
        self.history = facts["history"]
        self.best_epoch, self.finished = facts["best_epoch"], facts["finished"]
        self.best_loss = facts["best_loss"] if facts["best_loss"] is not None else math.inf
        return True

    def restore_best(self, model: VideoUnderstandingModel) -> None:
        """Gives the model the weights of the best epoch."""
        with np.load(self._folder / f"{self.best_epoch}_{_BEST}") as kept:
            Snapshots(_weights(model)).put(dict(kept))

    def set_model(self, model: VideoUnderstandingModel) -> None:
        """Said by Keras whenever `fit` begins."""
        if self.model is not model:
            self._state, self._best = Snapshots(_variables(model)), Snapshots(_weights(model))
        super().set_model(model)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingError(
                "training",
                f"has come to a loss of {loss} in epoch {self.epochs_done + 1}",
                "Lower learning_rate (a third is a good try), or look for clips with broken sound.",
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        heads = list(self.model.labels.heads)
        for name, value in (logs or {}).items():
            if len(heads) == 1 and name.endswith(
                "accuracy"
            ):  # Keras names a metric by its head only where there are two
                name = name.replace("accuracy", f"{heads[0]}_accuracy")
            self.history.setdefault(name, []).append(float(value))
        watched = self.history["val_loss" if "val_loss" in self.history else "loss"][-1]
        before = self.best_epoch
        if watched < self.best_loss:
            self.best_loss, self.best_epoch = watched, epoch
            _save(self._folder / f"{epoch}_{_BEST}", self._best.take())
        if epoch - self.best_epoch >= self._patience:
            self.model.stop_training = True
        self.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._save_state()
        self._write_history()
        if before not in (-1, self.best_epoch):  # only now is nobody going back to it
            (self._folder / f"{before}_{_BEST}").unlink(missing_ok=True)

    def _save_state(self) -> None:
        facts = {
            "recipe": self._recipe,
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss if math.isfinite(self.best_loss) else None,
            "finished": self.finished,
        }
        _save(self._folder / _STATE, {**self._state.take(), "facts": np.array(json.dumps(facts))})

    def _write_history(self) -> None:
        place = self._folder.parent / "history.csv"
        with whole_file(place) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["epoch", *self.history])
            for epoch in range(self.epochs_done):
                table.writerow([epoch + 1, *(f"{values[epoch]:.6g}" for values in self.history.values())])


def _variables(model: VideoUnderstandingModel) -> list[keras.Variable]:
    """Weights, random states and the optimizer's, in a fixed order; without a frozen backbone, which never changes."""
    left_out = {id(variable) for variable in model.metrics_variables} | _of_frozen_backbone(model)
    return [v for v in model.variables if id(v) not in left_out] + list(model.optimizer.variables)


def _weights(model: VideoUnderstandingModel) -> list[keras.Variable]:
    frozen = _of_frozen_backbone(model)
    return [variable for variable in model.weights if id(variable) not in frozen]


def _of_frozen_backbone(model: VideoUnderstandingModel) -> set[int]:
    frozen = model.spec.network.unfrozen_blocks == 0
    return {id(variable) for variable in model.backbone.variables} if frozen else set()


def _save(file: Path, values: Mapping[str, np.ndarray]) -> None:
    with whole_file(file) as unfinished, unfinished.open("wb") as stream:
        np.savez(stream, **values)


def _unreadable(file: Path, error: Exception) -> TrainingError:
    return TrainingError(file, f"cannot be read ({error})", "Delete the folder it lies in, and train anew.")
