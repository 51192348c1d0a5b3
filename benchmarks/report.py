"""What a benchmark finds, in one form for all sections: ratios with a spread and a goal, times, tables, facts.

A section is a module of `benchmarks.sections` with a TITLE, the PACKAGES whose versions matter, and `measure(run)`:

    def measure(run):
        timings = run.interleave("10 s file", {"ours": read, "OpenCV": read_with_opencv})
        run.compare("10 s file", timings, goals={"OpenCV": 0.6})  # the ratio of ours over it should be 0.6 at most
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.interleave import Job, Timing, interleave

FIRST_ANSWER_ROUNDS = 5  # of new processes until their first answer, which take seconds each


class Spread(NamedTuple):
    """The rounds of one measurement in three numbers."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], factor: float = 1.0) -> Spread:
        """Of values times a factor: 1000 makes milliseconds of seconds."""
        return cls(*(factor * float(of(values)) for of in (statistics.median, min, max)))

    def cells(self, digits: int = 2) -> tuple[str, str]:
        """The median, and "lowest - highest"."""
        return f"{self.median:7.{digits}f}", f"{self.low:.{digits}f} - {self.high:.{digits}f}"


@dataclass(frozen=True)
class Ratio:
    """Ours over another's: `value` of CPU time, or any number over its unit; `wall` of time on the clock."""

    what: str
    over: str
    value: Spread
    goal: float | None = None
    at_least: bool = False
    wall: Spread | None = None
    by_clock: bool = False  # whether the goal is one for the clock

    @classmethod
    def of(cls, what: str, over: str, ours: Timing, theirs: Timing, goal: float | None = None, **more: bool) -> Ratio:
        """The ratio of each round; where the goal is a least one, of rates in place of times."""
        one, other = (theirs, ours) if more.get("at_least") else (ours, theirs)
        cpu, wall = (Spread.of([own / its for own, its in zip(*pair, strict=True)])
                     for pair in ((one.cpu_s, other.cpu_s), (one.wall_s, other.wall_s)))  # fmt: skip
        return cls(what, over, cpu, goal, wall=wall, **more)

    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        goal = goal_text((self.wall if self.by_clock else self.value).median, self.goal, self.at_least)
        wall = self.wall.cells() if self.wall else ("", "")
        return self.what, self.over, *self.value.cells(), *wall, goal + (" by the clock" if self.by_clock else "")


def goal_text(median: float, goal: float | None, at_least: bool = False) -> str:
    """Like "<= 0.60" or ">= 0.97 MISSED"; empty without a goal."""
    if goal is None:
        return ""
    missed = median < goal if at_least else median > goal
    return f"{'>=' if at_least else '<='} {goal:.2f}{' MISSED' if missed else ''}"


