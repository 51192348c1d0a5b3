"""Many clips processed in parallel, in threads, with a progress bar."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from video_understanding.progress import Bar

Item = TypeVar("Item")
Result = TypeVar("Result")


def at_once(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    doing: str,
    workers: int | None = None,
    progress: bool | None = None,
) -> Iterator[tuple[int, Result]]:
    """(index, result) of every item, in the order of completion; decoding releases the GIL, so threads are enough.

    `workers` items at a time (as many as there are processors by default). The bar is shown on a
    terminal, or always or never with `progress` True or False. After an error or Ctrl-C nothing new
    is begun.
    """
    bar = Bar(len(items), doing, "clip", shown=progress)
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    with bar:
        try:
            tasks = {pool.submit(work, item): place for place, item in enumerate(items)}
            for task in as_completed(tasks):
                yield tasks[task], task.result()
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)
