"""Adam with weight decay, a rate that rises and falls, and a lower rate for the backbone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import keras
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
    """AdamW in which some variables move at a share of the rate; scaling their gradients would change nothing."""

    slow_share = 1.0

    def slow_down(self, variables: Iterable[keras.Variable], share: float) -> None:
        """These variables move at `share` of the learning rate from now on."""
        self._slow = {id(variable) for variable in variables}
        self.slow_share = share

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        slow = id(variable) in getattr(self, "_slow", ())
        super().update_step(gradient, variable, learning_rate * self.slow_share if slow else learning_rate)
