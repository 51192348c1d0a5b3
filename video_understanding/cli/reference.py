"""The reference of all commands as a page, made from what `--help` says."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from video_understanding.cli.main import make_parser

_COLUMNS = "100"  # argparse wraps to the terminal's width; a page has one of its own


def reference() -> str:
    """The page in Markdown: the program's own help, then that of each command."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _COLUMNS
    try:
        parser = make_parser()
        parts = ["# Commands", "Made by `make docs` from the program's own help.", _block(parser)]
        for name, subparser in _subparsers(parser).items():
            parts += [f"## vu {name}", _block(subparser)]
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n\n".join(parts) + "\n"


def _block(parser: argparse.ArgumentParser) -> str:
    return f"```text\n{parser.format_help().strip()}\n```"


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    action = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(action.choices)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
