"""A SavedModel as a scorer: its signatures see each frame, hear each hop and join each window, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from video_understanding.errors import BundleError
from video_understanding.labels import EMBEDDING, Labels
from video_understanding.scorer import NO_EMBEDDING, SENSES, ModelInputs, PartwiseScorer, Scores
from video_understanding.spec import ModelSpec

SIGNATURES = ("encode_frame", "encode_audio", "fuse", "classify")  # "embed" is in newer ones
_AGAIN = "Make it again with: vu export BUNDLE --formats saved_model"


class SavedModelScorer(PartwiseScorer):
    """Scores by the SavedModel in a folder, which was exported from a model of this spec and these labels."""

    def __init__(self, folder: str | Path, spec: ModelSpec, labels: Labels) -> None:
        self.spec = spec
        self.labels = labels
        self._loaded = _load(Path(folder))  # kept: signatures do not live longer than what they were loaded with
        self._folder = Path(folder)
        self._run = {
            name: self._loaded.signatures[name] for name in (*SIGNATURES, "embed") if name in self._loaded.signatures
        }
        self._require_match()
        given = self._run["fuse"].structured_input_signature[1]
        names = ("picture_tokens", "sound_tokens")
        self.token_shapes = {sense: tuple(given[name].shape[1:]) for sense, name in zip(SENSES, names, strict=True)}

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""
        shape = self.token_shapes["video"][1:]
        return self._one_by_one(lambda frame: self._ask("encode_frame", frame=frame)["picture_tokens"], shape, frames)

    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""
        tokens, size = self.token_shapes["audio"]
        shape = (tokens // self.spec.hops, size)
        return self._one_by_one(lambda hop: self._ask("encode_audio", sound=hop)["sound_tokens"], shape, hops)

    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""
        return Scores.joined(self.labels, self._fused(picture, sound, presence))

    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> embeddings float32 [B,E]."""
        return self._embeddings(lambda: self._fused(picture, sound, presence))

    def classify(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch by the signature that does all in one call, as servers use it; for checks."""
        return Scores.joined(self.labels, self._whole("classify", inputs))

    def embed_whole(self, inputs: ModelInputs) -> np.ndarray:
        """The embedding [B,E] of each clip by the signature that does all in one call; for checks."""
        return self._embeddings(lambda: self._whole("embed", inputs))

    def _fused(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> list[dict[str, np.ndarray]]:
        rows = zip(picture, sound, presence.astype(np.float32), strict=True)
        names = ("picture_tokens", "sound_tokens", "presence")
        return [self._ask("fuse", **dict(zip(names, row, strict=True))) for row in rows]

    def _whole(self, signature: str, inputs: ModelInputs) -> list[dict[str, np.ndarray]]:
        rows = zip(inputs.frames, inputs.waveform, inputs.presence.astype(np.float32), strict=True)
        names = ("frames", "waveform", "presence")
        return [self._ask(signature, **dict(zip(names, row, strict=True))) for row in rows]

    def _embeddings(self, ask: Callable[[], list[dict[str, np.ndarray]]]) -> np.ndarray:
        """The embeddings [B,E] among what signatures give; refused where they give none."""
        outputs = self._run["fuse"].structured_outputs
        if EMBEDDING not in outputs:
            raise BundleError(self._folder, NO_EMBEDDING, _AGAIN)
        none = np.empty((0, outputs[EMBEDDING].shape[-1]), np.float32)
        return np.concatenate([none, *(told[EMBEDDING] for told in ask())])

    def _ask(self, signature: str, **arrays: np.ndarray) -> dict[str, np.ndarray]:
        """What a signature gives [1,...] for one of each input."""
        told = self._run[signature](**{name: tf.constant(array[None]) for name, array in arrays.items()})
        return {name: value.numpy() for name, value in told.items()}

    def _one_by_one(
        self, encode: Callable[[np.ndarray], np.ndarray], shape: tuple[int, ...], pieces: np.ndarray
    ) -> np.ndarray:
        tokens = np.empty((len(pieces), *shape), np.float32)  # [n,...]
        for place, piece in enumerate(pieces):
            tokens[place] = encode(piece)[0]
        return tokens

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
    absent = [name for name in SIGNATURES if name not in loaded.signatures]
    if absent:
        found = ", ".join(loaded.signatures) or "none"
        cause = f"is a SavedModel without the signature {absent[0]} (it has: {found})"
        raise BundleError(folder, cause, _AGAIN)
    return loaded
