"""From a SavedModel to one TFLite network of some of its signatures, made of builtin operators alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from video_understanding.errors import ExportError
from video_understanding.export.quiet import quiet

_FOREIGN = re.compile(r"(?:Flex|Custom|TF Select) ops:\s*([\w, ]+)", re.I)  # how the converter tells of them


def convert(saved_model: Path, parts: Sequence[str], mode: str) -> bytes:
    """The network of these signatures in "fp32", "fp16" or "dynamic"."""
    converter = make_converter(saved_model, parts)
    if mode != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if mode == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        with quiet():
            return converter.convert()
    except Exception as error:  # the converter has no class of its own for what it refuses
        raise conversion_error(error) from error


def make_converter(saved_model: Path, parts: Sequence[str]) -> tf.lite.TFLiteConverter:
    """A converter of these signatures that allows no operator from outside TFLite."""
    with quiet():
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model), signature_keys=list(parts))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


def conversion_error(error: Exception) -> ExportError:
    """What the converter says, in one line with the names of the operators it does not know."""
    names = {name.strip() for found in _FOREIGN.findall(str(error)) for name in found.split(",") if name.strip()}
    if names:
        return ExportError(
            "TFLite export",
            f"the model uses {', '.join(sorted(names))}, which TFLite has no builtin operator for",
            "Replace the layer that uses it, or take another backbone; the SavedModel can be used as it is.",
        )
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return ExportError("TFLite export", f"the converter failed ({first})", "Leave TFLite out, and report it.")
