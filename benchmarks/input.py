"""How clips on disk reach the training step, beside the other ways there are: the first epoch, and later ones.

    python -m benchmarks.input [--quick] [--json FILE] [--page FILE]

All sides take turns in one run, go through the same clips in an order that is new in every epoch, and hand over batches
of frames, waveform, presence and targets in the form of their library. Before anything is timed, each has to deliver
the very clips that ours does. CPU time is that of all threads, and of the processes that a side has at work. The rounds
are those of three processes, one after another.
"""

from __future__ import annotations

import itertools
import math
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from multiprocessing import set_start_method
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from benchmarks import input_peers as peers
from benchmarks.input_peers import Epoch, Sample
from benchmarks.material import FOLDER
from benchmarks.processors import SideBySide
from benchmarks.tables import Measured, Ratio, Spread, last_lines, machine, ratio_lines, read_options, tell
from benchmarks.turns import Job, Taken, in_new_process, one_after_another, take_turns, taken_s
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.manifest import Manifest, load_manifest
from video_understanding.datasets.targets import targets_of
from video_understanding.features.prepare import presence_of
from video_understanding.media.decode import read_clip
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.presets import preset
from video_understanding.process import keep_freed_memory
from video_understanding.spec import ModelSpec
from video_understanding.training.batches import ClipBatches
from video_understanding.training.feed import Feed
from video_understanding.training.settings import TrainingSettings

_CLIPS, _SEED = 48, 5
# What a batch costs differs more from process to process than between the rounds of one: the spread tells of that.
_PROCESSES = 3
_REPEATS = 10  # so often each clip comes in a cached epoch, which would else be over before it has begun
_MOST_PICTURE_DIFFERENCE = 4.0  # of 255, between OpenCV's pictures and ours; all others are the same to the byte
_MOST_SOUND_DIFFERENCE = 1e-4  # of full scale: caches keep 16 bits
_PACKAGES = ("tensorflow", "keras", "grain", "torch", "numpy", "av", "opencv-python-headless")
_FIRST, _CACHED = "first epoch", "cached epoch"


@dataclass
class Report(Measured):
    """All that was measured."""

    cpu_ms: dict[str, dict[str, Spread]] = field(default_factory=dict)
    """Of one clip, for each kind of epoch and side."""
    clips_per_s: dict[str, dict[str, Spread]] = field(default_factory=dict)
    """On the clock."""


@dataclass(frozen=True)
class Clips:
    """What all sides deliver."""

    spec: ModelSpec
    data: Manifest
    targets: dict[str, np.ndarray]
    """For each head [clips,C+1]."""

    @cached_property
    def truth(self) -> list[Sample]:
        """All clips, as every side has to deliver them."""
        return [self.read(number) for number in range(len(self.data))]

    def sample(self, number: int, frames: np.ndarray, waveform: np.ndarray, presence: np.ndarray) -> Sample:
        """What a step needs of one clip."""
        seen = {"frames": frames, "waveform": waveform, "presence": np.float32(presence)}
        return seen | {head: rows[number] for head, rows in self.targets.items()}

    def read(self, number: int) -> Sample:
        """By the same reader that ours has."""
        clip = read_clip(self.data.rows[number].path, self.spec)
        return self.sample(number, clip.frames, clip.waveform, presence_of([clip], self.spec)[0])

    def read_otherwise(self, number: int) -> Sample:
        """By OpenCV and PyAV."""
        frames, waveform = peers.read_opencv_and_pyav(self.data.rows[number].path, self.spec)
        return self.sample(number, frames, waveform, np.ones(2))


def _go_through(epoch: Epoch, clips: int) -> None:
    delivered = sum(len(batch["frames"]) for batch in epoch())
    if delivered != clips:
        raise SystemExit(f"{delivered} clips came, not {clips}")


def main() -> int:
    options = read_options(__doc__)
    there, absent = peers.available("grain", "torch")
    processes = 1 if options.quick else _PROCESSES
    rounds = math.ceil(options.rounds / processes)
    report = Report(absent=absent, machine=machine(_PACKAGES, processes * rounds))
    shutil.rmtree(FOLDER / "input", ignore_errors=True)
    for what, (repeats, _) in _EPOCHS.items():
        parts = [in_new_process(_taken, what, rounds, there) for _ in range(processes)]
        _report(what, one_after_another(parts), repeats, report)
    tell(report, options, lines=list(_lines(report)), title="Input", text=_TEXT)
    return 0


