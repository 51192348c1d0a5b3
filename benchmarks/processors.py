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
from threadpoolctl import threadpool_limits

_SHARED = 1.3  # times the CPU time; it lies near 1 or near 2
_PRODUCTS, _SIDE = 8, 384  # a product long enough to be moved to another processor if the first is taken
_APART = 2.5  # times as long as to read it again; it lies near 1.6 or near 3.7
_HANDED_BYTES, _HANDED_TIMES = 256 << 10, 15


def side_by_side() -> bool:
    """Whether two processors lie side by side just now, each with a core of its own."""
    if handing_ratio() > _APART:
        return False
    with threadpool_limits(1, "blas"):  # a product of one thread; what others need is put back
        return sharing_ratio() < _SHARED


def sharing_ratio() -> float:
    """CPU time of a job while another thread does the same, over that of the job alone."""
    factor = np.random.default_rng(0).standard_normal((_SIDE, _SIDE)).astype(np.float32)
    began_s = time.process_time()
    multiply(factor)
    alone_s = time.process_time() - began_s
    other = threading.Thread(target=multiply, args=(factor,))
    began_s = time.process_time()
    other.start()
    multiply(factor)
    other.join()
    return (time.process_time() - began_s) / 2 / alone_s


def multiply(factor: np.ndarray) -> None:
    for _ in range(_PRODUCTS):
        factor @ factor


def handing_ratio() -> float:
    """Time to read what the other processor has just written, over that to read it again."""
    if not hasattr(os, "sched_setaffinity") or len(allowed := sorted(os.sched_getaffinity(0))) < 2:
        return 1.0  # nothing can be said
    handed, ratios = np.zeros(_HANDED_BYTES // 4, np.float32), []
    try:
        for number in range(_HANDED_TIMES):
            os.sched_setaffinity(0, {allowed[number % 2]})  # this thread alone
            handed.fill(number)
            os.sched_setaffinity(0, {allowed[1 - number % 2]})
            ratios.append(_seconds_to_read(handed) / _seconds_to_read(handed))
    finally:
        os.sched_setaffinity(0, allowed)
    return statistics.median(ratios)


def _seconds_to_read(values: np.ndarray) -> float:
    began_s = time.perf_counter()
    values.max()
    return time.perf_counter() - began_s
