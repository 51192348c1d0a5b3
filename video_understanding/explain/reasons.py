"""The reasons for an answer, as values: arrays with their times, all in log-odds, ready for JSON and for pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from video_understanding.clip import Clip
from video_understanding.evaluation.modality_shares import LEAST_DROP, ModalityShares
from video_understanding.prediction import HeadAnswer

EXPLANATION_FORMAT = 2  # raised when an older reader would misunderstand a newer explanation
UNIT = "log-odds of the class (natural logarithm) that this adds to the answer"
FULL_HEAT = 2.3  # log-odds that the picture adds from which on heat has its full strength: ten times the odds
_DIGITS, _TIME_DIGITS = 5, 4


@dataclass(frozen=True, eq=False)
class Heat:
    """What each place of each frame adds.

    method        how it was found
    where         inside the network, or on which grid
    adds          float32 [T,h,w], log-odds of the class; below zero where a place speaks against it
    picture_adds  the log-odds of the class that are lost without the picture: with how much heat is drawn
    """

    method: str
    where: str
    adds: np.ndarray
    picture_adds: float

    @property
    def strength(self) -> float:
        """From 0, where the picture adds nothing, to 1, where it adds `FULL_HEAT` or more."""
        return 0.0 if self.picture_adds < LEAST_DROP else min(self.picture_adds / FULL_HEAT, 1.0)

    @property
    def of_frames(self) -> np.ndarray:
        """float32 [T]: what each frame adds as a whole."""
        return self.adds.sum(axis=(1, 2))

    @property
    def warmth(self) -> np.ndarray:
        """float32 [T,h,w] from 0 to 1: what speaks for the class, as a share of the warmest cell of all frames.

        It is scaled by `strength`: where the picture adds nothing to the answer, nothing is warm.
        """
        warm = np.maximum(self.adds, 0)
        return self.strength * warm / max(float(warm.max()), np.finfo(np.float32).tiny)

    @property
    def warmest_place(self) -> str:
        """Where the warmest cell of all frames together lies, of nine places; "nowhere" without warmth."""
        total = self.warmth.sum(axis=0)  # [h,w]
        if not total.any():
            return "nowhere"
        row, column = (
            min(int(3 * (cell + 0.5) / size), 2)
            for cell, size in zip(np.unravel_index(total.argmax(), total.shape), total.shape, strict=True)
        )
        words = [("upper", "", "lower")[row], ("left", "", "right")[column]]
        return " ".join(word for word in words if word) or "middle"

    def over(self, height_px: int, width_px: int) -> np.ndarray:
        """float32 [T,H,W] from 0 to 1: the warmth spread over the pixels of the frames."""
        import tensorflow as tf

        return tf.image.resize(self.warmth[..., None], (height_px, width_px)).numpy()[..., 0]  # bilinear


@dataclass(frozen=True, eq=False)
class ShownFrames:
    """Frames of a window, and the part of them that the network takes.

    frames  uint8 [T,H,W,3]
    part    top, left, height and width of that part in pixels of the frames; it may reach beyond them, where the
            spec pads pictures with black
    """

    frames: np.ndarray
    part: tuple[int, int, int, int]

    @property
    def inside(self) -> np.ndarray:
        """bool [H,W]: the pixels that the network takes."""
        return self._placed(np.ones(self.part[2:], bool))

    def warmth(self, heat: Heat) -> np.ndarray:
        """float32 [T,H,W] from 0 to 1: the heat over the pixels, zero outside of the network's part."""
        return np.stack([self._placed(frame) for frame in heat.over(*self.part[2:])])

    def _placed(self, values: np.ndarray) -> np.ndarray:
        """Values of the part [height,width] as those of a whole frame [H,W]."""
        top, left, height, width = self.part
        whole = np.zeros(self.frames.shape[1:3], values.dtype)  # [H,W]
        begin, end = (max(top, 0), max(left, 0)), (top + height, left + width)
        target = whole[begin[0] : max(end[0], 0), begin[1] : max(end[1], 0)]
        target[...] = values[begin[0] - top :, begin[1] - left :][: target.shape[0], : target.shape[1]]
        return whole


@dataclass(frozen=True, eq=False)
class SoundMoments:
    """What each short piece of the sound adds.

    edges_s  float64 [P+1], where pieces begin and end, in seconds on the file's clock
    adds     float64 [P], log-odds of the class that are lost when the piece is silent
    """

    edges_s: np.ndarray
    adds: np.ndarray

    @property
    def most_telling_s(self) -> tuple[float, float] | None:
        """Begin and end of the most telling moment, the highest piece with neighbours of half its height."""
        best = int(self.adds.argmax())
        if self.adds[best] <= 0:
            return None
        high = self.adds >= self.adds[best] / 2  # [P]
        first, last = best, best
        while first > 0 and high[first - 1]:
            first -= 1
        while last + 1 < len(high) and high[last + 1]:
            last += 1
        return float(self.edges_s[first]), float(self.edges_s[last + 1])


