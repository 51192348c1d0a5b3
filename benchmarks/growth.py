"""How the cost grows with what is given: longer files, more clips, more classes, larger pictures, more of them.

    python -m benchmarks.growth [--quick] [--json FILE] [--page FILE]

The points of one growth take turns in one run. Through their medians goes a straight line: how far they lie from it
says whether twice as much costs twice as much. TensorFlow has one thread here, for the form is what is looked for, and
threads that wait for each other would only blur it. With `--page` the plots are drawn beside the page.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

from benchmarks.growth_lines import Line, draw
from benchmarks.material import FOLDER, Material, made
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, ratio_lines, read_options, tell
from benchmarks.turns import Job, take_turns
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.manifest import load_manifest
from video_understanding.labels import Labels
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.presets import preset
from video_understanding.process import keep_freed_memory
from video_understanding.recognition import Recognizer
from video_understanding.scorer import ModelInputs
from video_understanding.spec import ModelSpec
from video_understanding.training.batches import ClipBatches
from video_understanding.training.feed import Feed
from video_understanding.training.settings import TrainingSettings

_SEED = 5
_LENGTHS_S = (10, 30, 60, 90, 120)
_CLIPS = (24, 48, 96, 144, 192)
_CLASSES = (2, 100, 200, 300, 400)
_SIDES_PX = (64, 112, 160, 208, 256)
_FRAMES = (4, 16, 32, 48, 64)
_FEW_CLASSES = Labels(action=("one", "other"))
_PACKAGES = ("tensorflow", "keras", "numpy", "av")


@dataclass(frozen=True)
class Growth:
    """What grows, and what is done at each of its sizes, `repeats` times in a round."""

    what: str
    panel: str
    """The plot's label of the sizes, with their unit; growths with the same one share a plot."""
    jobs: Mapping[float, Job]
    repeats: int = 1
    flat: bool = False
    """Whether it should hardly grow, and not in a straight line."""


@dataclass
class Report(Measured):
    """All that was measured."""

    lines: dict[str, Line] = field(default_factory=dict)


def main() -> int:
    options = read_options(__doc__)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.get_logger().setLevel("ERROR")  # it warns of many graphs: here each size has its own
    keep_freed_memory()  # as our trainings do
    report = Report(machine=machine(_PACKAGES, options.rounds))
    for growths in (_length, _clips, _classes, _resolution, _frames):
        for growth in growths(options.quick):
            _run(growth, options.rounds, report)
    _batches(options.rounds, report)
    tell(report, options, lines=list(_lines(report)), title="Growth", text=_TEXT)
    if options.page:
        draw(report.lines, options.page.with_name("growth.svg"))
    return 0


def _run(growth: Growth, rounds: int, report: Report) -> None:
    def repeated(job: Job) -> None:
        for _ in range(growth.repeats):
            job()

    taken = take_turns({f"{size:g}": partial(repeated, job) for size, job in growth.jobs.items()}, rounds, growth.what)
    rows = list(taken.values())
    cpu_ms = [Spread.of(row.cpu_s).times(1000 / growth.repeats) for row in rows]
    report.lines[growth.what] = Line.through(list(growth.jobs), cpu_ms, growth.panel, growth.flat)
    least, most = (f"{size:g}" for size in (min(growth.jobs), max(growth.jobs)))
    report.ratios.append(Ratio.of(growth.what, f"{most} over {least}", taken[most], taken[least]))


def _length(quick: bool) -> Iterator[Growth]:
    """A file from its first byte to its labels."""
    recognizer = Recognizer(_scorer(preset("tiny")))
    jobs = {}
    for seconds in _LENGTHS_S[: 3 if quick else None]:
        file = made(Material(f"growth_{seconds}_s.mp4", seconds, 240, 320, 25, "libx264", "aac"), FOLDER)
        jobs[seconds] = partial(recognizer.predict, file)
    yield Growth("file, to labels", "length of a file, s", jobs)


def _clips(quick: bool) -> Iterator[Growth]:
    """A data set into an empty cache, and an epoch out of it."""
    spec, many = preset("tiny"), _CLIPS[: 3 if quick else None]
    data = load_manifest(make_dataset(FOLDER / "growth_clips", seed=_SEED, clips=max(many)))
    folder = FOLDER / "growth_caches"
    shutil.rmtree(folder, ignore_errors=True)
    fresh = itertools.count()  # an empty folder each time: to delete the last one is not part of the work

    def prepare(clips: int) -> None:
        ClipCache(folder / str(next(fresh))).prepare(data.rows[:clips], spec, workers=1, progress=False)

    yield Growth("clips, first epoch", "clips of a data set", {clips: partial(prepare, clips) for clips in many})
    shutil.rmtree(folder)

    prepared = ClipCache(FOLDER / "growth_cache").prepare(data.rows, spec, progress=False)
    settings = TrainingSettings(augment=False)
    feeds = {
        clips: Feed(ClipBatches(prepared, data.rows, data.labels, np.arange(clips), settings, learning=True))
        for clips in many
    }
    jobs = {clips: lambda feed=feed: sum(1 for _ in feed) for clips, feed in feeds.items()}
    yield Growth("clips, cached epoch", "clips of a data set", jobs, repeats=20)


