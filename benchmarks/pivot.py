"""Ratios in a table of one line for each thing and one column for each peer, for benchmarks that have many of both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.tables import Ratio

_CELL = 21


def pivot(ratios: Sequence[Ratio], heading: str, *, wall: bool = False) -> Iterator[str]:
    """The ratios of CPU time, or those on the clock: the median and, after it, the lowest and highest round.

    What a peer has no ratio for gets a dash.
    """
    found = {(ratio.what, ratio.over): ratio.wall if wall else ratio.value for ratio in ratios}
    peers = list(dict.fromkeys(peer for _, peer in found))
    cells = {}
    for what in dict.fromkeys(what for what, _ in found):
        spreads = [found.get((what, peer)) for peer in peers]
        cells[what] = [f"{s.median:.2f} {s.low:.2f}-{s.high:.2f}" if s else "-" for s in spreads]
    yield from cells_in_columns(heading, peers, cells)


def pivots(ratios: Sequence[Ratio]) -> Iterator[str]:
    """The ratios of CPU time, then those on the clock, each with an empty line after it."""
    yield from pivot(ratios, "ratio of CPU time, ours over")
    yield ""
    yield from pivot(ratios, "ratio on the clock, ours over", wall=True)
    yield ""


def cells_in_columns(heading: str, peers: Sequence[str], cells: dict[str, list[str]]) -> Iterator[str]:
    """A head and, for each key, its cells below the peers."""
    wide = max(len(heading), *map(len, cells))
    yield f"{heading:<{wide}}  " + "".join(f"{peer:<{_CELL}}" for peer in peers)
    for what, row in cells.items():
        yield f"{what:<{wide}}  " + "".join(f"{cell:<{_CELL}}" for cell in row)
