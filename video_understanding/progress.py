"""Progress of long operations: a bar on a terminal, and for the program elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

FIRST_LINE_S, NEXT_LINE_S = 5.0, 30.0  # shorter operations write no line
_BAR_LETTERS = 20  # fixed width, whatever the length of the postfix
_FORM = (
    "{desc} {percentage:3.0f}%|{bar:" + str(_BAR_LETTERS) + "}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]{postfix}"
)
_FORM_OF_PARTS = "{desc} {percentage:3.0f}%|{bar:" + str(_BAR_LETTERS) + "}| [{elapsed}<{remaining}]"

_plain_lines = False  # whether lines are written where there is no terminal
_whole: Bar | None = None  # the bar that all others are parts of


@contextmanager
def plain_lines(wanted: bool = True) -> Iterator[None]:
    """Inside, long operations write a line now and then where stderr is no terminal."""
    global _plain_lines
    before, _plain_lines = _plain_lines, wanted
    try:
        yield
    finally:
        _plain_lines = before


@contextmanager
def one_bar(doing: str, parts: int, shown: bool | None = None) -> Iterator[None]:
    """Inside, all bars are shown as one, of which each is a part; within another such bar it changes nothing."""
    global _whole
    if _whole is not None:
        yield
        return
    with Bar(parts, doing, shown=shown, form=_FORM_OF_PARTS) as _whole:
        try:
            yield
            _whole.update(parts - _whole.done)  # there may have been fewer
        finally:
            _whole = None


class Bar:
    """Counts what is done of `total` (None: unknown), in a `unit`; `shown` None means on a terminal.

    A resumed operation begins at `initial`. `leave`: whether the bar stays when all is done.
    """

    def __init__(
        self,
        total: float | None,
        doing: str,
        unit: str = "it",
        *,
        shown: bool | None = None,
        initial: float = 0,
        leave: bool = True,
        form: str = _FORM,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from tqdm import tqdm

        self.total, self.done = total, initial
        self._doing, self._clock, self._postfix = doing, clock, ""
        self._part_of = _whole
        shown = sys.stderr.isatty() if shown is None else shown
        self._lines = _plain_lines and not shown and _whole is None
        self._next_line_s = clock() + FIRST_LINE_S
        self._bar = tqdm(
            total=total,
            desc=doing,
            unit=unit,
            initial=initial,
            leave=leave,
            file=sys.stderr,
            dynamic_ncols=True,
            bar_format=form,
            disable=not shown or _whole is not None,
        )

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def update(self, done: float = 1) -> None:
        """Adds `done` to what is done."""
        self.done += done
        if self._part_of is not None:
            self._part_of.update(done / self.total if self.total else 0)
            return
        self._bar.update(done)
        if self._lines and self._clock() >= self._next_line_s:
            self._next_line_s = self._clock() + NEXT_LINE_S
            share = f"{100 * self.done / self.total:.0f} %" if self.total else f"{self.done:.0f}"
            print(f"{self._doing}: {share}{self._postfix}", file=sys.stderr, flush=True)

    def set_postfix(self, text: str) -> None:
        """Text behind the bar, such as the current metrics."""
        self._postfix = f", {text}"
        self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Nothing more will be done."""
        self._bar.close()
