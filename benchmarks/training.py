"""How long training and inference take, beside Keras's own TimeDistributed, PyTorch, and the model's bare steps.

    python -m benchmarks.training [--quick] [--json FILE] [--page FILE]

Both sides of a comparison take turns in one run, so that a busy machine troubles them alike; the first rounds,
in which graphs are traced and caches fill, are not counted. Time is what a clock on the wall says and has the
goals; CPU time is that of all threads, and of a peer whose threads wait busily more than its work. Every ratio
is ours over theirs: the median of the rounds, and the lowest and highest of them. Everything runs with the
number of threads that the libraries choose, and trains as `video_understanding.training` does, repeatably.
PyTorch is met twice: with all threads, and with one thread on each side. On a machine that has other work, too,
only the second can be believed: PyTorch's threads wait for each other after every operation, and so for that work;
with `--quick` there is no other.
"""

from __future__ import annotations

import functools
import gc
import itertools
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from benchmarks.material import FOLDER
from benchmarks.tables import Measured, Spread, goal_text, last_lines, machine, read_options, tell
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.labels import Labels
from video_understanding.layers.over_time import OverTime
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.models.backbones.small import small
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.presets import preset
from video_understanding.spec import ModelSpec
from video_understanding.training import fit as training
from video_understanding.training.batches import ClipBatches, targets_of
from video_understanding.training.keeper import Keeper
from video_understanding.training.memory import keep_freed_memory
from video_understanding.training.progress import TrainingBar
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.tensorboard import EpochCurves

_WARM_ROUNDS = 2  # in the first, graphs are traced; in the second, memory is still being found
_FOLD = (4, 16, 64)  # clips, frames of each, height and width in pixels
_CLIPS, _SEED = 48, 5
_EPOCH_STEPS, _EPOCHS, _QUICK_EPOCHS = 20, 4, 2
_SHORT_ROUNDS = 5  # in the place of one, where a round is a few steps: what disturbs the machine then falls on a few
_ALIKE = 0.02  # how far the numbers of parameters may lie apart
_PACKAGES = ("tensorflow", "keras", "torch", "numpy", "av")

Job = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """Ours over another's, of time or (`at_least`) of rate."""

    what: str
    over: str
    wall: Spread
    cpu: Spread
    goal: float | None = None
    at_least: bool = False


