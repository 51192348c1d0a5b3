"""What every encoder is: pieces of one modality in, tokens out, each piece by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class Encoder(keras.layers.Layer):
    """Windows [B,...] of one modality -> tokens [B,n,D]; a stream encodes pieces and gets the same numbers.

    backbone  pieces [b,...] as float32 -> features [b,...]; what may be frozen, and its features cached
    head      features -> tokens [b,D] or [b,K,D] of a piece; features are the tokens if None
    context   tokens [B,n,D] of a whole window -> the same shape, before they are fused; nothing if None
    dropout   share of features dropped in training, the same in all pieces of a window
    pooling   by which of `layers.statistics.POOLINGS` a linear classifier makes one vector of a window's tokens
    blocks    how many numbers there are of each kind in that vector; each kind is standardised by itself
    settings  whatever tokens depend on beside the weights, as text: it names them in a cache
    """

    def __init__(
        self,
        backbone: keras.Model,
        head: keras.Model | None = None,
        *,
        piece_shape: tuple[int, ...],
        pieces: int,
        context: keras.layers.Layer | None = None,
        dropout: float = 0.0,
        seed: int | None = None,
        pooling: str = "mean_and_change",
        blocks: Sequence[int] = (),
        settings: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.backbone, self.head, self.context = backbone, head, context
        self.piece_shape, self.pieces = tuple(piece_shape), pieces
        # The same numbers in every piece of a window: dropped here and there, they would look like motion.
        self._drop = keras.layers.Dropout(dropout, noise_shape=(None, 1, None), seed=seed) if dropout else None
        self.pooling, self.blocks, self.settings = pooling, tuple(blocks), settings

    @property
    def token_shape(self) -> tuple[int, int]:
        """(n,D) of the tokens of one window."""
        shape = (self.head or self.backbone).output_shape  # [b,D] or [b,K,D]
        return self.pieces * (shape[1] if len(shape) == 3 else 1), shape[-1]

    def build(self, windows_shape: tuple | None = None) -> None:
        if self.context is not None:
            self.context.build((None, *self.token_shape))

    def call(self, windows: Any, training: bool | None = None) -> Any:
        """Windows [B,...] -> tokens [B,n,D], without context."""
        return self.tokens(self.features(windows, training), training)

    def features(self, windows: Any, training: bool | None = None) -> Any:
        """Windows [B,...] -> the backbone's features [B,P,...] of their P pieces."""
        pieces = ops.reshape(ops.cast(windows, "float32"), (-1, *self.piece_shape))  # [B*P,...]
        features = self.backbone(pieces, training=training)
        return ops.reshape(features, (-1, self.pieces, *features.shape[1:]))

    def tokens(self, features: Any, training: bool | None = None) -> Any:
        """Features [B,P,...] -> tokens [B,n,D], without context."""
        if self._drop is not None:
            features = self._drop(features, training=training)
        tokens = ops.reshape(features, (-1, *features.shape[2:]))  # [B*P,...]
        if self.head is not None:
            tokens = self.head(tokens, training=training)
        return ops.reshape(tokens, (-1, *self.token_shape))

    def encode_pieces(self, pieces: Any) -> Any:
        """Pieces [b,...] -> their tokens [b,D] or [b,K,D], as streams and exports compute them."""
        features = self.backbone(ops.cast(pieces, "float32"), training=False)
        return features if self.head is None else self.head(features, training=False)


def part_seed(seed: int | None, place: int) -> int | None:
    """A seed for each part of a model, so that adding a part changes no other; places from 50 on are free."""
    return None if seed is None else seed * 1000 + place
