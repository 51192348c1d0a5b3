"""The values of many variables as a few flat arrays, and back: taken in one go, which a copy of each would not be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf


class Snapshots:
    """Snapshots of `variables`: for each of their types of numbers all values in their order, flat.

    To ask hundreds of variables for their values one after the other takes longer than a step of training.
    """

    def __init__(self, variables: Sequence[keras.Variable]) -> None:
        self._by_type: dict[str, list[keras.Variable]] = {}
        for variable in variables:
            self._by_type.setdefault(keras.backend.standardize_dtype(variable.dtype), []).append(variable)
        self._take = tf.function(
            lambda: {
                kind: tf.concat([tf.reshape(variable.value, [-1]) for variable in own], axis=0)
                for kind, own in self._by_type.items()
            }
        )

    def take(self) -> dict[str, np.ndarray]:
        """The values as they are now, {type: [n]}."""
        return {kind: values.numpy() for kind, values in self._take().items()}

    def put(self, taken: Mapping[str, np.ndarray]) -> None:
        """Sets the variables to values that were taken; those of other variables raise a ValueError."""
        counts = {kind: sum(int(np.prod(variable.shape)) for variable in own) for kind, own in self._by_type.items()}
        found = {kind: values.size for kind, values in taken.items()}
        if found != counts:
            raise ValueError(f"holds {found} values, and the model has {counts}")
        for kind, own in self._by_type.items():
            ends = np.cumsum([int(np.prod(variable.shape)) for variable in own])
            for variable, values in zip(own, np.split(taken[kind], ends[:-1]), strict=True):
                variable.assign(values.reshape(variable.shape))
