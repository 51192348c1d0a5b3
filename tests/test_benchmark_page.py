"""The page of benchmarks: each benchmark writes its own section and leaves the others alone."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import dataclass

import pytest

from benchmarks.tables import Measured, Ratio, Spread, goal_text, last_lines, tell, with_section
from benchmarks.turns import Taken

PAGE = "# Benchmarks\n\nHow they are made.\n\n## Reading\n\nold words\n\n## Edge\n\nof others\n"


def test_a_section_is_written_anew_in_its_place():
    page = with_section(PAGE, "Reading", "new words")
    assert page == PAGE.replace("old words", "new words")
    assert with_section(page, "Reading", "new words") == page


def test_a_new_section_comes_last_also_on_a_page_that_is_not_there_yet():
    assert with_section(PAGE, "Training", "fast") == PAGE + "\n## Training\n\nfast\n"
    assert with_section("", "Training", "fast") == "## Training\n\nfast\n"


@pytest.mark.parametrize(
    ("median", "goal", "at_least", "told"),
    [(0.5, 0.6, False, "<= 0.60"), (0.7, 0.6, False, "<= 0.60 MISSED"), (0.9, 0.97, True, ">= 0.97 MISSED"),
     (0.98, 0.97, True, ">= 0.97"), (1.0, None, False, "")],
)  # fmt: skip
def test_a_goal_that_is_missed_says_so(median, goal, at_least, told):
    assert goal_text(median, goal, at_least) == told


def test_numbers_stand_in_columns():
    spread = Spread.of([0.002, 0.001, 0.004]).times(1000)
    assert spread == (2.0, 1.0, 4.0)
    assert spread.columns(1, 6) == f"{'2.0':>6} {'1.0 - 4.0':<15}"


def test_a_ratio_is_that_of_each_round():
    ours, theirs = Taken([3.0, 3.0, 3.0], [1.0, 3.0, 2.0]), Taken([3.0, 6.0, 2.0], [2.0, 2.0, 4.0])
    ratio = Ratio.of("frame", "matrix product", ours, theirs, 0.4)
    assert ratio.value == (0.5, 0.5, 1.5)
    assert ratio.wall == (1.0, 0.5, 1.5)
    clock = f"{'1.00':>6} {'0.50 - 1.50':<15}"
    assert ratio.columns() == f"{'0.50':>6} {'0.50 - 1.50':<15} {clock} <= 0.40 MISSED"


def test_a_table_ends_with_who_is_absent_and_the_machine():
    machine = {
        "rounds": 3,
        "cpu": "a CPU",
        "cores": 2,
        "system": "a system",
        "python": "3",
        "versions": {"av": "1", "x": None},
    }
    lines = list(last_lines(Measured(absent=["decord"], machine={**machine, "commit": "abc"})))
    assert lines[0] == "left out, not installed here: decord"
    assert lines[-1] == "Python 3, av 1; commit abc"


@dataclass
class Found:
    seconds: Spread


def test_what_is_told_is_printed_and_written(tmp_path, capsys):
    options = Namespace(json=tmp_path / "new" / "found.json", page=tmp_path / "page.md")
    options.page.write_text(PAGE)
    tell(Found(Spread(2, 1, 3)), options, lines=["one   ", "two"], title="Reading", text="Look:\n{table}\n")
    assert capsys.readouterr().out == "one\ntwo\n"
    assert json.loads(options.json.read_text()) == {"seconds": [2, 1, 3]}
    assert "## Reading\n\nLook:\none\ntwo\n\n## Edge" in options.page.read_text()
