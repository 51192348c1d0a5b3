"""A side of a comparison in a process of its own, as its users run it: nobody's threads wait in another's turn.

A library's threads may go on waiting busily after its work, its allocator may be set otherwise, its threads may be of
another number: in one process all sides would share that, and whoever comes next would pay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.turns import Job, taken_s

Side = tuple[dict[str, Callable[[], Job]], dict[str, Any]]
"""What makes each job, called when its first turn comes, and what is told of the side."""


class Apart:
    """Jobs that `make`, called in the other process with what is given, has made there."""

    def __init__(self, make: Callable[..., Side], *given: Any) -> None:
        context = get_context("spawn")
        self._pipe, other_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(other_end, make, given), daemon=True)
        self._process.start()
        other_end.close()  # the process's own remains: when it dies, so does the pipe

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join()

    def told(self) -> dict[str, Any]:
        """What the side told of itself; to be asked once, and first."""
        return self._receive()

    def job(self, name: str, repeats: int) -> Callable[[], tuple[float, float]]:
        """Runs a job so many times in the other process, and gives the wall and CPU seconds of once."""
        return partial(self._run, name, repeats)

    def _run(self, name: str, repeats: int) -> tuple[float, float]:
        self._pipe.send((name, repeats))
        return self._receive()

    def _receive(self) -> Any:
        kind, told = self._pipe.recv()
        if kind == "error":
            raise told
        return told


def _serve(pipe: Connection, make: Callable[..., Side], given: tuple[Any, ...]) -> None:
    """Until the other end is closed."""
    try:
        makers, told = make(*given)
        pipe.send(("told", told))
        jobs: dict[str, Job] = {}
        while True:
            name, repeats = pipe.recv()
            if name not in jobs:
                jobs[name] = makers[name]()
            pipe.send(("taken", taken_s(jobs[name], repeats)))
    except EOFError:
        pass
    except Exception as error:  # it is raised where the job was asked for
        pipe.send(("error", error))
