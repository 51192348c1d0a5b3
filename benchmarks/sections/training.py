"""How long training and inference take, beside Keras's own TimeDistributed, PyTorch, and the model's bare steps."""

from __future__ import annotations

import itertools
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

import video_understanding as vu
from benchmarks.clips import FOLDER
from benchmarks.interleave import Job, Timing, seconds_of
from benchmarks.report import Run
from benchmarks.subprocess_side import Side, SubprocessSide
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.targets import targets_of
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.models.backbones.small import small
from video_understanding.models.encoders import Encoder
from video_understanding.process import tune_process
from video_understanding.training import fit as training
from video_understanding.training.batches import ClipBatches
from video_understanding.training.features import frame_features
from video_understanding.training.keeper import Keeper
from video_understanding.training.progress import TrainingBar
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.tensorboard import EpochCurves

TITLE = "Training"
PACKAGES = ("tensorflow", "keras", "torch", "numpy", "av")
_WARM_ROUNDS = 2  # in the first, graphs are traced; in the second, memory is still being found
_FOLD = (4, 16, 64)  # clips, frames of each, height and width in pixels
_CLIPS, _SEED = 48, 5
_EPOCHS, _QUICK_EPOCHS, _EPOCH_STEPS = 4, 2, 20
# Where a job is one step: so many rounds in the place of one, and so many steps in a round, as in a training.
_SHORT_ROUNDS, _SHORT_REPEATS = 2, 5
_SPEC = vu.preset("tiny")
_SETTINGS = TrainingSettings(epochs=10_000, patience=10_000, augment=False)
_INFERENCE, _FROZEN, _ALL = "inference", "step, frozen backbone", "step, all learns"
_MOST_OFF, _MOST_OFF_DB = 0.02, 0.1  # between the two networks' parameters, and their log-mels


Batch = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # inputs and targets


def measure(run: Run) -> None:
    if not run.quick:  # to trace the other's graph alone takes half a minute
        _time_distributed(run)
    manifest = vu.load_manifest(make_dataset(FOLDER / "training_clips", seed=_SEED, clips=_CLIPS))
    prepared = ClipCache(FOLDER / "training_cache").prepare(manifest.rows, _SPEC, progress=False)
    first = np.arange(_SETTINGS.batch_size)
    batches = {
        frozen: _batches(manifest, prepared, _model(manifest, frozen), first, False)[0] for frozen in (False, True)
    }
    for threads in (1,) if run.quick else (os.cpu_count() or 1, 1):
        _against_torch(run, manifest, batches, threads)
    # The quicker step of the two, which the least delay shows in, is enough for a quick look.
    for frozen in (True,) if run.quick else (False, True):
        _cached_epochs(run, manifest, prepared, batches[frozen], frozen)
    _first_epoch(run, manifest)


def _model(manifest: vu.Manifest, frozen: bool) -> vu.VideoUnderstandingModel:
    """A new model, compiled as `fit` does it."""
    spec = replace(_SPEC, network=replace(_SPEC.network, unfrozen_blocks=0)) if frozen else _SPEC
    keras.utils.set_random_seed(_SETTINGS.seed)
    model = vu.VideoUnderstandingModel(spec, manifest.labels, weights=None, seed=_SETTINGS.seed)
    targets = targets_of(manifest.rows, manifest.labels)
    training._compile(model, _SETTINGS, targets, _EPOCH_STEPS, slow_backbone=False)
    return model


def _batches(
    manifest: vu.Manifest,
    prepared: PreparedClips,
    model: vu.VideoUnderstandingModel,
    numbers: np.ndarray,
    learning: bool,
) -> ClipBatches:
    """Of these clips, with the features of a frozen backbone in place of frames."""
    features = frame_features(model, prepared, False) if model.spec.network.unfrozen_blocks == 0 else None
    clips = (prepared, manifest.rows, manifest.labels, numbers, _SETTINGS)
    return ClipBatches(*clips, learning=learning, features=features)


def _compare(run: Run, what: str, ours: Job, over: str, theirs: Job, goal: float, **options: Any) -> None:
    """Ours and another's, with a goal by the clock."""
    at_least = options.pop("at_least", False)
    options = {"warm_rounds": _WARM_ROUNDS, "parallel": True} | options
    timings: dict[str, Timing] = run.interleave(what, {"ours": ours, over: theirs}, **options)
    run.ratio(what, over, timings["ours"], timings[over], goal, by_clock=True, at_least=at_least)


