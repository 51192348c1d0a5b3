"""How long an exact search takes among many moments, beside NumPy's own product of the same numbers.

    python -m benchmarks.search_speed BUNDLE [--moments 100000]

BUNDLE is any model with words; the moments are random vectors of its space, a hundred to a file.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from video_understanding.errors import VideoUnderstandingError
from video_understanding.search.catalogue import FORMAT, Catalogue, Entry
from video_understanding.search.index import Index
from video_understanding.search.vectors import Vectors
from video_understanding.words.space import CommonSpace, unit
from video_understanding.words.words_file import read_words, write_words

PER_FILE = 100
_AT_ONCE = 50_000
_TIMES = 15


def main() -> None:
    """Prints the median time of a search and of the product alone, and the memory that the process took."""
    options = _options()
    space = read_words(options.bundle)
    if space is None:
        raise VideoUnderstandingError(options.bundle, "has no words", "Give a model with words.")
    with tempfile.TemporaryDirectory() as folder:
        made = _made(Path(folder), space, options.moments)
        query = space.calibration.sentences[0]
        before_mb = _peak_mb()
        with Index(made) as index:
            first_ms = _median_ms(lambda: index.search(query), 1)
            search_ms = _median_ms(lambda: index.search(query), _TIMES)
            sizes = f"{len(index):,} moments of {space.size} numbers"
        print(
            f"{sizes}: a search takes {search_ms:.1f} ms, the first {first_ms:.0f} ms; {_peak_mb() - before_mb:.0f} MB"
        )
        held = Vectors(made, space.size).rows(0, options.moments)[0].astype(np.float32)
        product_ms = _median_ms(lambda: held @ query, _TIMES)
        print(f"NumPy's product alone takes {product_ms:.1f} ms: the search {search_ms / product_ms:.2f} times that")


def _made(folder: Path, space: CommonSpace, moments: int) -> Path:
    """An index of random moments."""
    write_words(space, folder)
    Catalogue.make(folder, {"format": FORMAT, "generation": "0"})
    vectors, chance = Vectors(folder, space.size), np.random.default_rng(0)
    for first in range(0, moments, _AT_ONCE):
        count = min(_AT_ONCE, moments - first)
        spans_s = np.arange(count)[:, None] % PER_FILE + np.array([0.0, 2.0])
        vectors.write(first, unit(chance.standard_normal((count, space.size), np.float32)), spans_s)
    catalogue = Catalogue(folder)
    catalogue.put(
        [
            Entry(f"/{number}.mp4", 1, 1, str(number), PER_FILE, number * PER_FILE, PER_FILE)
            for number in range(moments // PER_FILE)
        ]
    )
    catalogue.close()
    return folder


def _median_ms(work: Callable[[], object], times: int) -> float:
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        work()
        took.append(time.perf_counter() - began_s)
    return 1000 * float(np.median(took))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="folder of a model with words")
    parser.add_argument("--moments", type=int, default=100_000, metavar="N", help="how many (default: 100,000)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
