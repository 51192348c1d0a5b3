"""Trains the separable audio encoder, from random weights, on what YAMNet's first part makes of all sorts of sound.

    python -m benchmarks.distil_audio_encoder --teacher FILE --sounds FOLDER... --out FILE [--seed N] [--steps N]

Both get the same pieces of a second, each through its own log-mel. The student learns the teacher's maps after each
of its blocks: in the first part of the steps each block by itself, from what the teacher gives to the next; then all
of them in a row. What is written are the student's weights, none of the teacher's.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

import video_understanding as vu
from video_understanding.media.synthetic.effects import background_sound
from video_understanding.media.synthetic.voice import Manner, Utterance
from video_understanding.models.encoders.audio import make_hop_encoder
from video_understanding.models.listeners.separable import BLOCKS
from video_understanding.models.listeners.weights import write_weights

SPEC = vu.ModelSpec(
    audio=vu.AudioSpec(hop_s=1.0, log_mel=vu.LogMelSpec(floor_power=1e-8)), network=vu.NetworkSpec(listener="separable")
)
USUAL_FLOOR_DB = 10 * math.log10(vu.LogMelSpec().floor_power / SPEC.audio.log_mel.floor_power)
STUDENT_TAPS = tuple(f"block_{number}_across_relu" for number in range(1, len(BLOCKS) + 1))
BATCH_SIZE, RATE, FINAL_RATE = 48, 3e-3, 3e-5
APART = 0.4  # share of the steps in which the blocks learn by themselves
CHECKED = 10  # batches that are never learned from

RATE_HZ, WINDOW, STEP, FFT = 16_000, 400, 160, 512  # of the teacher's log-mel
BANDS, LOW_HZ, HIGH_HZ, FLOOR = 64, 125.0, 7500.0, 0.001
# After these of its convolutions, each the second half of a block, the maps have a half of the log-mel's steps, a
# quarter twice, an eighth twice and a sixteenth twice.
TEACHER_TAPS = (2, 4, 6, 8, 10, 12, 14)
SAMPLES = SPEC.audio.hop_samples + WINDOW - STEP  # of a piece

ENDINGS = {".mp4", ".avi", ".mkv", ".mov", ".webm", ".flac", ".wav", ".mp3", ".m4a", ".ogg"}
LONGEST_S, VOICES = 30.0, 300  # of one file; drawn ones
WHOLE_SECOND = vu.ModelSpec(window_s=1.0, video=vu.VideoSpec(frames_hz=1, height_px=8, width_px=8))
MANNERS = (  # lowest and highest of each number of a Manner
    *((0.8, 1.8), (-0.5, 1.0), (0.0, 0.6), (1.2, 6.0), (0.4, 0.9), (0.3, 1.0)),
    *((0.5, 2.5), (0.0, 0.8), (0.0, 0.6), (0.0, 0.15), (0.005, 0.1)),
)


class Teacher:
    """Waveforms [B,N] -> maps at the taps, from [B,S/2,32,64] to [B,S/16,4,512], each number from 0 to 6."""

    def __init__(self, file: Path) -> None:
        import librosa

        self._convolutions = _convolutions(file)[: TEACHER_TAPS[-1] + 1]
        bands = {"n_mels": BANDS, "fmin": LOW_HZ, "fmax": HIGH_HZ, "htk": True, "norm": None}
        self._mel = tf.constant(librosa.filters.mel(sr=RATE_HZ, n_fft=FFT, **bands).T.astype(np.float32))  # [F,BANDS]
        self._window = tf.signal.hann_window(WINDOW)

    def __call__(self, sound: tf.Tensor) -> list[tf.Tensor]:
        spectrum = tf.abs(tf.signal.rfft(tf.signal.frame(sound, WINDOW, STEP) * self._window, [FFT]))  # [B,S,F]
        x = tf.math.log(tf.matmul(spectrum, self._mel) + FLOOR)[..., None]  # [B,S,BANDS,1]
        maps = []
        for weights, bias, stride, deep in self._convolutions:
            convolve = tf.nn.depthwise_conv2d if deep else tf.nn.conv2d
            x = tf.nn.relu6(convolve(x, weights, [1, stride, stride, 1], "SAME") + bias)
            maps.append(x)
        return [maps[tap] for tap in TEACHER_TAPS]


def _convolutions(file: Path) -> list[tuple[tf.Tensor, tf.Tensor, int, bool]]:
    """Of each convolution its weights and bias as float32, its stride, and whether it is depthwise."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(file.read_bytes()), 0)
    graph = model.subgraphs[0]
    kinds = {schema.BuiltinOperator.CONV_2D: False, schema.BuiltinOperator.DEPTHWISE_CONV_2D: True}
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        deep = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if deep is not None:
            weights, bias = (_floats(model, graph.tensors[number]) for number in operator.inputs[1:3])
            # Stored as [out,h,w,in], or [1,h,w,channels] where each channel has a filter of its own.
            weights = tf.constant(weights.transpose(1, 2, 3, 0))
            found.append((weights, tf.constant(bias), operator.builtinOptions.strideH, deep))
    return found


