"""Adam with weight decay in few operations, a rate that rises and falls, and a lower rate for the backbone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

FINAL_SHARE = 0.02  # of the learning rate, left at the end


@keras.saving.register_keras_serializable("video_understanding")
class RiseAndFall(keras.optimizers.schedules.LearningRateSchedule):
    """Rises evenly for `warm_steps`, then falls along half a cosine until `steps`."""

    def __init__(self, highest: float, warm_steps: int, steps: int) -> None:
        self.highest = highest
        self.warm_steps = warm_steps
        self.steps = steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rising = (step + 1) / max(1, self.warm_steps)
        done = ops.clip((step - self.warm_steps) / max(1, self.steps - self.warm_steps), 0.0, 1.0)
        falling = FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + ops.cos(math.pi * done))
        return self.highest * ops.minimum(rising, falling)

    def get_config(self) -> dict[str, Any]:
        return {"highest": self.highest, "warm_steps": self.warm_steps, "steps": self.steps}


@keras.saving.register_keras_serializable("video_understanding")
class SlowPartAdam(keras.optimizers.AdamW):
    """AdamW in which some variables move at a share of the rate; scaling their gradients would change nothing.

    Keras spends two dozen operations on each variable. A hundred small ones cost more than the network then, so
    each goes to TensorFlow's own kernel for Adam instead.
    """

    slow_share = 1.0

    def slow_down(self, variables: Iterable[keras.Variable], share: float) -> None:
        """These variables move at `share` of the learning rate from now on."""
        self._slow = {id(variable) for variable in variables}
        self.slow_share = share

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None) -> None:
        """Clips each gradient to `clipnorm`, lets each variable decay, and moves it."""
        variables = list(trainable_variables or self._trainable_variables)
        if not self.built:
            self.build(variables)
        pairs = [
            (gradient, variable) for gradient, variable in zip(grads, variables, strict=True) if gradient is not None
        ]
        rate, step = ops.cast(self.learning_rate, "float32"), ops.cast(self.iterations + 1, "float32")
        powers = ops.power(self.beta_1, step), ops.power(self.beta_2, step)
        slow = getattr(self, "_slow", ())
        for gradient, (_, variable) in zip(self._clipped([gradient for gradient, _ in pairs]), pairs, strict=True):
            place = self._get_variable_index(variable)
            handle, own_rate = variable.value.handle, rate * self.slow_share if id(variable) in slow else rate
            tf.raw_ops.ResourceApplyGradientDescent(
                var=handle, alpha=own_rate * self.weight_decay, delta=variable.value
            )
            tf.raw_ops.ResourceApplyAdam(
                var=handle,
                m=self._momentums[place].value.handle,
                v=self._velocities[place].value.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=own_rate,
                beta1=self.beta_1,
                beta2=self.beta_2,
                epsilon=self.epsilon,
                grad=gradient,
            )
        self.iterations.assign_add(1)

    def _clipped(self, gradients: Sequence[Any]) -> list[Any]:
        """None longer than `clipnorm`; the lengths of all are worked out in one go."""
        lengths = tf.sqrt(2 * tf.stack([tf.nn.l2_loss(gradient) for gradient in gradients]))  # [V]
        shares = tf.unstack(self.clipnorm / tf.maximum(lengths, self.clipnorm))
        return [gradient * share for gradient, share in zip(gradients, shares, strict=True)]