@dataclass
class Run:
    """One run of a section, and all that it found."""

    rounds: int
    quick: bool = False
    page: Path | None = None
    ratios: list[Ratio] = field(default_factory=list)
    times_ms: dict[str, dict[str, Spread]] = field(default_factory=dict)  # of CPU time, and on the clock
    tables: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)  # title -> row -> column -> cell
    facts: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)  # peers that are not installed
    machine: dict[str, Any] = field(default_factory=dict)
    repeated: int = 0  # rounds run again as two processors did not lie side by side; see `benchmarks.processors`

    def interleave(
        self, what: str, jobs: Mapping[str, Job], rounds: int | None = None, pieces: int = 1,
        parallel: bool = False, **options: Any,
    ) -> dict[str, Timing]:  # fmt: skip
        """The timing of every job, which is recorded as that of one of its `pieces`; see `undisturbed`."""
        timings = interleave(jobs, rounds or self.rounds, what, undisturbed=undisturbed(parallel), **options)
        return self.record(what, timings, pieces)

    def record(self, what: str, timings: dict[str, Timing], pieces: int = 1) -> dict[str, Timing]:
        """Takes up the times of what was interleaved."""
        self.repeated += next(iter(timings.values())).repeated
        for name, timing in timings.items():
            cpu, wall = (Spread.of(seconds, 1000 / pieces) for seconds in (timing.cpu_s, timing.wall_s))
            self.times_ms[f"{what}: {name}"] = {"cpu": cpu, "clock": wall}
        return timings

    def compare(
        self, what: str, timings: Mapping[str, Timing], ours: Sequence[str] = ("ours",),
        goals: Mapping[str, float] | None = None,
    ) -> None:  # fmt: skip
        """The ratios of each of ours over each of the others; several of ours are named in their rows."""
        for name in ours:
            row = f"{what}: {name}" if len(ours) > 1 else what
            for other in (own for own in timings if own not in ours):
                self.ratio(row, other, timings[name], timings[other], (goals or {}).get(other))

    def ratio(
        self, what: str, over: str, ours: Timing, theirs: Timing, goal: float | None = None, **more: bool
    ) -> None:
        """One ratio; `by_clock` and `at_least` say what its goal is for."""
        self.ratios.append(Ratio.of(what, over, ours, theirs, goal, **more))

    def number(self, what: str, unit: str, value: Spread | float, goal: float | None, at_least: bool = False) -> None:
        """A number that is no ratio of times, in a unit."""
        spread = value if isinstance(value, Spread) else Spread(value, value, value)
        self.ratios.append(Ratio(what, unit, spread, goal, at_least))

    def cell(self, table: str, row: str, column: str, text: str) -> None:
        """One cell of a table."""
        self.tables.setdefault(table, {}).setdefault(row, {})[column] = text

    def installed(self, name: str, make: Callable[[], Any]) -> dict[str, Any]:
        """What `make` gives, by the peer's name; nothing, where a package is missing or does not load."""
        try:
            return {name: make()}
        except (ImportError, OSError) as error:
            missing = getattr(error, "name", None)
            self.absent.append(f"{name} ({missing})" if missing not in (None, name) else name)
            return {}

    def lines(self) -> Iterator[str]:
        """All of it as text."""
        head = ("what", "over", "  ratio", "spread", "  clock", "spread", "goal")
        yield from aligned([head, *(ratio.cells() for ratio in self.ratios)])
        rows: list[tuple[str, ...]] = [("milliseconds", "    CPU", "spread", "  clock", "spread")]
        for what, row in self.times_ms.items():
            digits = 3 if row["cpu"].median < 10 else 1
            rows.append((what, *row["cpu"].cells(digits), *row["clock"].cells(digits)))
        yield from aligned(rows)
        for title, table in self.tables.items():
            names = list(dict.fromkeys(name for row in table.values() for name in row))
            rows = [(what, *(row.get(name, "-") for name in names)) for what, row in table.items()]
            yield from aligned([(title, *names), *rows])
        yield from (f"{what}: {fact}" for what, fact in self.facts.items())
        if self.absent:
            yield f"left out, not installed here: {', '.join(self.absent)}"
        on, versions = machine_lines(self.machine)
        again = f", {self.repeated} more run again as two processors did not lie side by side," if self.repeated else ""
        yield from ([""] if self.facts or self.absent else [])
        yield from (f"{self.machine['rounds']} rounds{again} on {on}", versions)

    def to_dict(self) -> dict[str, Any]:
        """What goes into the JSON."""
        return {name: value for name, value in asdict(self).items() if name not in ("rounds", "quick", "page")}


def undisturbed(parallel: bool) -> Callable[[], bool] | None:
    """For jobs of several threads: whether processors lie side by side; rounds in which they do not are run again."""
    from benchmarks.processors import side_by_side

    return side_by_side if parallel else None


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of cells in columns, and an empty line; nothing, where there is only a head."""
    if len(rows) > 1:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        yield from ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        yield ""


def with_table(page: str, title: str, table: str) -> str:
    """The page with this table in place of the one under `## title`; a section without one is an error."""
    pattern = rf"(?ms)(^## {re.escape(title)}$(?:(?!^## ).)*?^```text\n).*?(?=^```$)"
    page, replaced = re.subn(pattern, lambda found: f"{found[1]}{table}\n", page, count=1)
    if not replaced:
        raise SystemExit(f'the page has no section "{title}" with a ```text block')
    return page


def machine(packages: Sequence[str], rounds: int = 1) -> dict[str, Any]:
    """Facts about the machine and what runs on it; packages that are not installed have no version."""
    cpu, facts = platform.processor(), Path("/proc/cpuinfo")
    if facts.exists():
        names = [line.split(":", 1)[1].strip() for line in facts.read_text().splitlines() if "model name" in line]
        cpu = next(iter(names), cpu)
    installed = {own.name.lower(): own.version for own in importlib.metadata.distributions() if own.name}
    return {
        "rounds": rounds,
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: installed.get(package) for package in packages},
        "commit": _commit(),
    }


def machine_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """These facts in two lines: the machine, and what ran on it."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if version)
    yield f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}"
    yield f"Python {facts['python']}, {versions}; commit {facts['commit']}"


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()

    try:
        commit = git("rev-parse", "--short", "HEAD") or "none"
        # The pages and the results of accuracy are what is being written.
        changed = git("status", "--porcelain", "--", ".", ":!docs", ":!benchmarks/accuracy/results")
        return f"{commit} and changes" if changed else commit
    except OSError:  # no git here
        return "unknown"
