"""The log-mel picture of a hop of sound, computed in the graph so that it travels with the model."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("video_understanding")
class LogMel(keras.layers.Layer):
    """float32 [B, ..., samples] -> float32 [B, ..., steps, bands], in decibels above `floor_power`.

    Each hop is seen by itself: half of what a window reaches beyond its step is added as silence on
    both sides, so that a hop of n steps gives n columns and depends on nothing around it. The values
    are those of librosa's mel spectrogram (power, Slaney's scale and area normalisation), limited
    from below so that silence is zero.

    sample_rate_hz               of the sound
    window_samples, step_samples how long one column looks, and how far apart columns lie
    bands, low_hz, high_hz       the mel bands
    floor_power                  power of a band that counts as silence
    """

    def __init__(
        self,
        sample_rate_hz: int,
        window_samples: int,
        step_samples: int,
        bands: int,
        low_hz: float,
        high_hz: float,
        floor_power: float = 1e-6,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sample_rate_hz = sample_rate_hz
        self.window_samples = window_samples
        self.step_samples = step_samples
        self.bands = bands
        self.low_hz = low_hz
        self.high_hz = high_hz
        self.floor_power = floor_power
        self.fft_samples = 1 << (window_samples - 1).bit_length()
        # Kept as plain arrays: constants of the graph, not weights that a file could lose.
        self._mel = _mel_matrix(sample_rate_hz, self.fft_samples, bands, low_hz, high_hz)  # [fft/2+1,bands]
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_samples) / window_samples)).astype(np.float32)
        self._waves = [_Waves.of(self._mel, window_samples, self.fft_samples, is_odd) for is_odd in (0, 1)]

    def call(self, waveform: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        waveform = tf.cast(waveform, tf.float32)  # decibels need the precision, whatever the policy computes in
        frames = self._frames(waveform) * self._window  # [B, ..., steps, window]
        # The same in two ways: TensorFlow's transform is the quicker one for the many hops of a training step, but a
        # device takes three times as long for it as for products, and what is told must be alike everywhere.
        mel = self._by_transform(frames) if training else self._by_products(frames)  # [B, ..., steps, bands]
        decibels = (10 / np.log(10)) * tf.math.log(tf.maximum(mel, self.floor_power) / self.floor_power)
        # The name is what quantisation looks for when it leaves this part in float.
        return tf.identity(decibels, name="log_mel")

    def _frames(self, waveform: tf.Tensor) -> tf.Tensor:
        """[B, ..., samples] -> [B, ..., steps, window], by laying the pieces beside each other that steps share."""
        window, step, samples = self.window_samples, self.step_samples, waveform.shape[-1]
        steps, left, piece = samples // step, (window - step) // 2, math.gcd(window, step)
        right = (steps - 1) * step + window - left - samples
        if right < 0:  # a rest that no window reaches
            waveform, right = waveform[..., :right], 0
        padded = tf.pad(waveform, [[0, 0]] * (len(waveform.shape) - 1) + [[left, right]])
        lead = (-1, *waveform.shape[1:-1])
        pieces = tf.reshape(padded, (*lead, (left + samples + right) // piece, piece))  # [B, ..., pieces, piece]
        places = np.arange(steps)[:, None] * (step // piece) + np.arange(window // piece)  # [steps,window/piece]
        return tf.reshape(tf.gather(pieces, places.astype(np.int32), axis=-2), (*lead, steps, window))

    def _by_transform(self, frames: tf.Tensor) -> tf.Tensor:
        """Frames [B, ..., steps, window] -> power of the bands [B, ..., steps, bands]."""
        spectrum = tf.signal.rfft(frames, [self.fft_samples])  # [B, ..., steps, fft/2+1]
        return tf.matmul(tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum)), self._mel)

    def _by_products(self, frames: tf.Tensor) -> tf.Tensor:
        """The same, by products with waves a quarter as long as the transform.

        About the middle of a frame cosines are alike on both sides and sines opposite; about a quarter of the
        transform, those of even and of odd frequencies are alike or opposite. So what they multiply is added first.
        """
        size, half = self.window_samples, self.window_samples // 2
        far = max(0, math.ceil(size / 2 - self.fft_samples / 4) - 1)  # places that lie beyond the quarter
        turned = tf.reverse(frames, axis=[-1])
        # The sample n places after the first, and the one as far before the end: [B, ..., steps, half-far] each.
        rising, falling = frames[..., far + 1 : half + 1], turned[..., far:half]
        # Those beyond the quarter, in the order of the ones they meet: [B, ..., steps, far] each.
        far_rising, far_falling = turned[..., size - 1 - far : size - 1], frames[..., size - far :]
        met = size - self.fft_samples // 2 - 1  # the last place that one of them meets
        padding = [[0, 0]] * (len(frames.shape) - 1) + [[met - 2 * far, half - met]]
        alike, opposite = rising + falling, rising - falling
        far_alike, far_opposite = tf.pad(far_rising + far_falling, padding), tf.pad(far_rising - far_falling, padding)
        halves = (
            (alike + far_alike, opposite - far_opposite),  # for the even frequencies
            (alike - far_alike, opposite + far_opposite),  # for the odd ones
        )
        mel = []
        for (cosine_part, sine_part), waves in zip(halves, self._waves, strict=True):
            real = tf.matmul(cosine_part, waves.cosines)  # [B, ..., steps, f]
            imaginary = tf.matmul(sine_part, waves.sines)  # [B, ..., steps, f]
            mel.append(tf.matmul(tf.square(real) + tf.square(imaginary), waves.mel))  # [B, ..., steps, bands]
        return mel[0] + mel[1]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        samples = input_shape[-1]
        steps = None if samples is None else (samples - self.step_samples) // self.step_samples + 1
        return (*input_shape[:-1], steps, self.bands)

    def compute_output_spec(self, waveform: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(waveform.shape), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        names = ("sample_rate_hz", "window_samples", "step_samples", "bands", "low_hz", "high_hz", "floor_power")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class _Waves(NamedTuple):
    """Of the even or the odd frequencies that any band hears: waves float32 [places,f], and the bands [f,bands]."""

    cosines: np.ndarray
    sines: np.ndarray
    mel: np.ndarray

    @classmethod
    def of(cls, mel: np.ndarray, window_samples: int, fft_samples: int, is_odd: int) -> _Waves:
        """As `LogMel._by_products` multiplies them with its places, which count from the window's first sample on."""
        heard = np.flatnonzero(mel.any(axis=1))
        heard = heard[heard % 2 == is_odd]  # [f]
        places = np.arange(1, window_samples // 2 + 1)
        middle = window_samples / 2
        places = places[middle - places <= fft_samples / 4]
        waves = np.exp(2j * np.pi * np.outer(middle - places, heard) / fft_samples)  # [places,f]
        waves[places == middle] /= 2  # the middle is added to itself
        return cls(waves.real.astype(np.float32), waves.imag.astype(np.float32), mel[heard])


def _mel_matrix(sample_rate_hz: int, fft_samples: int, bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """float32 [F,bands]: how much each frequency counts in each band."""
    import librosa

    matrix = librosa.filters.mel(sr=sample_rate_hz, n_fft=fft_samples, n_mels=bands, fmin=low_hz, fmax=high_hz)
    return np.ascontiguousarray(matrix.T, np.float32)
