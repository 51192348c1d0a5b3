"""Descriptions in the ZIP archives of model files, read under limits: an archive may be damaged or malicious."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from video_understanding.errors import BundleError
from video_understanding.strict_json import strict_json

_LARGEST_BYTES = 4 << 20  # of a description; those of a thousand classes have 20 kB
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
# What reading a damaged archive can raise, beside BadZipFile.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError,
    UnicodeDecodeError,
)  # fmt: skip

Result = TypeVar("Result")


def read_arrays(
    file: Path,
    form: int,
    largest_bytes: int,
    cure: str,
    build: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], Result],
) -> Result:
    """What `build` makes of the description `about` and the arrays of an .npz file of the format `form`.

    `largest_bytes` limits the file and what it unpacks to; `cure` is the cure in errors.

    Raises:
        BundleError: it is damaged, too large, of another format, or `build` finds that its arrays do not fit.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if max(unpacked, file.stat().st_size) > largest_bytes:
            raise BundleError(file, f"is larger than {largest_bytes >> 20} MB", cure)
        with np.load(file, allow_pickle=False) as arrays:
            text = arrays["about"]  # bytes as uint8 [n], or one string
            about = strict_json(text.tobytes().decode() if text.dtype == np.uint8 else str(text))
            if about["format"] != form:
                cause = f"has format {about['format']!r}, this program reads format {form}"
                raise BundleError(file, cause, "Install a newer video-audio-understanding.")
            return build(about, arrays)
    except (*DAMAGE, OSError, TypeError, KeyError, AttributeError, IndexError, MemoryError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BundleError(file, f"cannot be read ({lines[0]})", cure) from error


def read_description(archive: zipfile.ZipFile, path: Path, name: str, cure: str) -> dict[str, Any]:
    """The values of the JSON object `name` in the archive of the file `path`; `cure` is the cure in errors.

    Raises:
        BundleError: it is absent, damaged, encrypted, too large when unpacked, or no JSON object.
    """
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise BundleError(path, f"holds an archive without {name}", cure) from None
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise BundleError(path, f"holds a {name} that is encrypted, or packed in an unknown way", cure)
    try:
        with archive.open(member) as file:
            content = file.read(_LARGEST_BYTES + 1)
        if len(content) > _LARGEST_BYTES:
            raise BundleError(path, f"holds a {name} that unpacks to more than {_LARGEST_BYTES >> 20} MB", cure)
        values = strict_json(content.decode("utf-8"))
    except DAMAGE as error:
        raise BundleError(path, f"holds a damaged {name} ({error})", cure) from error
    if not isinstance(values, dict):
        raise BundleError(path, f"holds a {name} that does not describe a model", cure)
    return values
