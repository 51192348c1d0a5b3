"""The summary of all sections: the goals, and every line in which we lose, out of the numbers of the last runs.

    python -m benchmarks.summary FOLDER [PAGE.md]

FOLDER holds the JSON of the sections, as `make bench-page` writes it before this one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.report import aligned, goal_text, with_table

# What ours is set beside of its own: a part, another setting, another size. To take longer there is not to lose.
_OURSELVES = {
    "the same in a minute", "1 min", "at the beginning", "offline", "each anew", "fp32", "1 MB", "reading",
    "score(exact=True)",
}  # fmt: skip


def main(folder: Path, page: Path | None = None) -> None:
    """Prints the summary, and puts it into the page if there is one."""
    files = [file for file in sorted(folder.glob("*.json")) if not file.stem.endswith("-quick")]
    lines = "\n".join(summary({file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}))
    print(lines)
    if page:
        page.write_text(with_table(page.read_text(encoding="utf-8"), "Where we stand", lines), encoding="utf-8")


def summary(reports: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Goals that are missed, how many are met, and lines without a goal in which another is quicker."""
    every = [(name, ratio, ratio["wall" if ratio["by_clock"] else "value"][0])
             for name, report in reports.items() for ratio in report["ratios"]]  # fmt: skip
    goals = [(*row, goal_text(row[2], row[1]["goal"], row[1]["at_least"])) for row in every]
    missed = [row for row in goals if "MISSED" in row[3]]
    with_goal = sum(bool(row[3]) for row in goals)
    yield f"{with_goal - len(missed)} of {with_goal} goals are met. Missed:"
    yield from _rows(missed)
    others = [row for row in goals if row[1]["over"] not in _OURSELVES and " over " not in row[1]["over"]]
    beside = [row for row in others if not row[1]["at_least"]]
    yield f"Of {len(beside)} lines beside other ways, these took less than ours, and there is no goal:"
    yield from _rows([row for row in beside if row[2] > 1 and not row[3]])


def _rows(rows: list[tuple[str, Mapping[str, Any], float, str]]) -> Iterator[str]:
    cells = [(f"  {name}", ratio["what"], f"over {ratio['over']}", f"{median:6.2f}", goal[:7])
             for name, ratio, median, goal in rows]  # fmt: skip
    yield from aligned([("",) * 5, *cells])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
