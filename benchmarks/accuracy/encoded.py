"""The labelled clips of one set as encoded by the default preset, for measurements that fit closed forms to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.sets import SETS, manifest_of
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.rows import Row
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.presets import DEFAULT, preset
from video_understanding.training.encoded_clips import EncodedClips, frozen_encoders
from video_understanding.training.linear import blocks_of
from video_understanding.training.pooled_clips import PooledClips, pooled_clips
from video_understanding.training.settings import TrainingSettings


@dataclass(frozen=True)
class EncodedSet:
    """One set: rows [K], all of which have a window and the label; their statistics; widths of the blocks of these."""

    head: str
    rows: list[Row]
    pooled: Mapping[str, PooledClips]
    blocks: Mapping[str, list[int]]
    classes: tuple[str, ...]


def encoded_set(name: str) -> EncodedSet:
    """The set's labelled clips that can be read, whole frames, encoded now where the cache lacks them."""
    manifest, spec, head = manifest_of(name), preset(DEFAULT), SETS[name].head
    cache = ClipCache()
    prepared = cache.prepare(manifest.rows, spec)
    model = VideoUnderstandingModel(spec, Labels({head: manifest.labels[head]}), seed=0)
    encoded = EncodedClips(prepared, frozen_encoders(model, TrainingSettings().views), cache.folder)
    there = np.unique(prepared.row_numbers[prepared.presence(np.arange(len(prepared))).any(axis=1)])
    places = np.array([place for place in there if head in manifest.rows[place].labels])
    rows = [manifest.rows[place] for place in places]
    pooled = {name: pooled_clips(encoded, places, name) for name in spec.modalities}
    return EncodedSet(head, rows, pooled, blocks_of(model), manifest.labels[head])
