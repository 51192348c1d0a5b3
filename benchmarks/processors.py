"""Whether two processors have a core each and a cache in common just now: a host may move them at any moment.

While they share a core, each takes almost twice the CPU time for what it computes, and a second thread brings nothing.
While their caches lie apart, threads that hand each other data take a sixth more: decoders of video, for one. Either
comes and goes within seconds, says something of the host, and nothing of what is measured.
"""

from __future__ import annotations

import os
import statistics
import threading
import time

import numpy as np
from threadpoolctl import ThreadpoolController

_SHARED = 1.3  # times the CPU time; it lies near 1 or near 2
_PRODUCTS, _SIDE = 8, 384  # a product long enough to be moved to another processor if the first is taken
_APART = 2.5  # times as long as to read it again; it lies near 1.6 or near 3.7
_HANDED_BYTES, _HANDED_TIMES = 256 << 10, 15


class SideBySide:
    """Says whether two processors lie side by side just now, each with a core of its own."""

    def __init__(self) -> None:
        self._blas = ThreadpoolController()
        self._factor = np.random.default_rng(0).standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._handed = np.zeros(_HANDED_BYTES // 4, np.float32)

    def __call__(self) -> bool:
        if self._as_long_for_the_other() > _APART:
            return False
        with self._blas.limit(limits=1, user_api="blas"):  # a product of one thread; what others need is put back
            return self._times_as_much_cpu() < _SHARED

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

    def _as_long_for_the_other(self) -> float:
        """Time to read what the other processor has just written, over that to read it again."""
        if not hasattr(os, "sched_setaffinity") or len(allowed := sorted(os.sched_getaffinity(0))) < 2:
            return 1.0  # there is no telling
        ratios = []
        try:
            for number in range(_HANDED_TIMES):
                os.sched_setaffinity(0, {allowed[number % 2]})  # this thread alone
                self._handed.fill(number)
                os.sched_setaffinity(0, {allowed[1 - number % 2]})
                ratios.append(self._seconds_to_read() / self._seconds_to_read())
        finally:
            os.sched_setaffinity(0, allowed)
        return statistics.median(ratios)

    def _seconds_to_read(self) -> float:
        began_s = time.perf_counter()
        self._handed.max()
        return time.perf_counter() - began_s
