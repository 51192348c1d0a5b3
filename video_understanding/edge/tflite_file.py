"""One TFLite file with all that is needed to use it: the model.json in the ZIP archive behind its network."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from video_understanding.archive import DAMAGE, read_description
from video_understanding.bundle import LIMITS, TFLITE_MODES, read_model_values
from video_understanding.errors import BundleError
from video_understanding.labels import Labels
from video_understanding.spec import ModelSpec

TFLITE_FORMAT = 1  # raised when an older reader would misunderstand a newer file
MEMBER = "model.json"

_MAGIC, _MAGIC_PLACE = b"TFL3", 4
_OUR_NAME = b"_tokens"  # of our signatures: it stands in every file that the exporter writes
_MAKE = "Make one with: vu export BUNDLE"
_AGAIN = "Copy it anew, or make it again with: vu export BUNDLE"


@dataclass(frozen=True)
class TFLiteFile:
    """What a TFLite file of ours says of itself.

    path           where it is
    mode           how its numbers are stored: "fp32", "fp16", "dynamic" or "int8"
    spec           what it takes
    labels         what it tells
    name           what the model is called
    temperature    head -> what its logits are divided by; for information, the file's network does it
    unknown_below  head -> confidence below which the answer is "unknown"
    licences       weights the training began with -> their licence
    """

    path: Path
    mode: str
    spec: ModelSpec
    labels: Labels
    name: str = ""
    temperature: Mapping[str, float] = field(default_factory=dict, hash=False)
    unknown_below: Mapping[str, float] = field(default_factory=dict, hash=False)
    licences: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, path: str | Path) -> TFLiteFile:
        """The description in a file; the network before it is compared with its checksum, if it has one.

        Raises:
            BundleError: it is no whole file of ours. LiteRT itself would compute with a damaged network, or crash.
        """
        path = Path(path)
        try:
            _require_tflite(path)
            values = _description(path)
        except OSError as error:
            raise BundleError(path, f"cannot be read ({error.strerror})", "Look at its permissions.") from error
        return cls(path, **_checked(path, values))


def _require_tflite(path: Path) -> None:
    if not path.exists():
        raise BundleError(path, "does not exist", _MAKE)
    if path.is_dir():
        inside = sorted(file.name for file in path.glob("*.tflite"))
        cure = f"Give one of the files in it: {', '.join(inside)}." if inside else _MAKE
        raise BundleError(path, "is a folder, not a TFLite file", cure)
    if not path.is_file():  # a pipe would be waited for
        raise BundleError(path, "is no regular file", _MAKE)
    with path.open("rb") as file:
        head = file.read(_MAGIC_PLACE + len(_MAGIC))
    if head[_MAGIC_PLACE:] != _MAGIC:
        found = "is empty" if not head else "is not a TFLite file"
        raise BundleError(path, found, f"Give a file whose name ends in .tflite. {_MAKE}")


def _description(path: Path) -> dict[str, Any]:
    """The values of model.json, which belong to the network before it."""
    with _archive(path) as archive:
        values = read_description(archive, path, MEMBER, _AGAIN)
    if "format" not in values:
        raise BundleError(path, f"holds a {MEMBER} that does not describe a model", _MAKE)
    _require_network(path, values.get("network"))
    return values


def _require_network(path: Path, described: Any) -> None:
    """Refuses a network that is not the one described; files of older programs have no description of it."""
    if described is None:
        return
    size, checksum = (
        (described.get(name) for name in ("bytes", "crc32")) if isinstance(described, dict) else (None, None)
    )
    if not isinstance(size, int) or not 0 < size <= path.stat().st_size:
        raise BundleError(path, f'"network" in its {MEMBER} is {described!r}', _AGAIN)
    with path.open("rb") as file:
        if zlib.crc32(file.read(size)) != checksum:
            raise BundleError(path, "holds a damaged network: its checksum is another", _AGAIN)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except DAMAGE as error:
        # It stands at the end, so it is the first thing that a broken copy lacks.
        if _OUR_NAME in path.read_bytes():
            cause = "is cut off: the labels and settings at its end are missing"
            raise BundleError(path, cause, _AGAIN) from error
        cause = "tells neither labels nor settings, so it is no model of this program"
        raise BundleError(path, cause, _MAKE) from error


def _checked(path: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `TFLiteFile`, refused where they are not what they should be."""
    spec, labels = read_model_values(path, values, TFLITE_FORMAT, _AGAIN)
    if values.get("mode") not in TFLITE_MODES:
        raise BundleError(path, f'"mode" in it is {values.get("mode")!r}', f"Known are: {', '.join(TFLITE_MODES)}.")
    known = {"mode": values["mode"], "spec": spec, "labels": labels, "name": str(values.get("name") or path.stem)}
    for name, form in (("temperature", (int, float)), ("unknown_below", (int, float)), ("licences", str)):
        told = values.get(name) or {}
        if not isinstance(told, dict) or not all(isinstance(value, form) for value in told.values()):
            raise BundleError(path, f'"{name}" in it is {told!r}', _AGAIN)
        low, high = LIMITS.get(name, (None, None))
        if low is not None and not all(low <= value <= high for value in told.values()):
            raise BundleError(path, f'"{name}" in it is {told!r}, not from {low:g} to {high:g}', _AGAIN)
        known[name] = told
    return known
