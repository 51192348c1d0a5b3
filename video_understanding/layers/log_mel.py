"""The log-mel picture of a hop of sound, computed in the graph so that it travels with the model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable("video_understanding")
class LogMel(keras.layers.Layer):
    """float32 [..., samples] -> float32 [..., steps, bands], in decibels above `floor_power`.

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
        self._pad = (
            (window_samples - step_samples) // 2,
            window_samples - step_samples - (window_samples - step_samples) // 2,
        )
        # Kept as plain arrays: constants of the graph, not weights that a file could lose.
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window_samples) / window_samples)).astype(np.float32)
        self._mel = _mel_matrix(sample_rate_hz, self.fft_samples, bands, low_hz, high_hz)  # [F,bands]

    def call(self, waveform: tf.Tensor) -> tf.Tensor:
        waveform = tf.cast(waveform, tf.float32)  # decibels need the precision, whatever the policy computes in
        padding = [[0, 0]] * (len(waveform.shape) - 1) + [list(self._pad)]
        frames = tf.signal.frame(
            tf.pad(waveform, padding), self.window_samples, self.step_samples
        )  # [..., steps, window]
        spectrum = tf.signal.rfft(frames * self._window, [self.fft_samples])  # [..., steps, F]
        power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        mel = tf.matmul(power, self._mel)  # [..., steps, bands]
        decibels = (10 / np.log(10)) * tf.math.log(tf.maximum(mel, self.floor_power) / self.floor_power)
        # The name is what quantisation looks for when it leaves this part in float.
        return tf.identity(decibels, name="log_mel")

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        samples = input_shape[-1]
        steps = None if samples is None else (samples - self.step_samples) // self.step_samples + 1
        return (*input_shape[:-1], steps, self.bands)

    def compute_output_spec(self, waveform: Any) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(waveform.shape), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        names = ("sample_rate_hz", "window_samples", "step_samples", "bands", "low_hz", "high_hz", "floor_power")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _mel_matrix(sample_rate_hz: int, fft_samples: int, bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """float32 [F,bands]: how much each frequency counts in each band."""
    import librosa

    matrix = librosa.filters.mel(sr=sample_rate_hz, n_fft=fft_samples, n_mels=bands, fmin=low_hz, fmax=high_hz)
    return np.ascontiguousarray(matrix.T, np.float32)
