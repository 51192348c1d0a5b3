"""Whether two runs of a benchmark on one machine say the same: every ratio within the spread that both tell.

    python -m benchmarks.agree FIRST.json SECOND.json

Two ratios agree if their spreads meet. The exit code is 1 if any do not: then the benchmark is not good enough yet, or
the machine had other work.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Interval = tuple[float, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs=2, metavar="RUN.json", help="what two runs wrote with --json")
    try:
        first, second = (json.loads(file.read_text(encoding="utf-8")) for file in parser.parse_args().runs)
    except (OSError, ValueError) as error:
        parser.error(f"no benchmark's numbers can be read there: {error}")
    ours, again = dict(intervals(first)), dict(intervals(second))
    apart = [what for what in ours if what in again and not _meet(ours[what], again[what])]
    for what in apart:
        (low, high), (low_again, high_again) = ours[what], again[what]
        print(f"{what}: {low:.2f} - {high:.2f}, then {low_again:.2f} - {high_again:.2f}")
    both = sum(what in again for what in ours)
    print(f"{both - len(apart)} of {both} ratios agree; {len(ours) + len(again) - 2 * both} are in one run alone")
    return 1 if apart else 0


def intervals(report: dict[str, Any]) -> Iterator[tuple[str, Interval]]:
    """What every ratio of a report is of, and its spread: by the clock and of CPU time, where it tells both."""
    for ratio in report["ratios"]:
        for kind in ("value", "cpu", "wall"):
            if ratio.get(kind):
                _, low, high = ratio[kind]
                yield f"{ratio['what']}, over {ratio['over']}, {'clock' if kind == 'wall' else 'CPU'}", (low, high)


def _meet(one: Interval, other: Interval) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


if __name__ == "__main__":
    sys.exit(main())
