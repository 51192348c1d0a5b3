"""A TFLite file as a scorer: LiteRT encodes pieces and fuses windows, a few at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.edge.tflite_file import TFLiteFile
from video_understanding.errors import BundleError, ClipError, SpecError, missing_extra
from video_understanding.exported_scorer import ExportedScorer
from video_understanding.labels import EMBEDDING
from video_understanding.modality import modalities_of
from video_understanding.signatures import PRESENCE, Signatures
from video_understanding.stderr_lines import without_lines

# The network's late, small maps fill a processor's registers better together (nine places of seven frames come out
# even, or almost, whether four, five, six or seven are worked on at a time), and its weights are fetched once for all;
# more would gain nothing and need memory.
AT_ONCE = 7
_MAKE_AGAIN = "Make it again with: vu export BUNDLE"


class LiteRTScorer(ExportedScorer):
    """Scores by a TFLite file: `file` is its path or what `TFLiteFile.read` gave, `threads` is 1 if not given.

    Every call gives the interpreter a few pieces, or one window, and each comes out to the bit as it would
    alone: so a stream's answers are those of whole files. All parts share one interpreter, which works on one call at
    a time: threads that want to score at once need a scorer each.
    """

    make_again = _MAKE_AGAIN

    def __init__(self, file: TFLiteFile | str | Path, threads: int | None = None) -> None:
        if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
            raise SpecError("threads", f"is {threads!r}, not a whole number of one or more", "Give such a number.")
        self.file = file if isinstance(file, TFLiteFile) else TFLiteFile.read(file)
        self.spec = self.file.spec
        self.labels = self.file.labels
        self.mode = self.file.mode
        self.unknown_below = self.file.unknown_below
        self.path = self.file.path
        self._runners, self.names = _runners(self.file, threads or 1)
        self.has_embedding = "embed" in self._runners
        given = _shapes(self._runners["fuse"].get_input_details())
        self.token_shapes = {name: given[own] for name, own in self.names.tokens.items()}

    def run(self, signature: str, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs [B,...] by name for B pieces, a few in each call, or for B windows, one in each.

        LiteRT copies them out of its memory: the next call leaves them as they are.
        """
        runner, step = self._runners[signature], AT_ONCE if signature in self.names.encoders.values() else 1
        for name, details in runner.get_input_details().items():
            _require(name, given[name], details["dtype"], tuple(map(int, details["shape"][1:])))
        shapes = _shapes(runner.get_output_details())
        parts = {name: [np.empty((0, *shape), np.float32)] for name, shape in shapes.items()}
        for place in range(0, len(next(iter(given.values()))), step):
            for name, values in runner(**{own: array[place : place + step] for own, array in given.items()}).items():
                parts[name].append(values)
        return {name: np.concatenate(values) for name, values in parts.items()}


def _runners(file: TFLiteFile, threads: int) -> tuple[dict[str, Any], Signatures]:
    """What runs each signature of the file, and their names."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise missing_extra("ai-edge-litert", "to run TFLite files", "edge") from error
    try:
        with without_lines(b"INFO: ", in_memory=True):
            interpreter = Interpreter(str(file.path), num_threads=threads)
            there = interpreter.get_signature_list()
            names = Signatures.of(file.spec.modalities, there)
            if absent := names.absent(there):
                raise BundleError(file.path, f"has no signature {absent}", _MAKE_AGAIN)
            runners = {name: interpreter.get_signature_runner(name) for name in names.all if name in there}
            _require_match(file, runners, names)
            # The first call makes the network ready, all of it: the shortest one does, and shows whether it works.
            shortest = modalities_of(file.spec.modalities)[-1]
            silence = np.zeros((1, *shortest.piece_shape(file.spec)), shortest.dtype)
            runners[names.encoders[shortest.name]](**{names.pieces[shortest.name]: silence})
    except (ValueError, RuntimeError, TypeError, UnicodeError) as error:
        raise BundleError(file.path, f"cannot be loaded by LiteRT ({error})", _MAKE_AGAIN) from error
    return runners, names


def _require_match(file: TFLiteFile, runners: Mapping[str, Any], names: Signatures) -> None:
    """Refuses a network that takes or gives something else than its description says."""
    spec, wanted = file.spec, {}
    tokens = {own: shape for own, shape in _shapes(runners["fuse"].get_input_details()).items() if own != PRESENCE}
    for made in modalities_of(spec.modalities):
        signature, own = names.encoders[made.name], names.tokens[made.name]
        size = tokens.get(own, (0,))[-1]  # of a linear classifier that of the encoder's features
        if spec.network.classifier == "network":
            size = spec.network.token_size
        (shape,) = _shapes(runners[signature].get_output_details()).values()
        several = shape[:-1]  # K tokens of each piece, or nothing where there is one
        wanted[signature] = ({names.pieces[made.name]: made.piece_shape(spec)}, {own: (*several, size)})
        tokens[own] = (made.pieces(spec) * math.prod(several), size)
    scores = {head: (len(file.labels.names(head)),) for head in file.labels.heads}
    whole = {made.input: made.window_shape(spec) for made in modalities_of(spec.modalities)}
    presence = {PRESENCE: (len(spec.modalities),)}
    wanted |= {"fuse": ({**tokens, **presence}, scores), "classify": ({**whole, **presence}, scores)}
    if "embed" in runners:  # of any size: that of a linear classifier follows from its statistics
        size = {EMBEDDING: (_size(runners["embed"].get_output_details(), EMBEDDING),)}
        wanted["fuse"] = (wanted["fuse"][0], {**scores, **size})
        wanted["embed"] = (wanted["classify"][0], size)
    for name, runner in runners.items():
        found = (_shapes(runner.get_input_details()), _shapes(runner.get_output_details()))
        if found != wanted[name]:
            raise BundleError(
                file.path,
                f"is described otherwise than it is: {name} takes and gives {found}, not {wanted[name]}",
                _MAKE_AGAIN,
            )


def _shapes(details: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Name -> shape without the batch."""
    return {name: tuple(map(int, one["shape"][1:])) for name, one in details.items()}


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
