"""What listens: each hop of sound by itself, as log-mel, through the spec's listener, as tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from video_understanding.errors import SpecError
from video_understanding.layers.log_mel import LogMel
from video_understanding.layers.parts_of_hop import PartsOfHop
from video_understanding.layers.statistics import Moments
from video_understanding.models.listeners import LISTENERS
from video_understanding.models.listeners.freezing import freeze_listener
from video_understanding.models.listeners.weights import load_listener
from video_understanding.spec import ModelSpec

_MOST_LAYERS = 100


def make_hop_encoder(spec: ModelSpec, weights: str | Path | None = "default", seed: int | None = None) -> keras.Model:
    """float32 [B,hop_samples] -> tokens [B,K,D].

    A hop's tokens depend on that hop alone, so a live stream can encode each hop once and use its
    tokens in every window, with the very numbers a whole window would give. With `weights` None the
    listener begins with random ones, otherwise with those that it has learned before, if it has.
    """
    audio, network = spec.audio, spec.network
    if network.listener not in LISTENERS:
        known = f"Use one of: {', '.join(LISTENERS)}."
        raise SpecError("network.listener", f"{network.listener!r} is not known", known)
    seeds = _seeds(seed)
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
    heard = LISTENERS[network.listener](picture, spec, seeds)  # [B,S,channels]
    if network.classifier == "network":
        heard = PartsOfHop(network.tokens_per_hop, name="parts")(heard)  # [B,K,2*channels]
        heard = keras.layers.Dropout(network.dropout, seed=seed, name="drop")(heard)
        initializer = keras.initializers.HeNormal(next(seeds))
        tokens = keras.layers.Dense(network.token_size, kernel_initializer=initializer, name="tokens")(heard)  # [B,K,D]
        heard = keras.layers.LayerNormalization(epsilon=1e-5, name="even")(tokens)
    else:  # a linear classifier works on statistics of the features themselves, and of the log-mel
        heard = Moments(name="chunk_moments")([heard, picture])  # [B,1,2*(C+bands)]
    encoder = keras.Model(waveform, heard, name="hop_encoder")
    if weights is not None:
        load_listener(encoder, spec)
    freeze_listener(encoder, network.unfrozen_listener_blocks)
    return encoder


def listener_of(encoder: keras.Model) -> keras.Model:
    """The part of a hop encoder before its listener's last norm: float32 [B,hop_samples] -> heard [B,S,C]."""
    return keras.Model(encoder.input, last_norm_of(encoder).input)


def tokens_of(encoder: keras.Model, heard: object, training: bool | None = None) -> object:
    """What the rest of it, from that norm on, makes of heard [B,S,C]: tokens [B,K,D]."""
    for layer in encoder.layers[encoder.layers.index(last_norm_of(encoder)) :]:
        heard = layer(heard, training=training)
    return heard


def last_norm_of(encoder: keras.Model) -> keras.layers.BatchNormalization:
    """The norm that a hop encoder's listener ends with."""
    return [layer for layer in encoder.layers if isinstance(layer, keras.layers.BatchNormalization)][-1]


def _seeds(seed: int | None) -> Iterator[int | None]:
    """One for each layer with weights, so that no two begin alike."""
    for number in np.random.SeedSequence(seed).generate_state(_MOST_LAYERS):
        yield None if seed is None else int(number)
