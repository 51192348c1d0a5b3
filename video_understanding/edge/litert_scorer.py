"""A TFLite file as a scorer: LiteRT encodes frames and hops and joins windows, a few at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.edge.tflite_file import TFLiteFile
from video_understanding.errors import BundleError, ClipError, SpecError, missing_extra
from video_understanding.labels import EMBEDDING
from video_understanding.scorer import NO_EMBEDDING, SENSES, ModelInputs, PartwiseScorer, Scores
from video_understanding.stderr_lines import without_lines

# Signature -> its inputs; names and shapes are those of the SavedModel, too.
SIGNATURES = {
    "encode_frame": ("frame",),
    "encode_audio": ("sound",),
    "fuse": ("picture_tokens", "sound_tokens", "presence"),
    "classify": ("frames", "waveform", "presence"),
    "embed": ("frames", "waveform", "presence"),
}
_NEWER = ("embed",)  # files of older versions lack it, and the embedding among the outputs of "fuse"
# The network's late, small maps fill a processor's registers better together (nine places of seven frames come out
# even, or almost, whether four, five, six or seven are worked on at a time), and its weights are fetched once for all;
# more would gain nothing and need memory.
AT_ONCE = 7
_MAKE_AGAIN = "Make it again with: vu export BUNDLE"


class LiteRTScorer(PartwiseScorer):
    """Scores by a TFLite file: `file` is its path or what `TFLiteFile.read` gave, `threads` is 1 if not given.

    Every call gives the interpreter a few frames or hops, or one window, and each comes out to the bit as it would
    alone: so a stream's answers are those of whole files. All parts share one interpreter, which works on one call at
    a time: threads that want to score at once need a scorer each.
    """

    def __init__(self, file: TFLiteFile | str | Path, threads: int | None = None) -> None:
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise SpecError("threads", f"is {threads!r}, not a whole number of one or more", "Give such a number.")
        self.file = file if isinstance(file, TFLiteFile) else TFLiteFile.read(file)
        self.spec = self.file.spec
        self.labels = self.file.labels
        self.mode = self.file.mode
        self.unknown_below = self.file.unknown_below
        self._runners = _runners(self.file, threads or 1)
        given = self._runners["fuse"].get_input_details()
        self.token_shapes = {
            sense: tuple(int(size) for size in given[name]["shape"][1:])
            for sense, name in zip(SENSES, SIGNATURES["fuse"], strict=False)
        }

    def encode_frames(self, frames: np.ndarray) -> np.ndarray:
        """uint8 [n,H,W,3] -> picture tokens float32 [n,D]."""
        _require("frames", frames, np.uint8, self.spec.frames_shape[1:])
        return self._encode("encode_frame", frames, self.token_shapes["video"][1:])

    def encode_hops(self, hops: np.ndarray) -> np.ndarray:
        """float32 [n,hop_samples] -> sound tokens float32 [n,K,D]."""
        _require("hops", hops, np.float32, (self.spec.audio.hop_samples,))
        tokens, size = self.token_shapes["audio"]
        return self._encode("encode_audio", hops, (tokens // self.spec.hops, size))

    def fuse(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> Scores:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> scores of B windows."""
        _require("picture tokens", picture, np.float32, self.token_shapes["video"])
        _require("sound tokens", sound, np.float32, self.token_shapes["audio"])
        return Scores.joined(self.labels, self._windows("fuse", picture, sound, presence))

    def embed(self, picture: np.ndarray, sound: np.ndarray, presence: np.ndarray) -> np.ndarray:
        """Picture tokens [B,T,D], sound tokens [B,M*K,D] and presence bool [B,2] -> embeddings float32 [B,E]."""
        _require("picture tokens", picture, np.float32, self.token_shapes["video"])
        _require("sound tokens", sound, np.float32, self.token_shapes["audio"])
        return self._embeddings("fuse", picture, sound, presence)

    def classify(self, inputs: ModelInputs) -> Scores:
        """Scores of the batch by the signature that does all in one call, as phones may use it; for checks."""
        _require("frames", inputs.frames, np.uint8, self.spec.frames_shape)
        _require("waveform", inputs.waveform, np.float32, (self.spec.samples,))
        return Scores.joined(self.labels, self._windows("classify", inputs.frames, inputs.waveform, inputs.presence))

    def embed_whole(self, inputs: ModelInputs) -> np.ndarray:
        """The embedding [B,E] of each clip by the signature that does all in one call; for checks."""
        _require("frames", inputs.frames, np.uint8, self.spec.frames_shape)
        _require("waveform", inputs.waveform, np.float32, (self.spec.samples,))
        return self._embeddings("embed", inputs.frames, inputs.waveform, inputs.presence)

    def _encode(self, signature: str, parts: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Parts [n,...] -> tokens float32 [n,*shape], a few in each call."""
        tokens = np.empty((len(parts), *shape), np.float32)
        for place in range(0, len(parts), AT_ONCE):
            some = slice(place, place + AT_ONCE)
            (tokens[some],) = self._run(signature, parts[some]).values()
        return tokens

    def _embeddings(self, signature: str, *arrays: np.ndarray) -> np.ndarray:
        if "embed" not in self._runners:
            raise BundleError(self.file.path, NO_EMBEDDING, _MAKE_AGAIN)
        size = _size(self._runners["embed"].get_output_details(), EMBEDDING)
        parts = [outputs[EMBEDDING] for outputs in self._windows(signature, *arrays)]  # [1,E] each
        return np.concatenate([np.empty((0, size), np.float32), *parts])

    def _windows(self, signature: str, *arrays: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Outputs [1,...] by name for each window; the last array is presence, bool [B,2]."""
        *modalities, presence = arrays
        return [
            self._run(signature, *(array[None] for array in one))
            for one in zip(*modalities, presence.astype(np.float32), strict=True)
        ]

    def _run(self, signature: str, *arrays: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name, which LiteRT copies out of its memory: the next call leaves them as they are."""
        return self._runners[signature](**dict(zip(SIGNATURES[signature], arrays, strict=True)))


def _runners(file: TFLiteFile, threads: int) -> dict[str, Any]:
    """What runs each signature of the file."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise missing_extra("ai-edge-litert", "to run TFLite files", "edge") from error
    try:
        with without_lines(b"INFO: ", in_memory=True):
            interpreter = Interpreter(str(file.path), num_threads=threads)
            there = interpreter.get_signature_list()
            absent = [name for name in SIGNATURES if name not in there and name not in _NEWER]
            if absent:
                raise BundleError(file.path, f"has no signature {absent[0]}", _MAKE_AGAIN)
            runners = {name: interpreter.get_signature_runner(name) for name in SIGNATURES if name in there}
            _require_match(file, runners)
            # The first call makes the network ready, all of it: the shortest one does, and tells whether it works.
            runners["encode_audio"](sound=np.zeros((1, file.spec.audio.hop_samples), np.float32))
    except (ValueError, RuntimeError, TypeError, UnicodeError) as error:
        raise BundleError(file.path, f"cannot be loaded by LiteRT ({error})", _MAKE_AGAIN) from error
    return runners


def _require_match(file: TFLiteFile, runners: Mapping[str, Any]) -> None:
    """Refuses a network that takes or gives something else than its description says."""
    spec = file.spec
    picture, sound = (_size(runners["fuse"].get_input_details(), name) for name in SIGNATURES["fuse"][:2])
    if spec.network.classifier == "network":  # of another classifier, sizes are those of the encoders' features
        picture = sound = spec.network.token_size
    tokens = {"picture_tokens": (spec.frames, picture), "sound_tokens": (spec.sound_tokens, sound)}
    scores = {head: (len(file.labels.names(head)),) for head in file.labels.heads}
    wanted = {
        "encode_frame": ({"frame": spec.frames_shape[1:]}, {"picture_tokens": (picture,)}),
        "encode_audio": (
            {"sound": (spec.audio.hop_samples,)},
            {"sound_tokens": (spec.sound_tokens // spec.hops, sound)},
        ),
        "fuse": ({**tokens, "presence": (2,)}, scores),
        "classify": ({"frames": spec.frames_shape, "waveform": (spec.samples,), "presence": (2,)}, scores),
    }
    if "embed" in runners:  # of any size: that of a linear classifier follows from its statistics
        size = {EMBEDDING: (_size(runners["embed"].get_output_details(), EMBEDDING),)}
        wanted["fuse"] = (wanted["fuse"][0], {**scores, **size})
        wanted["embed"] = (wanted["classify"][0], size)
    for name, runner in runners.items():
        found = tuple(
            {part: tuple(map(int, details["shape"][1:])) for part, details in side.items()}
            for side in (runner.get_input_details(), runner.get_output_details())
        )
        if found != wanted[name]:
            raise BundleError(
                file.path,
                f"is described otherwise than it is: {name} takes and gives {found}, not {wanted[name]}",
                _MAKE_AGAIN,
            )


def _size(details: Mapping[str, Any], name: str) -> int:
    """The last axis of the tensor that a signature takes or gives under a name; 0 if there is none."""
    return int(details[name]["shape"][-1]) if name in details else 0


def _require(name: str, array: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    # LiteRT would take another size, lay out its memory anew, and fail somewhere inside.
    if array.dtype != dtype or array.shape[1:] != shape:
        raise ClipError(
            name,
            f"should be {np.dtype(dtype)} {['n', *shape]}, and are {array.dtype} {list(array.shape)}",
            "Prepare them with the spec of the model.",
        )
