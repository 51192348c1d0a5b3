"""Descriptions in the ZIP archives of model files, read under limits: an archive may be damaged or malicious."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

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