@dataclass
class Report(Measured):
    """All that was measured."""

    wall_ms: dict[str, dict[str, Spread]] = field(default_factory=dict)
    """For each comparison and side, of one step, epoch or data set."""
    cpu_ms: dict[str, dict[str, Spread]] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Takes what another process has measured."""
        self.ratios += other.ratios
        self.absent += [name for name in other.absent if name not in self.absent]
        for own, more in ((self.wall_ms, other.wall_ms), (self.cpu_ms, other.cpu_ms), (self.facts, other.facts)):
            own.update(more)


@dataclass(frozen=True)
class Race:
    """Two sides, each job `repeats` times in a round."""

    what: str
    ours: tuple[str, Job]
    theirs: tuple[str, Job]
    goal: float | None
    repeats: int = 1
    at_least: bool = False


def main() -> int:
    options = read_options(__doc__)

    report = Report(machine=machine(_PACKAGES, options.rounds))
    if not options.quick:  # to trace the other's graph alone takes half a minute
        _time_distributed(options.rounds, report)
    for threads in (1,) if options.quick else (os.cpu_count() or 1, 1):
        # Each in a process of its own: the number of threads can be chosen but once.
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            report.add(alone.submit(_against_torch, threads, options.rounds).result())
    spec, data, prepared = _material()
    epochs = _QUICK_EPOCHS if options.quick else _EPOCHS
    _cached_epochs(spec, data, prepared, epochs, options.rounds, report)
    _first_epoch(spec, data, options.rounds, report)
    tell(report, options, lines=list(_lines(report)), title="Training", text=_TEXT)
    return 0


def _time_distributed(rounds: int, report: Report) -> None:
    """Time folded into the batch, beside the layer of Keras that goes through it piece by piece."""
    clips, frames, side_px = _FOLD
    rng = np.random.default_rng(_SEED)
    pictures = rng.integers(0, 256, (clips, frames, side_px, side_px, 3)).astype(np.float32)  # [B,T,H,W,3]
    classes = np.arange(clips) % 2  # [B]
    jobs, operations = {}, {}
    for name, layer in (("folded", OverTime), ("TimeDistributed", keras.layers.TimeDistributed)):
        keras.utils.set_random_seed(_SEED)
        inputs = keras.Input(pictures.shape[1:])
        mean = keras.layers.GlobalAveragePooling1D()(layer(small(side_px, side_px))(inputs))  # [B,F]
        model = keras.Model(inputs, keras.layers.Dense(2)(mean))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # As in our trainings, which are repeatable: there Keras does not use XLA either.
        model.compile("adamw", loss, jit_compile=False)
        jobs[name] = functools.partial(model.train_on_batch, pictures, classes)
        graph = tf.function(functools.partial(model, training=True)).get_concrete_function(tf.constant(pictures)).graph
        operations[name] = len(graph.get_operations())
    report.facts["operations in the graph"] = ", ".join(f"{name} {count}" for name, count in operations.items())
    what = f"CNN over time, {clips} x {frames} x {side_px} px, step"
    _run([Race(what, ("folded", jobs["folded"]), ("TimeDistributed", jobs["TimeDistributed"]), 0.5, 3)], rounds, report)


def _material() -> tuple[ModelSpec, Manifest, PreparedClips]:
    data = load_manifest(make_dataset(FOLDER / "training_clips", seed=_SEED, clips=_CLIPS))
    spec = preset("tiny")
    return spec, data, ClipCache(FOLDER / "training_cache").prepare(data.rows, spec)


def _against_torch(threads: int, rounds: int) -> Report:
    """Steps and inference with this many threads on each side."""
    report = Report()
    try:
        import torch

        from benchmarks import torch_twin
    except (ImportError, OSError):
        report.absent.append("torch")
        return report
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    torch.set_num_threads(threads)
    torch.manual_seed(_SEED)
    keep_freed_memory()  # as our trainings do; it serves both sides
    spec, data, prepared = _material()
    settings = TrainingSettings(augment=False)
    frozen_spec = replace(spec, network=replace(spec.network, unfrozen_blocks=0))
    frozen_model, inputs, targets = _model_and_batch(frozen_spec, data, prepared, settings, features=True)
    model, shown, _ = _model_and_batch(spec, data, prepared, settings)
    classes = {head: len(data.labels.names(head)) for head in data.labels.heads}
    twins = [torch_twin.TorchTwin(spec, classes) for _ in range(3)]
    _report_sizes(model, twins[0], inputs | shown, report)

    tensors = {name: torch.from_numpy(array) for name, array in shown.items()}
    truth = {head: torch.from_numpy(rows) for head, rows in targets.items()}
    features = {name: torch.from_numpy(array) for name, array in inputs.items()}
    still, frozen, whole = twins
    still.eval()
    frozen.train()
    frozen.backbone.requires_grad_(False).eval()
    whole.train()
    optimizers = {
        twin: torch_twin.make_optimizer(twin, settings.learning_rate, settings.weight_decay) for twin in (frozen, whole)
    }
    ours_still = tf.function(lambda given: model(given, training=False))
    ours_shown, our_truth = _as_tensors(shown), _as_tensors(targets)

    def our_inference() -> dict[str, np.ndarray]:
        return {head: logits.numpy() for head, logits in ours_still(ours_shown).items()}

    def their_inference() -> dict[str, np.ndarray]:
        with torch.inference_mode():
            return {head: logits.numpy() for head, logits in still(tensors).items()}

    def our_step(ours: keras.Model, given: dict[str, tf.Tensor]) -> Job:
        # The step that `fit` runs, and what one watches, as on the other side.
        batch = given, our_truth
        form = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), batch)
        step = tf.function(ours.train_step, input_signature=[form])
        return lambda: {name: float(value) for name, value in step(batch).items()}

    def their_step(twin: torch.nn.Module, given: dict[str, torch.Tensor]) -> Job:
        return lambda: torch_twin.train_step(twin, optimizers[twin], given, truth)

    size = f"{len(shown['presence'])} clips, {threads} thread{'s' if threads > 1 else ''}"
    races = [
        Race(f"inference, {size}", ("ours", our_inference), ("PyTorch", their_inference), 1.0, 2),
        Race(
            f"step, frozen backbone, {size}",
            ("ours", our_step(frozen_model, _as_tensors(inputs))),
            ("PyTorch", their_step(frozen, features)),
            1.0,
            2,
        ),
        Race(
            f"step, all learns, {size}",
            ("ours", our_step(model, ours_shown)),
            ("PyTorch", their_step(whole, tensors)),
            1.1,
            2,
        ),
    ]
    # Inference before training: it runs in processes that never asked for repeatable operations.
    _run(races[:1], rounds * _SHORT_ROUNDS, report)
    tf.config.experimental.enable_op_determinism()
    _run(races[1:], rounds * _SHORT_ROUNDS, report)
    return report


def _as_tensors(arrays: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    """Both sides have their batch ready in their own form."""
    return {name: tf.constant(array) for name, array in arrays.items()}


def _report_sizes(model: keras.Model, twin: Any, inputs: dict[str, np.ndarray], report: Report) -> None:
    """Refuses to compare what is not alike: parameters, and the log-mel pictures that both see."""
    import torch

    ours = sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)
    theirs = sum(parameter.numel() for parameter in twin.parameters() if parameter.requires_grad)
    hop = inputs["waveform"][:, : model.spec.audio.hop_samples]  # [B,hop]
    heard = np.array(model.hop_encoder.get_layer("log_mel")(hop))  # [B,steps,bands]
    difference_db = float(np.abs(heard - twin.listen.log_mel(torch.from_numpy(hop)).numpy()).max())
    report.facts["learning parameters"] = f"ours {ours}, PyTorch {theirs}"
    report.facts["log-mel"] = f"differs by {difference_db:.4f} dB at most"
    if abs(theirs / ours - 1) > _ALIKE or difference_db > 0.1:
        raise SystemExit(f"the networks are not alike: {report.facts}")


def _cached_epochs(
    spec: ModelSpec, data: Manifest, prepared: PreparedClips, epochs: int, rounds: int, report: Report
) -> None:
    """Epochs as `fit` runs them, out of a warm cache, beside as many bare steps on one batch in memory."""
    keep_freed_memory()
    tf.config.experimental.enable_op_determinism()
    races = []
    for name, blocks in (("all learns", None), ("frozen backbone", 0)):
        settings = TrainingSettings(epochs=10_000, patience=10_000, augment=False)
        its_spec = replace(spec, network=replace(spec.network, unfrozen_blocks=blocks))
        model, inputs, targets = _model_and_batch(its_spec, data, prepared, settings, features=blocks == 0)
        bare, _, _ = _model_and_batch(its_spec, data, prepared, settings)  # `fit` has its model step in its own way
        features = training.frame_features(model, prepared, False) if blocks == 0 else None
        numbers = np.resize(np.arange(len(prepared)), _EPOCH_STEPS * settings.batch_size)  # more clips than were made
        races.append(
            Race(
                f"{epochs} epochs of {len(numbers)} cached clips, {name}",
                ("fit", _Epochs(model, data, prepared, numbers, settings, features, epochs)),
                ("bare steps", functools.partial(_bare_steps, bare, _as_tensors(inputs), _as_tensors(targets), epochs)),
                0.97,
                at_least=True,
            )
        )
    _run(races, rounds, report)


class _Epochs:
    """Every call goes on for some epochs, with the callbacks that `fit` has."""

    def __init__(
        self,
        model: VideoUnderstandingModel,
        data: Manifest,
        prepared: PreparedClips,
        numbers: np.ndarray,
        settings: TrainingSettings,
        features: np.ndarray | None,
        epochs: int,
    ) -> None:
        self._model, self._settings, self._epoch, self._epochs = model, settings, 0, epochs
        self._batches = ClipBatches(
            prepared, data.rows, data.labels, numbers, settings, learning=True, features=features
        )
        self._work = FOLDER / "training_work"
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True)
        self._keeper = Keeper(self._work, settings.patience, {})

    def __call__(self) -> None:
        bar = TrainingBar(self._settings.epochs, len(self._batches), self._epoch, False)
        callbacks = [self._keeper, bar, EpochCurves(self._work)]
        settings = replace(self._settings, epochs=self._epoch + self._epochs)
        training._without_memory_dump(self._model, self._batches, None, settings, self._epoch, callbacks)
        self._epoch += self._epochs


def _bare_steps(model: keras.Model, inputs: dict[str, tf.Tensor], targets: dict[str, tf.Tensor], epochs: int) -> None:
    for _ in range(epochs * _EPOCH_STEPS):
        model.train_on_batch(inputs, targets)


def _first_epoch(spec: ModelSpec, data: Manifest, rounds: int, report: Report) -> None:
    """Filling an empty cache, beside only reading the same clips in as many threads."""
    folder = FOLDER / "training_first"
    workers = os.cpu_count() or 1
    shutil.rmtree(folder, ignore_errors=True)
    fresh = itertools.count()  # an empty folder each time: to delete the last one is not part of the work

    def fill() -> None:
        ClipCache(folder / str(next(fresh))).prepare(data.rows, spec, workers, progress=False)

    def only_read() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(lambda row: read_clip(row.path, spec), data.rows))

    what = f"first epoch's reading, {len(data)} clips"
    _run([Race(what, ("cache", fill), ("bare read_clip", only_read), 0.90, at_least=True)], rounds, report)
    shutil.rmtree(folder, ignore_errors=True)


def _model_and_batch(
    spec: ModelSpec, data: Manifest, prepared: PreparedClips, settings: TrainingSettings, features: bool = False
) -> tuple[VideoUnderstandingModel, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A model compiled as `fit` does it, and its first batch; of features, if they are wanted."""
    keras.utils.set_random_seed(settings.seed)
    labels: Labels = data.labels
    model = VideoUnderstandingModel(spec, labels, weights=None, seed=settings.seed)
    training._compile(model, settings, targets_of(data.rows, labels), _EPOCH_STEPS, slow_backbone=False)
    seen = training.frame_features(model, prepared, False) if features else None
    numbers = np.arange(settings.batch_size)
    batches = ClipBatches(prepared, data.rows, labels, numbers, settings, learning=False, features=seen)
    return model, *batches[0]


