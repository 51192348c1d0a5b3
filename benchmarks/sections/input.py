"""How clips on disk reach the training step, beside the other ways there are: the first epoch, and later ones."""

from __future__ import annotations

import importlib
import itertools
import math
import multiprocessing
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import video_understanding as vu
from benchmarks.clips import FOLDER
from benchmarks.interleave import Job, Seconds, Timing, interleave, joined, seconds_of
from benchmarks.peers import loaders
from benchmarks.peers.loaders import Epoch, Sample
from benchmarks.report import Run, undisturbed
from benchmarks.subprocess_side import in_new_process
from video_understanding.datasets.cache import ClipCache, PreparedClips
from video_understanding.datasets.targets import targets_of
from video_understanding.features.prepare import presence_of
from video_understanding.media.synthetic.dataset import make_dataset
from video_understanding.process import tune_process
from video_understanding.training.batches import ClipBatches
from video_understanding.training.feed import Feed
from video_understanding.training.settings import TrainingSettings

TITLE = "Input"
PACKAGES = ("tensorflow", "keras", "grain", "torch", "numpy", "av")
_CLIPS, _SEED = 48, 5
# What a batch costs differs more from process to process than between the rounds of one: the spread shows it.
_PROCESSES = 3
_REPEATS = {"first epoch": 1, "cached epoch": 10}  # so often each clip comes, or an epoch would be over at once
_MOST_SOUND_DIFFERENCE = 1e-4  # of full scale: caches have 16 bits
_OTHERS = {"grain": ("grain", loaders.grain_threads), "torch": ("DataLoader", loaders.data_loader)}


@dataclass(frozen=True)
class Clips:
    """What all sides deliver; `targets` has [clips,C+1] for each head."""

    spec: vu.ModelSpec
    data: vu.Manifest
    targets: dict[str, np.ndarray]

    def read(self, number: int) -> Sample:
        """What a step needs of one clip, by the same reader that ours has."""
        clip = vu.read_clip(self.data.rows[number].path, self.spec)
        presence = presence_of([clip], self.spec)[0].astype(np.float32)
        inputs = {"frames": clip.frames, "waveform": clip.waveform, "presence": presence}
        return inputs | {head: rows[number] for head, rows in self.targets.items()}


def measure(run: Run) -> None:
    there = [name for name in _OTHERS if run.installed(name, partial(importlib.import_module, name))]
    processes = 1 if run.quick else _PROCESSES
    rounds = math.ceil(run.rounds / processes)
    for what, repeats in _REPEATS.items():
        timings = joined([in_new_process(_timings, what, rounds, there) for _ in range(processes)])
        run.record(f"a clip, {what}", timings, pieces=_CLIPS * repeats)
        run.compare(what, timings)
    run.rounds = processes * rounds


def _timings(what: str, rounds: int, there: list[str]) -> dict[str, Timing]:
    """Of each side, for an epoch of this kind, in one process."""
    multiprocessing.set_start_method("fork", force=True)  # the usual one where this runs, for DataLoader's processes
    tune_process()  # as `vu train` does; it serves all sides
    data = vu.load_manifest(make_dataset(FOLDER / "training_clips", seed=_SEED, clips=_CLIPS))
    spec = vu.preset("tiny")
    clips = Clips(spec, data, targets_of(data.rows, data.labels))
    numbers, folder = np.tile(np.arange(_CLIPS), _REPEATS[what]), FOLDER / "input"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    epochs = (_first_epochs if what == "first epoch" else _cached_epochs)(clips, numbers, folder, there)
    for name, epoch in epochs.items():
        _require_same_clips(f"{what}, {name}", epoch, clips, _REPEATS[what])
    sides = {name: partial(_go_through, epoch, len(numbers)) for name, epoch in epochs.items()}
    timings = interleave(sides, rounds, what, timed=_seconds, undisturbed=undisturbed(parallel=True))
    shutil.rmtree(folder)
    return timings


def _go_through(epoch: Epoch, clips: int) -> None:
    delivered = sum(len(batch["frames"]) for batch in epoch())
    if delivered != clips:
        raise SystemExit(f"{delivered} clips came, not {clips}")


def _first_epochs(clips: Clips, numbers: np.ndarray, folder: Path, there: list[str]) -> dict[str, Epoch]:
    """From the media files; what stores something for later epochs writes it anew each time."""
    fresh = itertools.count()  # to delete the last one is not part of the work

    def ours() -> loaders.Batches:
        prepared = ClipCache(folder / f"cache {next(fresh)}").prepare(clips.data.rows, clips.spec, progress=False)
        return _our_epoch(clips, prepared, numbers)()

    return {
        "ours": ours,
        "tf.data, cache": lambda: loaders.tf_data(clips.read, numbers, folder / f"tf_data {next(fresh)}")(),
        "PyDataset": loaders.py_dataset(clips.read, numbers),
    } | {name: way(clips.read, numbers) for name, way in map(_OTHERS.get, there)}


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

    prepared = ClipCache(folder / "cache").prepare(clips.data.rows, clips.spec, progress=False)
    return {
        "ours": _our_epoch(clips, prepared, numbers),
        "tf.data, cache": loaders.tf_data(clips.read, numbers, folder / "tf_data"),
        "PyDataset, npz": loaders.py_dataset(load, numbers),
    } | {f"{name}, npz": way(load, numbers) for name, way in map(_OTHERS.get, there)}


def _our_epoch(clips: Clips, prepared: PreparedClips, numbers: np.ndarray) -> Epoch:
    """As `fit` goes through them."""
    settings = TrainingSettings(augment=False, batch_size=loaders.BATCH)
    batches = ClipBatches(prepared, clips.data.rows, clips.data.labels, numbers, settings, learning=True)
    feed = Feed(batches)

    def epoch() -> Iterator[Mapping[str, np.ndarray]]:
        for inputs, targets in feed:
            yield inputs | targets
        batches.on_epoch_end()

    return epoch


def _require_same_clips(what: str, epoch: Epoch, clips: Clips, repeats: int) -> None:
    """Refuses a side that does not deliver each clip as often as it should, with its frames, sound and targets."""
    samples = [clips.read(number) for number in range(_CLIPS)]
    truth, came = {_digest(sample): sample["waveform"] for sample in samples}, Counter()
    for batch in epoch():
        arrays = {name: np.asarray(values) for name, values in batch.items()}
        for place in range(len(arrays["frames"])):
            sample = {name: array[place] for name, array in arrays.items()}
            sound = truth.get(_digest(sample))
            if sound is None or np.abs(sample["waveform"] - sound).max() > _MOST_SOUND_DIFFERENCE:
                raise SystemExit(f"{what}: a clip is another than ours")
            came[_digest(sample)] += 1
    if [*came.values()] != [repeats] * _CLIPS:
        raise SystemExit(f"{what}: the clips came {min(came.values())} to {max(came.values())} times")


def _digest(sample: Sample) -> int:
    """Of all but the sound, of which caches have 16 bits."""
    return hash(tuple((name, sample[name].tobytes()) for name in sorted(sample) if name != "waveform"))


def _seconds(epoch: Job) -> Seconds:
    """With the CPU time of processes that go on living; `seconds_of` counts those that have ended."""
    began_s = _children_s()
    wall_s, cpu_s = seconds_of(epoch)
    return wall_s, cpu_s + _children_s() - began_s


def _children_s() -> float:
    """CPU seconds until now of all processes that this one has at work."""
    # The clock of another process, as Linux numbers it.
    return sum(time.clock_gettime((~child.pid << 3) | 2) for child in multiprocessing.active_children())
