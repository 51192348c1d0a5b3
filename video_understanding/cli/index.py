"""`vu index`: makes the moments of files and folders searchable."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.safe_text import one_line

if TYPE_CHECKING:
    from video_understanding.recognition.recognizer import Recognizer
    from video_understanding.search.index import Index

HELP = "embed every moment of files and folders, so that `vu search` finds them"
EXAMPLE = (
    "  vu index ~/Videos --out library.vu --model saved_models/words\n"
    "  vu index ~/Videos ~/Pictures --out library.vu\n"
    "  vu index . --out library.vu --json"
)
_MODEL = "model"  # what the catalogue calls the place of the model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="video, sound or picture file, or a folder of some"
    )
    parser.add_argument(
        "--out", required=True, metavar="INDEX", help="folder of the index; one that is there is updated"
    )
    parser.add_argument(
        "--model", metavar="BUNDLE", help="folder of a model with words (default: the one the index was made with)"
    )
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    with opened_index(arguments.out, arguments.model) as index:
        done = index.add(*arguments.sources)
        if arguments.model is not None:
            index.catalogue.describe({_MODEL: str(Path(arguments.model).absolute())})
        moments = len(index)
    for path, cause in done.unreadable.items():
        print(f"vu: {one_line(f'{path}: {cause}')}", file=sys.stderr)
    counts = {name: getattr(done, name) for name in ("new", "changed", "moved", "gone", "same")}
    if arguments.json:
        values = {"index": arguments.out, "moments": moments, **counts, "unreadable": done.unreadable}
        print(json.dumps(values, indent=2))
    else:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        print(f"{arguments.out}: {moments} moments; files: {told}, {len(done.unreadable)} unreadable")
    return 2 if done.unreadable else 0


def opened_index(folder: str, bundle: str | None) -> Index:
    """The index with the model that reads new files: the bundle that is named, or the one it was made with."""
    from video_understanding.search.catalogue import CATALOGUE_FILE
    from video_understanding.search.index import Index

    if bundle is None and (Path(folder) / CATALOGUE_FILE).is_file():
        index = Index(folder)
        bundle = index.catalogue.about.get(_MODEL)
        index.close()
    if bundle is None:
        return Index(folder)
    return Index(folder, lambda: _loaded(bundle))


def _loaded(bundle: str) -> Recognizer:
    from video_understanding.runtimes import load, quickest_runtime

    return load(bundle, quickest_runtime(bundle))
