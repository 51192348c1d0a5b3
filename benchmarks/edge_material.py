"""The files that the edge is measured with: exports of the preset "edge", and its frame encoder for onnxruntime.

    python -m benchmarks.edge_material FOLDER

A process of its own, for it needs TensorFlow, whose threads and memory have no place in what is measured.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from video_understanding.bundle import Bundle
from video_understanding.datasets.manifest import load_manifest
from video_understanding.export.calibration import read_clips
from video_understanding.export.make import export_bundle
from video_understanding.export.network import graphs_of, kind_of, read_network
from video_understanding.export.precision import PRODUCTS
from video_understanding.media.synthetic import make_dataset
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.load import load_model
from video_understanding.presets import preset
from video_understanding.scorer import ModelInputs
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.train import train

_SEED, _CLIPS = 5, 108
_ACTIONS, _EMOTIONS = ("bounce", "spin", "wave"), ("happy", "sad", "angry")
_ONNX_CLIPS = 8  # of whose frames onnxruntime takes its ranges
_SETTINGS = TrainingSettings(epochs=20, patience=20, seed=_SEED)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    spec = preset("edge")
    # Trained until it is sure: answers that hang on rounding would keep more of it in float.
    drawn = make_dataset(
        folder / "clips", seed=_SEED, clips=_CLIPS, duration_s=spec.window_s, difficulty=0.0, actions=_ACTIONS,
        emotions=_EMOTIONS,
    )  # fmt: skip
    if not (folder / "bundle.json").exists():
        train(load_manifest(drawn), spec, folder, _SETTINGS, resume=True)
    bundle = Bundle.read(folder)
    clips, truth = read_clips([drawn], spec, bundle.labels)
    print(export_bundle(bundle, ("fp32", "int8"), clips, truth).text())
    model = load_model(bundle)
    video = model.encoders["video"]
    facts = {"frame_flops": _flops(video.backbone) + _flops(video.head), "spec": spec.to_dict()}
    try:
        _write_onnx(model, clips, folder, _products_in_float(folder / "model_int8.tflite"))
    except ImportError as error:
        facts["absent"] = error.name
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _products_in_float(file: Path) -> list[int]:
    """Which of the frame encoder's products with weights the file leaves in float, by their places among them."""
    network = read_network(file.read_bytes())
    graph = graphs_of(network)["encode_video"]
    products = [operator for operator in graph.operators if kind_of(network, operator) in PRODUCTS]
    types = [graph.tensors[product.outputs[0]].type for product in products]
    return [place for place, its_type in enumerate(types) if its_type == schema.TensorType.FLOAT32]


def _write_onnx(model: VideoUnderstandingModel, clips: ModelInputs, folder: Path, in_float: list[int]) -> None:
    """The frame encoder as it is, and quantized in onnxruntime's own way, both with float tokens coming out.

    The products at the places `in_float` stay in float, as they do in our file.
    """
    import onnx
    import tf2onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    spec = model.spec
    frame = tf.TensorSpec((None, *spec.frames_shape[1:]), tf.uint8, "frame")

    @tf.function(input_signature=[frame])
    def encode_frame(frame: tf.Tensor) -> dict[str, tf.Tensor]:
        features = model.encoders["video"].backbone(tf.cast(frame, tf.float32), training=False)  # [n,F]
        return {"video_tokens": model.encoders["video"].head(features, training=False)}  # [n,D]

    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            self._frames = iter(clips["video"][:_ONNX_CLIPS].reshape(-1, 1, *spec.frames_shape[1:]))  # [1,H,W,3] each

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(({"frame": frame} for frame in self._frames), None)

    whole, ready = folder / "frame_encoder_fp32.onnx", folder / "ready_to_quantize.onnx"
    tf2onnx.convert.from_function(encode_frame, [frame], opset=18, output_path=str(whole))
    quant_pre_process(str(whole), str(ready))
    products = [node.name for node in onnx.load(ready).graph.node if node.op_type == "Conv"]
    quantize_static(
        str(ready),
        str(folder / "frame_encoder_int8.onnx"),
        Samples(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=[products[place] for place in in_float],
    )


def _flops(network: keras.Model) -> int:
    """Two for each multiplication with a weight: what an ideal machine could not leave out."""
    flops = 0
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            flops += _flops(layer)
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            rows, columns = layer.output.shape[1:3]
            flops += 2 * rows * columns * int(np.prod(layer.kernel.shape))
        elif isinstance(layer, keras.layers.Dense):
            flops += 2 * int(np.prod(layer.kernel.shape))
    return flops


if __name__ == "__main__":
    main()