def _classes(quick: bool) -> Iterator[Growth]:
    """Steps and answers of models that differ in the number of their classes alone.

    The backbone is frozen, as it is in most trainings: what classes cost is then seen best.
    """
    spec = preset("tiny")
    spec = replace(spec, network=replace(spec.network, unfrozen_blocks=0))
    chance = np.random.default_rng(_SEED)
    batch = _inputs(spec, TrainingSettings().batch_size, chance)
    given = {"waveform": batch["audio"], "presence": batch.presence.astype(np.float32)}
    steps, answers = {}, {}
    for classes in (_CLASSES[0], _CLASSES[-1]) if quick else _CLASSES:
        labels = Labels(action=tuple(f"class {number}" for number in range(classes)))
        model = VideoUnderstandingModel(spec, labels, weights=None, seed=_SEED)
        model.compile(jit_compile=False)  # as in our trainings
        truth = np.eye(classes + 1, dtype=np.float32)[chance.integers(classes, size=len(batch))]  # [B,C+1]
        truth[:, -1] = 1  # all have a label
        seen = np.zeros(
            (len(truth), spec.frames, model.encoders["video"].backbone.output_shape[-1]), np.float32
        )  # [B,T,F]
        inputs, targets = tf.nest.map_structure(tf.constant, (given | {"video_features": seen}, {"action": truth}))
        steps[classes] = partial(model.train_on_batch, inputs, targets)
        answers[classes] = partial(_scorer(spec, labels), _inputs(spec, 1, chance))
    yield Growth("classes, training step", "classes", steps, repeats=3, flat=True)
    yield Growth("classes, inference", "classes", answers, repeats=20, flat=True)


def _resolution(quick: bool) -> Iterator[Growth]:
    """One window of larger and larger pictures, by their area."""
    small, jobs = preset("tiny"), {}
    for side_px in _SIDES_PX[:: 2 if quick else 1]:
        spec = replace(small, video=replace(small.video, height_px=side_px, width_px=side_px))
        jobs[side_px**2 / 1000] = _inference(spec)
    yield Growth("pixels, inference", "a picture's pixels, thousands", jobs, repeats=4)


def _frames(quick: bool) -> Iterator[Growth]:
    """One window of the same length with more and more pictures in it."""
    small, jobs = preset("tiny"), {}
    for frames in _FRAMES[:: 2 if quick else 1]:
        jobs[frames] = _inference(replace(small, video=replace(small.video, frames_hz=frames / small.window_s)))
    yield Growth("frames, inference", "frames in a window", jobs, repeats=4)


def _batches(rounds: int, report: Report) -> None:
    """Many windows in true batches, as an evaluation scores them, and one after the other, as a stream does."""
    spec = preset("tiny")
    scorer, windows = _scorer(spec), _inputs(spec, 16, np.random.default_rng(_SEED))
    jobs = {name: partial(scorer.score, windows, exact=name == "exact") for name in ("exact", "batches")}
    taken = take_turns(jobs, rounds, "16 windows, inference")
    report.ratios.append(Ratio.of("16 windows, inference", "batches / exact", taken["batches"], taken["exact"]))


def _inference(spec: ModelSpec) -> Callable[[], object]:
    return partial(_scorer(spec), _inputs(spec, 1, np.random.default_rng(_SEED)))


def _scorer(spec: ModelSpec, labels: Labels = _FEW_CLASSES) -> KerasScorer:
    return KerasScorer(VideoUnderstandingModel(spec, labels, weights=None, seed=_SEED))


def _inputs(spec: ModelSpec, clips: int, chance: np.random.Generator) -> ModelInputs:
    """Noise: what is in a picture makes no difference to what looking at it costs."""
    frames = chance.integers(0, 256, (clips, *spec.frames_shape), np.uint8)  # [B,T,H,W,3]
    waveform = chance.normal(0, 0.1, (clips, spec.samples)).astype(np.float32)  # [B,N]
    return ModelInputs({"video": frames, "audio": waveform}, np.ones((clips, 2), bool))


_TEXT = """What more of something costs: CPU time of the preset "tiny" with TensorFlow on one thread, the points of one
growth taking turns in one run. The ratio is that of the last point over the first; the line goes straight through the
medians of all, and its deviation is that of the point farthest from it. Milliseconds belong to the machine named below.
The last ratio is that of 16 windows scored in true batches, as evaluations do, over one after the other, as streams do.

![The CPU time of each growth against its size, and the straight line through it](growth.svg)

```text
{table}
```
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 24, 18, ("what grows", "from, to"))
    yield f"{'line, ms of CPU time':<24} {'base':>8} {'+ each':>9} {'R2':>7} {'off by at most':>15} growth"
    for what, line in report.lines.items():
        fit = f"{line.base_ms:8.1f} {line.slope_ms:9.4f} {line.r2:7.4f} {line.deviation_percent:13.1f} %"
        yield f"{what:<24} {fit} {line.verdict()}"
    yield ""
    yield f"{'ms of CPU time':<24} {'at':>7} {'median':>8} spread"
    for what, line in report.lines.items():
        for size, cpu_ms in zip(line.sizes, line.cpu_ms, strict=True):
            yield f"{what:<24} {size:7g} {cpu_ms.columns(1, 8)}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
