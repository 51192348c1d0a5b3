"""`vu crossval`: how good a training is on people it has not seen, over folds."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import nullcontext
from datetime import UTC, datetime

from video_understanding.cli.options import add_data
from video_understanding.cli.train import add_training_arguments, chosen

HELP = "train and measure on folds that never share a subject"
EXAMPLE = (
    "  vu crossval clips.csv --folds 5 --out reports/folds\n"
    "  vu crossval clips.csv --preset edge --work folds/ --json > folds.json\n"
    "  vu crossval clips.csv --preset edge --work folds/ --resume"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument(
        "--folds", type=int, default=5, metavar="N", help="how many, unless the data have a fold column (default: 5)"
    )
    parser.add_argument(
        "--work", metavar="FOLDER", help="folder that keeps the folds' trainings, so that they can go on"
    )
    parser.add_argument("--out", "--report", metavar="FOLDER", help="folder for report.html and report.json")
    parser.add_argument("--anonymous", action="store_true", help="a report that names and shows no clip and no person")
    add_training_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="go on with the trainings in --work")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.datasets.cache import ClipCache
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.errors import VideoUnderstandingError
    from video_understanding.report import clearest_mistakes, without_names, write_report
    from video_understanding.report.study_section import doubtful_cards
    from video_understanding.training.crossval import crossval

    if arguments.resume and not arguments.work:
        raise VideoUnderstandingError("--resume", "has no trainings to go on with", "Name their folder with --work.")
    manifest = load_manifest(*arguments.data, heads=arguments.heads)
    spec, settings = chosen(arguments)
    with nullcontext(arguments.work) if arguments.work else tempfile.TemporaryDirectory() as folder:
        found = crossval(manifest, spec, folder, settings, folds=arguments.folds, resume=arguments.resume)
    values = {"data": manifest.name, "created": datetime.now(UTC).isoformat(timespec="seconds"), **found.to_dict()}
    values = without_names(values) if arguments.anonymous else values
    print(json.dumps(values, indent=2) if arguments.json else found.text())
    if arguments.out:  # after the result, which must not be lost
        prepared = ClipCache().prepare(manifest.rows, spec)
        gallery = [] if arguments.anonymous else clearest_mistakes(found.together, prepared)
        doubtful = [] if arguments.anonymous or found.study is None else doubtful_cards(found.study.doubtful, prepared)
        page = write_report(arguments.out, values, gallery=gallery, doubtful=doubtful)
        print(f"report: {page}", file=sys.stderr if arguments.json else sys.stdout)
    return 0