def _floats(model: schema.ModelT, tensor: schema.TensorT) -> np.ndarray:
    """The values of the whole numbers of a quantised tensor."""
    types = {2: np.int32, 9: np.int8, 3: np.uint8}  # of the format's TensorType
    values = np.frombuffer(bytes(model.buffers[tensor.buffer].data), types[tensor.type]).reshape(tensor.shape)
    quantised, shape = tensor.quantization, [1] * values.ndim
    if len(quantised.scale) > 1:
        shape[quantised.quantizedDimension] = -1
    scale, zero = (np.reshape(part, shape) for part in (quantised.scale, quantised.zeroPoint))
    return ((values.astype(np.float64) - zero) * scale).astype(np.float32)


class Distillation:
    """Teacher, student and the step that brings the one nearer to the other."""

    def __init__(self, teacher: Teacher, seed: int, steps: int) -> None:
        self.teacher = teacher
        self.student = make_hop_encoder(SPEC, weights=None, seed=seed)
        log_mel, *taps = (self.student.get_layer(name).output for name in ("log_mel", *STUDENT_TAPS))
        self._log_mel = keras.Model(self.student.input, log_mel)
        self._whole = keras.Model(log_mel, taps)
        self._blocks = [keras.Model(begin, end) for begin, end in zip([log_mel, *taps[:-1]], taps, strict=True)]
        self._features = keras.Model(self.student.input, self.student.get_layer("moments").output)
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
            left = self._left(sound, wanted, apart, training=True)
            loss = tf.reduce_sum(left)
        variables = self._whole.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return left

    @tf.function
    def check(self, sound: tf.Tensor) -> tf.Tensor:
        """What is left of each map's variance [taps], for the student as it will be used."""
        return self._left(sound, self.teacher(sound), False, training=False)

    @tf.function
    def features(self, sound: tf.Tensor) -> tf.Tensor:
        """The student's features of pieces [B,N]: [B,S,C]."""
        return self._features(_middle(sound), training=False)

    def _left(self, sound: tf.Tensor, wanted: list[tf.Tensor], apart: bool, training: bool) -> tf.Tensor:
        picture = self._log_mel(_middle(sound))  # [B,S,bands]
        # Half of the pieces as with the floor that specs have by default: what is learned must not depend on it.
        half = len(picture) // 2
        picture = tf.concat([picture[:half], tf.maximum(picture[half:], USUAL_FLOOR_DB)], axis=0)
        if apart:
            given = zip(self._blocks, [picture, *wanted[:-1]], strict=True)
            maps = [block(own, training=training) for block, own in given]
        else:
            maps = self._whole(picture, training=training)
        return tf.stack([_relative_error(*pair) for pair in zip(maps, wanted, strict=True)])


def _middle(sound: tf.Tensor) -> tf.Tensor:
    """[B,N] -> [B,hop]: the student gets the hop alone, the teacher what reaches beyond it, too."""
    beyond = (WINDOW - STEP) // 2
    return sound[:, beyond : beyond + SPEC.audio.hop_samples]


