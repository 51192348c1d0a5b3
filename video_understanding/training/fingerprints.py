"""What each clip of a training is, as a short hash, so that a resumed training notices clips that have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from video_understanding.datasets.cache import PreparedClips
from video_understanding.features.prepare import from_prepared

_DIGEST_BYTES = 8


def fingerprints(prepared: PreparedClips) -> list[tuple[str, str]]:
    """The name of each row, and a hash of the arrays and presence that the network is given of it.

    The hash of what cannot be read is that of nothing. Copying a data set, or touching its files, changes no hash.
    """
    hashes = [hashlib.blake2b(digest_size=_DIGEST_BYTES) for _ in prepared.rows]
    for window, row in enumerate(prepared.row_numbers.tolist()):
        inputs = from_prepared(prepared, [window])
        for values in (*inputs.arrays.values(), inputs.presence):
            hashes[row].update(np.ascontiguousarray(values).data)
    return [(row.origin or row.name, own.hexdigest()) for row, own in zip(prepared.rows, hashes, strict=True)]


def changed_clips(before: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> list[str]:
    """The names of the rows that have another fingerprint now, or another place."""
    pairs = zip_longest(map(tuple, before), map(tuple, now))
    return [(new or old)[0] for old, new in pairs if old != new]
