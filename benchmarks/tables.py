"""What all benchmarks tell alike: their options, numbers with a spread and a goal, the machine, a section of the page.

A benchmark measures rounds in which all sides take turns, makes a `Spread` of each row of numbers, and yields the
lines of its table, at the end `last_lines`. `tell` prints them, and writes what the options ask for:

    options = read_options(__doc__)                   # --quick, --rounds N, --json FILE, --page FILE
    report = Report(machine=machine(PACKAGES, options.rounds))  # a dataclass that adds its own to `Measured`
    ...                                               # measure; a row of rounds becomes Spread.of(row)
    tell(report, options, lines=list(_lines(report)), title="Training", text=_TEXT)
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.turns import Taken

ROUNDS, QUICK_ROUNDS = 11, 2
FIRST_ANSWER_ROUNDS = 5  # of new processes until their first answer, which take seconds each
TABLE = "{table}"  # where the table goes in a section's text


class Spread(NamedTuple):
    """The rounds of one measurement in three numbers."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(float(statistics.median(values)), float(min(values)), float(max(values)))

    def times(self, factor: float) -> Spread:
        """In another unit: milliseconds of seconds, say."""
        return Spread(*(factor * value for value in self))

    def columns(self, digits: int, wide: int) -> str:
        """The median in `wide` characters, then "lowest - highest" in as many as that needs."""
        between = f"{self.low:.{digits}f} - {self.high:.{digits}f}"
        return f"{self.median:{wide}.{digits}f} {between:<{2 * wide + 3}}"


@dataclass(frozen=True)
class Ratio:
    """One number over another, in most cases our CPU time over another's; `wall` is that of the times on the clock."""

    what: str
    over: str
    value: Spread
    goal: float | None = None
    at_least: bool = False
    wall: Spread | None = None

    @classmethod
    def of(cls, what: str, over: str, ours: Taken, theirs: Taken, goal: float | None = None) -> Ratio:
        """Of what took turns: the ratio of each round. The goal is one for the CPU time."""
        wall = _ratio_of_rounds(ours.wall_s, theirs.wall_s)
        return cls(what, over, _ratio_of_rounds(ours.cpu_s, theirs.cpu_s), goal, wall=wall)

    def columns(self) -> str:
        """The ratio and its spread, those on the clock, and the goal."""
        wall = self.wall.columns(2, 6) if self.wall else " " * len(self.value.columns(2, 6))
        return f"{self.value.columns(2, 6)} {wall} {goal_text(self.value.median, self.goal, self.at_least)}"


@dataclass
class Measured:
    """What every benchmark keeps: ratios, of its own kind or `Ratio`; the peers that are not installed; the machine."""

    ratios: list[Any] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=dict)
    again: int = 0
    """Rounds that were taken again, as two processors did not lie side by side; see `benchmarks.processors`."""

    def count_again(self, taken: Mapping[str, Taken]) -> None:
        """Counts the rounds that were taken again of what took turns, each for all sides."""
        self.again += next(iter(taken.values())).again


def ratio_lines(
    ratios: Iterable[Ratio], what_wide: int, over_wide: int, heads: tuple[str, str] = ("what", "over")
) -> Iterator[str]:
    """The part of a table that tells ratios: a head, a line for each, and one that is empty."""
    what, over = heads
    yield f"{what:<{what_wide}} {over:<{over_wide}} {'ratio':>6} {'spread':<15} {'clock':>6} {'spread':<15} goal"
    for ratio in ratios:
        yield f"{ratio.what:<{what_wide}} {ratio.over:<{over_wide}} {ratio.columns()}"
    yield ""


def _ratio_of_rounds(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)])


@dataclass
class Compared(Measured):
    """What a benchmark keeps that sets sides of ours beside sides of others: how long each took, by what it did."""

    cpu_ms: dict[str, Spread] = field(default_factory=dict)
    wall_ms: dict[str, Spread] = field(default_factory=dict)

    def compare(self, what: str, taken: Mapping[str, Taken], ours: Iterable[str], theirs: Sequence[str]) -> None:
        """Takes in what took turns: the ratios of each of ours over each of theirs, and what every side took."""
        self.count_again(taken)
        self.ratios += [
            Ratio.of(f"{what}: {mine}", other, taken[mine], taken[other]) for mine in ours for other in theirs
        ]
        for name, row in taken.items():
            self.cpu_ms[f"{what}: {name}"] = Spread.of(row.cpu_s).times(1000)
            self.wall_ms[f"{what}: {name}"] = Spread.of(row.wall_s).times(1000)


def goal_text(median: float, goal: float | None, at_least: bool = False) -> str:
    """Like "<= 0.60" or ">= 0.97 MISSED"; empty without a goal."""
    if goal is None:
        return ""
    missed = median < goal if at_least else median > goal
    return f"{'>=' if at_least else '<='} {goal:.2f}{' MISSED' if missed else ''}"


def read_options(description: str) -> argparse.Namespace:
    """The command line of a benchmark: `quick`, `json` and `page`, and how many `rounds` there are."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and nothing that takes long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the section of this page in Markdown anew")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help=f"turns that count ({ROUNDS}, or {QUICK_ROUNDS} if quick)"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    return options


def tell(report: Any, options: argparse.Namespace, *, lines: Sequence[str], title: str, text: str) -> None:
    """Prints the table, and writes the report (a dataclass) as JSON and the page's section, as the options ask.

    `text` is that of the section, with `TABLE` where the table goes.
    """
    table = "\n".join(line.rstrip() for line in lines)
    print(table)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    if options.page:
        page = options.page.read_text(encoding="utf-8") if options.page.exists() else ""
        options.page.write_text(with_section(page, title, text.replace(TABLE, table)), encoding="utf-8")


def with_section(page: str, title: str, text: str) -> str:
    """The page with this text under `## title`; other sections stay as they are, a new one comes last."""
    section = f"## {title}\n\n{text.strip()}\n"
    parts = re.split(r"(?m)^(?=## )", page)
    places = [place for place, part in enumerate(parts) if part.startswith(f"## {title}\n")]
    if places:
        parts[places[0]] = section
    else:
        parts.append(section)
    return "\n".join(part.strip() + "\n" for part in parts if part.strip())


def machine(packages: Sequence[str], rounds: int = 1) -> dict[str, Any]:
    """What the numbers were measured on and with."""
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "rounds": rounds,
        "cpu": cpu,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in packages},
        "commit": _commit(),
    }


def last_lines(report: Measured) -> Iterator[str]:
    """The end of a table: who could not take part, and where the numbers come from."""
    if report.absent:
        yield f"left out, not installed here: {', '.join(report.absent)}"
    on, versions = machine_lines(report.machine)
    yield ""
    again = f", {report.again} more taken again as two processors did not lie side by side," if report.again else ""
    yield f"{report.machine['rounds']} rounds{again} on {on}"
    yield versions


def machine_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """What `machine` told, in two lines: what it is, and what ran there."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if version)
    yield f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}"
    yield f"Python {facts['python']}, {versions}; commit {facts['commit']}"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    def git(*arguments: str) -> str | None:
        run = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
        return run.stdout.strip() if run.returncode == 0 else None

    try:
        commit = git("rev-parse", "--short", "HEAD") or "none"
        # The pages and the results of accuracy are what is being written.
        written = (":!docs", ":!benchmarks/accuracy/results")
        return f"{commit} and changes" if git("status", "--porcelain", "--", ".", *written) else commit
    except OSError:  # no git here
        return "unknown"
