"""Fingerprints of a clip's sound and picture that are robust to re-encoding, and which of many are similar.

The bounds come from four sets of real clips (1,200 takes of acted speech, 192 talking heads, 108 sport
and 220 surveillance clips), and from copies of 30 of each with other sound (AAC, MP3, Opus) and of 20
with another picture (H.264, MPEG-4; smaller, at another frame rate, brighter or darker), up to 50 ms late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# The most alike of 750,000 pairs of different sounds reach 0.94 (two takes of one actor; outside acted speech 0.87).
# Of the copies with 32 kbit/s or more 99 % lie above 0.96, and so do recordings that were cut 0.2 s apart.
SAME_SOUND = 0.96
# The motion of different pictures is alike to 0.85 at most (one speaker, one fixed camera). All copies of usual
# quality lie above 0.90, and 87 % of bad ones (half the size at 12 frames/s, blocky MPEG-4 at 15). What stays the
# same is alike to 0.98 in all copies, but under a fixed camera in all clips as well, and so is not enough.
SAME_STILL = 0.98
SAME_MOTION = 0.90

_HOP_S, _WINDOW_S = 0.025, 0.2
_BANDS = 16
_LOW_HZ, _HIGH_HZ = 100.0, 3_600.0
_DEPTH = 1e-4  # 40 dB below the loudest band is as good as silent: codecs change what is quieter
_SHIFT_HOPS = 20  # half a second, to find clips that were cut a little apart
_SHIFT_BLOCKS = range(-2, 3)  # the same of a head
_FEWEST_HOPS = 20  # with less sound than half a second, different clicks would be similar
_HEAD_BLOCKS, _BLOCK_HOPS = 20, 8  # the first four seconds in blocks of 0.2 s
_SOUND_HEADS_ALIKE = 0.8  # copies reach 0.87

_SIDE_PX = 16
_FAINTEST = 4.0  # grey levels; a picture with less contrast is a fade or a black frame
_STILLEST = 0.03  # of the contrast; what moves less is coding noise
_FEWEST_FRAMES = 3
_SHIFT_FRAMES = range(-1, 2)
_HEAD_FRAMES, _HEAD_SIDE_PX = 16, 8
_PICTURE_HEADS_ALIKE = 0.8
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class SoundFingerprint:
    """bands: float16 [hops,bands], log10 of the power of each frequency band around each moment."""

    bands: np.ndarray

    @classmethod
    def of(cls, waveform: np.ndarray, rate_hz: int) -> SoundFingerprint | None:
        """The fingerprint of a waveform, float32 [N]; None where there is too little sound."""
        window, hop = round(_WINDOW_S * rate_hz), round(_HOP_S * rate_hz)
        if len(waveform) < window + _FEWEST_HOPS * hop:
            return None
        pieces = np.lib.stride_tricks.sliding_window_view(waveform, window)[::hop]  # [hops,window]
        power = np.abs(np.fft.rfft(pieces * np.hanning(window).astype(np.float32), axis=1)) ** 2  # [hops,bins]
        edges = np.round(np.geomspace(_LOW_HZ, _HIGH_HZ, _BANDS + 1) * _WINDOW_S).astype(int)  # [bands+1]
        energy = np.add.reduceat(power, edges, axis=1)[:, :-1]  # [hops,bands]
        floor = _DEPTH * energy.max()
        if floor <= 0 or (energy > floor).any(axis=1).sum() < _FEWEST_HOPS:
            return None
        return cls(np.log10(np.maximum(energy, floor) / floor).astype(np.float16))

    def similarity(self, other: SoundFingerprint) -> float:
        """-1 to 1: the correlation where both overlap, at the best shift within half a second."""
        coarse = max(range(-_SHIFT_HOPS, _SHIFT_HOPS + 1, 4), key=lambda hops: self._similarity_at(other, hops))
        return max(self._similarity_at(other, hops) for hops in range(coarse - 3, coarse + 4))

    def _similarity_at(self, other: SoundFingerprint, hops: int) -> float:
        mine, others = self.bands[max(hops, 0) :], other.bands[max(-hops, 0) :]
        common = min(len(mine), len(others))
        if common < _FEWEST_HOPS:
            return -1.0
        return _cosine(_centred(mine[:common]), _centred(others[:common]))

    def head(self) -> np.ndarray:
        """float32 [blocks,bands]: the first seconds, coarsely, to find candidates among thousands."""
        hops = _HEAD_BLOCKS * _BLOCK_HOPS
        head = np.zeros((hops, _BANDS), np.float32)
        head[: len(self.bands)] = _centred(self.bands[:hops])
        return head.reshape(_HEAD_BLOCKS, _BLOCK_HOPS, _BANDS).mean(axis=1)


@dataclass(frozen=True, eq=False)
class PictureFingerprint:
    """grey: float16 [T,256], frames of 16 x 16 with mean 0 and deviation 1; shown: bool [T], with enough contrast."""

    grey: np.ndarray
    shown: np.ndarray

    @classmethod
    def of(cls, frames: np.ndarray, present: np.ndarray) -> PictureFingerprint | None:
        """The fingerprint of uint8 [T,H,W,3] with sides that 16 divides; None where too little moves to compare."""
        count, height, width, _ = frames.shape
        tiles = frames.reshape(count, _SIDE_PX, height // _SIDE_PX, _SIDE_PX, width // _SIDE_PX, 3)
        grey = tiles.mean(axis=(2, 4, 5), dtype=np.float32).reshape(count, -1)  # [T,256]
        grey -= grey.mean(axis=1, keepdims=True)
        contrast = grey.std(axis=1, keepdims=True)  # [T,1]
        shown = present & (contrast[:, 0] > _FAINTEST)
        grey /= np.maximum(contrast, _FAINTEST)
        if shown.sum() < _FEWEST_FRAMES or _moving(grey, shown).std() < _STILLEST:
            return None
        return cls(grey.astype(np.float16), shown)

    def is_similar(self, other: PictureFingerprint) -> bool:
        """Whether the static and the moving content is the same, where both overlap, up to a frame apart."""
        return any(self._is_similar_at(other, frames) for frames in _SHIFT_FRAMES)

    def _is_similar_at(self, other: PictureFingerprint, frames: int) -> bool:
        first, others_first = max(frames, 0), max(-frames, 0)
        common = min(len(self.shown) - first, len(other.shown) - others_first)
        shown, grey = self.shown[first:][:common], self.grey[first:][:common]
        others_shown, others_grey = other.shown[others_first:][:common], other.grey[others_first:][:common]
        both = shown & others_shown  # [t]
        if both.sum() < _FEWEST_FRAMES:
            return False
        still = [print_[both].mean(axis=0, dtype=np.float32) for print_ in (grey, others_grey)]  # [256] each
        return _cosine(*still) >= SAME_STILL and _cosine(_moving(grey, both), _moving(others_grey, both)) >= SAME_MOTION

    def head(self) -> np.ndarray:
        """float32 [frames,64]: what moves in the first seconds, at 8 x 8."""
        head = np.zeros((_HEAD_FRAMES, _SIDE_PX**2), np.float32)
        grey, shown = self.grey[:_HEAD_FRAMES], self.shown[:_HEAD_FRAMES]
        if shown.any():
            head[: len(grey)][shown] = _moving(grey, shown)
        half = _SIDE_PX // _HEAD_SIDE_PX
        tiles = head.reshape(_HEAD_FRAMES, _HEAD_SIDE_PX, half, _HEAD_SIDE_PX, half)
        return tiles.mean(axis=(2, 4)).reshape(_HEAD_FRAMES, -1)


def join_same_sounds(prints: Sequence[SoundFingerprint | None], groups: Sequence[int]) -> np.ndarray:
    """int [N]: the groups of the clips, joined where two clips have the same sound."""
    there = [number for number, own in enumerate(prints) if own is not None]
    heads = [prints[number].head() for number in there]
    found = _candidates(heads, shifts=_SHIFT_BLOCKS, bound=_SOUND_HEADS_ALIKE)
    return _joined(groups, there, found, lambda a, b: prints[a].similarity(prints[b]) >= SAME_SOUND)


def join_same_pictures(prints: Sequence[PictureFingerprint | None], groups: Sequence[int]) -> np.ndarray:
    """int [N]: the groups of the clips, joined where two clips have the same picture."""
    there = [number for number, own in enumerate(prints) if own is not None]
    heads = [prints[number].head() for number in there]
    found = _candidates(heads, shifts=_SHIFT_FRAMES, bound=_PICTURE_HEADS_ALIKE)
    return _joined(groups, there, found, lambda a, b: prints[a].is_similar(prints[b]))


def _candidates(heads: Sequence[np.ndarray], shifts: range, bound: float) -> Iterator[tuple[int, np.ndarray]]:
    """Each index, and those before it whose heads float32 [blocks,values] are similar at some shift in blocks."""
    if len(heads) < 2:
        return
    stacked = np.stack(heads)  # [N,blocks,values]
    blocks = stacked.shape[1]
    for first in range(0, len(heads), _ROWS_AT_ONCE):
        end = min(first + _ROWS_AT_ONCE, len(heads))
        alike = np.zeros((end - first, end), bool)  # [rows,N]
        for shift in shifts:
            kept = blocks - abs(shift)
            mine = stacked[first:end, max(shift, 0) :][:, :kept]  # [rows,kept,values]
            others = stacked[:end, max(-shift, 0) :][:, :kept]  # [N,kept,values]
            alike |= _unit(mine) @ _unit(others).T >= bound
        for row in range(first, end):
            yield row, np.flatnonzero(alike[row - first, :row])


def _joined(
    groups: Sequence[int],
    there: Sequence[int],
    candidates: Iterator[tuple[int, np.ndarray]],
    same: Callable[[int, int], bool],
) -> np.ndarray:
    """The groups int [N], joined where two members are the same; `candidates` count among the clips `there`."""
    groups, there = np.array(groups, int), np.array(there, int)
    for place, near in candidates:
        own = there[place]
        others = there[near]
        while len(others := others[groups[others] != groups[own]]):
            if same(own, others[0]):
                groups[groups == groups[others[0]]] = groups[own]
            else:
                others = others[1:]
    return groups


def _centred(bands: np.ndarray) -> np.ndarray:
    """float32 [hops,bands] without what a band has at all times (microphone) and a hop in all bands (volume)."""
    bands = bands.astype(np.float32)
    bands -= bands.mean(axis=0)
    return bands - bands.mean(axis=1, keepdims=True)


def _moving(grey: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """float32 [t,256]: the frames that are shown, without what stays the same."""
    frames = grey[shown].astype(np.float32)
    return frames - frames.mean(axis=0)


def _unit(heads: np.ndarray) -> np.ndarray:
    flat = heads.reshape(len(heads), -1)  # [N,blocks x values]
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float((one * other).sum() / max(np.linalg.norm(one) * np.linalg.norm(other), 1e-6))
