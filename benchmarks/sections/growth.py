"""How the cost grows with what is given: longer files, more clips, more classes, larger frames, more of them."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

import video_understanding as vu
from benchmarks.clips import FOLDER, BenchClip, write_clip
from benchmarks.interleave import Job, seconds_of
from benchmarks.report import Run
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.models.keras_scorer import KerasScorer
from video_understanding.process import tune_process
from video_understanding.scorer import ModelInputs
from video_understanding.training.batches import ClipBatches
from video_understanding.training.feed import Feed
from video_understanding.training.settings import TrainingSettings

TITLE = "Growth"
PACKAGES = ("tensorflow", "keras", "numpy", "av")
_SEED = 5
_LENGTHS_S = (10, 30, 60, 90, 120)
_CLIPS = (24, 48, 96, 144, 192)
_CLASSES = (2, 100, 200, 300, 400)
_SIDES_PX = (64, 112, 160, 208, 256)
_FRAMES = (4, 16, 32, 48, 64)
_FEW_CLASSES = vu.Labels(action=("one", "other"))
_CLOSE_PERCENT = 10.0  # so far a point may lie from the line, or the last above the first, and still be called on it
_COLOURS = ("#0072B2", "#E69F00")  # of Okabe and Ito: they differ for every kind of eye


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


@dataclass(frozen=True)
class Line:
    """Points [n], and the straight line of least squares through them; `off` is the farthest, in percent of it."""

    sizes: Sequence[float]
    values: np.ndarray
    base: float
    slope: float
    r2: float
    off: float

    @classmethod
    def through(cls, sizes: Sequence[float], values: np.ndarray) -> Line:
        """The line of least squares."""
        slope, base = np.polyfit(sizes, values, 1)
        line = base + slope * np.array(sizes)
        scatter = ((values - values.mean()) ** 2).sum()
        r2 = 1 - ((values - line) ** 2).sum() / scatter if scatter else 1.0
        return cls(sizes, values, float(base), float(slope), float(r2), float(100 * np.abs(values / line - 1).max()))

    def cells(self, flat: bool = False) -> dict[str, str]:
        """A row of the table, with a verdict: whether it grows as it should."""
        grown = 100 * (self.values[-1] / self.values[0] - 1)
        verdict = "straight" if self.off <= _CLOSE_PERCENT else "NOT STRAIGHT"
        if flat:
            verdict = "flat" if grown <= _CLOSE_PERCENT else f"GROWS by {grown:.0f} %"
        fit = {"base": f"{self.base:.1f}", "+ each": f"{self.slope:.4f}", "R2": f"{self.r2:.4f}"}
        return fit | {"off by at most": f"{self.off:.1f} %", "growth": verdict}


def measure(run: Run) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.get_logger().setLevel("ERROR")  # it warns of many graphs: here each size has its own
    tune_process()  # as `vu train` does
    panels: dict[str, dict[str, tuple[Line, np.ndarray]]] = {}
    for growths in (_length, _clips, _classes, _resolution_and_frames):
        for growth in growths(run.quick):
            panels.setdefault(growth.panel, {})[growth.what] = _grow(run, growth)
    if run.page:
        draw(panels, run.page.with_name("growth.svg"))


def _grow(run: Run, growth: Growth) -> tuple[Line, np.ndarray]:
    """The line through its points, and of each the median, lowest and highest milliseconds [points,3]."""
    jobs = {f"{size:g}": job for size, job in growth.jobs.items()}
    timings = run.interleave(growth.what, jobs, timed=partial(seconds_of, repeats=growth.repeats))
    cpu_ms = np.array([run.times_ms[f"{growth.what}: {size}"]["cpu"] for size in jobs])  # [points,3]
    line = Line.through(list(growth.jobs), cpu_ms[:, 0])
    run.tables.setdefault("line, ms of CPU time", {})[growth.what] = line.cells(growth.flat)
    least, most = (f"{size:g}" for size in (min(growth.jobs), max(growth.jobs)))
    run.ratio(growth.what, f"{most} over {least}", timings[most], timings[least])
    return line, cpu_ms


def _length(quick: bool) -> Iterator[Growth]:
    """A file from its first byte to its labels."""
    recognizer = vu.Recognizer(_scorer(vu.preset("tiny")))
    files = {s: write_clip(BenchClip(f"growth_{s}_s.mp4", s, 240, 320, 25)) for s in _LENGTHS_S[: 3 if quick else None]}
    jobs = {seconds: partial(recognizer.predict, file) for seconds, file in files.items()}
    yield Growth("file, to labels", "length of a file, s", jobs)


def _clips(quick: bool) -> Iterator[Growth]:
    """A data set into an empty cache, and an epoch out of it."""
    spec, many = vu.preset("tiny"), _CLIPS[: 3 if quick else None]
    data = vu.load_manifest(make_dataset(FOLDER / "growth_clips", seed=_SEED, clips=max(many)))
    folder = FOLDER / "growth_caches"
    shutil.rmtree(folder, ignore_errors=True)
    fresh = itertools.count()  # an empty folder each time: to delete the last one is not part of the work

    def prepare(clips: int) -> None:
        vu.ClipCache(folder / str(next(fresh))).prepare(data.rows[:clips], spec, workers=1, progress=False)

    yield Growth("clips, first epoch", "clips of a data set", {clips: partial(prepare, clips) for clips in many})
    shutil.rmtree(folder)

    prepared = vu.ClipCache(FOLDER / "growth_cache").prepare(data.rows, spec, progress=False)
    settings = TrainingSettings(augment=False)
    batches = partial(ClipBatches, prepared, data.rows, data.labels, settings=settings, learning=True)
    feeds = {clips: Feed(batches(np.arange(clips))) for clips in many}
    jobs = {clips: lambda feed=feed: sum(1 for _ in feed) for clips, feed in feeds.items()}
    yield Growth("clips, cached epoch", "clips of a data set", jobs, repeats=20)


def _classes(quick: bool) -> Iterator[Growth]:
    """Steps and answers of models that differ in the number of their classes alone.

    The backbone is frozen, as it is in most trainings: what classes cost is then seen best.
    """
    spec = vu.preset("tiny")
    spec = replace(spec, network=replace(spec.network, unfrozen_blocks=0))
    rng = np.random.default_rng(_SEED)
    batch = _inputs(spec, TrainingSettings().batch_size, rng)
    given = {"waveform": batch["audio"], "presence": batch.presence.astype(np.float32)}
    steps, answers = {}, {}
    for classes in (_CLASSES[0], _CLASSES[-1]) if quick else _CLASSES:
        labels = vu.Labels(action=tuple(f"class {number}" for number in range(classes)))
        model = vu.VideoUnderstandingModel(spec, labels, weights=None, seed=_SEED)
        model.compile(jit_compile=False)  # as in our trainings
        truth = np.eye(classes + 1, dtype=np.float32)[rng.integers(classes, size=len(batch))]  # [B,C+1]
        truth[:, -1] = 1  # all have a label
        features = np.zeros(
            (len(truth), spec.frames, model.encoders["video"].backbone.output_shape[-1]), np.float32
        )  # [B,T,F]
        step = tf.nest.map_structure(tf.constant, (given | {"video_features": features}, {"action": truth}))
        steps[classes] = partial(model.train_on_batch, *step)
        answers[classes] = partial(_scorer(spec, labels), _inputs(spec, 1, rng))
    yield Growth("classes, training step", "classes", steps, repeats=3, flat=True)
    yield Growth("classes, inference", "classes", answers, repeats=20, flat=True)


def _resolution_and_frames(quick: bool) -> Iterator[Growth]:
    """One window of larger and larger frames, by their area; one of the same length with more and more of them."""
    small = vu.preset("tiny")
    sizes, many = (
        {px: {"height_px": px, "width_px": px} for px in _SIDES_PX[:: 2 if quick else 1]},
        {frames: {"frames_hz": frames / small.window_s} for frames in _FRAMES[:: 2 if quick else 1]},
    )
    jobs = [{size: _inference(replace(small, video=replace(small.video, **change))) for size, change in sized.items()}
            for sized in (sizes, many)]  # fmt: skip
    of_area = {px**2 / 1000: job for px, job in jobs[0].items()}
    yield Growth("pixels, inference", "a picture's pixels, thousands", of_area, repeats=4)
    yield Growth("frames, inference", "frames in a window", jobs[1], repeats=4)


def _inference(spec: vu.ModelSpec) -> Job:
    return partial(_scorer(spec), _inputs(spec, 1, np.random.default_rng(_SEED)))


def _scorer(spec: vu.ModelSpec, labels: vu.Labels = _FEW_CLASSES) -> KerasScorer:
    return KerasScorer(vu.VideoUnderstandingModel(spec, labels, weights=None, seed=_SEED))


def _inputs(spec: vu.ModelSpec, clips: int, rng: np.random.Generator) -> ModelInputs:
    """Noise: what a frame shows makes no difference to what encoding it costs."""
    frames = rng.integers(0, 256, (clips, *spec.frames_shape), np.uint8)  # [B,T,H,W,3]
    waveform = rng.normal(0, 0.1, (clips, spec.samples)).astype(np.float32)  # [B,N]
    return ModelInputs({"video": frames, "audio": waveform}, np.ones((clips, 2), bool))


def draw(panels: Mapping[str, Mapping[str, tuple[Line, np.ndarray]]], file: Path) -> None:
    """Writes the SVG, on white, so that it can be read on a dark page, too: a plot for each panel.

    CPU time is in shares of that of the last point, so that lines of other heights can share a plot.
    """
    # Words stay words, for as outlines they are most of the file; and the same numbers give the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "growth"}):
        figure = Figure(figsize=(2.9 * len(panels), 2.9), layout="constrained", facecolor="white")
        plots = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (label, lines) in zip(plots, panels.items(), strict=True):
            for (what, (line, cpu_ms)), colour in zip(lines.items(), _COLOURS, strict=False):
                shares = 100 * cpu_ms.T / cpu_ms[-1, 0]  # [3,points]
                ends = np.array([0, max(line.sizes)])
                straight = 100 * (line.base + line.slope * ends) / cpu_ms[-1, 0]
                axes.plot(ends, straight, color=colour, linewidth=0.8)
                bars = np.abs(shares[1:] - shares[0])  # [2,points]
                style = {"fmt": "o", "markersize": 4, "elinewidth": 1.0, "capsize": 2}
                axes.errorbar(line.sizes, shares[0], bars, color=colour, label=what.partition(", ")[2], **style)
            axes.set(xlim=(0, None), ylim=(0, None), xlabel=label)
            axes.locator_params(nbins=4)
            axes.legend(loc="lower right", frameon=False, fontsize=9)
            axes.grid(color="#E5E5E5", linewidth=0.6)
            axes.set_axisbelow(True)
            axes.spines[["top", "right"]].set_visible(False)
        plots[0].set_ylabel("CPU time, % of the last point")
        figure.savefig(file, format="svg", metadata={"Date": None})
