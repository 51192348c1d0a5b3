"""What teacher and student hear: pieces of recordings and of drawn voices, stretched, coloured, mixed and drowned."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from video_understanding.media.decode import iter_clips
from video_understanding.media.synthetic.effects import background_sound
from video_understanding.media.synthetic.voice import Manner, Utterance
from video_understanding.spec import ModelSpec, VideoSpec

RATE_HZ = 16_000
ENDINGS = {".mp4", ".avi", ".mkv", ".mov", ".webm", ".flac", ".wav", ".mp3", ".m4a", ".ogg"}
LONGEST_S = 30.0  # of one file
VOICES = 300
_WHOLE_SECOND = ModelSpec(window_s=1.0, video=VideoSpec(frames_hz=1, height_px=8, width_px=8))


def read_sounds(folders: Iterable[Path]) -> list[list[np.ndarray]]:
    """For each folder the sound of its files, float32 [N] each; files without any are left out."""
    found = []
    for folder in folders:
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in ENDINGS)
        sounds = [sound for sound in map(_read, files) if len(sound) and np.abs(sound).max() > 1e-4]
        print(f"{folder.name}: {len(sounds)} sounds, {sum(map(len, sounds)) / RATE_HZ / 60:.1f} min", flush=True)
        found.append(sounds)
    return found


def _read(file: Path) -> np.ndarray:
    heard = []
    for clip in iter_clips(file, _WHOLE_SECOND):
        if clip.start_s >= LONGEST_S:
            break
        heard.append(clip.waveform)
    return np.concatenate(heard) if heard else np.zeros(0, np.float32)


def drawn_sounds(seed: int) -> list[np.ndarray]:
    """Voices that nobody has, half of them before a background, float32 [N] each."""
    chance = np.random.default_rng([seed, 1])
    sounds = []
    for number in range(VOICES):
        low, high = np.array(_MANNERS).T
        manner = Manner(*(float(value) for value in chance.uniform(low, high)))
        pitch_hz, throat = float(chance.uniform(80, 320)), float(chance.uniform(0.8, 1.3))
        sound = 0.5 * Utterance(manner, pitch_hz, throat, seed * VOICES + number).waveform(4.0, RATE_HZ)
        if number % 2:
            sound = sound + chance.uniform(0.002, 0.2) * background_sound(4.0, RATE_HZ, chance)
        sounds.append(sound.astype(np.float32))
    return sounds


_MANNERS = (  # lowest and highest of each number of a Manner
    *((0.8, 1.8), (-0.5, 1.0), (0.0, 0.6), (1.2, 6.0), (0.4, 0.9), (0.3, 1.0)),
    *((0.5, 2.5), (0.0, 0.8), (0.0, 0.6), (0.0, 0.15), (0.005, 0.1)),
)


class Pieces:
    """Batches of pieces, float32 [B,N], each batch drawn from the seed and its number alone."""

    def __init__(self, sources: list[list[np.ndarray]], samples: int, batch_size: int, seed: int) -> None:
        self._sources = [source for source in sources if source]
        minutes = np.array([sum(map(len, source)) for source in self._sources], float)
        # Between as long as they are and all alike, so that a small source is heard, too.
        self._chances = np.sqrt(minutes) / np.sqrt(minutes).sum()
        self._samples, self._batch_size, self._seed = samples, batch_size, seed

    def batch(self, number: int) -> np.ndarray:
        """The pieces [B,N] of this batch."""
        chance = np.random.default_rng([self._seed, 2, number])
        return np.stack([self._piece(chance) for _ in range(self._batch_size)])

    def _piece(self, chance: np.random.Generator) -> np.ndarray:
        piece = self._cut(chance)
        if chance.random() < 0.35:
            piece = piece + self._cut(chance) * 10 ** (chance.uniform(-20, 5) / 20)
        if chance.random() < 0.7:
            piece = _coloured(piece, chance.normal(0, 5, 6))
        if chance.random() < 0.4:
            noise = _coloured(chance.standard_normal(self._samples).astype(np.float32), chance.normal(0, 12, 6))
            piece = piece + _level(noise) * 10 ** (-chance.uniform(0, 45) / 20)
        if chance.random() < 0.1:
            begin, end = np.sort(chance.integers(0, self._samples, 2))
            piece[begin:end] *= 10 ** (-chance.uniform(20, 80) / 20)
        loud = _level(piece) * 10 ** (chance.uniform(-52, -8) / 20)
        return np.clip(loud, -1, 1).astype(np.float32)

    def _cut(self, chance: np.random.Generator) -> np.ndarray:
        """A piece of a sound, faster and higher or slower and lower by up to half an octave, of unit power."""
        source = self._sources[chance.choice(len(self._sources), p=self._chances)]
        sound = source[chance.integers(len(source))]
        speed = 2 ** chance.uniform(-0.5, 0.5) if chance.random() < 0.7 else 1.0
        begin = chance.uniform(-0.2 * self._samples, max(0.0, len(sound) - 0.8 * speed * self._samples))
        places = begin + speed * np.arange(self._samples)
        cut = np.interp(places, np.arange(len(sound)), sound, left=0.0, right=0.0)
        return _level(cut.astype(np.float32))


def _coloured(sound: np.ndarray, knots_db: np.ndarray) -> np.ndarray:
    """The sound with gains at six pitches, an octave and a bit apart, and evenly between them."""
    spectrum = np.fft.rfft(sound)
    pitches = np.log2(np.maximum(np.arange(len(spectrum)) * RATE_HZ / len(sound), 60.0))
    gains_db = np.interp(pitches, np.linspace(np.log2(100), np.log2(7500), len(knots_db)), knots_db)
    return np.fft.irfft(spectrum * (10 ** (gains_db / 20)).astype(np.float32), len(sound)).astype(np.float32)


def _level(sound: np.ndarray) -> np.ndarray:
    return sound / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-5)
