"""How often labels in plain words name actions that were never labelled.

    python -m benchmarks.own_words BUNDLE

Every clip of the UCF set is recognised by `vu predict`'s way with the sentences below, alone and beside classes that no
clip shows; the answer "none of these" counts as wrong. Nothing of the clips or their labels was learned.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

import numpy as np

import video_understanding as vu
from video_understanding.runtimes import quickest_runtime

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
    for beside in ((), BESIDE):
        recognizer = model.with_labels([*CLASSES.values(), *beside])
        right, said = {name: [] for name in CLASSES}, Counter()
        for row in rows:
            answer = recognizer.predict(DATA / row["path"], recognizer.spec.window_s).heads["words"]
            said[row["action"], answer.label] += 1
            right[row["action"]].append(answer.label == CLASSES[row["action"]])
        shares = {name: float(np.mean(own)) for name, own in right.items()}
        told = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        mean = 100 * np.mean(list(shares.values()))
        print(f"{len(CLASSES) + len(beside)} labels, {len(rows)} clips: {mean:.1f} % ({told})")
        for (name, label), count in sorted(said.items(), key=lambda pair: -pair[1]):
            if label != CLASSES[name]:
                print(f"  {name} said to be {label}: {count}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of a model with words")
    return parser.parse_args()


if __name__ == "__main__":
    main()
