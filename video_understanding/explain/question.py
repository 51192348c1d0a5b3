"""What is asked about one clip: the model, the clip's tokens, and its scores of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from video_understanding.evaluation.modality_shares import ModalityShares, log_odds, modality_shares
from video_understanding.modality import MODALITIES
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.scorer import ModelInputs, Scores, Tokens


class Question:
    """A model before one clip; `scorer` is made of the model and the heads' temperatures.

    inputs  the clip as a batch of one
    tokens  modality -> float32 [1,n,D], zeros where the clip lacks it
    told    head -> the place of its surest class, the one that is explained
    """

    def __init__(
        self,
        model: VideoUnderstandingModel,
        scorer: KerasScorer,
        temperature: Mapping[str, float],
        inputs: ModelInputs,
    ) -> None:
        self.model = model
        self.scorer = scorer
        self.inputs = inputs
        self._temperature = temperature
        self.tokens: Tokens = scorer.encode(inputs)
        self.scores: Scores = scorer.fuse(self.tokens, inputs.presence)
        self.scores.require_numbers()
        self.told = {head: int(values[0].argmax()) for head, values in self.scores.heads.items()}

    @cached_property
    def shares(self) -> dict[str, ModalityShares]:
        """Head -> what each modality does for the class that it is surest of."""
        return modality_shares(self.scorer, self.tokens, self.inputs.presence)[0]

    @property
    def present(self) -> dict[str, bool]:
        """Which modalities the clip has."""
        return dict(zip(self.inputs.arrays, map(bool, self.inputs.presence[0]), strict=True))

    def pieces(self, modality: str) -> np.ndarray:
        """What a modality's encoder takes, one after the other: frames [T,H,W,3], chunks of sound [M,samples]."""
        return MODALITIES[modality].cut(self.inputs[modality], self.model.spec)

    def without_pieces(self, modality: str, changed: np.ndarray, places: np.ndarray) -> dict[str, np.ndarray]:
        """Head -> [n], the log-odds that the class loses by each of n changes of one piece.

        Args:
            modality: whose pieces they are.
            changed: the changed pieces [n,...].
            places: int [n], which piece each stands for.
        """
        own = np.repeat(self.tokens[modality], len(changed), axis=0)  # [n,P*K,D]
        by_piece = own.reshape(len(changed), len(self.pieces(modality)), -1, own.shape[-1])  # the same memory
        encoded = self.scorer.encode_pieces(modality, changed)  # [n,D] or [n,K,D]
        by_piece[np.arange(len(changed)), places] = encoded.reshape(len(changed), -1, own.shape[-1])
        return self._lost({modality: own}, len(changed))

    def _lost(self, changed: Tokens, many: int) -> dict[str, np.ndarray]:
        scores = self.scorer.fuse(self._repeated(changed, many), np.repeat(self.inputs.presence, many, axis=0))
        found = {}
        for head, place in self.told.items():
            several = head in self.model.spec.network.multi_label
            before, after = (log_odds(part[head], place, several=several) for part in (self.scores, scores))
            found[head] = before - after
        return found

    def log_odds(self, modality: str, tokens: Any) -> dict[str, Any]:
        """A modality's tokens [n,n_m,D] -> head -> [n], the log-odds of the told class, with a gradient."""
        many = tokens.shape[0]
        presence = np.repeat(self.inputs.presence, many, axis=0).astype(np.float32)
        _, heads = self.model.embed_and_classify(self._repeated({modality: tokens}, many), presence, training=False)
        found = {}
        for head, place in self.told.items():
            logits = heads[head] / self._temperature.get(head, 1.0)  # [n,C]
            others = [other for other in range(logits.shape[1]) if other != place]
            found[head] = logits[:, place]
            if others and head not in self.model.spec.network.multi_label:
                found[head] -= ops.logsumexp(tf.gather(logits, others, axis=1), axis=1)
        return found

    def _repeated(self, changed: Mapping[str, Any], many: int) -> dict[str, Any]:
        """The clip's tokens, so many times, with those of some modalities changed."""
        return {name: changed.get(name, np.repeat(own, many, axis=0)) for name, own in self.tokens.items()}
