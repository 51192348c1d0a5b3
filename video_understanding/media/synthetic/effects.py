"""The sounds of the actions, struck or sustained in time with the movement, and background sound."""

from __future__ import annotations

import numpy as np

from video_understanding.media.synthetic.motions import Motion


def action_sound(motion: Motion, duration_s: float, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """float32 [N], within about -1..1: what the movement sounds like from 0 to `duration_s`."""
    samples = round(duration_s * rate_hz)
    times_s = np.arange(samples) / rate_hz  # [N]
    if motion.action in _STRIKES:
        sound = np.zeros(samples)  # [N]
        strike = _STRIKES[motion.action](rate_hz, rng)  # [n]
        for beat_s in motion.beats_s(duration_s):
            first = round(beat_s * rate_hz)
            part = strike[: samples - first]
            sound[first : first + len(part)] += part
        return sound.astype(np.float32)
    return _LASTING[motion.action](motion, times_s, rate_hz, rng).astype(np.float32)


def background_sound(duration_s: float, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """float32 [N], of unit power: low-pass noise with short tones, independent of the labels."""
    samples = round(duration_s * rate_hz)
    rustle = smoothed(rng.standard_normal(samples), rate_hz, 600.0)  # [N]
    for _ in range(int(duration_s * 1.5)):
        first, pitch_hz = rng.integers(0, max(samples, 1)), rng.uniform(300, 2_500)
        since_s = np.arange(min(int(0.08 * rate_hz), samples - first)) / rate_hz  # [n]
        rustle[first : first + len(since_s)] += 2 * np.sin(2 * np.pi * pitch_hz * since_s) * np.exp(-since_s / 0.02)
    return (rustle / max(rustle.std(), 1e-9)).astype(np.float32) if samples else rustle.astype(np.float32)


def smoothed(noise: np.ndarray, rate_hz: int, cutoff_hz: float) -> np.ndarray:
    """float64 [N] of unit power: noise [N] with what lies above `cutoff_hz` faded out, a pole's 6 dB an octave."""
    if not len(noise):
        return noise
    frequencies_hz = np.fft.rfftfreq(len(noise), 1 / rate_hz)
    soft = np.fft.irfft(np.fft.rfft(noise) / (1 + frequencies_hz / cutoff_hz), len(noise))
    return soft / max(soft.std(), 1e-9)


def _thud(rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    since_s = np.arange(int(0.16 * rate_hz)) / rate_hz
    falling_hz = 70 + 90 * np.exp(-since_s / 0.02)
    body = np.sin(2 * np.pi * np.cumsum(falling_hz) / rate_hz + np.pi / 2) * np.exp(-since_s / 0.045)
    slap = 0.5 * rng.standard_normal(len(since_s)) * np.exp(-since_s / 0.004)
    return body + slap


def _rattle(rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    since_s = np.arange(int(0.03 * rate_hz)) / rate_hz
    hiss = np.diff(rng.standard_normal(len(since_s) + 1))  # bright, like seeds in a box
    return 0.5 * hiss * np.exp(-since_s / 0.007)


def _bell(rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    since_s = np.arange(int(0.35 * rate_hz)) / rate_hz
    pitch_hz = rng.uniform(1_500, 1_900)
    partials = ((1.0, 0.5, 0.12), (2.76, 0.3, 0.06), (0.5, 0.15, 0.15))  # an uneven row, as metal has it
    return sum(
        level * np.sin(2 * np.pi * factor * pitch_hz * since_s) * np.exp(-since_s / decay_s)
        for factor, level, decay_s in partials
        if factor * pitch_hz < 0.45 * rate_hz
    )


def _whirr(motion: Motion, times_s: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A fan: a low buzz that swells twice a turn."""
    pitch_hz = 70 / motion.period_s
    waves = sum(np.sin(2 * np.pi * order * pitch_hz * times_s) / order for order in range(1, 13))
    return motion.effort(times_s) * (0.45 * waves + 0.1 * smoothed(rng.standard_normal(len(times_s)), rate_hz, 1_500.0))


def _scrape(motion: Motion, times_s: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """Friction: noise as strong as the sliding is fast, silent where it turns."""
    return 0.42 * motion.effort(times_s) ** 1.5 * smoothed(rng.standard_normal(len(times_s)), rate_hz, 2_500.0)


def _whistle(motion: Motion, times_s: np.ndarray, rate_hz: int, rng: np.random.Generator) -> np.ndarray:
    """A slide whistle: the larger the figure, the higher."""
    pitch_hz = rng.uniform(550, 650) * 2 ** (1.2 * motion.effort(times_s))
    turns = np.cumsum(pitch_hz) / rate_hz
    return 0.35 * np.sin(2 * np.pi * turns) + 0.05 * np.sin(6 * np.pi * turns)


_STRIKES = {"bounce": _thud, "shake": _rattle, "wave": _bell}
_LASTING = {"spin": _whirr, "slide": _scrape, "grow": _whistle}
