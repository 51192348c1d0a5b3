"""`vu personalise`: a model made used to how one person sounds."""

from __future__ import annotations

import argparse
import dataclasses
import json

from video_understanding.cli.predict import media_files

HELP = "make a model used to one person, from a few recordings of theirs without labels"
EXAMPLE = (
    "  vu personalise saved_models/mine recordings_of_her/ --out saved_models/mine_for_her\n"
    "  vu predict saved_models/mine_for_her new.mp4"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="folder of a trained model")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="video or sound file, or a folder of some; in all moods, if you can"
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the new model is written")
    parser.add_argument(
        "--several",
        action="store_true",
        help="adapt even where the files are plainly of several speakers (default: they are refused)",
    )
    parser.add_argument("--json", action="store_true", help="print what was changed as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.bundle import Bundle

    bundle = Bundle.read(arguments.bundle)
    files = media_files(arguments.files)

    from video_understanding.models.personal import personalised_bundle

    made, change = personalised_bundle(bundle, files, arguments.out, several=arguments.several)
    if arguments.json:
        told = {} if change is None else dataclasses.asdict(change)
        print(json.dumps({"bundle": str(made.folder), "files": len(files), **told}, indent=2))
        return 0
    print(f"{made.folder} is used to the person in {len(files)} file(s): vu predict {made.folder} FILE")
    if change is not None:
        print(
            f"  adapted by {change.seconds:.0f} s of sound; the voice is {change.distance:.1f} times as far from the "
            "mean of the training's speakers as these are on average"
        )
    return 0
