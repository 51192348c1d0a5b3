"""Options that several commands have, said once."""

from __future__ import annotations

import argparse

from video_understanding.labels import HEADS
from video_understanding.runtimes import RUNTIMES


def add_data(parser: argparse.ArgumentParser) -> None:
    """`DATA` and `--heads`: where labelled clips are, and which columns hold their labels."""
    parser.add_argument("data", nargs="+", metavar="DATA", help="folder of class folders, CSV, or list of clips")
    parser.add_argument(
        "--heads",
        type=lambda text: tuple(name.strip() for name in text.split(",") if name.strip()),
        metavar="A,B",
        help=f"columns that hold labels, each a head of the model (default: {' and '.join(HEADS)}, where they are)",
    )


def add_runtime(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """`--runtime`, one of `RUNTIMES`; without a default, what answers first (see `quickest_runtime`)."""
    otherwise = default or "the bundle's .tflite file, which starts sooner, or keras where there is none"
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        metavar="RUNTIME",
        default=default,
        help=f"what computes the scores: {', '.join(RUNTIMES)} (default: {otherwise})",
    )
