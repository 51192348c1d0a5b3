"""The emotions as voices: syllables whose pitch, tempo, loudness and timbre carry the feeling, and no words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Manner:
    """How an emotion sounds, relative to the speaker's plain voice.

    pitch, rise      factor on the speaker's pitch, and octaves gained from a syllable's beginning to its end
    range_octaves    how far syllables differ in pitch
    syllables_hz     syllables a second
    fill             share of its time a syllable sounds
    level            loudness, 0..1
    brightness       how slowly higher harmonics fade: 1 plain, more is sharper
    rough            depth of a harsh 70 Hz beating
    breath           share of noise in the voice
    tremble_octaves  depth of a 9 Hz quaver of the pitch
    attack_s         how fast a syllable sets in
    """

    pitch: float
    rise: float
    range_octaves: float
    syllables_hz: float
    fill: float
    level: float
    brightness: float
    rough: float
    breath: float
    tremble_octaves: float
    attack_s: float


MANNERS = {
    "angry": Manner(1.15, -0.35, 0.20, 4.2, 0.70, 1.00, 1.9, 0.75, 0.10, 0.00, 0.008),
    "fearful": Manner(1.70, 0.10, 0.15, 5.6, 0.60, 0.50, 0.8, 0.00, 0.35, 0.12, 0.020),
    "happy": Manner(1.40, 0.30, 0.55, 4.4, 0.72, 0.80, 1.4, 0.00, 0.03, 0.00, 0.020),
    "neutral": Manner(1.00, -0.05, 0.06, 3.2, 0.75, 0.60, 1.0, 0.00, 0.05, 0.00, 0.030),
    "sad": Manner(0.85, -0.30, 0.10, 1.7, 0.80, 0.40, 0.6, 0.00, 0.12, 0.01, 0.080),
    "surprised": Manner(1.30, 0.95, 0.15, 1.5, 0.62, 0.80, 1.3, 0.00, 0.05, 0.00, 0.040),
}
VOWELS_HZ = np.array(  # three formants each: a, e, i, o, u
    [(750, 1200, 2500), (500, 1800, 2500), (300, 2200, 2900), (450, 850, 2400), (320, 700, 2300)], float
)
BANDWIDTH_HZ = np.array([90.0, 120.0, 180.0])
HIGHEST_HZ = 4_500.0


@dataclass(frozen=True)
class Utterance:
    """A sequence of syllables of any duration; a shorter one is a prefix of a longer one."""

    manner: Manner
    speaker_hz: float  # the speaker's plain pitch
    formant_scale: float  # a short throat (> 1) or a long one
    seed: int

    def _syllables(self, duration_s: float) -> np.ndarray:
        """float64 [K,5]: start and length in seconds, then pitch, vowel and level, each drawn from 0..1."""
        count = int(duration_s * self.manner.syllables_hz) + 2
        drawn = np.random.default_rng([self.seed, 2]).random((count, 5))  # [K,5]; row by row, so a prefix stays
        step_s = 1 / self.manner.syllables_hz
        start_s = (np.arange(count) + 0.25 * drawn[:, 0]) * step_s
        length_s = self.manner.fill * step_s * (0.85 + 0.3 * drawn[:, 1])
        return np.column_stack([start_s, length_s, drawn[:, 2:]])

    def loudness(self, times_s: np.ndarray) -> np.ndarray:
        """float64 [T], 0..1: how loud the voice is at each time, float64 [T]; the mouth follows it."""
        loudness = np.zeros_like(times_s)
        for start_s, length_s, _, _, level in self._syllables(float(times_s.max(initial=0.0))):
            loudness += self._envelope(times_s - start_s, length_s) * (0.75 + 0.25 * level)
        return np.minimum(loudness, 1.0)

    def _envelope(self, since_s: np.ndarray, length_s: float) -> np.ndarray:
        rising = np.clip(since_s / self.manner.attack_s, 0, 1)
        falling = np.clip((length_s - since_s) / (0.4 * length_s), 0, 1)
        return rising * falling

    def waveform(self, duration_s: float, rate_hz: int) -> np.ndarray:
        """float32 [N], within about -1..1."""
        samples = round(duration_s * rate_hz)
        sound = np.zeros(samples, np.float32)  # [N]
        rng = np.random.default_rng([self.seed, 3])
        for start_s, length_s, pitch, vowel, level in self._syllables(duration_s):
            first = round(start_s * rate_hz)
            length = min(round(length_s * rate_hz), samples - first)
            if length > 1:
                syllable = self._syllable(length, rate_hz, length_s, pitch, vowel, rng)  # [n]
                sound[first : first + length] += syllable * (0.75 + 0.25 * level)
        return sound

    def _syllable(
        self, length: int, rate_hz: int, length_s: float, pitch: float, vowel: float, rng: np.random.Generator
    ) -> np.ndarray:
        manner = self.manner
        since_s = np.arange(length) / rate_hz  # [n]
        octaves = manner.range_octaves * (2 * pitch - 1) + manner.rise * (since_s / length_s - 0.5)
        octaves += manner.tremble_octaves * np.sin(2 * np.pi * 9 * since_s)
        pitch_hz = self.speaker_hz * manner.pitch * 2**octaves  # [n]
        turns = np.cumsum(pitch_hz) / rate_hz  # [n]
        count = max(int(min(HIGHEST_HZ, 0.45 * rate_hz) / pitch_hz.max()), 1)
        order = np.arange(1, count + 1)  # [K] harmonics
        heights = self._timbre(order * pitch_hz.mean(), VOWELS_HZ[int(vowel * len(VOWELS_HZ))])  # [K]
        waves = np.sin((2 * np.pi * order[:, None] * (turns % 1.0)).astype(np.float32))  # [K,n]
        sound = heights.astype(np.float32) @ waves  # [n]
        if manner.rough:
            sound *= 1 - manner.rough * (0.5 + 0.5 * np.sin(2 * np.pi * 70 * since_s))
        noise = np.diff(rng.standard_normal(length + 1))  # [n], bright like breath
        sound = (1 - manner.breath) * sound + 0.35 * manner.breath * noise
        return (manner.level * self._envelope(since_s, length_s) * sound).astype(np.float32)

    def _timbre(self, harmonics_hz: np.ndarray, formants_hz: np.ndarray) -> np.ndarray:
        """float64 [K]: the strength of each harmonic after the throat, of unit power altogether."""
        away = (harmonics_hz[:, None] - self.formant_scale * formants_hz) / BANDWIDTH_HZ  # [K,3]
        resonance = (1 / np.sqrt(1 + away**2) * np.array([1.0, 0.6, 0.35])).sum(axis=1)  # [K]
        slope = (harmonics_hz / harmonics_hz[0]) ** (-0.9 / self.manner.brightness)
        heights = (resonance + 0.05) * slope
        return heights / np.sqrt((heights**2).sum() / 2) * 0.5
