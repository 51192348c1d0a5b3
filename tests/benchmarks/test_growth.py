"""The line through the points of a growth: where it lies, its verdict, and that it can be drawn."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.sections.growth import Line, draw


def line_through(cost):
    sizes = (10, 30, 60)
    return Line.through(sizes, np.array([cost(size) for size in sizes], float))


def test_a_straight_growth_has_its_base_and_slope():
    line = line_through(lambda size: 7 + 2 * size)
    assert (line.base, line.slope) == pytest.approx((7, 2))
    assert (line.r2, line.off) == pytest.approx((1, 0), abs=1e-9)
    assert line.cells()["growth"] == "straight"


def test_a_growth_with_the_square_is_not_straight():
    assert line_through(lambda size: 7 + size**2).cells()["growth"] == "NOT STRAIGHT"


def test_of_what_should_not_grow_the_table_says_how_much_it_does():
    assert line_through(lambda size: 99 + size / 10).cells(flat=True)["growth"] == "flat"
    assert line_through(lambda size: 90 + size).cells(flat=True)["growth"] == "GROWS by 50 %"


def test_lines_of_a_panel_share_a_plot_on_white(tmp_path):
    line = line_through(lambda size: 7 + 2 * size)
    points = line.values[:, None] * [1, 0.9, 1.2]
    panels = {"size, s": {"file, read": (line, points), "file, scored": (line, points)}}
    draw(panels, tmp_path / "growth.svg")
    drawn = (tmp_path / "growth.svg").read_text()
    assert drawn.count('id="axes_') == 1
    assert "fill: #ffffff" in drawn
    draw(panels, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == drawn
