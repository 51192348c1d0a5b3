"""Ways to damage a bundle and its .tflite file: by chance, and as someone would who means harm."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.mutations import mutate

BUNDLE, KERAS, TFLITE = "bundle.json", "model.keras", "model_fp32.tflite"
_CONFIG, _WEIGHTS, _DESCRIPTION = "config.json", "model.weights.h5", "model.json"
_CENTRAL = b"PK\x01\x02"  # begins the entry of a member at the end of an archive
_FLAGS_AT, _METHOD_AT = 8, 10  # within that entry
# What stands in the JSON in the end, some of it no JSON at all.
_HOSTILE = (
    "0", "-1", "1e-300", "1e300", "1e400", "-1e400", "NaN", "Infinity", "9" * 18, "9" * 400, "9" * 5000, "1e6", "1e12",
    "8192", "0.1", "true", "null", "[]", "{}", '""', '"\\u001b[31m"', '"two\\nlines"', '"=1+1"', '"\\udcff"',
    "[" * 500 + "]" * 500, "[" * 200_000, '{"a":' * 5000, '"' + "x" * 100_000 + '"', "[[]]", '[{"a": 1}]',
)  # fmt: skip
_PLACE = "a value that stands nowhere else"


def mutate_bundle(folder: Path, rng: np.random.Generator) -> str:
    """Damages one file of a small bundle in place; says which and how."""
    name = str(rng.choice([BUNDLE, KERAS, TFLITE]))
    ways = {BUNDLE: (_bytes, _hostile_json, _hostile_json), KERAS: _OF_ARCHIVES, TFLITE: _OF_ARCHIVES}[name]
    way: Callable[[bytes, np.random.Generator], tuple[bytes, str]] = ways[rng.integers(len(ways))]
    content, how = way((folder / name).read_bytes(), rng)
    (folder / name).write_bytes(content)
    return f"{name}: {how}"


def _bytes(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    return mutate(content, rng)


def _hostile_json(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """One to three values of the JSON, or what they stand in, replaced or removed."""
    values, done = json.loads(content), []
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(values))
        if not places:
            break
        part, key = places[rng.integers(len(places))]
        if rng.random() < 0.15:
            del part[key]
            done.append(f"no {key}")
            continue
        part[key] = _PLACE
        done.append(f"hostile {key}")
    text = json.dumps(values, indent=1)
    while json.dumps(_PLACE) in text:
        text = text.replace(json.dumps(_PLACE), _HOSTILE[rng.integers(len(_HOSTILE))], 1)
    return text.encode(), ", ".join(done)


def _places(values: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) within the values."""
    entries = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [place for key, value in list(entries) for place in ((values, key), *_places(value))]


def _member(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """One member changed, and the archive made anew, with right checksums."""
    members, network = _unpacked(content)
    name = str(rng.choice([name for name in (_CONFIG, _WEIGHTS, _DESCRIPTION) if name in members]))
    way = _bytes if name == _WEIGHTS else _hostile_json
    members[name], how = way(members[name], rng)
    return _packed(members, network), f"{name} with {how}"


def _absent(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    members, network = _unpacked(content)
    name = str(rng.choice(list(members)))
    del members[name]
    return _packed(members, network), f"no {name}"


def _bomb(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """A member that unpacks to a thousand times its size."""
    members, network = _unpacked(content)
    name = str(rng.choice(list(members)))
    members[name] = (b" " if rng.random() < 0.5 else b"\0") * (256 << 20)
    return _packed(members, network, zipfile.ZIP_DEFLATED), f"{name} unpacks to 256 MB"


def _odd_method(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """Members said to be encrypted, or packed in some way."""
    data, at = bytearray(content), content.find(_CENTRAL)
    encrypted, method = bool(rng.integers(2)), int(rng.choice([1, 6, 8, 9, 12, 14, 95, 99]))
    while at >= 0:
        if encrypted:
            data[at + _FLAGS_AT] |= 1 << int(rng.choice([0, 5, 6]))
        else:
            data[at + _METHOD_AT] = method
        at = data.find(_CENTRAL, at + 1)
    return bytes(data), "encrypted" if encrypted else f"packed by method {method}"


def _other_packing(content: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    members, network = _unpacked(content)
    method = int(rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    return _packed(members, network, method), f"packed by method {method}"


_OF_ARCHIVES = (_bytes, _bytes, _member, _member, _member, _absent, _bomb, _odd_method, _other_packing)


def _unpacked(content: bytes) -> tuple[dict[str, bytes], bytes]:
    """The members by their names, and what stands before the archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        begin = min(member.header_offset for member in archive.infolist())
        return {member.filename: archive.read(member) for member in archive.infolist()}, content[:begin]


def _packed(members: dict[str, bytes], network: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO(network)
    with zipfile.ZipFile(packed, "a", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()
