"""`vu check`: is a data set fit to learn from?"""

from __future__ import annotations

import argparse
import json

from video_understanding.cli.options import add_data

HELP = "look a data set over before learning from it: unreadable clips, duplicates, leaks, shortcuts"
EXAMPLE = "  vu check clips.csv\n  vu check first/clips.csv second/ --json > report.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.add_argument("--json", action="store_true", help="print the whole report as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.datasets.manifest import load_manifest
    from video_understanding.datasets.preflight import check_dataset

    report = check_dataset(load_manifest(*arguments.data, heads=arguments.heads))
    print(json.dumps(report.to_dict(), indent=2) if arguments.json else report.text())
    return 1 if report.problems else 0
