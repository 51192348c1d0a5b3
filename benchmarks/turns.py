"""Taking turns: what is compared runs round by round, so that a busy machine troubles all sides alike."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

from tqdm import tqdm

Job = Callable[[], object]
Result = TypeVar("Result")
_PATIENCE_S, _LOOK_AGAIN_S = 15.0, 0.25
_FEW_ROUNDS = 2


@dataclass(frozen=True)
class Taken:
    """Seconds of one job in every round: on the clock, and of CPU time (user and system) of all its threads."""

    wall_s: list[float]
    cpu_s: list[float]
    again: int = 0
    """How many rounds were taken again."""


def taken_s(job: Job, repeats: int = 1) -> tuple[float, float]:
    """Wall and CPU seconds of one call, with those of programs that it starts; of several calls, their mean."""
    began_cpu_s, began_wall_s = _cpu_s(), time.perf_counter()
    for _ in range(repeats):
        job()
    return (time.perf_counter() - began_wall_s) / repeats, (_cpu_s() - began_cpu_s) / repeats


def _never_asked() -> bool:
    return True


def take_turns(
    jobs: Mapping[str, Job],
    rounds: int,
    title: str,
    warm_rounds: int = 1,
    timed: Callable[[Job], tuple[float, float]] = taken_s,
    undisturbed: Callable[[], bool] = _never_asked,
) -> dict[str, Taken]:
    """What every job took in every round; the first rounds, in which caches fill, are not counted.

    `timed` runs a job and gives its wall and CPU seconds. A round before or after which `undisturbed` says no is taken
    again, once it says yes. What never comes is not waited for: no more rounds are taken again than there are, and all
    waiting together takes no longer than `_PATIENCE_S`; after that all count. Nor is a quick look of a few rounds.
    """
    if rounds <= _FEW_ROUNDS:
        undisturbed = _never_asked
    quiet = _Quiet(undisturbed)
    counted: list[dict[str, tuple[float, float]]] = []
    again = 0
    with tqdm(total=warm_rounds + rounds, desc=title, unit="round", leave=False, disable=None) as bar:
        for number in range(warm_rounds):
            _round(jobs, number, timed)
            bar.update()
        while len(counted) < rounds:
            was_quiet = quiet.comes()
            found = _round(jobs, warm_rounds + len(counted) + again, timed)
            if again < rounds and not (was_quiet and undisturbed()):
                again += 1
                continue
            counted.append(found)
            bar.update()
    return {
        name: Taken([found[name][0] for found in counted], [found[name][1] for found in counted], again)
        for name in jobs
    }


class _Quiet:
    """Waits until nothing disturbs, as long as patience lasts."""

    def __init__(self, undisturbed: Callable[[], bool]) -> None:
        self._undisturbed = undisturbed
        self._left_s = _PATIENCE_S

    def comes(self) -> bool:
        """Whether it is there, now or after some waiting."""
        while not self._undisturbed():
            if self._left_s <= 0:
                return False
            time.sleep(_LOOK_AGAIN_S)
            self._left_s -= _LOOK_AGAIN_S
        return True


def _round(
    jobs: Mapping[str, Job], number: int, timed: Callable[[Job], tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Every job once; nobody always comes after the same one."""
    names = list(jobs)
    first = number % len(names)
    found = {}
    for name in names[first:] + names[:first]:
        gc.collect()
        found[name] = timed(jobs[name])
    return found


def in_new_process(work: Callable[..., Result], *given: object) -> Result:
    """What `work` gives in a process that begins anew."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        return alone.submit(work, *given).result()


def one_after_another(parts: Sequence[Mapping[str, Taken]]) -> dict[str, Taken]:
    """The rounds of several processes, of each job, as if they were those of one."""
    return {
        name: Taken(
            [second for part in parts for second in part[name].wall_s],
            [second for part in parts for second in part[name].cpu_s],
            sum(part[name].again for part in parts),
        )
        for name in parts[0]
    }


def _cpu_s() -> float:
    of_programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + of_programs.ru_utime + of_programs.ru_stime
