"""Short tone bursts at known times, and finding their onsets again to a fraction of a millisecond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BURST_HZ = 3_000.0
BURST_S = 0.005
BURST_LEVEL = 0.7
HUM_HZ, HUM_LEVEL = 110.0, 0.01  # so that a stretch between bursts is not digital silence
LEAST_LEVEL = 0.05  # softer ones count as noise
WINDOW_S = 0.001  # whole periods of the burst, so that a steady hum cancels out


def burst_sound(start_s: float, end_s: float, burst_times_s: Sequence[float], rate_hz: int) -> np.ndarray:
    """float32 [N]: the sound from `start_s` to `end_s` on the clock, a burst beginning at each given time."""
    samples = round((end_s - start_s) * rate_hz)
    times_s = start_s + np.arange(samples) / rate_hz  # [N]
    sound = HUM_LEVEL * np.sin(2 * np.pi * HUM_HZ * times_s)  # [N]
    for burst_s in burst_times_s:
        # From a cosine's top: the first sample is already loud, the onset as sharp as the rate allows.
        since_s = times_s - burst_s
        inside = (since_s >= -1e-9) & (since_s < BURST_S)
        sound[inside] += BURST_LEVEL * np.cos(2 * np.pi * BURST_HZ * since_s[inside])
    return sound.astype(np.float32)


def burst_onsets_s(waveform: np.ndarray, rate_hz: float) -> np.ndarray:
    """float64 [K]: when each burst in `waveform`, float [N] mono, begins, in seconds from its first sample.

    A burst that has begun before the first sample gets the time of that sample.
    """
    window = max(round(WINDOW_S * rate_hz), 1)
    padded = np.concatenate([np.zeros(window), waveform])  # [N+window]
    turning = padded * np.exp(-2j * np.pi * BURST_HZ * np.arange(len(padded)) / rate_hz)
    running = np.concatenate([[0.0], np.cumsum(turning)])
    strength = 2 * np.abs(running[window:] - running[:-window]) / window  # [N+1], of the window before each sample
    half = strength.max() / 2
    if half < LEAST_LEVEL / 2:
        return np.empty(0)
    onsets_s: list[float] = []
    for place in np.flatnonzero((strength[:-1] < half) & (strength[1:] >= half)):
        # Half strength is reached when half the window has entered the burst, whatever its level.
        share = (half - strength[place]) / (strength[place + 1] - strength[place])
        onset_s = (place + share - window / 2) / rate_hz
        if not onsets_s or onset_s - onsets_s[-1] > 2 * BURST_S:  # else a ripple of the same burst
            onsets_s.append(max(float(onset_s), 0.0))
    return np.array(onsets_s)
