"""Many clips worked on at once, in threads, with a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from video_understanding.progress import Bar

# A thread that comes back from decoding or from the disk, many times a clip, asks for Python's lock after so long; by
# default it waits 5 ms for one that computes, and a processor stands idle.
_ASKS_FOR_LOCK_S = 1e-4

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    doing: str,
    workers: int | None = None,
    progress: bool | None = None,
) -> Iterator[tuple[int, Result]]:
    """(place, result) of every item, as they come; decoding leaves Python's lock, so threads do.

    `workers` items at a time (as many as there are processors by default). The bar is shown on a
    terminal, or always or never with `progress` True or False. After an error or Ctrl-C nothing new
    is begun.
    """
    bar = Bar(len(items), doing, "clip", shown=progress)
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(_ASKS_FOR_LOCK_S)
    with bar:
        try:
            tasks = {pool.submit(work, item): place for place, item in enumerate(items)}
            for task in as_completed(tasks):
                yield tasks[task], task.result()
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)
            sys.setswitchinterval(usual_s)
