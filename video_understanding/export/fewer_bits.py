"""TFLite networks of fewer bits: weights of 16 ("fp16"), of eight ("dynamic"), or all in eight ("int8")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.python.convert import mlir_quantize

from video_understanding.export.constants import restore_constants
from video_understanding.export.convert import conversion_error, convert, make_converter
from video_understanding.export.network import read_network, write_network
from video_understanding.export.precision import REPAIRS, names_in_float, names_of_log_mel
from video_understanding.export.quiet import quiet
from video_understanding.modality import modalities_of
from video_understanding.scorer import ModelInputs
from video_understanding.signatures import PRESENCE, Signatures
from video_understanding.spec import ModelSpec


def int8_networks(saved_model: Path, plain: bytes, clips: ModelInputs, spec: ModelSpec) -> Iterator[bytes]:
    """Networks whose ranges come from these clips, each with more in float than the one before (see `REPAIRS`).

    `plain` is the network in float. All are made from one look at the clips.
    """
    converter = make_converter(saved_model, Signatures.of(spec.modalities).parts)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = partial(_examples, plain, clips, spec)
    # What tf.lite.experimental.QuantizationDebugger does to leave named parts in float. It cannot be used itself: of
    # several signatures it looks at the first alone, and fails where that one has nothing in eight bits.
    converter._experimental_calibrate_only = True
    network = read_network(plain)
    try:
        with quiet():
            calibrated = converter.convert()
        for repairs in range(len(REPAIRS)):
            with quiet():
                made = mlir_quantize(calibrated, denylisted_nodes=sorted(names_in_float(network, repairs)))
            yield made
    except (RuntimeError, ValueError) as error:
        raise conversion_error(error) from error


def fp16_network(saved_model: Path, parts: Sequence[str], plain: bytes) -> bytes:
    """The network with its weights in 16 bits, but for the log-mel: its floor lies below what they can hold."""
    network, original = read_network(convert(saved_model, parts, "fp16")), read_network(plain)
    restore_constants(network, original, names_of_log_mel(original))
    return write_network(network)


def dynamic_networks(saved_model: Path, parts: Sequence[str], plain: bytes) -> Iterator[bytes]:
    """Networks with weights in eight bits that reckon in float, each with more weights in float than the one before."""
    made = convert(saved_model, parts, "dynamic")
    original = read_network(plain)
    for repairs in range(len(REPAIRS)):
        network = read_network(made)
        restore_constants(network, original, names_in_float(original, repairs))
        yield write_network(network)


def _examples(plain: bytes, clips: ModelInputs, spec: ModelSpec) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the parts are given for each clip: its pieces, and its tokens with all that it has and with one modality."""
    interpreter = Interpreter(model_content=plain, num_threads=1)
    modalities = modalities_of(spec.modalities)
    encoders = {one.name: interpreter.get_signature_runner(one.signature) for one in modalities}
    shapes = interpreter.get_signature_runner("fuse").get_input_details()
    for clip in range(len(clips)):
        tokens = {}
        for one, there in zip(modalities, clips.presence[clip], strict=True):
            pieces = {one.input: one.cut(clips[one.name][clip], spec)}
            if there:
                yield one.signature, pieces
            (made,) = encoders[one.name](**pieces).values()  # [P,D] or [P,K,D]
            tokens[one.tokens] = made.reshape(1, *shapes[one.tokens]["shape"][1:])  # [1,n,D]
        there = clips.presence[clip].astype(np.float32)
        for present in (there, *(there * np.eye(len(there), dtype=np.float32))):
            yield "fuse", {**tokens, PRESENCE: present[None]}
