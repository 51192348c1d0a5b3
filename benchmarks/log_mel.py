"""What the log-mel of sound costs, in training's graph and as exported, beside librosa, torch, Keras and others.

    python -m benchmarks.log_mel [--quick] [--json FILE] [--page FILE]

All sides take turns in one run, and each has one thread. They get the same hops of half a second, padded alike, and
give the same columns. Every ratio is ours over theirs: the median of the rounds, and the lowest and highest of them;
that of CPU time comes first, that on the clock below.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")  # before NumPy is loaded

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.pivot import pivots
from benchmarks.processors import SideBySide
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, read_options, tell
from benchmarks.turns import take_turns
from video_understanding.spec import AudioSpec

if TYPE_CHECKING:
    from video_understanding.layers.log_mel import LogMel

_AUDIO = AudioSpec()
_HOP, _FFT, _WINDOW, _STEP = _AUDIO.hop_samples, _AUDIO.fft_samples, _AUDIO.mel_window_samples, _AUDIO.mel_step_samples
_REACH = (_FFT - _STEP) // 2  # librosa and torch put the window into the middle of the transform
_SIZES = ((1, 1), (10, 1), (60, 1), (1, 16), (10, 16), (60, 16))  # seconds, sounds at a time
_QUICK_SIZES = ((1, 1), (10, 1), (10, 16))
_AT_LEAST_HOPS = 64  # of shorter sound, as many one after the other are one turn: a clock is no good below that
_MOST_DB = 0.01  # that ours may be from librosa
_OURS = ("training", "exported")
_PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "librosa", "torch", "python_speech_features", "numpy")

LogMels = Callable[[np.ndarray], np.ndarray]  # hops float32 [n,samples] -> decibels above the floor [n,steps,bands]


@dataclass
class Report(Measured):
    """All that was measured."""

    ours_cpu_ms: dict[str, Spread] = field(default_factory=dict)
    differs_db: dict[str, dict[str, float]] = field(default_factory=dict)
    """For each side and sound, the largest difference from librosa in any band of any column."""


def main() -> int:
    options = read_options(__doc__)
    report = Report(machine=machine(_PACKAGES, options.rounds))
    sides = _sides(report)
    _compare(sides, report)
    gc.freeze()  # looking through what the packages keep would take longer than most turns
    for seconds, sounds in _QUICK_SIZES if options.quick else _SIZES:
        _measure(seconds, sounds, sides, options.rounds, report)
    tell(report, options, lines=list(_lines(report)), title="Log-mel", text=_TEXT)
    return 0


def _sides(report: Report) -> dict[str, LogMels]:
    """Ours in both forms, and all others that are installed."""
    sides = {}
    makers = {
        "ours, training": _training, "ours, exported": _exported, "librosa": _librosa,
        "librosa, bands kept": _librosa_with_kept_bands, "torch": _torch, "Keras": _keras,
        "speech_features": _speech_features,
    }  # fmt: skip
    for name, make in makers.items():
        try:
            sides[name] = make()
        except ImportError:
            report.absent.append(name)
    return sides


def _layer() -> LogMel:
    """The layer of the default spec, on one thread."""
    import tensorflow as tf

    from video_understanding.layers.log_mel import LogMel

    if tf.config.threading.get_intra_op_parallelism_threads() != 1:  # once is all that TensorFlow allows
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    log_mel = _AUDIO.log_mel
    return LogMel(
        _AUDIO.sample_rate_hz, _WINDOW, _STEP, log_mel.bands, log_mel.low_hz, log_mel.high_hz, log_mel.floor_power
    )


def _training() -> LogMels:
    """As in a training step: by the transform, in a graph."""
    import tensorflow as tf

    layer = _layer()
    graph = tf.function(
        lambda hops: layer(hops, training=True), input_signature=[tf.TensorSpec((None, _HOP), tf.float32)]
    )
    return lambda hops: graph(tf.constant(hops)).numpy()


def _exported() -> LogMels:
    """As on a device: by products, converted as exports are, hop by hop."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    layer = _layer()
    graph = tf.function(
        lambda sound: layer(sound, training=False), input_signature=[tf.TensorSpec((1, _HOP), tf.float32)]
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.get_concrete_function()], layer)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def log_mels(hops: np.ndarray) -> np.ndarray:
        found = np.empty((len(hops), _AUDIO.mel_steps_per_hop, _AUDIO.log_mel.bands), np.float32)
        for place in range(len(hops)):
            interpreter.set_tensor(taken, hops[place : place + 1])
            interpreter.invoke()
            found[place] = interpreter.get_tensor(given)[0]
        return found

    return log_mels


