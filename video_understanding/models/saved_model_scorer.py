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
from video_understanding.labels import EMBEDDING, Labels
from video_understanding.modality import modalities_of
from video_understanding.scorer import NO_EMBEDDING, ModelInputs, PartwiseScorer, Scores, Tokens
from video_understanding.signatures import PRESENCE, Signatures
from video_understanding.spec import ModelSpec

AT_ONCE = 64  # frames, hops or windows in a true batch
_AGAIN = "Make it again with: vu export BUNDLE --formats saved_model"


class SavedModelScorer(PartwiseScorer):
    """Scores by the SavedModel in a folder, which was exported from a model of this spec and these labels."""

    def __init__(self, folder: str | Path, spec: ModelSpec, labels: Labels) -> None:
        self.spec = spec
        self.labels = labels
        self._folder = Path(folder)
        self._loaded = _load(self._folder)  # kept: signatures do not live longer than what they were loaded with
        self._run = dict(self._loaded.signatures)
        self._names = Signatures.of(spec.modalities, self._run)
        if absent := self._names.absent(self._run):
            cause = f"is a SavedModel without the signature {absent} (it has: {', '.join(self._run) or 'none'})"
            raise BundleError(folder, cause, _AGAIN)
        self._at_once = 1
        self._require_match()
        given = self._run["fuse"].structured_input_signature[1]
        self.token_shapes = {name: tuple(given[own].shape[1:]) for name, own in self._names.tokens.items()}

    @cached_property
    def batched(self) -> SavedModelScorer:
        """The same scorer, giving many frames, hops or windows to a signature at once."""
        other = copy.copy(self)
        other._at_once = AT_ONCE
        return other

    def encode_pieces(self, modality: str, pieces: np.ndarray) -> np.ndarray:
        """Pieces [n,...] of a modality -> tokens float32 [n,D] or [n,K,D]."""
        signature = self._names.encoders[modality]
        (given,) = self._run[signature].structured_input_signature[1]
        (made,) = self._run[signature].structured_outputs
        return self._joined(signature, made, self._outputs(signature, {given: pieces}, self._at_once))

    def fuse(self, tokens: Tokens, presence: np.ndarray) -> Scores:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> scores of B windows."""
        return Scores.joined(self.labels, self._outputs("fuse", self._names.to_fuse(tokens, presence), self._at_once))

    def embed(self, tokens: Tokens, presence: np.ndarray) -> np.ndarray:
        """Tokens [B,n,D] of every modality and presence bool [B,M] -> embeddings float32 [B,E]."""
        self._require_embedding()
        outputs = self._outputs("fuse", self._names.to_fuse(tokens, presence), self._at_once)
        return self._joined("fuse", EMBEDDING, outputs)

    def classify(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch by the signature that does all in one call, as servers use it; for checks."""
        return Scores.joined(self.labels, self._outputs("classify", self._names.whole(inputs)))

    def embed_whole(self, inputs: ModelInputs) -> np.ndarray:
        """The embedding [B,E] of each clip by the signature that does all in one call; for checks."""
        self._require_embedding()
        return self._joined("embed", EMBEDDING, self._outputs("embed", self._names.whole(inputs)))

    def _outputs(
        self, signature: str, given: Mapping[str, np.ndarray], at_once: int = 1
    ) -> list[dict[str, np.ndarray]]:
        """Outputs [b,...] by name of each group of what is given by name; groups of one are exact."""
        run, found = self._run[signature], []
        for place in range(0, len(next(iter(given.values()))), at_once):
            group = {name: tf.constant(array[place : place + at_once]) for name, array in given.items()}
            found.append({name: value.numpy() for name, value in run(**group).items()})
        return found

    def _joined(self, signature: str, output: str, outputs: list[dict[str, np.ndarray]]) -> np.ndarray:
        """One output of all groups, float32 [B,...]; of no groups, too."""
        shape = self._run[signature].structured_outputs[output].shape[1:]
        return np.concatenate([np.empty((0, *shape), np.float32), *(found[output] for found in outputs)])

    def _require_embedding(self) -> None:
        if "embed" not in self._run:
            raise BundleError(self._folder, NO_EMBEDDING, _AGAIN)

    def _require_match(self) -> None:
        """Refuses a SavedModel that takes or gives something else than spec and labels say."""
        wanted = {head: len(self.labels.names(head)) for head in self.labels.heads}
        found = {name: value.shape[-1] for name, value in self._run["classify"].structured_outputs.items()}
        given = self._run["classify"].structured_input_signature[1]
        sizes = {name: tuple(value.shape[1:]) for name, value in given.items() if name != PRESENCE}
        shapes = {one.input: one.window_shape(self.spec) for one in modalities_of(self.spec.modalities)}
        if found != wanted or sizes != shapes:
            raise BundleError(self._folder, "was exported from a model with another spec or other labels", _AGAIN)


def _load(folder: Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BundleError(folder, f"cannot be loaded as a SavedModel ({lines[0]})", _AGAIN) from error
    return loaded
