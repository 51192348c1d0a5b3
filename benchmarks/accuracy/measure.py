"""A result: folds whose settings were chosen inside their training folds, taken together, with how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy.choose import Choice, choose
from benchmarks.accuracy.pieces import Pieces, Recipe, of_folds, uar
from video_understanding.evaluation import Answers, HeadReport, join_answers

# What is chosen from, inside the training folds: how long, how much is dropped, whether clips are mixed.
_LONG = {"epochs": 30, "patience": 30, "learning_rate": 1e-3, "weight_decay": 1e-2}
GRID: dict[str, Recipe] = {
    "short": Recipe({"dropout": 0.2}, {"epochs": 15, "patience": 15, "learning_rate": 1e-3}),
    "long": Recipe({"dropout": 0.3}, _LONG),
    "mixed": Recipe({"dropout": 0.3}, {**_LONG, "mixup": 1.0}),
}
QUICK: dict[str, Recipe] = {"quick": Recipe({}, {"epochs": 2, "patience": 2})}


def choices(pieces: Pieces, head: str, asked: str, grid: Mapping[str, Recipe], seed: int) -> dict[int, Choice]:
    """Test fold -> what its training folds choose from the grid; nothing is trained where there is no choice.

    A training on two folds is judged on either of the two others, each time for the result of the other one.
    """

    def score(name: str, learned: frozenset[int], judged: int) -> float:
        told = pieces.answers(name, grid[name], learned, seed)[asked][head]
        return uar(of_folds(told, frozenset({judged})))

    if len(grid) == 1:
        return {fold: Choice(next(iter(grid)), {}) for fold in pieces.folds}
    return {fold: choose(grid, pieces.folds, fold, score) for fold in pieces.folds}


def results(
    pieces: Pieces,
    head: str,
    chosen: Mapping[int, Choice],
    grid: Mapping[str, Recipe],
    seeds: Sequence[int],
    fusion: str | None = None,
) -> dict[str, dict[str, Any]]:
    """What is asked ("both", "video", "audio") -> its result, averaged over folds and seeds."""
    recipes = {name: _joined_by(recipe, fusion) for name, recipe in grid.items()}
    found: dict[str, list[list[Answers]]] = {}  # what is asked -> for each seed the answers of each fold
    for seed in seeds:
        for fold in pieces.folds:
            name = chosen[fold].candidate
            piece = f"{name}_{fusion}" if fusion else name
            told = pieces.answers(piece, recipes[name], frozenset(pieces.folds) - {fold}, seed)
            for asked, heads in told.items():
                by_seed = found.setdefault(asked, [[] for _ in seeds])
                by_seed[list(seeds).index(seed)].append(of_folds(heads[head], frozenset({fold})))
    return {asked: _result(by_seed) for asked, by_seed in found.items()}


def _joined_by(recipe: Recipe, fusion: str | None) -> Recipe:
    return Recipe({**recipe.network, "fusion": fusion}, recipe.training) if fusion else recipe


def _result(by_seed: Sequence[Sequence[Answers]]) -> dict[str, Any]:
    """Means over folds and seeds; intervals, subjects and calibration are those of the first seed."""
    folds = [[100 * HeadReport.of(answers).uar for answers in own] for own in by_seed]  # [seeds][folds]
    pooled = HeadReport.of(join_answers(by_seed[0]))
    accuracies = [100 * HeadReport.of(answers).accuracy for own in by_seed for answers in own]
    spread = pooled.subjects.accuracy
    return {
        "uar": float(np.mean(folds)),
        "uar_of_folds": np.mean(folds, axis=0).tolist(),
        "uar_of_seeds": np.mean(folds, axis=1).tolist(),
        "accuracy": float(np.mean(accuracies)),
        "uar_interval": _percents(pooled.uar_interval),
        "accuracy_interval": _percents(pooled.accuracy_interval),
        "clips": pooled.clips,
        "subjects": len(pooled.subjects.subjects),
        "accuracy_of_subjects": [100 * spread.min, 100 * spread.median, 100 * spread.max],
        "calibration_error": 100 * pooled.calibration_error,
    }


def _percents(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [100 * end for end in interval]
