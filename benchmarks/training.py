"""How long training and inference take, beside Keras's own TimeDistributed, PyTorch, and the model's bare steps.

    python -m benchmarks.training [--quick] [--json FILE] [--page FILE]

Both sides of a comparison take turns in one run, so that a busy machine troubles them alike; the first rounds,
in which graphs are traced and caches fill, are not counted. Time is what a clock on the wall says and has the
goals; CPU time is that of all threads, and of a peer whose threads wait busily more than its work. Every ratio
is ours over theirs: the median of the rounds, and the lowest and highest of them. Everything runs with the
number of threads that the libraries choose, and trains as `video_understanding.training` does, repeatably.
PyTorch is met twice: with all threads, and with one thread on each side. On a machine that has other work, too,
only the second can be believed: PyTorch's threads wait for each other after every operation, and so for that work;
with `--quick` there is no other. Each of the two has a process of its own (see `benchmarks.apart`).
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from benchmarks.apart import Apart
from benchmarks.material import FOLDER
from benchmarks.processors import SideBySide
from benchmarks.tables import Measured, Spread, goal_text, last_lines, machine, read_options, tell
from benchmarks.training_steps import (
    ALL_LEARNS,
    EPOCH_STEPS,
    FROZEN,
    INFERENCE,
    Batch,
    as_tensors,
    compiled_model,
    our_side,
    require_alike,
    torch_side,
)
from benchmarks.turns import Job, take_turns, taken_s
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.models.backbones.small import small
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.encoders import Encoder
from video_understanding.presets import preset
from video_understanding.process import keep_freed_memory
from video_understanding.spec import ModelSpec
from video_understanding.training import fit as training
from video_understanding.training.batches import ClipBatches
from video_understanding.training.keeper import Keeper
from video_understanding.training.progress import TrainingBar
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.tensorboard import EpochCurves

_WARM_ROUNDS = 2  # in the first, graphs are traced; in the second, memory is still being found
_FOLD = (4, 16, 64)  # clips, frames of each, height and width in pixels
_CLIPS, _SEED = 48, 5
_EPOCHS, _QUICK_EPOCHS = 4, 2
# Where a job is one step: so many turns in the place of one, and so many steps in a turn, as in a training.
_SHORT_ROUNDS, _SHORT_REPEATS = 2, 5
_PACKAGES = ("tensorflow", "keras", "torch", "numpy", "av")


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


@dataclass(frozen=True)
class Race:
    """Two sides and what each does in its turn."""

    what: str
    ours: tuple[str, Job]
    theirs: tuple[str, Job]
    goal: float | None
    at_least: bool = False


def main() -> int:
    options = read_options(__doc__)

    report = Report(machine=machine(_PACKAGES, options.rounds))
    if not options.quick:  # to trace the other's graph alone takes half a minute
        _time_distributed(options.rounds, report)
    spec, data, prepared = _material()
    batch = _batch(spec, data, prepared)
    for threads in (1,) if options.quick else (os.cpu_count() or 1, 1):
        _against_torch(batch, threads, options.rounds, report)
    epochs = _QUICK_EPOCHS if options.quick else _EPOCHS
    # The quicker step of the two, which the least delay shows in, is enough for a quick look.
    kinds = {"frozen backbone": 0} if options.quick else {"all learns": None, "frozen backbone": 0}
    _cached_epochs(spec, data, prepared, kinds, epochs, options.rounds, report)
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
    folded = functools.partial(Encoder, piece_shape=(side_px, side_px, 3), pieces=frames)
    for name, layer in (("folded", folded), ("TimeDistributed", keras.layers.TimeDistributed)):
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
    race = Race(what, ("folded", jobs["folded"]), ("TimeDistributed", jobs["TimeDistributed"]), 0.5)
    _run(race, rounds, report, functools.partial(taken_s, repeats=3))


def _material() -> tuple[ModelSpec, Manifest, PreparedClips]:
    data = load_manifest(make_dataset(FOLDER / "training_clips", seed=_SEED, clips=_CLIPS))
    spec = preset("tiny")
    return spec, data, ClipCache(FOLDER / "training_cache").prepare(data.rows, spec)


def _against_torch(batch: Batch, threads: int, rounds: int, report: Report) -> None:
    """Steps and inference with this many threads on each side."""
    with Apart(our_side, batch, threads) as ours, Apart(torch_side, batch, threads) as theirs:
        told = ours.told()
        try:
            report.facts |= require_alike(told, theirs.told())
        except (ImportError, OSError):
            report.absent.append("torch")
            return
        size = f"{len(batch.shown['presence'])} clips, {threads} thread{'s' if threads > 1 else ''}"
        for what, goal in ((INFERENCE, 1.0), (FROZEN, 1.0), (ALL_LEARNS, 1.1)):
            race = Race(
                f"{what}, {size}",
                ("ours", ours.job(what, _SHORT_REPEATS)),
                ("PyTorch", theirs.job(what, _SHORT_REPEATS)),
                goal,
            )
            _run(race, rounds * _SHORT_ROUNDS, report, timed=lambda job: job())


def _batch(spec: ModelSpec, data: Manifest, prepared: PreparedClips) -> Batch:
    """The first clips, as they are and with the features of a frozen backbone."""
    settings = TrainingSettings(augment=False)
    frozen = replace(spec, network=replace(spec.network, unfrozen_blocks=0))
    _, featured, targets = _model_and_batch(frozen, data, prepared, settings, features=True)
    _, shown, _ = _model_and_batch(spec, data, prepared, settings)
    return Batch(spec, data, shown, featured, targets)


def _cached_epochs(
    spec: ModelSpec,
    data: Manifest,
    prepared: PreparedClips,
    kinds: dict[str, int | None],
    epochs: int,
    rounds: int,
    report: Report,
) -> None:
    """Epochs as `fit` runs them, out of a warm cache, beside as many bare steps on one batch in memory.

    `kinds` tells of each how many blocks of the backbone learn, None for all.
    """
    keep_freed_memory()
    tf.config.experimental.enable_op_determinism()
    for name, blocks in kinds.items():
        settings = TrainingSettings(epochs=10_000, patience=10_000, augment=False)
        its_spec = replace(spec, network=replace(spec.network, unfrozen_blocks=blocks))
        model, inputs, targets = _model_and_batch(its_spec, data, prepared, settings, features=blocks == 0)
        bare, _, _ = _model_and_batch(its_spec, data, prepared, settings)  # `fit` has its model step in its own way
        features = training.frame_features(model, prepared, False) if blocks == 0 else None
        numbers = np.resize(np.arange(len(prepared)), EPOCH_STEPS * settings.batch_size)  # more clips than were made
        bare_job = functools.partial(_bare_steps, bare, as_tensors(inputs), as_tensors(targets), epochs)
        race = Race(
            f"{epochs} epochs of {len(numbers)} cached clips, {name}",
            ("fit", _Epochs(model, data, prepared, numbers, settings, features, epochs)),
            ("bare steps", bare_job),
            0.97,
            at_least=True,
        )
        _run(race, rounds, report)


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
    for _ in range(epochs * EPOCH_STEPS):
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
    _run(Race(what, ("cache", fill), ("bare read_clip", only_read), 0.90, at_least=True), rounds, report)
    shutil.rmtree(folder, ignore_errors=True)


def _model_and_batch(
    spec: ModelSpec, data: Manifest, prepared: PreparedClips, settings: TrainingSettings, features: bool = False
) -> tuple[VideoUnderstandingModel, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A compiled model, and its first batch; of features, if they are wanted."""
    model = compiled_model(spec, data, settings)
    seen = training.frame_features(model, prepared, False) if features else None
    numbers = np.arange(settings.batch_size)
    batches = ClipBatches(prepared, data.rows, data.labels, numbers, settings, learning=False, features=seen)
    return model, *batches[0]