def _time_distributed(run: Run) -> None:
    """Time folded into the batch, beside the layer of Keras that goes through it piece by piece."""
    clips, frames, side_px = _FOLD
    rng = np.random.default_rng(_SEED)
    pictures = rng.integers(0, 256, (clips, frames, side_px, side_px, 3)).astype(np.float32)  # [B,T,H,W,3]
    jobs = []
    folded = partial(Encoder, piece_shape=(side_px, side_px, 3), pieces=frames)
    for layer in (folded, keras.layers.TimeDistributed):
        keras.utils.set_random_seed(_SEED)
        inputs = keras.Input(pictures.shape[1:])
        mean = keras.layers.GlobalAveragePooling1D()(layer(small(side_px, side_px))(inputs))  # [B,F]
        model = keras.Model(inputs, keras.layers.Dense(2)(mean))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # As in our trainings, which are repeatable: there Keras does not use XLA either.
        model.compile("adamw", loss, jit_compile=False)
        jobs.append(partial(model.train_on_batch, pictures, np.arange(clips) % 2))
    what = f"CNN over time, {clips} x {frames} x {side_px} px, step"
    _compare(run, what, jobs[0], "TimeDistributed", jobs[1], 0.5, timed=partial(seconds_of, repeats=3))


def _against_torch(run: Run, *given: Any) -> None:
    """Steps and inference with so many threads on each side, each in a process of its own."""
    with SubprocessSide(our_side, *given) as ours, SubprocessSide(torch_side, *given) as theirs:
        own = ours.facts()
        found = run.installed("torch", theirs.facts).get("torch")
        if found is None:
            return
        off_db = float(np.abs(own["log_mel"] - found["log_mel"]).max())
        run.facts["learning parameters"] = f"ours {own['parameters']}, PyTorch {found['parameters']}"
        run.facts["log-mel"] = f"differs by {off_db:.4f} dB at most"
        if abs(found["parameters"] / own["parameters"] - 1) > _MOST_OFF or off_db > _MOST_OFF_DB:
            raise SystemExit(f"the networks are not alike: {run.facts}")
        for kind, goal in ((_INFERENCE, 1.0), (_FROZEN, 1.0), (_ALL, 1.1)):
            what = f"{kind}, {_SETTINGS.batch_size} clips, {given[-1]} thread{'s' if given[-1] > 1 else ''}"
            jobs = (ours.job(kind, _SHORT_REPEATS), theirs.job(kind, _SHORT_REPEATS))
            rounds = run.rounds * _SHORT_ROUNDS
            _compare(run, what, jobs[0], "PyTorch", jobs[1], goal, rounds=rounds, timed=lambda job: job())


