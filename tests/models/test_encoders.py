"""An encoder takes whole windows or single pieces, and each piece by itself."""

from __future__ import annotations

import keras
import numpy as np

from video_understanding.models.encoders import Encoder

RNG = np.random.default_rng(0)


def make(dropout: float = 0.0) -> Encoder:
    """Pieces [9,9,3] -> features [6] -> two tokens [4] of each of five pieces."""
    backbone = keras.Sequential(
        [keras.Input((9, 9, 3)), keras.layers.Conv2D(6, 3, activation="relu"), keras.layers.BatchNormalization(),
         keras.layers.GlobalAveragePooling2D()]
    )  # fmt: skip
    head = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8), keras.layers.Reshape((2, 4))])
    return Encoder(backbone, head, piece_shape=(9, 9, 3), pieces=5, dropout=dropout, seed=1)


def test_windows_are_encoded_as_keras_does_it_piece_by_piece():
    encoder, windows = make(), RNG.integers(0, 256, (2, 5, 9, 9, 3)).astype(np.uint8)
    found = np.asarray(encoder(windows))
    features = keras.layers.TimeDistributed(encoder.backbone)(windows.astype(np.float32))
    theirs = np.asarray(keras.layers.TimeDistributed(encoder.head)(features)).reshape(2, 10, 4)
    assert encoder.token_shape == (10, 4) and np.abs(found - theirs).max() < 1e-4
    pieces = np.asarray(encoder.encode_pieces(windows.reshape(-1, 9, 9, 3)))
    assert pieces.shape == (10, 2, 4) and np.allclose(pieces.reshape(2, 10, 4), found, atol=1e-5)
    assert np.allclose(np.asarray(encoder.tokens(encoder.features(windows))), found)


def test_dropout_takes_the_same_features_from_all_pieces_and_only_in_training():
    encoder, features = make(dropout=0.5), np.ones((4, 5, 6), np.float32)  # alike in all windows and pieces
    kept = np.asarray(encoder.tokens(features))
    assert np.array_equal(kept, np.asarray(encoder.tokens(features)))
    dropped = np.asarray(encoder.tokens(features, training=True)).reshape(4, 5, 2, 4)
    assert np.allclose(dropped, dropped[:, :1], atol=1e-5), "alike pieces stay alike"
    assert not np.allclose(dropped, dropped[:1], atol=1e-3), "windows differ in what they lose"
    assert not np.allclose(dropped, kept.reshape(dropped.shape), atol=1e-3)
