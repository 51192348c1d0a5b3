"""The line through the points of a growth: where it lies, what it is called, and that it can be drawn."""

from __future__ import annotations

import pytest

from benchmarks.growth_lines import Line, draw
from benchmarks.tables import Spread


def line_through(cost, flat=False):
    sizes = (10, 30, 60)
    points = [Spread(cost(size), 0.9 * cost(size), 1.2 * cost(size)) for size in sizes]
    return Line.through(sizes, points, "size, s", flat)


def test_a_straight_growth_has_its_base_and_slope_and_is_called_so():
    line = line_through(lambda size: 7 + 2 * size)
    assert (line.base_ms, line.slope_ms) == pytest.approx((7, 2))
    assert (line.r2, line.deviation_percent) == pytest.approx((1, 0), abs=1e-9)
    assert line.verdict() == "straight"


def test_a_growth_with_the_square_is_not_straight():
    assert line_through(lambda size: 7 + size**2).verdict() == "NOT STRAIGHT"


def test_of_what_should_not_grow_it_is_told_how_much_it_does():
    assert line_through(lambda size: 99 + size / 10, flat=True).verdict() == "flat"
    assert line_through(lambda size: 90 + size, flat=True).verdict() == "GROWS by 50 %"


def test_lines_of_a_panel_share_a_plot_on_white(tmp_path):
    line = line_through(lambda size: 7 + 2 * size)
    draw({"file, read": line, "file, scored": line}, tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text()
    assert drawn.count('id="axes_') == 1
    assert "fill: #ffffff" in drawn
    draw({"file, read": line, "file, scored": line}, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == drawn
