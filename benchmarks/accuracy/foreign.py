"""How many clips of classes that a model never learned it calls "unknown", at 10 % false alarms.

    python -m benchmarks.accuracy.foreign [SET ...] [--folds N]

Each class of a set is held out in turn: in every fold of the set the closed form learns the other classes from the
other folds, with the threshold from their left-out groups, and answers the fold. Sets of two classes learn both, and
are given the clips of another set. Beside it stands a threshold of the highest score alone. Results are files in
benchmarks/accuracy/results/foreign; `python -m benchmarks.accuracy --page FILE` writes them down.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.accuracy.sets import DATA, SETS, manifest_of
from video_understanding.datasets.cache import ClipCache
from video_understanding.datasets.grouping import group_rows
from video_understanding.evaluation import unknown_threshold
from video_understanding.labels import Labels
from video_understanding.models.build import VideoUnderstandingModel
from video_understanding.presets import DEFAULT, preset
from video_understanding.scorer import SENSES
from video_understanding.training.baselines import head_targets
from video_understanding.training.encoded_clips import EncodedClips, frozen_encoders
from video_understanding.training.pooled_clips import PooledClips, pooled_clips
from video_understanding.training.settings import TrainingSettings
from video_understanding.training.solved import solve
from video_understanding.training.train import FALSE_ALARMS

RESULTS = Path(__file__).parent / "results" / "foreign"
OTHERS = {"fights": "ucf"}  # a set of two classes -> whose clips are foreign to it


@dataclasses.dataclass(frozen=True)
class _Set:
    """One set as encoded: rows [K], all of which have a window and the label; statistics of them; widths of blocks."""

    rows: list
    pooled: Mapping[str, PooledClips]
    blocks: Mapping[str, list[int]]
    classes: tuple[str, ...]


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
        print(table([found]), flush=True)


def measure(name: str, folds: int | None = None) -> dict[str, Any]:
    """Shares of foreign and of familiar clips called unknown, by familiarity and by the highest score alone."""
    own, head = _encoded(name), SETS[name].head
    labels = np.array([row.labels[head] for row in own.rows])
    fold_of = np.array([row.fold for row in own.rows])
    other = _encoded(OTHERS[name]).pooled if name in OTHERS else None
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


def table(found: list[dict[str, Any]]) -> str:
    """A line for each set."""
    lines = [f"{'set':9} {'foreign clips':20} {'unknown %':>9} {'false alarms %':>14}   {'by the highest score':>20}"]
    for result in found:
        own, plain = result["familiarity"], result["score"]
        lines.append(
            f"{result['set']:9} {result['foreign']:20} {own['foreign']:9.0f} {own['false_alarms']:14.0f}   "
            f"{plain['foreign']:13.0f} {plain['false_alarms']:6.0f}"
        )
    return "\n".join(lines)


def _encoded(name: str) -> _Set:
    """The set's labelled clips that can be read, with their statistics; encoded now where the cache lacks them."""
    manifest, spec, head = manifest_of(name), preset(DEFAULT), SETS[name].head
    cache = ClipCache()
    prepared = cache.prepare(manifest.rows, spec)
    model = VideoUnderstandingModel(spec, Labels({head: manifest.labels[head]}), seed=0)
    encoded = EncodedClips(prepared, frozen_encoders(model, TrainingSettings().views), cache.folder)
    there = np.unique(prepared.row_numbers[prepared.presence(np.arange(len(prepared))).any(axis=1)])
    places = np.array([place for place in there if head in manifest.rows[place].labels])
    rows = [manifest.rows[place] for place in places]
    pooled = {sense: pooled_clips(encoded, places, sense) for sense in SENSES}
    return _Set(rows, pooled, model.statistics_blocks, manifest.labels[head])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[[], *SETS], metavar="SET", help=", ".join(SETS))
    parser.add_argument("--folds", type=int, metavar="N", help="the first N folds alone (default: all)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
