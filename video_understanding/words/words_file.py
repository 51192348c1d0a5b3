"""`words.npz` in a bundle: the common space on disk."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.archive import DAMAGE
from video_understanding.bundle import WORDS_FILE
from video_understanding.errors import BundleError
from video_understanding.features.statistics import POOLINGS
from video_understanding.strict_json import strict_json
from video_understanding.whole_file import disk_errors_as, whole_file
from video_understanding.words.encoders import TEXT_ENCODERS, TextEncoder
from video_understanding.words.space import Calibration, ClipProjection, CommonSpace, Projection

_FORMAT = 1
_LARGEST_BYTES = 256 << 20
_RESTORE = "Restore it from a copy, or train again."


def write_words(space: CommonSpace, folder: Path) -> None:
    """Writes the space into the folder of a bundle or an index, whole or not at all."""
    file = folder / WORDS_FILE
    with disk_errors_as(file, BundleError), whole_file(file, durable=True) as unfinished:
        unfinished.write_bytes(words_bytes(space))


def words_bytes(space: CommonSpace) -> bytes:
    """What `words.npz` holds; projections and comparisons in half precision."""
    about = {
        "format": _FORMAT,
        "encoders": [encoder.name for encoder in space.encoders],
        "clips": {modality: own.pooling for modality, own in space.clips.items()},
        "slope": space.calibration.slope,
        "offset": space.calibration.offset,
    }
    arrays: dict[str, np.ndarray] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8)}
    for encoder in space.encoders:
        arrays |= {f"encoder_{encoder.name}_{name}": values for name, values in encoder.arrays.items()}
    projections = {"text": space.text, **{f"clip_{name}": own.projection for name, own in space.clips.items()}}
    for name, projection in projections.items():
        arrays |= {f"{name}_mean": projection.mean, f"{name}_weights": projection.weights.astype(np.float16)}
    for name in ("clips", "sentences"):
        arrays[f"usual_{name}"] = getattr(space.calibration, name).astype(np.float16)
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


def same_space(one: CommonSpace, other: CommonSpace) -> bool:
    """Whether two spaces that were read from files are one, so that their vectors can be compared."""
    if one.clips.keys() != other.clips.keys():
        return False
    pairs = [
        (one.text, other.text),
        *((own.projection, other.clips[name].projection) for name, own in one.clips.items()),
    ]
    return all(np.array_equal(first.weights, second.weights) for first, second in pairs)


def read_words(folder: Path) -> CommonSpace | None:
    """The space of the bundle or index in a folder; None where it has none.

    Raises:
        BundleError: the file is damaged, too large, or of another format.
    """
    file = folder / WORDS_FILE
    if not file.exists():
        return None
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if max(unpacked, file.stat().st_size) > _LARGEST_BYTES:
            raise BundleError(file, f"is larger than {_LARGEST_BYTES >> 20} MB", _RESTORE)
        with np.load(file, allow_pickle=False) as arrays:
            about = strict_json(arrays["about"].tobytes().decode())
            if about["format"] != _FORMAT:
                cause = f"has format {about['format']!r}, this program reads format {_FORMAT}"
                raise BundleError(file, cause, "Install a newer video-audio-understanding.")
            return _space(about, arrays)
    except (*DAMAGE, OSError, TypeError, KeyError, AttributeError, IndexError, MemoryError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BundleError(file, f"cannot be read ({lines[0]})", _RESTORE) from error


def _space(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> CommonSpace:
    encoders = tuple(_encoder(name, arrays) for name in about["encoders"])
    text = _projection(arrays, "text")
    if not encoders or len(text.mean) != sum(encoder.size for encoder in encoders):
        raise ValueError("the text encoders and their projection do not fit")
    clips = {}
    for modality, pooling in about["clips"].items():
        if pooling not in POOLINGS:
            raise ValueError(f"pooling {pooling!r} is not known")
        clips[modality] = ClipProjection(pooling, _projection(arrays, f"clip_{modality}"))
    size = text.weights.shape[1]
    if not clips or any(own.projection.weights.shape[1] != size for own in clips.values()):
        raise ValueError("the projections lead into different spaces")
    usual = [_numbers(arrays, f"usual_{name}", np.float16, 2) for name in ("clips", "sentences")]
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


def _projection(arrays: Mapping[str, np.ndarray], name: str) -> Projection:
    mean = _numbers(arrays, f"{name}_mean", np.float32, 1)
    weights = _numbers(arrays, f"{name}_weights", np.float16, 2)
    if len(mean) != len(weights):
        raise ValueError(f"{name}: {len(mean)} means for weights {list(weights.shape)}")
    return Projection(mean, weights)


def _numbers(arrays: Mapping[str, np.ndarray], name: str, dtype: type, dimensions: int) -> np.ndarray:
    found = arrays[name]
    if found.dtype != dtype or found.ndim != dimensions or not np.isfinite(found).all():
        raise ValueError(f"{name} is not {np.dtype(dtype)} of {dimensions} dimensions and finite numbers")
    return found.astype(np.float32)
