"""What the log-mel of sound costs, in training's graph and as exported, beside librosa, torch and Keras."""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")  # before NumPy is loaded

import gc
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Run
from video_understanding.spec import AudioSpec

if TYPE_CHECKING:
    from video_understanding.layers.log_mel import LogMel

TITLE = "Log-mel"
PACKAGES = ("tensorflow", "keras", "ai-edge-litert", "librosa", "torch", "numpy")
_AUDIO = AudioSpec()
_MEL = _AUDIO.log_mel
_CHUNK, _FFT, _WINDOW, _STEP = (
    _AUDIO.hop_samples, _AUDIO.fft_samples, _AUDIO.mel_window_samples, _AUDIO.mel_step_samples,
)  # fmt: skip
_PAD = ((_FFT - _STEP) // 2, (_FFT - _STEP + 1) // 2)  # librosa and torch put the window into the transform's middle
_BANDS = {"sr": _AUDIO.sample_rate_hz, "n_mels": _MEL.bands, "fmin": _MEL.low_hz, "fmax": _MEL.high_hz}
_SIZES = ((1, 1), (10, 1), (60, 1), (1, 16), (10, 16), (60, 16))  # seconds, sounds at a time
_QUICK_SIZES = ((1, 1), (10, 1), (10, 16))
_AT_LEAST_CHUNKS = 64  # of shorter sound, as many one after the other are one job: a clock is no good below that
_MOST_DB = 0.01  # that ours may be from librosa

Transform = Callable[[np.ndarray], np.ndarray]  # chunks float32 [n,samples] -> decibels above the floor [n,steps,bands]


def measure(run: Run) -> None:
    sides: dict[str, Transform] = {}
    for name, make in _SIDES.items():
        sides |= run.installed(name, make)
    _require_same(run, sides)
    gc.freeze()  # looking through what the packages keep would take longer than most rounds
    for seconds, sounds in _QUICK_SIZES if run.quick else _SIZES:
        _measure(run, seconds, sounds, sides)


def _measure(run: Run, seconds: int, sounds: int, sides: dict[str, Transform]) -> None:
    many = sounds * round(seconds / _AUDIO.hop_s)
    chunks = np.random.default_rng(4).normal(0, 0.1, (many, _CHUNK)).astype(np.float32)  # [n,samples]
    times = -(-_AT_LEAST_CHUNKS // many)
    jobs = {name: lambda own=own: [own(chunks) for _ in range(times)] for name, own in sides.items()}
    what = f"{seconds} s" + (f" x {sounds}" if sounds > 1 else "")
    timings = run.interleave(what, jobs, pieces=times, parallel=True)
    for form in ("training", "exported"):
        for name in sides:
            if not name.startswith("ours"):
                run.ratio(f"{what}, {form}", name, timings[f"ours, {form}"], timings[name])


def _require_same(run: Run, sides: dict[str, Transform]) -> None:
    """All sides beside librosa; ours has to be the same, or nothing that is measured would mean anything."""
    chunks = np.clip(np.random.default_rng(3).normal(0, 0.3, (20, _CHUNK)), -1, 1).astype(np.float32)
    expected = sides["librosa"](chunks)  # [n,steps,bands]
    for name, transform in sides.items():
        off_db = float(np.abs(transform(chunks) - expected).max())
        run.cell("largest difference from librosa, of noise", name, "", f"{off_db:7.4f} dB")
        if name.startswith("ours") and not off_db < _MOST_DB:
            raise RuntimeError(f"{name} is {off_db:.3f} dB from librosa")


def _layer() -> LogMel:
    """The layer of the default spec, on one thread."""
    import tensorflow as tf

    from video_understanding.layers.log_mel import LogMel

    if tf.config.threading.get_intra_op_parallelism_threads() != 1:  # once is all that TensorFlow allows
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    return LogMel(_AUDIO.sample_rate_hz, _WINDOW, _STEP, _MEL.bands, _MEL.low_hz, _MEL.high_hz, _MEL.floor_power)


def _graph(function: Callable, chunks: int | None) -> Any:
    import tensorflow as tf

    return tf.function(function, input_signature=[tf.TensorSpec((chunks, _CHUNK), tf.float32)])


def _training() -> Transform:
    """As in a training step: by the transform, in a graph."""
    graph = _graph(partial(_layer(), training=True), None)
    return lambda chunks: graph(chunks).numpy()


def _exported() -> Transform:
    """As on a device: by products, converted as exports are, chunk by chunk."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    layer = _layer()
    graph = _graph(partial(layer, training=False), 1)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.get_concrete_function()], layer)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    interpreter.allocate_tensors()
    given, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def transform(chunks: np.ndarray) -> np.ndarray:
        found = np.empty((len(chunks), _AUDIO.mel_steps_per_hop, _MEL.bands), np.float32)
        for place in range(len(chunks)):
            interpreter.set_tensor(given, chunks[place : place + 1])
            interpreter.invoke()
            found[place] = interpreter.get_tensor(result)[0]
        return found

    return transform


def _librosa(keeps_bands: bool) -> Transform:
    """As it is called: it computes its bands anew each time; or by a caller who does so once."""
    import librosa

    form = {"n_fft": _FFT, "win_length": _WINDOW, "hop_length": _STEP, "center": False}
    bands = librosa.filters.mel(n_fft=_FFT, **_BANDS)  # [bands,F]

    def transform(chunks: np.ndarray) -> np.ndarray:
        padded = np.pad(chunks, ((0, 0), _PAD))  # [n,samples]
        if keeps_bands:
            spectrum = librosa.stft(padded, **form)
            power = bands @ (spectrum.real**2 + spectrum.imag**2)
        else:
            power = librosa.feature.melspectrogram(y=padded, power=2.0, **form, **_BANDS)
        floor = _MEL.floor_power
        return librosa.power_to_db(power, ref=floor, amin=floor, top_db=None).swapaxes(1, 2)  # of [n,bands,steps]

    return transform


def _torch() -> Transform:
    """`torch.stft` and librosa's bands."""
    import librosa
    import torch

    torch.set_num_threads(1)
    bands = torch.from_numpy(librosa.filters.mel(n_fft=_FFT, **_BANDS))  # [bands,F]
    window, floor = torch.hann_window(_WINDOW), _MEL.floor_power

    @torch.inference_mode()
    def transform(chunks: np.ndarray) -> np.ndarray:
        padded = torch.nn.functional.pad(torch.from_numpy(chunks), _PAD)
        spectrum = torch.stft(padded, _FFT, _STEP, _WINDOW, window, center=False, return_complex=True)  # [n,F,steps]
        power = bands @ (spectrum.real.square() + spectrum.imag.square())  # [n,bands,steps]
        return (10 * torch.log10(power.clamp(min=floor) / floor)).transpose(1, 2).numpy()

    return transform


def _keras() -> Transform:
    """Keras's own layer, with bands of another scale, in a graph."""
    import keras

    form = {"fft_length": _FFT, "sequence_stride": _STEP, "sequence_length": _WINDOW, "mag_exp": 2.0}
    mel = {"num_mel_bins": _MEL.bands, "min_freq": _MEL.low_hz, "max_freq": _MEL.high_hz}
    decibels = {"min_power": _MEL.floor_power, "ref_power": _MEL.floor_power, "top_db": 200.0}
    layer = keras.layers.MelSpectrogram(sampling_rate=_AUDIO.sample_rate_hz, **form, **mel, **decibels)
    graph = _graph(layer, None)
    return lambda chunks: graph(chunks).numpy().swapaxes(1, 2)[:, : _AUDIO.mel_steps_per_hop]


_SIDES: dict[str, Callable[[], Transform]] = {
    "ours, training": _training,
    "ours, exported": _exported,
    "librosa": partial(_librosa, keeps_bands=False),
    "librosa, bands kept": partial(_librosa, keeps_bands=True),
    "torch": _torch,
    "Keras": _keras,
}