def _librosa() -> LogMels:
    """As it is called: it works its bands out anew each time."""
    import librosa

    log_mel = _AUDIO.log_mel

    def log_mels(hops: np.ndarray) -> np.ndarray:
        power = librosa.feature.melspectrogram(
            y=_padded(hops), sr=_AUDIO.sample_rate_hz, n_fft=_FFT, win_length=_WINDOW, hop_length=_STEP, center=False,
            power=2.0, n_mels=log_mel.bands, fmin=log_mel.low_hz, fmax=log_mel.high_hz,
        )  # [n,bands,steps]  # fmt: skip
        return _decibels(power)

    return log_mels


def _librosa_with_kept_bands() -> LogMels:
    """The same, by a caller who works the bands out once."""
    import librosa

    bands = _bands()

    def log_mels(hops: np.ndarray) -> np.ndarray:
        spectrum = librosa.stft(_padded(hops), n_fft=_FFT, win_length=_WINDOW, hop_length=_STEP, center=False)
        return _decibels(bands @ (spectrum.real**2 + spectrum.imag**2))  # of [n,bands,steps]

    return log_mels


def _decibels(power: np.ndarray) -> np.ndarray:
    """[n,bands,steps] -> [n,steps,bands]"""
    import librosa

    floor = _AUDIO.log_mel.floor_power
    return librosa.power_to_db(power, ref=floor, amin=floor, top_db=None).swapaxes(1, 2)


def _torch() -> LogMels:
    """`torch.stft` and librosa's bands."""
    import torch

    torch.set_num_threads(1)
    bands, window, floor = torch.from_numpy(_bands()), torch.hann_window(_WINDOW), _AUDIO.log_mel.floor_power

    @torch.inference_mode()
    def log_mels(hops: np.ndarray) -> np.ndarray:
        padded = torch.nn.functional.pad(torch.from_numpy(hops), (_REACH, _FFT - _STEP - _REACH))
        spectrum = torch.stft(padded, _FFT, _STEP, _WINDOW, window, center=False, return_complex=True)  # [n,F,steps]
        power = bands @ (spectrum.real.square() + spectrum.imag.square())  # [n,bands,steps]
        return (10 * torch.log10(power.clamp(min=floor) / floor)).transpose(1, 2).numpy()

    return log_mels


def _keras() -> LogMels:
    """Keras's own layer, with bands of another scale, in a graph."""
    import keras
    import tensorflow as tf

    log_mel = _AUDIO.log_mel
    layer = keras.layers.MelSpectrogram(
        fft_length=_FFT, sequence_stride=_STEP, sequence_length=_WINDOW, sampling_rate=_AUDIO.sample_rate_hz,
        num_mel_bins=log_mel.bands, min_freq=log_mel.low_hz, max_freq=log_mel.high_hz, mag_exp=2.0,
        min_power=log_mel.floor_power, ref_power=log_mel.floor_power, top_db=200.0,
    )  # fmt: skip
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, _HOP), tf.float32)])
    return lambda hops: graph(tf.constant(hops)).numpy().swapaxes(1, 2)[:, : _AUDIO.mel_steps_per_hop]


def _speech_features() -> LogMels:
    """python_speech_features, with bands of another scale; it knows one sound at a time."""
    import python_speech_features

    log_mel, outer = _AUDIO.log_mel, (_WINDOW - _STEP) // 2

    def log_mels(hops: np.ndarray) -> np.ndarray:
        found = [
            python_speech_features.fbank(
                hop, _AUDIO.sample_rate_hz, log_mel.window_s, log_mel.step_s, log_mel.bands, _FFT, log_mel.low_hz,
                log_mel.high_hz, preemph=0, winfunc=np.hanning,
            )[0]
            for hop in np.pad(hops, ((0, 0), (outer, outer)))
        ]  # fmt: skip
        power = np.array(found, np.float32)  # [n,steps,bands]
        return 10 * np.log10(np.maximum(power, log_mel.floor_power) / log_mel.floor_power)

    return log_mels


def _bands() -> np.ndarray:
    """float32 [bands,F]"""
    import librosa

    log_mel = _AUDIO.log_mel
    return librosa.filters.mel(
        sr=_AUDIO.sample_rate_hz, n_fft=_FFT, n_mels=log_mel.bands, fmin=log_mel.low_hz, fmax=log_mel.high_hz
    )


def _padded(hops: np.ndarray) -> np.ndarray:
    return np.pad(hops, ((0, 0), (_REACH, _FFT - _STEP - _REACH)))  # [n,samples]


