"""The other ways by which clips on disk reach a training step: tf.data, PyDataset, grain and DataLoader.

Each is a function that is given how one clip is read, the numbers of an epoch's clips and where it may leave files,
and gives a function: every call of it is another epoch, in an order of its own, of batches as that library hands them
over. Each uses as many threads or processes as there are processors.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras.src.trainers.data_adapters.py_dataset_adapter import PyDatasetAdapter  # what `fit` makes of a PyDataset

BATCH, SEED = 16, 5
_WORKERS = os.cpu_count() or 1

Sample = dict[str, np.ndarray]
Read = Callable[[int], Sample]
Batches = Iterable[Mapping[str, Any]]
Epoch = Callable[[], Batches]


def tf_data(read: Read, numbers: np.ndarray, file: Path) -> Epoch:
    """Clips read in a py_function and stored by `.cache(file)`: the first epoch fills it, later ones read it."""
    like = read(0)
    types = [tf.as_dtype(array.dtype) for array in like.values()]

    def sample(number: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.py_function(lambda number: list(read(int(number)).values()), [number], types)
        return {name: tf.ensure_shape(value, like[name].shape) for name, value in zip(like, values, strict=True)}

    clips = len(np.unique(numbers))
    read_once = tf.data.Dataset.range(clips).map(sample, _WORKERS).cache(str(file))
    shuffled = read_once.repeat(len(numbers) // clips).shuffle(len(numbers), SEED)
    batches = shuffled.batch(BATCH).prefetch(tf.data.AUTOTUNE)
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
        self._rng = np.random.default_rng(SEED)
        self._order = self._rng.permutation(numbers)

    def __len__(self) -> int:
        return -(-len(self._order) // BATCH)

    def __getitem__(self, place: int) -> Sample:
        samples = [self._read(number) for number in self._order[place * BATCH : (place + 1) * BATCH]]
        return {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}

    def on_epoch_end(self) -> None:
        """Takes the next order."""
        self._order = self._rng.permutation(self._order)


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
