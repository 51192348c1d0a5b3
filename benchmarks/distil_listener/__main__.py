"""Teaches the separable listener, from random weights, what YAMNet's first part makes of all sorts of sound.

    python -m benchmarks.distil_listener --teacher FILE --sounds FOLDER... --out FILE [--seed N] [--steps N]

Both hear the same pieces of a second, each through its own log-mel. The student learns the teacher's maps after each
of its blocks: in the first part of the steps each block by itself, from what the teacher gives to the next; then all
of them in a row. What is written are the student's weights, none of the teacher's.
"""

from __future__ import annotations

import argparse
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.distil_listener.sounds import Pieces, drawn_sounds, read_sounds
from benchmarks.distil_listener.teacher import STEP, WINDOW, Teacher
from video_understanding.models.encoders.audio import make_hop_encoder
from video_understanding.models.listeners.separable import BLOCKS
from video_understanding.models.listeners.weights import write_weights
from video_understanding.spec import AudioSpec, LogMelSpec, ModelSpec, NetworkSpec

SPEC = ModelSpec(
    audio=AudioSpec(hop_s=1.0, log_mel=LogMelSpec(floor_power=1e-8)), network=NetworkSpec(listener="separable")
)
USUAL_FLOOR_DB = 10 * math.log10(LogMelSpec().floor_power / SPEC.audio.log_mel.floor_power)
TAPS = tuple(f"block_{number}_across_relu" for number in range(1, len(BLOCKS) + 1))
BATCH_SIZE = 48
RATE, FINAL_RATE = 3e-3, 3e-5
APART = 0.4  # share of the steps in which the blocks learn by themselves
CHECKED = 10  # batches that are never learned from


class Distillation:
    """Teacher, student and the step that brings the one nearer to the other."""

    def __init__(self, teacher: Teacher, seed: int, steps: int) -> None:
        self.teacher = teacher
        self.student = make_hop_encoder(SPEC, weights=None, seed=seed)
        taps = [self.student.get_layer(name).output for name in TAPS]
        self._log_mel = keras.Model(self.student.input, self.student.get_layer("log_mel").output)
        begins = [self._log_mel.output, *taps[:-1]]
        self._whole = keras.Model(self._log_mel.output, taps)
        self._blocks = [keras.Model(begin, end) for begin, end in zip(begins, taps, strict=True)]
        self._heard = keras.Model(self.student.input, self.student.get_layer("moments").output)
        schedule = keras.optimizers.schedules.CosineDecay(
            RATE * 0.1, steps, FINAL_RATE / RATE, warmup_target=RATE, warmup_steps=steps // 20
        )
        self._optimizer = keras.optimizers.Adam(schedule, clipnorm=1.0)
        self._optimizer.build(self._whole.trainable_variables)

    @tf.function
    def step(self, sound: tf.Tensor, apart: bool) -> tf.Tensor:
        """One step on pieces [B,N]; -> what is left of each map's variance [taps]."""
        wanted = self.teacher(sound)
        with tf.GradientTape() as tape:
            missed = self._missed(sound, wanted, apart, training=True)
            loss = tf.reduce_sum(missed)
        variables = self._whole.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return missed

    @tf.function
    def check(self, sound: tf.Tensor) -> tf.Tensor:
        """What is left of each map's variance [taps], for the student as it will be used."""
        return self._missed(sound, self.teacher(sound), False, training=False)

    @tf.function
    def heard(self, sound: tf.Tensor) -> tf.Tensor:
        """What the student hears in pieces [B,N]: [B,S,C]."""
        return self._heard(_middle(sound), training=False)

    def _missed(self, sound: tf.Tensor, wanted: list[tf.Tensor], apart: bool, training: bool) -> tf.Tensor:
        picture = self._log_mel(_middle(sound))  # [B,S,bands]
        # Half of the pieces as with the floor that specs have by default: what is learned must not hang on it.
        half = len(picture) // 2
        picture = tf.concat([picture[:half], tf.maximum(picture[half:], USUAL_FLOOR_DB)], axis=0)
        if apart:
            given = [picture, *wanted[:-1]]
            maps = [block(own, training=training) for block, own in zip(self._blocks, given, strict=True)]
        else:
            maps = self._whole(picture, training=training)
        return tf.stack([_left(*pair) for pair in zip(maps, wanted, strict=True)])


def _middle(sound: tf.Tensor) -> tf.Tensor:
    """[B,N] -> [B,hop]: the student hears the hop alone, the teacher what reaches beyond it, too."""
    beyond = (WINDOW - STEP) // 2
    return sound[:, beyond : beyond + SPEC.audio.hop_samples]


def _left(got: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The mean squared error, each channel by its own variance, so that quiet channels count as well."""
    variance = tf.math.reduce_variance(wanted, axis=(0, 1, 2))  # [C]
    error = tf.reduce_mean(tf.square(got - wanted), axis=(0, 1, 2))  # [C]
    return tf.reduce_mean(error / (variance + 0.02))


def distil(teacher: Path, folders: list[Path], out: Path, seed: int, steps: int) -> None:
    """The whole of it: read, learn, tell how near the student came, and write its weights."""
    keras.utils.set_random_seed(seed)
    sources = [*read_sounds(folders), drawn_sounds(seed)]
    pieces = Pieces(sources, SPEC.audio.hop_samples + WINDOW - STEP, BATCH_SIZE, seed)
    lesson = Distillation(Teacher(teacher), seed, steps)
    began_s = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(pieces.batch, 0)
        for number in range(steps):
            sound, coming = coming.result(), pool.submit(pieces.batch, number + 1)
            missed = lesson.step(tf.constant(sound), number < APART * steps)
            if number % 50 == 0 or number == steps - 1:
                left = " ".join(f"{value:.3f}" for value in missed.numpy())
                print(f"step {number} of {steps}, {time.monotonic() - began_s:.0f} s, left {left}", flush=True)
            if number % 500 == 499:
                _settle(lesson, pieces, steps)
                write_weights(lesson.student, SPEC, out)
    _settle(lesson, pieces, steps)
    left = np.mean([lesson.check(pieces.batch(steps + 1 + number)) for number in range(CHECKED)], axis=0)
    print("left of each map in pieces not learned from:", " ".join(f"{value:.3f}" for value in left))
    write_weights(lesson.student, SPEC, out)
    print(f"written to {out}, {out.stat().st_size / 1e6:.2f} MB")


def _settle(lesson: Distillation, pieces: Pieces, steps: int) -> None:
    """Gives the last normalisation the averages of what is heard, which no loss has taught it."""
    heard = np.concatenate([lesson.heard(pieces.batch(steps + 1 + number)) for number in range(CHECKED)])  # [n,S,C]
    norm = lesson.student.get_layer("norm_heard")
    norm.moving_mean.assign(heard.mean((0, 1)))
    norm.moving_variance.assign(heard.var((0, 1)))


def main() -> None:
    """Reads the command line and does it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, required=True, help="YAMNet as a TFLite file that takes a log-mel")
    parser.add_argument("--sounds", type=Path, nargs="+", required=True, metavar="FOLDER", help="recordings to hear")
    parser.add_argument("--out", type=Path, required=True, help="file of weights to write (.npz)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=6500)
    distil(**{"folders" if name == "sounds" else name: value for name, value in vars(parser.parse_args()).items()})


if __name__ == "__main__":
    main()
