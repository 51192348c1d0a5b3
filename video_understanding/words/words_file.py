"""`words.npz` in a bundle: the common space on disk."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.archive import read_arrays
from video_understanding.bundle import WORDS_FILE
from video_understanding.errors import BundleError
from video_understanding.features.statistics import POOLINGS
from video_understanding.whole_file import disk_errors_as, whole_file
from video_understanding.words.encoders import TEXT_ENCODERS, TextEncoder
from video_understanding.words.space import Calibration, ClipProjection, CommonSpace, Hidden, Joined, Projection

_FORMAT = 1
_INT8 = 127
_LEAST = 1e-12  # of a row's scale
_ROUNDING = 1e-6
_LARGEST_BYTES = 256 << 20
_RESTORE = "Restore it from a copy, or train again."


def write_words(space: CommonSpace, folder: Path) -> None:
    """Writes the space into the folder of a bundle or an index, whole or not at all."""
    file = folder / WORDS_FILE
    with disk_errors_as(file, BundleError), whole_file(file, durable=True) as unfinished:
        unfinished.write_bytes(words_bytes(space))


def words_bytes(space: CommonSpace) -> bytes:
    """What `words.npz` holds; matrices in 8 bits with a scale for each row, which moves no vector by a hundredth."""
    about = {
        "format": _FORMAT,
        "encoders": [encoder.name for encoder in space.encoders],
        "clips": {modality: own.pooling for modality, own in space.clips.items()},
        "shares": list(space.text.shares),
        "slope": space.calibration.slope,
        "offset": space.calibration.offset,
    }
    arrays: dict[str, np.ndarray] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
    for encoder in space.encoders:
        arrays |= {f"encoder_{encoder.name}_{name}": values for name, values in encoder.arrays.items()}
    sides = {"text": space.text, **{f"clip_{name}": own.projection for name, own in space.clips.items()}}
    for side, joined in sides.items():
        for number, own in enumerate(joined.projections):
            name = f"{side}_{number}"
            arrays |= {f"{name}_mean": own.mean, **_in_int8(f"{name}_weights", own.weights)}
            if own.hidden is not None:
                arrays[f"{name}_bias"] = own.hidden.bias
                arrays |= _in_int8(f"{name}_inner", own.hidden.inner) | _in_int8(f"{name}_outer", own.hidden.outer)
    for name in ("clips", "sentences"):
        arrays |= _in_int8(f"usual_{name}", getattr(space.calibration, name))
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


def _in_int8(name: str, matrix: np.ndarray) -> dict[str, np.ndarray]:
    scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), _LEAST) / _INT8
    return {name: np.round(matrix / scales).astype(np.int8), f"{name}_scales": scales.astype(np.float32)}


def same_space(one: CommonSpace, other: CommonSpace) -> bool:
    """Whether two spaces that were read from files are one, so that their vectors can be compared."""
    if one.clips.keys() != other.clips.keys():
        return False
    sides = [(one.text, other.text)]
    sides += [(own.projection, other.clips[name].projection) for name, own in one.clips.items()]
    return all(_same(first, second) for first, second in sides)


def _same(one: Joined, other: Joined) -> bool:
    pairs = zip(one.projections, other.projections, strict=False)
    return one.shares == other.shares and all(np.array_equal(a.weights, b.weights) for a, b in pairs)


def read_words(folder: Path) -> CommonSpace | None:
    """The space of the bundle or index in a folder; None where it has none.

    Raises:
        BundleError: the file is damaged, too large, or of another format.
    """
    file = folder / WORDS_FILE
    if not file.exists():
        return None
    return read_arrays(file, _FORMAT, _LARGEST_BYTES, _RESTORE, _space)


def _space(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> CommonSpace:
    encoders = tuple(_encoder(name, arrays) for name in about["encoders"])
    text = _joined(arrays, "text", about["shares"])
    if not encoders or text.inputs != sum(encoder.size for encoder in encoders):
        raise ValueError("the text encoders and their projection do not fit")
    clips = {}
    for modality, pooling in about["clips"].items():
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r} is not known")
        clips[modality] = ClipProjection(pooling, _joined(arrays, f"clip_{modality}", about["shares"]))
    size = text.size
    if not clips or any(own.projection.size != size for own in clips.values()):
        raise ValueError("the projections lead into different spaces")
    usual = [_matrix(arrays, f"usual_{name}") for name in ("clips", "sentences")]
    if any(own.shape[1] != size or len(own) < 2 for own in usual):
        raise ValueError("what similarities are compared with is of another space")
    slope, offset = float(about["slope"]), float(about["offset"])
    return CommonSpace(encoders, text, clips, Calibration(*usual, slope, offset))


def _encoder(name: str, arrays: Mapping[str, np.ndarray]) -> TextEncoder:
    if name not in TEXT_ENCODERS:
        raise ValueError(f"text encoder {name!r} is not known")
    begin = f"encoder_{name}_"
    names = [key for key in arrays if key.startswith(begin)]
    return TEXT_ENCODERS[name].from_arrays({key.removeprefix(begin): arrays[key] for key in names})


def _joined(arrays: Mapping[str, np.ndarray], side: str, shares: Sequence[float]) -> Joined:
    shares = tuple(float(share) for share in shares)
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > _ROUNDING:
        raise ValueError(f"the shares of its projections are {shares}")
    found = []
    for number in range(len(shares)):
        name = f"{side}_{number}"
        mean, weights = _vector(arrays, f"{name}_mean"), _matrix(arrays, f"{name}_weights")
        hidden = None
        if f"{name}_bias" in arrays:
            inner, outer = (_matrix(arrays, f"{name}_{part}") for part in ("inner", "outer"))
            hidden = Hidden(inner, _vector(arrays, f"{name}_bias"), outer)
            width = len(hidden.bias)
            if (inner.shape, outer.shape) != ((len(mean), width), (width, weights.shape[1])):
                raise ValueError(f"{name}: its hidden layer does not fit")
        if len(mean) != len(weights):
            raise ValueError(f"{name}: {len(mean)} means for weights {list(weights.shape)}")
        found.append(Projection(mean, weights, hidden))
    if len({len(own.mean) for own in found}) > 1:
        raise ValueError(f"{side}: its projections take different features")
    return Joined(shares, tuple(found))


def _vector(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    found = arrays[name]
    if found.dtype != np.float32 or found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"{name} is no vector of finite numbers")
    return found


def _matrix(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    found, scales = arrays[name], arrays[f"{name}_scales"]
    if found.dtype != np.int8 or found.ndim != 2 or scales.shape != (len(found), 1) or not np.isfinite(scales).all():
        raise ValueError(f"{name} is no matrix of 8 bits with finite scales")
    return (found * scales).astype(np.float32)
