"""A side of a comparison in a process of its own, as its users run it.

A library's threads may wait busily after its work, its allocator and its number of threads may be set otherwise: in one
process all sides would share that, and whoever runs next would pay.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, TypeVar

from benchmarks.interleave import Job, Seconds, seconds_of

Side = tuple[dict[str, Callable[[], Job]], dict[str, Any]]
"""What makes each job, called when it is first run, and facts about the side."""
Result = TypeVar("Result")
_makers: dict[str, Callable[[], Job]] = {}  # of the side whose process this is
_jobs: dict[str, Job] = {}


class SubprocessSide(ProcessPoolExecutor):
    """The jobs that `make`, called in a process of its own with `arguments`, makes there."""

    def __init__(self, make: Callable[..., Side], *arguments: Any) -> None:
        super().__init__(1, get_context("spawn"))
        self._started = self.submit(_start, make, arguments)

    def facts(self) -> dict[str, Any]:
        """The facts about the side; what went wrong there is raised here."""
        return self._started.result()

    def job(self, name: str, repeats: int = 1) -> Callable[[], Seconds]:
        """Runs a job so many times in the process, and gives the seconds of one."""
        return lambda: self.submit(_run, name, repeats).result()


def in_new_process(work: Callable[..., Result], *arguments: object) -> Result:
    """What `work` gives in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def _start(make: Callable[..., Side], arguments: tuple[Any, ...]) -> dict[str, Any]:
    makers, facts = make(*arguments)
    _makers.update(makers)
    return facts


def _run(name: str, repeats: int) -> Seconds:
    if name not in _jobs:
        _jobs[name] = _makers[name]()
    return seconds_of(_jobs[name], repeats)
