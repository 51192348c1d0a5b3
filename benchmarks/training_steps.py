"""Inference and steps of training, ours and PyTorch's on an equal network and batch, each in a process of its own.

Both let the allocator keep freed memory, as our trainings do: it makes PyTorch's step quicker, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.apart import Side
from benchmarks.turns import Job
from video_understanding.datasets.manifest import Manifest
from video_understanding.datasets.targets import targets_of
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.process import keep_freed_memory
from video_understanding.spec import ModelSpec
from video_understanding.training import fit as training
from video_understanding.training.settings import TrainingSettings

if TYPE_CHECKING:
    import torch

INFERENCE, FROZEN, ALL_LEARNS = "inference", "step, frozen backbone", "step, all learns"
EPOCH_STEPS = 20
_ALIKE = 0.02  # how far the numbers of parameters may lie apart
_ALIKE_DB = 0.1
_SETTINGS = TrainingSettings(augment=False)


@dataclass(frozen=True)
class Batch:
    """What both sides are given: clips as `shown`, the same with their `features`, and what is true of them."""

    spec: ModelSpec
    data: Manifest
    shown: dict[str, np.ndarray]
    featured: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]


def compiled_model(spec: ModelSpec, data: Manifest, settings: TrainingSettings) -> VideoUnderstandingModel:
    """A new model, compiled as `fit` does it."""
    keras.utils.set_random_seed(settings.seed)
    model = VideoUnderstandingModel(spec, data.labels, weights=None, seed=settings.seed)
    training._compile(model, settings, targets_of(data.rows, data.labels), EPOCH_STEPS, slow_backbone=False)
    return model


def our_side(batch: Batch, threads: int) -> Side:
    """Our jobs, and of the network its size and what it hears."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keep_freed_memory()
    model = compiled_model(batch.spec, batch.data, _SETTINGS)

    def inference() -> Job:
        run = tf.function(lambda given: model(given, training=False))
        given = as_tensors(batch.shown)
        return lambda: {head: logits.numpy() for head, logits in run(given).items()}

    def step(ours: keras.Model, inputs: dict[str, np.ndarray]) -> Job:
        # The step that `fit` runs, repeatably, and what one watches, as on the other side.
        tf.config.experimental.enable_op_determinism()  # inference comes first: it is run without
        given = as_tensors(inputs), as_tensors(batch.targets)
        form = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), given)
        run = tf.function(ours.train_step, input_signature=[form])
        return lambda: {name: float(value) for name, value in run(given).items()}

    def frozen() -> Job:
        spec = replace(batch.spec, network=replace(batch.spec.network, unfrozen_blocks=0))
        return step(compiled_model(spec, batch.data, _SETTINGS), batch.featured)

    hop = batch.shown["waveform"][:, : model.spec.audio.hop_samples]  # [B,hop]
    told = {
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        "heard_db": np.array(model.encoders["audio"].backbone.get_layer("log_mel")(hop)),  # [B,steps,bands]
    }
    return {INFERENCE: inference, FROZEN: frozen, ALL_LEARNS: functools.partial(step, model, batch.shown)}, told


def torch_side(batch: Batch, threads: int) -> Side:
    """PyTorch's, likewise."""
    import torch

    from benchmarks import torch_twin

    torch.set_num_threads(threads)
    torch.manual_seed(_SETTINGS.seed)
    keep_freed_memory()
    classes = {head: len(batch.data.labels.names(head)) for head in batch.data.labels.heads}

    def tensors(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def inference() -> Job:
        twin, given = torch_twin.TorchTwin(batch.spec, classes).eval(), tensors(batch.shown)

        def run() -> dict[str, np.ndarray]:
            with torch.inference_mode():
                return {head: logits.numpy() for head, logits in twin(given).items()}

        return run

    def step(frozen: bool) -> Job:
        twin = torch_twin.TorchTwin(batch.spec, classes).train()
        if frozen:
            twin.backbone.requires_grad_(False).eval()
        optimizer = torch_twin.make_optimizer(twin, _SETTINGS.learning_rate, _SETTINGS.weight_decay)
        given = tensors(batch.featured if frozen else batch.shown)
        return functools.partial(torch_twin.train_step, twin, optimizer, given, tensors(batch.targets))

    twin = torch_twin.TorchTwin(batch.spec, classes)
    hop = torch.from_numpy(batch.shown["waveform"][:, : batch.spec.audio.hop_samples])  # [B,hop]
    told = {
        "parameters": sum(parameter.numel() for parameter in twin.parameters() if parameter.requires_grad),
        "heard_db": twin.listen.log_mel(hop).numpy(),  # [B,steps,bands]
    }
    makers: dict[str, Callable[[], Job]] = {INFERENCE: inference}
    return makers | {FROZEN: functools.partial(step, True), ALL_LEARNS: functools.partial(step, False)}, told


def require_alike(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, str]:
    """What is alike, in words; refuses to compare what is not: parameters, and the log-mel pictures that both see."""
    difference_db = float(np.abs(ours["heard_db"] - theirs["heard_db"]).max())
    facts = {
        "learning parameters": f"ours {ours['parameters']}, PyTorch {theirs['parameters']}",
        "log-mel": f"differs by {difference_db:.4f} dB at most",
    }
    if abs(theirs["parameters"] / ours["parameters"] - 1) > _ALIKE or difference_db > _ALIKE_DB:
        raise SystemExit(f"the networks are not alike: {facts}")
    return facts


def as_tensors(arrays: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    """Both sides have their batch ready in their own form."""
    return {name: tf.constant(array) for name, array in arrays.items()}
