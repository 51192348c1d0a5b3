"""Where we stand: the goals of all benchmarks, and every line in which we lose, out of the numbers of the last runs.

    python -m benchmarks.standing FOLDER [--page FILE]

FOLDER holds the JSON of the other benchmarks, as `make bench-page` writes it before this one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.tables import goal_text, with_section

_TITLE = "Where we stand"
# What is set beside itself: a part, another setting, another size. To take longer there is not to lose.
_OURSELVES = {"the same in a minute", "1 min", "at the beginning", "offline", "each anew", "fp32", "1 MB", "reading"}
_TEXT = """Of all numbers below; ratios are of CPU time, those of training on the clock. Above one, another took less.

```text
{lines}
```

Why we lose where we do is said in each section.
"""


def main() -> None:
    """Prints where we stand, and writes it to the page if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the benchmarks have written their JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the section of this page in Markdown anew")
    options = parser.parse_args()
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(options.folder.glob("*.json"))}
    lines = "\n".join(standing({name: told for name, told in found.items() if not name.endswith("-quick")}))
    print(lines)
    if options.page:
        page = options.page.read_text(encoding="utf-8")
        options.page.write_text(with_section(page, _TITLE, _TEXT.replace("{lines}", lines)), encoding="utf-8")


def standing(reports: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Goals that are missed, how many are met, and lines without a goal in which another is quicker."""
    every = [(name, ratio) for name, told in reports.items() for ratio in told["ratios"]]
    with_goal = [(name, ratio) for name, ratio in every if ratio["goal"] is not None]
    missed = [(name, ratio) for name, ratio in with_goal if "MISSED" in _goal(ratio)]
    yield f"{len(with_goal) - len(missed)} of {len(with_goal)} goals are met. Missed:"
    for name, ratio in missed:
        yield f"{_line(name, ratio)}   goal {_goal(ratio)[:7]}"
    beside = [(name, ratio) for name, ratio in every if _is_of_others(ratio)]
    lost = [(name, ratio) for name, ratio in beside if _median(ratio) > 1 and ratio["goal"] is None]
    yield ""
    yield f"Of {len(beside)} lines beside other ways, these took less than ours, and there is no goal:"
    for name, ratio in lost:
        yield _line(name, ratio)


def _line(name: str, ratio: Mapping[str, Any]) -> str:
    return f"  {name:<10} {ratio['what']:<46} over {ratio['over']:<22} {_median(ratio):6.2f}"


def _is_of_others(ratio: Mapping[str, Any]) -> bool:
    return not ratio["at_least"] and ratio["over"] not in _OURSELVES and " over " not in ratio["over"]


def _median(ratio: Mapping[str, Any]) -> float:
    """Of the ratio that its goal is for: training's is the clock's."""
    return (ratio["value"] if "value" in ratio else ratio["wall"])[0]


def _goal(ratio: Mapping[str, Any]) -> str:
    return goal_text(_median(ratio), ratio["goal"], ratio["at_least"])


if __name__ == "__main__":
    main()
