"""A SavedModel as a scorer: its signatures encode each piece and fuse each window, one at a time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from video_understanding.errors import BundleError
from video_understanding.exported_scorer import ExportedScorer
from video_understanding.labels import Labels
from video_understanding.modality import modalities_of
from video_understanding.signatures import PRESENCE, Signatures
from video_understanding.spec import ModelSpec

AT_ONCE = 64  # frames, hops or windows in a true batch
_AGAIN = "Make it again with: vu export BUNDLE --formats saved_model"


class SavedModelScorer(ExportedScorer):
    """Scores by the SavedModel in a folder, which was exported from a model of this spec and these labels."""

    make_again = _AGAIN

    def __init__(self, folder: str | Path, spec: ModelSpec, labels: Labels) -> None:
        self.spec = spec
        self.labels = labels
        self.path = Path(folder)
        self._loaded = _load(self.path)  # kept: signatures do not live longer than what they were loaded with
        self._run = dict(self._loaded.signatures)
        self.names = Signatures.of(spec.modalities, self._run)
        if absent := self.names.absent(self._run):
            cause = f"is a SavedModel without the signature {absent} (it has: {', '.join(self._run) or 'none'})"
            raise BundleError(folder, cause, self.make_again)
        self.has_embedding = "embed" in self._run
        self._at_once = 1
        self._require_match()
        given = self._run["fuse"].structured_input_signature[1]
        self.token_shapes = {name: tuple(given[own].shape[1:]) for name, own in self.names.tokens.items()}

    @cached_property
    def batched(self) -> SavedModelScorer:
        """The same scorer, giving many frames, hops or windows to a signature at once."""
        other = copy.copy(self)
        other._at_once = AT_ONCE
        return other

    def run(self, signature: str, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs [B,...] by name for B pieces or windows given by name, in groups; groups of one are exact."""
        run = self._run[signature]
        parts = {name: [np.empty((0, *made.shape[1:]), np.float32)] for name, made in run.structured_outputs.items()}
        for place in range(0, len(next(iter(given.values()))), self._at_once):
            group = {name: tf.constant(array[place : place + self._at_once]) for name, array in given.items()}
            for name, values in run(**group).items():
                parts[name].append(values.numpy())
        return {name: np.concatenate(values) for name, values in parts.items()}

    def _require_match(self) -> None:
        """Refuses a SavedModel that takes or gives something else than spec and labels say."""
        wanted = {head: len(self.labels.names(head)) for head in self.labels.heads}
        found = {name: value.shape[-1] for name, value in self._run["classify"].structured_outputs.items()}
        given = self._run["classify"].structured_input_signature[1]
        sizes = {name: tuple(value.shape[1:]) for name, value in given.items() if name != PRESENCE}
        shapes = {one.input: one.window_shape(self.spec) for one in modalities_of(self.spec.modalities)}
        if found != wanted or sizes != shapes:
            raise BundleError(self.path, "was exported from a model with another spec or other labels", self.make_again)


def _load(folder: Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BundleError(folder, f"cannot be loaded as a SavedModel ({lines[0]})", _AGAIN) from error
    return loaded
