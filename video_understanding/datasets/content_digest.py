"""A digest that identifies a file by its content, without reading large files whole."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_BLOCKS = 16


def content_digest(path: Path, digest_bytes: int, block_bytes: int, key: bytes = b"") -> str:
    """Hexadecimal digest of a file's length and content, under a key of at most 64 bytes.

    Of a file larger than sixteen blocks, so many blocks of it, evenly spread. Raises OSError where it cannot be read.
    """
    digest = hashlib.blake2b(digest_size=digest_bytes, key=key)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest.update(str(size).encode())
        if size <= _BLOCKS * block_bytes:
            digest.update(file.read())
        else:
            for block in range(_BLOCKS):
                file.seek(block * (size - block_bytes) // (_BLOCKS - 1))
                digest.update(file.read(block_bytes))
    return digest.hexdigest()
