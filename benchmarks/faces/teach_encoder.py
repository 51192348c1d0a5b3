"""Trains the face encoder on FER+: soft labels, mixup, EMA weights, a cosine schedule; resumable after each epoch."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import keras
import numpy as np
import tensorflow as tf

from benchmarks.faces.changes import changed
from benchmarks.faces.ferplus import Faces, accuracy, soft_labels
from benchmarks.faces.state import load_state, save_state
from video_understanding.models.faces.encoder import SIZE_PX, make_face_encoder

SMALLER_PX = 32  # crops of the first epochs: they cost less than half, and give the large features
SMALLER_SHARE = 0.8  # of the epochs
BATCH_SIZE = 128
RATE, FINAL_RATE, WARM_UP_STEPS = 2e-3, 1e-5, 400
DECAY = 0.05
MIXUP = 0.2  # both parameters of the beta distribution; the last epochs, of crops in full size, are not mixed
EMA = 0.998


@dataclasses.dataclass
class Lesson:
    """The model, its moving average, and the step that trains both."""

    steps: int
    seed: int

    def __post_init__(self) -> None:
        keras.utils.set_random_seed(self.seed)
        self.model = make_face_encoder(self.seed, size_px=None)
        schedule = keras.optimizers.schedules.CosineDecay(
            RATE / 20, self.steps, FINAL_RATE / RATE, warmup_target=RATE, warmup_steps=WARM_UP_STEPS
        )
        self.optimizer = keras.optimizers.AdamW(schedule, weight_decay=DECAY, clipnorm=2.0)
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self.optimizer.build(self.model.trainable_variables)
        self.averages = [tf.Variable(value) for value in self.model.weights]
        self.step = tf.function(self._step)

    @property
    def state(self) -> list:
        """All variables that go on with the training."""
        return [*self.model.weights, *self.optimizer.variables, *self.averages]

    def _step(self, crops: tf.Tensor, targets: tf.Tensor, weights: tf.Tensor, ema: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = self.model(crops, training=True)["expression"]
            lost = tf.nn.softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_sum(lost * weights) / tf.reduce_sum(weights)
        self.optimizer.apply(tape.gradient(loss, self.model.trainable_variables), self.model.trainable_variables)
        for average, value in zip(self.averages, self.model.weights, strict=True):
            average.assign(ema * average + (1 - ema) * value)
        return loss

    def averaged(self, size_px: int = SIZE_PX) -> keras.Model:
        """An encoder of crops of this size that has the averaged weights."""
        model = make_face_encoder(size_px=size_px)
        model.set_weights([value.numpy() for value in self.averages])
        return model


def batches(faces: Faces, epoch: int, size_px: int, seed: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Batches of one epoch: crops float32 [B,h,w,1], targets [B,8], weights [B]; by seed and epoch alone."""
    chance = np.random.default_rng([seed, epoch])
    targets, weights = soft_labels(faces)
    order = chance.permutation(len(faces))
    for place in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
        chosen = order[place : place + BATCH_SIZE]
        crops = np.stack([changed(faces.crops[number], size_px, chance) for number in chosen])
        crops = crops[..., None].astype(np.float32)  # [B,h,w,1]
        share = np.float32(chance.beta(MIXUP, MIXUP) if size_px < SIZE_PX else 1)
        other = chance.permutation(BATCH_SIZE)
        yield tuple(
            share * values + (1 - share) * values[other] for values in (crops, targets[chosen], weights[chosen])
        )


def train_encoder(train: Faces, held_out: Faces, folder: Path, epochs: int, seed: int = 0) -> keras.Model:
    """Trains from the last state in the folder on, or from the beginning.

    Args:
        train: learned from.
        held_out: its accuracy is printed as training goes on; nothing is chosen by it.
        folder: where the state of the training is written after each epoch.
        epochs: of the whole training; the schedule of the learning rate depends on them.
        seed: of weights, order and augmentation.

    Returns:
        The encoder with averaged weights.
    """
    steps = epochs * (len(train) // BATCH_SIZE)
    lesson = Lesson(steps, seed)
    state = folder / "encoder_state.npz"
    begun = load_state(state, lesson.state)
    for epoch in range(begun, epochs):
        size_px = SMALLER_PX if epoch < SMALLER_SHARE * epochs else SIZE_PX
        began_s, cpu_s = time.monotonic(), time.process_time()
        losses = []
        for batch in ahead(batches(train, epoch, size_px, seed)):
            number = int(lesson.optimizer.iterations.numpy())
            ema = tf.constant(min(EMA, (1 + number) / (10 + number)), tf.float32)
            losses.append(float(lesson.step(*map(tf.constant, batch), ema)))
        save_state(state, lesson.state, epoch + 1)
        line = f"epoch {epoch + 1} of {epochs}, {size_px} px, loss {np.mean(losses):.4f}"
        if epoch % 4 == 3 or epoch == epochs - 1:
            told = accuracy(expressions(lesson.averaged(size_px), resized(held_out.crops, size_px)), held_out)
            line += ", held out " + " ".join(f"{name} {value:.2f} %" for name, value in told.items())
        spent = f"{time.monotonic() - began_s:.0f} s, {time.process_time() - cpu_s:.0f} s of the processor"
        print(f"{line}, {spent}", flush=True)
    return lesson.averaged()


def resized(crops: np.ndarray, size_px: int) -> np.ndarray:
    """Crops uint8 [N,48,48] -> [N,size_px,size_px]."""
    return np.stack([cv2.resize(crop, (size_px, size_px), interpolation=cv2.INTER_AREA) for crop in crops])


def expressions(encoder: keras.Model, crops: np.ndarray) -> np.ndarray:
    """Logits [N,8] of crops uint8 [N,h,w]."""
    return encoder.predict(crops[..., None].astype(np.float32), batch_size=256, verbose=0)["expression"]


def ahead(source: Iterator[tuple[np.ndarray, ...]]) -> Iterator[tuple[np.ndarray, ...]]:
    """The same items, the next one made while one is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, source, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield item
