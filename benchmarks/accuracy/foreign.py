"""How many clips of classes that a model never learned it calls "unknown", at 10 % false alarms.

    python -m benchmarks.accuracy.foreign [SET ...] [--folds N]

Each class of a set is held out in turn: in every fold of the set the closed form learns the other classes from the
other folds, with the threshold from their left-out groups, and answers the fold. Sets of two classes learn both, and
are given the clips of another set. Beside it stands a threshold of the highest score alone. Results are files in
benchmarks/accuracy/results/foreign; `python -m benchmarks.accuracy --page FILE` writes them down.
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
from benchmarks.accuracy.page import foreign_table
from benchmarks.accuracy.sets import DATA, SETS
from video_understanding.datasets.grouping import group_rows
from video_understanding.evaluation import unknown_threshold
from video_understanding.labels import Labels
from video_understanding.training.baselines import head_targets
from video_understanding.training.solved import solve
from video_understanding.training.train import FALSE_ALARMS

RESULTS = Path(__file__).parent / "results" / "foreign"
OTHERS = {"fights": "ucf"}  # a set of two classes -> whose clips are foreign to it


def main() -> None:
    """Measures what is asked for and prints all results there are."""
    options = _options()
    for name in options.sets or SETS:
        if not SETS[name].place.is_dir():
            print(f"{name}: left out, {SETS[name].folder} is not in {DATA}")
            continue
        found = measure(name, options.folds)
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(foreign_table([found]), flush=True)


def measure(name: str, folds: int | None = None) -> dict[str, Any]:
    """Shares of foreign and of familiar clips called unknown, by familiarity and by the highest score alone."""
    own, head = encoded_set(name), SETS[name].head
    labels = np.array([row.labels[head] for row in own.rows])
    fold_of = np.array([row.fold for row in own.rows])
    other = encoded_set(OTHERS[name]).pooled if name in OTHERS else None
    said = {"familiarity": ([], []), "score": ([], [])}  # -> of foreign clips, and of familiar ones
    for held_out in [None] if other else own.classes:
        for fold in sorted(set(fold_of.tolist()))[:folds]:
            learned, test = (np.flatnonzero((labels != held_out) & (fold_of != fold)), np.flatnonzero(fold_of == fold))
            rows = [own.rows[place] for place in learned]
            targets = head_targets(rows, Labels({head: tuple(set(own.classes) - {held_out})}), ())
            pooled = {sense: part.select(learned) for sense, part in own.pooled.items()}
            solved = solve(pooled, targets, np.array(group_rows(rows)), own.blocks)
            given = {sense: part.select(test) for sense, part in own.pooled.items()}
            for kind, model in (("familiarity", solved), ("score", solved.by_score_alone(pooled))):
                below = unknown_threshold(model.left_out[head].max(axis=1), FALSE_ALARMS)
                unknown = model.scores(head, given).max(axis=1) < below
                is_foreign = labels[test] == held_out
                said[kind][1].append(unknown[~is_foreign])
                said[kind][0].append(
                    unknown[is_foreign] if other is None else model.scores(head, other).max(axis=1) < below
                )
    shares = {kind: [100 * float(np.concatenate(part).mean()) for part in parts] for kind, parts in said.items()}
    return {
        "set": name,
        "foreign": f"clips of {OTHERS[name]}" if other else "each class in turn",
        "clips": int(sum(len(part) for part in said["score"][0])),
        **{kind: {"foreign": foreign, "false_alarms": alarms} for kind, (foreign, alarms) in shares.items()},
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[[], *SETS], metavar="SET", help=", ".join(SETS))
    parser.add_argument("--folds", type=int, metavar="N", help="the first N folds alone (default: all)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
