"""How often labels in plain words name actions that were never labelled.

    python -m benchmarks.own_words BUNDLE

Every clip of the UCF set is labelled as `vu predict --labels` does, by the mean of its windows, with the sentences
below, alone and beside classes that no clip shows; the answer "none of these" counts as wrong.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np

import video_understanding as vu
from video_understanding.runtimes import quickest_runtime
from video_understanding.words.words_scorer import WORDS_HEAD, WordsScorer

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "action_ucf_av3"
CLASSES = {"archery": "archery", "basketball_dunk": "playing basketball", "surfing": "surfing"}
BESIDE = ("playing the piano", "fencing", "a horse race")


def main() -> None:
    """Prints the share of clips named rightly, with three labels and with six."""
    options = _options()
    if not DATA.is_dir():
        print(f"{DATA} is not there: nothing is measured.")
        return
    model = vu.load(options.bundle, quickest_runtime(options.bundle))
    with (DATA / "clips.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["action"] in CLASSES]
    moments = [model.embed(DATA / row["path"], model.spec.window_s).values for row in rows]  # [moments,D] each
    for beside in ((), BESIDE):
        scorer = WordsScorer(model.scorer, model.words, [*CLASSES.values(), *beside])
        names, said = scorer.labels[WORDS_HEAD], Counter()
        right: dict[str, list[bool]] = {name: [] for name in CLASSES}
        for row, values in zip(rows, moments, strict=True):
            label = names[int(scorer.label_scores(values).mean(axis=0).argmax())]
            said[row["action"], label] += 1
            right[row["action"]].append(label == CLASSES[row["action"]])
        shares = {name: float(np.mean(own)) for name, own in right.items()}
        parts = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        mean = 100 * np.mean(list(shares.values()))
        print(f"{len(names) - 1} labels, {len(rows)} clips: {mean:.1f} % ({parts})")
        for (name, label), count in sorted(said.items(), key=lambda pair: -pair[1]):
            if label != CLASSES[name]:
                print(f"  {name} said to be {label}: {count}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of a model with words")
    return parser.parse_args()


if __name__ == "__main__":
    main()
