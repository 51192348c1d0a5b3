"""Whether two runs of a benchmark on one machine agree: every ratio within the spread of both.

    python -m benchmarks.compare_runs FIRST.json SECOND.json

Two ratios agree if their spreads meet. The exit code is 1 if any do not: then the benchmark is not good enough yet, or
the machine had other work.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

Interval = tuple[float, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs=2, metavar="RUN.json", help="what two runs wrote with --json")
    try:
        first, second = (intervals(json.loads(run.read_text(encoding="utf-8"))) for run in parser.parse_args().runs)
    except (OSError, ValueError) as error:
        parser.error(f"no benchmark's numbers can be read there: {error}")
    both = first.keys() & second.keys()
    apart = [what for what in first if what in both and not _meet(first[what], second[what])]
    for what in apart:
        (low, high), (low_again, high_again) = first[what], second[what]
        print(f"{what}: {low:.2f} - {high:.2f}, then {low_again:.2f} - {high_again:.2f}")
    alone = len(first.keys() ^ second.keys())
    print(f"{len(both) - len(apart)} of {len(both)} ratios agree; {alone} are in one run alone")
    return 1 if apart else 0


def intervals(report: dict[str, Any]) -> dict[str, Interval]:
    """What every ratio of a report is of -> its spread, of CPU time and on the clock."""
    return {
        f"{ratio['what']}, over {ratio['over']}, {kind}": tuple(ratio[name][1:])
        for ratio in report["ratios"]
        for name, kind in (("value", "CPU"), ("wall", "clock"))
        if ratio.get(name)
    }


def _meet(one: Interval, other: Interval) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


if __name__ == "__main__":
    sys.exit(main())
