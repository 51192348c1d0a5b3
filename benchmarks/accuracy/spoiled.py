"""How many of 5 % spoiled labels stand among the first 8 % of the clips that `vu train` lists as doubtful.

    python -m benchmarks.accuracy.spoiled [SET ...]

Labels are drawn at random and given another class, five times with other seeds; the sets' own labels count as right,
so that what is wrong in them lowers the share. Results are files in benchmarks/accuracy/results/spoiled.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.accuracy.encoded import encoded_set
from benchmarks.accuracy.sets import DATA, SETS
from video_understanding.training.closed_form.forms import HeadTargets
from video_understanding.training.study import LISTED, doubtful_labels

RESULTS = Path(__file__).parent / "results" / "spoiled"
SPOILED = 0.05
DRAWS = 5


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[[], *SETS], metavar="SET", help="(default: ucf fights)")
    for name in parser.parse_args().sets or ("ucf", "fights"):
        if not SETS[name].place.is_dir():
            print(f"{name}: left out, {SETS[name].folder} is not in {DATA}")
            continue
        found = measure(name)
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(words(found), flush=True)


def measure(name: str) -> dict[str, Any]:
    """The share of spoiled labels that are found, in percent, and of how many."""
    own = encoded_set(name)
    numbers = np.array([own.classes.index(row.labels[own.head]) for row in own.rows])
    pooled = {sense: part.first_view() for sense, part in own.pooled.items()}
    found, spoiled = 0, 0
    for seed in range(DRAWS):
        chance = np.random.default_rng(seed)
        wrong = chance.choice(len(numbers), max(1, round(SPOILED * len(numbers))), replace=False)
        told = numbers.copy()
        told[wrong] = (told[wrong] + chance.integers(1, len(own.classes), len(wrong))) % len(own.classes)
        targets = HeadTargets.of_numbers(told, len(own.classes))
        places = {row.place: number for number, row in enumerate(own.rows)}
        listed = doubtful_labels(pooled, targets, own.rows, own.classes, own.blocks)
        found += len({places[one.row.place] for one in listed} & set(wrong.tolist()))
        spoiled += len(wrong)
    return {"set": name, "clips": len(numbers), "spoiled": spoiled, "found": 100 * found / spoiled}


def words(found: dict[str, Any]) -> str:
    """One line."""
    share = f"{found['found']:.0f} % of {found['spoiled']} spoiled labels in {DRAWS} draws"
    return f"{found['set']}, {found['clips']} clips: {share} stand among the first {100 * LISTED:.0f} %"


if __name__ == "__main__":
    main()
