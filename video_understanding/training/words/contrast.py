"""Two towers trained by contrast (InfoNCE): a sentence is to be nearer to its own clip than to others of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from video_understanding.progress import Bar
from video_understanding.words.space import Hidden, Projection

FEWEST_SENTENCES = 2000  # below, closed forms are better


@dataclass(frozen=True)
class ContrastSettings:
    """How the towers are trained.

    epochs          how often every sentence is seen
    batch_size      sentences at a time, each with its clip; the other clips are what it must not be near
    learning_rate   the highest; it rises for 100 steps and falls along a cosine
    weight_decay    pull of weights towards zero
    dropout         share of the features, and of the hidden layer, that are dropped
    hidden          width of each tower's hidden layer
    dimensions      D
    """

    epochs: int = 14
    batch_size: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    dropout: float = 0.4
    hidden: int = 512
    dimensions: int = 256


_FIRST_SCALE = 15.0  # of similarities, learned from there
_SCALE_RATE = 0.01
_RISE_STEPS = 100
_LEAST_SPREAD = 1e-3  # of a statistic, as a share of the largest


class _Tower(keras.Model):
    """[n,P] -> [n,D]: a linear map, and one through a hidden layer beside it."""

    def __init__(self, settings: ContrastSettings, seed: int) -> None:
        super().__init__(name="tower")
        make = [keras.initializers.GlorotUniform(seed + place) for place in range(3)]
        self.drop_in = keras.layers.Dropout(settings.dropout, seed=seed)
        self.drop_hidden = keras.layers.Dropout(settings.dropout, seed=seed + 1)
        self.inner = keras.layers.Dense(settings.hidden, activation="relu", kernel_initializer=make[0])
        self.outer = keras.layers.Dense(settings.dimensions, use_bias=False, kernel_initializer=make[1])
        self.straight = keras.layers.Dense(settings.dimensions, use_bias=False, kernel_initializer=make[2])

    def call(self, features: tf.Tensor, training: bool = False) -> tf.Tensor:
        features = self.drop_in(features, training=training)
        hidden = self.drop_hidden(self.inner(features), training=training)
        return self.straight(features) + self.outer(hidden)


def contrast_projections(
    clips: np.ndarray,
    texts: np.ndarray,
    owners: np.ndarray,
    *,
    settings: ContrastSettings | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> tuple[Projection, Projection]:
    """Trains a tower for each side.

    Args:
        clips: float32 [V,K,P], each clip in V views, of which one is drawn whenever it is seen.
        texts: float32 [N,S].
        owners: int [N], the clip that each text describes.
        settings: of the training.
        seed: of all that is random.
        progress: whether a bar is shown; None shows it on a terminal only.

    Returns:
        The projection of clips and that of texts, each with a hidden layer.
    """
    settings = settings or ContrastSettings()
    clip_mean, clip_spread = clips.mean(axis=(0, 1)), clips.std(axis=(0, 1))  # [P]
    varies = np.flatnonzero(clip_spread > _LEAST_SPREAD * clip_spread.max())  # what does not is left out
    spread = np.zeros((len(clip_mean), len(varies)), np.float32)  # [P,p], from all statistics to those that vary
    spread[varies, np.arange(len(varies))] = 1 / clip_spread[varies]
    text_mean, whitening = _whitening(texts)
    x, y = (clips[:, :, varies] - clip_mean[varies]) / clip_spread[varies], (texts - text_mean) @ whitening
    of_clips, of_texts = _Tower(settings, seed), _Tower(settings, seed + 10)
    of_clips(x[0, :1]), of_texts(y[:1])  # which makes their weights
    steps = max(1, len(y) // settings.batch_size)
    step = _step(of_clips, of_texts, settings, settings.epochs * steps)
    chance = np.random.default_rng(seed)
    with Bar(settings.epochs * steps, "Learning words", "step", shown=progress, leave=False) as bar:
        for _ in range(settings.epochs):
            order = chance.permutation(len(y))
            for batch in np.array_split(order, steps):
                own = owners[batch]
                same = (own[:, None] == own) & ~np.eye(len(own), dtype=bool)  # other sentences of the same clip
                views = chance.integers(len(x), size=len(own))
                step(tf.constant(x[views, own]), tf.constant(y[batch]), tf.constant(same))
                bar.update(1)
    return (
        _projection(of_clips, clip_mean, lambda weights: spread @ weights),
        _projection(of_texts, text_mean, lambda weights: whitening @ weights),
    )


def _step(
    of_clips: _Tower, of_texts: _Tower, settings: ContrastSettings, steps: int
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], None]:
    """What learns from one batch of clips [b,P] and their texts [b,S]; `same` bool [b,b] are pairs that say nothing."""
    scale = tf.Variable(np.float32(np.log(_FIRST_SCALE)))
    weights = [*of_clips.trainable_variables, *of_texts.trainable_variables]
    rise = min(_RISE_STEPS, steps // 4)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=settings.learning_rate, warmup_steps=rise
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    optimizer.build(weights)

    @tf.function(reduce_retracing=True)
    def step(x: tf.Tensor, y: tf.Tensor, same: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            clips = tf.math.l2_normalize(of_clips(x, training=True), 1)  # [b,D]
            texts = tf.math.l2_normalize(of_texts(y, training=True), 1)
            alike = tf.exp(scale) * tf.matmul(clips, texts, transpose_b=True)  # [b,b]
            alike = tf.where(same, tf.constant(-1e9, alike.dtype), alike)
            own = tf.range(tf.shape(alike)[0])
            both = (alike, tf.transpose(alike))
            loss = sum(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(own, way)) for way in both)
        found = tape.gradient(loss, [*weights, scale])
        optimizer.apply_gradients(zip(found[:-1], weights, strict=True))
        scale.assign_sub(_SCALE_RATE * found[-1])

    return step


def _whitening(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean [S], and a map [S,S] after which all directions vary alike, rare ones less, and 256 in sum."""
    mean = texts.mean(axis=0)
    away = texts - mean
    covariance = away.T @ away / len(away)
    covariance[np.diag_indices_from(covariance)] += np.trace(covariance) / len(covariance)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance)).T.astype(np.float32)
    spread = ((away @ whitening) ** 2).sum(axis=1).mean()
    return mean, whitening * np.sqrt(256 / spread).astype(np.float32)


def _projection(tower: _Tower, mean: np.ndarray, of_inputs: Callable[[np.ndarray], np.ndarray]) -> Projection:
    """A tower as a projection of the features themselves: what was done to them before is part of its weights."""
    straight, outer = (layer.kernel.numpy() for layer in (tower.straight, tower.outer))
    inner, bias = (weight.numpy() for weight in (tower.inner.kernel, tower.inner.bias))
    hidden = Hidden(of_inputs(inner).astype(np.float32), bias, outer)
    return Projection(mean.astype(np.float32), of_inputs(straight).astype(np.float32), hidden)
