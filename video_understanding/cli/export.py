"""`vu export`: a trained model in other forms, each compared with it."""

from __future__ import annotations

import argparse
import json

HELP = "write the SavedModel and the TFLite files of a trained model, each with its measured difference"
EXAMPLE = (
    "  vu export saved_models/mine\n"
    "  vu export saved_models/mine --calibrate clips.csv\n"
    "  vu export saved_models/mine --formats fp16,int8 --calibrate clips.csv --json"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    parser.add_argument(
        "--formats",
        metavar="LIST",
        help="saved_model,fp32,fp16,dynamic,int8 or some of them (default: all that can be made)",
    )
    parser.add_argument(
        "--calibrate",
        nargs="+",
        metavar="DATA",
        help="clips that set the ranges of dynamic and int8, and that exports are compared on; a few dozen are enough",
    )
    parser.add_argument("--json", action="store_true", help="print what was measured as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.bundle import Bundle
    from video_understanding.export.formats import chosen_formats

    bundle = Bundle.read(arguments.bundle)
    names = None if arguments.formats is None else [name.strip() for name in arguments.formats.split(",")]
    chosen_formats(names, arguments.calibrate is not None)  # before anything that takes long

    from video_understanding.export.calibration import read_clips
    from video_understanding.export.make import export_bundle

    clips, truth = None, None
    if arguments.calibrate:
        clips, truth = read_clips(arguments.calibrate, bundle.spec, bundle.labels)
    report = export_bundle(bundle, names, clips, truth)
    print(json.dumps(report.to_dict(), indent=2) if arguments.json else report.text())
    return 1 if report.refused else 0
