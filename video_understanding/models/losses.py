"""The loss and the accuracy of one head, for clips that may not be labelled for it.

A target is a row [C+1]: how much of each class (of several, in a multi-label head), and in the last place how
much the row counts (0: not labelled, 1: labelled, between: mixed out of clips of which not all are).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class _LabelledLoss(keras.losses.Loss):
    """What both losses are made with, keep and restore."""

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        focal_gamma: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.class_weights = None if class_weights is None else [float(weight) for weight in class_weights]
        self.label_smoothing = label_smoothing
        self.focal_gamma = focal_gamma

    def get_config(self) -> dict[str, Any]:
        names = ("class_weights", "label_smoothing", "focal_gamma")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("video_understanding")
class LabelledCrossEntropy(_LabelledLoss):
    """Mean cross entropy over the rows that count, from logits [B,C] and targets [B,C+1].

    class_weights     how much each class counts, [C]; None for all alike
    label_smoothing   share of each target spread evenly over all classes
    focal_gamma       above 0, rows that are right already count less, by (1 - probability) to this power
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """[B]; its mean over the batch is the mean over the rows that count."""
        y_pred = ops.cast(y_pred, "float32")
        target, counts = y_true[:, :-1], y_true[:, -1]  # [B,C], [B]
        classes = y_pred.shape[-1]
        smooth = target * (1 - self.label_smoothing) + self.label_smoothing / classes  # [B,C]
        told = ops.log_softmax(y_pred, axis=-1)  # [B,C]
        if self.focal_gamma:
            told = told * ops.power(1 - ops.exp(told), self.focal_gamma)
        if self.class_weights is not None:
            counts = counts * ops.sum(target * ops.convert_to_tensor(self.class_weights), axis=-1)
        losses = -ops.sum(smooth * told, axis=-1) * counts  # [B]
        share = ops.cast(ops.shape(y_pred)[0], "float32") / ops.maximum(ops.sum(counts), 1e-6)
        return losses * share


@keras.saving.register_keras_serializable("video_understanding")
class LabelledAccuracy(keras.metrics.Metric):
    """Share of right answers among the rows that count."""

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.right = self.add_weight(name="right", initializer="zeros")
        self.counted = self.add_weight(name="counted", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = y_true[:, -1]  # [B]
        said, true = ops.argmax(y_pred, axis=-1), ops.argmax(y_true[:, :-1], axis=-1)
        self.right.assign_add(ops.sum(ops.cast(said == true, "float32") * counts))
        self.counted.assign_add(ops.sum(counts))

    def result(self) -> Any:
        return self.right / ops.maximum(self.counted, 1e-6)


@keras.saving.register_keras_serializable("video_understanding")
class LabelledBinaryCrossEntropy(_LabelledLoss):
    """Mean binary cross entropy of every class of the rows that count, from logits [B,C] and targets [B,C+1].

    class_weights     how much more a clip that shows the class counts for it than one that does not, [C]
    label_smoothing   how far each yes and no is moved towards one half
    focal_gamma       above 0, answers that are right already count less, by (1 - probability) to this power
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """[B]; its mean over the batch is the mean over the classes of the rows that count."""
        y_pred = ops.cast(y_pred, "float32")
        target, counts = y_true[:, :-1], y_true[:, -1:]  # [B,C], [B,1]
        smooth = target * (1 - self.label_smoothing) + self.label_smoothing / 2  # [B,C]
        yes, no = ops.log_sigmoid(y_pred), ops.log_sigmoid(-y_pred)  # [B,C]
        if self.focal_gamma:
            yes, no = yes * ops.exp(no * self.focal_gamma), no * ops.exp(yes * self.focal_gamma)
        if self.class_weights is None:
            counts = counts * ops.ones_like(target)  # [B,C]
        else:
            counts = counts * (1 + target * (ops.convert_to_tensor(self.class_weights) - 1))  # [B,C]
        losses = -ops.sum((smooth * yes + (1 - smooth) * no) * counts, axis=-1)  # [B]
        share = ops.cast(ops.shape(y_pred)[0], "float32") / ops.maximum(ops.sum(counts), 1e-6)
        return losses * share


@keras.saving.register_keras_serializable("video_understanding")
class LabelledBinaryAccuracy(LabelledAccuracy):
    """Share of right decisions, whether a clip shows a class, among the rows that count."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        counts = y_true[:, -1]  # [B]
        right = ops.cast((y_pred > 0) == (y_true[:, :-1] > 0.5), "float32")  # [B,C]
        self.right.assign_add(ops.sum(ops.mean(right, axis=-1) * counts))
        self.counted.assign_add(ops.sum(counts))


def loss_and_accuracy(
    multi_label: bool,
    class_weights: Sequence[float] | None = None,
    label_smoothing: float = 0.0,
    focal_gamma: float = 0.0,
) -> tuple[keras.losses.Loss, keras.metrics.Metric]:
    """The loss and the metric "accuracy" of a head, by whether a clip may show several of its classes."""
    loss = LabelledBinaryCrossEntropy if multi_label else LabelledCrossEntropy
    accuracy = LabelledBinaryAccuracy if multi_label else LabelledAccuracy
    return loss(class_weights, label_smoothing, focal_gamma), accuracy(name="accuracy")