def our_side(manifest: vu.Manifest, batches: dict[bool, Batch], threads: int) -> Side:
    """Our jobs; of the network the number of its learning parameters, and the log-mel that it gets."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tune_process()

    def inference() -> Job:
        run = tf.function(partial(model, training=False))
        given = _tensors(batches[False][0])
        return lambda: {head: logits.numpy() for head, logits in run(given).items()}

    def step(frozen: bool) -> Job:
        # The step that `fit` runs, repeatably, and what one watches, as on the other side.
        tf.config.experimental.enable_op_determinism()  # inference comes first: it is run without
        given = tuple(map(_tensors, batches[frozen]))
        form = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), given)
        run = tf.function(_model(manifest, frozen).train_step, input_signature=[form])
        return lambda: {name: float(value) for name, value in run(given).items()}

    model = _model(manifest, frozen=False)
    chunk = batches[False][0]["waveform"][:, : _SPEC.audio.hop_samples]  # [B,hop]
    facts = {
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.trainable_variables),
        "log_mel": np.array(model.encoders["audio"].backbone.get_layer("log_mel")(chunk)),  # [B,steps,bands]
    }
    return {_INFERENCE: inference, _FROZEN: partial(step, True), _ALL: partial(step, False)}, facts


def torch_side(manifest: vu.Manifest, batches: dict[bool, Batch], threads: int) -> Side:
    """PyTorch's, likewise."""
    import torch

    from benchmarks.peers.torch_twin import TorchTwin, make_optimizer, train_step

    torch.set_num_threads(threads)
    torch.manual_seed(_SETTINGS.seed)
    tune_process()
    make = partial(TorchTwin, _SPEC, {head: len(names) for head, names in manifest.labels.items()})

    def batch(frozen: bool) -> list[dict[str, torch.Tensor]]:
        return [{name: torch.from_numpy(array) for name, array in part.items()} for part in batches[frozen]]

    def inference() -> Job:
        twin, given = make().eval(), batch(frozen=False)[0]
        run = torch.inference_mode()(twin)
        return lambda: {head: logits.numpy() for head, logits in run(given).items()}

    def step(frozen: bool) -> Job:
        twin = make().train()
        if frozen:
            twin.backbone.requires_grad_(False).eval()
        optimizer = make_optimizer(twin, _SETTINGS.learning_rate, _SETTINGS.weight_decay)
        return partial(train_step, twin, optimizer, *batch(frozen))

    twin = make()
    chunk = batch(frozen=False)[0]["waveform"][:, : _SPEC.audio.hop_samples]  # [B,hop]
    facts = {
        "parameters": sum(parameter.numel() for parameter in twin.parameters() if parameter.requires_grad),
        "log_mel": twin.audio_encoder.log_mel(chunk).numpy(),  # [B,steps,bands]
    }
    return {_INFERENCE: inference, _FROZEN: partial(step, True), _ALL: partial(step, False)}, facts


def _tensors(arrays: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(array) for name, array in arrays.items()}


def _cached_epochs(run: Run, manifest: vu.Manifest, prepared: PreparedClips, batch: Batch, frozen: bool) -> None:
    """Epochs as `fit` runs them, out of a warm cache, beside as many bare steps on one batch in memory."""
    tune_process()
    tf.config.experimental.enable_op_determinism()
    # `fit` has its model step in its own way.
    model, bare, epochs = _model(manifest, frozen), _model(manifest, frozen), _QUICK_EPOCHS if run.quick else _EPOCHS
    numbers = np.resize(np.arange(len(prepared)), _EPOCH_STEPS * _SETTINGS.batch_size)  # more clips than were made
    fit = _fit(model, _batches(manifest, prepared, model, numbers, True), epochs)
    given = tuple(map(_tensors, batch))

    def bare_steps() -> None:
        for _ in range(epochs * _EPOCH_STEPS):
            bare.train_on_batch(*given)

    what = f"{epochs} epochs of {len(numbers)} cached clips, {'frozen backbone' if frozen else 'all learns'}"
    _compare(run, what, fit, "bare steps", bare_steps, 0.97, at_least=True)


def _fit(model: vu.VideoUnderstandingModel, batches: ClipBatches, epochs: int) -> Job:
    """Every call goes on for some epochs, with the callbacks that `fit` has."""
    work = FOLDER / "training_work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    keeper, first = Keeper(work, _SETTINGS.patience, {}), itertools.count(0, epochs)

    def job() -> None:
        epoch = next(first)
        callbacks = [keeper, TrainingBar(_SETTINGS.epochs, len(batches), epoch, False), EpochCurves(work)]
        settings = replace(_SETTINGS, epochs=epoch + epochs)
        training._without_memory_dump(model, batches, None, settings, epoch, callbacks)

    return job


def _first_epoch(run: Run, manifest: vu.Manifest) -> None:
    """Filling an empty cache, beside only reading the same clips in as many threads."""
    folder, workers = FOLDER / "training_first", os.cpu_count() or 1
    shutil.rmtree(folder, ignore_errors=True)
    fresh = itertools.count()  # an empty folder each time: to delete the last one is not part of the work
    rows = manifest.rows

    def fill() -> None:
        ClipCache(folder / str(next(fresh))).prepare(rows, _SPEC, workers, progress=False)

    def only_read() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda row: vu.read_clip(row.path, _SPEC), rows))

    _compare(run, f"first epoch's reading, {len(rows)} clips", fill, "bare read_clip", only_read, 0.90, at_least=True)
    shutil.rmtree(folder, ignore_errors=True)
