"""An index whose files are no media: its moments follow from the bytes of a file, so that no model has to be loaded."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import numpy as np

from video_understanding.recognition.recognizer import Recognizer
from video_understanding.search.index import Index
from video_understanding.search.moments import Moments
from video_understanding.words.space import unit


class CountingIndex(Index):
    """An index with the words of a bundle; each file takes so many seconds to read, and has three moments."""

    def __init__(self, folder: Path, words_folder: Path, slow_s: float = 0.0) -> None:
        super().__init__(folder, Recognizer(None, None, words_folder))
        self._slow_s = slow_s

    def _read(self, file: str | Path) -> Moments:
        time.sleep(self._slow_s)
        seed = int(hashlib.sha256(Path(file).read_bytes()).hexdigest()[:8], 16)
        values = unit(np.random.default_rng(seed).normal(size=(3, self.space.size)))
        return Moments(values, np.array([[0, 1], [2, 3], [4, 5]], np.float64), 5.0)
