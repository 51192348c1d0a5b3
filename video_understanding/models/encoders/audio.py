"""The encoder of sound: each chunk by itself, as log-mel, through the spec's audio network, as tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from video_understanding.errors import SpecError
from video_understanding.layers.log_mel import LogMel
from video_understanding.layers.parts_of_hop import PartsOfHop
from video_understanding.layers.statistics import Moments
from video_understanding.models.encoders.base import Encoder, part_seed
from video_understanding.models.listeners import LISTENERS
from video_understanding.models.listeners.freezing import freeze_listener
from video_understanding.models.listeners.weights import load_listener
from video_understanding.spec import ModelSpec

_MOST_LAYERS = 100


def audio_encoder(spec: ModelSpec, weights: str | Path | None = "default", seed: int | None = None) -> Encoder:
    """Sound of a window [B,N] -> K tokens of each of its M chunks, [B,M*K,D]."""
    network = make_hop_encoder(spec, weights, part_seed(seed, 2))
    blocks = []
    if spec.network.classifier == "linear":
        blocks = 2 * [shape.shape[-1] for shape in network.get_layer("chunk_moments").input]
    encoder = Encoder(
        network,
        piece_shape=(spec.audio.hop_samples,),
        pieces=spec.hops,
        pooling="joined_moments",
        blocks=blocks,
        name="audio",
    )
    encoder.settings = repr((spec.audio, encoder.token_shape))
    return encoder


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


def last_norm_of(encoder: keras.Model) -> keras.layers.BatchNormalization:
    """The norm that a hop encoder's listener ends with."""
    return [layer for layer in encoder.layers if isinstance(layer, keras.layers.BatchNormalization)][-1]


def _seeds(seed: int | None) -> Iterator[int | None]:
    """One for each layer with weights, so that no two begin alike."""
    for number in np.random.SeedSequence(seed).generate_state(_MOST_LAYERS):
        yield None if seed is None else int(number)
