"""Keeps all that a training needs to go on: after every epoch one file appears, whole or not at all."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from video_understanding.errors import TrainingError
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.safe_text import one_line, spreadsheet_cell
from video_understanding.training.differences import differences
from video_understanding.training.fingerprints import changed_clips
from video_understanding.training.snapshot import Snapshots
from video_understanding.training.states import read_state, write_state
from video_understanding.whole_file import whole_file

_BEST = "best_"  # begins the names of the best weights, by their types of numbers
_SHOWN = 3


class Keeper(keras.callbacks.Callback):
    """Saves after every epoch, remembers the best one, stops when nothing gets better.

    The best epoch is the one with the lowest `val_loss` (or `loss`, without a validation part). `recipe` says
    what is trained on what, and `clips` are the `fingerprints` of its clips; a state of another recipe or of other
    clips is refused.
    """

    def __init__(
        self, folder: Path, patience: int, recipe: Mapping[str, Any], clips: Sequence[Sequence[str]] = ()
    ) -> None:
        super().__init__()
        self._folder = folder
        self._patience = patience
        self._recipe = json.loads(json.dumps(recipe))
        self._clips = clips
        self._best_weights: dict[str, np.ndarray] = {}
        self.history: dict[str, list[float]] = {}
        self.best_epoch = -1
        self.best_loss = math.inf
        self.finished = False

    @property
    def epochs_done(self) -> int:
        return len(self.history.get("loss", ()))

    def restore(self, model: VideoUnderstandingModel) -> bool:
        """Puts the model, its optimizer and its random state where the last whole epoch left them.

        Where the newest state is damaged, it is the epoch before, and a line on stderr says so.
        """
        found = read_state(self._folder)
        if found is None:
            return False
        values, damaged = found
        facts = json.loads(str(values.pop("facts")))
        self._refuse_others(facts)
        best = {name.removeprefix(_BEST): values.pop(name) for name in list(values) if name.startswith(_BEST)}
        try:
            Snapshots(_variables(model)).put(values)
        except ValueError as error:
            raise TrainingError(
                self._folder, f"holds the state of another network ({error})", "Delete the folder, and train anew."
            ) from error
        self._best_weights = best
        self.history = facts["history"]
        self.best_epoch, self.finished = facts["best_epoch"], facts["finished"]
        self.best_loss = facts["best_loss"] if facts["best_loss"] is not None else math.inf
        for file in damaged:
            print(
                f"vu: {one_line(str(file))}: is damaged. Going on from the epoch before, number {self.epochs_done}.",
                file=sys.stderr,
            )
            file.unlink(missing_ok=True)  # or it would become the state before, in place of the good one
        return True

    def _refuse_others(self, facts: Mapping[str, Any]) -> None:
        """Refuses the state of a training with another recipe or of other clips."""
        if facts["recipe"] != self._recipe:
            changed = differences(facts["recipe"], self._recipe)
            raise TrainingError(
                self._folder.parent,
                f"was begun with other settings: {'; '.join(changed)}",
                "Resume with the same settings and data, or train into another folder.",
            )
        changed = changed_clips(facts["clips"], self._clips)
        if changed:
            more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            raise TrainingError(
                self._folder.parent,
                f"was begun with other clips: changed since are {', '.join(changed[:_SHOWN])}{more}",
                "Restore these files or rows, or train into another folder.",
            )

    def restore_best(self, model: VideoUnderstandingModel) -> None:
        """Gives the model the weights of the best epoch."""
        Snapshots(_weights(model)).put(self._best_weights)

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
        if watched < self.best_loss:
            self.best_loss, self.best_epoch = watched, epoch
            self._best_weights = self._best.take()
        if epoch - self.best_epoch >= self._patience:
            self.model.stop_training = True
        self.finished = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._save_state()
        self._write_history()

    def _save_state(self) -> None:
        facts = {
            "recipe": self._recipe,
            "clips": list(self._clips),
            "history": self.history,
            "best_epoch": self.best_epoch,
            "best_loss": self.best_loss if math.isfinite(self.best_loss) else None,
            "finished": self.finished,
        }
        best = {f"{_BEST}{kind}": values for kind, values in self._best_weights.items()}
        write_state(self._folder, {**self._state.take(), **best, "facts": np.array(json.dumps(facts))})

    def _write_history(self) -> None:
        place = self._folder.parent / "history.csv"
        with whole_file(place) as unfinished, unfinished.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["epoch", *map(spreadsheet_cell, self.history)])
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
    return {id(variable) for variable in model.encoders["video"].backbone.variables} if frozen else set()
