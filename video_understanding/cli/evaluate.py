"""`vu evaluate`: how good a trained model is on labelled clips."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.cli.options import add_data, add_runtime

if TYPE_CHECKING:
    from video_understanding.bundle import Bundle
    from video_understanding.datasets.manifest import Manifest

HELP = "measure a trained model on labelled clips"
EXAMPLE = (
    "  vu evaluate saved_models/mine clips.csv\n"
    "  vu evaluate saved_models/mine clips.csv --out reports/mine\n"
    "  vu evaluate saved_models/mine clips.csv --runtime tflite:int8\n"
    "  vu evaluate saved_models/mine clips.csv --without audio --json > report.json"
)
_NAME_LETTERS = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    add_data(parser)
    add_runtime(parser, "keras")
    parser.add_argument("--without", choices=("video", "audio"), help="take a sense away")
    parser.add_argument(
        "--out",
        metavar="FOLDER",
        help="folder for report.html and report.json (default: one named after the data, in BUNDLE/evaluation)",
    )
    parser.add_argument("--anonymous", action="store_true", help="a report that names and shows no clip and no person")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.bundle import Bundle
    from video_understanding.datasets.cache import ClipCache
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.errors import VideoUnderstandingError
    from video_understanding.evaluation import evaluate, robustness
    from video_understanding.labels import HEADS
    from video_understanding.report import clearest_mistakes, without_names, write_report
    from video_understanding.runtimes import make_scorer

    bundle = Bundle.read(arguments.bundle)
    manifest = load_manifest(*arguments.data, heads=arguments.heads, candidates=(*bundle.labels, *HEADS))
    scorer = make_scorer(bundle, arguments.runtime)
    prepared = ClipCache().prepare(manifest.rows, bundle.spec)
    report = evaluate(scorer, prepared, manifest.rows, without=arguments.without)
    # With a sense taken away there is nothing left to take.
    table = None if arguments.without else robustness(scorer, prepared, manifest.rows, seed=0)
    values = {
        "model": bundle.name,
        "data": manifest.name,
        "runtime": arguments.runtime,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **report.to_dict(),
        **({} if table is None else {"robustness": table.to_dict()}),
    }
    values = without_names(values) if arguments.anonymous else values
    gallery = [] if arguments.anonymous else clearest_mistakes(report, prepared)
    folder = Path(arguments.out) if arguments.out else _folder(bundle, manifest, arguments)
    page, failure = None, None
    try:
        page = write_report(folder, values, gallery=gallery)
    except VideoUnderstandingError as error:  # told after the result, which must not be lost
        failure = error
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        print("\n\n".join([report.text(), *([] if table is None else [table.text()])]), end="\n\n")
    if failure and arguments.out:
        raise failure
    if failure:
        print(f"vu: no report is kept: {failure}", file=sys.stderr)
    else:
        print(f"report: {page}", file=sys.stderr if arguments.json else sys.stdout)
    return 0


def _folder(bundle: Bundle, manifest: Manifest, arguments: argparse.Namespace) -> Path:
    """Inside the bundle, named after all that makes one evaluation another: none takes the place of another."""
    words = [Path(source).stem for source in manifest.sources] + list(arguments.heads or ())
    if arguments.without:
        words += ["without", arguments.without]
    if arguments.anonymous:
        words.append("anonymous")
    if arguments.runtime != "keras":
        words += arguments.runtime.split(":")
    return bundle.folder / "evaluation" / "-".join(words)[:_NAME_LETTERS]
