"""What is asked about one clip: the model, the clip's tokens, and what it said of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops

from video_understanding.evaluation.senses import SenseShares, log_odds, sense_shares
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.scorer import ModelInputs, Scores


class Question:
    """A model before one clip; `scorer` is made of the model and the heads' temperatures.

    inputs   the clip as a batch of one
    picture  picture tokens float32 [1,T,D], zeros where the clip has no picture
    sound    sound tokens float32 [1,M*K,D], zeros where it has no sound
    told     head -> the place of its surest class, the one that is explained
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
        self.picture, self.sound = scorer.encode(inputs)
        self.scores: Scores = scorer.fuse(self.picture, self.sound, inputs.presence)
        self.scores.require_numbers()
        self.told = {head: int(values[0].argmax()) for head, values in self.scores.heads.items()}

    @property
    def hops(self) -> np.ndarray:
        """float32 [M,hop_samples], the sound in hops."""
        return self.inputs.waveform[0].reshape(-1, self.model.spec.audio.hop_samples)

    @cached_property
    def shares(self) -> dict[str, SenseShares]:
        """Head -> what each sense does for the class that it is surest of."""
        return sense_shares(self.scorer, self.picture, self.sound, self.inputs.presence)[0]

    def lost(self, picture: np.ndarray, sound: np.ndarray) -> dict[str, np.ndarray]:
        """Changed tokens [n,T,D] and [n,M*K,D] -> head -> [n], the log-odds that the told class loses by the change."""
        scores = self.scorer.fuse(picture, sound, np.repeat(self.inputs.presence, len(picture), axis=0))
        found = {}
        for head, place in self.told.items():
            several = head in self.model.spec.network.multi_label
            before, after = (log_odds(part[head], place, several=several) for part in (self.scores, scores))
            found[head] = before - after
        return found

    def log_odds(self, picture: Any) -> dict[str, Any]:
        """Picture tokens [n,T,D] -> head -> [n], the log-odds of the told class, in a form that has a gradient."""
        many = picture.shape[0]
        sound, presence = (np.repeat(part, many, axis=0) for part in (self.sound, self.inputs.presence))
        heads = self.model.conclude(picture, sound, presence.astype(np.float32), training=False)
        found = {}
        for head, place in self.told.items():
            logits = heads[head] / self._temperature.get(head, 1.0)  # [n,C]
            others = [other for other in range(logits.shape[1]) if other != place]
            found[head] = logits[:, place]
            if others and head not in self.model.spec.network.multi_label:
                found[head] -= ops.logsumexp(tf.gather(logits, others, axis=1), axis=1)
        return found
