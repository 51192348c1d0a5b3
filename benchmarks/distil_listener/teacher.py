"""The teacher: the first part of YAMNet, read from its TFLite file, and the log-mel that it hears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

RATE_HZ, WINDOW, STEP, FFT = 16_000, 400, 160, 512
BANDS, LOW_HZ, HIGH_HZ, FLOOR = 64, 125.0, 7500.0, 0.001
# After these of its convolutions, each the second half of a block, the maps have a half of the log-mel's steps, a
# quarter twice, an eighth twice and a sixteenth twice.
TAPS = (2, 4, 6, 8, 10, 12, 14)


class Teacher:
    """Waveforms [B,N] -> maps at TAPS, from [B,S/2,32,64] to [B,S/16,4,512], each number from 0 to 6."""

    def __init__(self, file: Path) -> None:
        self._convolutions = [
            (tf.constant(weights), tf.constant(bias), stride, deep)
            for weights, bias, stride, deep in _convolutions(file)[: TAPS[-1] + 1]
        ]
        import librosa

        mel = librosa.filters.mel(
            sr=RATE_HZ, n_fft=FFT, n_mels=BANDS, fmin=LOW_HZ, fmax=HIGH_HZ, htk=True, norm=None
        )  # [BANDS,F]
        self._mel = tf.constant(mel.T.astype(np.float32))
        self._window = tf.signal.hann_window(WINDOW)

    def __call__(self, sound: tf.Tensor) -> list[tf.Tensor]:
        spectrum = tf.abs(tf.signal.rfft(tf.signal.frame(sound, WINDOW, STEP) * self._window, [FFT]))  # [B,S,F]
        heard = tf.math.log(tf.matmul(spectrum, self._mel) + FLOOR)[..., None]  # [B,S,BANDS,1]
        maps = []
        for weights, bias, stride, deep in self._convolutions:
            convolve = tf.nn.depthwise_conv2d if deep else tf.nn.conv2d
            heard = tf.nn.relu6(convolve(heard, weights, [1, stride, stride, 1], "SAME") + bias)
            maps.append(heard)
        return [maps[tap] for tap in TAPS]


def _convolutions(file: Path) -> list[tuple[np.ndarray, np.ndarray, int, bool]]:
    """Of each convolution its weights and bias as float32, its stride, and whether it is depthwise."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(bytearray(file.read_bytes()), 0)
    graph = model.subgraphs[0]
    kinds = {schema.BuiltinOperator.CONV_2D: False, schema.BuiltinOperator.DEPTHWISE_CONV_2D: True}
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        deep = kinds.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if deep is not None:
            weights, bias = (_floats(model, graph.tensors[number]) for number in operator.inputs[1:3])
            # Stored as [out,h,w,in], or [1,h,w,channels] where each channel has a filter of its own.
            found.append((weights.transpose(1, 2, 3, 0), bias, operator.builtinOptions.strideH, deep))
    return found


def _floats(model: object, tensor: object) -> np.ndarray:
    """What the whole numbers of a quantised tensor stand for."""
    types = {2: np.int32, 9: np.int8, 3: np.uint8}  # of the format's TensorType
    values = np.frombuffer(bytes(model.buffers[tensor.buffer].data), types[tensor.type]).reshape(tensor.shape)
    quantised = tensor.quantization
    shape = [1] * values.ndim
    if len(quantised.scale) > 1:
        shape[quantised.quantizedDimension] = -1
    scale, zero = (np.reshape(part, shape) for part in (quantised.scale, quantised.zeroPoint))
    return ((values.astype(np.float64) - zero) * scale).astype(np.float32)
