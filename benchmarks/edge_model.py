"""The files that the edge is measured with: exports of the preset "edge", and its frame encoder for onnxruntime.

They are made in a process of its own, for it needs TensorFlow, whose threads and memory have no place in what is
measured: python -m benchmarks.edge_model
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clips import FOLDER
from video_understanding.presets import preset

if TYPE_CHECKING:
    import keras
    import numpy as np

    from video_understanding.scorer import ModelInputs

BUNDLE = FOLDER / "edge"
_FACTS = BUNDLE / "facts.json"
_SEED, _CLIPS = 5, 108
_ONNX_CLIPS = 8  # of whose frames onnxruntime takes its ranges


def edge_files() -> dict[str, Path]:
    """The TFLite files by their mode; made unless they are there for the preset as it is."""
    if edge_facts().get("spec") != json.loads(preset("edge").to_json()):
        shutil.rmtree(BUNDLE, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "benchmarks.edge_model"], check=True)
    return {mode: BUNDLE / f"model_{mode}.tflite" for mode in ("fp32", "int8")}


def edge_facts() -> dict[str, Any]:
    """What was noted of the files when they were made; nothing if they are not there."""
    return json.loads(_FACTS.read_text(encoding="utf-8")) if _FACTS.exists() else {}


def main() -> None:
    import tensorflow as tf

    from video_understanding.bundle import Bundle
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.export.calibration import read_clips
    from video_understanding.export.make import export_bundle
    from video_understanding.media.synthetic import make_dataset
    from video_understanding.models.load import load_model
    from video_understanding.training.settings import TrainingSettings
    from video_understanding.training.train import train

    spec = preset("edge")
    classes = {"actions": ("bounce", "spin", "wave"), "emotions": ("happy", "sad", "angry")}
    # Easy, and trained until it is sure: answers that hang on rounding would keep more of it in float.
    clips = make_dataset(
        BUNDLE / "clips", seed=_SEED, clips=_CLIPS, duration_s=spec.window_s, difficulty=0.0, **classes
    )
    train(load_manifest(clips), spec, BUNDLE, TrainingSettings(epochs=20, patience=20, seed=_SEED))
    bundle = Bundle.read(BUNDLE)
    shown, truth = read_clips([clips], spec, bundle.labels)
    print(export_bundle(bundle, ("fp32", "int8"), shown, truth).text())
    model = load_model(bundle)
    frame = tf.TensorSpec((None, *spec.frames_shape[1:]), tf.uint8, "frame")

    @tf.function(input_signature=[frame])
    def encode_frame(frame: tf.Tensor) -> dict[str, tf.Tensor]:
        features = model.encoders["video"].backbone(tf.cast(frame, tf.float32), training=False)  # [n,F]
        return {"video_tokens": model.encoders["video"].head(features, training=False)}  # [n,D]

    video = model.encoders["video"]
    flops = _flops(video.backbone) + _flops(video.head)
    facts = {"frame_flops": flops, "spec": json.loads(spec.to_json())}
    try:
        _write_onnx(encode_frame, shown)
    except ImportError as error:
        facts["absent"] = error.name
    _FACTS.write_text(json.dumps(facts), encoding="utf-8")


def _flops(network: keras.Model) -> int:
    """Two for each multiplication with a weight: what an ideal machine could not leave out."""
    import keras

    flops = 0
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            flops += _flops(layer)
        elif (kernel := getattr(layer, "kernel", None)) is not None:
            places = math.prod(layer.output.shape[1:-1])  # 1 of a dense layer
            flops += 2 * places * math.prod(kernel.shape)
    return flops


def _products_in_float() -> list[int]:
    """Which of the frame encoder's products with weights the file leaves in float, by their places among them."""
    from ai_edge_litert import schema_py_generated as schema

    from video_understanding.export.network import graphs_of, kind_of, read_network
    from video_understanding.export.precision import PRODUCTS

    network = read_network((BUNDLE / "model_int8.tflite").read_bytes())
    graph = graphs_of(network)["encode_video"]
    products = [operator for operator in graph.operators if kind_of(network, operator) in PRODUCTS]
    types = [graph.tensors[product.outputs[0]].type for product in products]
    return [place for place, its_type in enumerate(types) if its_type == schema.TensorType.FLOAT32]


def _write_onnx(encode_frame: Any, clips: ModelInputs) -> None:
    """The frame encoder as it is, and quantized in onnxruntime's own way, both with float tokens coming out.

    The products that stay in float in our file do so here.
    """
    import onnx
    import tf2onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            self._frames = iter(
                clips["video"][:_ONNX_CLIPS].reshape(-1, 1, *clips["video"].shape[2:])
            )  # [1,H,W,3] each

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(({"frame": frame} for frame in self._frames), None)

    whole, ready, quantized = (BUNDLE / f"frame_encoder_{name}.onnx" for name in ("fp32", "ready", "int8"))
    tf2onnx.convert.from_function(encode_frame, encode_frame.input_signature, opset=18, output_path=str(whole))
    quant_pre_process(str(whole), str(ready))
    products = [node.name for node in onnx.load(ready).graph.node if node.op_type == "Conv"]
    quantize_static(
        str(ready), str(quantized), Samples(), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=[products[n] for n in _products_in_float()],
    )  # fmt: skip


if __name__ == "__main__":
    main()
