"""Random equaliser (room, microphone) and formant shift (vocal tract length); nothing is moved in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_understanding.clip import Clip
from video_understanding.datasets.augment.augmentation import (
    Augmentation,
    Parameters,
    Range,
    drawn_by_ratio,
    drawn_uniformly,
    require_range,
)
from video_understanding.datasets.augment.sound import with_sound

KNOTS_HZ = (100.0, 240.0, 560.0, 1300.0, 3100.0, 7500.0)  # between them gains are linear in log frequency
WINDOW, STEP = 512, 128  # samples of the pieces whose spectral envelopes are stretched; they overlap four times
OUTLINE = 11  # bins of a piece's spectrum, some 350 Hz at 16 kHz
_SMOOTH = np.sqrt(np.hanning(WINDOW + 1)[:-1]).astype(np.float32)  # before and after: together they add up evenly


@dataclass(frozen=True)
class Tone(Augmentation):
    """Equaliser: gains in dB that change smoothly over frequency, as of rooms and microphones."""

    gain_db: Range = (-6.0, 6.0)

    def __post_init__(self) -> None:
        require_range(self, "gain_db")

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {"gains_db": [drawn_uniformly(self.gain_db, generator) for _ in KNOTS_HZ]}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_audio:
            return clip
        spectrum = np.fft.rfft(clip.waveform)  # complex64 [N//2 + 1]
        pitches_hz = np.maximum(np.arange(len(spectrum)) * clip.sample_rate_hz / len(clip.waveform), 1.0)
        gains_db = np.interp(np.log(pitches_hz), np.log(KNOTS_HZ), parameters["gains_db"])
        spectrum *= (10 ** (gains_db / 20)).astype(np.float32)
        return with_sound(clip, np.fft.irfft(spectrum, len(clip.waveform)))  # float32 [N]


@dataclass(frozen=True)
class Throat(Augmentation):
    """Vocal tract length perturbation: scales the formants by a factor, as a shorter (above one) or longer tract would.

    The pitch of the voice stays, and nothing moves in time.
    """

    factor: Range = (0.85, 1.18)

    def __post_init__(self) -> None:
        require_range(self, "factor", 0.5, 2.0)

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {"factor": drawn_by_ratio(self.factor, generator)}

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        if not clip.has_audio:
            return clip
        return with_sound(clip, _resonating(clip.waveform, parameters["factor"]))


def _resonating(waveform: np.ndarray, factor: float) -> np.ndarray:
    """float32 [N]: the spectral envelope of each short piece is stretched, its fine structure stays."""
    padded = np.pad(waveform, (WINDOW, 2 * WINDOW))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]  # [P,WINDOW]
    spectra = np.fft.rfft(pieces * _SMOOTH)  # complex64 [P,F]
    outlines = _outlines(np.abs(spectra)) + 1e-6  # [P,F]
    # The source bin of each bin of the stretched envelope; above the highest frequency its last value continues.
    places = np.minimum(np.arange(outlines.shape[1]) / factor, outlines.shape[1] - 1)  # [F]
    before = np.minimum(places.astype(np.intp), outlines.shape[1] - 2)
    share = (places - before).astype(np.float32)
    wanted = outlines[:, before] * (1 - share) + outlines[:, before + 1] * share  # [P,F]
    changed = np.fft.irfft(spectra * (wanted / outlines), WINDOW) * _SMOOTH  # [P,WINDOW]
    # Pieces overlap: quarters of neighbours coincide, and the windows' squares add up to two.
    quarters = changed.reshape(len(changed), -1, STEP)  # [P,4,STEP]
    count = quarters.shape[1]
    made = np.zeros((len(changed) + count - 1, STEP), np.float32)
    for quarter in range(count):
        made[quarter : quarter + len(changed)] += quarters[:, quarter]
    return made.reshape(-1)[WINDOW : WINDOW + len(waveform)] / (count / 2)


def _outlines(strengths: np.ndarray) -> np.ndarray:
    """[P,F] -> [P,F]: the spectral envelope, as the mean of the `OUTLINE` neighbours of each bin, without harmonics."""
    sides = ((0, 0), (OUTLINE // 2 + 1, OUTLINE // 2))
    sums = np.cumsum(np.pad(strengths, sides, mode="edge"), axis=1, dtype=np.float64)
    return ((sums[:, OUTLINE:] - sums[:, :-OUTLINE]) / OUTLINE).astype(np.float32)
