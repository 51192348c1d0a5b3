"""How well clips of unseen subjects are recognised by what `vu train` does without options, set by set, in folds.

    python -m benchmarks.accuracy [SET ...] [--zoom N] [--json FILE] [--page FILE]

SET is one of those in `sets.py`; without one it is all of them. It is `vu crossval SET`: folds are those of the sets,
by subject. Encoded clips are cached, so that a second run takes seconds. Results are files in
benchmarks/accuracy/results, and `--page` writes all that are there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks.accuracy.page import page, table
from benchmarks.accuracy.sets import DATA, SETS, manifest_of
from benchmarks.report import machine
from video_understanding.datasets.cache import ClipCache
from video_understanding.presets import DEFAULT, preset
from video_understanding.training.crossval import crossval

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("tensorflow", "keras", "numpy", "av")
CONDITIONS = {
    "both": "all modalities",
    "video": "only video",
    "audio": "only audio",
}  # name here -> name in the summary


def main() -> None:
    """Measures what is asked for, and writes all results there are."""
    options = _options()
    for name in options.sets or SETS:
        if SETS[name].place.is_dir():
            found = measure(name, options.zoom)
            file = RESULTS / f"{name}{f'_zoom{options.zoom}' if options.zoom else ''}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            print(table([found]), flush=True)
        else:
            print(f"{name}: left out, {SETS[name].folder} is not in {DATA}")
    found = _all(RESULTS)
    print(table(found))
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.page:
        more = [_all(RESULTS / kind) for kind in ("foreign", "spoiled")]
        options.page.write_text(page(found, machine(PACKAGES), *more), encoding="utf-8")


def _all(folder: Path) -> list[dict[str, Any]]:
    """The results in a folder, by set."""
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


def measure(name: str, zoom: int | None = None) -> dict[str, Any]:
    """The results of one set: UAR in percent over its folds, with all modalities and with each alone, and baselines."""
    began_s = time.monotonic()
    spec = preset(DEFAULT)
    if zoom:
        spec = dataclasses.replace(spec, video=dataclasses.replace(spec.video, zoom=zoom))
    manifest = manifest_of(name)
    with tempfile.TemporaryDirectory() as folder:
        found = crossval(manifest, spec, folder).to_dict()
    prepared = ClipCache().prepare(manifest.rows, spec)
    there = dict(zip(spec.modalities, prepared.presence(np.arange(len(prepared))).any(axis=0), strict=True))
    head = SETS[name].head
    whole = found["heads"][head]
    uar = {
        asked: {"uar": 100 * found["uar_by_condition"][condition][head]["mean"]}
        for asked, condition in CONDITIONS.items()
        if asked == "both" or all(there.values())  # of a set with sound alone "audio alone" is all there is
    }
    for known, heads in found.get("speaker_known", {}).items():
        if head in heads:
            uar[known] = {"uar": 100 * heads[head]["mean"]}
    spread = whole["pooled"].get("subjects") or {}
    return {
        "set": name,
        "options": f"--zoom {zoom}" if zoom else "",
        "clips": whole["pooled"]["clips"],
        "folds": whole["folds"],
        "uar": uar,
        "uar_of_folds": [100 * fold["uar"] for fold in whole["by_fold"]],
        "interval": _percents(whole["pooled"].get("uar_interval")),
        "accuracy": 100 * whole["accuracy"]["mean"],
        "calibration_error": 100 * whole["calibration_error"]["mean"],
        "chance": 100 * whole["pooled"]["chance_uar"],
        "baselines": {method: 100 * heads[head]["mean"] for method, heads in found["baselines"].items()},
        "subjects": spread.get("count"),
        "seconds": round(time.monotonic() - began_s),
        "commit": machine(())["commit"],
    }


def _percents(interval: Any) -> list[float] | None:
    ends = interval.values() if isinstance(interval, dict) else interval
    return None if not ends else [100 * end for end in ends]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", choices=[[], *SETS], metavar="SET", help=", ".join(SETS))
    parser.add_argument("--zoom", type=int, metavar="N", help="as `vu crossval` has it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results there")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write this page in Markdown")
    return parser.parse_args()


if __name__ == "__main__":
    main()
