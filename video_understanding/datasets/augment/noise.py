"""Noise: hiss or rumble under the sound, at a stated distance below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video_understanding.clip import SILENCE_PEAK, Clip
from video_understanding.datasets.augment.augmentation import (
    Augmentation,
    Parameters,
    Range,
    drawn_uniformly,
    require_range,
)
from video_understanding.datasets.augment.sound import sounding, with_sound
from video_understanding.errors import VideoUnderstandingError

COLOURS = ("white", "pink")
LOWEST_PINK_HZ = 20.0  # pink noise grows without bound towards zero; below this it is inaudible


@dataclass(frozen=True)
class Noise(Augmentation):
    """Adds noise where the file has sound.

    snr_db   power of the sound over power of the noise, both over the file's own sound; silence counts
             as the quietest sound there is (`SILENCE_PEAK`), so a silent clip stays all but silent
    colours  "white": all frequencies alike; "pink": all octaves alike
    """

    snr_db: Range = (8.0, 40.0)
    colours: tuple[str, ...] = COLOURS

    def __post_init__(self) -> None:
        require_range(self, "snr_db")
        object.__setattr__(self, "colours", tuple(self.colours))
        if not self.colours or not set(self.colours) <= set(COLOURS):
            raise VideoUnderstandingError(
                "Noise.colours", f"is {self.colours!r}", f"Give one or more of: {', '.join(COLOURS)}."
            )

    def draw(self, _clip: Clip, generator: np.random.Generator, /) -> Parameters:
        return {
            "snr_db": drawn_uniformly(self.snr_db, generator),
            "colour": self.colours[generator.integers(len(self.colours))],
            "seed": int(generator.integers(2**32)),
        }

    def apply(self, clip: Clip, parameters: Parameters, /) -> Clip:
        span = sounding(clip)
        sound = clip.waveform[span]  # [n]
        if not len(sound):
            return clip
        generator = np.random.default_rng(parameters["seed"])
        noise = _NOISE[parameters["colour"]](len(sound), clip.sample_rate_hz, generator)  # [n]
        wanted = max(_power(sound), SILENCE_PEAK**2) / 10.0 ** (parameters["snr_db"] / 10.0)
        noise *= np.float32(np.sqrt(wanted / max(_power(noise), np.finfo(np.float32).tiny)))
        noise += sound
        waveform = clip.waveform.copy()
        waveform[span] = noise
        return with_sound(clip, waveform)


def _white(samples: int, _sample_rate_hz: int, generator: np.random.Generator) -> np.ndarray:
    return generator.standard_normal(samples, dtype=np.float32)  # [n]


def _pink(samples: int, sample_rate_hz: int, generator: np.random.Generator) -> np.ndarray:
    frequencies_hz = np.fft.rfftfreq(samples, 1.0 / sample_rate_hz).astype(np.float32)  # [n//2 + 1]
    parts = generator.standard_normal((len(frequencies_hz), 2), dtype=np.float32)  # real and imaginary
    spectrum = parts.view(np.complex64)[:, 0]  # [n//2 + 1]
    spectrum /= np.sqrt(np.maximum(frequencies_hz, LOWEST_PINK_HZ))
    spectrum[frequencies_hz < LOWEST_PINK_HZ] = 0.0
    return np.fft.irfft(spectrum, samples)  # float32 [n]


_NOISE = {"white": _white, "pink": _pink}


def _power(waveform: np.ndarray) -> float:
    return float(np.mean(np.square(waveform), dtype=np.float64))
