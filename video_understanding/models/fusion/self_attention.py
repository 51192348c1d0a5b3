"""The tokens of all modalities in one row, each attending to all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from video_understanding.layers.attention import Attention, split_weights
from video_understanding.layers.feed_forward import FeedForward
from video_understanding.layers.pooling import TemporalPooling
from video_understanding.layers.time_code import TimeCode
from video_understanding.models.fusion.base import Fusion, Shapes, Tokens


@keras.saving.register_keras_serializable("video_understanding")
class SelfAttentionFusion(Fusion):
    """A learned mark distinguishes the modalities; one block of attention and feed-forward; then pooling."""

    def build(self, tokens_shape: Shapes, presence_shape: tuple) -> None:
        size = self.size_of(tokens_shape)
        row = (None, len(self.all_times_s), size)
        self._marks = [
            self.add_weight(name=f"mark_{n}", shape=(size,), initializer="random_normal")
            for n in range(len(self.times_s))
        ]
        self._code = TimeCode(self.all_times_s)
        self._norm = keras.layers.LayerNormalization(epsilon=1e-5)
        self._attention = Attention(self.heads, self.dropout, self.seed_for(0), name="attention")
        self._step = FeedForward(dropout=self.dropout, seed=self.seed_for(1), name="step")
        self._pool = TemporalPooling(name="pool")
        for layer in (self._code, self._norm, self._step, self._pool):
            layer.build(row)
        self._attention.build(row, row)

    def call(self, tokens: Tokens, presence: Any, training: bool | None = None) -> Any:
        row = self._code(marked_row(tokens, self.modalities, self._marks))  # [B,S,D], S tokens in all
        normed = self._norm(row)
        row = row + self._attention(normed, normed, training=training)
        return self._pool(self._step(row, training=training))  # [B,S,D] -> [B,D]

    def attention(self, tokens: Tokens) -> dict[str, dict[str, Any]]:
        """The weights of every modality's tokens on those of each other; the rest went to its own."""
        normed = self._norm(self._code(marked_row(tokens, self.modalities, self._marks)))
        _, weights = self._attention(normed, normed, return_weights=True)  # [B,heads,S,S]
        counts = {name: len(own) for name, own in self.times_s.items()}
        found, first = {}, 0
        for name, count in counts.items():
            parts = split_weights(weights[:, :, first : first + count], counts)
            found[name] = {other: part for other, part in parts.items() if other != name}
            first += count
        return found


def marked_row(tokens: Tokens, modalities: Sequence[str], marks: Sequence[Any]) -> Any:
    """All tokens [B,S,D], one modality after the other, each with the mark of its modality added."""
    pairs = zip(modalities, marks, strict=True)
    return ops.concatenate([tokens[name] + ops.cast(mark, tokens[name].dtype) for name, mark in pairs], axis=1)
