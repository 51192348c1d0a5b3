"""Interleaved rounds: every job runs once in each, so that other work of the machine affects all sides alike."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tqdm import tqdm

Job = Callable[[], object]
Seconds = tuple[float, float]  # on the clock, and of CPU time
_PATIENCE_S, _RETRY_S = 15.0, 0.25
_FEW_ROUNDS = 2
# At the end of a program's script: the most memory that it had.
PRINT_PEAK_MB = """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) / 1024)
"""


@dataclass(frozen=True)
class Timing:
    """Seconds of one job in every round: on the clock, and of CPU time (user and system) of all its threads."""

    wall_s: list[float]
    cpu_s: list[float]
    repeated: int = 0  # rounds that were disturbed, and run again


def seconds_of(job: Job, repeats: int = 1) -> Seconds:
    """Of one call, with those of programs that it starts; of several calls, their mean."""
    began_cpu_s, began_wall_s = _cpu_s(), time.perf_counter()
    for _ in range(repeats):
        job()
    return (time.perf_counter() - began_wall_s) / repeats, (_cpu_s() - began_cpu_s) / repeats


def interleave(
    jobs: Mapping[str, Job],
    rounds: int,
    title: str,
    warm_rounds: int = 1,
    timed: Callable[[Job], Seconds] = seconds_of,
    undisturbed: Callable[[], bool] | None = None,
) -> dict[str, Timing]:
    """The timing of every job; the first rounds, in which caches fill, are not counted.

    A round before or after which `undisturbed` gives False is run again, once it gives True. No more rounds are run
    again than there are, and all waiting together takes at most `_PATIENCE_S`; after that all count. So they do where
    there are only a few rounds, as in a quick run.
    """
    names, patience_s, repeated = list(jobs), _PATIENCE_S, 0
    counted: list[dict[str, Seconds]] = []
    asks = undisturbed if undisturbed is not None and rounds > _FEW_ROUNDS else lambda: True
    with tqdm(total=warm_rounds + rounds, desc=title, unit="round", leave=False, disable=None) as bar:
        while len(counted) < warm_rounds + rounds:
            warm = len(counted) < warm_rounds
            while not (quiet := warm or asks()) and patience_s > 0:
                time.sleep(_RETRY_S)
                patience_s -= _RETRY_S
            first = (len(counted) + repeated) % len(names)  # nobody always runs after the same one
            found = {}
            for name in names[first:] + names[:first]:
                gc.collect()
                found[name] = timed(jobs[name])
            if not warm and repeated < rounds and not (quiet and asks()):
                repeated += 1
                continue
            counted.append(found)
            bar.update()
    return {name: Timing(*map(list, zip(*(one[name] for one in counted[warm_rounds:]), strict=True)), repeated)
            for name in names}  # fmt: skip


def joined(parts: Sequence[Mapping[str, Timing]]) -> dict[str, Timing]:
    """The rounds of several processes, of each job, as if they were those of one."""
    every = {name: [part[name] for part in parts] for name in parts[0]}
    return {name: Timing([s for one in own for s in one.wall_s], [s for one in own for s in one.cpu_s],
                         sum(one.repeated for one in own)) for name, own in every.items()}  # fmt: skip


class Program:
    """A job: a script in a new process of Python. `output` is what its last run printed."""

    def __init__(self, script: str, *arguments: object) -> None:
        self._command = [sys.executable, "-c", script, *map(str, arguments)]
        self.output = ""

    def __call__(self) -> str:
        self.output = subprocess.run(self._command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return self.output


def _cpu_s() -> float:
    of_programs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + of_programs.ru_utime + of_programs.ru_stime
