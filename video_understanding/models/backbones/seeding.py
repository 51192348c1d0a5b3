"""Random weights that a seed decides, without touching any random state outside."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def reseeded(network: keras.Model, seed: int) -> keras.Model:
    """The same network with fresh random weights; the same seed gives the same weights."""
    generator = np.random.default_rng(seed)

    def copied(layer: keras.layers.Layer) -> keras.layers.Layer:
        return type(layer).from_config(_with_seeds(layer.get_config(), generator))

    return keras.models.clone_model(network, clone_function=copied)


def _with_seeds(config: Any, generator: np.random.Generator) -> Any:
    """A layer's config in which every seed that was left open (initialisers, dropout) is drawn."""
    if isinstance(config, dict):
        return {
            key: int(generator.integers(2**31)) if key == "seed" and value is None else _with_seeds(value, generator)
            for key, value in config.items()
        }
    if isinstance(config, list):
        return [_with_seeds(value, generator) for value in config]
    return config
