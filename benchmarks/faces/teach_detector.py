"""Trains the face detector on what the teacher says of photographs and frames, and on drawn people; resumable."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.faces.pool import Pool
from benchmarks.faces.state import load_state, save_state
from benchmarks.faces.teach_encoder import ahead
from video_understanding.faces.network_detector import CELLS, GRIDS
from video_understanding.models.faces.detector import PLACES, make_face_detector

BATCH_SIZE = 32
RATE, FINAL_RATE, WARM_UP_STEPS = 2e-3, 1e-5, 200
DECAY = 0.02
EMA = 0.998
ROUND_STEPS = 50  # steps between two states on disk
WITH_FACE = 0.6  # share of a batch in which there is a face; by chance it would be a fifth
LEAST_FACE = 0.3  # score from which there is one, and from which its place is learned
PLACE_WEIGHT = 2.0
MAP_WEIGHT = 2.0
MAP_SIZES = (34, 102)  # numbers that the teacher says of a fine cell and of a coarse one


@dataclasses.dataclass
class Lesson:
    """The model, its moving average, and the step that trains both."""

    steps: int
    seed: int

    def __post_init__(self) -> None:
        keras.utils.set_random_seed(self.seed)
        self.model = make_face_detector(self.seed)
        # What the teacher says everywhere is learned beside, by layers that are thrown away: few cells have a face.
        ends = [self.model.get_layer(name).output for name in ("fine_last_relu", "coarse_block_relu")]
        maps = [keras.layers.Conv2D(size, 1)(end) for size, end in zip(MAP_SIZES, ends, strict=True)]
        self.learner = keras.Model(self.model.input, [self.model.output, *maps])
        schedule = keras.optimizers.schedules.CosineDecay(
            RATE / 20, self.steps, FINAL_RATE / RATE, warmup_target=RATE, warmup_steps=WARM_UP_STEPS
        )
        self.optimizer = keras.optimizers.AdamW(schedule, weight_decay=DECAY, clipnorm=5.0)
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self.optimizer.build(self.learner.trainable_variables)
        self.averages = [tf.Variable(value) for value in self.model.weights]
        self.step = tf.function(self._step)

    @property
    def state(self) -> list:
        """All variables that go on with the training."""
        return [*self.learner.weights, *self.optimizer.variables, *self.averages]

    def _step(
        self,
        pictures: tf.Tensor,
        scores: tf.Tensor,
        places: tf.Tensor,
        maps: list[tf.Tensor],
        same: tf.Tensor,
        ema: tf.Tensor,
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            said, *own_maps = self.learner(pictures, training=True)
            there = tf.cast(scores >= LEAST_FACE, tf.float32) * scores  # [B,320]
            faces = tf.reduce_sum(there) + 1.0
            score_loss = tf.reduce_sum(_score_loss(said["scores"], scores)) / faces
            off = tf.reduce_sum(_rounded_off(said["places"] - places) * _PLACE_SHARES, axis=-1)  # [B,320]
            place_loss = tf.reduce_sum(off * there) / faces
            map_loss = tf.add_n([_map_loss(*pair, same) for pair in zip(own_maps, maps, strict=True)])
            loss = score_loss + PLACE_WEIGHT * place_loss + MAP_WEIGHT * map_loss
        variables = self.learner.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        for average, value in zip(self.averages, self.model.weights, strict=True):
            average.assign(ema * average + (1 - ema) * value)
        return tf.stack([score_loss, place_loss, map_loss])

    def averaged(self) -> keras.Model:
        """A detector that has the averaged weights."""
        model = make_face_detector()
        model.set_weights([value.numpy() for value in self.averages])
        return model


_PLACE_SHARES = (1.0, 1.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.5)


def _score_loss(logits: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """[B,320]: cross entropy, more for what is far off, so that thousands of empty cells do not drown a face.

    Cells with a negative score are left out.
    """
    wanted = tf.maximum(scores, 0.0)
    far = tf.square(wanted - tf.sigmoid(logits))
    lost = tf.nn.sigmoid_cross_entropy_with_logits(wanted, logits)
    return tf.cast(scores >= 0, tf.float32) * far * lost


def _map_loss(own: tf.Tensor, wanted: tf.Tensor, same: tf.Tensor) -> tf.Tensor:
    """The mean squared error of maps [B,h,w,C], of the pictures that are as the teacher saw them: same [B] is 1."""
    error = tf.reduce_mean(tf.square(own - wanted), axis=(1, 2, 3))
    return tf.reduce_sum(error * same) / (tf.reduce_sum(same) + 1e-3)


def _rounded_off(difference: tf.Tensor) -> tf.Tensor:
    """The absolute value, with a parabola at its bottom."""
    size = tf.abs(difference)
    return tf.where(size < 0.1, 5.0 * tf.square(size), size - 0.05)


def train_detector(pool: Pool, folder: Path, steps: int, seed: int = 0) -> keras.Model:
    """Trains from the last state in the folder on, or from the beginning; returns the averaged weights' detector."""
    lesson = Lesson(steps, seed)
    state = folder / "detector_state.npz"
    begun = load_state(state, lesson.state)
    for number in range(begun, steps, ROUND_STEPS):
        began_s, cpu_s = time.monotonic(), time.process_time()
        losses = []
        for place, batch in enumerate(ahead(batches(pool, number, min(number + ROUND_STEPS, steps), seed)), number):
            ema = tf.constant(min(EMA, (1 + place) / (10 + place)), tf.float32)
            losses.append(lesson.step(*tf.nest.map_structure(tf.constant, batch), ema).numpy())
        done = min(number + ROUND_STEPS, steps)
        save_state(state, lesson.state, done)
        score, where, maps = np.mean(losses, axis=0)
        spent = f"{time.monotonic() - began_s:.0f} s, {time.process_time() - cpu_s:.0f} s of the processor"
        print(
            f"step {done} of {steps}, loss of scores {score:.4f}, of places {where:.4f}, of maps {maps:.4f}, {spent}",
            flush=True,
        )
    return lesson.averaged()


