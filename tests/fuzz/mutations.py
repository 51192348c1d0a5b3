"""Ways to damage a file: by chance, and where it hurts most."""

from __future__ import annotations

import re

import numpy as np

_ENDS_BYTES = 4096  # headers and indexes lie in the first or last few thousand bytes
_NAMES = (
    "moov mvhd trak tkhd mdia mdhd hdlr minf stbl stsd stts ctts stss stsc stsz stco co64 edts elst mdat free udta "
    "avc1 avcC hvc1 hvcC av01 av1C mp4a esds Opus dOps moof mfhd traf tfhd tfdt trun sidx mvex trex ftyp "
    "RIFF LIST hdrl avih strl strh strf movi idx1 00dc 01wb WAVE data fmt OggS OpusHead fLaC ID3 FLV"
)
_LENGTH_BEHIND = ("RIFF", "LIST", "avih", "strh", "strf", "idx1", "00dc", "01wb", "data", "fmt", "OggS", "OpusHead")


def mutate(original: bytes, rng: np.random.Generator) -> tuple[bytes, str]:
    """The file with one to four kinds of damage, and what they were."""
    data, done = bytearray(original), []
    for _ in range(int(rng.integers(1, 5))):
        if len(data) < 16:
            break
        damage = _DAMAGES[rng.integers(len(_DAMAGES))]
        damage(data, rng)
        done.append(damage.__name__.strip("_"))
    return bytes(data), "+".join(done)


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Somewhere in the file, half of the time in its first or last bytes."""
    low, high = 0, len(data)
    where = rng.random()
    if where < 0.35:
        high = min(high, _ENDS_BYTES)
    elif where < 0.5:
        low = max(0, high - _ENDS_BYTES)
    return int(rng.integers(low, high))


def _chunk(data: bytearray, rng: np.random.Generator) -> slice:
    """A stretch from a byte to half the file, short ones as likely as long ones."""
    length = int(2 ** rng.uniform(0, np.log2(len(data) / 2)))
    begin = min(_place(data, rng), len(data) - length)
    return slice(begin, begin + length)


def _bits(data: bytearray, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(1, 32))):
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _noise(data: bytearray, rng: np.random.Generator) -> None:
    chunk = _chunk(data, rng)
    data[chunk] = rng.bytes(chunk.stop - chunk.start)


def _zeros(data: bytearray, rng: np.random.Generator) -> None:
    chunk = _chunk(data, rng)
    data[chunk] = bytes(chunk.stop - chunk.start)


def _cut(data: bytearray, rng: np.random.Generator) -> None:
    del data[_chunk(data, rng)]


def _repeat(data: bytearray, rng: np.random.Generator) -> None:
    chunk = _chunk(data, rng)
    data[chunk.stop : chunk.stop] = data[chunk]


def _swap(data: bytearray, rng: np.random.Generator) -> None:
    one, other = _chunk(data, rng), _chunk(data, rng)
    length = min(one.stop - one.start, other.stop - other.start)
    one, other = slice(one.start, one.start + length), slice(other.start, other.start + length)
    data[one], data[other] = data[other], data[one]


def _truncate(data: bytearray, rng: np.random.Generator) -> None:
    del data[_place(data, rng) :]


def _integer(data: bytearray, rng: np.random.Generator) -> None:
    _overwrite(data, _place(data, rng), rng)


def _box(data: bytearray, rng: np.random.Generator) -> None:
    """The length, or a number close behind the name, of one of the boxes and chunks that containers are made of."""
    names = [name for name in _NAMES.split() if name.encode() in data]
    if not names:
        return
    name = names[rng.integers(len(names))]
    places = [found.start() for found in re.finditer(name.encode(), data)]
    at = places[rng.integers(len(places))]
    if rng.random() < 0.4:
        at += len(name) if name in _LENGTH_BEHIND else -4
    else:
        at += len(name) + 2 * int(rng.integers(24))
    _overwrite(data, max(0, at), rng)


def _overwrite(data: bytearray, at: int, rng: np.random.Generator) -> None:
    """An integer of 1 to 8 bytes: none, one, the largest and smallest there are, or any."""
    width = int(rng.choice([1, 2, 4, 4, 8]))
    top = 1 << (8 * width - 1)
    values = [0, 1, 255, top - 1, top, 2 * top - 1, int.from_bytes(rng.bytes(width))]
    value = values[rng.integers(len(values))].to_bytes(width, "big" if rng.random() < 0.6 else "little")
    data[at : at + width] = value[: max(0, len(data) - at)]


_DAMAGES = (_bits, _noise, _zeros, _cut, _repeat, _swap, _truncate, _integer, _integer, _box, _box, _box)
