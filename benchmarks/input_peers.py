"""The other ways by which clips on disk reach a training step: tf.data, TFRecord, PyDataset, grain and DataLoader.

Each is a function that is given how one clip is read, the numbers of an epoch's clips and where it may keep files,
and gives a function: every call of it is another epoch, in an order of its own, of batches as that library hands them
over. Each uses as many threads or processes as there are processors.
"""

from __future__ import annotations

import importlib
import itertools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter  # what `fit` makes of a PyDataset

from video_understanding.spec import ModelSpec

BATCH, SEED = 16, 5
_WORKERS = os.cpu_count() or 1

Sample = dict[str, np.ndarray]
Read = Callable[[int], Sample]
Batches = Iterable[Mapping[str, Any]]
Epoch = Callable[[], Batches]


def available(*packages: str) -> tuple[list[str], list[str]]:
    """Which of these can be imported here, and which cannot."""
    there, absent = [], []
    for package in packages:
        try:
            importlib.import_module(package)
        except (ImportError, OSError):
            absent.append(package)
        else:
            there.append(package)
    return there, absent


def tf_data(read: Read, numbers: np.ndarray, file: Path) -> Epoch:
    """Clips read in a py_function and kept by `.cache(file)`: the first epoch fills it, later ones read it."""
    like = read(0)

    def read_tensors(number: tf.Tensor) -> list[np.ndarray]:
        return list(read(int(number)).values())

    def sample(number: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.py_function(read_tensors, [number], [tf.as_dtype(array.dtype) for array in like.values()])
        return {
            name: tf.ensure_shape(value, array.shape) for (name, array), value in zip(like.items(), values, strict=True)
        }

    clips = len(np.unique(numbers))
    read_once = tf.data.Dataset.range(clips).map(sample, _WORKERS).cache(str(file))
    shuffled = read_once.repeat(len(numbers) // clips).shuffle(len(numbers), SEED)
    batches = shuffled.batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return lambda: batches


def write_records(read: Read, clips: int, file: Path) -> None:
    """All clips into one TFRecord file, several being read at a time."""
    with ThreadPoolExecutor(_WORKERS) as pool, tf.io.TFRecordWriter(str(file)) as writer:
        for sample in pool.map(read, range(clips)):
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[array.tobytes()]))
                for name, array in sample.items()
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


def tf_record(read: Read, numbers: np.ndarray, file: Path) -> Epoch:
    """Clips of the file that `write_records` wrote."""
    like = read(0)
    form = {name: tf.io.FixedLenFeature((), tf.string) for name in like}

    def sample(record: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.io.parse_single_example(record, form)
        return {
            name: tf.reshape(tf.io.decode_raw(values[name], array.dtype), array.shape) for name, array in like.items()
        }

    records = tf.data.TFRecordDataset(str(file)).repeat(len(numbers) // len(np.unique(numbers)))
    shuffled = records.shuffle(len(numbers), SEED)  # before it is parsed: a record is one piece of memory
    batches = shuffled.map(sample, _WORKERS).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    return lambda: batches


def py_dataset(read: Read, numbers: np.ndarray) -> Epoch:
    """A `keras.utils.PyDataset` with threads, gone through as `fit` does."""
    adapter = PyDatasetAdapter(_ReadDataset(read, numbers))
    batches = adapter.get_tf_dataset()

    def epoch() -> Iterator[Mapping[str, Any]]:
        adapter.on_epoch_begin()
        yield from batches
        adapter.on_epoch_end()

    return epoch


class _ReadDataset(keras.utils.PyDataset):
    """Batches of what is read, in another order every epoch."""

    def __init__(self, read: Read, numbers: np.ndarray) -> None:
        super().__init__(workers=_WORKERS, use_multiprocessing=False)
        self._read = read
        self._chance = np.random.default_rng(SEED)
        self._order = self._chance.permutation(numbers)

    def __len__(self) -> int:
        return -(-len(self._order) // BATCH)

    def __getitem__(self, place: int) -> Sample:
        samples = [self._read(number) for number in self._order[place * BATCH : (place + 1) * BATCH]]
        return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}

    def on_epoch_end(self) -> None:
        """Takes the next order."""
        self._order = self._chance.permutation(self._order)


def grain_threads(read: Read, numbers: np.ndarray) -> Epoch:
    """A MapDataset of grain, read by its threads."""
    import grain

    options = grain.ReadOptions(num_threads=_WORKERS, prefetch_buffer_size=2 * BATCH)
    seeds = itertools.count(SEED)

    def epoch() -> Batches:
        places = grain.MapDataset.range(len(numbers)).shuffle(next(seeds))
        # Batches are made of what the threads have read ahead.
        return places.map(lambda place: read(numbers[place])).to_iter_dataset(options).batch(BATCH)

    return epoch


def data_loader(read: Read, numbers: np.ndarray) -> Epoch:
    """PyTorch's DataLoader with processes that live from epoch to epoch."""
    import torch

    warnings.filterwarnings("ignore", "The given NumPy array is not writable")  # it is only copied

    class Clips(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(numbers)

        def __getitem__(self, place: int) -> Sample:
            return read(numbers[place])

    order = torch.Generator().manual_seed(SEED)
    loader = torch.utils.data.DataLoader(
        Clips(), BATCH, shuffle=True, num_workers=_WORKERS, persistent_workers=True, generator=order
    )
    return lambda: loader


def read_opencv_and_pyav(path: Path, spec: ModelSpec) -> tuple[np.ndarray, np.ndarray]:
    """The first window as one reads it without a library for both: frames uint8 [T,H,W,3], waveform float32 [N]."""
    import av
    import cv2

    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    size = (spec.video.width_px, spec.video.height_px)
    wanted = (spec.instants_s() * capture.get(cv2.CAP_PROP_FPS) + 1e-6).astype(int)  # [T]
    frames = np.empty(spec.frames_shape, np.uint8)  # [T,H,W,3]
    for place, skipped in enumerate(np.diff(wanted, prepend=-1)):
        for _ in range(skipped):
            capture.grab()
        picture = cv2.resize(capture.retrieve()[1], size, interpolation=cv2.INTER_AREA)  # [H,W,3]
        frames[place] = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    capture.release()

    resampler = av.AudioResampler("flt", "mono", spec.audio.sample_rate_hz)
    with av.open(path) as container:
        parts = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    heard = np.concatenate([part.to_ndarray()[0] for part in [*parts, *resampler.resample(None)]])[: spec.samples]
    return frames, np.pad(heard, (0, spec.samples - len(heard)))