def batches(pool: Pool, begin: int, end: int, seed: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Batches of these steps, each by its number alone.

    Pictures [B,128,128,3], scores [B,320], places [B,320,8], the teacher's maps, standardised, and [B], whether the
    picture is as the teacher saw it and not in a mirror.
    """
    standards = [(own.mean(axis=(0, 1, 2)), own.std(axis=(0, 1, 2)) + 1e-3) for own in _first_maps(pool)]
    with_face = np.flatnonzero((pool.scores > LEAST_FACE).any(axis=1))
    without = np.flatnonzero(~(pool.scores > LEAST_FACE).any(axis=1))
    many = round(WITH_FACE * BATCH_SIZE)
    for number in range(begin, end):
        chance = np.random.default_rng([seed, 5, number])
        chosen = np.concatenate([chance.choice(with_face, many), chance.choice(without, BATCH_SIZE - many)])
        pictures, scores, places, same = [], [], [], []
        for place in chosen:
            picture, score, where = pool.pictures[place], pool.scores[place], pool.places[place].astype(np.float32)
            same.append(chance.random() < 0.5)
            if not same[-1]:
                picture, score, where = mirrored(picture, score, where)
            pictures.append(_lit(picture, chance))
            scores.append(score.astype(np.float32))
            places.append(where)
        maps = [
            ((own[chosen].astype(np.float32) - mean) / spread).clip(-5, 5)
            for own, (mean, spread) in zip((pool.fine, pool.coarse), standards, strict=True)
        ]
        yield np.stack(pictures), np.stack(scores), np.stack(places), maps, np.array(same, np.float32)


def _first_maps(pool: Pool) -> list[np.ndarray]:
    """Some of the teacher's maps, to standardise all by."""
    return [own[:: max(1, len(pool) // 500)].astype(np.float32) for own in (pool.fine, pool.coarse)]


def mirrored(picture: np.ndarray, scores: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture seen in a mirror, and what is to be said of it: the eyes change places, too."""
    own = places[:, [0, 1, 2, 3, 6, 7, 4, 5]] * np.array([-1, 1, 1, 1, -1, 1, -1, 1], places.dtype)
    order, begin = [], 0
    for cells in GRIDS:
        order.append(begin + np.arange(cells * cells).reshape(cells, cells)[:, ::-1].ravel())
        begin += cells * cells
    turned = np.concatenate(order)
    assert own.shape == (CELLS, PLACES)
    return picture[:, ::-1], scores[turned], own[turned]


def _lit(picture: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """float32 [128,128,3]: another brightness, contrast and colour, and some noise."""
    lit = picture.astype(np.float32)
    if chance.random() < 0.2:
        lit = np.repeat(lit.mean(-1, keepdims=True), 3, axis=-1)
    lit = (lit - 128) * np.float32(np.exp(chance.normal(0, 0.2))) + np.float32(128 + chance.normal(0, 15))
    lit = lit * np.exp(chance.normal(0, 0.06, 3)).astype(np.float32)
    if chance.random() < 0.2:
        lit = lit + np.float32(chance.uniform(1, 10)) * chance.standard_normal(lit.shape, np.float32)
    return np.clip(lit, 0, 255)