def _taken(what: str, rounds: int, there: list[str]) -> dict[str, Taken]:
    """What each side took for an epoch of this kind, in one process."""
    set_start_method("fork", force=True)  # the usual one where this runs, for DataLoader's processes
    keep_freed_memory()  # as our trainings do; it serves all sides
    clips = _material()
    repeats, make = _EPOCHS[what]
    numbers = np.tile(np.arange(_CLIPS), repeats)
    folder = FOLDER / "input" / what.split()[0]
    folder.mkdir(parents=True)
    epochs = make(clips, numbers, folder, there)
    for name, epoch in epochs.items():
        _require_same_clips(f"{what}, {name}", epoch, clips, numbers)
    sides = {name: partial(_go_through, epoch, len(numbers)) for name, epoch in epochs.items()}
    taken = take_turns(sides, rounds, what, timed=_timed, undisturbed=SideBySide())
    shutil.rmtree(FOLDER / "input")
    return taken


def _timed(epoch: Job) -> tuple[float, float]:
    """Wall and CPU seconds, with those of processes that go on living."""
    began_s = _children_s()
    wall_s, cpu_s = taken_s(epoch)
    return wall_s, cpu_s + _children_s() - began_s


def _report(what: str, taken: dict[str, Taken], repeats: int, report: Report) -> None:
    clips = _CLIPS * repeats
    report.cpu_ms[what] = {name: Spread.of(row.cpu_s).times(1000 / clips) for name, row in taken.items()}
    report.clips_per_s[what] = {name: _rate(row, clips) for name, row in taken.items()}
    report.count_again(taken)
    ours = taken.pop("ours")
    report.ratios += [Ratio.of(what, name, ours, theirs) for name, theirs in taken.items()]


def _material() -> Clips:
    data = load_manifest(make_dataset(FOLDER / "training_clips", seed=_SEED, clips=_CLIPS))
    spec = preset("tiny")
    # "stretch", because it is the one fit that OpenCV can do by itself.
    spec = replace(spec, video=replace(spec.video, fit="stretch"))
    return Clips(spec, data, targets_of(data.rows, data.labels))


def _first_epochs(clips: Clips, numbers: np.ndarray, folder: Path, there: list[str]) -> dict[str, Epoch]:
    """From the media files; what keeps something for later epochs writes it anew each time."""
    fresh = itertools.count()  # to delete the last one is not part of the work

    def ours() -> peers.Batches:
        prepared = ClipCache(folder / f"cache {next(fresh)}").prepare(clips.data.rows, clips.spec, progress=False)
        return _our_epoch(clips, prepared, numbers)()

    def by_tf_data() -> peers.Batches:
        return peers.tf_data(clips.read, numbers, folder / f"tf_data {next(fresh)}")()

    def by_tf_record() -> peers.Batches:
        file = folder / f"{next(fresh)}.tfrecord"
        peers.write_records(clips.read, _CLIPS, file)
        return peers.tf_record(clips.read, numbers, file)()

    epochs: dict[str, Epoch] = {
        "ours": ours,
        "tf.data, cache": by_tf_data,
        "TFRecord": by_tf_record,
        "PyDataset, OpenCV": peers.py_dataset(clips.read_otherwise, numbers),
    }
    return epochs | _of_installed(clips.read, numbers, there)


def _cached_epochs(clips: Clips, numbers: np.ndarray, folder: Path, there: list[str]) -> dict[str, Epoch]:
    """From what earlier epochs left, or from a file of NumPy's for each clip."""
    for number in range(_CLIPS):
        np.savez(folder / f"{number}.npz", **clips.read(number))

    def load(number: int) -> Sample:
        try:
            with np.load(folder / f"{number}.npz") as arrays:
                return dict(arrays)
        except SystemError:  # now and then in Python 3.11, where threads parse the headers of arrays at once
            return load(number)

    peers.write_records(clips.read, _CLIPS, folder / "clips.tfrecord")
    prepared = ClipCache(folder / "cache").prepare(clips.data.rows, clips.spec, progress=False)
    epochs = {
        "ours": _our_epoch(clips, prepared, numbers),
        "tf.data, cache": peers.tf_data(clips.read, numbers, folder / "tf_data"),
        "TFRecord": peers.tf_record(clips.read, numbers, folder / "clips.tfrecord"),
        "PyDataset, npz": peers.py_dataset(load, numbers),
    }
    return epochs | {f"{name}, npz": epoch for name, epoch in _of_installed(load, numbers, there).items()}


def _of_installed(read: peers.Read, numbers: np.ndarray, there: list[str]) -> dict[str, Epoch]:
    ways = {"grain": ("grain", peers.grain_threads), "torch": ("DataLoader", peers.data_loader)}
    return {name: way(read, numbers) for package, (name, way) in ways.items() if package in there}


