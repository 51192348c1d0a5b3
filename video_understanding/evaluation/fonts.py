"""Fonts for pictures: matplotlib's own has no letters of many scripts, and others that are installed may have them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def fonts_for(texts: Iterable[str]) -> Iterator[None]:
    """Inside, matplotlib draws with fonts that have the letters of these texts, as far as any installed one does.

    A letter that none has is drawn as a box, without a warning for each.
    """
    try:
        import matplotlib
    except ImportError:  # what draws says so, and what for
        yield
        return
    families = [
        *matplotlib.rcParams["font.family"],
        *_more_families({ord(letter) for text in texts for letter in text}),
    ]
    with matplotlib.rc_context({"font.family": families}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        yield


def _more_families(wanted: set[int]) -> list[str]:
    """Families that have code points which the usual font lacks; each adds some."""
    from matplotlib import font_manager, ft2font

    def letters_of(file: str) -> set[int]:
        return set(ft2font.FT2Font(file).get_charmap())

    lacking = {code for code in wanted if code > 127}  # what every font has need not be looked up
    if lacking:
        lacking -= letters_of(font_manager.findfont(font_manager.FontProperties()))
    families = []
    for entry in font_manager.fontManager.ttflist if lacking else ():
        if not lacking:
            break
        if "Color" in entry.name:  # its letters are pictures, which matplotlib cannot draw
            continue
        try:
            has = lacking & letters_of(entry.fname)
        except (OSError, RuntimeError):  # a font that was taken away, or is damaged
            continue
        if has:
            families.append(entry.name)
            lacking -= has
    return families