def _run(races: list[Race], rounds: int, report: Report) -> None:
    for race in races:
        sides = (race.ours, race.theirs)
        taken_s: dict[str, list[tuple[float, float]]] = {name: [] for name, _ in sides}
        for number in tqdm(range(rounds + _WARM_ROUNDS), desc=race.what, unit="round", leave=False, disable=None):
            for name, job in sides if number % 2 else sides[::-1]:  # neither always comes first
                gc.collect()
                taken = _time_s(job, race.repeats)
                if number >= _WARM_ROUNDS:
                    taken_s[name].append(taken)
        ours, theirs = (np.array(taken_s[name]) for name, _ in sides)  # [rounds,2] each: wall, CPU
        ratios = theirs / ours if race.at_least else ours / theirs
        report.ratios.append(
            Ratio(race.what, race.theirs[0], Spread.of(ratios[:, 0]), Spread.of(ratios[:, 1]), race.goal, race.at_least)
        )
        for kept, column in ((report.wall_ms, 0), (report.cpu_ms, 1)):
            kept[race.what] = {name: Spread.of(1000 * np.array(rows)[:, column]) for name, rows in taken_s.items()}


def _time_s(job: Job, repeats: int) -> tuple[float, float]:
    """Seconds on the wall and of CPU time that one call of the job takes."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        job()
    return (time.perf_counter() - began_s) / repeats, (time.process_time() - began_cpu_s) / repeats


_TEXT = """Steps, epochs and inference of the preset "tiny" beside what one would use otherwise, both sides taking
turns in one run. Ratios count, milliseconds belong to the machine named below. Goals are for time on the wall. Where a
goal is a lowest (>=), the ratio is one of rates: clips per second over theirs.

