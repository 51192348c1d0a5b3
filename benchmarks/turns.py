"""Taking turns: what is compared runs round by round, so that a busy machine troubles all sides alike."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tqdm import tqdm

Job = Callable[[], object]


@dataclass(frozen=True)
class Taken:
    """Seconds of one job in every round: on the clock, and of CPU time (user and system) of all its threads."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def taken_s(job: Job, repeats: int = 1) -> tuple[float, float]:
    """Wall and CPU seconds of one call, with those of programs that it starts; of several calls, their mean."""
    began_cpu_s, began_wall_s = _cpu_s(), time.perf_counter()
    for _ in range(repeats):
        job()
    return (time.perf_counter() - began_wall_s) / repeats, (_cpu_s() - began_cpu_s) / repeats


def take_turns(
    jobs: Mapping[str, Job],
    rounds: int,
    title: str,
    warm_rounds: int = 1,
    timed: Callable[[Job], tuple[float, float]] = taken_s,
) -> dict[str, Taken]:
    """What every job took in every round; the first rounds, in which caches fill, are not counted.

    `timed` runs a job and gives its wall and CPU seconds.
    """
    taken = {name: Taken() for name in jobs}
    names = list(jobs)
    for number in tqdm(range(rounds + warm_rounds), desc=title, unit="round", leave=False, disable=None):
        first = number % len(names)
        for name in names[first:] + names[:first]:  # nobody always comes after the same one
            gc.collect()
            wall_s, cpu_s = timed(jobs[name])
            if number >= warm_rounds:
                taken[name].wall_s.append(wall_s)
                taken[name].cpu_s.append(cpu_s)
    return taken


def _cpu_s() -> float:
    of_programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + of_programs.ru_utime + of_programs.ru_stime
