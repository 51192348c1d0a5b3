"""`vu evaluate`: how good a trained model is on labelled clips."""

from __future__ import annotations

import argparse
import json

HELP = "measure a trained model on labelled clips"
EXAMPLE = (
    "  vu evaluate saved_models/mine clips.csv\n"
    "  vu evaluate saved_models/mine clips.csv --without audio --json > report.json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    parser.add_argument("data", nargs="+", metavar="DATA", help="folder of class folders, CSV, or list of clips")
    parser.add_argument("--runtime", choices=("keras",), default="keras", help="what computes the scores")
    parser.add_argument("--without", choices=("video", "audio"), help="take a sense away")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.bundle import Bundle
    from video_understanding.datasets.cache import ClipCache
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.evaluation import evaluate, robustness
    from video_understanding.models.load import keras_scorer

    bundle = Bundle.read(arguments.bundle)
    manifest = load_manifest(*arguments.data)
    prepared = ClipCache().prepare(manifest.rows, bundle.spec)
    scorer = keras_scorer(bundle)
    report = evaluate(scorer, prepared, manifest.rows, without=arguments.without)
    # With a sense taken away there is nothing left to take.
    table = None if arguments.without else robustness(scorer, prepared, manifest.rows, seed=0)
    if arguments.json:
        more = {} if table is None else {"robustness": table.to_dict()}
        print(json.dumps({**report.to_dict(), **more}, indent=2))
    else:
        print("\n\n".join([report.text(), *([] if table is None else [table.text()])]))
    return 0