```text
{table}
```

The network in PyTorch is `benchmarks/torch_twin.py`: the same layers and shapes, its sound through `torch.stft`, its
pictures channels last, its attention and AdamW the fused ones. Beside it ours is the step that `fit` runs, traced once.
Bare steps are `train_on_batch` on one batch in memory, which is Keras's own way and takes a millisecond more of Python.
"""


def _lines(report: Report) -> Iterator[str]:
    yield f"{'ours over theirs':<46} {'over':<16} {'wall':>5} {'spread':<13} {'CPU':>5} {'spread':<13} goal"
    for ratio in report.ratios:
        numbers = f"{ratio.wall.columns(2, 5)} {ratio.cpu.columns(2, 5)}"
        yield f"{ratio.what:<46} {ratio.over:<16} {numbers} {goal_text(ratio.wall.median, ratio.goal, ratio.at_least)}"
    yield ""
    yield f"{'milliseconds':<46} {'side':<16} {'wall':>8} {'spread':<19} {'CPU':>8} {'spread':<19}"
    for what, sides in report.wall_ms.items():
        for side, wall_ms in sides.items():
            yield f"{what:<46} {side:<16} {wall_ms.columns(1, 8)} {report.cpu_ms[what][side].columns(1, 8)}"
    for what, fact in report.facts.items():
        yield f"{what}: {fact}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
