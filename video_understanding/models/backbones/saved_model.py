"""A network that is a TensorFlow SavedModel, from a folder or from TensorFlow Hub, as a layer of Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from video_understanding.errors import VideoUnderstandingError, missing_extra
from video_understanding.models.backbones.pixels import PixelScale

HUB = "https://tfhub.dev/"


def is_place(name: str) -> bool:
    """Whether a name says where a SavedModel is: a handle ("https://...", "hub:...") or a path with a slash."""
    return _is_handle(name) or "/" in name or "\\" in name


def saved_model(source: str, height_px: int, width_px: int) -> keras.Model:
    """float32 [B,H,W,3], pixels 0 to 255 -> features [B,F] of a SavedModel, with the weights it was saved with.

    The SavedModel takes float32 [B,H,W,3] from 0 to 1, which is TensorFlow Hub's way for pictures, and
    gives features [B,F] or a map of them, which is averaged.
    """
    frames = keras.Input((height_px, width_px, 3), name="frames")
    x = PixelScale([0.0] * 3, [255.0] * 3, name="pixels")(frames)
    place = source if _is_handle(source) else str(Path(source).resolve())
    x = SavedModelNetwork(place, name="saved_model")(x)  # [B,F] or [B,h,w,F]
    if len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)  # [B,F]
    return keras.Model(frames, x, name="saved_model_backbone")


@keras.saving.register_keras_serializable("video_understanding")
class SavedModelNetwork(keras.layers.Layer):
    """Frames [B,H,W,3], in the range that the SavedModel wants -> what it gives, [B,F] or [B,h,w,F].

    The SavedModel's variables are the layer's variables: they are trained, frozen, saved and exported like
    any others. A `.keras` file holds their values and `source`, but not the SavedModel's graph: to load it
    again, `source` (a folder, or a handle of TensorFlow Hub) has to be where it was. An exported model
    (SavedModel, TFLite) holds everything and needs no source.
    """

    def __init__(self, source: str, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "dtype": "float32"})  # its graph is what it is, whatever the policy
        self.source = source
        self.supports_jit = False  # a graph from elsewhere may hold what XLA does not know

    def build(self, input_shape: tuple) -> None:
        self._loaded = _load(self.source)
        self._run, functions = _entry(self._loaded, self.source)
        trainable = {id(variable) for function in functions for variable in function.trainable_variables}
        variables = {id(variable): variable for function in functions for variable in function.variables}
        self._shared = [
            keras.Variable(
                initializer=variable,  # not copied: the graph and Keras then hold the very same variable
                trainable=key in trainable,
                dtype=variable.dtype.name,
                name=variable.name.partition(":")[0].replace("/", "_"),
            )
            for key, variable in variables.items()
        ]
        with tf.init_scope():
            try:
                features = self._run(tf.zeros((1, *input_shape[1:])), False)
            except (ValueError, TypeError, tf.errors.OpError) as error:
                reason, *_ = str(error).strip().partition("\n")  # TensorFlow goes on for pages
                raise VideoUnderstandingError(
                    self.source,
                    f"does not take frames of shape {tuple(input_shape[1:])} ({reason})",
                    "Choose the size that it was made for; it must take float32 [B,H,W,3].",
                ) from error
        if len(features.shape) not in (2, 4):
            raise VideoUnderstandingError(
                self.source, f"gives an array of shape {tuple(features.shape)}", "It must give [B,F] or [B,h,w,F]."
            )
        self._output_shape = tuple(features.shape[1:])

    def call(self, frames: Any, training: bool | None = None) -> Any:
        return self._run(frames, bool(training and self.trainable))  # [B,F] or [B,h,w,F]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], *self._output_shape)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "source": self.source}


def _is_handle(name: str) -> bool:
    return name.startswith(("https://", "hub:"))


def _load(source: str) -> Any:
    folder = _resolve(source) if _is_handle(source) else source
    try:
        return tf.saved_model.load(folder)
    except (OSError, ValueError) as error:
        raise VideoUnderstandingError(
            source,
            "is not a SavedModel that can be loaded",
            "Give a folder with a saved_model.pb. A model that was trained on it needs it in the same place again.",
        ) from error


def _resolve(handle: str) -> str:
    """The folder into which TensorFlow Hub puts a handle's SavedModel, fetched if it is not there yet."""
    try:
        import tensorflow_hub
    except ImportError as error:
        raise missing_extra("tensorflow-hub", "to fetch a network by its handle", "hub") from error
    url = HUB + handle.removeprefix("hub:").lstrip("/") if handle.startswith("hub:") else handle
    try:
        return tensorflow_hub.resolve(url)
    except (OSError, ValueError, RuntimeError) as error:
        raise VideoUnderstandingError(
            handle,
            f"cannot be fetched ({error})",
            "Connect to the network, or give the path of a downloaded SavedModel.",
        ) from error


def _entry(loaded: Any, source: str) -> tuple[Callable[[tf.Tensor, bool], tf.Tensor], list[Any]]:
    """How to run a SavedModel on frames (and whether in training), and the functions that this can call."""
    if callable(loaded):
        parameters = loaded.__call__.function_type.parameters
        learns = "training" in parameters

        def run(frames: tf.Tensor, training: bool) -> tf.Tensor:
            return _only(loaded(frames, training=training) if learns else loaded(frames), source)

        return run, loaded.__call__.concrete_functions

    names = [name for name in ("serving_default", "default") if name in loaded.signatures]
    if not names:
        raise VideoUnderstandingError(
            source,
            "can neither be called nor has a signature named serving_default or default",
            "Save it with one of them.",
        )
    signature = loaded.signatures[names[0]]
    inputs = list(signature.structured_input_signature[1])
    if len(inputs) != 1:
        raise VideoUnderstandingError(source, f"takes {', '.join(inputs)}", "It must take frames and nothing else.")

    def run_signature(frames: tf.Tensor, _: bool) -> tf.Tensor:
        return _only(signature(**{inputs[0]: frames}), source)

    return run_signature, [signature]


def _only(outputs: Any, source: str) -> tf.Tensor:
    """The features among what a SavedModel gives."""
    if not isinstance(outputs, dict):
        return outputs
    if "default" in outputs:  # so named by TensorFlow Hub
        return outputs["default"]
    if len(outputs) != 1:
        raise VideoUnderstandingError(source, f"gives {', '.join(outputs)}", "It must give features and nothing else.")
    return next(iter(outputs.values()))