def _compare(sides: dict[str, LogMels], report: Report) -> None:
    """All sides beside librosa; ours has to be the same, or nothing that is measured would mean anything."""
    for kind, sound in _sounds().items():
        expected = sides["librosa"](sound)  # [n,steps,bands]
        for name, log_mels in sides.items():
            found = log_mels(sound)
            if found.shape != expected.shape:
                raise RuntimeError(f"{name} gives {found.shape}, not {expected.shape}")
            differs_db = float(np.abs(found - expected).max())
            if name.startswith("ours") and not differs_db < _MOST_DB:
                raise RuntimeError(f"{name} is {differs_db:.3f} dB from librosa, in {kind}")
            report.differs_db.setdefault(name, {})[kind] = differs_db


def _sounds() -> dict[str, np.ndarray]:
    """Hops float32 [20,samples] of each kind of sound; "speech" is a buzz of moving pitch through a resonance."""
    rng, rate_hz = np.random.default_rng(3), _AUDIO.sample_rate_hz
    times_s = np.arange(20 * _HOP) / rate_hz  # [n]
    hums = sum(np.sin(2 * np.pi * hz * times_s) / 4 for hz in (220, 440.5, 3000))
    pitch = np.cumsum(120 + 40 * np.sin(2 * np.pi * 3 * times_s)) / rate_hz
    ringing = np.exp(-np.arange(200) / 30) * np.sin(2 * np.pi * 700 * np.arange(200) / rate_hz)
    speech = np.convolve(np.sign(np.sin(2 * np.pi * pitch)), ringing, "same") * (1 + np.sin(2 * np.pi * 4 * times_s))
    sounds = {
        "tones": hums,
        "noise": np.clip(rng.normal(0, 0.3, len(times_s)), -1, 1),
        "speech": 0.5 * speech / np.abs(speech).max(),
    }
    return {kind: sound.astype(np.float32).reshape(20, _HOP) for kind, sound in sounds.items()}


def _measure(seconds: int, sounds: int, sides: dict[str, LogMels], rounds: int, report: Report) -> None:
    many = sounds * round(seconds / _AUDIO.hop_s)
    hops = np.random.default_rng(4).normal(0, 0.1, (many, _HOP)).astype(np.float32)  # [n,samples]
    times = -(-_AT_LEAST_HOPS // many)
    jobs = {name: lambda log_mels=log_mels: [log_mels(hops) for _ in range(times)] for name, log_mels in sides.items()}
    what = f"{seconds} s" + (f" x {sounds}" if sounds > 1 else "")
    taken = take_turns(jobs, rounds, what, undisturbed=SideBySide())
    report.count_again(taken)
    for form in _OURS:
        ours = taken[f"ours, {form}"]
        report.ours_cpu_ms[f"{what}, {form}"] = Spread.of(ours.cpu_s).times(1000 / times)
        for name in sides:
            if not name.startswith("ours"):
                report.ratios.append(Ratio.of(f"{what}, {form}", name, ours, taken[name]))


_TEXT = """Sound to its log-mel by our layer, beside the ways people do it otherwise: the default spec (16 kHz, 25 ms
every 10 ms, 64 bands), hops of half a second, one thread each. "Training" is the layer in a graph, "exported" what a
device runs: converted alone, by LiteRT, hop by hop. Ratios are our time over theirs, the median and spread.

```text
{table}
```

librosa as it is called works out its bands anew each time; "bands kept" is for callers who keep them. torch is
`torch.stft` and librosa's bands. The layer of Keras and python_speech_features have bands of other shapes, and columns
of Keras lie elsewhere: they are there for the time they take, their values are not meant to be the same.

We lose to torch on short sound: some 0.4 ms of a second's 0.6 are the same for any length, TensorFlow's going through
the operations one by one. Exported it is made of products, which a device likes better than a transform; torch's
transform is quicker on this machine.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from pivots(report.ratios)
    kinds = list(next(iter(report.differs_db.values())))
    yield f"{'largest difference from librosa':<32}" + "".join(f"{kind:>12}" for kind in kinds)
    for name, row in report.differs_db.items():
        yield f"{name:<32}" + "".join(f"{row[kind]:>9.4f} dB" for kind in kinds)
    yield ""
    yield f"{'milliseconds of CPU time, ours':<32} {'median':>8} spread"
    for name, cpu_ms in report.ours_cpu_ms.items():
        yield f"{name:<32} {cpu_ms.columns(2, 8)}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