def _run(race: Race, rounds: int, report: Report, timed: Callable[[Job], tuple[float, float]] = taken_s) -> None:
    (our_name, our_job), (their_name, their_job) = race.ours, race.theirs
    jobs = {our_name: our_job, their_name: their_job}
    taken = take_turns(jobs, rounds, race.what, _WARM_ROUNDS, timed, SideBySide())
    report.count_again(taken)
    spreads = []
    for ours, theirs in (
        (taken[our_name].wall_s, taken[their_name].wall_s),
        (taken[our_name].cpu_s, taken[their_name].cpu_s),
    ):
        ratios = np.array(ours) / np.array(theirs)  # [rounds]
        spreads.append(Spread.of(list(1 / ratios if race.at_least else ratios)))
    report.ratios.append(Ratio(race.what, their_name, *spreads, race.goal, race.at_least))
    report.wall_ms[race.what] = {name: Spread.of(row.wall_s).times(1000) for name, row in taken.items()}
    report.cpu_ms[race.what] = {name: Spread.of(row.cpu_s).times(1000) for name, row in taken.items()}


_TEXT = """Steps, epochs and inference of the preset "tiny" beside what one would use otherwise, both sides taking
turns in one run. Ratios count, milliseconds belong to the machine named below. Goals are for time on the wall. Where a
goal is a lowest (>=), the ratio is one of rates: clips per second over theirs.

```text
{table}
```

The network in PyTorch is `benchmarks/torch_twin.py`: the same layers and shapes, its sound through `torch.stft`, its
pictures channels last, its attention and AdamW the fused ones. Beside it ours is the step that `fit` runs, traced once.
Each has a process of its own and nobody's threads wait in the other's turn; both let the allocator keep freed memory,
as our trainings do, which makes PyTorch's step quicker, too.
Bare steps are `train_on_batch` on one batch in memory, which is Keras's own way and takes more of Python.
The first epoch leaves a file of each clip behind, which takes longer; its threads ask for Python's lock fifty times as
soon as by default, so that none waits for long behind one that computes.
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
