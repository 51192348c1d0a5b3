"""What a section finds: ratios with goals, one layout of tables, the page's table replaced and its prose left alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks import sections
from benchmarks.interleave import Timing
from benchmarks.report import Ratio, Run, Spread, aligned, goal_text, with_table
from benchmarks.summary import summary

PROJECT = Path(__file__).resolve().parents[2]
PAGE = "# Benchmarks\n\n## Reading\n\nProse.\n\n```text\nold\n```\n\nMore.\n\n## Edge\n\n```text\nof others\n```\n"
MACHINE = {"rounds": 3, "cpu": "a CPU", "cores": 2, "system": "a system", "python": "3", "commit": "abc"}


def test_a_table_is_replaced_and_the_prose_around_it_stays():
    page = with_table(PAGE, "Reading", "new\ntable")
    assert page == PAGE.replace("old", "new\ntable")
    assert with_table(page, "Reading", "new\ntable") == page
    assert with_table(PAGE, "Edge", r"\1") == PAGE.replace("of others", r"\1")


@pytest.mark.parametrize("page", [PAGE.replace("## Edge", "## Other"), "## Edge\n\n## Reading\n\n```text\nx\n```\n"])
def test_a_section_without_a_table_is_refused(page):
    with pytest.raises(SystemExit, match='no section "Edge"'):
        with_table(page, "Edge", "new")


@pytest.mark.parametrize(
    ("median", "goal", "at_least", "text"),
    [(0.5, 0.6, False, "<= 0.60"), (0.7, 0.6, False, "<= 0.60 MISSED"), (0.9, 0.97, True, ">= 0.97 MISSED"),
     (0.98, 0.97, True, ">= 0.97"), (1.0, None, False, "")],
)  # fmt: skip
def test_a_goal_that_is_missed_says_so(median, goal, at_least, text):
    assert goal_text(median, goal, at_least) == text


OURS, THEIRS = Timing([3.0, 3.0, 3.0], [1.0, 3.0, 2.0]), Timing([3.0, 6.0, 2.0], [2.0, 2.0, 4.0])


def test_a_ratio_is_that_of_each_round():
    ratio = Ratio.of("frame", "matrix product", OURS, THEIRS, 0.4)
    assert ratio.value == (0.5, 0.5, 1.5)
    assert ratio.wall == (1.0, 0.5, 1.5)
    assert ratio.cells()[2:] == ("   0.50", "0.50 - 1.50", "   1.00", "0.50 - 1.50", "<= 0.40 MISSED")


def test_a_goal_may_be_one_for_rates_on_the_clock():
    ratio = Ratio.of("epoch", "bare steps", OURS, THEIRS, 0.97, at_least=True, by_clock=True)
    assert ratio.wall == (1.0, 2 / 3, 2.0)  # of rates: theirs over ours
    assert ratio.cells()[-1] == ">= 0.97 by the clock"


def found() -> Run:
    run = Run(3, machine=MACHINE | {"versions": {"av": "1", "decord": None}})
    run.record("10 s", {"ours": OURS, "theirs": THEIRS}, pieces=10)
    run.compare("10 s", {"ours": OURS, "theirs": THEIRS}, goals={"theirs": 0.4})
    run.number("size", "1 MB", 4.5, 5.0)
    run.installed("decord", lambda: __import__("no_such_package"))
    run.cell("side", "ours", "MB", "4.5")
    return run


def test_what_was_found_is_printed_with_who_is_absent_and_the_machine():
    text = "\n".join(found().lines())
    assert re.search(r"10 s  theirs +0\.50  0\.50 - 1\.50 +1\.00  0\.50 - 1\.50  <= 0\.40 MISSED", text)
    assert re.search(r"10 s: ours +200\.0  100\.0 - 300\.0 +300\.0", text)
    assert "left out, not installed here: decord (no_such_package)" in text
    assert text.endswith("3 rounds on a CPU, 2 cores, a system\nPython 3, av 1; commit abc")


def test_columns_are_as_wide_as_they_need_to_be_and_a_head_alone_is_nothing():
    assert list(aligned([("a", "head"), ("long", "x")])) == ["a     head", "long  x", ""]
    assert list(aligned([("a", "head")])) == []


def test_a_run_is_written_as_json_and_into_the_page(tmp_path, monkeypatch, capsys):
    section = type("Section", (), {"TITLE": "Reading", "PACKAGES": ("tqdm",)})
    section.measure = lambda run: run.compare("10 s", {"ours": OURS, "theirs": THEIRS})
    monkeypatch.setattr(program.importlib, "import_module", lambda _name: section)
    (tmp_path / "page.md").write_text(PAGE)
    arguments = ["--quick", "--json", f"{tmp_path}/new/found.json", "--page", f"{tmp_path}/page.md"]
    monkeypatch.setattr("sys.argv", ["benchmarks", "reading", *arguments])
    program.main()
    report = json.loads((tmp_path / "new" / "found.json").read_text())
    assert (report["ratios"][0]["value"], report["machine"]["rounds"]) == ([0.5, 0.5, 1.5], 2)
    page = (tmp_path / "page.md").read_text()
    assert capsys.readouterr().out.strip() in page
    assert "Prose." in page
    assert "of others" in page


def test_the_summary_counts_goals_and_names_where_another_is_quicker():
    slower = Ratio("10 s", "quick peer", Spread(1.2, 1.1, 1.3))
    ourselves = Ratio("live", "offline", Spread(1.4, 1.3, 1.5))
    run = found()
    run.ratios += [slower, ourselves]
    text = "\n".join(summary({"reading": json.loads(json.dumps(run.to_dict()))}))
    missed, lost = text.split("Of 2 lines beside other ways")
    assert missed.startswith("1 of 2 goals are met. Missed:")
    assert re.search(r"reading  10 s  over theirs +0\.50  <= 0\.40", missed)
    assert "quick peer" in lost
    assert "offline" not in lost


def test_every_section_has_its_table_on_the_page_and_is_run_by_make():
    page = (PROJECT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    modules = [file for file in Path(sections.__path__[0]).glob("*.py") if file.stem != "__init__"]
    for module in modules:
        title = re.search(r'^TITLE = "(.*)"$', module.read_text(encoding="utf-8"), re.M)[1]
        with_table(page, title, "")
    benches = re.search(r"^BENCHES := (.*)$", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.M)[1].split()
    assert sorted(benches) == sorted(module.stem for module in modules)
