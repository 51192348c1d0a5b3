"""`vu verify`: whether every export of a model still says what the model says."""

from __future__ import annotations

import argparse
import json
import sys

from video_understanding.cli.predict import media_files

HELP = "send media files through Keras and every export of a model, and compare"
EXAMPLE = "  vu verify saved_models/mine holiday.mp4\n  vu verify saved_models/mine clips/ --json > agreement.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model with its exports")
    parser.add_argument("files", nargs="+", metavar="FILE", help="video or sound file, or a folder of some")
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.bundle import Bundle

    bundle = Bundle.read(arguments.bundle)
    files = media_files(arguments.files)

    from video_understanding.export.verify import verify

    shown = sys.stderr.isatty()
    result = verify(bundle, files, lambda words: print(words, file=sys.stderr) if shown else None)
    for error in result.errors.values():
        print(f"vu: {error}", file=sys.stderr)
    print(json.dumps(result.to_dict(), indent=2) if arguments.json else result.text())
    return 2 if result.errors else 0 if result.agrees else 1
