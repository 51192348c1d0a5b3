"""Tensors from a file in PyTorch's older format, without PyTorch and without running anything the file says.

Such a file is five pickles (a magic number, the format's version, facts of the machine, the tensors by
name, the keys of their storages) and then the storages themselves, each a count and its numbers. A pickle
can name any function for its reader to call; here only four names are known, and any other is refused.
"""

from __future__ import annotations

import io
import math
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from video_understanding.errors import VideoUnderstandingError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
FORMAT_VERSION = 1001
_COUNT = np.dtype("<i8")


def read_torch_tensors(path: str | Path) -> dict[str, np.ndarray]:
    """All tensors of the file by their names, each in its own shape and as its own copy."""
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, f"cannot be read ({error.strerror})") from error
    if content[:2] == b"PK":
        raise _unreadable(path, "is in PyTorch's newer format (a zip archive)")
    try:
        return _tensors_in(io.BytesIO(content), content)
    except _RefusedError as refused:
        raise _unreadable(path, str(refused)) from refused
    except Exception as error:  # what a broken pickle raises depends on the byte that is broken
        raise _unreadable(path, f"is damaged or cut off ({type(error).__name__}: {error})") from error


class _RefusedError(Exception):
    """The file is well-formed and asks for something that is not done here."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """Numbers that one or more tensors share."""

    key: str
    dtype: np.dtype
    count: int


@dataclass(frozen=True, slots=True)
class _View:
    """A tensor: which numbers of a storage, in which shape."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _ViewMaker:
    """What the file calls to rebuild a tensor. An object without attributes, so a file has nothing to change in it."""

    __slots__ = ()

    def __call__(self, storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: Any) -> _View:
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, _Storage) or not all(isinstance(n, int) and n >= 0 for n in numbers):
            raise _RefusedError("describes a tensor that cannot be")
        if len(shape) != len(strides):
            raise _RefusedError("describes a tensor with more dimensions than steps")
        return _View(storage, offset, tuple(shape), tuple(strides))


# Everything that a file may name. Nothing here can be changed by a file that tries to (a pickle can set attributes).
_FLOAT32, _INT64 = "<f4", "<i8"
_KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _ViewMaker(),
    ("torch", "FloatStorage"): _FLOAT32,
    ("torch", "LongStorage"): _INT64,
}


class _Unpickler(pickle.Unpickler):
    """Knows four names and no others."""

    def find_class(self, module: str, name: str) -> Any:
        known = _KNOWN.get((module, name))
        if known is None:
            raise _RefusedError(f"asks for {module}.{name}, which a file of plain tensors does not need")
        return known

    def persistent_load(self, pid: Any) -> _Storage:
        kind, number_type, key, _, count, *_ = pid
        if kind != "storage" or number_type not in (_FLOAT32, _INT64) or not isinstance(count, int) or count < 0:
            raise _RefusedError("describes a storage that cannot be")
        return _Storage(str(key), np.dtype(number_type), count)


def _tensors_in(file: io.BytesIO, content: bytes) -> dict[str, np.ndarray]:
    if _Unpickler(file).load() != MAGIC_NUMBER:
        raise _RefusedError("is not a file of PyTorch")
    version, machine = _Unpickler(file).load(), _Unpickler(file).load()
    if version != FORMAT_VERSION or not machine["little_endian"]:
        raise _RefusedError("is of an unknown version or byte order")
    views, keys = _Unpickler(file).load(), _Unpickler(file).load()
    if not isinstance(views, dict) or not all(isinstance(view, _View) for view in views.values()):
        raise _RefusedError("holds something else than tensors by name")

    storages = {view.storage.key: view.storage for view in views.values()}
    numbers, place = {}, file.tell()
    for key in keys:
        storage = storages[key]
        end = place + _COUNT.itemsize + storage.count * storage.dtype.itemsize
        if end > len(content):
            raise _RefusedError(f"is cut off: {len(content)} bytes, and at least {end} are announced")
        count = int(np.frombuffer(content, _COUNT, 1, place)[0])
        if count != storage.count:
            raise _RefusedError(f"is damaged: a storage of {storage.count} numbers says it has {count}")
        numbers[key] = np.frombuffer(content, storage.dtype, count, place + _COUNT.itemsize)
        place = end
    return {str(name): _array(view, numbers[view.storage.key]) for name, view in views.items()}


def _array(view: _View, numbers: np.ndarray) -> np.ndarray:
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if 0 not in view.shape and (last >= len(numbers) or math.prod(view.shape) > len(numbers)):
        raise _RefusedError("describes a tensor that reaches beyond its storage")
    strides = [stride * numbers.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides).copy()


def _unreadable(path: Path, cause: str) -> VideoUnderstandingError:
    return VideoUnderstandingError(path, cause, "Install the package again, or fetch the file anew.")
