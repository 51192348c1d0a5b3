"""How well clips of unseen subjects are recognised: each set in its folds, with both senses, one, and one taken away.

    python -m benchmarks.accuracy [SET ...] [--senses both|video|audio ...] [--fusions] [--seeds N] [--quick]
                                  [--json FILE] [--page FILE]

SET is ucf, fights, javanese or ravdess; without one it is all of them. Folds are those of the sets, by subject. The
settings of a result come from a small grid, chosen inside its training folds. Every training that is done is kept in
build/accuracy and not done again, so a run that was stopped goes on. Results are files in benchmarks/accuracy/results,
and `--page` writes all that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.accuracy.measure import GRID, QUICK, choices, results
from benchmarks.accuracy.page import page, table
from benchmarks.accuracy.pieces import FOLDER, Pieces
from benchmarks.accuracy.sets import DATA, SETS, SPEC, manifest_of
from benchmarks.tables import machine
from video_understanding.models.fusion import FUSIONS

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("tensorflow", "keras", "numpy", "av")


def main() -> None:
    """Measures what is asked for, tells it, and keeps it."""
    options = _options()
    for name in options.sets or SETS:
        if not SETS[name].place.is_dir():
            print(f"{name}: left out, {SETS[name].folder} is not in {DATA}")
            continue
        for senses in SETS[name].senses:
            if senses in (options.senses or SETS[name].senses):
                _measure(name, senses, options)
    found = [json.loads(file.read_text()) for file in sorted(_kept(options).glob("*.json"))]
    print(table(found))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.page:
        options.page.write_text(page(found, machine(PACKAGES)), encoding="utf-8")


def _measure(name: str, senses: str, options: argparse.Namespace) -> None:
    """One set, learned from these senses; with both senses and `--fusions`, all ways of joining them."""
    began_s = time.monotonic()
    grid = QUICK if options.quick else GRID
    own = SETS[name]
    folder = FOLDER / ("quick" if options.quick else "pieces") / name
    pieces = Pieces(manifest_of(name), own.spec, senses, folder, people=own.people)
    head, seeds = own.head, range(options.seeds)
    chosen = choices(pieces, head, senses, grid, seed=0)
    fusions = [fusion for fusion in FUSIONS if options.fusions and senses == "both" and fusion != SPEC.network.fusion]
    for fusion in (None, *fusions):
        told: dict[str, Any] = {
            "set": name,
            "learned": senses,
            "fusion": fusion or SPEC.network.fusion,
            "chosen": {fold: vars(choice) for fold, choice in chosen.items()},
            "seeds": options.seeds,
            "results": results(pieces, head, chosen, grid, seeds, fusion),
            "command": shlex.join(["python", "-m", "benchmarks.accuracy", *sys.argv[1:]]),
            "commit": machine(())["commit"],
            "seconds": round(time.monotonic() - began_s),
        }
        file = _kept(options) / f"{name}_{senses}_{told['fusion']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        print(table([told]), flush=True)


def _kept(options: argparse.Namespace) -> Path:
    return FOLDER / "quick_results" if options.quick else RESULTS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[[], *SETS], metavar="SET", help=", ".join(SETS))
    parser.add_argument("--senses", nargs="+", choices=("both", "video", "audio"), help="what is learned from")
    parser.add_argument("--fusions", action="store_true", help="all ways of joining the senses")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each fold (default: 1)")
    parser.add_argument("--quick", action="store_true", help="two epochs and no choice: whether it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write this page in Markdown")
    return parser.parse_args()


if __name__ == "__main__":
    main()
