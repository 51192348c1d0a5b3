"""Options that several commands have, said once."""

from __future__ import annotations

import argparse

from video_understanding.runtimes import RUNTIMES


def add_runtime(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """`--runtime`, one of `RUNTIMES`; without a default, what is loaded chooses."""
    otherwise = default or "keras, or tflite where TensorFlow is not installed"
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        metavar="RUNTIME",
        default=default,
        help=f"what computes the scores: {', '.join(RUNTIMES)} (default: {otherwise})",
    )
