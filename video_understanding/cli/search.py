"""`vu search`: the moments of an index that fit a sentence, or another moment."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from video_understanding.cli.index import opened_index
from video_understanding.safe_text import one_line

if TYPE_CHECKING:
    import numpy as np

    from video_understanding.search.index import Index

HELP = "find moments by a sentence or by another moment"
EXAMPLE = (
    '  vu search library.vu "a dog on a beach"\n'
    '  vu search library.vu "people dance" --top 30 --under ~/Videos/2024 --report found.html\n'
    "  vu search library.vu --like holiday.mp4@12.5 --json"
)
_TOP, _MIN_SCORE = 10, 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("index", metavar="INDEX", help="folder that `vu index` wrote")
    parser.add_argument("words", nargs="?", metavar="WORDS", help="a sentence about what is to be seen")
    parser.add_argument(
        "--like",
        metavar="FILE[@SECONDS]",
        help="moments like that of a file, or like the file as a whole, instead of WORDS",
    )
    parser.add_argument("--top", type=int, default=_TOP, metavar="N", help=f"how many at most (default: {_TOP})")
    parser.add_argument(
        "--min-score",
        type=float,
        default=_MIN_SCORE,
        metavar="X",
        help=f"leave out what fits less, from 0 to 1; nothing may be left (default: {_MIN_SCORE:g})",
    )
    parser.add_argument("--under", metavar="FOLDER", help="only files in and below this folder")
    parser.add_argument("--report", metavar="HTML", help="write a page with a picture of each moment")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON list, best first: file, start_s, end_s and score of each"
    )


def run(arguments: argparse.Namespace) -> int:
    from video_understanding.errors import SearchError
    from video_understanding.recognition.text import clock
    from video_understanding.report.search_page import write_search_page

    if (arguments.words is None) == (arguments.like is None):
        raise SearchError("search", "needs WORDS or --like, and not both", 'Ask such as "a dog on a beach".')
    with opened_index(arguments.index, None) as index:
        query = arguments.words if arguments.like is None else _moment(index, arguments.like)
        hits = index.search(query, arguments.top, arguments.min_score, arguments.under)
    there = [hit for hit in hits if Path(hit.file).exists()]
    if len(there) < len(hits):
        words = f"{len(hits) - len(there)} result(s) lie in files that are gone; run `vu index` again"
        print(f"vu: {words}", file=sys.stderr)
    if arguments.report:
        write_search_page(arguments.report, arguments.words or f"like {arguments.like}", there)
        print(f"report: {one_line(arguments.report)}", file=sys.stderr)
    if arguments.json:
        print(json.dumps([hit.to_dict() for hit in there], indent=2))
        return 0
    for hit in there:
        print(f"{hit.score:.2f}  {clock(hit.start_s)}-{clock(hit.end_s)}  {one_line(hit.file)}")
    if not there:
        print("nothing fits; a lower --min-score shows what comes nearest", file=sys.stderr)
    return 0


def _moment(index: Index, like: str) -> np.ndarray:
    """The vector of `FILE` or `FILE@SECONDS`; a file whose name ends like that is meant as it is."""
    file, at, time = like.rpartition("@")
    if not at or Path(like).exists():
        return index.moment(like)
    try:
        at_s = float(time)
    except ValueError:
        return index.moment(like)
    return index.moment(file, at_s)
