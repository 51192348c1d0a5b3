"""The names of what an export can be asked, stated once for those who write exports and those who run them.

encode_M   pieces of one modality M [n,...] -> M_tokens float32 [n,D] or [n,K,D]; encode_video, encode_audio
fuse       M_tokens float32 [B,n,D] of each modality, presence float32 [B,M] -> each head [B,C], embedding [B,E]
classify   the array of whole windows of each modality (frames, waveform), presence -> each head [B,C]
embed      the same -> embedding float32 [B,E]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from video_understanding.modality import MODALITIES, modalities_of
from video_understanding.scorer import ModelInputs, Tokens

PRESENCE = "presence"
# What exports of older versions call the same; they are read as they are.
OLDER = {"encode_video": "encode_frame", "video_tokens": "picture_tokens", "audio_tokens": "sound_tokens"}
_OLDER_PIECES = {"video": "frame", "audio": "sound"}
_NEWER = ("embed",)  # exports of older versions lack it, and the embedding among the outputs of "fuse"


@dataclass(frozen=True)
class Signatures:
    """The names in one export.

    encoders  modality -> the signature that encodes its pieces
    pieces    modality -> what that signature calls them
    tokens    modality -> what "fuse" calls its tokens
    """

    encoders: Mapping[str, str]
    pieces: Mapping[str, str]
    tokens: Mapping[str, str]

    @classmethod
    def of(cls, modalities: Sequence[str], there: Collection[str] | None = None) -> Signatures:
        """Those of an export that has the signatures `there`; those that are written if None."""
        is_older = there is not None and OLDER["encode_video"] in there
        older, pieces = (OLDER, _OLDER_PIECES) if is_older else ({}, {})
        return cls(
            {one.name: older.get(one.signature, one.signature) for one in modalities_of(modalities)},
            {one.name: pieces.get(one.name, one.input) for one in modalities_of(modalities)},
            {one.name: older.get(one.tokens, one.tokens) for one in modalities_of(modalities)},
        )

    @property
    def all(self) -> tuple[str, ...]:
        """All signatures."""
        return (*self.parts, "classify", "embed")

    @property
    def parts(self) -> tuple[str, ...]:
        """Those of which the others are made."""
        return (*self.encoders.values(), "fuse")

    def absent(self, there: Collection[str]) -> str | None:
        """A signature that is needed and is not there."""
        return next((name for name in self.all if name not in there and name not in _NEWER), None)

    def to_fuse(self, tokens: Tokens, presence: np.ndarray) -> dict[str, np.ndarray]:
        """The inputs of "fuse" by name."""
        return {**{own: tokens[name] for name, own in self.tokens.items()}, PRESENCE: presence.astype(np.float32)}

    def whole(self, inputs: ModelInputs) -> dict[str, np.ndarray]:
        """The inputs of "classify" and "embed" by name."""
        arrays = {MODALITIES[name].input: inputs[name] for name in self.tokens}
        return {**arrays, PRESENCE: inputs.presence.astype(np.float32)}
