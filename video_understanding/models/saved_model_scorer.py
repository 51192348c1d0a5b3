"""A SavedModel as a scorer: its signatures see each frame, hear each hop and join each window, one at a time."""

from __future__ import annotations

import copy
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from video_understanding.errors import BundleError
from video_understanding.labels import EMBEDDING, Labels
from video_understanding.scorer import NO_EMBEDDING, SENSES, ModelInputs, PartwiseScorer, Scores
from video_understanding.spec import ModelSpec

_WHOLE = ("frames", "waveform", "presence")
SIGNATURES = {  # and their inputs
    "encode_frame": ("frame",),
    "encode_audio": ("sound",),
    "fuse": ("picture_tokens", "sound_tokens", "presence"),
    "classify": _WHOLE,
    "embed": _WHOLE,
}
_NEWER = ("embed",)  # SavedModels of older versions lack it, and the embedding among the outputs of "fuse"
AT_ONCE = 64  # frames, hops or windows in a true batch
_AGAIN = "Make it again with: vu export BUNDLE --formats saved_model"


class SavedModelScorer(PartwiseScorer):
    """Scores by the SavedModel in a folder, which was exported from a model of this spec and these labels."""

    def __init__(self, folder: str | Path, spec: ModelSpec, labels: Labels) -> None:
        self.spec = spec
        self.labels = labels
        self._loaded = _load(Path(folder))  # kept: signatures do not live longer than what they were loaded with
        self._folder = Path(folder)
        self._run = {name: self._loaded.signatures[name] for name in SIGNATURES if name in self._loaded.signatures}
        self._at_once = 1
        self._require_match()
        given = self._run["fuse"].structured_input_signature[1]
        names = SIGNATURES["fuse"][: len(SENSES)]
        self.token_shapes = {sense: tuple(given[name].shape[1:]) for sense, name in zip(SENSES, names, strict=True)}

    @cached_property
    def batched(self) -> SavedModelScorer:
        """The same scorer, giving many frames, hops or windows to a signature at once."""
        other = copy.copy(self)
        other._at_once = AT_ONCE
        return other

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""
        return self._encoded("encode_frame", "picture_tokens", frames)

    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""
        return self._encoded("encode_audio", "sound_tokens", hops)

    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""
        return Scores.joined(self.labels, self._outputs("fuse", self._at_once, picture, sound, presence))

    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> embeddings float32 [B,E]."""
        self._require_embedding()
        return self._joined("fuse", EMBEDDING, self._outputs("fuse", self._at_once, picture, sound, presence))

    def classify(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch by the signature that does all in one call, as servers use it; for checks."""
        return Scores.joined(self.labels, self._outputs("classify", 1, inputs.frames, inputs.waveform, inputs.presence))

    def embed_whole(self, inputs: ModelInputs) -> np.ndarray:
        """The embedding [B,E] of each clip by the signature that does all in one call; for checks."""
        self._require_embedding()
        outputs = self._outputs("embed", 1, inputs.frames, inputs.waveform, inputs.presence)
        return self._joined("embed", EMBEDDING, outputs)

    def _encoded(self, signature: str, output: str, parts: np.ndarray) -> np.ndarray:
        return self._joined(signature, output, self._outputs(signature, self._at_once, parts))

    def _outputs(self, signature: str, at_once: int, *arrays: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Outputs [b,...] by name of each group of what is given; groups of one are exact."""
        run, names = self._run[signature], SIGNATURES[signature]
        told = []
        for place in range(0, len(arrays[0]), at_once):
            group = (array[place : place + at_once] for array in arrays)
            given = {
                name: tf.constant(array.astype(np.float32) if array.dtype == bool else array)
                for name, array in zip(names, group, strict=True)
            }
            told.append({name: value.numpy() for name, value in run(**given).items()})
        return told

    def _joined(self, signature: str, output: str, outputs: list[dict[str, np.ndarray]]) -> np.ndarray:
        """One output of all groups, float32 [B,...]; of no groups, too."""
        shape = self._run[signature].structured_outputs[output].shape[1:]
        return np.concatenate([np.empty((0, *shape), np.float32), *(told[output] for told in outputs)])

    def _require_embedding(self) -> None:
        if "embed" not in self._run:
            raise BundleError(self._folder, NO_EMBEDDING, _AGAIN)

    def _require_match(self) -> None:
        """Refuses a SavedModel that takes or tells something else than spec and labels say."""
        wanted = {head: len(self.labels.names(head)) for head in self.labels.heads}
        told = {name: value.shape[-1] for name, value in self._run["classify"].structured_outputs.items()}
        given = self._run["classify"].structured_input_signature[1]
        frames, samples = tuple(given["frames"].shape[1:]), given["waveform"].shape[-1]
        if told != wanted or frames != self.spec.frames_shape or samples != self.spec.samples:
            raise BundleError(self._folder, "was exported from a model with another spec or other labels", _AGAIN)


def _load(folder: Path) -> Any:
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BundleError(folder, f"cannot be loaded as a SavedModel ({lines[0]})", _AGAIN) from error
    absent = [name for name in SIGNATURES if name not in (*loaded.signatures, *_NEWER)]
    if absent:
        found = ", ".join(loaded.signatures) or "none"
        cause = f"is a SavedModel without the signature {absent[0]} (it has: {found})"
        raise BundleError(folder, cause, _AGAIN)
    return loaded
