"""Whether processors are cores of their own just now: a host may have two of them share one, and a moment later not.

While they share one, each takes almost twice the CPU time for what it computes, and a second thread brings nothing.
Which of the two it is says something of the host, and nothing of what is measured.
"""

from __future__ import annotations

import threading
import time

import numpy as np
from threadpoolctl import ThreadpoolController

_SHARED = 1.3  # times the CPU time; it lies near 1 or near 2
_PRODUCTS, _SIDE = 8, 384  # a product long enough to be moved to another processor if the first is taken


class OwnCores:
    """Says whether two threads have a core each just now, and counts how often they had not."""

    def __init__(self) -> None:
        self.shared = 0
        self._blas = ThreadpoolController()
        self._factor = np.random.default_rng(0).standard_normal((_SIDE, _SIDE)).astype(np.float32)

    def __call__(self) -> bool:
        with self._blas.limit(limits=1, user_api="blas"):  # a product of one thread; what others need is put back
            own = self._times_as_much_cpu() < _SHARED
        self.shared += not own
        return own

    def _times_as_much_cpu(self) -> float:
        """CPU time of a job while another thread does the same, over that of the job alone."""
        began_s = time.process_time()
        self._work()
        alone_s = time.process_time() - began_s
        other = threading.Thread(target=self._work)
        began_s = time.process_time()
        other.start()
        self._work()
        other.join()
        return (time.process_time() - began_s) / 2 / alone_s

    def _work(self) -> None:
        for _ in range(_PRODUCTS):
            self._factor @ self._factor