def _relative_error(got: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """The mean squared error, each channel by its own variance, so that quiet channels count as well."""
    variance = tf.math.reduce_variance(wanted, axis=(0, 1, 2))  # [C]
    error = tf.reduce_mean(tf.square(got - wanted), axis=(0, 1, 2))  # [C]
    return tf.reduce_mean(error / (variance + 0.02))


def read_sounds(folders: Iterable[Path]) -> list[list[np.ndarray]]:
    """For each folder the sound of its files, float32 [N] each; files without any are left out."""
    found = []
    for folder in folders:
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
        sounds = [sound for sound in map(_read, files) if len(sound) and np.abs(sound).max() > 1e-4]
        print(f"{folder.name}: {len(sounds)} sounds, {sum(map(len, sounds)) / RATE_HZ / 60:.1f} min", flush=True)
        found.append(sounds)
    return found


def _read(file: Path) -> np.ndarray:
    waveforms = [clip.waveform for clip in vu.iter_clips(file, WHOLE_SECOND, end=LONGEST_S)]
    return np.concatenate([np.zeros(0, np.float32), *waveforms])


def drawn_sounds(seed: int) -> list[np.ndarray]:
    """Voices that nobody has, half of them before a background, float32 [N] each."""
    rng = np.random.default_rng([seed, 1])
    sounds = []
    for number in range(VOICES):
        manner = Manner(*(float(value) for value in rng.uniform(*np.array(MANNERS).T)))
        pitch_hz, throat = float(rng.uniform(80, 320)), float(rng.uniform(0.8, 1.3))
        sound = 0.5 * Utterance(manner, pitch_hz, throat, seed * VOICES + number).waveform(4.0, RATE_HZ)
        if number % 2:
            sound = sound + rng.uniform(0.002, 0.2) * background_sound(4.0, RATE_HZ, rng)
        sounds.append(sound.astype(np.float32))
    return sounds


class Pieces:
    """Batches of pieces, float32 [B,N], each batch drawn from the seed and its number alone."""

    def __init__(self, sources: list[list[np.ndarray]], seed: int) -> None:
        self._sources, self._seed = [source for source in sources if source], seed
        samples = np.array([sum(map(len, source)) for source in self._sources], float)
        # Between as long as they are and all alike, so that a small source counts, too.
        self._chances = np.sqrt(samples) / np.sqrt(samples).sum()

    def batch(self, number: int) -> np.ndarray:
        """The pieces [B,N] of this batch: mixed, coloured, drowned in noise, with gaps, of any loudness."""
        rng = np.random.default_rng([self._seed, 2, number])
        return np.stack([self._piece(rng) for _ in range(BATCH_SIZE)])

    def _piece(self, rng: np.random.Generator) -> np.ndarray:
        piece = self._cut(rng)
        if rng.random() < 0.35:
            piece = piece + self._cut(rng) * 10 ** (rng.uniform(-20, 5) / 20)
        if rng.random() < 0.7:
            piece = _coloured(piece, rng.normal(0, 5, 6))
        if rng.random() < 0.4:
            noise = _coloured(rng.standard_normal(SAMPLES).astype(np.float32), rng.normal(0, 12, 6))
            piece = piece + _level(noise) * 10 ** (-rng.uniform(0, 45) / 20)
        if rng.random() < 0.1:
            begin, end = np.sort(rng.integers(0, SAMPLES, 2))
            piece[begin:end] *= 10 ** (-rng.uniform(20, 80) / 20)
        loud = _level(piece) * 10 ** (rng.uniform(-52, -8) / 20)
        return np.clip(loud, -1, 1).astype(np.float32)

    def _cut(self, rng: np.random.Generator) -> np.ndarray:
        """A piece of a sound, faster and higher or slower and lower by up to half an octave, of unit power."""
        source = self._sources[rng.choice(len(self._sources), p=self._chances)]
        sound = source[rng.integers(len(source))]
        speed = 2 ** rng.uniform(-0.5, 0.5) if rng.random() < 0.7 else 1.0
        begin = rng.uniform(-0.2 * SAMPLES, max(0.0, len(sound) - 0.8 * speed * SAMPLES))
        places = begin + speed * np.arange(SAMPLES)
        return _level(np.interp(places, np.arange(len(sound)), sound, left=0.0, right=0.0).astype(np.float32))


def _coloured(sound: np.ndarray, knots_db: np.ndarray) -> np.ndarray:
    """The sound with gains at six pitches, an octave and a bit apart, and evenly between them."""
    spectrum = np.fft.rfft(sound)
    pitches = np.log2(np.maximum(np.arange(len(spectrum)) * RATE_HZ / len(sound), 60.0))
    gains_db = np.interp(pitches, np.linspace(np.log2(100), np.log2(7500), len(knots_db)), knots_db)
    return np.fft.irfft(spectrum * (10 ** (gains_db / 20)).astype(np.float32), len(sound)).astype(np.float32)


def _level(sound: np.ndarray) -> np.ndarray:
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-5)


def main() -> None:
    """Reads, trains, prints how near the student came, and writes its weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", type=Path, required=True, help="YAMNet as a TFLite file that takes a log-mel")
    parser.add_argument("--sounds", type=Path, nargs="+", required=True, metavar="FOLDER", help="recordings")
    parser.add_argument("--out", type=Path, required=True, help="file of weights to write (.npz)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=6500)
    given = parser.parse_args()
    keras.utils.set_random_seed(given.seed)
    pieces = Pieces([*read_sounds(given.sounds), drawn_sounds(given.seed)], given.seed)
    distillation, began_s = Distillation(Teacher(given.teacher), given.seed, given.steps), time.monotonic()
    checked = range(given.steps + 1, given.steps + 1 + CHECKED)

    def write() -> None:
        # The last norm has the averages of the features, as no loss has taught it.
        features = np.concatenate([distillation.features(pieces.batch(number)) for number in checked])  # [n,S,C]
        norm = distillation.student.get_layer("norm_heard")
        norm.moving_mean.assign(features.mean((0, 1)))
        norm.moving_variance.assign(features.var((0, 1)))
        write_weights(distillation.student, SPEC, given.out)

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(pieces.batch, 0)
        for number in range(given.steps):
            sound, coming = coming.result(), pool.submit(pieces.batch, number + 1)
            left = distillation.step(tf.constant(sound), number < APART * given.steps)
            if number % 50 == 0 or number == given.steps - 1:
                values = " ".join(f"{value:.3f}" for value in left.numpy())
                print(f"step {number} of {given.steps}, {time.monotonic() - began_s:.0f} s, left {values}", flush=True)
            if number % 500 == 499:
                write()
    write()
    left = np.mean([distillation.check(pieces.batch(number)) for number in checked], axis=0)
    print("left of each map in pieces not learned from:", " ".join(f"{value:.3f}" for value in left))
    print(f"written to {given.out}, {given.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
