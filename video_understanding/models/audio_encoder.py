"""What listens: each hop of sound by itself, as log-mel, through a stack of one-dimensional convolutions."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from video_understanding.layers.log_mel import LogMel
from video_understanding.spec import ModelSpec

CHANNELS = (64, 96, 128)  # of the convolutions; each but the first halves the time
# Data sets of a few hundred clips give a dozen steps an epoch: averages that lag by a hundred steps, as Keras's do by
# default, are still those of the random beginning when the first epochs are judged.
NORM_MOMENTUM = 0.9
TYPICAL_DB = 40.0  # above the floor; brings the decibels near to one


def make_hop_encoder(spec: ModelSpec, seed: int | None = None) -> keras.Model:
    """float32 [B,hop_samples] -> tokens [B,K,D].

    A hop's tokens depend on that hop alone, so a live stream can encode each hop once and use its
    tokens in every window, with the very numbers a whole window would give.
    """
    audio, network = spec.audio, spec.network
    seeds = np.random.SeedSequence(seed).generate_state(len(CHANNELS) + 1) if seed is not None else [None] * 4
    weights = [keras.initializers.HeNormal(None if number is None else int(number)) for number in seeds]
    waveform = keras.Input((audio.hop_samples,), name="waveform")
    picture = LogMel(
        audio.sample_rate_hz,
        audio.mel_window_samples,
        audio.mel_step_samples,
        audio.log_mel.bands,
        audio.log_mel.low_hz,
        audio.log_mel.high_hz,
        audio.log_mel.floor_power,
        name="log_mel",
    )(waveform)  # [B,steps,bands]
    heard = keras.layers.Rescaling(1 / TYPICAL_DB, -1.0, name="scale")(picture)
    for number, channels in enumerate(CHANNELS):
        heard = keras.layers.Conv1D(
            channels,
            5,
            strides=1 if number == 0 else 2,
            padding="same",
            use_bias=False,
            kernel_initializer=weights[number],
            name=f"conv_{number}",
        )(heard)  # [B,steps/2^number,channels]
        heard = keras.layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(heard)
        heard = keras.layers.ReLU(name=f"relu_{number}")(heard)
    heard = _MeanOfParts(network.tokens_per_hop, name="parts")(heard)  # [B,K,channels]
    heard = keras.layers.Dropout(network.dropout, seed=seed, name="drop")(heard)
    tokens = keras.layers.Dense(network.token_size, kernel_initializer=weights[-1], name="tokens")(heard)  # [B,K,D]
    return keras.Model(waveform, keras.layers.LayerNormalization(epsilon=1e-5, name="even")(tokens), name="hop_encoder")


@keras.saving.register_keras_serializable("video_understanding")
class _MeanOfParts(keras.layers.Layer):
    """[B,S,C] -> [B,parts,C]: the mean of each of equal parts of time, shared where they do not divide evenly."""

    def __init__(self, parts: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.parts = parts

    def build(self, input_shape: tuple) -> None:
        steps = input_shape[1]
        edges = np.linspace(0, steps, self.parts + 1)  # [parts+1]
        begin = np.maximum(np.arange(steps), edges[:-1, None])  # [parts,S]
        end = np.minimum(np.arange(1, steps + 1), edges[1:, None])
        share = np.maximum(0, end - begin)
        self._share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)

    def call(self, inputs: object) -> object:
        return ops.matmul(ops.cast(self._share, inputs.dtype), inputs)  # [parts,S] x [B,S,C]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.parts, input_shape[2])

    def get_config(self) -> dict:
        return {**super().get_config(), "parts": self.parts}
