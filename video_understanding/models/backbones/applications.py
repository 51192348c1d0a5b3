"""The networks that come with Keras, VGG16 among them, each with the preprocessing that it was trained with."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import keras
import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.models.backbones.pixels import PixelScale

IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])  # of pixels 0 to 1, red first
IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225])

# What PixelScale is to do, in the three ways of Keras's `preprocess_input`, or None where the network itself does it.
CAFFE = {"mean": [103.939, 116.779, 123.68], "deviation": [1.0] * 3, "blue_first": True}
TENSORFLOW = {"mean": [127.5] * 3, "deviation": [127.5] * 3}
TORCH = {"mean": list(255 * IMAGENET_MEAN), "deviation": list(255 * IMAGENET_DEVIATION)}
INSIDE = None

APPLICATIONS: dict[str, dict[str, Any] | None] = {
    "VGG16": CAFFE, "VGG19": CAFFE,
    "ResNet50": CAFFE, "ResNet101": CAFFE, "ResNet152": CAFFE,
    "ResNet50V2": TENSORFLOW, "ResNet101V2": TENSORFLOW, "ResNet152V2": TENSORFLOW,
    "MobileNet": TENSORFLOW, "MobileNetV2": TENSORFLOW,
    "MobileNetV3Small": INSIDE, "MobileNetV3Large": INSIDE,
    "EfficientNetB0": INSIDE, "EfficientNetB1": INSIDE, "EfficientNetB2": INSIDE, "EfficientNetB3": INSIDE,
    "EfficientNetB4": INSIDE, "EfficientNetB5": INSIDE, "EfficientNetB6": INSIDE, "EfficientNetB7": INSIDE,
    "EfficientNetV2B0": INSIDE, "EfficientNetV2B1": INSIDE, "EfficientNetV2B2": INSIDE, "EfficientNetV2B3": INSIDE,
    "EfficientNetV2S": INSIDE, "EfficientNetV2M": INSIDE, "EfficientNetV2L": INSIDE,
    "DenseNet121": TORCH, "DenseNet169": TORCH, "DenseNet201": TORCH,
    "ConvNeXtTiny": INSIDE, "ConvNeXtSmall": INSIDE, "ConvNeXtBase": INSIDE,
    "ConvNeXtLarge": INSIDE, "ConvNeXtXLarge": INSIDE,
    "InceptionV3": TENSORFLOW, "InceptionResNetV2": TENSORFLOW, "Xception": TENSORFLOW,
    "NASNetMobile": TENSORFLOW, "NASNetLarge": TENSORFLOW,
}  # fmt: skip


def application(name: str, height_px: int, width_px: int) -> keras.Model:
    """float32 [B,H,W,3], pixels 0 to 255 -> features [B,F] of a network of Keras, with random weights."""
    frames = keras.Input((height_px, width_px, 3), name="frames")
    scale = APPLICATIONS[name]
    x = frames if scale is INSIDE else PixelScale(**scale, name="pixels")(frames)
    make = getattr(keras.applications, name)
    try:
        network = make(
            include_top=False, weights=None, pooling="avg", input_tensor=x, input_shape=(height_px, width_px, 3)
        )
    except ValueError as error:
        raise VideoUnderstandingError(
            name, f"cannot see frames of {height_px} x {width_px} pixels ({error})", "Choose larger frames."
        ) from error
    network = keras.Model(frames, network.outputs[0], name=network.name)  # Keras's own wants its one input in a list
    if name.startswith("EfficientNetB"):
        return keras.models.clone_model(network, clone_function=_with_right_normalization)
    return network


def load_imagenet(name: str, network: keras.Model) -> None:
    """Puts the weights trained on ImageNet into a network of Keras, which fetches them if they are not there yet."""
    try:
        # Made in the network's usual size: its weights are the same for all, and some are published for that one only.
        with redirect_stdout(sys.stderr):  # Keras tells of its download; stdout is for results
            trained = getattr(keras.applications, name)(include_top=False, weights="imagenet", pooling="avg")
    except Exception as error:  # Keras tells of a failed download with a plain Exception
        raise VideoUnderstandingError(
            name,
            f"cannot get its weights of ImageNet ({error})",
            "Connect to the network, or give weights=None for random ones, or the path of a file with weights.",
        ) from error
    network.set_weights(trained.get_weights())


@keras.saving.register_keras_serializable("video_understanding")
class ImageNetNormalization(keras.layers.Normalization):
    """What stands first in EfficientNetB0 to B7, with ImageNet's mean and deviation whatever a file says.

    The files that Keras publishes for these networks hold the deviation where the variance belongs, and
    Keras adds a layer against it, but only if it is asked for those files while the network is made. Here
    the network is the same in all cases, so that weights can go from one to another.
    """

    def finalize_state(self) -> None:
        self.adapt_mean.assign(IMAGENET_MEAN)
        self.adapt_variance.assign(IMAGENET_DEVIATION**2)
        super().finalize_state()


def _with_right_normalization(layer: keras.layers.Layer) -> keras.layers.Layer:
    kind = ImageNetNormalization if isinstance(layer, keras.layers.Normalization) else type(layer)
    return kind.from_config(layer.get_config())