def _our_epoch(clips: Clips, prepared: PreparedClips, numbers: np.ndarray) -> Epoch:
    """As `fit` goes through them."""
    settings = TrainingSettings(augment=False, batch_size=peers.BATCH)
    batches = ClipBatches(prepared, clips.data.rows, clips.data.labels, numbers, settings, learning=True)
    feed = Feed(batches)

    def epoch() -> Iterator[Mapping[str, np.ndarray]]:
        for inputs, targets in feed:
            yield inputs | targets
        batches.on_epoch_end()

    return epoch


def _require_same_clips(what: str, epoch: Epoch, clips: Clips, numbers: np.ndarray) -> None:
    """Refuses a side that does not deliver each clip as often as it should, with its pictures, sound and targets."""
    small = np.stack([_small(sample["frames"]) for sample in clips.truth])  # [clips,n]
    exact = "OpenCV" not in what
    came = np.zeros(_CLIPS, int)
    for batch in epoch():
        arrays = {name: np.asarray(values) for name, values in batch.items()}
        for place, frames in enumerate(arrays["frames"]):
            number = int(np.abs(small - _small(frames)).mean(axis=1).argmin())
            came[number] += 1
            own = clips.truth[number]
            difference = np.abs(frames.astype(np.int16) - own["frames"]).mean()
            others = [name for name in own if name not in ("frames", "waveform")]
            alike = (
                difference <= (0 if exact else _MOST_PICTURE_DIFFERENCE)
                and np.abs(arrays["waveform"][place] - own["waveform"]).max() <= _MOST_SOUND_DIFFERENCE
                and all((arrays[name][place] == own[name]).all() for name in others)
                and arrays.keys() == own.keys()
            )
            if not alike:
                raise SystemExit(f"{what}: clip {number} is another than ours, its pictures by {difference:.1f} of 255")
    if not (came == len(numbers) // _CLIPS).all():
        raise SystemExit(f"{what}: the clips came {came.min()} to {came.max()} times")


def _small(frames: np.ndarray) -> np.ndarray:
    """float32 [n]: enough of the pictures [T,H,W,3] to know them again."""
    return frames[:, ::8, ::8].astype(np.float32).ravel()


def _children_s() -> float:
    """CPU seconds until now of all processes that this one has at work; `take_turns` counts those that have ended."""
    # The clock of another process, as Linux numbers it.
    return sum(time.clock_gettime((~child.pid << 3) | 2) for child in multiprocessing.active_children())


def _rate(taken: Taken, clips: int) -> Spread:
    return Spread.of([clips / wall_s for wall_s in taken.wall_s])


_EPOCHS: dict[str, tuple[int, Callable[..., dict[str, Epoch]]]] = {
    _FIRST: (1, _first_epochs),
    _CACHED: (_REPEATS, _cached_epochs),
}
"""How often each clip comes in an epoch of this kind, and what makes the epochs of all sides."""

_TEXT = """How the clips of a data set on disk reach the training step, in batches of 16 of frames, waveform, presence
and targets; all sides take turns in one run, and each delivers the same clips. Ratios are our CPU time over theirs,
those on the clock stand beside them; milliseconds belong to the machine named below.

```text
{table}
```

The first epoch reads the media files. Ours, tf.data (`.cache(file)`) and TFRecord (written, then read) leave on disk
what later epochs need; PyDataset, grain and DataLoader only read. All have the same reader, but PyDataset: it has
OpenCV and PyAV, as one reads without a library for both. In a cached epoch these three read a file of NumPy's for each
clip. Each has as many threads or processes as there are processors; DataLoader's processes are there before the clock
starts, and grain and DataLoader hand over arrays or tensors of their own, which TensorFlow would have to convert.

Grain and DataLoader are quicker or as quick in the first epoch, for they keep nothing for the next.
"""


def _lines(report: Report) -> Iterator[str]:
    yield from ratio_lines(report.ratios, 14, 20, ("ours", "over"))
    head = f"{'CPU ms a clip':>13} {'spread':<19} {'clips a second':>14}"
    yield f"{'':<14} {'side':<20} {head} spread"
    for what, sides in report.cpu_ms.items():
        for side, cpu_ms in sides.items():
            rate = report.clips_per_s[what][side].columns(0, 14)
            yield f"{what:<14} {side:<20} {cpu_ms.columns(2, 13)[:33]} {rate}"
    yield from last_lines(report)


if __name__ == "__main__":
    sys.exit(main())
