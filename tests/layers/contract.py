"""What every layer of ours must do; one strict test for all, given a way to make the layer and example inputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np


def check_layer(
    make: Callable[[], keras.layers.Layer],
    inputs: dict[str, np.ndarray],
    folder: Path,
    *,
    trains: bool = True,
    call: Callable[[keras.layers.Layer, dict[str, Any]], Any] = lambda layer, given: layer(**given),
):
    """Config round trip, eager and symbolic call, save and load, one training step, mixed precision, export."""
    layer = make()
    eager = _flat(call(layer, _tensors(inputs)))

    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    again = _flat(call(copy, _tensors(inputs)))
    assert [tuple(x.shape) for x in again] == [tuple(x.shape) for x in eager]

    model = _model(layer, inputs, call)
    for symbolic, concrete in zip(model.outputs, eager, strict=True):
        assert tuple(symbolic.shape[1:]) == tuple(concrete.shape[1:]), "the symbolic shape is another than the real one"
    direct = [np.asarray(x) for x in _flat(model(_tensors(inputs)))]
    for one, other in zip(direct, eager, strict=True):
        np.testing.assert_allclose(one, np.asarray(other), atol=1e-6)

    path = folder / "layer.keras"
    model.save(path)
    loaded = keras.models.load_model(path)
    for one, other in zip(_flat(loaded(_tensors(inputs))), direct, strict=True):
        np.testing.assert_array_equal(np.asarray(one), other)

    _one_step(model, inputs, expect_change=trains and bool(layer.trainable_variables))
    _mixed_precision(make, inputs, call)
    _export(loaded, inputs, direct, folder)


def _model(layer: keras.layers.Layer, inputs: dict[str, np.ndarray], call: Callable) -> keras.Model:
    symbols = {name: keras.Input(value.shape[1:], dtype=str(value.dtype), name=name) for name, value in inputs.items()}
    return keras.Model(symbols, _flat(call(layer, symbols)))


def _one_step(model: keras.Model, inputs: dict[str, np.ndarray], expect_change: bool) -> None:
    if not model.trainable_variables:
        return  # Keras warns of a model that has nothing to learn
    before = [keras.ops.convert_to_numpy(v).copy() for v in model.trainable_variables]
    targets = [np.zeros((len(next(iter(inputs.values()))), *output.shape[1:]), np.float32) for output in model.outputs]
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=["mse"] * len(targets))
    result = model.fit(inputs, targets, epochs=1, verbose=0)
    assert np.isfinite(result.history["loss"][0])
    if expect_change:
        after = [keras.ops.convert_to_numpy(v) for v in model.trainable_variables]
        assert any(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def _mixed_precision(make: Callable, inputs: dict[str, np.ndarray], call: Callable) -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        for output in _flat(call(make(), _tensors(inputs))):
            assert np.isfinite(np.asarray(output, np.float32)).all()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def _export(model: keras.Model, inputs: dict[str, np.ndarray], expected: list[np.ndarray], folder: Path) -> None:
    """To TFLite with builtin operators alone, and the same answer there."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    model.export(folder / "saved", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert())
    runner = interpreter.get_signature_runner()
    details = runner.get_input_details()
    one = {name: value[:1] for name, value in inputs.items()}
    assert set(details) == set(one)
    outputs = runner(**one)
    for value in expected:
        drift = min(
            np.abs(found.reshape(value[:1].shape) - value[:1]).max() if found.size == value[:1].size else np.inf
            for found in outputs.values()
        )
        assert drift < 1e-3


def _tensors(inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: keras.ops.convert_to_tensor(value) for name, value in inputs.items()}


def _flat(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