@dataclass(frozen=True, eq=False)
class Attention:
    """What the tokens of each modality attended to in every other; a row is where one token's attention went.

    With cross attention a row over all others sums to one; with self-attention the rest went to its own modality.

    fusion   the fusion whose attention it is
    times_s  modality -> float64 [n], when each of its tokens is, on the file's clock
    weights  modality -> other modality -> float32 [heads,n,n of the other]
    """

    fusion: str
    times_s: Mapping[str, np.ndarray]
    weights: Mapping[str, Mapping[str, np.ndarray]]

    @property
    def pairs(self) -> list[tuple[str, str, np.ndarray]]:
        """Each modality with every other, and the mean weights of the heads, float32 [n,n of the other]."""
        return [
            (name, other, own.mean(axis=0)) for name, others in self.weights.items() for other, own in others.items()
        ]


@dataclass(frozen=True, eq=False)
class HeadReasons:
    """Why one head says what it says.

    answer  what it says, with all scores
    shares  what each modality does for the class that is explained (the head's surest one)
    heat    places in the frames, None without picture
    sound   moments of the sound, None without sound
    """

    answer: HeadAnswer
    shares: ModalityShares
    heat: Heat | None
    sound: SoundMoments | None

    @property
    def label(self) -> str:
        """The class that is explained."""
        return self.shares.label


@dataclass(frozen=True, eq=False, repr=False)
class Reasons:
    """Why a model says what it says of one window of a file, for all heads.

    clip        what was encoded; its frames are the part of the picture that the network takes
    shown       the frames of the file at their own resolution, and where in them that part lies
    chosen      how the window was chosen, in words
    modalities  name -> whether the clip has it
    heads       head -> its reasons
    attention   between the modalities, or in words why there is none to show
    log_mel_db  float32 [steps,bands], the sound as the audio encoder takes it, in decibels above silence
    mel_hz      float64 [bands], the middle of each band
    """

    clip: Clip
    shown: ShownFrames
    chosen: str
    modalities: Mapping[str, bool]
    heads: Mapping[str, HeadReasons] = field(hash=False)
    attention: Attention | str
    log_mel_db: np.ndarray
    mel_hz: np.ndarray

    @property
    def frame_times_s(self) -> np.ndarray:
        """float64 [T]: the instants at which frames are looked at, on the file's clock."""
        count = len(self.clip.frames)
        return self.clip.start_s + (np.arange(count) + 0.5) * self.clip.duration_s / count

    def to_dict(self) -> dict[str, Any]:
        """All but pixels and samples, as plain values for JSON."""
        clip = self.clip
        return {
            "format": EXPLANATION_FORMAT,
            "file": clip.source,
            "window": {
                "start_s": round(clip.start_s, _TIME_DIGITS),
                "end_s": round(clip.end_s, _TIME_DIGITS),
                "chosen": self.chosen,
            },
            "modalities": dict(self.modalities),
            "frame_times_s": _plain(self.frame_times_s, _TIME_DIGITS),
            "unit": UNIT,
            "heads": {head: _reasons_dict(reasons) for head, reasons in self.heads.items()},
            "attention": _attention_dict(self.attention),
            **({"notes": list(clip.notes)} if clip.notes else {}),
        }

    def __repr__(self) -> str:
        told = ", ".join(f"{head} {reasons.answer.words}" for head, reasons in self.heads.items())
        window = f"{self.clip.source or 'clip'}, {self.clip.start_s:.2f}-{self.clip.end_s:.2f} s"
        return f"{type(self).__name__}({window}: {told})"


def _reasons_dict(reasons: HeadReasons) -> dict[str, Any]:
    heat, sound = reasons.heat, reasons.sound
    return {
        "answer": reasons.answer.to_dict(),
        "shares": reasons.shares.to_dict(),
        "frames": None
        if heat is None
        else {
            "method": f"{heat.method}, {heat.where}",
            "warmest_place": heat.warmest_place,
            "picture_adds": round(heat.picture_adds, _DIGITS),
            "adds_by_frame": _plain(heat.of_frames),
            "adds_by_frame_row_column": _plain(heat.adds),
        },
        "sound": None
        if sound is None
        else {
            "method": "each piece made silent in turn",
            "edges_s": _plain(sound.edges_s, _TIME_DIGITS),
            "adds_by_piece": _plain(sound.adds),
            "most_telling_s": None if sound.most_telling_s is None else _plain(sound.most_telling_s, _TIME_DIGITS),
        },
    }


def _attention_dict(attention: Attention | str) -> dict[str, Any]:
    if isinstance(attention, str):
        return {"none": attention}
    return {
        "fusion": attention.fusion,
        "unit": "share of a token's attention, mean of the attention heads",
        "times_s": {name: _plain(own, _TIME_DIGITS) for name, own in attention.times_s.items()},
        "weights": {
            name: {other: _plain(own.mean(axis=0)) for other, own in others.items()}
            for name, others in attention.weights.items()
        },
    }


def _plain(values: Any, digits: int = _DIGITS) -> list:
    return np.asarray(values, np.float64).round(digits).tolist()
